//! The arguments of `deployer migrate`.

use super::super::args::after;
use clap::Subcommand;

/// `deployer migrate ...`
#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// Show which columns come back from green, and how, and what a way back would change. Read-only.
    Plan,
    /// Begin the migration, or go on with it: its functions are called by schedule and stream from now on.
    #[command(after_help = after(&[
        "deployer migrate start",
        "deployer migrate status --watch        until the copy is complete",
        "deployer migrate verify                then compare both sides",
    ]))]
    Start {
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Show how far it is: rows, lag, rows in quarantine, and the log that the slot keeps on blue's disk. Read-only.
    Status {
        /// Show it again every ten seconds until Ctrl-C.
        #[arg(long)]
        watch: bool,
    },
    /// Compare blue and green. Exit code 2 when they differ, 7 when not everything could be compared.
    Verify {
        /// Only these tables of blue, `schema.name`.
        #[arg(long = "table", value_name = "TABLE")]
        tables: Vec<String>,
    },
    /// Close green, or open both sides as the mode of the mapping says, and begin the stream from green to blue: the way back.
    Prepare {
        /// Columns of blue that can't come back, `schema.table.column`: each must be accepted by name.
        #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
        accept: Vec<String>,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Call the functions no more. Slots stay, and keep the log on the databases' disks: go on soon, or stop.
    Pause,
    /// End the migration: blue and green are as if there had been none, but for what was copied. Leaves no slot behind.
    Stop {
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

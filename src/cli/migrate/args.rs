//! The arguments of `deployer migrate`.

use super::super::args::after;
use clap::{Args, Subcommand};

/// `deployer migrate ...`
#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// Show which columns come back from green, and how, and what a way back would change. Read-only.
    Plan,
    /// Make green's tables with the application's own migrations: one task of its image in green, with another command.
    #[command(after_long_help = after(&[
        "deployer migrate schema --service payment-api --command \"npm run migrate\"",
        "deployer migrate schema --service payment-api --command \"sh -c './migrate up && ./seed'\"",
    ]))]
    Schema(SchemaArgs),
    /// Begin the migration, or go on with it: its functions are called by schedule and stream from now on.
    #[command(after_long_help = after(&[
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
    /// Give the writes to green, and with them all traffic; and the way back. Writes are refused for a moment, reads never.
    #[command(after_long_help = after(&[
        "deployer migrate cutover --prepare --accept public.cards.pan    the way back exists before green takes a write",
        "deployer migrate cutover --go           green takes the writes and all traffic",
        "deployer migrate cutover --reverse      blue takes both again; `deployer traffic rollback` does the same",
        "deployer migrate cutover --finish       no way back any more",
    ]))]
    Cutover(CutoverArgs),
    /// Call the functions no more. Slots stay, and keep the log on the databases' disks: go on soon, or stop.
    Pause,
    /// End the migration: blue and green are as if there had been none, but for what was copied. Leaves no slot behind.
    Stop {
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

/// `deployer migrate schema`
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The service whose image, roles and network are taken.
    #[arg(long, value_name = "SERVICE")]
    pub service: String,
    /// What runs in place of the image's command: words as a shell divides them. No shell runs it.
    #[arg(long, value_name = "COMMAND")]
    pub command: String,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

/// `deployer migrate cutover`
#[derive(Debug, Args)]
pub struct CutoverArgs {
    /// What to do.
    #[command(flatten)]
    pub part: CutoverPart,
    /// With --prepare: columns of blue that can't come back, `schema.table.column`. Each must be accepted by name.
    #[arg(
        long,
        value_name = "COLUMN",
        value_delimiter = ',',
        requires = "prepare"
    )]
    pub accept: Vec<String>,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

/// The parts of a cutover.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct CutoverPart {
    /// Close green, or open both sides as the mode of the mapping says, and begin the stream from green to blue.
    #[arg(long)]
    pub prepare: bool,
    /// Give green the writes and all traffic. Run again after a kill, it goes on where it was.
    #[arg(long)]
    pub go: bool,
    /// Give blue the writes and all traffic. Without a question, like every rollback.
    #[arg(long)]
    pub reverse: bool,
    /// End the way back: streams and slots go, and the side without the writes stays closed.
    #[arg(long)]
    pub finish: bool,
}

//! The arguments of `deployer nightly`.

use super::super::args::after;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

/// `deployer nightly ...`
#[derive(Debug, Subcommand)]
pub enum NightlyCommand {
    /// Print what runs `deployer drift` every night, with the paths and options of this machine and this command.
    #[command(after_long_help = after(&[
        "deployer nightly print cron --suffix prod | crontab -",
        "deployer nightly print systemd --suffix prod --dir /etc/systemd/system",
        "deployer nightly print github --suffix prod > .github/workflows/drift.yml",
    ]))]
    Print {
        /// For what.
        #[arg(value_enum)]
        scheduler: Scheduler,
        /// When: hours and minutes, in the time zone of the scheduler.
        #[arg(long, value_name = "HH:MM", default_value = "02:15", value_parser = time)]
        at: (u8, u8),
        /// Write the files into this folder instead.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// Who starts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scheduler {
    /// A line of a crontab.
    Cron,
    /// A service and its timer.
    Systemd,
    /// A workflow of GitHub Actions.
    Github,
}

fn time(text: &str) -> Result<(u8, u8), String> {
    let wrong = || format!("`{text}` is no time such as 02:15");
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let number = |digits: &str, below: u8| {
        let number = digits.parse::<u8>().ok();
        number.filter(|n| *n < below && digits.len() <= 2)
    };
    match (number(hour, 24), number(minute, 60)) {
        (Some(hour), Some(minute)) => Ok((hour, minute)),
        _ => Err(wrong()),
    }
}

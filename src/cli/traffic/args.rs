//! The arguments of `deployer traffic`.

use crate::traffic::plan::DEFAULT_STEPS;
use clap::{Args, Subcommand, ValueEnum};

/// `deployer traffic ...`
#[derive(Debug, Subcommand)]
pub enum TrafficCommand {
    /// Show weights, who set them, requests of both sides, and how a shift stands. Read-only.
    Status {
        /// Show it again every five seconds until Ctrl-C.
        #[arg(long)]
        watch: bool,
    },
    /// Give green more of the traffic, step by step, each judged by the gate; back to blue at once when green is worse.
    #[command(after_help = super::super::args::after(&[
        "deployer traffic shift --dry-run               the steps, and how long each needs to be able to pass",
        "deployer traffic shift --steps 10,25 --approve-at 25",
        "deployer traffic rollback                      from any terminal or machine, at any time",
    ]))]
    Shift(ShiftArgs),
    /// Let a shift wait: its weight stays, and the gate goes on.
    Pause,
    /// Let a paused shift go on, or go on with one whose process has ended.
    Resume {
        /// Go on with a shift of another machine, whose process there has ended.
        #[arg(long)]
        take_over: bool,
        /// What Ctrl-C does.
        #[arg(long, value_enum, default_value_t = OnInterrupt::Hold, value_name = "WHAT")]
        on_interrupt: OnInterrupt,
    },
    /// Allow a step that waits for approval.
    Approve {
        /// Green's weight up to which it is allowed, in percent.
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
        weight: u8,
        /// For how long, in hours.
        #[arg(long, default_value_t = 2, value_name = "HOURS", value_parser = clap::value_parser!(u16).range(1..=168))]
        hours: u16,
    },
    /// Send all traffic back to blue, at once. Takes no lock, needs no state, and wins over everything.
    #[command(after_help = super::super::args::after(&[
        "deployer traffic rollback --reason \"captures fail\"",
        "deployer traffic rollback --print-aws          the same as commands of the AWS CLI, for a runbook",
        "deployer permissions --for rollback            the rights that it needs",
    ]))]
    Rollback {
        /// Why, for the history.
        #[arg(long, value_name = "TEXT", default_value = "by hand")]
        reason: String,
        /// Print the calls as commands of the AWS CLI, and send none that changes anything.
        #[arg(long)]
        print_aws: bool,
        /// Wait until green's own target groups count no request any more, up to ten minutes.
        #[arg(long)]
        until_over: bool,
    },
    /// Set the minimum of tasks and capacity, which a shift has raised, to what is configured: a day after a rollback, or `--now`.
    Release {
        /// Also before that, and while green has customers.
        #[arg(long)]
        now: bool,
    },
    /// Show what was done to the traffic, by this machine or with a shared state by all, and check that no line was changed.
    History,
    /// Test the gate itself. No call is made.
    #[command(after_help = super::super::args::after(&[
        "deployer traffic gate --self-test              bad numbers of every kind must fail",
        "deployer traffic gate --simulate 1000          how often a healthy green is rolled back, how soon a bad one is found",
    ]))]
    Gate(GateArgs),
}

/// `deployer traffic shift`
#[derive(Debug, Clone, Args)]
pub struct ShiftArgs {
    /// Green's weights in percent, rising.
    #[arg(long, default_value = DEFAULT_STEPS, value_name = "LIST")]
    pub steps: String,
    /// Minutes of each step that must be observed.
    #[arg(long, default_value_t = crate::traffic::gate::DEFAULT_BAKE_MINUTES, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub bake: u32,
    /// Steps from this weight on wait for `deployer traffic approve`.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub approve_at: Option<u8>,
    /// Only show the steps, and how long each needs to be able to pass.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// What Ctrl-C does.
    #[arg(long, value_enum, default_value_t = OnInterrupt::Hold, value_name = "WHAT")]
    pub on_interrupt: OnInterrupt,
}

/// What Ctrl-C does to the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnInterrupt {
    /// The weights stay.
    #[value(help = None::<&str>)]
    Hold,
    /// All traffic goes back to blue.
    #[value(help = None::<&str>)]
    Rollback,
}

/// `deployer traffic gate`
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct GateArgs {
    /// Feed the gate numbers of every kind: bad ones must fail, missing ones be unknown, few ones hold.
    #[arg(long)]
    pub self_test: bool,
    /// Simulate so many whole shifts in each case.
    #[arg(long, value_name = "SHIFTS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub simulate: Option<u32>,
}

//! The command line. Help, completions and parsing come from these definitions alone.

mod common;

pub use common::{Color, Common, DataArgs, DestroyScope, EnvName, LogFormat, Scope};

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Creates, reconciles and tears down the blue and green environments of the payment platform on AWS.
#[derive(Debug, Parser)]
#[command(name = "deployer", version = super::version::VERSION, max_term_width = 110, after_long_help = after(&[
    "deployer apply --env green --sandbox --yes   try it on this machine",
    "deployer plan --env green --suffix pr42      what would be made in the account of your credentials",
    "deployer apply --env green --suffix pr42     make it, after a `yes`",
    "deployer drift --suffix prod --json          the nightly check",
]))]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// What stands below the options: examples, and the exit codes.
pub fn after(examples: &[&str]) -> String {
    let rows = super::exit::TABLE
        .iter()
        .map(|(code, text)| format!("  {code:<4} {text}\n"));
    let examples = examples.iter().map(|e| format!("  {e}\n"));
    format!(
        "Examples:\n{}\nExit codes:\n{}",
        examples.collect::<String>(),
        rows.collect::<String>()
    )
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what `apply` would do. Read-only.
    #[command(after_long_help = after(&[
        "deployer plan                          both environments",
        "deployer plan --env green --json | jq .summary",
        "deployer plan --detail                 with every value of every step",
        "deployer plan aurora-green             every value of this step",
        "deployer plan --markdown               for a pull request",
        "deployer plan --out plan.json          then: deployer apply plan.json",
    ]))]
    Plan {
        /// Which part.
        #[command(flatten)]
        scope: Scope,
        /// Which steps.
        #[command(flatten)]
        chosen: super::plan::args::Chosen,
        /// How it is shown.
        #[command(flatten)]
        view: super::plan::args::PlanView,
        /// What it may do.
        #[command(flatten)]
        allow: super::plan::args::Allow,
        /// What holds data may be replaced.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Create or update resources to match the blueprint.
    #[command(after_long_help = after(&[
        "deployer apply --env green             shows the plan and asks",
        "deployer apply --yes --timings run.html",
        "deployer apply --dry-run               only the plan, exit code 2 when something differs",
        "deployer apply plan.json               the plan that `deployer plan --out plan.json` saved",
    ]))]
    Apply {
        /// A saved plan.
        #[command(flatten)]
        saved: super::plan::args::SavedArg,
        /// Which part.
        #[command(flatten)]
        scope: Scope,
        /// Which steps.
        #[command(flatten)]
        chosen: super::plan::args::Chosen,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
        /// Only show the plan.
        #[arg(long)]
        dry_run: bool,
        /// Do it although a migration or a split of the traffic is going on, and the plan removes what it needs.
        #[arg(long)]
        ignore_migration: bool,
        /// What it may do.
        #[command(flatten)]
        allow: super::plan::args::Allow,
        /// What holds data may be replaced.
        #[command(flatten)]
        data: DataArgs,
        /// Write a page with the timings of the run: what ran when, the critical path, calls and throttles.
        #[arg(long, value_name = "FILE.html")]
        timings: Option<PathBuf>,
    },
    /// Delete one environment and its dependents, or everything.
    #[command(after_long_help = after(&[
        "deployer destroy --env green                  green and its dependents; blue stays; asks what becomes of data",
        "deployer destroy --env green --keep-snapshot  the database leaves a final snapshot and its key",
        "deployer destroy --yes --destroy-data         everything, without asking; nothing remains",
        "deployer destroy --dry-run                    only the plan",
    ]))]
    Destroy {
        /// Which part.
        #[command(flatten)]
        destroyed: DestroyScope,
        /// What becomes of data.
        #[command(flatten)]
        data: DataArgs,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
        /// Only show the plan.
        #[arg(long)]
        dry_run: bool,
        /// Do it although a migration or a split of the traffic is going on, and the plan removes what it needs.
        #[arg(long)]
        ignore_migration: bool,
        /// Write a page with the timings of the run: what ran when, the critical path, calls and throttles.
        #[arg(long, value_name = "FILE.html")]
        timings: Option<PathBuf>,
    },
    /// Compare the account with the blueprint and the state. Read-only.
    #[command(after_long_help = after(&[
        "deployer drift --quiet                 prints nothing when all is well",
        "deployer drift --json | jq -r '.findings[] | select(.severity == \"high\") | .what'",
    ]))]
    Drift {
        /// Which part.
        #[command(flatten)]
        scope: Scope,
        /// How.
        #[command(flatten)]
        drift: super::drift::DriftArgs,
    },
    /// Have `drift` run every night.
    #[command(after_long_help = after(&[
        "deployer nightly print cron --suffix prod",
    ]))]
    Nightly {
        /// What to do.
        #[command(subcommand)]
        command: super::nightly::args::NightlyCommand,
    },
    /// Show what is recorded. AWS is called only for a shared state.
    #[command(after_long_help = after(&[
        "deployer status --env green",
        "deployer status --all                  every deployment in the folder of state files",
    ]))]
    Status {
        /// Which part.
        #[command(flatten)]
        scope: Scope,
        /// Every deployment whose state is in the folder of local state files, with its age.
        #[arg(long, conflicts_with = "env")]
        all: bool,
    },
    /// Show ids, names and endpoints as recorded. AWS is called only for a shared state.
    #[command(after_long_help = after(&[
        "deployer outputs",
        "deployer outputs green.database.writer_endpoint",
        "deployer outputs green.subnet_ids.app --format list",
        "deployer outputs green --format env > green.env",
    ]))]
    Outputs {
        /// Only this one, or all below it: `green.vpc_id`, `green.database`.
        #[arg(add = super::complete::outputs())]
        name: Option<String>,
        /// How the values are written.
        #[command(flatten)]
        form: super::outputs::Form,
    },
    /// Print the graph of steps.
    #[command(after_long_help = after(&[
        "deployer graph --env green | dot -Tsvg > green.svg",
    ]))]
    Graph {
        /// Which part.
        #[command(flatten)]
        scope: Scope,
        /// The format.
        #[arg(long, value_enum, default_value_t = GraphFormat::Dot)]
        format: GraphFormat,
    },
    /// Look at the state, rebuild it, unlock it, share it.
    #[command(after_long_help = after(&[
        "deployer state list",
        "deployer state show vpc-green",
        "deployer state rebuild                 the file is lost or damaged",
        "deployer state history                 who ran what, and how it ended",
        "deployer state mark                    a tool removed the tags of what deployer made",
        "deployer state unlock                  a run on another host died",
        "deployer state init                    make the bucket of a shared state",
        "deployer state push                    take the local state there",
    ]))]
    State {
        /// What to do.
        #[command(subcommand)]
        command: StateCommand,
    },
    /// Copy blue's data to green, follow it, compare both, and end it.
    #[command(after_long_help = after(&[
        "deployer migrate start",
        "deployer migrate status --watch",
        "deployer migrate verify",
    ]))]
    Migrate {
        /// What to do.
        #[command(subcommand)]
        command: super::migrate::args::MigrateCommand,
    },
    /// Move customers from blue to green step by step, and back at once.
    #[command(after_long_help = after(&[
        "deployer traffic status",
        "deployer traffic shift --dry-run",
        "deployer traffic rollback              all traffic to blue, at once",
    ]))]
    Traffic {
        /// What to do.
        #[command(subcommand)]
        command: super::traffic::args::TrafficCommand,
    },
    /// Play a whole migration on this machine: both environments, real databases, functions, names and customers; shifts, faults,
    /// rollbacks, cutovers and the end.
    #[command(after_long_help = after(&[
        "deployer rehearse --out rehearsal.html         the story as it goes, and a page of it",
        "deployer rehearse --short                      the main parts",
        "deployer rehearse --keep --folder play         then look around: status, traffic, migrate, dig, psql",
    ]))]
    Rehearse(super::rehearse::RehearseArgs),
    /// Start, stop or look at the emulator of AWS.
    #[command(after_long_help = after(&[
        "deployer sandbox up --latency aws/100",
        "export AWS_ENDPOINT_URL=$(deployer sandbox status --json | jq -r .endpoint)",
    ]))]
    Sandbox {
        /// What to do.
        #[command(subcommand)]
        command: SandboxCommand,
    },
    /// Check this machine, the configuration and the account, and say what ends each finding. Read-only.
    #[command(after_long_help = after(&[
        "deployer doctor",
        "deployer doctor --offline              without credentials: this machine, configuration, state",
    ]))]
    Doctor {
        /// What is looked at.
        #[command(flatten)]
        asked: super::doctor::Asked,
    },
    /// Write one page of evidence: what exists, differences, PCI DSS, ages, histories. Changes nothing.
    #[command(after_long_help = after(&[
        "deployer report --out evidence.html",
        "deployer report --out evidence.html --json | jq -r '.requirements[] | [.id, .verdict] | @tsv'",
    ]))]
    Report {
        /// Where it goes.
        #[command(flatten)]
        asked: super::evidence::Asked,
    },
    /// Estimate what the configured platform costs in a month. No call is made.
    #[command(after_long_help = after(&[
        "deployer cost",
        "deployer cost --env green --lines      every line with its amount and price",
    ]))]
    Cost {
        /// What is shown.
        #[command(flatten)]
        asked: super::cost::Asked,
    },
    /// Print the IAM policy that the credentials need.
    #[command(after_long_help = after(&[
        "deployer permissions --suffix prod > policy.json",
        "deployer permissions --suffix prod --read-only    for the nightly drift check",
    ]))]
    Permissions {
        /// What for.
        #[command(flatten)]
        asked: super::permissions::Asked,
    },
    /// Print the documented configuration file with every default.
    Config,
    /// Print a completion script.
    ///
    /// It asks this program for steps, outputs, suffixes and profiles. In ~/.bashrc: source <(deployer completions bash)
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// The formats of `graph`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Graphviz.
    #[value(help = None::<&str>)]
    Dot,
    /// Mermaid.
    #[value(help = None::<&str>)]
    Mermaid,
    /// JSON.
    #[value(help = None::<&str>)]
    Json,
}

/// `deployer state ...`
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// List the recorded steps.
    List {
        /// Which part.
        #[command(flatten)]
        scope: Scope,
    },
    /// Show one recorded step.
    Show {
        /// The step, e.g. `vpc-green`.
        #[arg(add = super::complete::recorded())]
        step: String,
    },
    /// List the runs so far, and check that no line of the history was changed or removed.
    History,
    /// Rebuild the state file from the tags of existing resources.
    Rebuild {
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Put lost tags back on recorded resources, the ownership mark first of all. Changes nothing but tags.
    #[command(after_long_help = after(&[
        "deployer state mark                    everything that is recorded",
        "deployer state mark cluster-green      only this step",
        "deployer state mark --dry-run          which tags are missing where",
    ]))]
    Mark {
        /// Only these steps, e.g. `vpc-green`.
        #[arg(add = super::complete::recorded())]
        steps: Vec<String>,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
        /// Only show the plan.
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove a lock that a dead run on another host left behind. What that run still writes is refused.
    Unlock,
    /// Make the bucket of a shared state, or check the one that is there.
    Init {
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Take the local state files to the shared state, unless that is newer or of another deployment.
    Push,
    /// Take the shared state to the local state files, unless these are newer or of another deployment.
    Pull,
}

/// `deployer sandbox ...`
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Start the emulator if it is not running.
    Up {
        /// The loopback port; a free one without it.
        #[arg(long, value_name = "PORT")]
        port: Option<u16>,
        /// How long things take to settle: `none`, seconds, or `aws/100` for AWS's typical seconds divided by 100.
        #[arg(long, value_parser = crate::sandbox::latency, allow_negative_numbers = true)]
        latency: Option<String>,
        /// Let databases (PostgreSQL), functions (Node.js), load balancers and names be real, on this machine's loopback.
        #[arg(long)]
        data_plane: bool,
        /// How many times as fast the minutes of a data plane pass.
        #[arg(long, value_name = "RATE", default_value_t = 1.0, requires = "data_plane", value_parser = crate::traffic::time::rate)]
        clock_rate: f64,
    },
    /// Stop the emulator.
    Down,
    /// Show its status.
    Status,
}

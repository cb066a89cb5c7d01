//! The command line. Help, completions and parsing come from these definitions alone.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Creates, reconciles and tears down the blue and green environments of the payment platform on AWS.
#[derive(Debug, Parser)]
#[command(name = "deployer", version, max_term_width = 110, after_help = exit_codes())]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

fn exit_codes() -> String {
    let rows = super::exit::TABLE
        .iter()
        .map(|(code, text)| format!("  {code:<4} {text}\n"));
    format!("Exit codes:\n{}", rows.collect::<String>())
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// The configuration file; every key has a default.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The environment suffix, part of every name: a letter, then letters and digits, at most 12.
    #[arg(long, global = true, env = "DEPLOYER_SUFFIX", value_name = "SUFFIX")]
    pub suffix: Option<String>,
    /// The AWS region [default: eu-central-1].
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// A profile of the AWS configuration.
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// The folder of the state files.
    #[arg(long, global = true, default_value = "state", value_name = "DIR")]
    pub state_dir: PathBuf,
    /// Run against the sandbox, an emulator of AWS on this machine; it is installed and started when it is not there.
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Calls in flight at most.
    #[arg(long, global = true, value_name = "N")]
    pub parallelism: Option<usize>,
    /// One JSON document on standard output; progress goes to standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// When to colour.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Say more: -v calls that failed, -vv every call.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// How progress and logs are written to standard error.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The form of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// One of the two environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EnvName {
    /// The mirror of today's system.
    Blue,
    /// The AWS-native system.
    Green,
}

impl EnvName {
    /// `blue` or `green`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }
}

/// Which part of the platform.
#[derive(Debug, Clone, Args)]
pub struct Scope {
    /// Only this environment and what it needs; both without it.
    #[arg(long, value_enum, value_name = "ENV")]
    pub env: Option<EnvName>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what `apply` would do. Writes nothing.
    Plan {
        /// Which part.
        #[command(flatten)]
        scope: Scope,
        /// Databases, tables, buckets and keys may be replaced, with their data.
        #[arg(long)]
        replace_data: bool,
    },
    /// Make the account like the blueprint.
    Apply {
        /// Which part.
        #[command(flatten)]
        scope: Scope,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
        /// Only show the plan.
        #[arg(long)]
        dry_run: bool,
        /// Databases, tables, buckets and keys may be replaced, with their data.
        #[arg(long)]
        replace_data: bool,
        /// Write a page with the timings of the run.
        #[arg(long, value_name = "FILE.html")]
        timings: Option<PathBuf>,
    },
    /// Remove an environment and whatever rests on it, or everything.
    Destroy {
        /// Which part.
        #[command(flatten)]
        scope: Scope,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
        /// Only show the plan.
        #[arg(long)]
        dry_run: bool,
        /// Write a page with the timings of the run.
        #[arg(long, value_name = "FILE.html")]
        timings: Option<PathBuf>,
    },
    /// Compare the account with the blueprint and the state. Writes nothing.
    Drift {
        /// Which part.
        #[command(flatten)]
        scope: Scope,
    },
    /// Show what is recorded, without calling AWS.
    Status {
        /// Which part.
        #[command(flatten)]
        scope: Scope,
    },
    /// Show ids, names and endpoints, without calling AWS.
    Outputs {
        /// Only this one.
        name: Option<String>,
    },
    /// Print the graph of steps.
    Graph {
        /// Which part.
        #[command(flatten)]
        scope: Scope,
        /// The format.
        #[arg(long, value_enum, default_value_t = GraphFormat::Dot)]
        format: GraphFormat,
    },
    /// Look at the state file, rebuild it, unlock it.
    State {
        /// What to do.
        #[command(subcommand)]
        command: StateCommand,
    },
    /// Start, stop or look at the emulator of AWS.
    Sandbox {
        /// What to do.
        #[command(subcommand)]
        command: SandboxCommand,
    },
    /// Print the documented configuration file with every default.
    Config,
    /// Print a completion script.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// The formats of `graph`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
    /// JSON.
    Json,
}

/// `deployer state ...`
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// List the recorded steps.
    List,
    /// Show one recorded step.
    Show {
        /// The step, e.g. `vpc-green`.
        step: String,
    },
    /// Find everything again by its ownership marks and write the state anew.
    Rebuild {
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Remove a lock that a dead run on another host left.
    Unlock,
}

/// `deployer sandbox ...`
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Start it, unless it runs.
    Up {
        /// The loopback port; a free one without it.
        #[arg(long)]
        port: Option<u16>,
        /// How long things take to settle: `none`, seconds, or `aws/100` for AWS's typical seconds divided by 100.
        #[arg(long)]
        latency: Option<String>,
    },
    /// Stop it.
    Down,
    /// Say whether it runs.
    Status,
}

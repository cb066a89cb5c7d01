//! Options that several commands share.

use crate::cli::complete;
use crate::engine::plan::Choice;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// The configuration file; every key has a default.
    #[arg(
        long,
        hide_short_help = true,
        global = true,
        env = "DEPLOYER_CONFIG",
        value_name = "FILE"
    )]
    pub config: Option<PathBuf>,
    /// The environment suffix, part of every name: a letter, then letters and digits, at most 12.
    #[arg(
        long,
        hide_short_help = true,
        global = true,
        env = "DEPLOYER_SUFFIX",
        value_name = "SUFFIX",
        add = complete::suffixes()
    )]
    pub suffix: Option<String>,
    /// The AWS region [default: the configuration's, AWS_REGION, the profile's, eu-central-1].
    #[arg(
        long,
        hide_short_help = true,
        global = true,
        env = "DEPLOYER_REGION",
        value_name = "REGION"
    )]
    pub region: Option<String>,
    /// A profile of the AWS configuration.
    #[arg(
        long,
        hide_short_help = true,
        global = true,
        value_name = "NAME",
        add = complete::profiles()
    )]
    pub profile: Option<String>,
    /// Where the state is: `local`, or `s3://BUCKET/PREFIX` [default: the configuration's, local].
    #[arg(
        long,
        hide_short_help = true,
        global = true,
        env = "DEPLOYER_STATE",
        value_name = "PLACE"
    )]
    pub state: Option<String>,
    /// The folder of the state files; with --sandbox the folder `sandbox` in it.
    #[arg(
        long,
        hide_short_help = true,
        global = true,
        env = "DEPLOYER_STATE_DIR",
        default_value = "state",
        value_name = "DIR"
    )]
    pub state_dir: PathBuf,
    /// Run against the sandbox, an emulator of AWS on this machine; it is installed and started when it is not there.
    #[arg(long, hide_short_help = true, global = true)]
    pub sandbox: bool,
    /// Maximum concurrent API calls [default: 32].
    #[arg(
        long,
        hide_short_help = true,
        global = true,
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub parallelism: Option<usize>,
    /// One JSON document on standard output; progress goes to standard error.
    #[arg(long, hide_short_help = true, global = true)]
    pub json: bool,
    /// When to colour; auto: on a terminal, unless NO_COLOR is set or TERM is dumb.
    #[arg(long, hide_short_help = true, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// No progress, and nothing at all when there is nothing to report; errors always.
    #[arg(
        short,
        long,
        hide_short_help = true,
        global = true,
        conflicts_with = "verbose"
    )]
    pub quiet: bool,
    /// More detail: -v failed API calls, -vv all API calls.
    #[arg(short, long, hide_short_help = true, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Progress as text on standard output (standard error with --json), or as JSON lines on standard error.
    #[arg(long, hide_short_help = true, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[value(help = None::<&str>)]
    Auto,
    /// Always.
    #[value(help = None::<&str>)]
    Always,
    /// Never.
    #[value(help = None::<&str>)]
    Never,
}

/// The form of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[value(help = None::<&str>)]
    Text,
    /// One JSON object a line.
    #[value(help = None::<&str>)]
    Json,
}

/// One of the two environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EnvName {
    /// The mirror of today's system.
    #[value(help = None::<&str>)]
    Blue,
    /// The AWS-native system.
    #[value(help = None::<&str>)]
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

/// Which part of the platform goes.
#[derive(Debug, Clone, Args)]
pub struct DestroyScope {
    /// Only this environment and whatever depends on it, never what the other one uses; everything without it.
    #[arg(long, value_enum, value_name = "ENV")]
    pub env: Option<EnvName>,
}

impl Scope {
    /// The scope of an environment by its name; both for none.
    pub fn named(name: Option<&str>) -> Self {
        let all = [EnvName::Blue, EnvName::Green];
        Self {
            env: all.into_iter().find(|env| Some(env.name()) == name),
        }
    }
}

impl From<&DestroyScope> for Scope {
    fn from(destroyed: &DestroyScope) -> Self {
        Self { env: destroyed.env }
    }
}

/// What is to become of data that would be deleted.
#[derive(Debug, Clone, Copy, Args)]
pub struct DataArgs {
    /// Delete data for good: databases without a final snapshot, tables, objects with all versions. Nothing remains.
    #[arg(long, alias = "replace-data", conflicts_with = "keep_snapshot")]
    pub destroy_data: bool,
    /// Databases leave a final snapshot and the key that encrypts it; tables and objects are deleted.
    #[arg(long)]
    pub keep_snapshot: bool,
}

impl DataArgs {
    /// The choice, if one was made.
    pub fn choice(self) -> Option<Choice> {
        match self {
            Self {
                destroy_data: true, ..
            } => Some(Choice::DestroyData),
            Self {
                keep_snapshot: true,
                ..
            } => Some(Choice::KeepSnapshot),
            _ => None,
        }
    }
}

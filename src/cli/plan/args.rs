//! The arguments of `deployer plan`, and those that `apply` shares with it.

use crate::cli::complete;
use crate::engine::plan::Allowed;
use clap::Args;
use std::path::PathBuf;

/// A choice of steps, for incidents.
#[derive(Debug, Clone, Default, Args)]
pub struct Chosen {
    /// Only this step and what it needs; may be given several times, and `*` stands for any text. The rest is not looked at.
    #[arg(long = "step", value_name = "STEP", add = complete::steps())]
    pub steps: Vec<String>,
}

/// What may happen to data and databases beyond a plain run.
#[derive(Debug, Clone, Default, Args)]
pub struct Allow {
    /// Restore what held data and vanished by hand (a table, a database cluster) from a backup that AWS still has: STEP takes the latest,
    /// STEP=NAME another one of those that the plan names, STEP=TIME the one of that time, or a second of a continuous backup. `*` stands for any text.
    #[arg(long, value_name = "STEP[=BACKUP]", add = complete::recorded())]
    pub restore: Vec<String>,
    /// Make what held data and vanished by hand anew, without its data.
    #[arg(long, value_name = "STEP", add = complete::recorded())]
    pub make_empty: Vec<String>,
    /// Upgrade a database to another major version in place. It cannot be taken back, and nothing connects while it runs.
    #[arg(long)]
    pub allow_major_upgrade: bool,
}

impl Allow {
    /// The same for the engine.
    pub fn allowed(&self) -> Allowed {
        Allowed {
            restore: self.restore.clone(),
            make_empty: self.make_empty.clone(),
            major_upgrade: self.allow_major_upgrade,
        }
    }
}

/// How a plan is shown.
#[derive(Debug, Clone, Default, Args)]
pub struct PlanView {
    /// Show these steps alone, with every value (`*` stands for any text). The plan is made of everything all the same.
    #[arg(value_name = "STEP", add = complete::steps())]
    pub shown: Vec<String>,
    /// Show every value of every planned step.
    #[arg(long)]
    pub detail: bool,
    /// Print the plan as Markdown, for a pull request.
    #[arg(long, conflicts_with = "shown")]
    pub markdown: bool,
    /// Save the plan, so that `deployer apply FILE` runs exactly this one, and refuses when anything has moved on.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A saved plan.
#[derive(Debug, Clone, Default, Args)]
pub struct SavedArg {
    /// A plan that `deployer plan --out` saved. It is run without a question, and refused (exit code 8) when configuration,
    /// state or account have moved on.
    #[arg(value_name = "FILE", conflicts_with_all = ["env", "steps", "dry_run", "destroy_data", "keep_snapshot", "restore", "make_empty", "allow_major_upgrade"])]
    pub plan: Option<PathBuf>,
}

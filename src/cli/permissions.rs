//! `deployer permissions`.

use super::Context;
use super::connection::local_store;
use super::error::Failure;
use super::exit::Exit;
use super::session::configuration;
use crate::aws::permissions::{Holder, MANAGED_POLICY, document, parts, state_init};
use crate::report::PermissionsDocument;
use crate::state;
use crate::traffic::rollback;
use clap::{Args, ValueEnum};

/// What the policy is for.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// Only what `plan`, `drift` and other commands that change nothing need.
    #[arg(long)]
    pub read_only: bool,
    /// Only what this one task needs.
    #[arg(long = "for", value_enum, value_name = "TASK")]
    pub task: Option<Task>,
    /// The account; without it the configured or the recorded one, else any.
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// One of the parts that each fit into a managed policy.
    #[arg(long, value_name = "N")]
    pub part: Option<usize>,
}

/// A task with a policy of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// Turning traffic back.
    #[value(help = None::<&str>)]
    Rollback,
    /// Making the bucket of a shared state.
    #[value(help = None::<&str>)]
    StateInit,
}

/// Prints the policy. No call is made.
pub async fn permissions(cx: &Context<'_>, asked: &Asked) -> Result<Exit, Failure> {
    if let Some(account) = &asked.account
        && !(account.len() == 12 && account.chars().all(|c| c.is_ascii_digit()))
    {
        return Err(Failure::usage(format!(
            "--account is {account:?}; it takes the 12 digits of an account id"
        )));
    }
    let config = configuration(cx)?;
    // Who asks for a policy may not be allowed to read a shared state yet.
    let files = local_store(cx.common, &config);
    let state = state::read(&files, &config.region).await?;
    let recorded = Some(state.account).filter(|a| !a.is_empty());
    let pinned = Some(config.account.clone()).filter(|a| !a.is_empty());
    let account = asked.account.clone().or(pinned).or(recorded);
    let shared = config.shared_state().map(|(bucket, prefix)| {
        let above = [prefix, config.suffix.as_str()];
        let parts = above.iter().filter(|p| !p.is_empty());
        (bucket, parts.map(|p| format!("{p}/")).collect::<String>())
    });
    let holder = Holder {
        account: account.as_deref().unwrap_or("*"),
        region: &config.region,
        suffix: &config.suffix,
        read_only: asked.read_only,
        only: (asked.task == Some(Task::Rollback)).then_some(rollback::NEEDS),
        topic: Some(config.notify.topic.as_str()).filter(|t| !t.is_empty()),
        state: shared
            .as_ref()
            .map(|(bucket, prefix)| (*bucket, prefix.as_str())),
    };
    let statements = match (asked.task, holder.state) {
        (Some(Task::StateInit), Some((bucket, _))) => state_init(bucket),
        (Some(Task::StateInit), None) => {
            return Err(
                Failure::usage("the state is in local files: there is no bucket to make").hint(
                    "set `state = \"s3://BUCKET/PREFIX\"` in the configuration, or pass --state",
                ),
            );
        }
        _ => holder.statements(),
    };
    let parts = parts(&statements);
    let policy = match asked.part {
        None => document(&statements),
        Some(n) => match n.checked_sub(1).and_then(|at| parts.get(at)) {
            Some(part) => document(part),
            None => {
                let text = format!("--part is {n}; the policy has {} parts", parts.len());
                return Err(Failure::usage(text));
            }
        },
    };
    if asked.part.is_none() && parts.len() > 1 {
        cx.console.note(&format!(
            "the policy is longer than one managed policy may be ({MANAGED_POLICY} characters): attach {} of them, printed with --part 1 to --part {}",
            parts.len(),
            parts.len()
        ))?;
    }
    let text = serde_json::to_string_pretty(&policy).map_err(std::io::Error::from)?;
    let document = PermissionsDocument {
        read_only: asked.read_only,
        parts: parts.len(),
        policy,
    };
    cx.console.file(&format!("{text}\n"), &document)?;
    Ok(Exit::Done)
}

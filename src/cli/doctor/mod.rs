//! `deployer doctor`: what is wrong or not known before a command is run, and what ends it. It holds nothing that can write.

mod account;
mod domain;
mod machine;
mod recorded;
#[cfg(test)]
mod tests;

use super::Context;
use super::exit::Exit;
use super::session::overrides;
use crate::config::Config;
use crate::report::{self, DoctorDocument, Finding, Verdict};
use clap::Args;
use std::collections::BTreeSet;

use super::error::Failure;

/// What is looked at.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// Only this machine: no credentials are needed and no call is made.
    #[arg(long)]
    pub offline: bool,
    /// Show every key of the configuration with its value, and where it comes from.
    #[arg(long)]
    pub values: bool,
}

/// Looks, and says what it found.
pub async fn doctor(cx: &Context<'_>, asked: &Asked) -> Result<Exit, Failure> {
    let mut findings = machine::environment(cx.common);
    let mut configuration = Vec::new();
    let mut suffix = String::new();
    match Config::origins(cx.common.config.as_deref(), overrides(cx.common)) {
        Err(error) => findings.extend(machine::wrong(&error)),
        Ok((config, origins)) => {
            cx.console.configured(&config.digest());
            configuration = origins;
            suffix.clone_from(&config.suffix);
            findings.push(machine::read(&config, cx.common));
            findings.extend(machine::versions(&config));
            findings.push(machine::tools());
            let offline = asked.offline;
            let (state, found) = recorded::check(cx, &config, offline).await;
            findings.extend(found);
            let mut read = BTreeSet::new();
            if offline {
                findings.push(machine::names(&config, state.as_ref()));
                findings.push(Finding::new(
                    "account",
                    Verdict::Ok,
                    "not looked at (--offline)",
                ));
            } else {
                findings.extend(account::check(cx, &config, state.as_ref(), &mut read).await);
            }
            if let Some(state) = &state {
                findings.extend(recorded::by_hand(cx, &config, state, &read));
            }
        }
    }
    let exit = exit(&findings);
    let document = DoctorDocument {
        suffix,
        offline: asked.offline,
        exit_code: exit.code(),
        findings,
        configuration,
    };
    let text = report::doctor(&document, asked.values, cx.console.paint());
    cx.console.answer(&text, &document)?;
    Ok(exit)
}

/// An error stops a command; a warning and what is not known are to be looked at.
fn exit(findings: &[Finding]) -> Exit {
    let any = |verdict| findings.iter().any(|f| f.verdict == verdict);
    if any(Verdict::Error) {
        Exit::Failed
    } else if any(Verdict::Warning) || any(Verdict::Unknown) {
        Exit::Differs
    } else {
        Exit::Done
    }
}

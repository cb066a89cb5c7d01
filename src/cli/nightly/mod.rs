//! `deployer nightly`: what runs the drift check every night.

pub mod args;
mod files;

use self::args::{NightlyCommand, Scheduler};
use self::files::{Check, cron, github, systemd};
use super::Context;
use super::error::Failure;
use super::exit::Exit;
use super::session::configuration;
use crate::config::Config;
use crate::report::TextDocument;
use std::path::Path;

/// Prints or writes the files.
pub fn run(cx: &Context<'_>, command: &NightlyCommand) -> Result<Exit, Failure> {
    let NightlyCommand::Print { scheduler, at, dir } = command;
    let config = configuration(cx)?;
    let check = check(cx, &config, *at)?;
    let files = match scheduler {
        Scheduler::Cron => vec![(
            format!("deployer-drift-{}.cron", check.suffix),
            cron(&check),
        )],
        Scheduler::Systemd => systemd(&check),
        Scheduler::Github => vec![("drift.yml".to_owned(), github(&check))],
    };
    if let Some(dir) = dir {
        std::fs::create_dir_all(dir)
            .map_err(|e| Failure::usage(format!("--dir {}: {e}", dir.display())))?;
        for (name, text) in &files {
            write(&dir.join(name), text)?;
            cx.console
                .note(&format!("written: {}", dir.join(name).display()))?;
        }
    }
    let text = match files.as_slice() {
        [(_, only)] => only.clone(),
        all => all
            .iter()
            .map(|(name, text)| format!("# {name}\n{text}\n"))
            .collect(),
    };
    if dir.is_none() {
        cx.console.file(&text, &TextDocument::new(&text))?;
    } else {
        cx.console.document(&TextDocument::new(&text))?;
    }
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))
}

/// The command with everything that this one was given, and that another environment would not have.
fn check(cx: &Context<'_>, config: &Config, at: (u8, u8)) -> Result<Check, Failure> {
    let line = cx.command_words("drift", None, config);
    let mut arguments = line;
    // What the environment says here, it does not say there.
    let has = |option: &str, all: &[String]| all.iter().any(|word| word == option);
    if !has("--region", &arguments) && config.region_source.starts_with("AWS_") {
        arguments.extend(["--region".to_owned(), config.region.clone()]);
    }
    if !has("--profile", &arguments)
        && let Ok(profile) = std::env::var("AWS_PROFILE")
        && !profile.is_empty()
    {
        arguments.extend(["--profile".to_owned(), profile]);
    }
    if cx.common.state.is_none() && std::env::var_os("DEPLOYER_STATE").is_some() {
        arguments.extend(["--state".to_owned(), config.state.clone()]);
    }
    Ok(Check {
        program: std::env::current_exe()?.display().to_string(),
        folder: std::env::current_dir()?.display().to_string(),
        user: std::env::var("USER")
            .or_else(|_| std::env::var("LOGNAME"))
            .ok(),
        arguments,
        suffix: config.suffix.clone(),
        region: config.region.clone(),
        local_state: config.shared_state().is_none(),
        at,
    })
}

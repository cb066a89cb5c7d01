//! `deployer rehearse`: the whole migration on this machine, with the command line that users have.

use super::Context;
use super::error::Failure;
use super::exit::Exit;
use crate::report::RehearsalDocument;
use crate::sandbox::{self, Rehearsal};
use clap::Args;
use std::path::PathBuf;

/// `deployer rehearse`
#[derive(Debug, Clone, Args)]
pub struct RehearseArgs {
    /// The folder for its configuration, state and logs, which must not be there yet. A temporary one without it.
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Leave everything running at the end, to look around in the folder.
    #[arg(long, requires = "folder")]
    pub keep: bool,
    /// Write a page with weights, shares of requests, errors and events over time.
    #[arg(long, value_name = "FILE.html")]
    pub out: Option<PathBuf>,
    /// Leave out the split in which green only reads, the reverse cutover and what follows it.
    #[arg(long)]
    pub short: bool,
    /// Requests of customers a second; half of them are payments.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(10..=1000))]
    pub per_second: u16,
    /// How many times as fast minutes pass.
    #[arg(long, value_name = "RATE", default_value_t = 30.0, value_parser = crate::traffic::time::rate)]
    pub clock_rate: f64,
}

/// Plays it.
pub async fn run(cx: &Context<'_>, asked: &RehearseArgs) -> Result<Exit, Failure> {
    let temporary;
    let folder = match &asked.folder {
        Some(folder) => {
            if folder.exists() {
                let text = format!("--folder: {} is there already", folder.display());
                return Err(Failure::usage(text).hint("name a folder that does not exist yet"));
            }
            folder.clone()
        }
        None => {
            temporary = tempfile::tempdir()
                .map_err(|e| Failure::usage(format!("a temporary folder: {e}")))?;
            temporary.path().join("rehearsal")
        }
    };
    if let Some(out) = &asked.out {
        // Its path is tried before minutes have passed.
        std::fs::write(out, "").map_err(|e| Failure::unwritable("--out", out, &e))?;
    }
    let rehearsal = Rehearsal {
        folder: absolute(folder)?,
        out: asked.out.clone().map(absolute).transpose()?,
        keep: asked.keep,
        short: asked.short,
        per_second: asked.per_second,
        clock_rate: asked.clock_rate,
        aside: cx.console.json(),
    };
    let say = |line: &str| drop(cx.console.note(line));
    let played = sandbox::rehearse(&rehearsal, &say).await?;
    let exit = match played["failures"].as_array().is_some_and(Vec::is_empty) {
        true => Exit::Done,
        false => Exit::Failed,
    };
    cx.console.document(&RehearsalDocument {
        exit_code: exit.code(),
        played,
    })?;
    Ok(exit)
}

fn absolute(path: PathBuf) -> Result<PathBuf, Failure> {
    std::path::absolute(&path).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))
}

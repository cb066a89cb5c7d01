//! The rehearsal's process: it plays on a sandbox of its own, with the executable that started it.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use super::{Error, sources, venv};
use crate::cache;

/// What is played.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// A folder of its own.
    pub folder: PathBuf,
    /// Gets the page.
    pub out: Option<PathBuf>,
    /// Everything goes on running at the end.
    pub keep: bool,
    /// Only the main parts.
    pub short: bool,
    /// Requests of customers a second.
    pub per_second: u16,
    /// How many times as fast minutes pass.
    pub clock_rate: f64,
    /// The story goes to standard error.
    pub aside: bool,
}

/// Plays to the end, and answers what was seen: `failures`, `figures`, `seconds`.
///
/// # Errors
/// When it cannot be installed or started, or ends without a result.
pub async fn rehearse(
    rehearsal: &Rehearsal,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Value, Error> {
    let folder = &rehearsal.folder;
    std::fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    let sources = sources::unpack(&cache::folder()?)?;
    let python = venv::python(progress).await?;
    let own = std::env::current_exe().map_err(Error::file("find", folder))?;
    let result = folder.join("result.json");
    let mut command = Command::new(&python);
    command
        .args(["-m", "rehearsal", "--deployer"])
        .arg(own)
        .arg("--folder")
        .arg(folder)
        .arg("--result")
        .arg(&result)
        .args(["--rate", &rehearsal.clock_rate.to_string()])
        .args(["--per-second", &rehearsal.per_second.to_string()])
        .env("PYTHONPATH", sources)
        .stdin(Stdio::null());
    for (asked, option) in [(rehearsal.short, "--short"), (rehearsal.keep, "--keep")] {
        command.args(asked.then_some(option));
    }
    if let Some(out) = &rehearsal.out {
        command.arg("--out").arg(out);
    }
    if rehearsal.aside {
        command.stdout(std::io::stderr());
    }
    // Ctrl-C reaches the story too, which ends what it has started.
    let mut interrupted = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
        .map_err(Error::file("watch", folder))?;
    let mut child = command.spawn().map_err(Error::file("run", &python))?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(Error::file("run", &python))?,
            _ = interrupted.recv() => {}
        }
    };
    let text = std::fs::read_to_string(&result)
        .map_err(|_| Error::Refused(format!("the rehearsal ended with {status} and no result")))?;
    serde_json::from_str(&text).map_err(|e| Error::Refused(e.to_string()))
}

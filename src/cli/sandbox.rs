//! `deployer sandbox`.

use super::Context;
use super::args::SandboxCommand;
use super::error::Failure;
use super::exit::Exit;
use crate::report::SandboxDocument;
use crate::resources;
use crate::sandbox::{self, DataPlane, Info};
use std::path::Path;

/// Starts, stops or looks at the emulator.
pub async fn run(cx: &Context<'_>, command: &SandboxCommand) -> Result<Exit, Failure> {
    let folder = cx.common.state_dir.join("sandbox");
    let say = |line: &str| drop(cx.console.note(line));
    let (running, info) = match command {
        SandboxCommand::Up {
            port,
            latency,
            data_plane,
            clock_rate,
        } => {
            let options = sandbox::UpOptions {
                folder: folder.clone(),
                port: *port,
                latency: latency.clone(),
                seconds: resources::typical_seconds(),
                data_plane: data_plane.then_some(*clock_rate),
            };
            (true, Some(sandbox::up(&options, &say).await?))
        }
        SandboxCommand::Down => (false, sandbox::down(&folder).await?),
        SandboxCommand::Status => {
            let info = sandbox::status(&folder).await?;
            (info.is_some(), info)
        }
    };
    let text = match (&info, running) {
        (Some(info), true) => format!(
            "running at {} (process {}, latency {})\n  export AWS_ENDPOINT_URL={}\n{}  log: {}\n",
            info.endpoint,
            info.pid,
            info.latency,
            info.endpoint,
            info.data_plane.as_ref().map(plane).unwrap_or_default(),
            info.log.display()
        ),
        (Some(info), false) => format!(
            "stopped (it was process {} at {})\n",
            info.pid, info.endpoint
        ),
        (None, _) => not_running(&folder).await?,
    };
    cx.console
        .answer(&text, &document(running, info.as_ref()))?;
    Ok(Exit::Done)
}

/// That none runs for this folder, and those that run for others.
async fn not_running(folder: &Path) -> Result<String, Failure> {
    let mut text = format!("not running for {}\n", folder.display());
    for other in sandbox::others(folder).await? {
        let state = other.folder.parent().unwrap_or(&other.folder);
        let line = format!(
            "  running at {} (process {}): --state-dir {}\n",
            other.endpoint,
            other.pid,
            state.display()
        );
        text.push_str(&line);
    }
    Ok(text)
}

/// What the commands about traffic need to see its names and its time.
fn plane(plane: &DataPlane) -> String {
    format!(
        "  export {}={} {}={} AWS_CA_BUNDLE={}\n  data plane: {} (process {}), log: {}\n",
        crate::traffic::time::VARIABLE,
        plane.clock,
        crate::edge::VARIABLE,
        plane.edge,
        plane.certificates.display(),
        plane.control,
        plane.pid,
        plane.log.display()
    )
}

fn document(running: bool, info: Option<&Info>) -> SandboxDocument {
    SandboxDocument {
        running,
        endpoint: info.map(|i| i.endpoint.clone()),
        pid: info.map(|i| i.pid),
        folder: info.map(|i| i.folder.display().to_string()),
        log: info.map(|i| i.log.display().to_string()),
        latency: info.map(|i| i.latency.clone()),
        started: info.map(|i| i.started.clone()),
        data_plane: info
            .and_then(|i| i.data_plane.as_ref())
            .and_then(|plane| serde_json::to_value(plane).ok()),
    }
}

//! The second process of a sandbox with a data plane: it reads what exists from the emulator, and makes it answer.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::process::{Child, Command};

use super::server::tail;
use super::{DataPlane, Error, http};

/// From its start to its first answer.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// From SIGTERM to SIGKILL: databases end in order.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// What it says of itself once it runs.
#[derive(Deserialize)]
struct Hello {
    edge: String,
    certificates: std::path::PathBuf,
}

/// Where it is started.
pub(super) struct Place<'a> {
    pub(super) python: &'a Path,
    pub(super) sources: &'a Path,
    pub(super) folder: &'a Path,
}

/// A rate with this moment, as `DEPLOYER_CLOCK_RATE` takes it.
pub(super) fn clock(rate: f64) -> String {
    format!("{rate}@{}", jiff::Timestamp::now().as_second())
}

impl Place<'_> {
    /// Starts it, and waits until it answers.
    pub(super) async fn start(&self, endpoint: &str, clock: &str) -> Result<DataPlane, Error> {
        let log = self.folder.join("data-plane.log");
        let port_file = self.folder.join("data-plane.port");
        // Of a former one.
        let _ = std::fs::remove_file(&port_file);
        let out = File::create(&log).map_err(Error::file("create", &log))?;
        let err = out.try_clone().map_err(Error::file("write", &log))?;
        let (rate, origin) = clock.split_once('@').unwrap_or((clock, "0"));
        let mut child = Command::new(self.python)
            .args(["-m", "dataplane", "--endpoint", endpoint])
            .args(["--rate", rate, "--origin", origin, "--folder"])
            .arg(self.folder.join("data-plane"))
            .arg("--port-file")
            .arg(&port_file)
            .env("PYTHONPATH", self.sources)
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .map_err(Error::file("run", self.python))?;
        let pid = child.id().unwrap_or_default();
        match answering(&mut child, &port_file).await {
            Ok((port, hello)) => Ok(DataPlane {
                pid,
                control: format!("http://127.0.0.1:{port}"),
                clock: clock.to_owned(),
                edge: hello.edge,
                certificates: hello.certificates,
                log,
            }),
            Err(problem) => {
                let _ = child.kill().await;
                Err(Error::Start {
                    problem: format!("the data plane: {problem}"),
                    tail: tail(&log),
                    log,
                })
            }
        }
    }
}

async fn answering(child: &mut Child, port_file: &Path) -> Result<(u16, Hello), String> {
    let since = Instant::now();
    while since.elapsed() < START_PATIENCE {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("the process ended with {status}"));
        }
        let port = std::fs::read_to_string(port_file)
            .ok()
            .and_then(|text| text.trim().parse::<u16>().ok());
        if let Some(port) = port
            && let Some((200, state)) = http::request(port, "GET", "/health", None).await
        {
            let hello = serde_json::from_value(state).map_err(|e| e.to_string())?;
            return Ok((port, hello));
        }
        tokio::time::sleep(POLL).await;
    }
    Err(format!(
        "it did not answer within {} seconds",
        START_PATIENCE.as_secs()
    ))
}

/// Ends it: it takes its databases and functions with it.
pub(super) async fn stop(plane: &DataPlane) {
    let Some(pid) = i32::try_from(plane.pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    let port = plane.control.rsplit(':').next();
    let Some(port) = port.and_then(|port| port.parse().ok()) else {
        return;
    };
    for signal in [Signal::TERM, Signal::KILL] {
        let since = Instant::now();
        // Only while it is the process that answers: its number may have gone to another one.
        while http::request(port, "GET", "/health", None).await.is_some() {
            if since.elapsed() >= STOP_PATIENCE || kill_process(pid, signal).is_err() {
                break;
            }
            tokio::time::sleep(POLL * 4).await;
        }
    }
}

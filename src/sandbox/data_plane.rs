//! The second process of a sandbox with a data plane: it reads what exists from the emulator, and makes it answer.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::process::Command;

use super::child::{POLL, answering, tail};
use super::error::Error;
use super::{DataPlane, http};

/// From SIGTERM to SIGKILL: databases end in order.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

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
        let hello = answering(&mut child, &port_file, "/health", |_| true).await;
        let hello = hello.and_then(|(port, health)| {
            let hello = serde_json::from_value::<Hello>(health).map_err(|e| e.to_string())?;
            Ok((port, hello))
        });
        match hello {
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
            if since.elapsed() >= STOP_TIMEOUT || kill_process(pid, signal).is_err() {
                break;
            }
            tokio::time::sleep(POLL * 4).await;
        }
    }
}

//! The emulator's process: started in the background, found again, stopped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::process::Command;

use super::child::{POLL, answering, tail};
use super::error::Error;
use super::venv;
use super::{Info, UpOptions, data_plane, http, sources};
use crate::cache::{self, lock};

/// From SIGTERM to SIGKILL.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// How fast minutes pass, for everything of a sandbox with a data plane.
const CLOCK: &str = "DEPLOYER_CLOCK_RATE";

/// What `sandbox.json` in the folder holds. The instance tells our process from another one that got its port or pid.
#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    info: Info,
    port: u16,
    instance: String,
}

fn record_path(folder: &Path) -> PathBuf {
    folder.join("sandbox.json")
}

pub(super) async fn status(folder: &Path) -> Result<Option<Info>, Error> {
    Ok(running(folder).await?.map(|record| record.info))
}

/// Where each running sandbox of this user is noted, so that one is found from another folder.
fn register() -> Result<PathBuf, Error> {
    let folder = cache::folder()?.join("sandboxes");
    std::fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
    Ok(folder)
}

/// Notes a folder whose sandbox was started. Nothing but [`others`] reads it.
fn noted(folder: &Path) -> Result<(), Error> {
    let text = folder.to_string_lossy();
    let path = register()?.join(cache::fingerprint([&text]));
    std::fs::write(&path, text.as_bytes()).map_err(Error::file("write", &path))
}

pub(super) async fn others(folder: &Path) -> Result<Vec<Info>, Error> {
    let own = absolute(folder)?;
    let register = register()?;
    let entries = std::fs::read_dir(&register).map_err(Error::file("read", &register))?;
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let other = PathBuf::from(std::fs::read_to_string(&path).unwrap_or_default());
        match running(&other).await {
            Ok(Some(record)) if other != own => found.push(record.info),
            Ok(Some(_)) => {}
            // It has ended: its note has no use.
            _ => drop(std::fs::remove_file(&path)),
        }
    }
    found.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(found)
}

/// What the folder records. A record that can't be read names nothing that could be stopped or used.
fn recorded(folder: &Path) -> Result<Option<Record>, Error> {
    let path = record_path(folder);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(serde_json::from_str(&text).ok()),
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::file("read", &path)(source)),
    }
}

/// The record of the process that answers, with the latency that is in force now.
async fn running(folder: &Path) -> Result<Option<Record>, Error> {
    let Some(mut record) = recorded(folder)? else {
        return Ok(None);
    };
    let Some((200, health)) = http::request(record.port, "GET", "/_sandbox/health", None).await
    else {
        return Ok(None);
    };
    if health["instance"].as_str() != Some(record.instance.as_str())
        || health["pid"].as_u64() != Some(record.info.pid.into())
    {
        return Ok(None);
    }
    if let Some(latency) = health["latency"].as_str() {
        record.info.latency = latency.to_owned();
    }
    Ok(Some(record))
}

pub(super) async fn up(
    options: &UpOptions,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Info, Error> {
    let folder = absolute(&options.folder)?;
    std::fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
    let _lock = lock(
        folder.join("lock"),
        "another process starts or stops the sandbox; waiting for it",
        progress,
    )
    .await?;
    if let Some(record) = running(&folder).await? {
        return adjusted(record, options).await;
    }
    end_silent(&folder)?;
    let sources = sources::unpack(&cache::folder()?)?;
    let python = venv::python(progress).await?;
    progress("starting the sandbox");
    noted(&folder)?;
    match start(&folder, &python, &sources, options).await {
        // Somebody cleaned the cache folder up, in part.
        Err(Error::Start { tail, .. }) if tail.contains("ModuleNotFoundError") => {
            let python = venv::reinstalled(progress).await?;
            start(&folder, &python, &sources, options).await
        }
        outcome => outcome,
    }
}

/// Ends a process of this folder that is there and does not answer (hung, stopped): another one takes its place. Its
/// command line, where the system shows it, names the instance, so no other process can be meant.
fn end_silent(folder: &Path) -> Result<Option<Info>, Error> {
    let Some(record) = recorded(folder)? else {
        return Ok(None);
    };
    let shown = std::fs::read(format!("/proc/{}/cmdline", record.info.pid)).unwrap_or_default();
    let mut words = shown.split(|byte| *byte == 0);
    if !words.any(|word| word == record.instance.as_bytes()) {
        return Ok(None);
    }
    if let Some(pid) = pid(&record) {
        let _ = kill_process(pid, Signal::KILL);
    }
    Ok(Some(record.info))
}

fn absolute(folder: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(folder).map_err(Error::file("find", folder))
}

/// A sandbox that runs already, with the latency asked for.
async fn adjusted(mut record: Record, options: &UpOptions) -> Result<Info, Error> {
    if let Some(asked) = options.port.filter(|asked| *asked != record.port) {
        return Err(Error::OtherPort {
            endpoint: record.info.endpoint,
            asked,
        });
    }
    if options.data_plane.is_some() && record.info.data_plane.is_none() {
        return Err(Error::NoDataPlane {
            endpoint: record.info.endpoint,
        });
    }
    if let Some(latency) = options
        .latency
        .as_ref()
        .filter(|latency| **latency != record.info.latency)
    {
        let answer = http::request(
            record.port,
            "POST",
            "/_sandbox/latency",
            Some(&json!({ "latency": latency })),
        )
        .await;
        match answer {
            Some((200, now)) => now["latency"]
                .as_str()
                .unwrap_or(latency)
                .clone_into(&mut record.info.latency),
            Some((_, refusal)) => return Err(Error::Refused(text(&refusal["error"]))),
            None => return Err(Error::Refused("it stopped answering".to_owned())),
        }
    }
    Ok(record.info)
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

async fn start(
    folder: &Path,
    python: &Path,
    sources: &Path,
    options: &UpOptions,
) -> Result<Info, Error> {
    let log = folder.join("sandbox.log");
    let port_file = folder.join("port");
    for stale in [&port_file, &record_path(folder)] {
        match std::fs::remove_file(stale) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file("remove", stale)(source));
            }
            _ => {}
        }
    }
    let out = File::create(&log).map_err(Error::file("create", &log))?;
    let err = out.try_clone().map_err(Error::file("write", &log))?;
    let latency = options.latency.clone().unwrap_or_else(|| "none".to_owned());
    let started = jiff::Timestamp::now().to_string();
    let instance = cache::fingerprint([
        started.as_str(),
        &std::process::id().to_string(),
        &folder.display().to_string(),
    ]);
    let clock = options.data_plane.map(data_plane::clock);
    let mut child = Command::new(python)
        .envs(clock.as_ref().map(|clock| (CLOCK, clock)))
        .args([
            "-m",
            "emulator",
            "--instance",
            &instance,
            "--latency",
            &latency,
            "--seconds",
            &json!(options.seconds).to_string(),
        ])
        .args([
            "--port",
            &options.port.unwrap_or(0).to_string(),
            "--port-file",
        ])
        .arg(&port_file)
        .env("PYTHONPATH", sources)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        // Its own group: Ctrl-C in the terminal that started it is not for it.
        .process_group(0)
        .spawn()
        .map_err(Error::file("run", python))?;
    let pid = child.id().unwrap_or_default();
    let is_ours = |health: &Value| health["instance"].as_str() == Some(instance.as_str());
    let health = answering(&mut child, &port_file, "/_sandbox/health", is_ours).await;
    let port = match health {
        Ok((port, _)) => port,
        Err(problem) => {
            let _ = child.kill().await;
            return Err(Error::Start {
                problem,
                tail: tail(&log),
                log,
            });
        }
    };
    let info = Info {
        endpoint: format!("http://127.0.0.1:{port}"),
        pid,
        folder: folder.to_path_buf(),
        log,
        latency,
        started,
        data_plane: None,
    };
    let mut record = Record {
        info,
        port,
        instance,
    };
    write_record(folder, &record)?;
    if let Some(clock) = clock {
        let place = data_plane::Place {
            python,
            sources,
            folder,
        };
        record.info.data_plane = Some(place.start(&record.info.endpoint, &clock).await?);
        write_record(folder, &record)?;
    }
    Ok(record.info)
}

fn write_record(folder: &Path, record: &Record) -> Result<(), Error> {
    let path = record_path(folder);
    let text = serde_json::to_string_pretty(record)
        .map_err(|error| Error::file("write", &path)(error.into()))?;
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.persist(&path)?;
        Ok(())
    };
    write().map_err(Error::file("write", &path))
}

pub(super) async fn down(folder: &Path) -> Result<Option<Info>, Error> {
    let folder = absolute(folder)?;
    if !folder.is_dir() {
        return Ok(None);
    }
    let _lock = lock(folder.join("lock"), "", &|_| {}).await?;
    let ended = match running(&folder).await? {
        Some(record) => {
            if let Some(plane) = &record.info.data_plane {
                data_plane::stop(plane).await;
            }
            stop(&record).await;
            Some(record.info)
        }
        None => end_silent(&folder)?,
    };
    if ended.is_some() {
        let path = record_path(&folder);
        std::fs::remove_file(&path).map_err(Error::file("remove", &path))?;
    }
    Ok(ended)
}

fn pid(record: &Record) -> Option<Pid> {
    i32::try_from(record.info.pid).ok().and_then(Pid::from_raw)
}

/// Ends the process, whose pid the answer to the health check has just confirmed.
async fn stop(record: &Record) {
    let Some(pid) = pid(record) else {
        return;
    };
    for signal in [Signal::TERM, Signal::KILL] {
        let since = Instant::now();
        if kill_process(pid, signal).is_err() {
            return;
        }
        while since.elapsed() < STOP_PATIENCE {
            if http::request(record.port, "GET", "/_sandbox/health", None)
                .await
                .is_none()
            {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

//! The sandbox: an AWS emulator that the deployer installs, starts and stops by itself.
//!
//! It is moto's server with a small launcher of ours inside its Python process (`emulator/`), which patches what a
//! deployer would stumble over, holds calls to AWS's rules and injects faults on request; `README.md` beside this file
//! tells what exactly. Everything here is about its life as a background process: it survives the command that started
//! it, and is found again by the files in its folder.

mod child;
mod data_plane;
mod error;
mod http;
mod rehearsal;
mod server;
mod sources;
mod venv;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::Error;
pub use rehearsal::{Rehearsal, rehearse};
pub use venv::python as installed_python;

/// What [`up`] takes.
#[derive(Debug, Clone)]
pub struct UpOptions {
    /// The sandbox's own folder: its port, process id and log live there.
    pub folder: PathBuf,
    /// The loopback port; a free one when `None`.
    pub port: Option<u16>,
    /// How long things take to settle: `none`, `aws/<divisor>` (AWS's typical seconds divided) or plain seconds for
    /// everything. `None` leaves a running sandbox as it is and starts a new one with `none`.
    pub latency: Option<String>,
    /// AWS's typical seconds until a thing is there and until it is gone, by type (`rds/cluster`).
    pub seconds: BTreeMap<&'static str, (f64, f64)>,
    /// Lets databases, functions, load balancers and names be real, with minutes that pass this many times as fast.
    pub data_plane: Option<f64>,
}

/// A running sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// Where it listens, for `AWS_ENDPOINT_URL`: `http://127.0.0.1:<port>`.
    pub endpoint: String,
    /// Its process.
    pub pid: u32,
    pub folder: PathBuf,
    /// What it prints.
    pub log: PathBuf,
    /// How long things take to settle, see [`UpOptions::latency`].
    pub latency: String,
    /// When it was started (RFC 3339, UTC).
    pub started: String,
    /// What makes it more than an API, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_plane: Option<DataPlane>,
}

/// The process behind the emulator that answers names and requests, runs functions and has databases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataPlane {
    /// Its process.
    pub pid: u32,
    /// Where it is asked what runs: `http://127.0.0.1:<port>`.
    pub control: String,
    /// How fast its minutes pass and since when, for `DEPLOYER_CLOCK_RATE`.
    pub clock: String,
    /// Its DNS server and the port of HTTPS, for `DEPLOYER_EDGE`.
    pub edge: String,
    /// The certificates of its load balancers, for `AWS_CA_BUNDLE`.
    pub certificates: PathBuf,
    /// What it prints.
    pub log: PathBuf,
}

/// Checks a latency as [`UpOptions::latency`] takes it, so that a wrong one is reported before anything is started.
///
/// # Errors
/// What it takes, when it is none of these.
pub fn latency(text: &str) -> Result<String, String> {
    let number = text.strip_prefix("aws/").unwrap_or(text);
    let fits = |n: &f64| n.is_finite() && (*n > 0.0 || (*n == 0.0 && number == text));
    if text == "none" || number.parse::<f64>().is_ok_and(|n| fits(&n)) {
        Ok(text.to_owned())
    } else {
        Err("it takes `none`, seconds such as `2.5`, or `aws/` and a divisor above 0 such as `aws/100`".to_owned())
    }
}

/// Which part of AWS's typical durations things take with a latency; `None` for plain seconds, which are the same for all.
pub fn pace(latency: &str) -> Option<f64> {
    match latency.strip_prefix("aws/") {
        Some(divisor) => divisor.parse().ok().map(|divisor: f64| 1.0 / divisor),
        None => (latency == "none").then_some(0.0),
    }
}

/// Starts the sandbox unless it runs; two at once start one. The first start on a machine installs the emulator into
/// the cache folder, which needs the network and about half a minute; `progress` gets a line now and then.
///
/// # Errors
/// When it can't be installed or started, or runs on another port than the one asked for.
pub async fn up(
    options: &UpOptions,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Info, Error> {
    server::up(options, progress).await
}

/// Stops the sandbox; `None` when it did not run. Everything in it is lost, its log stays.
///
/// # Errors
/// When its files can't be read or removed.
pub async fn down(folder: &Path) -> Result<Option<Info>, Error> {
    server::down(folder).await
}

/// The sandboxes that run on this machine for other folders.
///
/// # Errors
/// When the cache folder can't be read.
pub async fn others(folder: &Path) -> Result<Vec<Info>, Error> {
    server::others(folder).await
}

/// The running sandbox, or `None`: it counts as running when it answers as the one that the folder records.
///
/// # Errors
/// When the folder can't be read.
pub async fn status(folder: &Path) -> Result<Option<Info>, Error> {
    server::status(folder).await
}

#[cfg(test)]
mod tests {
    use super::{latency, pace};

    #[test]
    fn a_part_of_aws_is_known_of_a_divisor_alone() {
        assert_eq!(pace("aws/100"), Some(0.01));
        assert_eq!(pace("none"), Some(0.0));
        assert_eq!(pace("2.5"), None);
    }

    #[test]
    fn a_latency_is_none_seconds_or_a_part_of_aws() {
        for good in ["none", "0", "2.5", "aws/100", "aws/0.5"] {
            assert_eq!(latency(good), Ok(good.to_owned()));
        }
        for bad in [
            "", "foo", "-1", "nan", "inf", "aws/0", "aws/-3", "aws/", "aws", "aws/x",
        ] {
            assert!(latency(bad).unwrap_err().contains("aws/100"), "{bad}");
        }
    }
}

//! What the migration's functions say of the data: `control` with its action `status`, and `verify`. Their contract is
//! `lambda/README.md`.

use super::gate::DataMode;
use super::gate::instant::{Instant, Parity, Stream, Verify};
use super::names::Names;
use crate::aws::Aws;
use crate::config::Config;
use crate::engine::Error;
use serde::Deserialize;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long they may take: their own timeouts, and a little.
const CONTROL_LIMIT: Duration = Duration::from_secs(310);
const VERIFY_LIMIT: Duration = Duration::from_secs(910);
/// Seconds after which `status` is asked again, and after which an answer says nothing any more.
const STATUS_INTERVAL: i64 = 30;
const STATUS_OLD: i64 = 180;
/// Seconds after which `verify` is asked again: it counts for fifteen minutes.
const VERIFY_INTERVAL: i64 = 600;

/// The mode of a split that the mapping declares.
///
/// # Errors
/// When it declares none: then no request may go to green.
pub fn mode(config: &Config) -> Result<DataMode, Error> {
    match config.migration.mapping.mode().as_deref() {
        Some("read-only") => Ok(DataMode::ReadOnly),
        Some("two-way") => Ok(DataMode::TwoWay),
        _ => Err(Error::permanent(
            "traffic shift",
            "the mapping declares no mode of a split, so what green takes would be lost with a rollback",
        )
        .hint("set `\"mode\": \"read-only\"` or `\"two-way\"` in the file of `migration.mapping` (lambda/README.md, \"The way back\"), run `deployer apply`, and let the function `control` prepare it")),
    }
}

/// One stream, as `status` shows it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OneStream {
    slot: String,
    lag_seconds: Option<f64>,
    quarantined: Option<u64>,
}

/// The answer of `control` to `status`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Status {
    status: String,
    writer: String,
    forward: OneStream,
    reverse: OneStream,
}

/// The answer of `verify`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Verified {
    ok: bool,
    verdict: String,
    problems: Vec<String>,
    mismatches: u64,
    quarantined: u64,
    unreversed: u64,
}

/// What is known, and since when (Unix time, seconds).
#[derive(Default)]
struct Known {
    status: Option<(i64, Status)>,
    verified: Option<(i64, Verified)>,
    asking: [bool; 2],
    failed: Option<String>,
}

/// Asks the functions beside everything else.
pub struct Functions {
    aws: Arc<Aws>,
    names: [String; 2],
    known: Arc<Mutex<Known>>,
}

impl Functions {
    /// The functions of a deployment.
    pub fn new(aws: &Arc<Aws>, names: &Names) -> Self {
        Self {
            aws: aws.clone(),
            names: [names.control.clone(), names.verify.clone()],
            known: Arc::default(),
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks both where the last answer is too old. The first time, and with patience where an answer is too old to be used, it
    /// waits.
    pub async fn refresh(&self, now: i64, patient: bool) {
        let due = |at: Option<i64>, interval: i64| at.is_none_or(|at| now - at >= interval);
        let (status, verified, waits) = {
            let mut known = self.known();
            let status = due(known.status.as_ref().map(|(at, _)| *at), STATUS_INTERVAL);
            let verified = due(known.verified.as_ref().map(|(at, _)| *at), VERIFY_INTERVAL);
            let first = known.status.is_none() || known.verified.is_none();
            let old = known
                .status
                .as_ref()
                .is_some_and(|(at, _)| now - at > STATUS_OLD / 2);
            let waits = first || (patient && old);
            let asks = [status && !known.asking[0], verified && !known.asking[1]];
            known.asking = [known.asking[0] || asks[0], known.asking[1] || asks[1]];
            (asks[0], asks[1], waits)
        };
        let tasks: Vec<_> = [(status, 0), (verified, 1)]
            .into_iter()
            .filter(|(due, _)| *due)
            .map(|(_, which)| {
                tokio::spawn(ask(
                    self.aws.clone(),
                    self.names[which].clone(),
                    which,
                    self.known.clone(),
                    now,
                ))
            })
            .collect();
        if waits {
            for task in tasks {
                // A task that failed has said so in what is known.
                let _ = task.await;
            }
        }
    }

    /// Why the last question had no answer.
    pub fn failed(&self) -> Option<String> {
        self.known().failed.clone()
    }

    /// What does not fit the mode, in words: the side that takes the writes is another one.
    pub fn unproven(&self, mode: DataMode) -> Option<String> {
        let known = self.known();
        let Some((_, status)) = &known.status else {
            return Some("the function `control` has not said who takes the writes".into());
        };
        let wanted = match mode {
            DataMode::TwoWay => "both",
            DataMode::ReadOnly | DataMode::OneWriter => "blue",
        };
        if status.writer != wanted {
            return Some(format!(
                "{} takes the writes, and with this mode it must be {wanted}: invoke `control` with {{\"action\": \"prepare\"}}",
                one(&status.writer)
            ));
        }
        match &known.verified {
            Some((_, verified)) if verified.ok => None,
            Some((_, verified)) => {
                let why = verified.problems.first().cloned().unwrap_or_default();
                Some(format!("`verify` says {}: {why}", one(&verified.verdict)))
            }
            None => Some("the function `verify` has not answered".into()),
        }
    }

    /// Puts what is known into the inputs of the gate.
    pub fn fill(&self, instant: &mut Instant, now: i64) {
        let known = self.known();
        if let Some((_, status)) = known
            .status
            .as_ref()
            .filter(|(at, _)| now - at <= STATUS_OLD)
        {
            instant.lag_forward = status.forward.lag_seconds;
            instant.lag_reverse = status.reverse.lag_seconds;
            instant.reverse_stream = Some(match status.reverse.slot.as_str() {
                "active" => Stream::Running,
                "lost" => Stream::SlotLost,
                _ => Stream::Stopped,
            });
            let held = [&status.forward, &status.reverse].map(|s| s.quarantined);
            instant.conflicts = held[0].zip(held[1].or(Some(0))).map(|(a, b)| a + b);
        }
        if let Some((at, verified)) = &known.verified {
            let moving = verified.verdict == "incomplete";
            instant.verify = Some(Verify {
                result: match (verified.ok, moving) {
                    (true, _) => Parity::Equal,
                    (false, true) => Parity::Moving,
                    (false, false) => Parity::Different,
                },
                at: *at,
            });
            instant.parity_mismatches = Some(if moving { 0 } else { verified.mismatches });
            let held = verified.quarantined + verified.unreversed;
            instant.conflicts = instant.conflicts.map(|n| n.max(held));
        }
    }
}

fn one(word: &str) -> &str {
    if word.is_empty() { "nobody" } else { word }
}

async fn ask(aws: Arc<Aws>, name: String, which: usize, known: Arc<Mutex<Known>>, now: i64) {
    let (event, limit) = match which {
        0 => (json!({"action": "status"}), CONTROL_LIMIT),
        _ => (json!({}), VERIFY_LIMIT),
    };
    let answer = aws.lambda.invoke(&name, &event, limit).await;
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.asking[which] = false;
    let failed = match answer {
        Err(error) => Some(error.to_string()),
        Ok(value) if matches!(value["status"].as_str(), Some("busy" | "failed")) => {
            let why = value["error"]["message"]
                .as_str()
                .or(value["message"].as_str());
            Some(format!(
                "{name}: {} {}",
                value["status"].as_str().unwrap_or_default(),
                why.unwrap_or_default()
            ))
        }
        Ok(value) if which == 0 => match serde_json::from_value::<Status>(value) {
            Ok(status) => {
                known.status = Some((now, status));
                None
            }
            Err(e) => Some(format!("{name}: {e}")),
        },
        Ok(value) => match serde_json::from_value::<Verified>(value) {
            Ok(verified) if !verified.verdict.is_empty() => {
                known.verified = Some((now, verified));
                None
            }
            Ok(_) => Some(format!("{name} gave no verdict")),
            Err(e) => Some(format!("{name}: {e}")),
        },
    };
    known.failed = failed;
}

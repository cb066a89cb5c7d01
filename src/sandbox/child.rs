//! Waiting for a process that was just started.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::process::Child;

use super::http;

/// From the start of the process to its first answer; Python takes one to three seconds, more on a busy machine.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at.
pub(super) const POLL: Duration = Duration::from_millis(50);

/// Waits until a new process answers at this path as it should; gives its port and its answer, or what went wrong.
pub(super) async fn answering(
    child: &mut Child,
    port_file: &Path,
    path: &str,
    is_right: impl Fn(&Value) -> bool,
) -> Result<(u16, Value), String> {
    let since = Instant::now();
    while since.elapsed() < START_PATIENCE {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("the process ended with {status}"));
        }
        let port = std::fs::read_to_string(port_file)
            .ok()
            .and_then(|text| text.trim().parse::<u16>().ok());
        if let Some(port) = port
            && let Some((200, answer)) = http::request(port, "GET", path, None).await
            && is_right(&answer)
        {
            return Ok((port, answer));
        }
        tokio::time::sleep(POLL).await;
    }
    Err(format!(
        "it did not answer within {} seconds",
        START_PATIENCE.as_secs()
    ))
}

/// The last lines of a log.
pub(super) fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

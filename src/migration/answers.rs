//! What the functions answer.

use crate::aws::Aws;
use crate::engine::Error;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Another run of the same function is at work.
const BUSY: &str = "busy";
const PAUSE: Duration = Duration::from_secs(2);
/// The longest that a function runs, and a little. A run that is at work is waited for as long.
const LIMIT: Duration = Duration::from_secs(910);

/// Invokes a function with an action and gives its answer. That it failed, or is busy, is an error with its hint.
///
/// # Errors
/// When it cannot be called, or says so itself.
pub async fn ask(aws: &Aws, function: &str, event: &Value) -> Result<Value, Error> {
    let answer = aws.lambda.invoke(function, event, LIMIT).await?;
    let status = answer["status"].as_str().unwrap_or_default();
    if !matches!(status, BUSY | "failed") {
        return Ok(answer);
    }
    let error = &answer["error"];
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    let mut named = text("code");
    if named.is_empty() || status == BUSY {
        status.clone_into(&mut named);
    }
    let message = match text("message") {
        empty if empty.is_empty() => "no message".to_owned(),
        message => message,
    };
    let failed = Error::permanent(function, message).code(named);
    Err(match text("hint") {
        empty if empty.is_empty() => failed,
        hint => failed.hint(hint),
    })
}

/// Asks again while another run is at work.
///
/// # Errors
/// As [`ask`], and when the other run does not end.
pub async fn ask_patiently(aws: &Aws, function: &str, event: &Value) -> Result<Value, Error> {
    let began = Instant::now();
    loop {
        match ask(aws, function, event).await {
            Err(error) if error.code == BUSY && began.elapsed() < LIMIT => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) if error.code == BUSY => {
                return Err(
                    error.hint("run the command again when the run that is at work has ended")
                );
            }
            other => return other,
        }
    }
}

/// The event of an action.
pub fn action(name: &str) -> Value {
    json!({"action": name})
}

/// A number of an answer.
pub fn number(answer: &Value, key: &str) -> Option<f64> {
    answer[key].as_f64()
}

/// A text of an answer.
pub fn text<'a>(answer: &'a Value, key: &str) -> &'a str {
    answer[key].as_str().unwrap_or_default()
}

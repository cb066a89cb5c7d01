//! The history of the traffic in a shared state. Nothing waits long for it, and nothing fails because of it: a line that is not
//! carried over now is carried by the next command.

use super::super::Context;
use super::super::connection::to_bucket;
use super::super::error::Failure;
use crate::aws::StateObjects;
use crate::config::Config;
use crate::traffic::history::{History, Log};
use crate::traffic::shared::{carry, read};
use std::time::Duration;

/// How long a command waits for the bucket at its end.
const LIMIT: Duration = Duration::from_secs(10);

/// The bucket; `None` with local files.
pub async fn objects(cx: &Context<'_>, config: &Config) -> Result<Option<StateObjects>, Failure> {
    let Some(place) = config.shared_state() else {
        return Ok(None);
    };
    let (connection, caller) = to_bucket(cx, config, place.0).await?;
    let objects = StateObjects::new(&connection, caller, place, &config.suffix);
    Ok(Some(objects))
}

/// Carries lines over to the bucket, if there is one.
pub async fn carried(cx: &Context<'_>, config: &Config, log: &Log) {
    let attempt = async {
        match objects(cx, config).await? {
            Some(objects) => Ok(carry(log, &objects).await?),
            None => Ok::<_, Failure>(0),
        }
    };
    let ended = tokio::time::timeout(LIMIT, attempt).await;
    let why = match ended {
        Ok(Ok(_)) => return,
        Ok(Err(failure)) => failure.message,
        Err(_) => format!("no end within {} s", LIMIT.as_secs()),
    };
    // Standard error may be gone; there is nobody else to say it to.
    let _ = cx.console.warning(&format!(
        "the history is on this machine, and not in the shared state yet: {why}; the next command carries it over"
    ));
}

/// The history of all machines with a shared state, else that of this one.
pub async fn history(cx: &Context<'_>, config: &Config, log: &Log) -> Result<History, Failure> {
    let own = log.read()?;
    let all = async {
        let Some(objects) = objects(cx, config).await? else {
            return Ok::<_, Failure>(None);
        };
        let carried = carry(log, &objects).await;
        let all = read(&objects).await?;
        if let Err(error) = carried {
            cx.console.warning(&format!(
                "what this machine did last is not in the shared state yet, and not shown: {error}"
            ))?;
        }
        Ok(Some(all))
    };
    match all.await {
        Ok(Some(all)) => Ok(all),
        Ok(None) => Ok(own),
        Err(failure) => {
            cx.console.warning(&format!(
                "only what this machine did is shown, since the shared state cannot be read: {}",
                failure.message
            ))?;
            Ok(own)
        }
    }
}

/// The same without a write: what the bucket has, or without one this machine's.
pub async fn recorded(cx: &Context<'_>, config: &Config, log: &Log) -> Result<History, Failure> {
    Ok(match objects(cx, config).await? {
        Some(objects) => read(&objects).await?,
        None => log.read()?,
    })
}

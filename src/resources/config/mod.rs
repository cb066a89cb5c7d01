//! AWS Config: recorder and delivery channel, of which a region has one each, and rules.
//!
//! A recorder that is there and is not ours is the account's: it is used, never changed, never deleted. Ours stays as long as
//! rules of others are evaluated by what it records.

mod channel;
mod recorder;
mod recording;
mod rule;
mod tags;

pub use channel::Channel;
pub use recorder::Recorder;
pub use recording::Recording;
pub use rule::{Rule, Scope};
pub use tags::ConfigTags;

use crate::aws::config::Singletons;
use crate::engine::Leftover;
use crate::engine::ownership::MARK_SUFFIX;
use crate::resources::holders::{self, held_by};
use crate::resources::owned::is_conventional;
use crate::resources::prelude::*;

/// What the region has once.
async fn singletons(cx: &Aws) -> Result<Singletons, Error> {
    Ok(cx.config.singletons.get(()).await?.unwrap_or_default())
}

/// True when a recorder with this name is the deployment's.
fn is_ours(recorder: &str, identity: &Identity) -> bool {
    let suffix = identity.tags.get(MARK_SUFFIX);
    suffix.is_some_and(|suffix| is_conventional(recorder, suffix))
}

/// A failed read behind a put: the put had its effect.
fn after_put(error: Error) -> Error {
    error.leftover(Leftover::Unknown)
}

/// The rules of others, which are evaluated by what the recorder records: whatever is not named like a rule of this deployment.
async fn others(cx: &Aws, recorder: &str) -> Result<Vec<String>, Error> {
    let suffix = recorder.rsplit('-').next().unwrap_or_default();
    let rules = cx.config.all_rules().await?.into_iter();
    let others = rules.filter(|(name, _)| !is_conventional(name, suffix));
    Ok(others.map(|(name, _)| format!("rule {name}")).collect())
}

/// The error when there are such rules: of those that were made since the plan.
async fn needed_by_others(cx: &Aws, api: Api, recorder: &str) -> Result<(), Error> {
    let others = others(cx, recorder).await?.into_iter();
    let held: Vec<_> = others.map(holders::Named::stays).collect();
    if held.is_empty() {
        return Ok(());
    }
    let text = format!("rules of others are evaluated by what the recorder {recorder} records");
    Err(held_by(Error::of(Class::InUse, api.action(), text), held))
}

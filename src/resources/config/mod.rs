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
use crate::resources::prelude::*;

/// What the region has once.
async fn singletons(cx: &Aws) -> Result<Singletons, Error> {
    Ok(cx.config.singletons.get(()).await?.unwrap_or_default())
}

/// True when the region's recorder is the deployment's. A name like ours is not enough, its tags say it; without such a name they are
/// not asked for.
async fn is_ours(cx: &Aws, region: &Singletons, identity: &Identity) -> Result<bool, Error> {
    let suffix = identity.tags.get(MARK_SUFFIX);
    let named = suffix.is_some_and(|suffix| is_conventional(region.recorder_name(), suffix));
    let arn = region.recorder.as_ref().and_then(|r| r.arn());
    let (true, Some(arn)) = (named, arn) else {
        return Ok(false);
    };
    let ours = |tags: &Tags| of_deployment(identity, tags);
    let tags = found(cx.proven(arn, ours, cx.config.tags(arn)).await)?;
    // One that was made a moment ago may show none yet.
    Ok(tags.is_none_or(|tags| ours(&tags)))
}

/// A failed read behind a put: the put had its effect.
fn after_put(error: Error) -> Error {
    error.leftover(Leftover::Unknown)
}

/// The rules of others, which are evaluated by what the recorder records: whatever does not carry the mark of this deployment. Only
/// names that can be ours are asked for their tags; a rule that is gone meanwhile has none.
async fn others(cx: &Aws, recorder: &str) -> Result<Vec<String>, Error> {
    let suffix = recorder.rsplit('-').next().unwrap_or_default();
    let rules = cx.config.all_rules().await?;
    let asks = rules.into_iter().map(|(name, arn)| async move {
        let ours = is_conventional(&name, suffix) && {
            let tags = match cx.recent.get(&arn).await {
                Some(tags) => Some(tags),
                None => found(cx.config.tags(&arn).await)?,
            };
            tags.is_none_or(|tags| marked(Rule::TYPE, &arn, &name, tags, suffix).is_some())
        };
        Ok::<_, Error>((!ours).then(|| format!("rule {name}")))
    });
    let all = futures::future::try_join_all(asks).await?;
    Ok(all.into_iter().flatten().collect())
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

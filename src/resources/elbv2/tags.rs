//! Tags of load balancers, target groups, listeners and rules: given at creation, changed by ARN.

use crate::engine::ownership::MARK_STEP;
use crate::resources::prelude::*;
use aws_sdk_elasticloadbalancingv2::types::Tag;

/// The service's way to change tags.
pub enum ElbTags {}

fn list(tags: &Tags) -> Vec<Tag> {
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    tags.iter().map(tag).collect()
}

/// All tags of an identity, for a create call.
pub(super) fn at_creation(identity: &Identity) -> Option<Vec<Tag>> {
    Some(list(&identity.tags))
}

impl<O: HasArn + Sync> TagCalls<O> for ElbTags {
    async fn change(cx: &Aws, it: &O, set: &Tags, remove: &[String]) -> Result<(), Error> {
        Self::change_of(cx, it.arn(), set, remove).await
    }
}

impl ElbTags {
    /// Changes the tags of an ARN.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn change_of(
        cx: &Aws,
        arn: &str,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        if !set.is_empty() {
            let call = cx.elbv2.client.add_tags().resource_arns(arn);
            let call = call.set_tags(Some(list(set)));
            cx.call(elbv2::ADD_TAGS, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.elbv2.client.remove_tags().resource_arns(arn);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            cx.call(elbv2::REMOVE_TAGS, || call.clone().send()).await?;
        }
        Ok(())
    }
}

/// The tags of what was just read; `None` when it went away in between.
pub(super) async fn tags_of(
    cx: &Aws,
    arn: &str,
    identity: &Identity,
) -> Result<Option<Tags>, Error> {
    let tags = cx.tagged(arn, &identity.tags, cx.elbv2.tags(arn)).await?;
    if let Some(tags) = &tags {
        cx.recent.note(arn, tags);
    }
    Ok(tags)
}

/// The owned ones of a listing, which tells no tags: only those with our kind of name are asked for them.
pub(super) async fn owned(
    cx: &Aws,
    kind: &str,
    suffix: &str,
    listed: Vec<(Option<String>, Option<String>)>,
) -> Result<Vec<Owned>, Error> {
    let asks = listed.into_iter().filter_map(|(name, arn)| {
        let (name, arn) = (name?, arn?);
        is_conventional(&name, suffix).then_some(async move {
            let tags = match cx.recent.get(&arn).await {
                Some(tags) => tags,
                None => cx.elbv2.tags(&arn).await?.unwrap_or_default(),
            };
            Ok::<_, Error>(marked(kind, &arn, &name, tags, suffix))
        })
    });
    let all = futures::future::try_join_all(asks).await?;
    Ok(all.into_iter().flatten().collect())
}

/// Those of the ARNs that are not of this deployment: neither recorded nor with its tags. What is recorded and lost its tags stops
/// its own step, and is no stranger to what it belongs to.
pub(super) async fn of_others(
    cx: &Aws,
    identity: &Identity,
    arns: Vec<String>,
) -> Result<Vec<String>, Error> {
    let is_recorded = |arn: &String| cx.own.any(|it| it.outputs["arn"] == **arn);
    let unknown = arns.into_iter().filter(|arn| !is_recorded(arn));
    let asks = unknown.map(async |arn| {
        // What went away in between is nobody's.
        let ours = |tags: &Tags| of_deployment(identity, tags);
        let tags: Option<Tags> = cx.proven(&arn, ours, cx.elbv2.tags(&arn)).await?;
        if let Some(tags) = &tags {
            cx.recent.note(&arn, tags);
        }
        let foreign = tags.is_some_and(|tags| !of_deployment(identity, &tags));
        Ok::<_, Error>(foreign.then_some(arn))
    });
    let all = futures::future::try_join_all(asks).await?;
    Ok(all.into_iter().flatten().collect())
}

/// Which of these is the step's, by their tags.
pub(super) async fn of_step(
    cx: &Aws,
    identity: &Identity,
    arns: Vec<String>,
) -> Result<Option<String>, Error> {
    let step = identity.tags.get(MARK_STEP);
    let asks = arns.into_iter().map(async |arn| {
        let ours = |tags: &Tags| of_deployment(identity, tags) && tags.get(MARK_STEP) == step;
        let tags: Option<Tags> = cx.proven(&arn, ours, cx.elbv2.tags(&arn)).await?;
        Ok::<_, Error>(tags.is_some_and(|tags| ours(&tags)).then_some(arn))
    });
    let all = futures::future::try_join_all(asks).await?;
    Ok(all.into_iter().flatten().next())
}

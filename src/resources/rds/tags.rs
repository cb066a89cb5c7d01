//! Tags of RDS's things: given at creation, changed by AddTagsToResource and RemoveTagsFromResource.

use crate::resources::prelude::*;
use aws_sdk_rds::types::Tag;

/// RDS's way to change tags: by ARN.
pub enum RdsTags {}

fn list(tags: &Tags) -> Vec<Tag> {
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    tags.iter().map(tag).collect()
}

/// All tags of an identity, for a create call.
pub(super) fn at_creation(identity: &Identity) -> Option<Vec<Tag>> {
    Some(list(&identity.tags))
}

impl RdsTags {
    /// Sets and removes tags of what has this ARN.
    pub async fn change_of(
        cx: &Aws,
        arn: &str,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        if !set.is_empty() {
            let call = cx.rds.client.add_tags_to_resource();
            let call = call.resource_name(arn).set_tags(Some(list(set)));
            let api = rds::ADD_TAGS_TO_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.rds.client.remove_tags_from_resource();
            let call = call.resource_name(arn);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = rds::REMOVE_TAGS_FROM_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

impl<O: HasArn + Sync> TagCalls<O> for RdsTags {
    async fn change(cx: &Aws, it: &O, set: &Tags, remove: &[String]) -> Result<(), Error> {
        Self::change_of(cx, it.arn(), set, remove).await
    }
}

/// The owned ones of many groups. The listing does not tell tags, so only groups with a name that can be ours are asked
/// for them: all our names end in the suffix.
pub(super) async fn owned_groups(
    cx: &Aws,
    kind: &str,
    suffix: &str,
    groups: Vec<(Option<String>, Option<String>)>,
) -> Result<Vec<Owned>, Error> {
    let asks = groups.into_iter().filter_map(|(name, arn)| {
        let (name, arn) = (name?, arn?);
        is_conventional(&name, suffix).then_some(async move {
            let tags = match cx.recent.get(&arn).await {
                Some(tags) => tags,
                None => cx.rds.tags(&arn).await?.unwrap_or_default(),
            };
            Ok::<_, Error>(marked(kind, &arn, &name, tags, suffix))
        })
    });
    let all = futures::future::try_join_all(asks).await?;
    Ok(all.into_iter().flatten().collect())
}

/// The tags of a group that was just listed; `None` when it went away in between.
pub(super) async fn of_group(
    cx: &Aws,
    arn: &str,
    identity: &Identity,
) -> Result<Option<Tags>, Error> {
    let tags = cx.tagged(arn, &identity.tags, cx.rds.tags(arn)).await?;
    if let Some(tags) = &tags {
        cx.recent.note(arn, tags);
    }
    Ok(tags)
}

//! Tags of RDS resources: given at creation, changed by AddTagsToResource and RemoveTagsFromResource.

use crate::aws::{Aws, repeatable};
use crate::engine::driver::Owned;
use crate::engine::{Delta, Error, Identity};
use crate::resources::owned::{is_conventional, marked};
use aws_sdk_rds::types::Tag;
use std::collections::BTreeMap;

fn list(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    tags.iter().map(tag).collect()
}

/// All tags of an identity, for a create call.
pub(super) fn at_creation(identity: &Identity) -> Option<Vec<Tag>> {
    Some(list(&identity.tags))
}

/// Sets and removes the tags that differ.
pub(super) async fn update(cx: &Aws, arn: &str, delta: &Delta) -> Result<(), Error> {
    if !delta.set_tags.is_empty() {
        cx.call(repeatable("rds", "AddTagsToResource"), || {
            cx.rds
                .client
                .add_tags_to_resource()
                .resource_name(arn)
                .set_tags(Some(list(&delta.set_tags)))
                .send()
        })
        .await?;
    }
    if !delta.remove_tags.is_empty() {
        cx.call(repeatable("rds", "RemoveTagsFromResource"), || {
            cx.rds
                .client
                .remove_tags_from_resource()
                .resource_name(arn)
                .set_tag_keys(Some(delta.remove_tags.clone()))
                .send()
        })
        .await?;
    }
    Ok(())
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
) -> Result<Option<BTreeMap<String, String>>, Error> {
    let tags = cx.rds.tags(arn).await?;
    if let Some(tags) = &tags {
        cx.recent.note(arn, tags);
    }
    Ok(tags)
}

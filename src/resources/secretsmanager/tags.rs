//! Tags of secrets: given at creation, changed by ARN.

use super::Secret;
use crate::engine::ownership::MARK_SUFFIX;
use crate::resources::prelude::*;
use aws_sdk_secretsmanager::types::Tag;

/// Secrets Manager's way to change tags.
pub enum SecretTags {}

/// Tags in Secrets Manager's form.
pub(super) fn tags(tags: &Tags) -> Vec<Tag> {
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    tags.iter().map(tag).collect()
}

/// Tags as they are read.
pub(super) fn tags_of(tags: &[Tag]) -> Tags {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()));
    tags.iter().filter_map(pair).collect()
}

impl TagCalls<Named<Secret>> for SecretTags {
    async fn change(
        cx: &Aws,
        it: &Named<Secret>,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        let client = &cx.secretsmanager.client;
        if !set.is_empty() {
            let call = client.tag_resource().secret_id(&it.arn);
            let call = call.set_tags(Some(tags(set)));
            let api = secretsmanager::TAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = client.untag_resource().secret_id(&it.arn);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = secretsmanager::UNTAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

/// Those with our suffix among their tags that really are there: the listing may show what was deleted minutes ago. What a
/// service owns is not ours to list.
pub(super) async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let mut out = Vec::new();
    for listed in cx.secretsmanager.tagged(MARK_SUFFIX, suffix).await? {
        let (Some(arn), Some(name)) = (listed.arn(), listed.name()) else {
            continue;
        };
        let theirs = listed.owning_service().is_some() || listed.primary_region().is_some();
        // A filter takes the beginning of a value.
        if theirs || marked(Secret::TYPE, arn, name, tags_of(listed.tags()), suffix).is_none() {
            continue;
        }
        let tags = match cx.recent.get(arn).await {
            Some(tags) => tags,
            None => match found(cx.secretsmanager.describe(arn).await)? {
                Some(shown) if shown.deleted_date().is_none() => tags_of(shown.tags()),
                _ => continue,
            },
        };
        out.extend(marked(Secret::TYPE, arn, name, tags, suffix));
    }
    Ok(out)
}

//! Tags of clusters, services and task definitions: given at creation, changed by ARN.

use crate::resources::prelude::*;
use aws_sdk_ecs::types::Tag;

/// ECS's way to change tags: by ARN.
pub enum EcsTags {}

/// Tags as a map.
pub fn tags_of(tags: &[Tag]) -> Tags {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let each = tags.iter().map(|t| (text(t.key()), text(t.value())));
    each.collect()
}

/// Tags in ECS's form.
pub(super) fn tags(tags: &Tags) -> Vec<Tag> {
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    tags.iter().map(tag).collect()
}

impl EcsTags {
    /// Sets and removes tags of what has this ARN.
    pub async fn change_of(
        cx: &Aws,
        arn: &str,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        if !set.is_empty() {
            let call = cx.ecs.client.tag_resource().resource_arn(arn);
            let call = call.set_tags(Some(tags(set)));
            let api = ecs::TAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.ecs.client.untag_resource().resource_arn(arn);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = ecs::UNTAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

impl<O: HasArn + Sync> TagCalls<O> for EcsTags {
    async fn change(cx: &Aws, it: &O, set: &Tags, remove: &[String]) -> Result<(), Error> {
        Self::change_of(cx, it.arn(), set, remove).await
    }
}

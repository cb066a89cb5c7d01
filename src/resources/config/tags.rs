//! Tags of rules and recorders: given at creation, changed by ARN. A put of what exists ignores them.

use crate::resources::prelude::*;
use aws_sdk_config::types::Tag;

/// AWS Config's way to change tags: by ARN.
pub enum ConfigTags {}

/// Tags in AWS Config's form.
pub(super) fn tags(tags: &Tags) -> Vec<Tag> {
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    tags.iter().map(tag).collect()
}

impl<O: HasArn + Sync> TagCalls<O> for ConfigTags {
    async fn change(cx: &Aws, it: &O, set: &Tags, remove: &[String]) -> Result<(), Error> {
        if !set.is_empty() {
            let call = cx.config.client.tag_resource().resource_arn(it.arn());
            let call = call.set_tags(Some(tags(set)));
            let api = config::TAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.config.client.untag_resource().resource_arn(it.arn());
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = config::UNTAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

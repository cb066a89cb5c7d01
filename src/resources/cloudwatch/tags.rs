//! Tags of alarms: given at creation, changed by ARN. A put of an alarm that exists ignores them.

use crate::resources::prelude::*;
use aws_sdk_cloudwatch::types::Tag;

/// CloudWatch's way to change tags of alarms: by ARN.
pub enum AlarmTags {}

/// Tags in CloudWatch's form.
pub(super) fn tags(tags: &Tags) -> Vec<Tag> {
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    tags.iter().map(tag).collect()
}

impl<O: HasArn + Sync> TagCalls<O> for AlarmTags {
    async fn change(cx: &Aws, it: &O, set: &Tags, remove: &[String]) -> Result<(), Error> {
        if !set.is_empty() {
            let call = cx.cloudwatch.client.tag_resource().resource_arn(it.arn());
            let call = call.set_tags(Some(tags(set)));
            let api = cloudwatch::TAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.cloudwatch.client.untag_resource().resource_arn(it.arn());
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = cloudwatch::UNTAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

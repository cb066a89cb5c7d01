//! Tags of topics: given at creation, changed by ARN.

use super::{Topic, TopicOutputs};
use crate::resources::owned::marked_of;
use crate::resources::prelude::*;
use aws_sdk_sns::types::Tag;

/// SNS's way to change tags: by ARN.
pub enum SnsTags {}

/// Tags in SNS's form.
pub(super) fn tags(api: Api, tags: &Tags) -> Result<Vec<Tag>, Error> {
    tags.iter()
        .map(|(k, v)| Tag::builder().key(k).value(v).build())
        .collect::<Result<_, _>>()
        .map_err(|e| Error::permanent(api.action(), e.to_string()))
}

impl TagCalls<TopicOutputs> for SnsTags {
    async fn change(
        cx: &Aws,
        it: &TopicOutputs,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        const TAG: Api = sns::TAG_RESOURCE;
        if !set.is_empty() {
            let call = cx.sns.client.tag_resource().resource_arn(&it.arn);
            let call = call.set_tags(Some(tags(TAG, set)?));
            cx.call(TAG, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.sns.client.untag_resource().resource_arn(&it.arn);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = sns::UNTAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

/// ListTopics answers ARNs only: those whose name can be ours are asked for their tags.
pub(super) async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.sns.topics().await?.into_iter();
    let all = all.map(|arn| (arn.rsplit(':').next().unwrap_or_default().to_owned(), arn));
    marked_of(cx, Topic::TYPE, suffix, all.collect(), |cx, arn| {
        Box::pin(async move { found(cx.sns.tags(arn).await) })
    })
    .await
}

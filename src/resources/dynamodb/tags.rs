//! Tags of tables.

use super::model::TableOutputs;
use super::write::built;
use crate::resources::prelude::*;
use aws_sdk_dynamodb::types::Tag;

/// DynamoDB's way to change tags: by ARN.
pub enum DynamoDbTags {}

/// A table's tags.
pub(super) async fn tags_of(cx: &Aws, arn: &str) -> Result<Tags, Error> {
    const LIST: Api = dynamodb::LIST_TAGS_OF_RESOURCE;
    let call = cx.dynamodb.client.list_tags_of_resource();
    let call = call.resource_arn(arn);
    let send = |token| call.clone().set_next_token(token).send();
    let all = cx.pages(LIST, send, |page| {
        let tags = page.tags.unwrap_or_default().into_iter();
        (tags.map(|t| (t.key, t.value)), page.next_token)
    });
    let all = found(all.await)?.unwrap_or_default();
    Ok(all.into_iter().collect())
}

/// Tags in DynamoDB's form.
pub(super) fn tags(api: Api, tags: &Tags) -> Result<Vec<Tag>, Error> {
    let tags = tags.iter();
    let all = tags.map(|(k, v)| Tag::builder().key(k).value(v).build());
    built(api, all.collect())
}

impl TagCalls<TableOutputs> for DynamoDbTags {
    async fn change(
        cx: &Aws,
        it: &TableOutputs,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        const TAG: Api = dynamodb::TAG_RESOURCE;
        if !set.is_empty() {
            let call = cx.dynamodb.client.tag_resource().resource_arn(&it.arn);
            let call = call.set_tags(Some(tags(TAG, set)?));
            cx.call(TAG, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.dynamodb.client.untag_resource();
            let call = call.resource_arn(&it.arn);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = dynamodb::UNTAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

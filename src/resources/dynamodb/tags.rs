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
    let mut all = Tags::new();
    let mut token: Option<String> = None;
    loop {
        let call = cx.dynamodb.client.list_tags_of_resource();
        let call = call.resource_arn(arn).set_next_token(token);
        let Some(page) = found(cx.call(LIST, || call.clone().send()).await)? else {
            return Ok(all);
        };
        let tags = page.tags.unwrap_or_default();
        all.extend(tags.into_iter().map(|t| (t.key, t.value)));
        token = page.next_token;
        if token.is_none() {
            return Ok(all);
        }
    }
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

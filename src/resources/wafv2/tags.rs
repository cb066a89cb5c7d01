//! Tags of web ACLs and address sets: given at creation, changed by ARN.

use super::built;
use crate::aws::wafv2::Listed as Item;
use crate::resources::prelude::*;
use aws_sdk_wafv2::types::Tag;
use std::collections::HashMap;

/// The service's way to change tags.
pub enum WafTags {}

/// Tags for a call.
pub(super) fn list(api: Api, tags: &Tags) -> Result<Vec<Tag>, Error> {
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    tags.iter().map(|pair| built(api, tag(pair))).collect()
}

impl<O: HasArn + Sync> TagCalls<O> for WafTags {
    async fn change(cx: &Aws, it: &O, set: &Tags, remove: &[String]) -> Result<(), Error> {
        if !set.is_empty() {
            const ADD: Api = wafv2::TAG_RESOURCE;
            let call = cx.wafv2.client.tag_resource().resource_arn(it.arn());
            let call = call.set_tags(Some(list(ADD, set)?));
            cx.call(ADD, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.wafv2.client.untag_resource().resource_arn(it.arn());
            let call = call.set_tag_keys(Some(remove.to_vec()));
            cx.call(wafv2::UNTAG_RESOURCE, || call.clone().send())
                .await?;
        }
        Ok(())
    }
}

/// The tags of what has this ARN; `None` when it does not exist.
pub(super) async fn tags_of(cx: &Aws, arn: &str) -> Result<Option<Tags>, Error> {
    const READ: Api = wafv2::LIST_TAGS_FOR_RESOURCE;
    let call = cx.wafv2.client.list_tags_for_resource();
    let call = call.resource_arn(arn).limit(100);
    let answer = found(cx.call(READ, || call.clone().send()).await)?;
    let info = answer.map(|a| a.tag_info_for_resource);
    Ok(info.map(|info| {
        let list = info.and_then(|i| i.tag_list).unwrap_or_default();
        list.into_iter().map(|t| (t.key, t.value)).collect()
    }))
}

/// The owned ones of a listing, which tells no tags: only those with our kind of name are asked for them.
pub(super) async fn owned(
    cx: &Aws,
    kind: &str,
    suffix: &str,
    listed: &HashMap<String, Item>,
) -> Result<Vec<Owned>, Error> {
    let ours = listed.iter().filter(|(n, _)| is_conventional(n, suffix));
    let asks = ours.map(async |(name, item)| {
        let tags = match cx.recent.get(&item.arn).await {
            Some(tags) => tags,
            None => tags_of(cx, &item.arn).await?.unwrap_or_default(),
        };
        Ok::<_, Error>(marked(kind, &item.arn, name, tags, suffix))
    });
    let all = futures::future::try_join_all(asks).await?;
    Ok(all.into_iter().flatten().collect())
}

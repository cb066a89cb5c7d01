//! Tags of keys.

use super::KeyOutputs;
use crate::resources::prelude::*;
use aws_sdk_kms::types::Tag;

/// KMS's way to change tags: by key id.
pub enum KmsTags {}

/// Tags in KMS's form.
pub(super) fn tags(api: Api, tags: &Tags) -> Result<Vec<Tag>, Error> {
    tags.iter()
        .map(|(k, v)| Tag::builder().tag_key(k).tag_value(v).build())
        .collect::<Result<_, _>>()
        .map_err(|e| Error::permanent(api.action(), e.to_string()))
}

impl TagCalls<KeyOutputs> for KmsTags {
    async fn change(cx: &Aws, it: &KeyOutputs, set: &Tags, remove: &[String]) -> Result<(), Error> {
        const TAG: Api = kms::TAG_RESOURCE;
        if !set.is_empty() {
            let call = cx.kms.client.tag_resource().key_id(&it.id);
            let call = call.set_tags(Some(tags(TAG, set)?));
            cx.call(TAG, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.kms.client.untag_resource().key_id(&it.id);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = kms::UNTAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

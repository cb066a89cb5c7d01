//! Tags of buckets.

use super::Bucket;
use crate::resources::prelude::*;
use aws_sdk_s3::types::{Tag, Tagging};

/// S3's way to change tags: the whole set at once.
pub enum S3Tags {}

/// The answer, or `None` when S3 says with `code` that this setting was never made.
pub(super) fn unless<T>(answer: Result<T, Error>, code: &str) -> Result<Option<T>, Error> {
    match answer {
        Err(error) if error.code == code => Ok(None),
        other => other.map(Some),
    }
}

/// A bucket's tags.
pub(super) async fn tags_of(cx: &Aws, bucket: &str) -> Result<Tags, Error> {
    let call = cx.s3.client.get_bucket_tagging().bucket(bucket);
    let call = call.expected_bucket_owner(&cx.account);
    let api = s3::GET_BUCKET_TAGGING;
    let answer = cx.call(api, || call.clone().send()).await;
    let tags = unless(answer, "NoSuchTagSet")?.map(|a| a.tag_set);
    let tags = tags.unwrap_or_default().into_iter();
    Ok(tags.map(|t| (t.key, t.value)).collect())
}

/// Tags in S3's form.
pub(super) fn tags(api: Api, tags: &Tags) -> Result<Vec<Tag>, Error> {
    tags.iter()
        .map(|(k, v)| Tag::builder().key(k).value(v).build())
        .collect::<Result<_, _>>()
        .map_err(|e| Error::permanent(api.action(), e.to_string()))
}

impl TagCalls<Named<Bucket>> for S3Tags {
    /// S3 replaces the whole set: the tags of others are read first and put back.
    async fn change(
        cx: &Aws,
        it: &Named<Bucket>,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        const PUT: Api = s3::PUT_BUCKET_TAGGING;
        let mut all = tags_of(cx, it.name.as_str()).await?;
        all.extend(set.clone());
        // AWS keeps its own tags by itself and refuses them from anybody else.
        all.retain(|key, _| !key.starts_with("aws:") && !remove.contains(key));
        let tagging = Tagging::builder().set_tag_set(Some(tags(PUT, &all)?));
        let tagging = tagging.build();
        let tagging = tagging.map_err(|e| Error::permanent(PUT.action(), e.to_string()))?;
        let call = cx.s3.client.put_bucket_tagging().bucket(&it.name);
        let call = call.expected_bucket_owner(&cx.account).tagging(tagging);
        cx.call(PUT, || call.clone().send()).await.map(drop)
    }
}

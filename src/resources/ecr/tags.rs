//! Tags of repositories: given at creation, changed by ARN.

use super::RepositoryOutputs;
use crate::resources::prelude::*;
use aws_sdk_ecr::types::Tag;

/// ECR's way to change tags: by ARN.
pub enum EcrTags {}

/// Tags in ECR's form.
pub(super) fn tags(api: Api, tags: &Tags) -> Result<Vec<Tag>, Error> {
    tags.iter()
        .map(|(k, v)| Tag::builder().key(k).value(v).build())
        .collect::<Result<_, _>>()
        .map_err(|e| Error::permanent(api.action(), e.to_string()))
}

impl TagCalls<RepositoryOutputs> for EcrTags {
    async fn change(
        cx: &Aws,
        it: &RepositoryOutputs,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        const TAG: Api = ecr::TAG_RESOURCE;
        if !set.is_empty() {
            let call = cx.ecr.client.tag_resource().resource_arn(&it.arn);
            let call = call.set_tags(Some(tags(TAG, set)?));
            cx.call(TAG, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.ecr.client.untag_resource().resource_arn(&it.arn);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = ecr::UNTAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

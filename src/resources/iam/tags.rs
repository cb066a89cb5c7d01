//! Tags of roles.

use super::Role;
use crate::resources::prelude::*;
use aws_sdk_iam::types::Tag;

/// IAM's way to change tags of a role: by name.
pub enum IamTags {}

/// Tags as a map.
pub(super) fn tags_of(tags: &[Tag]) -> Tags {
    tags.iter()
        .map(|t| (t.key.clone(), t.value.clone()))
        .collect()
}

/// Tags in IAM's form.
pub(super) fn tags(api: Api, tags: &Tags) -> Result<Vec<Tag>, Error> {
    tags.iter()
        .map(|(k, v)| Tag::builder().key(k).value(v).build())
        .collect::<Result<_, _>>()
        .map_err(|e| Error::permanent(api.action(), e.to_string()))
}

impl TagCalls<Named<Role>> for IamTags {
    async fn change(
        cx: &Aws,
        it: &Named<Role>,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        const TAG: Api = iam::TAG_ROLE;
        if !set.is_empty() {
            let call = cx.iam.client.tag_role().role_name(&it.name);
            let call = call.set_tags(Some(tags(TAG, set)?));
            cx.call(TAG, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.iam.client.untag_role().role_name(&it.name);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = iam::UNTAG_ROLE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

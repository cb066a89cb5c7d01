//! Tags of log groups.

use crate::resources::prelude::*;

/// CloudWatch Logs' way to change tags: by ARN.
pub enum LogsTags {}

impl<R> TagCalls<Named<R>> for LogsTags {
    async fn change(cx: &Aws, it: &Named<R>, set: &Tags, remove: &[String]) -> Result<(), Error> {
        if !set.is_empty() {
            let call = cx.logs.client.tag_resource().resource_arn(&it.arn);
            let call = call.set_tags(Some(set.clone().into_iter().collect()));
            let api = logs::TAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.logs.client.untag_resource().resource_arn(&it.arn);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = logs::UNTAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

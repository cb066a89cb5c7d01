//! Lambda: functions and what feeds them.

mod exposed;
mod function;
mod rest;
mod stream;

pub use function::{Function, Network};
pub use stream::StreamMapping;

use crate::resources::prelude::*;

/// Lambda's way to change tags: by ARN.
pub enum LambdaTags {}

impl<O: HasArn + Sync> TagCalls<O> for LambdaTags {
    async fn change(cx: &Aws, it: &O, set: &Tags, remove: &[String]) -> Result<(), Error> {
        if !set.is_empty() {
            let call = cx.lambda.client.tag_resource().resource(it.arn());
            let call = call.set_tags(Some(set.clone().into_iter().collect()));
            cx.call(lambda::TAG_RESOURCE, || call.clone().send())
                .await?;
        }
        if !remove.is_empty() {
            let call = cx.lambda.client.untag_resource().resource(it.arn());
            let call = call.set_tag_keys(Some(remove.to_vec()));
            cx.call(lambda::UNTAG_RESOURCE, || call.clone().send())
                .await?;
        }
        Ok(())
    }
}

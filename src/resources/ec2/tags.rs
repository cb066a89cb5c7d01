//! Tags of EC2 resources: given at creation, changed by CreateTags and DeleteTags.

use crate::aws::{Aws, repeatable};
use crate::engine::{Delta, Error, Identity};
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};

/// All tags of an identity and its `Name`, for a create call.
pub(super) fn at_creation(kind: ResourceType, identity: &Identity) -> TagSpecification {
    let tags = identity
        .tags
        .iter()
        .map(|(k, v)| Tag::builder().key(k).value(v).build())
        .collect();
    TagSpecification::builder()
        .resource_type(kind)
        .set_tags(Some(tags))
        .build()
}

/// Sets and removes the tags that differ.
pub(super) async fn update(cx: &Aws, id: &str, delta: &Delta) -> Result<(), Error> {
    if !delta.set_tags.is_empty() {
        let tags: Vec<Tag> = delta
            .set_tags
            .iter()
            .map(|(k, v)| Tag::builder().key(k).value(v).build())
            .collect();
        cx.call(repeatable("ec2", "CreateTags"), || {
            cx.ec2
                .client
                .create_tags()
                .resources(id)
                .set_tags(Some(tags.clone()))
                .send()
        })
        .await?;
    }
    if !delta.remove_tags.is_empty() {
        let tags: Vec<Tag> = delta
            .remove_tags
            .iter()
            .map(|k| Tag::builder().key(k).build())
            .collect();
        cx.call(repeatable("ec2", "DeleteTags"), || {
            cx.ec2
                .client
                .delete_tags()
                .resources(id)
                .set_tags(Some(tags.clone()))
                .send()
        })
        .await?;
    }
    Ok(())
}

//! Tags of EC2's things: given at creation, changed by CreateTags and DeleteTags.

use crate::resources::prelude::*;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};

/// All tags of an identity and its `Name`, for a create call.
pub(super) fn at_creation(kind: ResourceType, identity: &Identity) -> TagSpecification {
    let tags = identity.tags.iter().map(|(k, v)| tag(k).value(v).build());
    TagSpecification::builder()
        .resource_type(kind)
        .set_tags(Some(tags.collect()))
        .build()
}

fn tag(key: &str) -> aws_sdk_ec2::types::builders::TagBuilder {
    Tag::builder().key(key)
}

/// EC2's way to change tags: by id.
pub enum Ec2Tags {}

/// Outputs of EC2: the id is what tags are put on.
pub trait HasId {
    fn id(&self) -> &str;
}

impl<R> HasId for Id<R> {
    fn id(&self) -> &str {
        self.as_str()
    }
}

impl<O: HasId + Sync> TagCalls<O> for Ec2Tags {
    async fn change(cx: &Aws, outputs: &O, set: &Tags, remove: &[String]) -> Result<(), Error> {
        let id = outputs.id();
        if !set.is_empty() {
            let tags: Vec<Tag> = set.iter().map(|(k, v)| tag(k).value(v).build()).collect();
            cx.call(ec2::CREATE_TAGS, || {
                cx.ec2
                    .client
                    .create_tags()
                    .resources(id)
                    .set_tags(Some(tags.clone()))
                    .send()
            })
            .await?;
        }
        if !remove.is_empty() {
            let tags: Vec<Tag> = remove.iter().map(|k| tag(k).build()).collect();
            cx.call(ec2::DELETE_TAGS, || {
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
}

//! Tags of health checks and zones. They cannot be given with the create call: the caller reference says which deployment and
//! step a thing belongs to, and the first tags that are set bring the mark along.

use super::health_check::{HealthCheckOutputs, Reference};
use super::zone::ZoneOutputs;
use crate::engine::Deployment;
use crate::engine::ownership::{MARK_DEPLOYMENT, MARK_STEP, MARK_SUFFIX};
use crate::resources::prelude::*;
use aws_sdk_route53::types::{Tag, TagResourceType};

/// The service's way to change tags of health checks.
pub enum CheckTags {}

/// The service's way to change tags of zones.
pub enum ZoneTags {}

/// The ownership mark that a caller reference stands for.
pub(super) fn mark(cx: &Aws, reference: &Reference) -> Tags {
    let deployment = Deployment {
        account: cx.account.clone(),
        region: cx.region.clone(),
        suffix: reference.suffix.clone(),
    };
    Tags::from([
        (MARK_STEP.to_owned(), reference.step.clone()),
        (MARK_SUFFIX.to_owned(), reference.suffix.clone()),
        (MARK_DEPLOYMENT.to_owned(), deployment.to_string()),
    ])
}

impl TagCalls<HealthCheckOutputs> for CheckTags {
    async fn change(
        cx: &Aws,
        it: &HealthCheckOutputs,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        let kind = TagResourceType::Healthcheck;
        let thing = (kind, it.id.as_str(), it.reference.as_str());
        change(cx, thing, set, remove).await
    }
}

impl TagCalls<ZoneOutputs> for ZoneTags {
    async fn change(
        cx: &Aws,
        it: &ZoneOutputs,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        let kind = TagResourceType::Hostedzone;
        let thing = (kind, it.id.as_str(), it.reference.as_str());
        change(cx, thing, set, remove).await
    }
}

/// Changes the tags of a thing: its kind, its id and its caller reference.
async fn change(
    cx: &Aws,
    (kind, id, reference): (TagResourceType, &str, &str),
    set: &Tags,
    remove: &[String],
) -> Result<(), Error> {
    let mut all = set.clone();
    if !set.is_empty()
        && let Some(reference) = Reference::parse(reference)
    {
        all.extend(mark(cx, &reference));
    }
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    let add: Vec<Tag> = all.iter().map(tag).collect();
    let call = cx.route53.client.change_tags_for_resource();
    let call = call
        .resource_type(kind)
        .resource_id(id)
        .set_add_tags((!add.is_empty()).then_some(add))
        .set_remove_tag_keys((!remove.is_empty()).then(|| remove.to_vec()));
    let api = route53::CHANGE_TAGS_FOR_RESOURCE;
    cx.call(api, || call.clone().send()).await.map(drop)
}

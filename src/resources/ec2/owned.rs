//! Everything of EC2 that carries this deployment's mark, in one DescribeTags.

use crate::aws::{Aws, ec2};
use crate::engine::Error;
use crate::engine::driver::Owned;
use crate::engine::ownership::MARK;
use crate::engine::ownership::{MARK_STEP, MARK_SUFFIX};
use aws_sdk_ec2::types::{Filter, TagDescription};
use std::collections::BTreeMap;

/// What carries `EnvironmentSuffix = suffix`, with the step it says it belongs to. DescribeTags filters tags, not
/// resources, so all tags of the mark are asked for and put together here. The tags of something deleted can stay
/// visible as long as AWS shows it as `deleted` (an hour for transit gateways and endpoints).
pub(super) async fn owned(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let keys = Filter::builder()
        .name("key")
        .set_values(Some(MARK.map(Into::into).into()))
        .build();
    let call = cx.ec2.client.describe_tags().filters(keys);
    let call = call.max_results(1000);
    let send = |token| call.clone().set_next_token(token).send();
    let all = cx.pages(ec2::DESCRIBE_TAGS, send, |page| {
        (page.tags.unwrap_or_default(), page.next_token)
    });
    Ok(marked(&all.await?, suffix))
}

fn marked(tags: &[TagDescription], suffix: &str) -> Vec<Owned> {
    let mut by_id: BTreeMap<&str, (&str, BTreeMap<String, String>)> = BTreeMap::new();
    for tag in tags {
        let kind = tag.resource_type().map_or("unknown", |t| t.as_str());
        let (Some(id), Some(key)) = (tag.resource_id(), tag.key()) else {
            continue;
        };
        let entry = by_id.entry(id).or_insert_with(|| (kind, BTreeMap::new()));
        let value = tag.value().unwrap_or_default().to_owned();
        entry.1.insert(key.to_owned(), value);
    }
    by_id
        .into_iter()
        .filter(|(_, (_, tags))| {
            tags.get(MARK_SUFFIX).is_some_and(|s| s == suffix) && tags.contains_key(MARK_STEP)
        })
        .map(|(id, (kind, tags))| Owned {
            kind: format!("ec2/{}", kind_name(kind)),
            step: tags.get(MARK_STEP).cloned().unwrap_or_default(),
            id: id.to_owned(),
            name: String::new(),
            tags,
        })
        .collect()
}

/// Our name of EC2's resource type. An endpoint's kind (gateway or interface) is not in its tags.
fn kind_name(resource_type: &str) -> String {
    match resource_type {
        "natgateway" => "nat_gateway".into(),
        "vpc-flow-log" => "flow_log".into(),
        other => other.replace('-', "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::ResourceType;

    #[test]
    fn only_this_suffix_counts_and_the_step_is_told() {
        let tag = |id: &str, key: &str, value: &str| {
            TagDescription::builder()
                .resource_id(id)
                .resource_type(ResourceType::InternetGateway)
                .key(key)
                .value(value)
                .build()
        };
        let tags = [
            tag("igw-1", MARK_SUFFIX, "dev"),
            tag("igw-1", MARK_STEP, "igw-green"),
            tag("igw-2", MARK_SUFFIX, "other"),
            tag("igw-2", MARK_STEP, "igw-green"),
        ];
        let found = marked(&tags, "dev");
        assert_eq!(found.len(), 1);
        assert_eq!(
            (
                found[0].id.as_str(),
                found[0].step.as_str(),
                found[0].kind.as_str()
            ),
            ("igw-1", "igw-green", "ec2/internet_gateway")
        );
    }
}

//! The policies of a role: inline ones and attached ones.

use crate::aws::{Aws, iam};
use crate::engine::Error;
use crate::resources::policy::Policy;
use futures::future::try_join_all;
use std::collections::BTreeMap;

pub(super) async fn inline_policies(
    cx: &Aws,
    name: &str,
) -> Result<BTreeMap<String, Policy>, Error> {
    let one = async |policy: String| {
        let answer = cx
            .call(iam::GET_ROLE_POLICY, || {
                cx.iam
                    .client
                    .get_role_policy()
                    .role_name(name)
                    .policy_name(&policy)
                    .send()
            })
            .await?;
        Ok::<_, Error>((policy, Policy::parse(answer.policy_document())))
    };
    let names = inline_names(cx, name).await?;
    let all = try_join_all(names.into_iter().map(one)).await?;
    Ok(all.into_iter().collect())
}

pub(super) async fn inline_names(cx: &Aws, name: &str) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let page = cx
            .call(iam::LIST_ROLE_POLICIES, || {
                cx.iam
                    .client
                    .list_role_policies()
                    .role_name(name)
                    .set_marker(marker.clone())
                    .send()
            })
            .await?;
        all.extend(page.policy_names);
        marker = page.marker.filter(|_| page.is_truncated);
        if marker.is_none() {
            return Ok(all);
        }
    }
}

pub(super) async fn attached(cx: &Aws, name: &str) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let page = cx
            .call(iam::LIST_ATTACHED_ROLE_POLICIES, || {
                cx.iam
                    .client
                    .list_attached_role_policies()
                    .role_name(name)
                    .set_marker(marker.clone())
                    .send()
            })
            .await?;
        let policies = page.attached_policies.unwrap_or_default();
        all.extend(policies.into_iter().filter_map(|p| p.policy_arn));
        marker = page.marker.filter(|_| page.is_truncated);
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// The instance profiles that a role is in, as `instance profile NAME`.
pub(super) async fn profiles(cx: &Aws, name: &str) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let call = cx.iam.client.list_instance_profiles_for_role();
        let call = call.role_name(name).set_marker(marker);
        let api = iam::LIST_INSTANCE_PROFILES_FOR_ROLE;
        let page = cx.call(api, || call.clone().send()).await?;
        let names = page.instance_profiles.iter();
        all.extend(names.map(|p| format!("instance profile {}", p.instance_profile_name)));
        marker = page.marker.filter(|_| page.is_truncated);
        if marker.is_none() {
            return Ok(all);
        }
    }
}

pub(super) async fn delete_inline(cx: &Aws, name: &str, policy: &str) -> Result<(), Error> {
    let call = cx.iam.client.delete_role_policy().role_name(name);
    let call = call.policy_name(policy);
    let api = iam::DELETE_ROLE_POLICY;
    cx.delete(api, || call.clone().send()).await
}

pub(super) async fn detach(cx: &Aws, name: &str, arn: &str) -> Result<(), Error> {
    let call = cx.iam.client.detach_role_policy().role_name(name);
    let call = call.policy_arn(arn);
    let api = iam::DETACH_ROLE_POLICY;
    cx.delete(api, || call.clone().send()).await
}

//! Taking policies away from a role.

use crate::aws::{Aws, iam};
use crate::engine::Error;

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

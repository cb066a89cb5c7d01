//! Whom somebody let read a secret: its resource policy and its copies in other regions.

use crate::resources::prelude::*;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;

/// How the entries begin.
const POLICY: &str = "policy";
const REPLICA: &str = "replica/";

/// Both, of a secret that was described; `None` when it is gone.
pub(super) async fn of(
    cx: &Aws,
    id: &str,
    shown: &DescribeSecretOutput,
) -> Result<Option<Exposed>, Error> {
    let call = cx.secretsmanager.client.get_resource_policy().secret_id(id);
    let api = secretsmanager::GET_RESOURCE_POLICY;
    let Some(policy) = found(cx.call(api, || call.clone().send()).await)? else {
        return Ok(None);
    };
    let policy = policy.resource_policy.into_iter();
    let mut out: Exposed = policy.map(|p| (POLICY.to_owned(), p)).collect();
    for copy in shown.replication_status() {
        let region = copy.region().unwrap_or_default();
        let status = copy.status().map(|s| s.as_str()).unwrap_or_default();
        out.insert(format!("{REPLICA}{region}"), status.to_owned());
    }
    Ok(Some(out))
}

/// Takes one of them away.
pub(super) async fn close(cx: &Aws, id: &str, what: &str) -> Result<(), Error> {
    let client = &cx.secretsmanager.client;
    if let Some(region) = what.strip_prefix(REPLICA) {
        let call = client.remove_regions_from_replication();
        let call = call.secret_id(id).remove_replica_regions(region);
        let api = secretsmanager::REMOVE_REGIONS_FROM_REPLICATION;
        return cx.delete(api, || call.clone().send()).await;
    }
    let call = client.delete_resource_policy().secret_id(id);
    let api = secretsmanager::DELETE_RESOURCE_POLICY;
    cx.delete(api, || call.clone().send()).await
}

/// Removes the copies in other regions: a secret that has some cannot be deleted.
pub(super) async fn remove_copies(
    cx: &Aws,
    id: &str,
    shown: &DescribeSecretOutput,
) -> Result<(), Error> {
    for copy in shown.replication_status() {
        let region = copy.region().unwrap_or_default();
        close(cx, id, &format!("{REPLICA}{region}")).await?;
    }
    Ok(())
}

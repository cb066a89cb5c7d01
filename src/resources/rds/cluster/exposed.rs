//! Who was let into a cluster by settings whose default is "nothing", and what others put into it.

use super::ClusterOutputs;
use crate::aws::rds_tags_of;
use crate::engine::Change;
use crate::resources::prelude::*;
use aws_sdk_rds::types::{ActivityStreamStatus, DbCluster, DbInstance};

/// How the entries of `exposed` begin.
const ROLE: &str = "role/";
const ACTIVITY: &str = "activity stream";
const HTTP: &str = "HTTP endpoint";

/// Roles, activity stream and HTTP endpoint, from the answer that tells the settings.
pub(super) fn of(cluster: &DbCluster) -> Exposed {
    let roles = cluster.associated_roles().iter().filter_map(|role| {
        let feature = role.feature_name().unwrap_or_default();
        Some((format!("{ROLE}{}", role.role_arn()?), feature.to_owned()))
    });
    let mut out: Exposed = roles.collect();
    let stream = cluster.activity_stream_status();
    if let Some(on @ (ActivityStreamStatus::Started | ActivityStreamStatus::Starting)) = stream {
        let to = cluster.activity_stream_kinesis_stream_name();
        out.insert(ACTIVITY.to_owned(), to.unwrap_or(on.as_str()).to_owned());
    }
    if cluster.http_endpoint_enabled() == Some(true) {
        out.insert(HTTP.to_owned(), "on".to_owned());
    }
    out
}

/// Takes away what `change` names.
pub(super) async fn close(cx: &Aws, it: &ClusterOutputs, change: &Change) -> Result<(), Error> {
    let client = &cx.rds.client;
    let what = change.entry().unwrap_or_default();
    if let Some(role) = what.strip_prefix(ROLE) {
        // "The feature-name parameter must be provided with the current operation for the Aurora (PostgreSQL) engine."
        // (terraform-aws-modules/terraform-aws-rds-aurora#129)
        let feature = change.have.as_ref().and_then(|f| f.as_str());
        let call = client.remove_role_from_db_cluster();
        let call = call.db_cluster_identifier(&it.id).role_arn(role);
        let call = call.set_feature_name(feature.filter(|f| !f.is_empty()).map(str::to_owned));
        let api = rds::REMOVE_ROLE_FROM_DB_CLUSTER;
        cx.delete(api, || call.clone().send()).await
    } else if what == ACTIVITY {
        let call = client.stop_activity_stream().resource_arn(&it.arn);
        let call = call.apply_immediately(true);
        let api = rds::STOP_ACTIVITY_STREAM;
        cx.call(api, || call.clone().send()).await.map(drop)
    } else {
        let call = client.disable_http_endpoint().resource_arn(&it.arn);
        let api = rds::DISABLE_HTTP_ENDPOINT;
        cx.call(api, || call.clone().send()).await.map(drop)
    }
}

/// What others put into the cluster, or made of it.
pub(super) async fn members(
    cx: &Aws,
    cluster: &DbCluster,
    id: &str,
    identity: &Identity,
) -> Result<Vec<String>, Error> {
    let all = cx.rds.instances.all().await?;
    let tags = |name: &str| {
        let is_it = |i: &&DbInstance| i.db_instance_identifier() == Some(name);
        all.iter().find(is_it).map(|i| rds_tags_of(i.tag_list()))
    };
    let members = cluster.db_cluster_members().iter();
    let members = members.filter_map(|m| m.db_instance_identifier());
    // One that the listing does not show yet was made a moment ago: whose it is, a later read tells.
    let foreign = |name: &&str| tags(name).is_some_and(|t| !of_deployment(identity, &t));
    let mut out: Vec<String> = members
        .filter(foreign)
        .map(|name| format!("instance {name}"))
        .collect();
    let global = cluster.global_cluster_identifier();
    out.extend(
        global
            .filter(|g| !g.is_empty())
            .map(|g| format!("global cluster {g}")),
    );
    out.extend(shared_snapshots(cx, id).await?);
    Ok(out)
}

/// With whom snapshots are shared that somebody took by hand; AWS's own cannot be shared.
async fn shared_snapshots(cx: &Aws, id: &str) -> Result<Vec<String>, Error> {
    const READ: Api = crate::aws::rds::DESCRIBE_DB_CLUSTER_SNAPSHOT_ATTRIBUTES;
    let mut out = Vec::new();
    let all = cx.rds.manual_snapshots.all().await?;
    let own = all.iter().filter(|s| s.db_cluster_identifier() == Some(id));
    for name in own.filter_map(|s| s.db_cluster_snapshot_identifier()) {
        let call = cx.rds.client.describe_db_cluster_snapshot_attributes();
        let call = call.db_cluster_snapshot_identifier(name);
        let answer = found(cx.call(READ, || call.clone().send()).await)?;
        let result = answer.and_then(|a| a.db_cluster_snapshot_attributes_result);
        let attributes = result
            .iter()
            .flat_map(|r| r.db_cluster_snapshot_attributes());
        let accounts = attributes
            .filter(|a| a.attribute_name() == Some("restore"))
            .flat_map(|a| a.attribute_values());
        out.extend(accounts.map(|who| format!("snapshot {name} shared with {who}")));
    }
    Ok(out)
}

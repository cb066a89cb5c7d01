//! What keeps a cluster from being deleted, and what is done about it.

use super::MODIFY;
use crate::resources::holders::{self, held_by};
use crate::resources::prelude::*;
use crate::resources::rds::status::{is_stopped, phase};
use aws_sdk_rds::types::DbCluster;

const START: Api = rds::START_DB_CLUSTER;

/// A stopped cluster can't be deleted, nor its instances: "start the cluster before deleting it" ("Deleting a stopped
/// Aurora cluster"). Starts it and gives the refusal back as one that passes; any other refusal as it is.
pub(in crate::resources::rds) async fn start_to_delete(
    cx: &Aws,
    cluster: &DbCluster,
    refusal: Error,
) -> Error {
    let id = cluster.db_cluster_identifier().unwrap_or_default();
    if !is_stopped(cluster.status()) {
        return refusal;
    }
    match start(cx, id).await {
        Ok(()) => Error {
            class: Class::NotReady,
            ..refusal
        },
        Err(error) => error,
    }
}

pub(super) async fn start(cx: &Aws, id: &str) -> Result<(), Error> {
    let call = cx.rds.client.start_db_cluster().db_cluster_identifier(id);
    let answer = cx.call(START, || call.clone().send()).await;
    match answer {
        // It is starting or runs already; the next read tells.
        Err(error) if error.code == "InvalidDBClusterStateFault" => Ok(()),
        other => other.map(drop),
    }
}

/// Removes what keeps a cluster from being deleted, or names it: a cluster that is stopped is started, protection that
/// the user agreed to lift is switched off (its instances are gone by now), and instances that are left are named. Nobody holds
/// one that is being deleted already (the answer to an earlier call was lost).
pub(super) async fn remove_blockers(
    cx: &Aws,
    id: &str,
    error: Error,
    options: &DeleteOptions,
) -> Result<(), Error> {
    let Ok(Some(cluster)) = cx.rds.clusters.named(id).await else {
        return Err(error);
    };
    if phase(cluster.status()) == Phase::Deleting {
        return Ok(());
    }
    if is_stopped(cluster.status()) {
        return Err(start_to_delete(cx, &cluster, error).await);
    }
    if cluster.deletion_protection() == Some(true) && !options.lift_protection {
        return Err(error.hint(
            "deletion protection was switched on after the plan was made; run the same command again to see it in the plan",
        ));
    }
    if cluster.deletion_protection() == Some(true) {
        let off = cx.rds.client.modify_db_cluster().db_cluster_identifier(id);
        let off = off.deletion_protection(false).apply_immediately(true);
        cx.call(MODIFY, || off.clone().send()).await?;
        return Err(Error {
            class: Class::NotReady,
            ..error
        });
    }
    let members = cluster.db_cluster_members().iter();
    let ids: Vec<&str> = members.filter_map(|m| m.db_instance_identifier()).collect();
    let Ok(instances) = cx.rds.instances.all().await else {
        return Err(error);
    };
    let named = ids.into_iter().map(|id| {
        let instance = instances
            .iter()
            .find(|i| i.db_instance_identifier() == Some(id));
        match instance.map(|i| phase(i.db_instance_status())) {
            Some(Phase::Deleting) | None => holders::Named {
                text: format!("instance `{id}`, whose deletion takes 5 to 10 minutes"),
                stays: false,
            },
            Some(_) => holders::Named::stays(format!("instance `{id}`")),
        }
    });
    Err(held_by(error, named.collect()))
}

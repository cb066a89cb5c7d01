//! Whether changed parameters are in force on an instance, and the reboot that brings them into force.

use super::{Cluster, Instance, phase};
use crate::engine::progress;
use crate::resources::prelude::*;
use aws_sdk_rds::types::{DbCluster, DbInstance};
use std::time::Duration;

const REBOOT: Api = rds::REBOOT_DB_INSTANCE;

/// How long a reboot is waited for before the next instance's turn; it takes about a minute.
const REBOOT_TAKES: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_secs(2);

impl Instance {
    /// Reboots once, and only while no other instance reboots. A call that is repeated finds the instance rebooting or
    /// rebooted and leaves it alone.
    pub(super) async fn reboot(&self, cx: &Aws, id: &str) -> Result<(), Error> {
        let _turn = cx.rds.reboots.lock().await;
        progress::go_on("rds:RebootDBInstance")?;
        let Some((instance, cluster)) = read_both(cx, id, &self.cluster).await? else {
            return Ok(());
        };
        let waits = !applied(&instance, cluster.as_ref());
        if !waits || phase(instance.db_instance_status()) != Phase::Ready {
            return Ok(());
        }
        let call = cx.rds.client.reboot_db_instance();
        let call = call.db_instance_identifier(id);
        cx.call(REBOOT, || call.clone().send()).await?;
        // The next one's turn comes when this one serves again; a reboot that takes longer must not hold the others.
        let began = tokio::time::Instant::now();
        while began.elapsed() < REBOOT_TAKES {
            progress::sleep(POLL).await;
            progress::go_on("rds:RebootDBInstance")?;
            match read_both(cx, id, &self.cluster).await? {
                Some((instance, cluster)) if !applied(&instance, cluster.as_ref()) => {}
                Some((instance, _)) if phase(instance.db_instance_status()) == Phase::Settling => {}
                _ => break,
            }
        }
        Ok(())
    }
}

/// The instance and its cluster, whose member list tells the state of the cluster's parameters. Both are asked in one
/// tick when the cluster's name is known.
pub(super) async fn read_both(
    cx: &Aws,
    id: &str,
    cluster: &Ref<Cluster>,
) -> Result<Option<(DbInstance, Option<DbCluster>)>, Error> {
    let clusters = &cx.rds.clusters;
    let known = Some(cluster.as_str()).filter(|c| !c.contains("@{"));
    let guess = async {
        match known {
            Some(name) => clusters.named(name).await,
            None => Ok(None),
        }
    };
    let (instance, guess) = futures::try_join!(cx.rds.instances.named(id), guess)?;
    let Some(instance) = instance else {
        return Ok(None);
    };
    let cluster = match instance.db_cluster_identifier() {
        Some(name) if known != Some(name) => clusters.named(name).await?,
        Some(_) => guess,
        None => None,
    };
    Ok(Some((instance, cluster)))
}

pub(super) fn applied(instance: &DbInstance, cluster: Option<&DbCluster>) -> bool {
    const WAITS: Option<&str> = Some("pending-reboot");
    let own = instance.db_parameter_groups().iter();
    let members = cluster
        .map(DbCluster::db_cluster_members)
        .unwrap_or_default();
    let member = members
        .iter()
        .find(|m| m.db_instance_identifier() == instance.db_instance_identifier());
    let mut own = own.map(|g| g.parameter_apply_status());
    !own.any(|s| s == WAITS) && member.and_then(|m| m.db_cluster_parameter_group_status()) != WAITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_rds::types::{DbClusterMember, DbParameterGroupStatus};

    #[test]
    fn a_reboot_is_due_when_the_own_group_or_the_clusters_waits_for_one() {
        let check = |own: &str, clusters: &str| {
            let own = DbParameterGroupStatus::builder()
                .db_parameter_group_name("g")
                .parameter_apply_status(own);
            let instance = DbInstance::builder()
                .db_instance_identifier("i")
                .db_parameter_groups(own.build())
                .build();
            let member = |id: &str, status: &str| {
                DbClusterMember::builder()
                    .db_instance_identifier(id)
                    .db_cluster_parameter_group_status(status)
                    .build()
            };
            let cluster = DbCluster::builder()
                .db_cluster_members(member("other", "pending-reboot"))
                .db_cluster_members(member("i", clusters));
            applied(&instance, Some(&cluster.build()))
        };
        assert!(check("in-sync", "in-sync"));
        assert!(check("applying", "in-sync"));
        assert!(!check("pending-reboot", "in-sync"));
        assert!(!check("in-sync", "pending-reboot"));
    }
}

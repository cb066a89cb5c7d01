//! A cluster as RDS shows it, in the struct that was written.

use super::{Capacity, Cluster, ClusterOutputs};
use crate::aws::{Api, rds_tags_of};
use crate::engine::{Error, Ref};
use crate::resources::minimum::Minimum;
use crate::resources::rds::status::is_stopped;
use crate::resources::rds::{major, version};
use aws_sdk_rds::types::DbCluster;
use std::collections::BTreeMap;

/// What AWS has accepted counts, whether it is in effect or still pending (`PendingModifiedValues`): our own immediate
/// change is then not sent twice, and one that waits for the maintenance window is reported now.
pub(super) fn settings(cluster: &DbCluster, id: &str, want_version: &str) -> Cluster {
    let pending = cluster.pending_modified_values();
    let running_version = pending
        .and_then(|p| p.engine_version())
        .or(cluster.engine_version())
        .unwrap_or_default();
    let engine_version = if version::covers(running_version, want_version) {
        want_version
    } else {
        running_version
    };
    let capacity = cluster.serverless_v2_scaling_configuration();
    let least = capacity.and_then(|c| c.min_capacity()).unwrap_or_default();
    let held = Minimum::of(&rds_tags_of(cluster.tag_list()));
    let (least, held) = Minimum::split(held, least);
    let owned = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let groups = cluster.vpc_security_groups().iter();
    Cluster {
        engine: owned(cluster.engine()),
        major_version: major(running_version).to_owned(),
        engine_version: engine_version.to_owned(),
        running_version: running_version.to_owned(),
        database: owned(cluster.database_name()),
        master_user: owned(cluster.master_username()),
        secret_key: cluster
            .master_user_secret()
            .map(|s| s.kms_key_id().unwrap_or_default().into()),
        port: cluster.port().unwrap_or_default(),
        subnet_group: cluster.db_subnet_group().unwrap_or_default().into(),
        parameter_group: cluster
            .db_cluster_parameter_group()
            .unwrap_or_default()
            .into(),
        instance_parameters: None,
        security_groups: groups
            .filter(|g| g.status() != Some("removing"))
            .filter_map(|g| g.vpc_security_group_id())
            .map(Ref::from)
            .collect(),
        storage_key: cluster.kms_key_id().map(Ref::from),
        capacity: Capacity {
            min: least,
            max: capacity.and_then(|c| c.max_capacity()).unwrap_or_default(),
        },
        backup_days: pending
            .and_then(|p| p.backup_retention_period())
            .or(cluster.backup_retention_period())
            .unwrap_or_default(),
        backup_window: owned(cluster.preferred_backup_window()),
        maintenance_window: owned(cluster.preferred_maintenance_window()),
        // "By default, minor engine upgrades are applied automatically" (CreateDBCluster).
        auto_minor_upgrades: cluster.auto_minor_version_upgrade().unwrap_or(true),
        iam_authentication: pending
            .and_then(|p| p.iam_database_authentication_enabled())
            .or(cluster.iam_database_authentication_enabled())
            .unwrap_or(false),
        log_exports: log_exports(cluster, id),
        copy_tags: cluster.copy_tags_to_snapshot().unwrap_or(false),
        deletion_protection: cluster.deletion_protection().unwrap_or(false),
        running: !is_stopped(cluster.status()) && cluster.status() != Some("stopping"),
        exposed: Default::default(),
        held,
        members: Vec::new(),
    }
}

/// True for a cluster that is about to become one of another major version.
pub(super) fn is_to_be_upgraded(cluster: &DbCluster) -> bool {
    let pending = cluster.pending_modified_values();
    let next = pending.and_then(|p| p.engine_version()).map(major);
    next.is_some() && next != cluster.engine_version().map(major)
}

fn log_exports(cluster: &DbCluster, id: &str) -> BTreeMap<String, String> {
    let group = |kind: &String| (kind.clone(), format!("/aws/rds/cluster/{id}/{kind}"));
    let enabled = cluster.enabled_cloudwatch_logs_exports();
    let mut out: BTreeMap<String, String> = enabled.iter().map(group).collect();
    let pending = cluster
        .pending_modified_values()
        .and_then(|p| p.pending_cloudwatch_logs_exports());
    if let Some(pending) = pending {
        out.extend(pending.log_types_to_enable().iter().map(group));
        out.retain(|kind, _| !pending.log_types_to_disable().contains(kind));
    }
    out
}

pub(super) fn outputs(cluster: &DbCluster, id: &str, api: Api) -> Result<ClusterOutputs, Error> {
    let known = |value: Option<&str>| value.unwrap_or_default().into();
    let secret = cluster.master_user_secret().and_then(|s| s.secret_arn());
    Ok(ClusterOutputs {
        id: id.into(),
        arn: api.field(cluster.db_cluster_arn(), "DBClusterArn")?,
        resource_id: known(cluster.db_cluster_resource_id()),
        writer_endpoint: known(cluster.endpoint()),
        reader_endpoint: known(cluster.reader_endpoint()),
        port: cluster.port().map(Into::into),
        secret_arn: secret.unwrap_or_default().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_rds::types::{ClusterPendingModifiedValues, PendingCloudwatchLogsExports};

    #[test]
    fn later_minor_versions_count_as_the_wanted_one_and_earlier_ones_do_not() {
        let at = |version: &str| {
            let cluster = DbCluster::builder().engine_version(version).build();
            settings(&cluster, "c", "14.6")
        };
        let later = at("14.9");
        assert_eq!(
            (
                later.engine_version.as_str(),
                later.running_version.as_str()
            ),
            ("14.6", "14.9")
        );
        assert_eq!(at("14.5").engine_version, "14.5");
        assert_eq!(at("15.2").major_version, "15");
    }

    #[test]
    fn a_cluster_with_another_major_version_ahead_has_not_settled() {
        let ahead = |version: &str| {
            let pending = ClusterPendingModifiedValues::builder().engine_version(version);
            let cluster = DbCluster::builder().engine_version("14.6");
            is_to_be_upgraded(&cluster.pending_modified_values(pending.build()).build())
        };
        assert!(ahead("15.8") && !ahead("14.9"));
        let settled = DbCluster::builder().engine_version("14.6").build();
        assert!(!is_to_be_upgraded(&settled));
    }

    #[test]
    fn what_aws_has_accepted_counts_before_it_is_in_effect() {
        let exports = PendingCloudwatchLogsExports::builder()
            .log_types_to_enable("postgresql")
            .log_types_to_disable("upgrade");
        let pending = ClusterPendingModifiedValues::builder()
            .backup_retention_period(7)
            .pending_cloudwatch_logs_exports(exports.build());
        let cluster = DbCluster::builder()
            .backup_retention_period(35)
            .enabled_cloudwatch_logs_exports("upgrade")
            .pending_modified_values(pending.build());
        let have = settings(&cluster.build(), "c", "14.6");
        assert_eq!(have.backup_days, 7);
        let logs: Vec<_> = have.log_exports.into_values().collect();
        assert_eq!(logs, ["/aws/rds/cluster/c/postgresql"]);
    }
}

//! What ModifyDBCluster is sent.

use super::{Cluster, ClusterOutputs, text};
use crate::aws::{Aws, rds_tags_of};
use crate::engine::diff::Change;
use crate::engine::{Delta, Error};
use crate::resources::minimum::Minimum;
use crate::resources::rds::{RdsTags, version};
use crate::resources::texts;
use aws_sdk_rds::operation::modify_db_cluster::builders::ModifyDBClusterFluentBuilder;
use aws_sdk_rds::types::{CloudwatchLogsExportConfiguration, ServerlessV2ScalingConfiguration};

impl Cluster {
    /// The same with the capacity that the traffic command holds under this one, noted before it is set.
    pub(super) async fn holding(&self, cx: &Aws, it: &ClusterOutputs) -> Result<Self, Error> {
        let mut out = self.clone();
        let live = cx.rds.clusters.named(it.id.as_str()).await?;
        let tags = live.map(|cluster| rds_tags_of(cluster.tag_list()));
        if let Some(held) = tags.as_ref().and_then(Minimum::of) {
            let held = held.under(self.capacity.min, self.capacity.max);
            RdsTags::change_of(cx, it.arn.as_str(), &held.tag(), &[]).await?;
            out.capacity.min = held.is;
        }
        Ok(out)
    }

    pub(super) fn scaling(&self) -> ServerlessV2ScalingConfiguration {
        ServerlessV2ScalingConfiguration::builder()
            .min_capacity(self.capacity.min)
            .max_capacity(self.capacity.max)
            .build()
    }

    /// "If the DB cluster already manages the master user password in Secrets Manager, you can't change the KMS key"
    /// (ModifyDBCluster, MasterUserSecretKmsKeyId). Turning it off first would need a password in our hands.
    pub(super) fn refuse_other_secret_key(&self, delta: &Delta) -> Result<(), Error> {
        let key = |c: &&Change| c.field() == "secret_key";
        match delta.changes.iter().find(key) {
            Some(change) if change.have.is_some() || change.want.is_none() => {
                Err(Error::permanent(
                    "rds:ModifyDBCluster",
                    "the secret of the master password has another KMS key, and AWS cannot change it in place",
                )
                .hint("set a password of your own in the console (this ends the management by RDS), then run `deployer apply`: it hands the password back to RDS with the right key"))
            }
            _ => Ok(()),
        }
    }

    /// One ModifyDBCluster with exactly what differs.
    pub(super) fn modification(
        &self,
        cx: &Aws,
        id: &str,
        delta: &Delta,
    ) -> ModifyDBClusterFluentBuilder {
        let mut call = cx
            .rds
            .client
            .modify_db_cluster()
            .db_cluster_identifier(id)
            .apply_immediately(true);
        let mut logs: (Vec<String>, Vec<String>) = Default::default();
        for change in &delta.changes {
            call = match change.field() {
                // What runs is late enough already: the wish went down, and RDS never downgrades.
                "engine_version" if self.is_covered(change) => call,
                "engine_version" => call.engine_version(&self.engine_version),
                "secret_key" => call
                    .manage_master_user_password(true)
                    .set_master_user_secret_kms_key_id(text(&self.secret_key)),
                "port" => call.port(self.port),
                "parameter_group" => {
                    call.db_cluster_parameter_group_name(self.parameter_group.as_str())
                }
                "security_groups" => {
                    call.set_vpc_security_group_ids(Some(texts(&self.security_groups)))
                }
                "capacity" => call.serverless_v2_scaling_configuration(self.scaling()),
                "backup_days" => call.backup_retention_period(self.backup_days),
                "backup_window" => call.preferred_backup_window(&self.backup_window),
                "maintenance_window" => call.preferred_maintenance_window(&self.maintenance_window),
                "auto_minor_upgrades" => call.auto_minor_version_upgrade(self.auto_minor_upgrades),
                "iam_authentication" => {
                    call.enable_iam_database_authentication(self.iam_authentication)
                }
                "log_exports" => {
                    let name = change.entry().unwrap_or_default();
                    let side = if self.log_exports.contains_key(name) {
                        &mut logs.0
                    } else {
                        &mut logs.1
                    };
                    side.push(name.to_owned());
                    call
                }
                "copy_tags" => call.copy_tags_to_snapshot(self.copy_tags),
                "deletion_protection" => call.deletion_protection(self.deletion_protection),
                _ => call,
            };
        }
        if !logs.0.is_empty() || !logs.1.is_empty() {
            let exports = CloudwatchLogsExportConfiguration::builder()
                .set_enable_log_types(Some(logs.0).filter(|l| !l.is_empty()))
                .set_disable_log_types(Some(logs.1).filter(|l| !l.is_empty()));
            call = call.cloudwatch_logs_export_configuration(exports.build());
        }
        call
    }

    /// The ModifyDBCluster of a major upgrade. Groups of another family do not fit it: both kinds change with it ("The current DB
    /// instance parameter group .. is custom. You must explicitly specify a new DB instance parameter group").
    pub(super) fn major_upgrade(&self, cx: &Aws, id: &str) -> ModifyDBClusterFluentBuilder {
        cx.rds
            .client
            .modify_db_cluster()
            .db_cluster_identifier(id)
            .engine_version(&self.engine_version)
            .allow_major_version_upgrade(true)
            .db_cluster_parameter_group_name(self.parameter_group.as_str())
            .set_db_instance_parameter_group_name(text(&self.instance_parameters))
            .apply_immediately(true)
    }

    fn is_covered(&self, change: &Change) -> bool {
        let have = change.have.as_ref().and_then(serde_json::Value::as_str);
        have.is_some_and(|have| version::covers(have, &self.engine_version))
    }
}

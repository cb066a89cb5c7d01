//! A cluster that vanished, and what RDS still has of it: snapshots, and automated backups that were retained when it was deleted
//! ("Retaining automated backups" in the Aurora user guide).

use super::{Cluster, ClusterOutputs, live, text};
use crate::aws::{Api, Aws, rds, stamp};
use crate::engine::backup::LATEST;
use crate::engine::{Backup, Error, Identity, Remains};
use crate::resources::rds::cluster_snapshot::{Which, is_final, list};
use crate::resources::rds::{major, tags};
use crate::resources::recovery_points::not_asked;
use crate::resources::{found, texts};
use aws_sdk_rds::types::{DbClusterAutomatedBackup, DbClusterSnapshot};
use aws_smithy_types::DateTime;
use serde::{Deserialize, Serialize};

const BACKUPS: Api = rds::DESCRIBE_DB_CLUSTER_AUTOMATED_BACKUPS;
const FROM_SNAPSHOT: Api = rds::RESTORE_DB_CLUSTER_FROM_SNAPSHOT;
const TO_POINT_IN_TIME: Api = rds::RESTORE_DB_CLUSTER_TO_POINT_IN_TIME;

/// What the restore call is sent.
#[derive(Debug, Serialize, Deserialize)]
enum Source {
    /// A snapshot, and the version that it is of: without one RDS takes its own default.
    Snapshot { arn: String, version: String },
    /// The automated backups of a cluster with this resource id.
    Retained { cluster: String },
}

/// The settings that both restore calls take.
macro_rules! with_settings {
    ($call:expr, $of:expr, $identity:expr) => {
        $call
            .db_cluster_identifier(&$identity.name)
            .port($of.port)
            .db_subnet_group_name(&$of.subnet_group)
            .db_cluster_parameter_group_name(&$of.parameter_group)
            .set_vpc_security_group_ids(Some(texts(&$of.security_groups)))
            .set_kms_key_id(text(&$of.storage_key))
            .serverless_v2_scaling_configuration($of.scaling())
            .backup_retention_period($of.backup_days)
            .preferred_backup_window(&$of.backup_window)
            .enable_iam_database_authentication($of.iam_authentication)
            .set_enable_cloudwatch_logs_exports(Some($of.log_exports.keys().cloned().collect()))
            .copy_tags_to_snapshot($of.copy_tags)
            .deletion_protection($of.deletion_protection)
            .set_tags(tags::at_creation($identity))
    };
}

impl Cluster {
    /// What RDS has of the cluster with this name.
    pub(super) async fn backups(
        &self,
        cx: &Aws,
        name: &str,
        known: Option<&ClusterOutputs>,
    ) -> Result<Remains, Error> {
        let retained = retained(cx, name);
        let snapshots = list(cx, Which::All, Some(name), None);
        let (retained, snapshots) = futures::try_join!(retained, snapshots)?;
        let id = known.map(|k| k.resource_id.as_str()).unwrap_or_default();
        let retained = retained.iter().filter_map(|b| self.retained(b, id));
        let snapshots = snapshots.iter().filter_map(|s| self.snapshot(s, id));
        let all: Vec<Backup> = retained.chain(snapshots).collect();
        let remains = match all.is_empty() {
            true => {
                Remains::nothing("RDS has neither a snapshot nor retained automated backups of it")
            }
            false => Remains::of(all),
        };
        let arn = known.map_or(name, |k| k.arn.as_str());
        Ok(remains.with(not_asked(arn)))
    }

    fn retained(&self, backup: &DbClusterAutomatedBackup, id: &str) -> Option<Backup> {
        if backup.status() != Some("retained") || backup.engine() != Some(&self.engine) {
            return None;
        }
        let window = backup.restore_window()?;
        let cluster = backup.db_cluster_resource_id()?.to_owned();
        let version = backup.engine_version().unwrap_or_default();
        Some(Backup {
            // Of an earlier cluster of this name there can be another one.
            name: if id.is_empty() || cluster == id {
                LATEST.to_owned()
            } else {
                format!("{LATEST} of {cluster}")
            },
            text: "automated backups that RDS retained".to_owned(),
            at: window.latest_time().and_then(stamp)?,
            since: window.earliest_time().and_then(stamp),
            unfit: self.unfit(version, backup.master_username()),
            source: serde_json::to_value(Source::Retained { cluster }).ok()?,
        })
    }

    fn snapshot(&self, snapshot: &DbClusterSnapshot, id: &str) -> Option<Backup> {
        if snapshot.status() != Some("available") || snapshot.engine() != Some(&self.engine) {
            return None;
        }
        let name = snapshot.db_cluster_snapshot_identifier()?;
        let arn = snapshot.db_cluster_snapshot_arn()?.to_owned();
        let version = snapshot.engine_version().unwrap_or_default().to_owned();
        let unfit = self.unfit(&version, snapshot.master_username());
        let suffix = snapshot.db_cluster_identifier()?.rsplit('-').next()?;
        let mut text = match snapshot.snapshot_type() {
            Some("automated") => "automated snapshot",
            _ if is_final(name, suffix) => "final snapshot",
            _ => "manual snapshot",
        }
        .to_owned();
        let of = snapshot.db_cluster_resource_id().unwrap_or_default();
        if !id.is_empty() && !of.is_empty() && of != id {
            text.push_str(" of an earlier cluster of this name");
        }
        Some(Backup {
            name: name.to_owned(),
            text,
            at: snapshot.snapshot_create_time().and_then(stamp)?,
            since: None,
            unfit,
            source: serde_json::to_value(Source::Snapshot { arn, version }).ok()?,
        })
    }

    /// Why a backup cannot become this cluster: what a restore brings along and nothing changes afterwards.
    fn unfit(&self, version: &str, user: Option<&str>) -> Option<String> {
        if major(version) != self.major_version {
            return Some(format!(
                "it is of version {version}; set `database.engine_version` to {version}, restore, and change the version afterwards"
            ));
        }
        let user = user.filter(|user| *user != self.master_user)?;
        Some(format!(
            "its master user is `{user}`; set `database.master_user` to {user}"
        ))
    }

    /// One restore call. The password stays that of the backup until `update` hands it over to RDS.
    pub(super) async fn made_from(
        &self,
        cx: &Aws,
        identity: &Identity,
        from: &Backup,
    ) -> Result<ClusterOutputs, Error> {
        let source = Source::deserialize(&from.source)
            .map_err(|e| Error::permanent("restore", e.to_string()))?;
        let (api, cluster) = match source {
            Source::Snapshot { arn, version } => {
                let call = cx.rds.client.restore_db_cluster_from_snapshot();
                let call = with_settings!(call, self, identity)
                    .snapshot_identifier(arn)
                    .engine(&self.engine)
                    .engine_version(version);
                let made = cx.call(FROM_SNAPSHOT, || call.clone().send()).await?;
                (FROM_SNAPSHOT, made.db_cluster)
            }
            Source::Retained { cluster } => {
                let latest = from.since.is_some();
                let call = cx.rds.client.restore_db_cluster_to_point_in_time();
                let call = with_settings!(call, self, identity)
                    .source_db_cluster_resource_id(cluster)
                    .set_use_latest_restorable_time(latest.then_some(true))
                    .set_restore_to_time(
                        (!latest).then(|| DateTime::from_secs(from.at.as_second())),
                    );
                let made = cx.call(TO_POINT_IN_TIME, || call.clone().send()).await?;
                (TO_POINT_IN_TIME, made.db_cluster)
            }
        };
        let cluster = cluster.ok_or_else(|| api.missing("DBCluster"))?;
        live::outputs(&cluster, &identity.name, api)
    }
}

/// Automated backups of clusters with this name.
async fn retained(cx: &Aws, name: &str) -> Result<Vec<DbClusterAutomatedBackup>, Error> {
    let call = cx.rds.client.describe_db_cluster_automated_backups();
    let call = call.db_cluster_identifier(name).max_records(100);
    let send = |marker| call.clone().set_marker(marker).send();
    let all = cx.pages(BACKUPS, send, |page| {
        let backups = page.db_cluster_automated_backups;
        (backups.unwrap_or_default(), page.marker)
    });
    Ok(found(all.await)?.unwrap_or_default())
}

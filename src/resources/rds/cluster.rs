//! An Aurora PostgreSQL cluster on Serverless v2: storage, endpoints, backups, and the master password in RDS's own hands.

use super::cluster_parameter_group::ClusterParameterGroupName;
use super::status::phase;
use super::subnet_group::SubnetGroupName;
use super::{IDENTIFIER, major, tags, version};
use crate::aws::{Aws, once, rds_tags_of, repeatable};
use crate::engine::driver::Owned;
use crate::engine::graph::NameRule;
use crate::engine::{Class, Delegated, Delta, Fault, Handle, Identity, Kind, Phase, Ref};
use crate::resources::ec2::SecurityGroupId;
use crate::resources::kms::KeyArn;
use crate::resources::owned::marked;
use crate::resources::{Found, Lookup, Resource, gone_is_fine, lacks};
use aws_sdk_rds::types::{
    CloudwatchLogsExportConfiguration, DbCluster, ServerlessV2ScalingConfiguration,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The settings of a cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cluster {
    /// `aurora-postgresql`.
    pub engine: String,
    /// The major version. Another one is another cluster: an upgrade in place cannot be taken back, and the platform
    /// has its blue and green side for that.
    pub major_version: String,
    /// The version to run at least. A later minor version counts as this one; an earlier one is upgraded.
    pub engine_version: String,
    /// The version that runs. RDS upgrades it by itself.
    pub running_version: String,
    /// Name of the first database.
    pub database: String,
    /// The master user.
    pub master_user: String,
    /// The key of the secret in which RDS keeps and rotates the master password; `None` when RDS does not manage it.
    pub secret_key: Option<Ref<KeyArn>>,
    /// The port of both endpoints.
    pub port: i32,
    /// Where its instances are.
    pub subnet_group: Ref<SubnetGroupName>,
    /// Its parameters.
    pub parameter_group: Ref<ClusterParameterGroupName>,
    /// Its security groups.
    pub security_groups: Vec<Ref<SecurityGroupId>>,
    /// The key of storage, snapshots and backups; `None` when it is not encrypted.
    pub storage_key: Option<Ref<KeyArn>>,
    /// Serverless v2.
    pub capacity: Capacity,
    /// Days of continuous backups, 1 to 35.
    pub backup_days: i32,
    /// Daily, in UTC, `02:00-03:00`.
    pub backup_window: String,
    /// Weekly, in UTC, `sun:03:30-sun:04:30`; must not overlap the backup window.
    pub maintenance_window: String,
    /// Tokens of IAM as passwords.
    pub iam_authentication: bool,
    /// Exported logs: type to the log group, which RDS names `/aws/rds/cluster/{cluster}/{type}`. It makes the group by
    /// itself when it is missing, so a group of ours has to be there first.
    pub log_exports: BTreeMap<String, String>,
    /// Snapshots inherit the tags.
    pub copy_tags: bool,
    /// Refuses to be deleted.
    pub deletion_protection: bool,
    /// False when somebody stopped it; AWS starts it again after seven days.
    pub running: bool,
}

/// Capacity of each instance in Aurora capacity units, in steps of 0.5.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Capacity {
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

/// A cluster's identifier.
#[derive(Debug)]
pub enum ClusterId {}
/// The ARN of the secret that RDS keeps for a cluster.
#[derive(Debug)]
pub enum SecretArn {}

/// What is known of a cluster once it exists. No password.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClusterOutputs {
    /// Its identifier, which is its name.
    pub id: Ref<ClusterId>,
    /// Its ARN.
    pub arn: String,
    /// `cluster-...`, which IAM authentication names in policies.
    pub resource_id: Option<String>,
    /// The host name that always leads to the writer.
    pub writer_endpoint: Option<String>,
    /// The host name that leads to one of the readers.
    pub reader_endpoint: Option<String>,
    /// The port of both.
    pub port: Option<i32>,
    /// Where the master password is; RDS keeps and rotates it.
    pub secret_arn: Option<Ref<SecretArn>>,
}

impl Handle<Cluster> {
    /// The identifier.
    pub fn id(&self) -> Ref<ClusterId> {
        self.output("id")
    }
    /// The ARN of the managed secret. Only sure to be known once the cluster is ready.
    pub fn secret_arn(&self) -> Ref<SecretArn> {
        self.output("secret_arn")
    }
}

impl Kind for Cluster {
    const TYPE: &'static str = "rds/cluster";
    const NAME: NameRule = IDENTIFIER;
}

impl Resource for Cluster {
    const FIXED: &'static [&'static str] = &[
        "engine",
        "major_version",
        "database",
        "master_user",
        "subnet_group",
        "storage_key",
    ];
    const HOLDS_DATA: bool = true;
    const DELEGATED: &'static [Delegated] = &[Delegated {
        field: "running_version",
        owner: "RDS (automatic minor version upgrades)",
        legal: version::legal,
    }];
    type Outputs = ClusterOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Fault> {
        let id = key
            .outputs
            .map_or(key.identity.name.as_str(), |o| o.id.as_str());
        let Some(cluster) = cx.databases.clusters.named(id).await? else {
            return Ok(None);
        };
        Ok(Some(Found {
            spec: settings(&cluster, id, &key.spec.engine_version),
            tags: Some(rds_tags_of(cluster.tag_list())),
            outputs: outputs(&cluster, id, "rds:DescribeDBClusters")?,
            phase: phase(cluster.status()),
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<ClusterOutputs, Fault> {
        let answer = cx
            .call(once("rds", "CreateDBCluster"), || {
                cx.rds
                    .create_db_cluster()
                    .db_cluster_identifier(&identity.name)
                    .engine(&self.engine)
                    .engine_version(&self.engine_version)
                    .database_name(&self.database)
                    .master_username(&self.master_user)
                    .manage_master_user_password(self.secret_key.is_some())
                    .set_master_user_secret_kms_key_id(text(&self.secret_key))
                    .port(self.port)
                    .db_subnet_group_name(self.subnet_group.as_str())
                    .db_cluster_parameter_group_name(self.parameter_group.as_str())
                    .set_vpc_security_group_ids(Some(self.groups()))
                    .storage_encrypted(self.storage_key.is_some())
                    .set_kms_key_id(text(&self.storage_key))
                    .serverless_v2_scaling_configuration(self.scaling())
                    .backup_retention_period(self.backup_days)
                    .preferred_backup_window(&self.backup_window)
                    .preferred_maintenance_window(&self.maintenance_window)
                    .enable_iam_database_authentication(self.iam_authentication)
                    .set_enable_cloudwatch_logs_exports(Some(
                        self.log_exports.keys().cloned().collect(),
                    ))
                    .copy_tags_to_snapshot(self.copy_tags)
                    .deletion_protection(self.deletion_protection)
                    .set_tags(tags::at_creation(identity))
                    .send()
            })
            .await?;
        let cluster = answer
            .db_cluster()
            .ok_or_else(|| lacks("rds:CreateDBCluster", "DBCluster"))?;
        outputs(cluster, &identity.name, "rds:CreateDBCluster")
    }

    async fn update(&self, cx: &Aws, outputs: &ClusterOutputs, delta: &Delta) -> Result<(), Fault> {
        let id = outputs.id.as_str();
        if delta.touches("running") {
            // A stopped cluster takes no other change; what else differs is seen again when it runs.
            return start(cx, id).await;
        }
        self.refuse_other_secret_key(delta)?;
        if let Some(change) = self.modification(cx, id, delta) {
            cx.call(repeatable("rds", "ModifyDBCluster"), || {
                change.clone().send()
            })
            .await?;
        }
        tags::update(cx, &outputs.arn, delta).await
    }

    async fn delete(&self, cx: &Aws, outputs: &ClusterOutputs) -> Result<(), Fault> {
        let id = outputs.id.as_str();
        let answer = cx
            .call(repeatable("rds", "DeleteDBCluster"), || {
                cx.rds
                    .delete_db_cluster()
                    .db_cluster_identifier(id)
                    .skip_final_snapshot(true)
                    .delete_automated_backups(true)
                    .send()
            })
            .await;
        match gone_is_fine(answer) {
            Err(fault) if fault.class == Class::Held => who_holds(cx, id, fault).await,
            Err(fault) if fault.message.contains("rotected") => Err(fault.hint(
                "somebody protected it against deletion: run `deployer apply`, which takes the protection off, then destroy again",
            )),
            other => other,
        }
    }

    async fn owned(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Fault> {
        let all = cx.databases.clusters.all().await?;
        let one = |c: &DbCluster| {
            let (id, arn) = (c.db_cluster_identifier()?, c.db_cluster_arn()?);
            marked(Self::TYPE, arn, id, rds_tags_of(c.tag_list()), suffix)
        };
        Ok(all.iter().filter_map(one).collect())
    }
}

impl Cluster {
    fn groups(&self) -> Vec<String> {
        self.security_groups
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn scaling(&self) -> ServerlessV2ScalingConfiguration {
        ServerlessV2ScalingConfiguration::builder()
            .min_capacity(self.capacity.min)
            .max_capacity(self.capacity.max)
            .build()
    }

    /// "If the DB cluster already manages the master user password in Secrets Manager, you can't change the KMS key"
    /// (ModifyDBCluster, MasterUserSecretKmsKeyId). Turning it off first would need a password in our hands.
    fn refuse_other_secret_key(&self, delta: &Delta) -> Result<(), Fault> {
        let key = |c: &&crate::engine::diff::Change| c.field() == "secret_key";
        match delta.changes.iter().find(key) {
            Some(change) if change.have.is_some() || change.want.is_none() => {
                Err(Fault::permanent(
                    "rds:ModifyDBCluster",
                    "the secret of the master password has another KMS key, and AWS cannot change it in place",
                )
                .hint("set a password of your own in the console (this ends the management by RDS), then run `deployer apply`: it hands the password back to RDS with the right key"))
            }
            _ => Ok(()),
        }
    }

    /// One ModifyDBCluster with exactly what differs; `None` when only tags do.
    fn modification(
        &self,
        cx: &Aws,
        id: &str,
        delta: &Delta,
    ) -> Option<aws_sdk_rds::operation::modify_db_cluster::builders::ModifyDBClusterFluentBuilder>
    {
        let mut call = cx
            .rds
            .modify_db_cluster()
            .db_cluster_identifier(id)
            .apply_immediately(true);
        let mut any = false;
        let mut logs: (Vec<String>, Vec<String>) = Default::default();
        for change in &delta.changes {
            any = true;
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
                "security_groups" => call.set_vpc_security_group_ids(Some(self.groups())),
                "capacity" => call.serverless_v2_scaling_configuration(self.scaling()),
                "backup_days" => call.backup_retention_period(self.backup_days),
                "backup_window" => call.preferred_backup_window(&self.backup_window),
                "maintenance_window" => call.preferred_maintenance_window(&self.maintenance_window),
                "iam_authentication" => {
                    call.enable_iam_database_authentication(self.iam_authentication)
                }
                "log_exports" => {
                    let name = change.path.split_once('.').map_or("", |(_, n)| n);
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
        any.then_some(call)
    }

    fn is_covered(&self, change: &crate::engine::diff::Change) -> bool {
        let have = change.have.as_ref().and_then(serde_json::Value::as_str);
        have.is_some_and(|have| version::covers(have, &self.engine_version))
    }
}

fn text<T>(reference: &Option<Ref<T>>) -> Option<String> {
    reference.as_ref().map(ToString::to_string)
}

/// What AWS has accepted counts, whether it is in effect or still pending (`PendingModifiedValues`): our own immediate
/// change is then not sent twice, and one that waits for the maintenance window is told now.
fn settings(cluster: &DbCluster, id: &str, want_version: &str) -> Cluster {
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
        security_groups: groups
            .filter(|g| g.status() != Some("removing"))
            .filter_map(|g| g.vpc_security_group_id())
            .map(Ref::from)
            .collect(),
        storage_key: cluster.kms_key_id().map(Ref::from),
        capacity: Capacity {
            min: capacity.and_then(|c| c.min_capacity()).unwrap_or_default(),
            max: capacity.and_then(|c| c.max_capacity()).unwrap_or_default(),
        },
        backup_days: pending
            .and_then(|p| p.backup_retention_period())
            .or(cluster.backup_retention_period())
            .unwrap_or_default(),
        backup_window: owned(cluster.preferred_backup_window()),
        maintenance_window: owned(cluster.preferred_maintenance_window()),
        iam_authentication: pending
            .and_then(|p| p.iam_database_authentication_enabled())
            .or(cluster.iam_database_authentication_enabled())
            .unwrap_or(false),
        log_exports: log_exports(cluster, id),
        copy_tags: cluster.copy_tags_to_snapshot().unwrap_or(false),
        deletion_protection: cluster.deletion_protection().unwrap_or(false),
        running: !matches!(cluster.status(), Some("stopped" | "stopping")),
    }
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

fn outputs(cluster: &DbCluster, id: &str, action: &str) -> Result<ClusterOutputs, Fault> {
    let owned = |value: Option<&str>| value.map(str::to_owned);
    Ok(ClusterOutputs {
        id: id.into(),
        arn: owned(cluster.db_cluster_arn()).ok_or_else(|| lacks(action, "DBClusterArn"))?,
        resource_id: owned(cluster.db_cluster_resource_id()),
        writer_endpoint: owned(cluster.endpoint()),
        reader_endpoint: owned(cluster.reader_endpoint()),
        port: cluster.port(),
        secret_arn: cluster
            .master_user_secret()
            .and_then(|s| s.secret_arn())
            .map(Ref::from),
    })
}

async fn start(cx: &Aws, id: &str) -> Result<(), Fault> {
    let answer = cx
        .call(repeatable("rds", "StartDBCluster"), || {
            cx.rds.start_db_cluster().db_cluster_identifier(id).send()
        })
        .await;
    match answer {
        // It is starting or runs already; the next read tells.
        Err(fault) if fault.code == "InvalidDBClusterStateFault" => Ok(()),
        other => other.map(drop),
    }
}

/// Names the instances that keep a cluster from being deleted. Nobody does when it is being deleted already (the answer
/// to an earlier call was lost).
async fn who_holds(cx: &Aws, id: &str, fault: Fault) -> Result<(), Fault> {
    let Ok(Some(cluster)) = cx.databases.clusters.named(id).await else {
        return Err(fault);
    };
    if phase(cluster.status()) == Phase::Deleting {
        return Ok(());
    }
    let members = cluster.db_cluster_members().iter();
    let names: Vec<&str> = members.filter_map(|m| m.db_instance_identifier()).collect();
    if names.is_empty() {
        return Err(fault);
    }
    Err(fault.hint(format!(
        "it still has instances ({}); their deletion takes 5 to 10 minutes, one that is not ours has to be deleted by hand",
        names.join(", ")
    )))
}

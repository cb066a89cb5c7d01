//! An Aurora PostgreSQL cluster on Serverless v2: storage, endpoints, backups, and the master password in RDS's own hands.

mod change;
mod live;

use super::cluster_parameter_group::ClusterParameterGroupName;
use super::status::{is_stopped, phase};
use super::subnet_group::SubnetGroupName;
use super::{IDENTIFIER, tags, version};
use crate::aws::{Aws, once, rds_tags_of, repeatable};
use crate::engine::driver::Owned;
use crate::engine::graph::NameRule;
use crate::engine::{
    Class, Data, Delegated, DeleteOptions, Delta, Error, Handle, Identity, Kind, Phase, Ref,
    Retention,
};
use crate::resources::ec2::SecurityGroupId;
use crate::resources::kms::KeyArn;
use crate::resources::owned::marked;
use crate::resources::{Found, Lookup, Resource, ignore_not_found, missing_field};
use aws_sdk_rds::types::DbCluster;
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
    const RETENTION: Retention = Retention {
        protection: Some("deletion_protection"),
        final_snapshot: Some(&["storage_key"]),
        is_snapshot: false,
    };
    const DELEGATED: &'static [Delegated] = &[Delegated {
        field: "running_version",
        owner: "RDS (automatic minor version upgrades)",
        legal: version::legal,
    }];
    type Outputs = ClusterOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key
            .outputs
            .map_or(key.identity.name.as_str(), |o| o.id.as_str());
        let Some(cluster) = cx.rds.clusters.named(id).await? else {
            return Ok(None);
        };
        Ok(Some(Found {
            spec: live::settings(&cluster, id, &key.spec.engine_version),
            tags: Some(rds_tags_of(cluster.tag_list())),
            outputs: live::outputs(&cluster, id, "rds:DescribeDBClusters")?,
            phase: phase(cluster.status()),
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<ClusterOutputs, Error> {
        let answer = cx
            .call(once("rds", "CreateDBCluster"), || {
                cx.rds
                    .client
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
            .ok_or_else(|| missing_field("rds:CreateDBCluster", "DBCluster"))?;
        live::outputs(cluster, &identity.name, "rds:CreateDBCluster")
    }

    async fn update(&self, cx: &Aws, outputs: &ClusterOutputs, delta: &Delta) -> Result<(), Error> {
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

    /// Rows can't be counted without a connection, and no Describe call proves that there are none.
    async fn data(&self, cx: &Aws, outputs: &ClusterOutputs) -> Result<Data, Error> {
        super::cluster_snapshot::of_a_cluster(cx, outputs.id.as_str()).await
    }

    async fn delete(&self, cx: &Aws, outputs: &ClusterOutputs) -> Result<(), Error> {
        self.delete_data(cx, outputs, &DeleteOptions::default())
            .await
    }

    async fn delete_data(
        &self,
        cx: &Aws,
        outputs: &ClusterOutputs,
        options: &DeleteOptions,
    ) -> Result<(), Error> {
        let id = outputs.id.as_str();
        if options.final_snapshot.is_some() && !self.copy_tags {
            // A snapshot without tags could not be told from somebody else's.
            cx.call(repeatable("rds", "ModifyDBCluster"), || {
                cx.rds
                    .client
                    .modify_db_cluster()
                    .db_cluster_identifier(id)
                    .copy_tags_to_snapshot(true)
                    .apply_immediately(true)
                    .send()
            })
            .await?;
        }
        let answer = cx
            .call(repeatable("rds", "DeleteDBCluster"), || {
                cx.rds
                    .client
                    .delete_db_cluster()
                    .db_cluster_identifier(id)
                    .skip_final_snapshot(options.final_snapshot.is_none())
                    .set_final_db_snapshot_identifier(options.final_snapshot.clone())
                    .delete_automated_backups(true)
                    .send()
            })
            .await;
        match ignore_not_found(answer) {
            Err(error) if error.class == Class::InUse || error.message.contains("rotected") => {
                remove_blockers(cx, id, error, options).await
            }
            other => other,
        }
    }

    async fn owned(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
        let all = cx.rds.clusters.all().await?;
        let one = |c: &DbCluster| {
            let (id, arn) = (c.db_cluster_identifier()?, c.db_cluster_arn()?);
            marked(Self::TYPE, arn, id, rds_tags_of(c.tag_list()), suffix)
        };
        Ok(all.iter().filter_map(one).collect())
    }
}

fn text<T>(reference: &Option<Ref<T>>) -> Option<String> {
    reference.as_ref().map(ToString::to_string)
}

/// A stopped cluster can't be deleted, nor its instances: "start the cluster before deleting it" ("Deleting a stopped
/// Aurora cluster"). Starts it and gives the refusal back as one that passes; any other refusal as it is.
pub(super) async fn start_to_delete(cx: &Aws, cluster: &DbCluster, refusal: Error) -> Error {
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

async fn start(cx: &Aws, id: &str) -> Result<(), Error> {
    let answer = cx
        .call(repeatable("rds", "StartDBCluster"), || {
            cx.rds
                .client
                .start_db_cluster()
                .db_cluster_identifier(id)
                .send()
        })
        .await;
    match answer {
        // It is starting or runs already; the next read tells.
        Err(error) if error.code == "InvalidDBClusterStateFault" => Ok(()),
        other => other.map(drop),
    }
}

/// Removes what keeps a cluster from being deleted, or names it: a cluster that is stopped is started, protection that
/// the user agreed to lift is switched off (its instances are gone by now), and instances that are left are named. Nobody holds
/// one that is being deleted already (the answer to an earlier call was lost).
async fn remove_blockers(
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
        let off = || {
            cx.rds
                .client
                .modify_db_cluster()
                .db_cluster_identifier(id)
                .deletion_protection(false)
                .apply_immediately(true)
                .send()
        };
        cx.call(repeatable("rds", "ModifyDBCluster"), off).await?;
        return Err(Error {
            class: Class::NotReady,
            ..error
        });
    }
    let members = cluster.db_cluster_members().iter();
    let names: Vec<&str> = members.filter_map(|m| m.db_instance_identifier()).collect();
    if names.is_empty() {
        return Err(error);
    }
    Err(error.hint(format!(
        "it still has instances ({}); their deletion takes 5 to 10 minutes, one that is not ours has to be deleted by hand",
        names.join(", ")
    )))
}

//! An Aurora PostgreSQL cluster on Serverless v2: storage, endpoints, backups, and the master password in RDS's own hands.

mod change;
mod delete;
mod exposed;
mod live;
mod restore;

pub(super) use self::delete::start_to_delete;
use self::delete::{remove_blockers, start};
use super::status::phase;
use super::{
    ClusterParameterGroup, IDENTIFIER, ParameterGroup, RdsTags, SubnetGroup, tags, version,
};
use crate::aws::rds_tags_of;
use crate::resources::ec2::SecurityGroup;
use crate::resources::kms::Key;
use crate::resources::prelude::*;
use aws_sdk_rds::types::DbCluster;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cluster {
    /// `aurora-postgresql`.
    pub engine: String,
    /// The major version: see [`Resource::UPGRADE`].
    pub major_version: String,
    /// The version to run at least. A later minor version counts as this one; an earlier one is upgraded.
    pub engine_version: String,
    /// The version that runs. RDS upgrades it by itself.
    pub running_version: String,
    /// Name of the first database.
    pub database: String,
    pub master_user: String,
    /// The key of the secret in which RDS keeps and rotates the master password; `None` when RDS does not manage it.
    pub secret_key: Option<Ref<Arn<Key>>>,
    /// The port of both endpoints.
    pub port: i32,
    /// Where its instances are.
    pub subnet_group: Ref<SubnetGroup>,
    pub parameter_group: Ref<ClusterParameterGroup>,
    /// The parameters of its instances, which a major upgrade gives to all of them. A cluster does not show them.
    #[serde(default)]
    pub instance_parameters: Option<Ref<ParameterGroup>>,
    pub security_groups: Vec<Ref<SecurityGroup>>,
    /// The key of storage, snapshots and backups; `None` when it is not encrypted.
    pub storage_key: Option<Ref<Arn<Key>>>,
    /// Serverless v2.
    pub capacity: Capacity,
    /// Days of continuous backups, 1 to 35.
    pub backup_days: i32,
    /// Daily, in UTC, `02:00-03:00`.
    pub backup_window: String,
    /// Weekly, in UTC, `sun:03:30-sun:04:30`; must not overlap the backup window.
    pub maintenance_window: String,
    /// RDS upgrades the minor version by itself. Its instances have a setting of their own.
    #[serde(default)]
    pub auto_minor_upgrades: bool,
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
    /// Roles that reach it into other services, a stream of its activity, its interface over HTTP.
    #[serde(default)]
    pub exposed: Exposed,
    /// The least capacity that the traffic command holds, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// Instances that are not ours, which read all its data; a global cluster that it is a part of; accounts that a snapshot
    /// of it is shared with.
    #[serde(default)]
    pub members: Vec<String>,
}

/// Capacity of each instance in Aurora capacity units, in steps of 0.5.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Capacity {
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

/// The secret that RDS keeps for a cluster, for [`Ref`].
pub enum Secret {}

/// No password. What RDS tells only later is left out until then.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ClusterOutputs {
    /// Its identifier, which is its name.
    pub id: Ref<Cluster>,
    pub arn: Ref<Arn<Cluster>>,
    /// `cluster-...`, which IAM authentication names in policies.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub resource_id: Ref<()>,
    /// The host name that always leads to the writer.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub writer_endpoint: Ref<()>,
    /// The host name that leads to one of the readers.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub reader_endpoint: Ref<()>,
    /// The port of both: a number.
    pub port: Option<Value>,
    /// Where the master password is; RDS keeps and rotates it. Only sure to be known once the cluster is ready.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub secret_arn: Ref<Secret>,
}

impl HasName for ClusterOutputs {
    fn name(&self) -> &str {
        self.id.as_str()
    }
}

impl HasArn for ClusterOutputs {
    fn arn(&self) -> &str {
        self.arn.as_str()
    }
}

const READ: Api = rds::DESCRIBE_DB_CLUSTERS;
const CREATE: Api = rds::CREATE_DB_CLUSTER;
const MODIFY: Api = rds::MODIFY_DB_CLUSTER;
const DELETE: Api = rds::DELETE_DB_CLUSTER;

impl Kind for Cluster {
    const TYPE: &'static str = "rds/cluster";
    const NAME: NameRule = IDENTIFIER;
    type Outputs = ClusterOutputs;
}

impl Resource for Cluster {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (90.0, 90.0),
        // The secret that RDS makes.
        cost: |_| {
            Cost::fixed("secret_month", 1).used(&[
                "aurora_volume",
                "aurora_io",
                "aurora_backup",
                "database_logs",
                "between_zones",
            ])
        },
        fixed: &[
            "engine",
            "database",
            "master_user",
            "subnet_group",
            "storage_key",
        ],
        changing: &[("secret_arn", &["secret_key"]), ("port", &["port"])],
        replace: Replace::DeleteFirst,
        holds_data: true,
        interrupts: &[
            (
                "major_version",
                "major upgrade: no connections from the shutdown until it is done, 10 minutes or more (longer with many tables)",
            ),
            (
                "engine_version",
                "all instances restart: no connections for about 30 to 60 s, more with long transactions",
            ),
            (
                "port",
                "all instances restart: no connections for about a minute, and clients must use the new port",
            ),
            (
                "parameter_group",
                "static parameters need a reboot of the instances, about 30 to 60 s",
            ),
            (
                "security_groups",
                "connections that are no longer allowed may stop",
            ),
        ],
        write_only: &["instance_parameters"],
        watched: &["members"],
        delegated: &[
            Delegated {
                record: None,
                field: "running_version",
                owner: "RDS (upgrades)",
                legal: version::legal,
            },
            minimum::HELD,
        ],
    };
    const RETENTION: Retention = Retention {
        protection: Some("deletion_protection"),
        final_snapshot: Some(&["storage_key"]),
        is_snapshot: false,
        read_with: &[],
    };
    const UPGRADE: Option<Upgrade> = Some(Upgrade {
        field: "major_version",
        with: &["engine_version", "parameter_group"],
        judge: version::upgrade,
    });
    const EXPIRES: &'static [(&'static str, &'static str)] =
        &[("backup_days", "backups that are older are deleted for good")];
    type Tags = RdsTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.name();
        let Some(cluster) = cx.rds.clusters.named(id).await? else {
            return Ok(None);
        };
        let spec = Cluster {
            exposed: exposed::of(&cluster),
            members: exposed::members(cx, &cluster, id, key.identity).await?,
            ..live::settings(&cluster, id, &key.spec.engine_version)
        };
        let outputs = live::outputs(&cluster, id, READ)?;
        let found = Found::tagged(spec, outputs, rds_tags_of(cluster.tag_list()));
        Ok(Some(found.phase(match phase(cluster.status()) {
            // It was accepted a moment ago and has not begun.
            Phase::Ready if live::is_to_be_upgraded(&cluster) => Phase::Settling,
            phase => phase,
        })))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<ClusterOutputs, Error> {
        let exports = self.log_exports.keys().cloned().collect();
        let call = cx.rds.client.create_db_cluster();
        let call = call
            .db_cluster_identifier(&identity.name)
            .engine(&self.engine)
            .engine_version(&self.engine_version)
            .database_name(&self.database)
            .master_username(&self.master_user)
            .manage_master_user_password(self.secret_key.is_some())
            .set_master_user_secret_kms_key_id(text(&self.secret_key))
            .port(self.port)
            .db_subnet_group_name(&self.subnet_group)
            .db_cluster_parameter_group_name(&self.parameter_group)
            .set_vpc_security_group_ids(Some(texts(&self.security_groups)))
            .storage_encrypted(self.storage_key.is_some())
            .set_kms_key_id(text(&self.storage_key))
            .serverless_v2_scaling_configuration(self.scaling())
            .backup_retention_period(self.backup_days)
            .preferred_backup_window(&self.backup_window)
            .preferred_maintenance_window(&self.maintenance_window)
            .auto_minor_version_upgrade(self.auto_minor_upgrades)
            .enable_iam_database_authentication(self.iam_authentication)
            .set_enable_cloudwatch_logs_exports(Some(exports))
            .copy_tags_to_snapshot(self.copy_tags)
            .deletion_protection(self.deletion_protection)
            .set_tags(tags::at_creation(identity));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let cluster = made.db_cluster();
        let cluster = cluster.ok_or_else(|| CREATE.missing("DBCluster"))?;
        live::outputs(cluster, &identity.name, CREATE)
    }

    async fn update(&self, cx: &Aws, it: &ClusterOutputs, delta: &Delta) -> Result<(), Error> {
        let id = it.id.as_str();
        if delta.touches("running") {
            // A stopped cluster takes no other change; what else differs is seen again when it runs.
            return start(cx, id).await;
        }
        self.refuse_other_secret_key(delta)?;
        for change in delta.changes.iter().filter(|c| c.field() == "exposed") {
            exposed::close(cx, it, change).await?;
        }
        if delta.changes.iter().all(|c| c.field() == "exposed") {
            return Ok(());
        }
        if delta.touches("major_version") {
            // What else differs is seen again when it runs.
            let call = self.major_upgrade(cx, id);
            return cx.call(MODIFY, || call.clone().send()).await.map(drop);
        }
        let call = match delta.touches("capacity") {
            true => self.holding(cx, it).await?.modification(cx, id, delta),
            false => self.modification(cx, id, delta),
        };
        cx.call(MODIFY, || call.clone().send()).await.map(drop)
    }

    /// Rows can't be counted without a connection, and no Describe call proves that there are none.
    async fn data(&self, cx: &Aws, it: &ClusterOutputs) -> Result<Data, Error> {
        super::cluster_snapshot::of_cluster(cx, it.id.as_str()).await
    }

    async fn remains(
        &self,
        cx: &Aws,
        name: &str,
        known: Option<&ClusterOutputs>,
    ) -> Result<Option<Remains>, Error> {
        self.backups(cx, name, known).await.map(Some)
    }

    async fn restore(
        &self,
        cx: &Aws,
        identity: &Identity,
        from: &Backup,
    ) -> Result<ClusterOutputs, Error> {
        self.made_from(cx, identity, from).await
    }

    async fn delete(&self, cx: &Aws, it: &ClusterOutputs) -> Result<(), Error> {
        self.delete_data(cx, it, &DeleteOptions::default()).await
    }

    async fn delete_data(
        &self,
        cx: &Aws,
        it: &ClusterOutputs,
        options: &DeleteOptions,
    ) -> Result<(), Error> {
        let id = it.id.as_str();
        if options.final_snapshot.is_some() && !self.copy_tags {
            // A snapshot without tags could not be distinguished from somebody else's.
            let on = cx.rds.client.modify_db_cluster().db_cluster_identifier(id);
            let on = on.copy_tags_to_snapshot(true).apply_immediately(true);
            cx.call(MODIFY, || on.clone().send()).await?;
        }
        let call = cx.rds.client.delete_db_cluster();
        let call = call
            .db_cluster_identifier(id)
            .skip_final_snapshot(options.final_snapshot.is_none())
            .set_final_db_snapshot_identifier(options.final_snapshot.clone())
            .delete_automated_backups(true);
        let answer = cx.delete(DELETE, || call.clone().send()).await;
        match answer {
            Err(error) if error.class == Class::InUse || error.message.contains("rotected") => {
                remove_blockers(cx, id, error, options).await
            }
            other => other,
        }
    }
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.rds.clusters.all().await?;
    let one = |c: &DbCluster| {
        let (id, arn) = (c.db_cluster_identifier()?, c.db_cluster_arn()?);
        marked(Cluster::TYPE, arn, id, rds_tags_of(c.tag_list()), suffix)
    };
    Ok(all.iter().filter_map(one).collect())
}

fn text<T>(reference: &Option<Ref<T>>) -> Option<String> {
    reference.as_ref().map(String::from)
}

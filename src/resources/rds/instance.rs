//! An instance of an Aurora cluster: the writer or a reader, in one availability zone.

mod parameters;

use self::parameters::{applied, read_both};
use super::cluster::start_to_delete;
use super::status::phase;
use super::{Cluster, ENGINE, IDENTIFIER, ParameterGroup, RdsTags, SubnetGroup, tags};
use crate::aws::rds_tags_of;
use crate::resources::iam::Role;
use crate::resources::kms::Key;
use crate::resources::prelude::*;
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder;
use aws_sdk_rds::types::{DbCluster, DbInstance};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Instance {
    /// Its cluster, which may still be in creation.
    pub cluster: Ref<Cluster>,
    /// The group of the cluster, which the instance is placed by: it must hold a subnet in the instance's zone first.
    pub subnet_group: Ref<SubnetGroup>,
    /// `db.serverless` for Serverless v2.
    pub class: String,
    /// The availability zone.
    pub zone: String,
    /// Who becomes the writer when the writer fails: 0 first, 15 last.
    pub promotion_tier: i32,
    pub parameter_group: Ref<ParameterGroup>,
    /// False when parameters were changed that only a reboot brings into force, on the instance's group or the
    /// cluster's (`pending-reboot`). Setting it reboots the instance.
    pub parameters_applied: bool,
    /// A public address. Never.
    pub publicly_accessible: bool,
    /// RDS upgrades the minor version by itself.
    pub auto_minor_upgrades: bool,
    /// Weekly, in UTC, `sun:03:30-sun:04:30`.
    pub maintenance_window: String,
    /// Performance Insights; `None` when off.
    pub insights: Option<Insights>,
    /// Enhanced monitoring; `None` when off.
    pub monitoring: Option<Monitoring>,
}

/// Performance Insights.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Insights {
    /// The key of its data. AWS cannot change it while Performance Insights is on.
    pub key: Ref<Arn<Key>>,
    /// Days that it keeps: 7, 731, or months of 31 days.
    pub days: i32,
}

/// Enhanced monitoring.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Monitoring {
    /// Seconds between samples: 1, 5, 10, 15, 30 or 60.
    pub seconds: i32,
    /// The role that writes them to the log group `RDSOSMetrics`.
    pub role: Ref<Arn<Role>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct InstanceOutputs {
    /// Its identifier, which is its name.
    pub id: Ref<Instance>,
    pub arn: Ref<Arn<Instance>>,
}

impl HasName for InstanceOutputs {
    fn name(&self) -> &str {
        self.id.as_str()
    }
}

impl HasArn for InstanceOutputs {
    fn arn(&self) -> &str {
        self.arn.as_str()
    }
}

const READ: Api = rds::DESCRIBE_DB_INSTANCES;
const CREATE: Api = rds::CREATE_DB_INSTANCE;
const MODIFY: Api = rds::MODIFY_DB_INSTANCE;
const DELETE: Api = rds::DELETE_DB_INSTANCE;

impl Kind for Instance {
    const TYPE: &'static str = "rds/instance";
    const KNOWN_BY_NAME: bool = true;
    const NAME: NameRule = IDENTIFIER;
    type Outputs = InstanceOutputs;
}

impl Resource for Instance {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (450.0, 450.0),
        cost: |_| Cost::usage(&["aurora_acu", "aurora_monitoring"]),
        fixed: &["cluster", "subnet_group", "zone"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[
            (
                "class",
                "the instance restarts; a writer is unavailable for about 30 to 60 s",
            ),
            (
                "parameter_group",
                "static parameters need a reboot of the instance, about 30 to 60 s",
            ),
            (
                "parameters_applied",
                "the instance reboots, about 30 to 60 s",
            ),
        ],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    const GONE: Option<&'static str> = Some(
        "connections to it end; when it is the writer, another instance takes over, and writes fail for about half a minute",
    );
    type Tags = RdsTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.name();
        let Some((instance, cluster)) = read_both(cx, id, &key.spec.cluster).await? else {
            return Ok(None);
        };
        let spec = settings(&instance, cluster.as_ref());
        let outputs = outputs(&instance, id, READ)?;
        let found = Found::tagged(spec, outputs, rds_tags_of(instance.tag_list()));
        Ok(Some(found.phase(phase(instance.db_instance_status()))))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<InstanceOutputs, Error> {
        let (insights, monitoring) = (self.insights.as_ref(), self.monitoring.as_ref());
        let call = cx.rds.client.create_db_instance();
        let call = call
            .db_instance_identifier(&identity.name)
            .db_cluster_identifier(&self.cluster)
            .engine(ENGINE)
            .db_instance_class(&self.class)
            .availability_zone(&self.zone)
            .promotion_tier(self.promotion_tier)
            .db_parameter_group_name(&self.parameter_group)
            .publicly_accessible(self.publicly_accessible)
            .auto_minor_version_upgrade(self.auto_minor_upgrades)
            .preferred_maintenance_window(&self.maintenance_window)
            .enable_performance_insights(insights.is_some())
            .set_performance_insights_kms_key_id(insights.map(|i| i.key.to_string()))
            .set_performance_insights_retention_period(insights.map(|i| i.days))
            .monitoring_interval(monitoring.map_or(0, |m| m.seconds))
            .set_monitoring_role_arn(monitoring.map(|m| m.role.to_string()))
            .set_tags(tags::at_creation(identity));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let instance = made.db_instance();
        let instance = instance.ok_or_else(|| CREATE.missing("DBInstance"))?;
        outputs(instance, &identity.name, CREATE)
    }

    async fn update(&self, cx: &Aws, it: &InstanceOutputs, delta: &Delta) -> Result<(), Error> {
        let id = it.id.as_str();
        if let Some(call) = self.modification(cx, id, delta)? {
            cx.call(MODIFY, || call.clone().send()).await?;
        }
        if delta.touches("parameters_applied") {
            self.reboot(cx, id).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, it: &InstanceOutputs) -> Result<(), Error> {
        let call = cx.rds.client.delete_db_instance();
        let call = call
            .db_instance_identifier(&it.id)
            .skip_final_snapshot(true);
        match cx.delete(DELETE, || call.clone().send()).await {
            // "Instance is already being deleted"; the next read tells.
            Err(error) if error.message.contains("already being deleted") => Ok(()),
            Err(error) if error.class == Class::NotReady => {
                match cx.rds.clusters.named(self.cluster.as_str()).await {
                    Ok(Some(cluster)) => Err(start_to_delete(cx, &cluster, error).await),
                    _ => Err(error),
                }
            }
            other => other,
        }
    }
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.rds.instances.all().await?;
    let one = |i: &DbInstance| {
        let (id, arn) = (i.db_instance_identifier()?, i.db_instance_arn()?);
        marked(Instance::TYPE, arn, id, rds_tags_of(i.tag_list()), suffix)
    };
    Ok(all.iter().filter_map(one).collect())
}

impl Instance {
    /// One ModifyDBInstance with exactly what differs; `None` when only the reboot does.
    fn modification(
        &self,
        cx: &Aws,
        id: &str,
        delta: &Delta,
    ) -> Result<Option<ModifyDBInstanceFluentBuilder>, Error> {
        let mut call = cx
            .rds
            .client
            .modify_db_instance()
            .db_instance_identifier(id)
            .apply_immediately(true);
        let mut any = false;
        for change in &delta.changes {
            any |= change.field() != "parameters_applied";
            call = match (change.field(), &self.insights, &self.monitoring) {
                ("class", ..) => call.db_instance_class(&self.class),
                ("promotion_tier", ..) => call.promotion_tier(self.promotion_tier),
                ("parameter_group", ..) => {
                    call.db_parameter_group_name(self.parameter_group.as_str())
                }
                ("publicly_accessible", ..) => call.publicly_accessible(self.publicly_accessible),
                ("auto_minor_upgrades", ..) => {
                    call.auto_minor_version_upgrade(self.auto_minor_upgrades)
                }
                ("maintenance_window", ..) => {
                    call.preferred_maintenance_window(&self.maintenance_window)
                }
                ("insights", None, _) => call.enable_performance_insights(false),
                ("insights", ..) if change.entry() == Some("key") => return Err(other_key()),
                ("insights", Some(insights), _) => {
                    let fresh = change.entry().is_none();
                    call.enable_performance_insights(true)
                        .set_performance_insights_kms_key_id(
                            fresh.then(|| insights.key.to_string()),
                        )
                        .performance_insights_retention_period(insights.days)
                }
                ("monitoring", _, None) => call.monitoring_interval(0),
                ("monitoring", _, Some(monitoring)) => call
                    .monitoring_interval(monitoring.seconds)
                    .monitoring_role_arn(monitoring.role.as_str()),
                _ => call,
            };
        }
        Ok(any.then_some(call))
    }
}

fn other_key() -> Error {
    Error::permanent(
        "rds:ModifyDBInstance",
        "Performance Insights has another KMS key, and AWS cannot change it while it is on",
    )
    .hint("switch Performance Insights off for this instance in the console, then run `deployer apply`: it switches it on with the right key")
}

fn settings(instance: &DbInstance, cluster: Option<&DbCluster>) -> Instance {
    let owned = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let pending = instance.pending_modified_values();
    let group = instance.db_parameter_groups().first();
    let seconds = instance.monitoring_interval().unwrap_or_default();
    let insights = instance.performance_insights_enabled().unwrap_or(false);
    Instance {
        cluster: owned(instance.db_cluster_identifier()).into(),
        subnet_group: owned(
            instance
                .db_subnet_group()
                .and_then(|g| g.db_subnet_group_name()),
        )
        .into(),
        // Accepted and on its way counts; see the cluster.
        class: owned(
            pending
                .and_then(|p| p.db_instance_class())
                .or(instance.db_instance_class()),
        ),
        zone: owned(instance.availability_zone()),
        promotion_tier: instance.promotion_tier().unwrap_or_default(),
        parameter_group: owned(group.and_then(|g| g.db_parameter_group_name())).into(),
        parameters_applied: applied(instance, cluster),
        publicly_accessible: instance.publicly_accessible().unwrap_or(false),
        auto_minor_upgrades: instance.auto_minor_version_upgrade().unwrap_or(false),
        maintenance_window: owned(instance.preferred_maintenance_window()),
        insights: insights.then(|| Insights {
            key: owned(instance.performance_insights_kms_key_id()).into(),
            days: instance
                .performance_insights_retention_period()
                .unwrap_or_default(),
        }),
        monitoring: (seconds > 0).then(|| Monitoring {
            seconds,
            role: owned(instance.monitoring_role_arn()).into(),
        }),
    }
}

fn outputs(instance: &DbInstance, id: &str, api: Api) -> Result<InstanceOutputs, Error> {
    Ok(InstanceOutputs {
        id: id.into(),
        arn: api.field(instance.db_instance_arn(), "DBInstanceArn")?,
    })
}

//! An instance of an Aurora cluster: the writer or a reader, in one availability zone.

use super::cluster::{ClusterId, start_to_delete};
use super::parameter_group::ParameterGroupName;
use super::status::phase;
use super::subnet_group::SubnetGroupName;
use super::{ENGINE, IDENTIFIER, tags};
use crate::aws::{Aws, once, rds_tags_of, repeatable};
use crate::engine::driver::Owned;
use crate::engine::graph::NameRule;
use crate::engine::{Class, Delta, Error, Identity, Kind, Phase, Ref};
use crate::resources::iam::RoleArn;
use crate::resources::kms::KeyArn;
use crate::resources::owned::marked;
use crate::resources::{Found, Lookup, Resource, ignore_not_found, missing_field};
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder;
use aws_sdk_rds::types::{DbCluster, DbInstance};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The settings of an instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Instance {
    /// Its cluster, which may still be in creation.
    pub cluster: Ref<ClusterId>,
    /// The group of the cluster, which the instance is placed by: it must hold a subnet in the instance's zone first.
    pub subnet_group: Ref<SubnetGroupName>,
    /// `db.serverless` for Serverless v2.
    pub class: String,
    /// The availability zone.
    pub zone: String,
    /// Who becomes the writer when the writer fails: 0 first, 15 last.
    pub promotion_tier: i32,
    /// Its parameters.
    pub parameter_group: Ref<ParameterGroupName>,
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
    pub key: Ref<KeyArn>,
    /// Days that it keeps: 7, 731, or months of 31 days.
    pub days: i32,
}

/// Enhanced monitoring.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Monitoring {
    /// Seconds between samples: 1, 5, 10, 15, 30 or 60.
    pub seconds: i32,
    /// The role that writes them to the log group `RDSOSMetrics`.
    pub role: Ref<RoleArn>,
}

/// What is known of an instance once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstanceOutputs {
    /// Its identifier, which is its name.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// `db-...`
    pub resource_id: Option<String>,
}

impl Kind for Instance {
    const TYPE: &'static str = "rds/instance";
    const NAME: NameRule = IDENTIFIER;
}

impl Resource for Instance {
    const FIXED: &'static [&'static str] = &["cluster", "subnet_group", "zone"];
    type Outputs = InstanceOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key
            .outputs
            .map_or(key.identity.name.as_str(), |o| o.id.as_str());
        let Some((instance, cluster)) = look(cx, id, &key.spec.cluster).await? else {
            return Ok(None);
        };
        Ok(Some(Found {
            spec: settings(&instance, cluster.as_ref()),
            tags: Some(rds_tags_of(instance.tag_list())),
            outputs: outputs(&instance, id, "rds:DescribeDBInstances")?,
            phase: phase(instance.db_instance_status()),
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<InstanceOutputs, Error> {
        let (insights, monitoring) = (self.insights.as_ref(), self.monitoring.as_ref());
        let answer = cx
            .call(once("rds", "CreateDBInstance"), || {
                cx.rds
                    .client
                    .create_db_instance()
                    .db_instance_identifier(&identity.name)
                    .db_cluster_identifier(self.cluster.as_str())
                    .engine(ENGINE)
                    .db_instance_class(&self.class)
                    .availability_zone(&self.zone)
                    .promotion_tier(self.promotion_tier)
                    .db_parameter_group_name(self.parameter_group.as_str())
                    .publicly_accessible(self.publicly_accessible)
                    .auto_minor_version_upgrade(self.auto_minor_upgrades)
                    .preferred_maintenance_window(&self.maintenance_window)
                    .enable_performance_insights(insights.is_some())
                    .set_performance_insights_kms_key_id(insights.map(|i| i.key.to_string()))
                    .set_performance_insights_retention_period(insights.map(|i| i.days))
                    .monitoring_interval(monitoring.map_or(0, |m| m.seconds))
                    .set_monitoring_role_arn(monitoring.map(|m| m.role.to_string()))
                    .set_tags(tags::at_creation(identity))
                    .send()
            })
            .await?;
        let instance = answer
            .db_instance()
            .ok_or_else(|| missing_field("rds:CreateDBInstance", "DBInstance"))?;
        outputs(instance, &identity.name, "rds:CreateDBInstance")
    }

    async fn update(
        &self,
        cx: &Aws,
        outputs: &InstanceOutputs,
        delta: &Delta,
    ) -> Result<(), Error> {
        if let Some(change) = self.modification(cx, &outputs.id, delta)? {
            cx.call(repeatable("rds", "ModifyDBInstance"), || {
                change.clone().send()
            })
            .await?;
        }
        tags::update(cx, &outputs.arn, delta).await?;
        if delta.touches("parameters_applied") {
            self.reboot(cx, &outputs.id).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, outputs: &InstanceOutputs) -> Result<(), Error> {
        let answer = cx
            .call(repeatable("rds", "DeleteDBInstance"), || {
                cx.rds
                    .client
                    .delete_db_instance()
                    .db_instance_identifier(&outputs.id)
                    .skip_final_snapshot(true)
                    .send()
            })
            .await;
        match ignore_not_found(answer) {
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

    async fn owned(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
        let all = cx.rds.instances.all().await?;
        let one = |i: &DbInstance| {
            let (id, arn) = (i.db_instance_identifier()?, i.db_instance_arn()?);
            marked(Self::TYPE, arn, id, rds_tags_of(i.tag_list()), suffix)
        };
        Ok(all.iter().filter_map(one).collect())
    }
}

impl Instance {
    /// One ModifyDBInstance with exactly what differs; `None` when only tags or the reboot do.
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

    /// Reboots once, and only while no other instance reboots. A call that is repeated finds the instance rebooting or
    /// rebooted and leaves it alone.
    async fn reboot(&self, cx: &Aws, id: &str) -> Result<(), Error> {
        let _turn = cx.rds.reboots.lock().await;
        let Some((instance, cluster)) = look(cx, id, &self.cluster).await? else {
            return Ok(());
        };
        let waits = !applied(&instance, cluster.as_ref());
        if !waits || phase(instance.db_instance_status()) != Phase::Ready {
            return Ok(());
        }
        cx.call(once("rds", "RebootDBInstance"), || {
            cx.rds
                .client
                .reboot_db_instance()
                .db_instance_identifier(id)
                .send()
        })
        .await?;
        // The next one's turn comes when this one serves again; a reboot that takes longer must not hold the others.
        let began = tokio::time::Instant::now();
        while began.elapsed() < REBOOT {
            tokio::time::sleep(POLL).await;
            match look(cx, id, &self.cluster).await? {
                Some((instance, cluster)) if !applied(&instance, cluster.as_ref()) => {}
                Some((instance, _)) if phase(instance.db_instance_status()) == Phase::Settling => {}
                _ => break,
            }
        }
        Ok(())
    }
}

/// How long a reboot is waited for before the next instance's turn; it takes about a minute.
const REBOOT: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_secs(2);

fn other_key() -> Error {
    Error::permanent(
        "rds:ModifyDBInstance",
        "Performance Insights has another KMS key, and AWS cannot change it while it is on",
    )
    .hint("switch Performance Insights off for this instance in the console, then run `deployer apply`: it switches it on with the right key")
}

/// The instance and its cluster, whose member list tells the state of the cluster's parameters. Both are asked in one
/// tick when the cluster's name is known.
async fn look(
    cx: &Aws,
    id: &str,
    cluster: &Ref<ClusterId>,
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

fn applied(instance: &DbInstance, cluster: Option<&DbCluster>) -> bool {
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

fn outputs(instance: &DbInstance, id: &str, action: &str) -> Result<InstanceOutputs, Error> {
    let arn = instance.db_instance_arn();
    Ok(InstanceOutputs {
        id: id.to_owned(),
        arn: arn
            .ok_or_else(|| missing_field(action, "DBInstanceArn"))?
            .to_owned(),
        resource_id: instance.dbi_resource_id().map(str::to_owned),
    })
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

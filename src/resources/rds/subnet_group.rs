//! A DB subnet group: the subnets in which RDS may place instances. It needs two zones at least.

use super::{DESCRIPTION, GROUP, tags};
use crate::aws::{Aws, once, repeatable};
use crate::engine::driver::Owned;
use crate::engine::graph::NameRule;
use crate::engine::{Delta, Error, Handle, Identity, Kind, Phase, Ref};
use crate::resources::ec2::{SubnetId, VpcId};
use crate::resources::{Found, Lookup, Resource, ignore_not_found, missing_field};
use serde::{Deserialize, Serialize};

/// The settings of a subnet group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubnetGroup {
    /// The VPC of its subnets. A group stays in it as long as it lives ("Working with a DB instance in a VPC"), and so
    /// does the cluster that uses the group.
    pub vpc: Ref<VpcId>,
    /// Its subnets.
    pub subnets: Vec<Ref<SubnetId>>,
}

/// The name of a subnet group.
#[derive(Debug)]
pub enum SubnetGroupName {}

/// What is known of a subnet group once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubnetGroupOutputs {
    /// Its name.
    pub name: Ref<SubnetGroupName>,
    /// Its ARN.
    pub arn: String,
}

impl Handle<SubnetGroup> {
    /// The group's name.
    pub fn name(&self) -> Ref<SubnetGroupName> {
        self.output("name")
    }
}

impl Kind for SubnetGroup {
    const TYPE: &'static str = "rds/subnet_group";
    const NAME: NameRule = GROUP;
}

impl Resource for SubnetGroup {
    const FIXED: &'static [&'static str] = &["vpc"];
    type Outputs = SubnetGroupOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key
            .outputs
            .map_or(key.identity.name.as_str(), |o| o.name.as_str());
        let Some(group) = cx.rds.subnet_groups.named(name).await? else {
            return Ok(None);
        };
        let arn = group
            .db_subnet_group_arn()
            .ok_or_else(|| missing_field("rds:DescribeDBSubnetGroups", "DBSubnetGroupArn"))?;
        let Some(tags) = tags::of_group(cx, arn).await? else {
            return Ok(None);
        };
        let subnets = group.subnets().iter();
        Ok(Some(Found {
            spec: Self {
                vpc: group.vpc_id().unwrap_or_default().into(),
                subnets: subnets
                    .filter_map(|s| s.subnet_identifier())
                    .map(Ref::from)
                    .collect(),
            },
            tags: Some(tags),
            outputs: SubnetGroupOutputs {
                name: name.into(),
                arn: arn.to_owned(),
            },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<SubnetGroupOutputs, Error> {
        let answer = cx
            .call(once("rds", "CreateDBSubnetGroup"), || {
                cx.rds
                    .client
                    .create_db_subnet_group()
                    .db_subnet_group_name(&identity.name)
                    .db_subnet_group_description(DESCRIPTION)
                    .set_subnet_ids(Some(self.ids()))
                    .set_tags(tags::at_creation(identity))
                    .send()
            })
            .await?;
        let arn = answer
            .db_subnet_group()
            .and_then(|g| g.db_subnet_group_arn())
            .ok_or_else(|| missing_field("rds:CreateDBSubnetGroup", "DBSubnetGroupArn"))?;
        Ok(SubnetGroupOutputs {
            name: identity.name.as_str().into(),
            arn: arn.to_owned(),
        })
    }

    async fn update(
        &self,
        cx: &Aws,
        outputs: &SubnetGroupOutputs,
        delta: &Delta,
    ) -> Result<(), Error> {
        if delta.touches("subnets") {
            cx.call(repeatable("rds", "ModifyDBSubnetGroup"), || {
                cx.rds
                    .client
                    .modify_db_subnet_group()
                    .db_subnet_group_name(outputs.name.as_str())
                    .set_subnet_ids(Some(self.ids()))
                    .send()
            })
            .await?;
        }
        tags::update(cx, &outputs.arn, delta).await
    }

    async fn delete(&self, cx: &Aws, outputs: &SubnetGroupOutputs) -> Result<(), Error> {
        ignore_not_found(
            cx.call(repeatable("rds", "DeleteDBSubnetGroup"), || {
                cx.rds
                    .client
                    .delete_db_subnet_group()
                    .db_subnet_group_name(outputs.name.as_str())
                    .send()
            })
            .await,
        )
    }

    async fn owned(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
        let groups = cx.rds.subnet_groups.all().await?;
        let groups = groups.iter().map(|g| {
            (
                g.db_subnet_group_name.clone(),
                g.db_subnet_group_arn.clone(),
            )
        });
        tags::owned_groups(cx, Self::TYPE, suffix, groups.collect()).await
    }
}

impl SubnetGroup {
    fn ids(&self) -> Vec<String> {
        self.subnets.iter().map(ToString::to_string).collect()
    }
}

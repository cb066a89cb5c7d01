//! A DB parameter group, of instances: settings of the database engine by name.

use super::parameters::{self, Edits, Parameters, of_group};
use super::{DESCRIPTION, GROUP, tags};
use crate::aws::{Aws, once, repeatable};
use crate::engine::driver::Owned;
use crate::engine::graph::NameRule;
use crate::engine::{Delta, Error, Handle, Identity, Kind, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, found, ignore_not_found, missing_field};
use serde::{Deserialize, Serialize};

/// The settings of the group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ParameterGroup {
    /// The engine's family, `aurora-postgresql14`.
    pub family: String,
    /// Parameters that differ from the engine's defaults.
    pub parameters: Parameters,
}

/// The name of the group.
#[derive(Debug)]
pub enum ParameterGroupName {}

/// What is known of the group once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ParameterGroupOutputs {
    /// Its name.
    pub name: Ref<ParameterGroupName>,
    /// Its ARN.
    pub arn: String,
}

impl Handle<ParameterGroup> {
    /// The group's name. What uses the group should wait until it is ready, that is, until its parameters are set:
    /// static ones would need a reboot otherwise.
    pub fn name(&self) -> Ref<ParameterGroupName> {
        self.output("name")
    }
}

impl Kind for ParameterGroup {
    const TYPE: &'static str = "rds/parameter_group";
    const NAME: NameRule = GROUP;
}

impl Resource for ParameterGroup {
    const FIXED: &'static [&'static str] = &["family"];
    type Outputs = ParameterGroupOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key
            .outputs
            .map_or(key.identity.name.as_str(), |o| o.name.as_str());
        let Some(group) = cx.rds.parameter_groups.named(name).await? else {
            return Ok(None);
        };
        let arn = group
            .db_parameter_group_arn()
            .ok_or_else(|| missing_field("rds:DescribeDBParameterGroups", "DBParameterGroupArn"))?;
        let values = of_group(cx, name, Some("user"));
        let (tags, values) = futures::join!(tags::of_group(cx, arn), values);
        let (Some(tags), Some(values)) = (tags?, found(values)?) else {
            return Ok(None);
        };
        Ok(Some(Found {
            spec: Self {
                family: group
                    .db_parameter_group_family()
                    .unwrap_or_default()
                    .to_owned(),
                parameters: parameters::map(values),
            },
            tags: Some(tags),
            outputs: ParameterGroupOutputs {
                name: name.into(),
                arn: arn.to_owned(),
            },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<ParameterGroupOutputs, Error> {
        let answer = cx
            .call(once("rds", "CreateDBParameterGroup"), || {
                cx.rds
                    .client
                    .create_db_parameter_group()
                    .db_parameter_group_name(&identity.name)
                    .db_parameter_group_family(&self.family)
                    .description(DESCRIPTION)
                    .set_tags(tags::at_creation(identity))
                    .send()
            })
            .await?;
        let arn = answer
            .db_parameter_group()
            .and_then(|g| g.db_parameter_group_arn())
            .ok_or_else(|| missing_field("rds:CreateDBParameterGroup", "DBParameterGroupArn"))?;
        Ok(ParameterGroupOutputs {
            name: identity.name.as_str().into(),
            arn: arn.to_owned(),
        })
    }

    async fn update(
        &self,
        cx: &Aws,
        outputs: &ParameterGroupOutputs,
        delta: &Delta,
    ) -> Result<(), Error> {
        if delta.touches("parameters") {
            let name = outputs.name.as_str();
            let known = of_group(cx, name, None).await?;
            let edits = Edits::of(&self.parameters, &parameters::touched(delta), &known);
            for some in edits.to_set() {
                cx.call(repeatable("rds", "ModifyDBParameterGroup"), || {
                    cx.rds
                        .client
                        .modify_db_parameter_group()
                        .db_parameter_group_name(name)
                        .set_parameters(Some(some.to_vec()))
                        .send()
                })
                .await?;
            }
            for some in edits.to_reset() {
                cx.call(repeatable("rds", "ResetDBParameterGroup"), || {
                    cx.rds
                        .client
                        .reset_db_parameter_group()
                        .db_parameter_group_name(name)
                        .reset_all_parameters(false)
                        .set_parameters(Some(some.to_vec()))
                        .send()
                })
                .await?;
            }
        }
        tags::update(cx, &outputs.arn, delta).await
    }

    async fn delete(&self, cx: &Aws, outputs: &ParameterGroupOutputs) -> Result<(), Error> {
        ignore_not_found(
            cx.call(repeatable("rds", "DeleteDBParameterGroup"), || {
                cx.rds
                    .client
                    .delete_db_parameter_group()
                    .db_parameter_group_name(outputs.name.as_str())
                    .send()
            })
            .await,
        )
    }

    async fn owned(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
        let groups = cx.rds.parameter_groups.all().await?;
        let groups = groups.iter().map(|g| {
            (
                g.db_parameter_group_name.clone(),
                g.db_parameter_group_arn.clone(),
            )
        });
        tags::owned_groups(cx, Self::TYPE, suffix, groups.collect()).await
    }
}

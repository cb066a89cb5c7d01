//! A security group. AWS gives a new one a rule that lets everything out; [`super::SecurityGroupRules`] is the step that
//! takes it away and sets what is wanted. Two steps, so that groups may name each other.

use super::held::{self, Holder};
use super::{VpcId, tags};
use crate::aws::{Aws, find, once, repeatable, tags_of};
use crate::engine::graph::NameRule;
use crate::engine::{Delta, Error, Handle, Identity, Kind, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, ignore_not_found, missing_field};
use aws_sdk_ec2::types::ResourceType;
use serde::{Deserialize, Serialize};

/// The settings of a security group. Its name is the step's; names are unique in a VPC and must not begin with `sg-`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// The VPC.
    pub vpc: Ref<VpcId>,
    /// What it is for; the same characters as in the name.
    pub description: String,
}

/// A security group's id.
#[derive(Debug)]
pub enum SecurityGroupId {}

/// What is known of a security group once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecurityGroupOutputs {
    /// `sg-...`
    pub id: Ref<SecurityGroupId>,
}

impl Handle<SecurityGroup> {
    /// The group's id.
    pub fn id(&self) -> Ref<SecurityGroupId> {
        self.output("id")
    }
}

/// Names and descriptions: up to 255 of these ("CreateSecurityGroup", VPC groups).
pub(super) const LEGAL: fn(char) -> bool =
    |c| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);

impl Kind for SecurityGroup {
    const TYPE: &'static str = "ec2/security_group";
    const NAME: NameRule = NameRule {
        min: 1,
        max: 255,
        legal: LEGAL,
        charset: "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*",
    };
}

impl Resource for SecurityGroup {
    const FIXED: &'static [&'static str] = &["vpc", "description"];
    type Outputs = SecurityGroupOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map(|o| o.id.as_str());
        let group = find(&cx.ec2.security_groups, id, "group-id", key.identity).await?;
        Ok(group.map(|group| Found {
            spec: Self {
                vpc: group.vpc_id().unwrap_or_default().into(),
                description: group.description().unwrap_or_default().to_owned(),
            },
            tags: Some(tags_of(group.tags())),
            outputs: SecurityGroupOutputs {
                id: group.group_id().unwrap_or_default().into(),
            },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Self::Outputs, Error> {
        let answer = cx
            .call(once("ec2", "CreateSecurityGroup"), || {
                cx.ec2
                    .client
                    .create_security_group()
                    .group_name(&identity.name)
                    .description(&self.description)
                    .vpc_id(self.vpc.as_str())
                    .tag_specifications(tags::at_creation(ResourceType::SecurityGroup, identity))
                    .send()
            })
            .await?;
        let id = answer
            .group_id()
            .ok_or_else(|| missing_field("ec2:CreateSecurityGroup", "GroupId"))?;
        Ok(SecurityGroupOutputs { id: id.into() })
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        tags::update(cx, outputs.id.as_str(), delta).await
    }

    async fn delete(&self, cx: &Aws, outputs: &Self::Outputs) -> Result<(), Error> {
        let id = outputs.id.as_str();
        let answer = cx
            .call(repeatable("ec2", "DeleteSecurityGroup"), || {
                cx.ec2.client.delete_security_group().group_id(id).send()
            })
            .await;
        ignore_not_found(held::explain(cx, answer, Holder::OfGroup(id)).await)
    }
}

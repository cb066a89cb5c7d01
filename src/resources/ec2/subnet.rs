//! A subnet in one availability zone.

use super::held::{self, Holder};
use super::{VpcId, tags};
use crate::aws::{Aws, find, once, repeatable, tags_of};
use crate::engine::{Delta, Error, Handle, Identity, Kind, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, ignore_not_found, missing_field};
use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, SubnetState};
use serde::{Deserialize, Serialize};

/// The settings of a subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subnet {
    /// The VPC.
    pub vpc: Ref<VpcId>,
    /// The availability zone's name, `eu-central-1a`.
    pub zone: String,
    /// The IPv4 block.
    pub cidr: String,
    /// Gives public addresses to what starts in it.
    pub public_addresses: bool,
}

/// A subnet id.
#[derive(Debug)]
pub enum SubnetId {}

/// What is known of a subnet once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubnetOutputs {
    /// `subnet-...`
    pub id: Ref<SubnetId>,
}

impl Handle<Subnet> {
    /// The subnet's id.
    pub fn id(&self) -> Ref<SubnetId> {
        self.output("id")
    }
}

impl Kind for Subnet {
    const TYPE: &'static str = "ec2/subnet";
}

impl Resource for Subnet {
    const FIXED: &'static [&'static str] = &["vpc", "zone", "cidr"];
    type Outputs = SubnetOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map(|o| o.id.as_str());
        let Some(subnet) = find(&cx.ec2.subnets, id, "subnet-id", key.identity).await? else {
            return Ok(None);
        };
        Ok(Some(Found {
            spec: Self {
                vpc: subnet.vpc_id().unwrap_or_default().into(),
                zone: subnet.availability_zone().unwrap_or_default().to_owned(),
                cidr: subnet.cidr_block().unwrap_or_default().to_owned(),
                public_addresses: subnet.map_public_ip_on_launch().unwrap_or(false),
            },
            tags: Some(tags_of(subnet.tags())),
            outputs: SubnetOutputs {
                id: subnet.subnet_id().unwrap_or_default().into(),
            },
            phase: if subnet.state() == Some(&SubnetState::Available) {
                Phase::Ready
            } else {
                Phase::Settling
            },
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<SubnetOutputs, Error> {
        let answer = cx
            .call(once("ec2", "CreateSubnet"), || {
                cx.ec2
                    .client
                    .create_subnet()
                    .vpc_id(self.vpc.as_str())
                    .availability_zone(&self.zone)
                    .cidr_block(&self.cidr)
                    .tag_specifications(tags::at_creation(ResourceType::Subnet, identity))
                    .send()
            })
            .await?;
        let id = answer
            .subnet()
            .and_then(|s| s.subnet_id())
            .ok_or_else(|| missing_field("ec2:CreateSubnet", "SubnetId"))?;
        Ok(SubnetOutputs { id: id.into() })
    }

    async fn update(&self, cx: &Aws, outputs: &SubnetOutputs, delta: &Delta) -> Result<(), Error> {
        let id = outputs.id.as_str();
        if delta.touches("public_addresses") {
            let value = AttributeBooleanValue::builder()
                .value(self.public_addresses)
                .build();
            let set = || {
                cx.ec2
                    .client
                    .modify_subnet_attribute()
                    .subnet_id(id)
                    .map_public_ip_on_launch(value.clone())
                    .send()
            };
            cx.call(repeatable("ec2", "ModifySubnetAttribute"), set)
                .await?;
        }
        tags::update(cx, id, delta).await
    }

    async fn delete(&self, cx: &Aws, outputs: &SubnetOutputs) -> Result<(), Error> {
        let id = outputs.id.as_str();
        let answer = cx
            .call(repeatable("ec2", "DeleteSubnet"), || {
                cx.ec2.client.delete_subnet().subnet_id(id).send()
            })
            .await;
        ignore_not_found(held::explain(cx, answer, Holder::InSubnet(id)).await)
    }
}

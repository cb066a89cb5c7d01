//! A network ACL. A new one denies everything; its entries and its subnets are steps of their own
//! ([`super::NetworkAclEntries`], [`super::NetworkAclSubnets`]).

use super::{VpcId, tags};
use crate::aws::{Aws, find, repeatable, tags_of};
use crate::engine::{Delta, Error, Handle, Identity, Kind, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, ignore_not_found, missing_field};
use aws_sdk_ec2::types::ResourceType;
use serde::{Deserialize, Serialize};

/// The settings of a network ACL.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NetworkAcl {
    /// The VPC.
    pub vpc: Ref<VpcId>,
}

/// A network ACL's id.
#[derive(Debug)]
pub enum NetworkAclId {}

/// What is known of a network ACL once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NetworkAclOutputs {
    /// `acl-...`
    pub id: Ref<NetworkAclId>,
}

impl Handle<NetworkAcl> {
    /// The ACL's id.
    pub fn id(&self) -> Ref<NetworkAclId> {
        self.output("id")
    }
}

impl Kind for NetworkAcl {
    const TYPE: &'static str = "ec2/network_acl";
}

impl Resource for NetworkAcl {
    const FIXED: &'static [&'static str] = &["vpc"];
    type Outputs = NetworkAclOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map(|o| o.id.as_str());
        let acl = find(&cx.ec2.network_acls, id, "network-acl-id", key.identity).await?;
        Ok(acl.map(|acl| Found {
            spec: Self {
                vpc: acl.vpc_id().unwrap_or_default().into(),
            },
            tags: Some(tags_of(acl.tags())),
            outputs: NetworkAclOutputs {
                id: acl.network_acl_id().unwrap_or_default().into(),
            },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Self::Outputs, Error> {
        let answer = cx
            .call(repeatable("ec2", "CreateNetworkAcl"), || {
                cx.ec2
                    .client
                    .create_network_acl()
                    .vpc_id(self.vpc.as_str())
                    .client_token(&identity.token)
                    .tag_specifications(tags::at_creation(ResourceType::NetworkAcl, identity))
                    .send()
            })
            .await?;
        let id = answer
            .network_acl()
            .and_then(|a| a.network_acl_id())
            .ok_or_else(|| missing_field("ec2:CreateNetworkAcl", "NetworkAclId"))?;
        Ok(NetworkAclOutputs { id: id.into() })
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        tags::update(cx, outputs.id.as_str(), delta).await
    }

    async fn delete(&self, cx: &Aws, outputs: &Self::Outputs) -> Result<(), Error> {
        let id = outputs.id.as_str();
        ignore_not_found(
            cx.call(repeatable("ec2", "DeleteNetworkAcl"), || {
                cx.ec2.client.delete_network_acl().network_acl_id(id).send()
            })
            .await,
        )
    }
}

//! An internet gateway. It does nothing until it is attached ([`super::InternetGatewayAttachment`]).

use super::tags;
use crate::aws::{Aws, find, once, repeatable, tags_of};
use crate::engine::{Delta, Error, Handle, Identity, Kind, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, ignore_not_found, missing_field};
use aws_sdk_ec2::types::ResourceType;
use serde::{Deserialize, Serialize};

/// An internet gateway has no settings but its tags.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InternetGateway {}

/// An internet gateway's id.
#[derive(Debug)]
pub enum InternetGatewayId {}

/// What is known of an internet gateway once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InternetGatewayOutputs {
    /// `igw-...`
    pub id: Ref<InternetGatewayId>,
}

impl Handle<InternetGateway> {
    /// The gateway's id. For a route take the attachment's: a route needs an attached gateway.
    pub fn id(&self) -> Ref<InternetGatewayId> {
        self.output("id")
    }
}

impl Kind for InternetGateway {
    const TYPE: &'static str = "ec2/internet_gateway";
}

impl Resource for InternetGateway {
    type Outputs = InternetGatewayOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map(|o| o.id.as_str());
        let reader = &cx.ec2.internet_gateways;
        let gateway = find(reader, id, "internet-gateway-id", key.identity).await?;
        Ok(gateway.map(|gateway| Found {
            spec: Self {},
            tags: Some(tags_of(gateway.tags())),
            outputs: InternetGatewayOutputs {
                id: gateway.internet_gateway_id().unwrap_or_default().into(),
            },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Self::Outputs, Error> {
        let answer = cx
            .call(once("ec2", "CreateInternetGateway"), || {
                cx.ec2
                    .client
                    .create_internet_gateway()
                    .tag_specifications(tags::at_creation(ResourceType::InternetGateway, identity))
                    .send()
            })
            .await?;
        let id = answer
            .internet_gateway()
            .and_then(|g| g.internet_gateway_id())
            .ok_or_else(|| missing_field("ec2:CreateInternetGateway", "InternetGatewayId"))?;
        Ok(InternetGatewayOutputs { id: id.into() })
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        tags::update(cx, outputs.id.as_str(), delta).await
    }

    async fn delete(&self, cx: &Aws, outputs: &Self::Outputs) -> Result<(), Error> {
        let id = outputs.id.as_str();
        ignore_not_found(
            cx.call(repeatable("ec2", "DeleteInternetGateway"), || {
                cx.ec2
                    .client
                    .delete_internet_gateway()
                    .internet_gateway_id(id)
                    .send()
            })
            .await,
        )
    }
}

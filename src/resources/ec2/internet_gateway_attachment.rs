//! The attachment of an internet gateway to its VPC.

use super::held::{self, Holder};
use super::{InternetGatewayId, VpcId};
use crate::aws::{Aws, once, repeatable};
use crate::engine::{Delta, Error, Handle, Identity, Kind, Nature, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, ignore_not_found};
use aws_sdk_ec2::types::AttachmentStatus;
use serde::{Deserialize, Serialize};

/// Which gateway serves which VPC. A VPC has one internet gateway at most, a gateway one VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InternetGatewayAttachment {
    /// The gateway.
    pub gateway: Ref<InternetGatewayId>,
    /// The VPC.
    pub vpc: Ref<VpcId>,
}

/// What is known of an attachment once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InternetGatewayAttachmentOutputs {
    /// The gateway, now attached: what a route refers to.
    pub gateway: Ref<InternetGatewayId>,
}

impl Handle<InternetGatewayAttachment> {
    /// The gateway as something that routes can lead to: AWS refuses a route to a gateway that is not attached to the
    /// table's VPC.
    pub fn gateway(&self) -> Ref<InternetGatewayId> {
        self.output("gateway")
    }
}

impl Kind for InternetGatewayAttachment {
    const TYPE: &'static str = "ec2/internet_gateway_attachment";
}

impl Resource for InternetGatewayAttachment {
    const FIXED: &'static [&'static str] = &["gateway", "vpc"];
    const NATURE: Nature = Nature::ByParent;
    type Outputs = InternetGatewayAttachmentOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map_or(&key.spec.gateway, |o| &o.gateway);
        let reader = &cx.ec2.internet_gateways;
        let gateways = reader.by("internet-gateway-id", id.as_str()).await?;
        let attachment = gateways.first().and_then(|g| g.attachments().first());
        let Some(attachment) = attachment else {
            return Ok(None);
        };
        // "available" is how EC2 spells an internet gateway's `attached`; the SDK has no variant for it.
        let phase = match attachment.state() {
            Some(AttachmentStatus::Detached) => return Ok(None),
            Some(AttachmentStatus::Detaching) => Phase::Deleting,
            Some(AttachmentStatus::Attaching) => Phase::Settling,
            _ => Phase::Ready,
        };
        Ok(Some(Found {
            spec: Self {
                gateway: id.clone(),
                vpc: attachment.vpc_id().unwrap_or_default().into(),
            },
            tags: None,
            outputs: InternetGatewayAttachmentOutputs {
                gateway: id.clone(),
            },
            phase,
        }))
    }

    async fn create(&self, cx: &Aws, _identity: &Identity) -> Result<Self::Outputs, Error> {
        cx.call(once("ec2", "AttachInternetGateway"), || {
            cx.ec2
                .client
                .attach_internet_gateway()
                .internet_gateway_id(self.gateway.as_str())
                .vpc_id(self.vpc.as_str())
                .send()
        })
        .await?;
        Ok(InternetGatewayAttachmentOutputs {
            gateway: self.gateway.clone(),
        })
    }

    async fn update(&self, _: &Aws, _: &Self::Outputs, _: &Delta) -> Result<(), Error> {
        Ok(())
    }

    async fn delete(&self, cx: &Aws, outputs: &Self::Outputs) -> Result<(), Error> {
        let answer = cx
            .call(repeatable("ec2", "DetachInternetGateway"), || {
                cx.ec2
                    .client
                    .detach_internet_gateway()
                    .internet_gateway_id(outputs.gateway.as_str())
                    .vpc_id(self.vpc.as_str())
                    .send()
            })
            .await;
        match held::explain(cx, answer, Holder::PublicAddresses(self.vpc.as_str())).await {
            Err(error) if error.code == "Gateway.NotAttached" => Ok(()),
            answer => ignore_not_found(answer),
        }
    }
}

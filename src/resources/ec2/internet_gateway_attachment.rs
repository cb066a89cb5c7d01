//! The attachment of an internet gateway to its VPC.

use super::prelude::*;
use super::{InternetGateway, Vpc};
use aws_sdk_ec2::types::AttachmentStatus;

/// Which gateway serves which VPC. A VPC has one internet gateway at most, a gateway one VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InternetGatewayAttachment {
    pub gateway: Ref<InternetGateway>,
    pub vpc: Ref<Vpc>,
}

/// The gateway, now attached: what a route refers to, since AWS refuses a route to a gateway that is not attached to the
/// table's VPC.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Attached {
    pub gateway: Ref<InternetGateway>,
}

const READ: Api = ec2::DESCRIBE_INTERNET_GATEWAYS;
const ATTACH: Api = ec2::ATTACH_INTERNET_GATEWAY;
const DETACH: Api = ec2::DETACH_INTERNET_GATEWAY;

impl Kind for InternetGatewayAttachment {
    const TYPE: &'static str = "ec2/internet_gateway_attachment";
    type Outputs = Attached;
}

impl Resource for InternetGatewayAttachment {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::WithParent,
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &["gateway", "vpc"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = NoTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let gateway = key.outputs.map_or(&key.spec.gateway, |o| &o.gateway);
        let reader = &cx.ec2.internet_gateways;
        let gateways = reader.by("internet-gateway-id", gateway.as_str()).await?;
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
        let (gateway, vpc) = (gateway.clone(), READ.field(attachment.vpc_id(), "VpcId")?);
        let outputs = Attached {
            gateway: gateway.clone(),
        };
        let found = Found::of_parent(Self { gateway, vpc }, outputs);
        Ok(Some(found.phase(phase)))
    }

    async fn create(&self, cx: &Aws, _: &Identity) -> Result<Attached, Error> {
        let call = cx.ec2.client.attach_internet_gateway();
        let call = call.internet_gateway_id(&self.gateway).vpc_id(&self.vpc);
        let answer = cx.call(ATTACH, || call.clone().send()).await;
        if let Err(error) = answer {
            // The VPC may have another one.
            let there = &cx.ec2.internet_gateways;
            let there = there.by("attachment.vpc-id", self.vpc.as_str()).await;
            let there = there.unwrap_or_default();
            let other =
                |g: &&t::InternetGateway| g.internet_gateway_id() != Some(self.gateway.as_str());
            return Err(match there.iter().find(other) {
                Some(it) => taken_by(
                    error,
                    "internet gateway",
                    it.internet_gateway_id(),
                    it.tags(),
                ),
                None => error,
            });
        }
        Ok(Attached {
            gateway: self.gateway.clone(),
        })
    }

    async fn delete(&self, cx: &Aws, it: &Attached) -> Result<(), Error> {
        let call = cx.ec2.client.detach_internet_gateway();
        let call = call.internet_gateway_id(&it.gateway).vpc_id(&self.vpc);
        let answer = cx.delete(DETACH, || call.clone().send()).await;
        match held::explain(cx, answer, Holder::PublicAddresses(self.vpc.as_str())).await {
            Err(error) if error.code == "Gateway.NotAttached" => Ok(()),
            answer => answer,
        }
    }
}

//! An interface endpoint: one network interface of an AWS service in each of its subnets.

use super::endpoint::{self, VpcEndpointOutputs};
use super::ids::VpcEndpointId;
use super::members::members;
use super::{SecurityGroupId, SubnetId, VpcId, tags};
use crate::aws::{Aws, Find, tags_of};
use crate::engine::{Class, Delta, Error, Handle, Identity, Kind, Ref};
use crate::resources::policy::Policy;
use crate::resources::{Found, Lookup, Resource};
use aws_sdk_ec2::types::{ResourceType, VpcEndpointType};
use serde::{Deserialize, Serialize};

/// The settings of an interface endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InterfaceEndpoint {
    /// The VPC. Private DNS needs its DNS support and host names to be on: take the reference with `.ready()`.
    pub vpc: Ref<VpcId>,
    /// `com.amazonaws.eu-central-1.kms`
    pub service: String,
    /// At most one subnet per zone; a set.
    pub subnets: Vec<Ref<SubnetId>>,
    /// The groups of its interfaces; a set.
    pub groups: Vec<Ref<SecurityGroupId>>,
    /// The service's usual name leads to the endpoint within the VPC. One endpoint per service and VPC can have it.
    pub private_dns: bool,
    /// What may pass.
    pub policy: Policy,
}

impl InterfaceEndpoint {
    /// Who holds the private name that AWS refuses to give twice in a VPC: an endpoint that is on its way out (then it is
    /// free in a minute), or somebody's.
    async fn rival(&self, cx: &Aws, mut error: Error) -> Error {
        // What cannot be read is left out: the refusal itself is the news.
        let there = cx.ec2.endpoints.by("vpc-id", self.vpc.as_str()).await;
        let mut there = there.unwrap_or_default();
        there.retain(|e| {
            e.service_name() == Some(self.service.as_str()) && e.private_dns_enabled() == Some(true)
        });
        let holder = there.iter().find(|e| !e.is_leaving()).or(there.first());
        if let Some(holder) = holder {
            error.class = if holder.is_leaving() {
                Class::NotReady
            } else {
                Class::Conflict
            };
            let id = holder.vpc_endpoint_id().unwrap_or_default();
            error.message = format!("{}; it is held by {id}", error.message);
        }
        error
    }
}

impl Handle<InterfaceEndpoint> {
    /// The endpoint's id.
    pub fn id(&self) -> Ref<VpcEndpointId> {
        self.output("id")
    }
}

impl Kind for InterfaceEndpoint {
    const TYPE: &'static str = "ec2/interface_endpoint";
}

impl Resource for InterfaceEndpoint {
    const FIXED: &'static [&'static str] = &["vpc", "service"];
    type Outputs = VpcEndpointOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let Some((endpoint, outputs, phase)) =
            endpoint::look(cx, key.outputs, key.identity).await?
        else {
            return Ok(None);
        };
        Ok(Some(Found {
            spec: Self {
                vpc: endpoint.vpc_id().unwrap_or_default().into(),
                service: endpoint.service_name().unwrap_or_default().to_owned(),
                subnets: endpoint
                    .subnet_ids()
                    .iter()
                    .map(|id| id.as_str().into())
                    .collect(),
                groups: endpoint
                    .groups()
                    .iter()
                    .filter_map(|g| Some(g.group_id()?.into()))
                    .collect(),
                private_dns: endpoint.private_dns_enabled().unwrap_or(false),
                policy: endpoint::policy(&endpoint),
            },
            tags: Some(tags_of(endpoint.tags())),
            outputs,
            phase,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Self::Outputs, Error> {
        let subnets: Vec<String> = self.subnets.iter().map(ToString::to_string).collect();
        let groups: Vec<String> = self.groups.iter().map(ToString::to_string).collect();
        let policy = self.policy.document();
        let answer = cx
            .call(endpoint::CREATE, || {
                cx.ec2
                    .client
                    .create_vpc_endpoint()
                    .vpc_endpoint_type(VpcEndpointType::Interface)
                    .vpc_id(self.vpc.as_str())
                    .service_name(&self.service)
                    .set_subnet_ids(Some(subnets.clone()))
                    .set_security_group_ids(Some(groups.clone()))
                    .private_dns_enabled(self.private_dns)
                    .policy_document(&policy)
                    .client_token(&identity.token)
                    .tag_specifications(tags::at_creation(ResourceType::VpcEndpoint, identity))
                    .send()
            })
            .await;
        match answer {
            Ok(answer) => endpoint::created(&answer),
            Err(error) if error.message.contains("conflicting DNS domain") => {
                Err(self.rival(cx, error).await)
            }
            Err(error) => Err(error),
        }
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        let id = outputs.id.as_str();
        if !delta.changes.is_empty() {
            let (subnets, groups) = (members(delta, "subnets"), members(delta, "groups"));
            let policy = delta.touches("policy").then(|| self.policy.document());
            let private_dns = delta.touches("private_dns").then_some(self.private_dns);
            cx.call(endpoint::MODIFY, || {
                cx.ec2
                    .client
                    .modify_vpc_endpoint()
                    .vpc_endpoint_id(id)
                    .set_add_subnet_ids(subnets.add.clone())
                    .set_remove_subnet_ids(subnets.remove.clone())
                    .set_add_security_group_ids(groups.add.clone())
                    .set_remove_security_group_ids(groups.remove.clone())
                    .set_private_dns_enabled(private_dns)
                    .set_policy_document(policy.clone())
                    .send()
            })
            .await?;
        }
        tags::update(cx, id, delta).await
    }

    async fn delete(&self, cx: &Aws, outputs: &Self::Outputs) -> Result<(), Error> {
        endpoint::delete(cx, outputs.id.as_str()).await
    }
}

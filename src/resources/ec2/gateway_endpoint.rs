//! A gateway endpoint (S3 or DynamoDB): a route to the service's prefix list in each of its route tables. AWS puts and
//! removes these routes itself.

use super::endpoint::{self, VpcEndpointOutputs};
use super::ids::VpcEndpointId;
use super::members::members;
use super::{RouteTableId, VpcId, tags};
use crate::aws::{Aws, tags_of};
use crate::engine::{Delta, Error, Handle, Identity, Kind, Ref};
use crate::resources::policy::Policy;
use crate::resources::{Found, Lookup, Resource};
use aws_sdk_ec2::types::{ResourceType, VpcEndpointType};
use serde::{Deserialize, Serialize};

/// The settings of a gateway endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GatewayEndpoint {
    /// The VPC.
    pub vpc: Ref<VpcId>,
    /// `com.amazonaws.eu-central-1.s3`
    pub service: String,
    /// The route tables that lead to it; a set. A table takes one endpoint per service.
    pub route_tables: Vec<Ref<RouteTableId>>,
    /// What may pass.
    pub policy: Policy,
}

impl Handle<GatewayEndpoint> {
    /// The endpoint's id.
    pub fn id(&self) -> Ref<VpcEndpointId> {
        self.output("id")
    }
}

impl Kind for GatewayEndpoint {
    const TYPE: &'static str = "ec2/gateway_endpoint";
}

impl Resource for GatewayEndpoint {
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
                route_tables: endpoint
                    .route_table_ids()
                    .iter()
                    .map(|id| id.as_str().into())
                    .collect(),
                policy: endpoint::policy(&endpoint),
            },
            tags: Some(tags_of(endpoint.tags())),
            outputs,
            phase,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Self::Outputs, Error> {
        let tables: Vec<String> = self.route_tables.iter().map(ToString::to_string).collect();
        let policy = self.policy.document();
        let answer = cx
            .call(endpoint::CREATE, || {
                cx.ec2
                    .client
                    .create_vpc_endpoint()
                    .vpc_endpoint_type(VpcEndpointType::Gateway)
                    .vpc_id(self.vpc.as_str())
                    .service_name(&self.service)
                    .set_route_table_ids(Some(tables.clone()))
                    .policy_document(&policy)
                    .client_token(&identity.token)
                    .tag_specifications(tags::at_creation(ResourceType::VpcEndpoint, identity))
                    .send()
            })
            .await?;
        endpoint::created(&answer)
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        let id = outputs.id.as_str();
        if !delta.changes.is_empty() {
            let tables = members(delta, "route_tables");
            let policy = delta.touches("policy").then(|| self.policy.document());
            cx.call(endpoint::MODIFY, || {
                cx.ec2
                    .client
                    .modify_vpc_endpoint()
                    .vpc_endpoint_id(id)
                    .set_add_route_table_ids(tables.add.clone())
                    .set_remove_route_table_ids(tables.remove.clone())
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

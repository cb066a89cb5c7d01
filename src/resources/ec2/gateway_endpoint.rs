//! A gateway endpoint (S3 or DynamoDB): a route to the service's prefix list in each of its route tables. AWS puts and
//! removes these routes itself.

use super::endpoint::{self, find_endpoint};
use super::prelude::*;
use super::{RouteTable, Vpc};
use crate::resources::between;
use crate::resources::policy::Policy;
use aws_sdk_ec2::types::VpcEndpointType;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GatewayEndpoint {
    pub vpc: Ref<Vpc>,
    /// `com.amazonaws.eu-central-1.s3`
    pub service: String,
    /// The route tables that lead to it; a set. A table takes one endpoint per service.
    pub route_tables: Vec<Ref<RouteTable>>,
    /// What may pass.
    pub policy: Policy,
}

impl Kind for GatewayEndpoint {
    const TYPE: &'static str = "ec2/gateway_endpoint";
    type Outputs = Id<Self>;
}

impl Resource for GatewayEndpoint {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Ec2Tags,
        seconds: (5.0, 5.0),
        cost: |_| Cost::NONE,
        fixed: &["vpc", "service"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[
            ("route_tables", "open connections to the service end"),
            ("policy", "calls that are no longer allowed fail at once"),
        ],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    const BETWEEN: Option<Between> = Some(between::endpoint);
    type Tags = Ec2Tags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let Some((endpoint, id, phase)) = find_endpoint(cx, &key).await? else {
            return Ok(None);
        };
        let tables = endpoint.route_table_ids().iter();
        let spec = Self {
            vpc: endpoint.vpc_id().unwrap_or_default().into(),
            service: endpoint.service_name().unwrap_or_default().to_owned(),
            route_tables: tables.map(|id| id.as_str().into()).collect(),
            policy: endpoint::policy(&endpoint),
        };
        let found = Found::tagged(spec, id, tags_of(endpoint.tags()));
        Ok(Some(found.phase(phase)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Id<Self>, Error> {
        let tags = tags::at_creation(ResourceType::VpcEndpoint, identity);
        let call = cx.ec2.client.create_vpc_endpoint().tag_specifications(tags);
        let call = call
            .vpc_endpoint_type(VpcEndpointType::Gateway)
            .vpc_id(&self.vpc)
            .service_name(&self.service)
            .set_route_table_ids(Some(texts(&self.route_tables)))
            .policy_document(self.policy.document())
            .client_token(&identity.token);
        match cx.call(endpoint::CREATE, || call.clone().send()).await {
            Ok(answer) => endpoint::created(&answer),
            Err(error) if error.class == Class::Conflict => Err(self.rival(cx, error).await),
            Err(error) => Err(error),
        }
    }

    async fn update(&self, cx: &Aws, it: &Id<Self>, delta: &Delta) -> Result<(), Error> {
        let tables = members(delta, "route_tables");
        let policy = delta.touches("policy").then(|| self.policy.document());
        let call = cx.ec2.client.modify_vpc_endpoint().vpc_endpoint_id(&it.id);
        let call = call
            .set_add_route_table_ids(tables.add)
            .set_remove_route_table_ids(tables.remove)
            .set_policy_document(policy);
        let answer = cx.call(endpoint::MODIFY, || call.clone().send());
        answer.await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &Id<Self>) -> Result<(), Error> {
        endpoint::delete(cx, it.as_str()).await
    }
}

impl GatewayEndpoint {
    /// Which endpoint of the service has one of the route tables: a table takes one.
    async fn rival(&self, cx: &Aws, error: Error) -> Error {
        // What cannot be read is left out: the refusal itself is the news.
        let there = cx.ec2.endpoints.by("vpc-id", self.vpc.as_str()).await;
        let there = there.unwrap_or_default();
        let shares = |e: &&t::VpcEndpoint| {
            let mut tables = e.route_table_ids().iter();
            e.service_name() == Some(self.service.as_str())
                && tables.any(|id| self.route_tables.iter().any(|w| w.as_str() == id))
        };
        match there.iter().find(shares) {
            Some(it) => taken_by(error, "VPC endpoint", it.vpc_endpoint_id(), it.tags()),
            None => error,
        }
    }
}

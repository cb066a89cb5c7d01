//! A route table. Its routes and the subnets that use it are steps of their own ([`super::Routes`],
//! [`super::RouteTableSubnets`]): they wait for other things and may fail alone.

use super::held::{self, Holder};
use super::{VpcId, tags};
use crate::aws::{Aws, find, repeatable, tags_of};
use crate::engine::{Delta, Error, Handle, Identity, Kind, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, ignore_not_found, missing_field};
use aws_sdk_ec2::types::ResourceType;
use serde::{Deserialize, Serialize};

/// The settings of a route table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteTable {
    /// The VPC.
    pub vpc: Ref<VpcId>,
}

/// A route table's id.
#[derive(Debug)]
pub enum RouteTableId {}

/// What is known of a route table once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteTableOutputs {
    /// `rtb-...`
    pub id: Ref<RouteTableId>,
}

impl Handle<RouteTable> {
    /// The table's id.
    pub fn id(&self) -> Ref<RouteTableId> {
        self.output("id")
    }
}

impl Kind for RouteTable {
    const TYPE: &'static str = "ec2/route_table";
}

impl Resource for RouteTable {
    const FIXED: &'static [&'static str] = &["vpc"];
    type Outputs = RouteTableOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map(|o| o.id.as_str());
        let table = find(&cx.ec2.route_tables, id, "route-table-id", key.identity).await?;
        Ok(table.map(|table| Found {
            spec: Self {
                vpc: table.vpc_id().unwrap_or_default().into(),
            },
            tags: Some(tags_of(table.tags())),
            outputs: RouteTableOutputs {
                id: table.route_table_id().unwrap_or_default().into(),
            },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Self::Outputs, Error> {
        let answer = cx
            .call(repeatable("ec2", "CreateRouteTable"), || {
                cx.ec2
                    .client
                    .create_route_table()
                    .vpc_id(self.vpc.as_str())
                    .client_token(&identity.token)
                    .tag_specifications(tags::at_creation(ResourceType::RouteTable, identity))
                    .send()
            })
            .await?;
        let id = answer
            .route_table()
            .and_then(|t| t.route_table_id())
            .ok_or_else(|| missing_field("ec2:CreateRouteTable", "RouteTableId"))?;
        Ok(RouteTableOutputs { id: id.into() })
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        tags::update(cx, outputs.id.as_str(), delta).await
    }

    async fn delete(&self, cx: &Aws, outputs: &Self::Outputs) -> Result<(), Error> {
        let id = outputs.id.as_str();
        let answer = cx
            .call(repeatable("ec2", "DeleteRouteTable"), || {
                cx.ec2.client.delete_route_table().route_table_id(id).send()
            })
            .await;
        ignore_not_found(held::explain(cx, answer, Holder::OfRouteTable(id)).await)
    }
}

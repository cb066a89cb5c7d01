//! The subnets that use a route table, as one set.

use super::{RouteTableId, SubnetId};
use crate::aws::{Aws, repeatable};
use crate::engine::{Delta, Error, Identity, Kind, Nature, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, ignore_not_found, never_created};
use aws_sdk_ec2::types::{RouteTableAssociation, RouteTableAssociationStateCode};
use serde::{Deserialize, Serialize};

/// Which subnets use a table. A subnet without an association of its own uses the VPC's main table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteTableSubnets {
    /// The table.
    pub table: Ref<RouteTableId>,
    /// Its subnets.
    pub subnets: Vec<Ref<SubnetId>>,
}

/// What is known of a table's associations.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteTableSubnetsOutputs {
    /// The table.
    pub table: Ref<RouteTableId>,
}

impl Kind for RouteTableSubnets {
    const TYPE: &'static str = "ec2/route_table_subnets";
}

impl Resource for RouteTableSubnets {
    const FIXED: &'static [&'static str] = &["table"];
    const NATURE: Nature = Nature::SubResource;
    type Outputs = RouteTableSubnetsOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map_or(&key.spec.table, |o| &o.table);
        let tables = cx.ec2.route_tables.by("route-table-id", id.as_str());
        let Some(table) = tables.await?.pop() else {
            return Ok(None);
        };
        let subnets = table.associations().iter().filter(|a| stands(a));
        let subnets = subnets.filter_map(|a| a.subnet_id());
        Ok(Some(Found {
            spec: Self {
                table: id.clone(),
                subnets: subnets.map(Into::into).collect(),
            },
            tags: None,
            outputs: RouteTableSubnetsOutputs { table: id.clone() },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, _: &Aws, _: &Identity) -> Result<Self::Outputs, Error> {
        Err(never_created(Self::TYPE))
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, _: &Delta) -> Result<(), Error> {
        let table = outputs.table.as_str();
        let moves = self.subnets.iter().map(|subnet| bring(cx, subnet, table));
        futures::future::join_all(moves)
            .await
            .into_iter()
            .collect::<Result<(), Error>>()?;
        for association in associations(cx, "route-table-id", table).await? {
            let extra = association
                .subnet_id()
                .is_some_and(|s| !self.subnets.iter().any(|w| w.as_str() == s));
            if extra {
                part(cx, &association).await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, outputs: &Self::Outputs) -> Result<(), Error> {
        for association in associations(cx, "route-table-id", outputs.table.as_str()).await? {
            if association.subnet_id().is_some() {
                part(cx, &association).await?;
            }
        }
        Ok(())
    }
}

/// All associations of the tables with this value of this filter.
async fn associations(
    cx: &Aws,
    filter: &'static str,
    value: &str,
) -> Result<Vec<RouteTableAssociation>, Error> {
    let tables = cx.ec2.route_tables.by(filter, value).await?;
    let all = tables.iter().flat_map(|t| t.associations());
    Ok(all.filter(|a| stands(a)).cloned().collect())
}

/// Not on its way out.
fn stands(association: &RouteTableAssociation) -> bool {
    let state = association.association_state().and_then(|s| s.state());
    !matches!(
        state,
        Some(
            RouteTableAssociationStateCode::Disassociating
                | RouteTableAssociationStateCode::Disassociated
        )
    )
}

/// Makes a subnet use the table, from the main table or from another one, without a moment in between.
async fn bring(cx: &Aws, subnet: &Ref<SubnetId>, table: &str) -> Result<(), Error> {
    let subnet = subnet.as_str();
    let now = associations(cx, "association.subnet-id", subnet).await?;
    let now = now.iter().find(|a| a.subnet_id() == Some(subnet));
    let answer =
        match now.and_then(|a| Some((a.route_table_id()?, a.route_table_association_id()?))) {
            Some((used, _)) if used == table => return Ok(()),
            Some((_, association)) => cx
                .call(repeatable("ec2", "ReplaceRouteTableAssociation"), || {
                    cx.ec2
                        .client
                        .replace_route_table_association()
                        .association_id(association)
                        .route_table_id(table)
                        .send()
                })
                .await
                .map(drop),
            None => cx
                .call(repeatable("ec2", "AssociateRouteTable"), || {
                    cx.ec2
                        .client
                        .associate_route_table()
                        .subnet_id(subnet)
                        .route_table_id(table)
                        .send()
                })
                .await
                .map(drop),
        };
    match answer {
        // An earlier attempt whose answer was lost, or a read that lagged; what is read next tells.
        Err(error) if error.code == "Resource.AlreadyAssociated" => Ok(()),
        answer => answer,
    }
}

async fn part(cx: &Aws, association: &RouteTableAssociation) -> Result<(), Error> {
    let id = association.route_table_association_id().unwrap_or_default();
    ignore_not_found(
        cx.call(repeatable("ec2", "DisassociateRouteTable"), || {
            cx.ec2
                .client
                .disassociate_route_table()
                .association_id(id)
                .send()
        })
        .await,
    )
}

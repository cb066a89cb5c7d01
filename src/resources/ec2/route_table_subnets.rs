//! The subnets that use a route table, as one set; and gateways, whose traffic into the VPC it would lead elsewhere.

use super::prelude::*;
use super::{RouteTable, Subnet};
use aws_sdk_ec2::types::{RouteTableAssociation, RouteTableAssociationStateCode};

/// Which subnets use a table. A subnet without an association of its own uses the VPC's main table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteTableSubnets {
    pub table: Ref<RouteTable>,
    pub subnets: Vec<Ref<Subnet>>,
    /// Gateways that use it: none.
    #[serde(default)]
    pub gateways: Vec<String>,
}

impl Kind for RouteTableSubnets {
    const TYPE: &'static str = "ec2/route_table_subnets";
    type Outputs = Id<RouteTable>;
}

impl SubResource for RouteTableSubnets {
    const FACTS: SubFacts = SubFacts {
        parent: "table",
        seconds: (1.0, 1.0),
        interrupts: &[(
            "subnets",
            "connections of a subnet may break for a few seconds while it gets another route table",
        )],
        write_only: &[],
        delegated: &[],
    };
    type Parent = RouteTable;

    fn parent(&self) -> &Ref<RouteTable> {
        &self.table
    }

    async fn read(
        cx: &Aws,
        table: &Ref<RouteTable>,
        known: Option<&Id<RouteTable>>,
    ) -> Result<Option<Found<Self>>, Error> {
        let id = known.map_or(table, |it| &it.id);
        let found = cx.ec2.route_tables.by("route-table-id", id.as_str());
        let Some(found) = found.await?.pop() else {
            return Ok(None);
        };
        let all = found.associations().iter().filter(|a| stands(a));
        let subnets = all.clone().filter_map(|a| a.subnet_id());
        let spec = Self {
            table: id.clone(),
            subnets: subnets.map(Into::into).collect(),
            gateways: all
                .filter_map(|a| a.gateway_id().map(str::to_owned))
                .collect(),
        };
        Ok(Some(Found::of_parent(spec, id.into())))
    }

    async fn set(&self, cx: &Aws, table: &Id<RouteTable>, _: &Delta) -> Result<(), Error> {
        let table = table.as_str();
        let moves = self.subnets.iter().map(|subnet| assign(cx, subnet, table));
        futures::future::join_all(moves)
            .await
            .into_iter()
            .collect::<Result<(), Error>>()?;
        for association in associations(cx, "route-table-id", table).await? {
            let extra = association
                .subnet_id()
                .is_some_and(|s| !self.subnets.iter().any(|w| w.as_str() == s));
            let extra = extra || association.gateway_id().is_some();
            if extra {
                release(cx, &association).await?;
            }
        }
        Ok(())
    }

    async fn reset(&self, cx: &Aws, table: &Id<RouteTable>) -> Result<(), Error> {
        for association in associations(cx, "route-table-id", table.as_str()).await? {
            if association.subnet_id().is_some() || association.gateway_id().is_some() {
                release(cx, &association).await?;
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
async fn assign(cx: &Aws, subnet: &Ref<Subnet>, table: &str) -> Result<(), Error> {
    let subnet = subnet.as_str();
    let now = associations(cx, "association.subnet-id", subnet).await?;
    let now = now.iter().find(|a| a.subnet_id() == Some(subnet));
    let answer =
        match now.and_then(|a| Some((a.route_table_id()?, a.route_table_association_id()?))) {
            Some((used, _)) if used == table => return Ok(()),
            Some((_, association)) => cx
                .call(ec2::REPLACE_ROUTE_TABLE_ASSOCIATION, || {
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
                .call(ec2::ASSOCIATE_ROUTE_TABLE, || {
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

/// The subnet uses the main table again, the gateway none.
async fn release(cx: &Aws, association: &RouteTableAssociation) -> Result<(), Error> {
    let id = association.route_table_association_id().unwrap_or_default();
    let call = cx.ec2.client.disassociate_route_table().association_id(id);
    cx.delete(ec2::DISASSOCIATE_ROUTE_TABLE, || call.clone().send())
        .await
}

//! The main route table of a VPC: a subnet that nobody gave a table uses it. The place belongs to the table that came with
//! the VPC, without a route but the local one; a table of ours in that place could never be deleted.

use super::prelude::*;
use super::routes::{Target, remove, static_routes};
use super::{RouteTable, Vpc};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MainRouteTable {
    pub vpc: Ref<Vpc>,
    /// True while the table that came with the VPC has the place.
    pub own: bool,
    /// Static routes of the table that came with the VPC: none.
    pub routes: BTreeMap<String, Target>,
}

const READ: Api = ec2::DESCRIBE_ROUTE_TABLES;
const REPLACE: Api = ec2::REPLACE_ROUTE_TABLE_ASSOCIATION;

impl Kind for MainRouteTable {
    const TYPE: &'static str = "ec2/main_route_table";
    /// The table that came with the VPC.
    type Outputs = Id<RouteTable>;
}

impl SubResource for MainRouteTable {
    const FACTS: SubFacts = SubFacts {
        parent: "vpc",
        seconds: (1.0, 1.0),
        interrupts: &[],
        write_only: &[],
        delegated: &[],
    };
    type Parent = Vpc;

    fn parent(&self) -> &Ref<Vpc> {
        &self.vpc
    }

    async fn read(
        cx: &Aws,
        vpc: &Ref<Vpc>,
        known: Option<&Id<RouteTable>>,
    ) -> Result<Option<Found<Self>>, Error> {
        let tables = &cx.ec2.route_tables;
        // By its id it is asked together with all other tables.
        let found = match known {
            Some(table) => tables.by("route-table-id", table.as_str()).await?,
            None => tables.by("vpc-id", vpc.as_str()).await?,
        };
        let Some(own) = found.iter().find(|t| is_main(t)).filter(|t| !is_marked(t)) else {
            return Self::read_displaced(cx, vpc, found).await;
        };
        Self::found(vpc, own, true).map(Some)
    }

    async fn set(&self, cx: &Aws, own: &Id<RouteTable>, delta: &Delta) -> Result<(), Error> {
        if delta.touches("own") {
            give_back(cx, &self.vpc, own).await?;
        }
        for destination in delta.entries("routes").keys() {
            remove(cx, own.as_str(), destination).await?;
        }
        Ok(())
    }

    /// A table of ours that has the place could not be deleted.
    async fn reset(&self, cx: &Aws, own: &Id<RouteTable>) -> Result<(), Error> {
        give_back(cx, &self.vpc, own).await
    }
}

impl MainRouteTable {
    fn found(vpc: &Ref<Vpc>, table: &t::RouteTable, own: bool) -> Result<Found<Self>, Error> {
        let spec = Self {
            vpc: vpc.clone(),
            own,
            routes: static_routes(table),
        };
        let id = READ.field(table.route_table_id(), "RouteTableId")?;
        Ok(Found::of_parent(spec, id))
    }

    /// Another table has the place. The one that came with the VPC is the recorded one, else the only one that carries no
    /// mark and no subnet.
    async fn read_displaced(
        cx: &Aws,
        vpc: &Ref<Vpc>,
        recorded: Vec<t::RouteTable>,
    ) -> Result<Option<Found<Self>>, Error> {
        let mut all = cx.ec2.route_tables.by("vpc-id", vpc.as_str()).await?;
        if all.is_empty() {
            return Ok(None);
        }
        if let [own] = recorded.as_slice() {
            return Self::found(vpc, own, false).map(Some);
        }
        all.retain(|t| !is_marked(t) && !t.associations().iter().any(|a| a.subnet_id().is_some()));
        match all.as_slice() {
            [own] => Self::found(vpc, own, is_main(own)).map(Some),
            _ => Err(Error::permanent(
                READ.action(),
                format!("the main route table of {vpc} is not the one that came with it, and that one cannot be determined"),
            )
            .hint("make a route table without a route and without tags the main one of the VPC, then run again")),
        }
    }
}

fn is_main(table: &t::RouteTable) -> bool {
    table.associations().iter().any(|a| a.main() == Some(true))
}

/// True for a table that a deployment made; the one that came with the VPC carries no mark.
fn is_marked(table: &t::RouteTable) -> bool {
    tags_of(table.tags()).contains_key(crate::engine::ownership::MARK_STEP)
}

/// Gives the main place to the table that came with the VPC.
async fn give_back(cx: &Aws, vpc: &Ref<Vpc>, own: &Id<RouteTable>) -> Result<(), Error> {
    let all = cx.ec2.route_tables.by("vpc-id", vpc.as_str()).await?;
    let main = all.iter().find(|t| is_main(t));
    let Some(main) = main.filter(|t| t.route_table_id() != Some(own.as_str())) else {
        return Ok(());
    };
    let association = main.associations().iter().find(|a| a.main() == Some(true));
    let association = association.and_then(|a| a.route_table_association_id());
    let association: String = READ.field(association, "RouteTableAssociationId")?;
    let call = cx.ec2.client.replace_route_table_association();
    let call = call.association_id(association).route_table_id(&own.id);
    cx.call(REPLACE, || call.clone().send()).await.map(drop)
}

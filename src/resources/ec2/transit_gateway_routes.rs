//! The static routes of a Transit Gateway route table, all of them: a route that somebody adds shows as an extra one.
//! Propagated routes belong to [`super::TransitGatewayPropagations`].

use super::prelude::*;
use super::transit_gateway_route_table::is_there;
use super::{TransitGatewayAttachment, TransitGatewayRouteTable};
use aws_sdk_ec2::types::{TransitGatewayRoute, TransitGatewayRouteState as State};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayRoutes {
    /// Must be available.
    pub table: Ref<TransitGatewayRouteTable>,
    /// Where each block (`10.20.0.0/18`, without host bits) leads to.
    pub routes: BTreeMap<String, TransitGatewayTarget>,
}

/// Where a static route of a Transit Gateway leads to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransitGatewayTarget {
    /// Nowhere: traffic is dropped.
    Blackhole,
    /// To an attachment, which must be available.
    Attachment(Ref<TransitGatewayAttachment>),
}

impl TransitGatewayTarget {
    fn attachment(&self) -> Option<String> {
        match self {
            Self::Blackhole => None,
            Self::Attachment(id) => Some(id.to_string()),
        }
    }

    /// A route to an attachment that was deleted is a black hole too, but still names the attachment.
    fn of(route: &TransitGatewayRoute) -> Self {
        let attachment = route.transit_gateway_attachments().first();
        attachment
            .and_then(|a| a.transit_gateway_attachment_id())
            .map_or(Self::Blackhole, |id| Self::Attachment(id.into()))
    }
}

impl Kind for TransitGatewayRoutes {
    const TYPE: &'static str = "ec2/transit_gateway_routes";
    type Outputs = Id<TransitGatewayRouteTable>;
}

impl SubResource for TransitGatewayRoutes {
    const FACTS: SubFacts = SubFacts {
        parent: "table",
        seconds: (1.0, 1.0),
        interrupts: &[(
            "routes",
            "traffic over a changed route stops for a few seconds",
        )],
        write_only: &[],
        delegated: &[],
    };
    type Parent = TransitGatewayRouteTable;

    fn parent(&self) -> &Ref<TransitGatewayRouteTable> {
        &self.table
    }

    async fn read(
        cx: &Aws,
        table: &Ref<TransitGatewayRouteTable>,
        _: Option<&Id<TransitGatewayRouteTable>>,
    ) -> Result<Option<Found<Self>>, Error> {
        if !is_there(cx, table.as_str()).await? {
            return Ok(None);
        }
        let answer = cx.ec2.static_routes.get(table.to_string()).await?;
        let Some(list) = answer.map_or(Ok(None), found)? else {
            return Ok(None);
        };
        let mut phase = Phase::Ready;
        let mut routes = BTreeMap::new();
        for route in &list {
            match route.state() {
                Some(State::Deleted) => continue,
                Some(State::Deleting) => {
                    phase = Phase::Settling;
                    continue;
                }
                Some(State::Pending) => phase = Phase::Settling,
                _ => {}
            }
            // A route to a prefix list has no block; its list names it.
            let block = route.destination_cidr_block().or(route.prefix_list_id());
            if let Some(block) = block {
                routes.insert(block.to_owned(), TransitGatewayTarget::of(route));
            }
        }
        let spec = Self {
            table: table.clone(),
            routes,
        };
        Ok(Some(Found::of_parent(spec, table.into()).phase(phase)))
    }

    async fn set(&self, cx: &Aws, _: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        let table = self.table.as_str();
        let edits = delta.entries("routes");
        // What is wanted comes first: traffic never meets a gap that a later call closes.
        for (block, edit) in &edits {
            match (self.routes.get(*block), edit) {
                (Some(target), Edit::Add) => create(cx, table, block, target).await?,
                (Some(target), _) => replace(cx, table, block, target).await?,
                (None, _) => {}
            }
        }
        for block in edits.keys().filter(|b| !self.routes.contains_key(**b)) {
            remove(cx, table, block).await?;
        }
        Ok(())
    }

    async fn reset(&self, cx: &Aws, _: &Self::Outputs) -> Result<(), Error> {
        for block in self.routes.keys() {
            remove(cx, self.table.as_str(), block).await?;
        }
        Ok(())
    }
}

async fn create(
    cx: &Aws,
    table: &str,
    block: &str,
    target: &TransitGatewayTarget,
) -> Result<(), Error> {
    let attachment = target.attachment();
    let answer = cx
        .call(ec2::CREATE_TRANSIT_GATEWAY_ROUTE, || {
            cx.ec2
                .client
                .create_transit_gateway_route()
                .transit_gateway_route_table_id(table)
                .destination_cidr_block(block)
                .set_blackhole(attachment.is_none().then_some(true))
                .set_transit_gateway_attachment_id(attachment.clone())
                .send()
        })
        .await;
    match answer {
        // An earlier call whose answer was lost, or somebody was faster: what is there is read again.
        Err(error) if error.code == "RouteAlreadyExists" => Ok(()),
        other => other.map(drop),
    }
}

async fn replace(
    cx: &Aws,
    table: &str,
    block: &str,
    target: &TransitGatewayTarget,
) -> Result<(), Error> {
    let attachment = target.attachment();
    cx.call(ec2::REPLACE_TRANSIT_GATEWAY_ROUTE, || {
        cx.ec2
            .client
            .replace_transit_gateway_route()
            .transit_gateway_route_table_id(table)
            .destination_cidr_block(block)
            .set_blackhole(attachment.is_none().then_some(true))
            .set_transit_gateway_attachment_id(attachment.clone())
            .send()
    })
    .await
    .map(drop)
}

/// A route to a prefix list was not made by us; it is a reference of its own kind.
async fn remove(cx: &Aws, table: &str, block: &str) -> Result<(), Error> {
    if block.starts_with("pl-") {
        let call = cx
            .ec2
            .client
            .delete_transit_gateway_prefix_list_reference()
            .transit_gateway_route_table_id(table)
            .prefix_list_id(block);
        let api = ec2::DELETE_TRANSIT_GATEWAY_PREFIX_LIST_REFERENCE;
        return cx.delete(api, || call.clone().send()).await;
    }
    let call = cx
        .ec2
        .client
        .delete_transit_gateway_route()
        .transit_gateway_route_table_id(table)
        .destination_cidr_block(block);
    let api = ec2::DELETE_TRANSIT_GATEWAY_ROUTE;
    cx.delete(api, || call.clone().send()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::diff;

    #[test]
    fn every_change_of_a_route_names_its_block() {
        let routes = |target: TransitGatewayTarget| {
            serde_json::to_value(TransitGatewayRoutes {
                table: "tgw-rtb-1".into(),
                routes: BTreeMap::from([("10.20.0.0/18".to_owned(), target)]),
            })
            .unwrap()
        };
        let to = |id: &str| TransitGatewayTarget::Attachment(id.into());
        for (want, have) in [
            (TransitGatewayTarget::Blackhole, to("a")),
            (to("a"), TransitGatewayTarget::Blackhole),
            (to("a"), to("b")),
        ] {
            let delta = Delta::of(diff(&routes(want), &routes(have)));
            let edits: Vec<_> = delta.entries("routes").into_iter().collect();
            assert_eq!(edits, [("10.20.0.0/18", Edit::Change)]);
        }
    }
}

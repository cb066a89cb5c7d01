//! The static routes of a route table, as one set. The local route, the routes that gateway endpoints add (`pl-...` to
//! `vpce-...`) and propagated ones have other owners and are not looked at.

use super::prelude::*;
use super::{InternetGateway, RouteTable, TransitGateway};
use aws_sdk_ec2::types::{Route, RouteOrigin, RouteState};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Routes {
    pub table: Ref<RouteTable>,
    /// Destination (an address block or a prefix list) to target.
    pub routes: BTreeMap<String, Target>,
}

/// Where a route leads: the id of a gateway. One whose target is gone reads as `<id> (blackhole)`, so it differs from
/// what is wanted and is set again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Target(String);

impl From<Ref<InternetGateway>> for Target {
    fn from(id: Ref<InternetGateway>) -> Self {
        Self(id.to_string())
    }
}

impl From<Ref<TransitGateway>> for Target {
    fn from(id: Ref<TransitGateway>) -> Self {
        Self(id.to_string())
    }
}

impl Kind for Routes {
    const TYPE: &'static str = "ec2/routes";
    type Outputs = Id<RouteTable>;
}

/// Sets destination and target of a CreateRoute or ReplaceRoute.
macro_rules! route {
    ($call:expr, $table:expr, $destination:expr, $target:expr) => {{
        let (destination, target): (&str, &str) = ($destination, $target);
        let call = $call.route_table_id($table);
        let call = match destination {
            list if list.starts_with("pl-") => call.destination_prefix_list_id(list),
            six if six.contains(':') => call.destination_ipv6_cidr_block(six),
            four => call.destination_cidr_block(four),
        };
        if target.starts_with("tgw-") {
            call.transit_gateway_id(target)
        } else if target.starts_with("nat-") {
            call.nat_gateway_id(target)
        } else {
            call.gateway_id(target)
        }
    }};
}

impl SubResource for Routes {
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
        let tables = cx.ec2.route_tables.by("route-table-id", id.as_str());
        let Some(found) = tables.await?.pop() else {
            return Ok(None);
        };
        let spec = Self {
            table: id.clone(),
            routes: static_routes(&found),
        };
        Ok(Some(Found::of_parent(spec, id.into())))
    }

    async fn set(&self, cx: &Aws, table: &Id<RouteTable>, delta: &Delta) -> Result<(), Error> {
        let table = table.as_str();
        for (destination, edit) in delta.entries("routes") {
            match self.routes.get(destination) {
                Some(Target(target)) => {
                    put(cx, table, destination, target, edit == Edit::Change).await?;
                }
                None => remove(cx, table, destination).await?,
            }
        }
        Ok(())
    }

    async fn reset(&self, cx: &Aws, table: &Id<RouteTable>) -> Result<(), Error> {
        for destination in self.routes.keys() {
            remove(cx, table.as_str(), destination).await?;
        }
        Ok(())
    }
}

/// Sets one route. Whether it exists may have changed since it was read (an earlier attempt whose answer was lost,
/// somebody else): AWS says so, and then the other call is the right one.
async fn put(
    cx: &Aws,
    table: &str,
    destination: &str,
    target: &str,
    exists: bool,
) -> Result<(), Error> {
    if exists {
        match replace(cx, table, destination, target).await {
            Err(error) if is_missing(&error) => create(cx, table, destination, target).await,
            answer => answer,
        }
    } else {
        match create(cx, table, destination, target).await {
            Err(error) if error.code == "RouteAlreadyExists" => {
                replace(cx, table, destination, target).await
            }
            answer => answer,
        }
    }
}

/// ReplaceRoute words a missing route as a bad parameter: "There is no route defined for '10.0.0.0/8' in the route table.
/// Use CreateRoute instead."
fn is_missing(error: &Error) -> bool {
    error.code == "InvalidRoute.NotFound"
        || (error.code == "InvalidParameterValue" && error.message.contains("no route defined"))
}

async fn create(cx: &Aws, table: &str, destination: &str, target: &str) -> Result<(), Error> {
    cx.call(ec2::CREATE_ROUTE, || {
        route!(cx.ec2.client.create_route(), table, destination, target).send()
    })
    .await
    .map(drop)
}

async fn replace(cx: &Aws, table: &str, destination: &str, target: &str) -> Result<(), Error> {
    cx.call(ec2::REPLACE_ROUTE, || {
        route!(cx.ec2.client.replace_route(), table, destination, target).send()
    })
    .await
    .map(drop)
}

pub(super) async fn remove(cx: &Aws, table: &str, destination: &str) -> Result<(), Error> {
    cx.delete(ec2::DELETE_ROUTE, || {
        let call = cx.ec2.client.delete_route().route_table_id(table);
        match destination {
            list if list.starts_with("pl-") => call.destination_prefix_list_id(list),
            six if six.contains(':') => call.destination_ipv6_cidr_block(six),
            four => call.destination_cidr_block(four),
        }
        .send()
    })
    .await
}

/// The static routes of a table.
pub(super) fn static_routes(table: &t::RouteTable) -> BTreeMap<String, Target> {
    table.routes().iter().filter_map(ours).collect()
}

/// Destination and target of a static route; `None` for a route that somebody else owns.
fn ours(route: &Route) -> Option<(String, Target)> {
    let destination = route
        .destination_cidr_block()
        .or(route.destination_ipv6_cidr_block())
        .or(route.destination_prefix_list_id())?;
    let propagated = matches!(
        route.origin(),
        Some(RouteOrigin::EnableVgwRoutePropagation | RouteOrigin::Advertisement)
    );
    let gateway = route.gateway_id();
    let endpoint =
        destination.starts_with("pl-") && gateway.is_some_and(|g| g.starts_with("vpce-"));
    let local = gateway == Some("local") || route.origin() == Some(&RouteOrigin::CreateRouteTable);
    if propagated || endpoint || local {
        return None;
    }
    let target = route
        .transit_gateway_id()
        .or(route.nat_gateway_id())
        .or(route.vpc_peering_connection_id())
        .or(route.egress_only_internet_gateway_id())
        .or(route.carrier_gateway_id())
        .or(route.local_gateway_id())
        .or(route.core_network_arn())
        .or(gateway)
        .or(route.network_interface_id())
        .or(route.instance_id())
        .unwrap_or("nowhere");
    let target = match route.state() {
        Some(RouteState::Blackhole) => format!("{target} (blackhole)"),
        _ => target.to_owned(),
    };
    Some((destination.to_owned(), Target(target)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_that_is_missing_is_told_from_a_target_that_is_wrong() {
        let error = |code: &str, message: &str| Error::permanent("x", message).code(code);
        let gone = "There is no route defined for '10.0.0.0/8' in the route table. Use CreateRoute instead.";
        assert!(is_missing(&error("InvalidParameterValue", gone)));
        assert!(is_missing(&error("InvalidRoute.NotFound", "")));
        assert!(!is_missing(&error(
            "InvalidParameterValue",
            "belong to different networks"
        )));
    }

    #[test]
    fn only_static_routes_are_ours_and_a_blackhole_shows() {
        let tgw = Route::builder()
            .destination_cidr_block("10.20.0.0/18")
            .transit_gateway_id("tgw-1")
            .origin(RouteOrigin::CreateRoute);
        let read = |route: aws_sdk_ec2::types::builders::RouteBuilder| {
            ours(&route.build()).map(|(to, Target(via))| format!("{to} {via}"))
        };
        assert_eq!(
            read(tgw.clone().state(RouteState::Active)).as_deref(),
            Some("10.20.0.0/18 tgw-1")
        );
        assert_eq!(
            read(tgw.clone().state(RouteState::Blackhole)).as_deref(),
            Some("10.20.0.0/18 tgw-1 (blackhole)")
        );
        assert_eq!(
            read(tgw.origin(RouteOrigin::EnableVgwRoutePropagation)),
            None
        );
        let local = Route::builder()
            .destination_cidr_block("10.10.0.0/16")
            .gateway_id("local")
            .origin(RouteOrigin::CreateRouteTable);
        assert_eq!(read(local), None);
        let endpoint = Route::builder()
            .destination_prefix_list_id("pl-1")
            .gateway_id("vpce-1")
            .origin(RouteOrigin::CreateRoute);
        assert_eq!(read(endpoint), None);
    }
}

//! Readers of what lies at a network's edge: Transit Gateways, VPC endpoints, flow logs.

use super::super::api::Api;
use super::super::call::Caller;
use super::super::reader::Reader;
use super::{Ec2Reader, Find, actions, filtered, text};
use crate::engine::Error;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self as t, Filter, Tag};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Items per page; the most that these calls give.
const PAGE: i32 = 1000;

/// A reader of one list per route table: there is no call for several tables. An error of one table is its own.
pub type PerTable<V> = Reader<String, Result<Vec<V>, Error>>;

/// A reader that sends one call per table, all at once.
fn per_table<V: Clone + Send + Sync + 'static>(
    fetch: impl Fn(String) -> BoxFuture<'static, Result<Vec<V>, Error>> + Send + Sync + 'static,
) -> PerTable<V> {
    let fetch = Arc::new(fetch);
    Reader::new(move |tables: Vec<String>| {
        let fetch = fetch.clone();
        async move {
            let lists = join_all(tables.iter().map(|table| fetch(table.clone()))).await;
            Ok(tables.into_iter().zip(lists).collect::<HashMap<_, _>>())
        }
        .boxed()
    })
}

macro_rules! by_filter {
    ($name:ident: $type:ty = $api:expr, $method:ident, $filters:ident, $items:ident) => {
        pub(super) fn $name(client: &Client, caller: &Arc<Caller>) -> Ec2Reader<$type> {
            filtered!(client, caller, $api, PAGE, $method, $filters, $items)
        }
    };
}

/// A reader of a call that documents no filter by tag: then all items are asked for, and picked from here.
macro_rules! without_tag_filter {
    ($name:ident: $type:ty = $api:expr, $method:ident, $items:ident) => {
        pub(super) fn $name(client: &Client, caller: &Arc<Caller>) -> Ec2Reader<$type> {
            let (client, caller) = (client.clone(), caller.clone());
            Ec2Reader::new(move |mut filters: Vec<Filter>| {
                let (client, caller) = (client.clone(), caller.clone());
                filters.retain(|f| f.name().is_some_and(|name| !name.starts_with("tag:")));
                let filters = (!filters.is_empty()).then_some(filters);
                async move {
                    let call = client.$method().set_filters(filters).max_results(PAGE);
                    let send = |token| call.clone().set_next_token(token).send();
                    let all = caller.pages($api, send, |page| {
                        (page.$items.unwrap_or_default(), page.next_token)
                    });
                    all.await
                }
                .boxed()
            })
        }
    };
}

by_filter!(transit_gateways: t::TransitGateway = actions::DESCRIBE_TRANSIT_GATEWAYS, describe_transit_gateways, set_filters, transit_gateways);
without_tag_filter!(tables: t::TransitGatewayRouteTable = actions::DESCRIBE_TRANSIT_GATEWAY_ROUTE_TABLES, describe_transit_gateway_route_tables, transit_gateway_route_tables);
without_tag_filter!(vpc_attachments: t::TransitGatewayVpcAttachment = actions::DESCRIBE_TRANSIT_GATEWAY_VPC_ATTACHMENTS, describe_transit_gateway_vpc_attachments, transit_gateway_vpc_attachments);
by_filter!(attachments: t::TransitGatewayAttachment = actions::DESCRIBE_TRANSIT_GATEWAY_ATTACHMENTS, describe_transit_gateway_attachments, set_filters, transit_gateway_attachments);
by_filter!(endpoints: t::VpcEndpoint = actions::DESCRIBE_VPC_ENDPOINTS, describe_vpc_endpoints, set_filters, vpc_endpoints);
by_filter!(endpoint_services: t::ServiceConfiguration = actions::DESCRIBE_VPC_ENDPOINT_SERVICE_CONFIGURATIONS, describe_vpc_endpoint_service_configurations, set_filters, service_configurations);
by_filter!(nat_gateways: t::NatGateway = actions::DESCRIBE_NAT_GATEWAYS, describe_nat_gateways, set_filter, nat_gateways);
by_filter!(flow_logs: t::FlowLog = actions::DESCRIBE_FLOW_LOGS, describe_flow_logs, set_filter, flow_logs);

/// All of the region at once: filters know one side each.
pub(super) fn peerings(
    client: Client,
    caller: Arc<Caller>,
) -> Reader<String, Vec<t::VpcPeeringConnection>> {
    Reader::new(move |_: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let call = client.describe_vpc_peering_connections().max_results(PAGE);
            let send = |token| call.clone().set_next_token(token).send();
            let all = caller.pages(actions::DESCRIBE_VPC_PEERING_CONNECTIONS, send, |page| {
                let peerings = page.vpc_peering_connections.unwrap_or_default();
                (peerings, page.next_token)
            });
            let mut out: HashMap<String, Vec<t::VpcPeeringConnection>> = HashMap::new();
            for one in all.await? {
                let sides = [one.requester_vpc_info(), one.accepter_vpc_info()];
                let sides = sides.into_iter().flatten();
                let vpcs: BTreeSet<String> = sides
                    .filter_map(|s| s.vpc_id().map(str::to_owned))
                    .collect();
                for vpc in vpcs {
                    out.entry(vpc).or_default().push(one.clone());
                }
            }
            Ok(out)
        }
        .boxed()
    })
}

/// All of the region at once: a flow log may be of a VPC, of a subnet or of an interface.
pub(super) fn all_flow_logs(
    client: Client,
    caller: Arc<Caller>,
) -> Reader<(), Arc<Vec<t::FlowLog>>> {
    Reader::new(move |_: Vec<()>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let call = client.describe_flow_logs().max_results(PAGE);
            let send = |token| call.clone().set_next_token(token).send();
            let all = caller.pages(actions::DESCRIBE_FLOW_LOGS, send, |page| {
                (page.flow_logs.unwrap_or_default(), page.next_token)
            });
            Ok(HashMap::from([((), Arc::new(all.await?))]))
        }
        .boxed()
    })
}

pub(super) fn propagations(
    client: Client,
    caller: Arc<Caller>,
) -> PerTable<t::TransitGatewayRouteTablePropagation> {
    per_table(move |table| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            const API: Api = actions::GET_TRANSIT_GATEWAY_ROUTE_TABLE_PROPAGATIONS;
            let call = client.get_transit_gateway_route_table_propagations();
            let call = call.transit_gateway_route_table_id(table).max_results(PAGE);
            let send = |token| call.clone().set_next_token(token).send();
            let all = caller.pages(API, send, |page| {
                let propagations = page.transit_gateway_route_table_propagations;
                (propagations.unwrap_or_default(), page.next_token)
            });
            all.await
        }
        .boxed()
    })
}

pub(super) fn static_routes(
    client: Client,
    caller: Arc<Caller>,
) -> PerTable<t::TransitGatewayRoute> {
    per_table(move |table| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            // The call must have a filter.
            let fixed = Filter::builder().name("type").values("static").build();
            let call = client.search_transit_gateway_routes().filters(fixed);
            let call = call.transit_gateway_route_table_id(table).max_results(PAGE);
            let send = |token| call.clone().set_next_token(token).send();
            let all = caller.pages(actions::SEARCH_TRANSIT_GATEWAY_ROUTES, send, |page| {
                (page.routes.unwrap_or_default(), page.next_token)
            });
            all.await
        }
        .boxed()
    })
}

impl Find for t::ServiceConfiguration {
    const ID: &'static str = "service-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "service-id" => text(self.service_id()),
            _ => Vec::new(),
        }
    }
    fn is_leaving(&self) -> bool {
        use t::ServiceState::{Deleted, Deleting};
        matches!(self.service_state(), Some(Deleting | Deleted))
    }
}

impl Find for t::TransitGateway {
    const ID: &'static str = "transit-gateway-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "transit-gateway-id" => text(self.transit_gateway_id()),
            _ => Vec::new(),
        }
    }
    fn is_leaving(&self) -> bool {
        use t::TransitGatewayState::{Deleted, Deleting};
        matches!(self.state(), Some(Deleting | Deleted))
    }
}

impl Find for t::TransitGatewayRouteTable {
    const ID: &'static str = "transit-gateway-route-table-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "transit-gateway-route-table-id" => text(self.transit_gateway_route_table_id()),
            "transit-gateway-id" => text(self.transit_gateway_id()),
            _ => Vec::new(),
        }
    }
    fn is_leaving(&self) -> bool {
        use t::TransitGatewayRouteTableState::{Deleted, Deleting};
        matches!(self.state(), Some(Deleting | Deleted))
    }
}

impl Find for t::TransitGatewayVpcAttachment {
    const ID: &'static str = "transit-gateway-attachment-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "transit-gateway-attachment-id" => text(self.transit_gateway_attachment_id()),
            "transit-gateway-id" => text(self.transit_gateway_id()),
            "vpc-id" => text(self.vpc_id()),
            _ => Vec::new(),
        }
    }
    fn is_leaving(&self) -> bool {
        use t::TransitGatewayAttachmentState::{Deleted, Deleting, Failed, Rejected};
        matches!(self.state(), Some(Deleting | Deleted | Failed | Rejected))
    }
}

impl Find for t::TransitGatewayAttachment {
    const ID: &'static str = "transit-gateway-attachment-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "transit-gateway-attachment-id" => text(self.transit_gateway_attachment_id()),
            "transit-gateway-id" => text(self.transit_gateway_id()),
            "resource-id" => text(self.resource_id()),
            "association.transit-gateway-route-table-id" => {
                let association = self.association();
                text(association.and_then(|a| a.transit_gateway_route_table_id()))
            }
            _ => Vec::new(),
        }
    }
    fn is_leaving(&self) -> bool {
        use t::TransitGatewayAttachmentState::{Deleted, Deleting, Failed, Rejected};
        matches!(self.state(), Some(Deleting | Deleted | Failed | Rejected))
    }
}

impl Find for t::VpcEndpoint {
    const ID: &'static str = "vpc-endpoint-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "vpc-endpoint-id" => text(self.vpc_endpoint_id()),
            "vpc-id" => text(self.vpc_id()),
            "service-name" => text(self.service_name()),
            _ => Vec::new(),
        }
    }
    fn is_leaving(&self) -> bool {
        // EC2 writes the state in lower case here, its model in upper case.
        let state = self.state().map(|s| s.as_str().to_lowercase());
        matches!(state.as_deref(), Some("deleting" | "deleted"))
    }
}

impl Find for t::FlowLog {
    const ID: &'static str = "flow-log-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "flow-log-id" => text(self.flow_log_id()),
            "resource-id" => text(self.resource_id()),
            _ => Vec::new(),
        }
    }
}

impl Find for t::NatGateway {
    const ID: &'static str = "nat-gateway-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "nat-gateway-id" => text(self.nat_gateway_id()),
            "vpc-id" => text(self.vpc_id()),
            _ => Vec::new(),
        }
    }
    fn is_leaving(&self) -> bool {
        use t::NatGatewayState::{Deleted, Deleting, Failed};
        matches!(self.state(), Some(Deleted | Deleting | Failed))
    }
}

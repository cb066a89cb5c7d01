//! Batched EC2 reads. EC2's Describe calls share one shape: filters with up to 200 values, pages of up to 1,000 items
//! ("Filter" and "MaxResults" in the EC2 API reference), so one reader type serves all of them.

use super::api::{Answer, Api, Bucket, Service, bucket};
use super::call::Caller;
use super::reader::Reader;
use crate::engine::{Class, Error, Identity};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self as t, Filter, Tag};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

mod actions;
mod edge;
mod network;
mod ways;

pub use actions::*;
pub use edge::PerTable;

/// EC2 as a service.
pub static SERVICE: Service = Service {
    name: "ec2",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// "Request throttling for the Amazon EC2 API": every action has its own bucket; non-mutating ones hold 100 tokens and
/// get 20/s (a few 50 and 10/s when they are asked without a filter), mutating ones 50 and 5/s, and some have figures of
/// their own. Of VPC endpoints the burst is larger than AWS's four: a run makes a dozen at a time, each of which takes minutes, and
/// what AWS refuses is repeated at its rate in that time; where a limit was raised, nothing waits.
fn limits(api: Api) -> Bucket {
    match api.operation {
        "CreateVpcEndpoint" | "ModifyVpcEndpoint" | "DeleteVpcEndpoints" => {
            bucket(api.operation, 24.0, 0.3)
        }
        "CreateVpcEndpointServiceConfiguration"
        | "ModifyVpcEndpointServiceConfiguration"
        | "DeleteVpcEndpointServiceConfigurations"
        | "CreateNatGateway"
        | "DeleteNatGateway" => bucket(api.operation, 10.0, 1.0),
        "CreateTags" | "DeleteTags" => bucket(api.operation, 100.0, 10.0),
        "DescribeSecurityGroups" | "DescribeNetworkInterfaces" => bucket(api.operation, 50.0, 10.0),
        _ if api.writes() => bucket(api.operation, 50.0, 5.0),
        _ => bucket(api.operation, 100.0, 20.0),
    }
}

/// "Error codes for the Amazon EC2 API", "Eventual consistency in the Amazon EC2 API".
fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    let says = |text: &str| answer.says(text);
    Some(match answer.code {
        // The attachment or table was made a moment ago, and is not ready for a route yet.
        "InvalidTransitGatewayID.NotFound" | "InvalidTransitGatewayAttachmentID.NotFound"
            if matches!(api.operation, "CreateRoute" | "ReplaceRoute") =>
        {
            Class::NotReady
        }
        // An association that is replaced is known from a read: it went with its subnet, or was moved by an attempt
        // whose answer was lost.
        "InvalidAssociationID.NotFound" => Class::Gone,
        // An ID that was created a moment ago.
        code if code.ends_with(".NotFound") => {
            if api.creates_or_changes() {
                Class::Propagating
            } else {
                Class::Gone
            }
        }
        // The gateway was attached to the table's VPC a moment ago.
        "InvalidParameterValue" if says("belong to different networks") => Class::Propagating,
        // A flow log's delivery role.
        "InvalidParameter" if says("Unable to assume given IAM role") => Class::Propagating,
        // "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames": they were set a moment ago.
        "InvalidParameter" if says("enableDnsSupport") => Class::Propagating,
        // An endpoint service that was made, or opened to us, a moment ago: AWS's own services have other names.
        "InvalidServiceName" if says("vpce-svc-") => Class::Propagating,
        "DependencyViolation" | "InvalidGroup.InUse" | "ExistingVpcEndpointConnections" => {
            Class::InUse
        }
        "IncorrectState" if api.operation.starts_with("Delete") => Class::InUse,
        "IncorrectState" | "InvalidState" => Class::NotReady,
        "InvalidGroup.Duplicate"
        | "InvalidSubnet.Conflict"
        | "FlowLogAlreadyExists"
        | "DuplicateTransitGatewayAttachment"
        | "Resource.AlreadyAssociated" => Class::Conflict,
        code if code.ends_with("AlreadyExists") => Class::Conflict,
        _ => return None,
    })
}

/// Values of one filter in one call.
const VALUES: usize = 200;

/// Asked for by its own id or by another filter, which one, and the value. What is asked for by its id comes last: most of
/// it has been shown by then, as what is in its VPC.
type Key = (By, &'static str, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum By {
    Another,
    Itself,
}

/// What a type needs so that its items can be handed back to who asked for them.
pub trait Find: Clone + Send + Sync + 'static {
    /// The filter that is its own id: one value, one item.
    const ID: &'static str;
    fn tags(&self) -> &[Tag];
    /// The values that this item has for a filter other than a tag.
    fn values(&self, filter: &str) -> Vec<String>;
    /// Deleted or being deleted: ignored when it is found by its mark.
    fn is_leaving(&self) -> bool {
        false
    }
}

/// A batched reader of one Describe call, by filter and value.
pub struct Ec2Reader<V>(Reader<Key, Vec<V>>);

impl<V: Find> Ec2Reader<V> {
    /// A reader over a function that describes everything that matches the filters, all pages.
    pub fn new(
        fetch: impl Fn(Vec<Filter>) -> BoxFuture<'static, Result<Vec<V>, Error>> + Send + Sync + 'static,
    ) -> Self {
        let fetch = Arc::new(fetch);
        Self(Reader::new(move |keys| {
            let fetch = fetch.clone();
            async move {
                let mut by_filter: BTreeMap<(By, &'static str), Vec<String>> = BTreeMap::new();
                for (by, filter, value) in keys {
                    by_filter.entry((by, filter)).or_default().push(value);
                }
                let mut shown: Vec<V> = Vec::new();
                let mut out: HashMap<Key, Vec<V>> = HashMap::new();
                for ((by, filter), mut values) in by_filter {
                    if by == By::Itself {
                        for item in &shown {
                            for value in item.values(filter) {
                                if let Some(at) = values.iter().position(|v| *v == value) {
                                    values.swap_remove(at);
                                    out.insert((by, filter, value), vec![item.clone()]);
                                }
                            }
                        }
                    }
                    for chunk in values.chunks(VALUES) {
                        let wanted = Filter::builder()
                            .name(filter)
                            .set_values(Some(chunk.to_vec()))
                            .build();
                        for item in fetch(vec![wanted]).await? {
                            // Emulators and proxies that ignore a filter must not give us foreign things.
                            for value in values_of(&item, filter) {
                                if chunk.contains(&value) {
                                    let key = (by, filter, value);
                                    out.entry(key).or_default().push(item.clone());
                                }
                            }
                            shown.push(item);
                        }
                    }
                }
                Ok(out)
            }
            .boxed()
        }))
    }

    /// All items with this value of this filter.
    pub async fn by(&self, filter: &'static str, value: &str) -> Result<Vec<V>, Error> {
        let by = if filter == V::ID {
            By::Itself
        } else {
            By::Another
        };
        let key = (by, filter, value.to_owned());
        Ok(self.0.get(key).await?.unwrap_or_default())
    }
}

fn values_of<V: Find>(item: &V, filter: &str) -> Vec<String> {
    match filter.strip_prefix("tag:") {
        Some(key) => {
            let tag = item.tags().iter().find(|t| t.key() == Some(key));
            tag.and_then(Tag::value)
                .map(str::to_owned)
                .into_iter()
                .collect()
        }
        None => item.values(filter),
    }
}

pub fn tags_of(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|t| {
            Some((
                t.key()?.to_owned(),
                t.value().unwrap_or_default().to_owned(),
            ))
        })
        .collect()
}

/// Finds one item: by its recorded id (whatever its state), else by our mark, else by its `Name` (then it is foreign
/// and the engine says so). Two hits are an error.
pub async fn find<V: Find>(
    reader: &Ec2Reader<V>,
    id: Option<&str>,
    id_filter: &'static str,
    identity: &Identity,
) -> Result<Option<V>, Error> {
    if let Some(id) = id {
        return Ok(reader.by(id_filter, id).await?.pop());
    }
    let mut hits = find_all(reader, identity).await?;
    if hits.len() > 1 {
        let ids: Vec<String> = hits.iter().flat_map(|h| h.values(id_filter)).collect();
        return Err(Error::marked_twice(&identity.step, &ids));
    }
    if let Some(hit) = hits.pop() {
        return Ok(Some(hit));
    }
    let named = reader.by("tag:Name", &identity.name).await?;
    Ok(named.into_iter().find(|v| !v.is_leaving()))
}

/// All items that carry the mark of this identity and are not on their way out.
pub async fn find_all<V: Find>(
    reader: &Ec2Reader<V>,
    identity: &Identity,
) -> Result<Vec<V>, Error> {
    let mut hits = reader.by("tag:DeployerStep", &identity.step).await?;
    hits.retain(|v| !v.is_leaving() && identity.same_deployment(&tags_of(v.tags())));
    Ok(hits)
}

fn text(value: Option<&str>) -> Vec<String> {
    value.map(str::to_owned).into_iter().collect()
}

/// A reader by filters over a Describe call.
macro_rules! filtered {
    ($client:expr, $caller:expr, $api:expr, $size:expr, $method:ident, $filters:ident, $items:ident) => {{
        let (client, caller): (Client, Arc<Caller>) = ($client.clone(), $caller.clone());
        Ec2Reader::new(move |filters: Vec<Filter>| {
            let (client, caller) = (client.clone(), caller.clone());
            async move {
                let call = client.$method().$filters(Some(filters)).max_results($size);
                let send = |token| call.clone().set_next_token(token).send();
                let all = caller.pages($api, send, |page| {
                    (page.$items.unwrap_or_default(), page.next_token)
                });
                all.await
            }
            .boxed()
        })
    }};
}
use filtered;

/// Items per page: 1,000 where nothing else is said.
macro_rules! page {
    () => {
        1000
    };
    ($size:literal) => {
        $size
    };
}

macro_rules! readers {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $api:ident $(pages of $page:literal)?, $method:ident, $items:ident;)*) => {
        /// EC2: its client and one batched reader per Describe call.
        pub struct Ec2 {
            pub client: Client,
            $($(#[$doc])* pub $field: Ec2Reader<$type>,)*
            /// DescribeTransitGateways.
            pub transit_gateways: Ec2Reader<t::TransitGateway>,
            /// DescribeTransitGatewayRouteTables.
            pub tables: Ec2Reader<t::TransitGatewayRouteTable>,
            /// DescribeTransitGatewayVpcAttachments: subnets and options.
            pub vpc_attachments: Ec2Reader<t::TransitGatewayVpcAttachment>,
            /// DescribeTransitGatewayAttachments: the association of each.
            pub attachments: Ec2Reader<t::TransitGatewayAttachment>,
            /// GetTransitGatewayRouteTablePropagations.
            pub propagations: PerTable<t::TransitGatewayRouteTablePropagation>,
            /// SearchTransitGatewayRoutes, the static ones.
            pub static_routes: PerTable<t::TransitGatewayRoute>,
            /// DescribeVpcEndpoints.
            pub endpoints: Ec2Reader<t::VpcEndpoint>,
            /// DescribeVpcEndpointServiceConfigurations.
            pub endpoint_services: Ec2Reader<t::ServiceConfiguration>,
            /// DescribeNatGateways.
            pub nat_gateways: Ec2Reader<t::NatGateway>,
            /// DescribeVpnGateways: those attached to a VPC.
            pub vpn_gateways: Reader<String, Vec<String>>,
            /// DescribeEgressOnlyInternetGateways: all of the region, by VPC.
            pub egress_gateways: Reader<String, Vec<String>>,
            /// DescribeVpcPeeringConnections: all of the region, by VPC of either side.
            pub peerings: Reader<String, Vec<t::VpcPeeringConnection>>,
            /// DescribeFlowLogs.
            pub flow_logs: Ec2Reader<t::FlowLog>,
            /// DescribeFlowLogs: all of the region, of whatever they are.
            pub all_flow_logs: Reader<(), Arc<Vec<t::FlowLog>>>,
        }

        impl Ec2 {
            pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
                let client = Client::new(config);
                Self {
                    $($field: filtered!(client, caller, $api, page!($($page)?), $method, set_filters, $items),)*
                    transit_gateways: edge::transit_gateways(&client, caller),
                    tables: edge::tables(&client, caller),
                    vpc_attachments: edge::vpc_attachments(&client, caller),
                    attachments: edge::attachments(&client, caller),
                    propagations: edge::propagations(client.clone(), caller.clone()),
                    static_routes: edge::static_routes(client.clone(), caller.clone()),
                    endpoints: edge::endpoints(&client, caller),
                    endpoint_services: edge::endpoint_services(&client, caller),
                    nat_gateways: edge::nat_gateways(&client, caller),
                    vpn_gateways: ways::vpn_gateways(client.clone(), caller.clone()),
                    egress_gateways: ways::egress_gateways(client.clone(), caller.clone()),
                    peerings: edge::peerings(client.clone(), caller.clone()),
                    flow_logs: edge::flow_logs(&client, caller),
                    all_flow_logs: edge::all_flow_logs(client.clone(), caller.clone()),
                    client,
                }
            }
        }
    };
}

readers! {
    /// DescribeVpcs.
    vpcs: t::Vpc = DESCRIBE_VPCS, describe_vpcs, vpcs;
    /// DescribeSubnets.
    subnets: t::Subnet = DESCRIBE_SUBNETS, describe_subnets, subnets;
    /// DescribeInternetGateways.
    internet_gateways: t::InternetGateway = DESCRIBE_INTERNET_GATEWAYS, describe_internet_gateways, internet_gateways;
    /// DescribeRouteTables, whose pages hold 100 at most.
    route_tables: t::RouteTable = DESCRIBE_ROUTE_TABLES pages of 100, describe_route_tables, route_tables;
    /// DescribeNetworkAcls.
    network_acls: t::NetworkAcl = DESCRIBE_NETWORK_ACLS, describe_network_acls, network_acls;
    /// DescribeSecurityGroups.
    security_groups: t::SecurityGroup = DESCRIBE_SECURITY_GROUPS, describe_security_groups, security_groups;
    /// DescribeSecurityGroupRules.
    security_group_rules: t::SecurityGroupRule = DESCRIBE_SECURITY_GROUP_RULES, describe_security_group_rules, security_group_rules;
    /// DescribeNetworkInterfaces: asked for the addresses of the bridge, and when a deletion is held.
    network_interfaces: t::NetworkInterface = DESCRIBE_NETWORK_INTERFACES, describe_network_interfaces, network_interfaces;
}

impl Find for t::Vpc {
    const ID: &'static str = "vpc-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "vpc-id" => text(self.vpc_id()),
            _ => Vec::new(),
        }
    }
}

impl Find for t::Subnet {
    const ID: &'static str = "subnet-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "subnet-id" => text(self.subnet_id()),
            "vpc-id" => text(self.vpc_id()),
            _ => Vec::new(),
        }
    }
}

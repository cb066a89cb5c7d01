//! What others put into a VPC of ours or tied to it. It may keep the VPC from being deleted, read what passes there, or answer for
//! names that are asked there.

use super::interfaces::of_others;
use super::prelude::*;
use crate::engine::compare::UNREAD;
use aws_sdk_lambda::types::FunctionConfiguration as Function;
use aws_sdk_rds::types::DbInstance;

/// What a list of others' things has; one that cannot be read is an entry of its own, and fails no step: none needs it.
pub(super) fn listed<T: Default>(list: Result<T, Error>, unread: &mut Vec<String>) -> T {
    list.unwrap_or_else(|error| {
        unread.push(format!("{UNREAD}{}", error.in_short()));
        T::default()
    })
}

/// Everything in the VPC that does not carry this deployment's mark and did not come with it, as `subnet subnet-1`.
pub(super) async fn strangers(cx: &Aws, vpc: &str, identity: &Identity) -> Vec<String> {
    let ec2 = &cx.ec2;
    // All in one tick, so that what is recorded of them is read with them.
    let places = futures::future::join4(
        ec2.subnets.by("vpc-id", vpc),
        ec2.security_groups.by("vpc-id", vpc),
        ec2.network_acls.by("vpc-id", vpc),
        ec2.route_tables.by("vpc-id", vpc),
    );
    let ways = futures::future::join4(
        ec2.endpoints.by("vpc-id", vpc),
        ec2.vpc_attachments.by("vpc-id", vpc),
        ec2.network_interfaces.by("vpc-id", vpc),
        ec2.internet_gateways.by("attachment.vpc-id", vpc),
    );
    // No deployment makes any of these.
    let never = futures::future::join(
        ec2.vpn_gateways.get(vpc.to_owned()),
        ec2.egress_gateways.get(vpc.to_owned()),
    );
    let more = futures::future::join4(
        ec2.nat_gateways.by("vpc-id", vpc),
        peerings(cx, vpc),
        ec2.all_flow_logs.get(()),
        cx.route53.private_zones(vpc),
    );
    // Their interfaces may have groups of ours, and functions share them.
    let users = futures::future::join(cx.lambda.functions(), cx.rds.instances.all());
    let (places, ways, more, never, users) = futures::join!(places, ways, more, never, users);
    let (nats, peerings, flow_logs, zones) = more;
    let (subnets, groups, acls, tables) = places;
    let (endpoints, attachments, interfaces, gateways) = ways;
    let mut out = Vec::new();
    let (subnets, groups) = (listed(subnets, &mut out), listed(groups, &mut out));
    let (acls, tables) = (listed(acls, &mut out), listed(tables, &mut out));
    let (endpoints, nats) = (listed(endpoints, &mut out), listed(nats, &mut out));
    let attachments = listed(attachments, &mut out);
    let interfaces = listed(interfaces, &mut out);
    let gateways = listed(gateways, &mut out);
    let (peerings, zones) = (listed(peerings, &mut out), listed(zones, &mut out));
    let flow_logs = listed(flow_logs, &mut out).unwrap_or_default();
    let (vpn, egress) = (listed(never.0, &mut out), listed(never.1, &mut out));
    let functions = listed(users.0, &mut out);
    let instances = listed(users.1.map(|all| all.to_vec()), &mut out);
    out.extend(guests(cx, vpc, &functions, &instances));
    let mut add = |what: &str, id: Option<&str>, tags: &[t::Tag]| {
        if !of_deployment(identity, &tags_of(tags)) {
            out.push(format!("{what} {}", id.unwrap_or_default()));
        }
    };
    for it in &subnets {
        add("subnet", it.subnet_id(), it.tags());
    }
    for it in groups.iter().filter(|g| g.group_name() != Some("default")) {
        add("security group", it.group_id(), it.tags());
    }
    for it in acls.iter().filter(|a| a.is_default() != Some(true)) {
        add("network ACL", it.network_acl_id(), it.tags());
    }
    let came_with_it = own_table(&tables);
    for it in &tables {
        if it.route_table_id() != came_with_it {
            add("route table", it.route_table_id(), it.tags());
        }
    }
    for it in endpoints.iter().filter(|e| !e.is_leaving()) {
        add("VPC endpoint", it.vpc_endpoint_id(), it.tags());
    }
    for it in attachments.iter().filter(|a| !a.is_leaving()) {
        let id = it.transit_gateway_attachment_id();
        add("Transit Gateway attachment", id, it.tags());
    }
    for it in &gateways {
        add("internet gateway", it.internet_gateway_id(), it.tags());
    }
    for it in nats.iter().filter(|n| !n.is_leaving()) {
        add("NAT gateway", it.nat_gateway_id(), it.tags());
    }
    for it in &peerings {
        add("peering", it.vpc_peering_connection_id(), it.tags());
    }
    let within = |resource: &str| {
        resource == vpc
            || subnets.iter().any(|s| s.subnet_id() == Some(resource))
            || interfaces
                .iter()
                .any(|i| i.network_interface_id() == Some(resource))
    };
    for it in flow_logs
        .iter()
        .filter(|l| l.resource_id().is_some_and(within))
    {
        add("flow log", it.flow_log_id(), it.tags());
    }
    for id in vpn.iter().flatten() {
        add("VPN gateway", Some(id.as_str()), &[]);
    }
    for id in egress.iter().flatten() {
        add("egress-only internet gateway", Some(id.as_str()), &[]);
    }
    // What is asked in the VPC is answered from these first: a name of AWS or of ours too.
    for (name, id) in &zones {
        add("private zone", Some(&format!("{name} ({id})")), &[]);
    }
    let ours = groups
        .iter()
        .filter(|g| of_deployment(identity, &tags_of(g.tags())));
    let ours: Vec<&str> = ours.filter_map(|g| g.group_id()).collect();
    for it in &interfaces {
        let id = it.network_interface_id();
        match it.requester_managed() {
            Some(true) if of_others(cx, it, |group| ours.contains(&group)) => {
                let of = it.description().unwrap_or_default();
                add(
                    "network interface",
                    Some(&format!("{} ({of})", id.unwrap_or_default())),
                    &[],
                );
            }
            // It goes with the thing that it belongs to.
            Some(true) => {}
            _ => add("network interface", id, it.tag_set()),
        }
    }
    out
}

/// Functions and database instances of others in the VPC. One with a security group of ours reaches what that may reach.
fn guests(cx: &Aws, vpc: &str, functions: &[Function], instances: &[DbInstance]) -> Vec<String> {
    let is_own = |kind: &str, name: &str| cx.own.any(|it| it.kind == kind && it.name == name);
    let functions = functions.iter().filter_map(|f| {
        let name = f.function_name()?;
        let within_it = f.vpc_config()?.vpc_id()? == vpc;
        (within_it && !is_own("lambda/function", name)).then(|| format!("function {name}"))
    });
    let instances = instances.iter().filter_map(|i| {
        let name = i.db_instance_identifier()?;
        let within_it = i.db_subnet_group()?.vpc_id()? == vpc;
        // Who joins a cluster of ours shows there.
        let cluster = i.db_cluster_identifier().unwrap_or_default();
        (within_it && !is_own("rds/cluster", cluster)).then(|| format!("database instance {name}"))
    });
    functions.chain(instances).collect()
}

/// The table that came with the VPC: the main one, or (when another has its place) the only one without a mark and a
/// subnet. The step of the main table tells the rest.
fn own_table(tables: &[t::RouteTable]) -> Option<&str> {
    let marked = |t: &t::RouteTable| {
        let step = crate::engine::ownership::MARK_STEP;
        t.tags().iter().any(|tag| tag.key() == Some(step))
    };
    let main = |t: &&t::RouteTable| t.associations().iter().any(|a| a.main() == Some(true));
    if let Some(main) = tables.iter().find(|t| main(t) && !marked(t)) {
        return main.route_table_id();
    }
    let used = |t: &t::RouteTable| t.associations().iter().any(|a| a.subnet_id().is_some());
    let mut free = tables.iter().filter(|t| !marked(t) && !used(t));
    match (free.next(), free.next()) {
        (Some(only), None) => only.route_table_id(),
        _ => None,
    }
}

/// Peerings in which the VPC takes part, on either side.
async fn peerings(cx: &Aws, vpc: &str) -> Result<Vec<t::VpcPeeringConnection>, Error> {
    use t::VpcPeeringConnectionStateReasonCode as Code;
    let mut all = cx
        .ec2
        .peerings
        .get(vpc.to_owned())
        .await?
        .unwrap_or_default();
    all.retain(|p| {
        let state = p.status().and_then(|s| s.code());
        let over = matches!(
            state,
            Some(Code::Deleted | Code::Deleting | Code::Rejected | Code::Expired | Code::Failed)
        );
        !over
    });
    Ok(all)
}

/// The DHCP options of a VPC, where they are others than it came with: names are asked of another server, or in another domain, or
/// another clock is believed.
pub(super) async fn foreign_dhcp(cx: &Aws, id: Option<&str>) -> Result<Option<String>, Error> {
    const READ: Api = ec2::DESCRIBE_DHCP_OPTIONS;
    let Some(id) = id.filter(|id| *id != "default") else {
        return Ok(None);
    };
    let call = cx.ec2.client.describe_dhcp_options().dhcp_options_ids(id);
    let Some(answer) = found(cx.call(READ, || call.clone().send()).await)? else {
        return Ok(None);
    };
    let all = answer.dhcp_options().iter();
    let all = all.flat_map(|options| options.dhcp_configurations());
    let mut set = Vec::new();
    for one in all {
        let values = one.values().iter().filter_map(|v| v.value());
        let values: Vec<&str> = values.collect();
        let key = one.key().unwrap_or_default();
        let as_made = match key {
            "domain-name-servers" => values == ["AmazonProvidedDNS"],
            // "DHCP option sets in Amazon VPC": the name of the region, but for the oldest one.
            "domain-name" => {
                matches!(values[..], [name] if name == "ec2.internal" || name.ends_with(".compute.internal"))
            }
            _ => false,
        };
        if !as_made {
            set.push(format!("{key} {}", values.join(", ")));
        }
    }
    Ok((!set.is_empty()).then(|| format!("{id}: {}", set.join("; "))))
}

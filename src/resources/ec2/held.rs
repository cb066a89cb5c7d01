//! Who holds what AWS refuses to delete. `DependencyViolation` names nobody; the network interfaces do.

use super::interfaces::of_others_as_recorded;
use crate::aws::{Aws, Find};
use crate::engine::{Class, Error};
use crate::resources::holders::{Named, held_by};
use aws_sdk_ec2::types::{NetworkInterface, SecurityGroup};

/// Where to look for the holder.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holder<'a> {
    /// Interfaces in this subnet.
    InSubnet(&'a str),
    /// Interfaces with this security group, and groups whose rules name it.
    OfGroup(&'a str),
    /// Interfaces with a public address in this VPC.
    PublicAddresses(&'a str),
    /// Interfaces and whatever else lies in this VPC.
    InVpc(&'a str),
    /// Associations of this route table.
    OfRouteTable(&'a str),
    /// Attachments and route tables of this Transit Gateway.
    OfTransitGateway(&'a str),
}

/// The same answer; a refusal because of a dependency says who it is, as far as that can be read.
pub(super) async fn explain<T>(
    cx: &Aws,
    answer: Result<T, Error>,
    holder: Holder<'_>,
) -> Result<T, Error> {
    match answer {
        Err(error) if error.class == Class::InUse => Err(blame(cx, error, holder).await),
        answer => answer,
    }
}

async fn blame(cx: &Aws, error: Error, holder: Holder<'_>) -> Error {
    // What cannot be read is left out: the refusal itself is the news.
    let mut all: Vec<Named> = match interfaces(cx, holder).await {
        Ok(found) => {
            let named = found
                .iter()
                .map(|it| name(it, of_others_as_recorded(cx, it)));
            named.collect()
        }
        Err(_) => Vec::new(),
    };
    all.extend(others(cx, holder).await.unwrap_or_default());
    held_by(error, all)
}

async fn interfaces(cx: &Aws, holder: Holder<'_>) -> Result<Vec<NetworkInterface>, Error> {
    let reader = &cx.ec2.network_interfaces;
    match holder {
        Holder::InSubnet(id) => reader.by("subnet-id", id).await,
        Holder::OfGroup(id) => reader.by("group-id", id).await,
        Holder::InVpc(id) => reader.by("vpc-id", id).await,
        Holder::PublicAddresses(id) => {
            let mut found = reader.by("vpc-id", id).await?;
            found.retain(|i| i.association().and_then(|a| a.public_ip()).is_some());
            Ok(found)
        }
        Holder::OfRouteTable(_) | Holder::OfTransitGateway(_) => Ok(Vec::new()),
    }
}

/// A group by its id and the name that somebody gave it.
fn titled(group: &SecurityGroup) -> String {
    let id = group.group_id().unwrap_or_default();
    match group.group_name() {
        Some(name) => format!("{id} ({name})"),
        None => id.to_owned(),
    }
}

/// What holds besides interfaces.
async fn others(cx: &Aws, holder: Holder<'_>) -> Result<Vec<Named>, Error> {
    let mut names = Vec::new();
    let mut add = |kind: &str, id: Option<&str>| {
        names.push(Named::stays(format!("{kind} {}", id.unwrap_or_default())));
    };
    match holder {
        Holder::OfGroup(id) => {
            for filter in ["ip-permission.group-id", "egress.ip-permission.group-id"] {
                for group in cx.ec2.security_groups.by(filter, id).await? {
                    if group.group_id() != Some(id) {
                        add("a rule of security group", Some(&titled(&group)));
                    }
                }
            }
        }
        Holder::InVpc(id) => {
            for subnet in cx.ec2.subnets.by("vpc-id", id).await? {
                add("subnet", subnet.subnet_id());
            }
            for group in cx.ec2.security_groups.by("vpc-id", id).await? {
                if group.group_name() != Some("default") {
                    add("security group", Some(&titled(&group)));
                }
            }
            for acl in cx.ec2.network_acls.by("vpc-id", id).await? {
                if acl.is_default() != Some(true) {
                    add("network ACL", acl.network_acl_id());
                }
            }
            for table in cx.ec2.route_tables.by("vpc-id", id).await? {
                if !table.associations().iter().any(|a| a.main() == Some(true)) {
                    add("route table", table.route_table_id());
                }
            }
            let gateways = cx.ec2.internet_gateways.by("attachment.vpc-id", id);
            for gateway in gateways.await? {
                add("internet gateway", gateway.internet_gateway_id());
            }
            for endpoint in cx.ec2.endpoints.by("vpc-id", id).await? {
                if !endpoint.is_leaving() {
                    add("VPC endpoint", endpoint.vpc_endpoint_id());
                }
            }
        }
        Holder::InSubnet(_) | Holder::PublicAddresses(_) => {}
        Holder::OfRouteTable(id) => {
            for table in cx.ec2.route_tables.by("route-table-id", id).await? {
                for association in table.associations() {
                    let at = association.subnet_id().or(association.gateway_id());
                    match at {
                        Some(_) => add("its association with", at),
                        None => add("its place as the main route table of", table.vpc_id()),
                    }
                }
            }
        }
        Holder::OfTransitGateway(id) => {
            for attachment in cx.ec2.attachments.by("transit-gateway-id", id).await? {
                if !attachment.is_leaving() {
                    add("attachment", attachment.transit_gateway_attachment_id());
                }
            }
            for table in cx.ec2.tables.by("transit-gateway-id", id).await? {
                if table.default_association_route_table() != Some(true) && !table.is_leaving() {
                    add("route table", table.transit_gateway_route_table_id());
                }
            }
        }
    }
    names.dedup_by(|a, b| a.text == b.text);
    Ok(names)
}

/// `eni-1 (RDSNetworkInterface, amazon-rds; goes with its database instance)`
fn name(interface: &NetworkInterface, of_others: bool) -> Named {
    let id = interface.network_interface_id().unwrap_or("an interface");
    let description = interface.description().unwrap_or_default();
    let requester = interface.requester_id().unwrap_or_default();
    let attached = interface.attachment().and_then(|a| a.instance_id());
    let what = [description, requester, attached.unwrap_or_default()];
    let what: Vec<&str> = what.into_iter().filter(|t| !t.is_empty()).collect();
    let goes = goes(description, requester, attached).filter(|_| !of_others);
    Named {
        text: format!("{id} ({}; {})", what.join(", "), goes.unwrap_or(STAYS)),
        stays: goes.is_none(),
    }
}

const STAYS: &str = "deployer did not make it";

/// How long it typically takes until the interface is gone, read from the text that each service gives its interfaces.
/// `None` for one that does not go by itself.
fn goes(description: &str, requester: &str, instance: Option<&str>) -> Option<&'static str> {
    let is = |text: &str| description.contains(text);
    if instance.is_some() {
        return None;
    }
    Some(if is("AWS Lambda VPC ENI") {
        "goes up to 45 minutes after its function, under 5 when the function's VPC settings were cleared first"
    } else if is("ELB ") || requester == "amazon-elb" {
        "goes a minute or two after its load balancer"
    } else if is("RDSNetworkInterface") || requester == "amazon-rds" {
        "goes with its database instance, 5 to 10 minutes"
    } else if is("VPC Endpoint Interface") {
        "goes with its endpoint, 1 to 2 minutes"
    } else if is("Transit Gateway Attachment") {
        "goes with its attachment, 1 to 2 minutes"
    } else if is("NAT Gateway") {
        "goes with its NAT gateway, 1 to 2 minutes"
    } else if is("arn:aws:ecs:") {
        "goes with its task, about a minute"
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_tells_whose_it_is_and_how_long_it_stays() {
        let lambda = NetworkInterface::builder()
            .network_interface_id("eni-1")
            .description("AWS Lambda VPC ENI-migrate-1234")
            .build();
        assert_eq!(
            name(&lambda, false).text,
            "eni-1 (AWS Lambda VPC ENI-migrate-1234; goes up to 45 minutes after its function, under 5 when the function's VPC settings were cleared first)"
        );
        let balancer = NetworkInterface::builder()
            .network_interface_id("eni-2")
            .requester_id("amazon-elb")
            .build();
        let named = name(&balancer, false);
        assert!(named.text.contains("load balancer") && !named.stays);
        let theirs = name(&balancer, true);
        assert!(theirs.text.contains(STAYS) && theirs.stays);
    }
}

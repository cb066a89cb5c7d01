//! How the items of the network's Describe calls are handed back to who asked for them.

use super::{Find, text};
use aws_sdk_ec2::types::{self as t, Tag};

impl Find for t::InternetGateway {
    const ID: &'static str = "internet-gateway-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "internet-gateway-id" => text(self.internet_gateway_id()),
            "attachment.vpc-id" => self
                .attachments()
                .iter()
                .flat_map(|a| text(a.vpc_id()))
                .collect(),
            _ => Vec::new(),
        }
    }
}

impl Find for t::RouteTable {
    const ID: &'static str = "route-table-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "route-table-id" => text(self.route_table_id()),
            "vpc-id" => text(self.vpc_id()),
            "association.subnet-id" => self
                .associations()
                .iter()
                .flat_map(|a| text(a.subnet_id()))
                .collect(),
            _ => Vec::new(),
        }
    }
}

impl Find for t::NetworkAcl {
    const ID: &'static str = "network-acl-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "network-acl-id" => text(self.network_acl_id()),
            "vpc-id" => text(self.vpc_id()),
            "association.subnet-id" => self
                .associations()
                .iter()
                .flat_map(|a| text(a.subnet_id()))
                .collect(),
            _ => Vec::new(),
        }
    }
}

impl Find for t::SecurityGroup {
    const ID: &'static str = "group-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        let named_by = |permissions: &[t::IpPermission]| {
            permissions
                .iter()
                .flat_map(|p| p.user_id_group_pairs())
                .flat_map(|pair| text(pair.group_id()))
                .collect()
        };
        match filter {
            "group-id" => text(self.group_id()),
            "vpc-id" => text(self.vpc_id()),
            "ip-permission.group-id" => named_by(self.ip_permissions()),
            "egress.ip-permission.group-id" => named_by(self.ip_permissions_egress()),
            _ => Vec::new(),
        }
    }
}

impl Find for t::SecurityGroupRule {
    const ID: &'static str = "security-group-rule-id";

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "group-id" => text(self.group_id()),
            _ => Vec::new(),
        }
    }
}

impl Find for t::NetworkInterface {
    const ID: &'static str = "network-interface-id";

    fn tags(&self) -> &[Tag] {
        self.tag_set()
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "network-interface-id" => text(self.network_interface_id()),
            "subnet-id" => text(self.subnet_id()),
            "vpc-id" => text(self.vpc_id()),
            "group-id" => self
                .groups()
                .iter()
                .flat_map(|g| text(g.group_id()))
                .collect(),
            _ => Vec::new(),
        }
    }
}

//! What the network lets through, packet by packet: security groups, network ACLs in both directions (they keep no state),
//! route tables, Transit Gateway tables. One model for the blueprint and for what was read of an account: a way is open, closed, or
//! not known because something on it was not read.

mod filters;
#[cfg(test)]
mod tests;
mod ways;

pub use filters::within;

use super::services::{SERVICE_PORT, SERVICES};
use crate::engine::Graph;
use ipnet::Ipv4Net;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Somebody who sends or receives. Without an environment it lies outside both VPCs.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    env: &'static str,
    tier: &'static str,
    zone: char,
    /// The security group; `None` for one that lets everything through.
    group: Option<&'static str>,
    address: Ipv4Addr,
    /// The service whose prefix list it is on: `s3`, `dynamodb`, or none.
    list: &'static str,
}

/// Who is where: security group and tier.
pub fn groups() -> impl Iterator<Item = (&'static str, &'static str)> {
    let ways_in = [
        ("alb", "public"),
        ("bridge", "app"),
        ("bridge-nlb", "public"),
    ];
    let services = SERVICES.iter().map(|service| (service.name, "app"));
    let behind = [
        ("migration", "app"),
        ("endpoints", "app"),
        ("database", "db"),
    ];
    ways_in.into_iter().chain(services).chain(behind)
}
/// The environments.
pub const ENVS: [&str; 2] = ["blue", "green"];
/// Ports that are tried: every one that is used, and one of each kind that is not.
pub const PORTS: [u16; 9] = [22, 80, 443, 1024, 3389, 5432, SERVICE_PORT, 9000, 65535];
/// Those outside.
pub const OUTSIDE: [(&str, [u8; 4], &str); 3] = [
    ("internet", [198, 51, 100, 7], ""),
    ("s3", [52, 219, 170, 1], "s3"),
    ("dynamodb", [52, 94, 17, 1], "dynamodb"),
];
/// The types that decide.
const KINDS: [&str; 12] = [
    "ec2/vpc",
    "ec2/subnet",
    "ec2/security_group_rules",
    "ec2/network_acl_entries",
    "ec2/routes",
    "ec2/gateway_endpoint",
    "ec2/transit_gateway_association",
    "ec2/transit_gateway_propagations",
    "ec2/transit_gateway_routes",
    "ec2/internet_gateway_attachment",
    "ec2/transit_gateway_attachment",
    "ec2/route_table_subnets",
];

/// Types by whose ids others name them.
const NAMED: [&str; 7] = [
    "ec2/vpc",
    "ec2/subnet",
    "ec2/security_group",
    "ec2/route_table",
    "ec2/internet_gateway",
    "ec2/transit_gateway",
    "ec2/transit_gateway_route_table",
];

/// True for a type that decides what is open, or by whose id others name it.
pub fn matters(kind: &str) -> bool {
    KINDS.contains(&kind) || NAMED.contains(&kind)
}

/// A way that is open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Path {
    /// Who calls: a security group's role and its environment, or `internet`, `s3`, `dynamodb`.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// The TCP port.
    pub port: u16,
}

/// What is open, and what cannot be said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Open {
    /// Open ways.
    pub paths: BTreeSet<Path>,
    /// Ways of which nothing can be said, because something on them was not read.
    pub unknown: BTreeSet<Path>,
}

/// The structs of a network by step.
pub struct Net {
    specs: BTreeMap<String, Value>,
    /// Services and the ids of their prefix lists.
    lists: [(&'static str, String); 2],
}

impl Net {
    /// What a graph asks for.
    pub fn wanted(graph: &Graph, lists: &super::ServicePrefixLists) -> Self {
        let steps = graph.steps.iter();
        let steps = steps.filter(|s| KINDS.contains(&s.kind.as_str()));
        Self::new(steps.map(|s| (s.id.clone(), s.spec.clone())), lists)
    }

    /// What was read: the structs by step, and steps with their types and ids.
    pub fn live<'a>(
        specs: impl Iterator<Item = (String, Value)>,
        ids: impl Iterator<Item = (&'a str, &'a str, &'a str)>,
        lists: &super::ServicePrefixLists,
    ) -> Self {
        // What exists with its parent has the parent's id.
        let ids = ids.filter(|(_, kind, id)| NAMED.contains(kind) && id.len() > 8);
        let names = ids.map(|(step, _, id)| (id.to_owned(), format!("@{{{step}.id}}")));
        let names: BTreeMap<String, String> = names.collect();
        let named = specs.map(|(step, spec)| {
            let mut text = spec.to_string();
            for (id, name) in names.iter().filter(|(id, _)| spec_has(&spec, id)) {
                text = text.replace(id.as_str(), name);
            }
            let spec = serde_json::from_str(&text).unwrap_or(Value::Null);
            (step, spec)
        });
        Self::new(named, lists)
    }

    fn new(
        specs: impl Iterator<Item = (String, Value)>,
        lists: &super::ServicePrefixLists,
    ) -> Self {
        Self {
            specs: specs.collect(),
            lists: [
                ("s3", lists.s3.clone()),
                ("dynamodb", lists.dynamodb.clone()),
            ],
        }
    }

    /// Everything that is open among those that have a security group, and from and to outside; between two zones and within one.
    pub fn open(&self) -> Open {
        let mut out = Open::default();
        let everybody = self.everybody();
        for (a, from) in &everybody {
            for (b, to) in &everybody {
                if from == to || (from.env.is_empty() && to.env.is_empty()) {
                    continue;
                }
                for port in PORTS {
                    let path = || Path {
                        from: place(a, from.env),
                        to: place(b, to.env),
                        port,
                    };
                    match self.connects(from, to, port, 50_000) {
                        Some(true) => drop(out.paths.insert(path())),
                        Some(false) => {}
                        None => drop(out.unknown.insert(path())),
                    }
                }
            }
        }
        out
    }

    fn spec(&self, step: &str) -> Option<&Value> {
        self.specs.get(step)
    }

    fn map(&self, step: &str, field: &str) -> Option<&Map<String, Value>> {
        self.spec(step)?.get(field)?.as_object()
    }

    /// The 77th address of a subnet.
    pub(super) fn host(&self, env: &'static str, tier: &'static str, zone: char) -> Option<Host> {
        let subnet = self.spec(&format!("subnet-{tier}-{zone}-{env}"))?;
        let block: Ipv4Net = subnet["cidr"].as_str()?.parse().ok()?;
        Some(Host {
            env,
            tier,
            zone,
            group: None,
            address: block.hosts().nth(77)?,
            list: "",
        })
    }

    fn outside(address: [u8; 4], list: &'static str) -> Host {
        Host {
            env: "",
            tier: "",
            zone: ' ',
            group: None,
            address: address.into(),
            list,
        }
    }

    /// Everybody with a security group, in two zones each, and those outside.
    fn everybody(&self) -> Vec<(&'static str, Host)> {
        let mut all =
            Vec::from(OUTSIDE.map(|(name, address, list)| (name, Self::outside(address, list))));
        for env in ENVS {
            for (group, tier) in groups() {
                let rules = format!("security-group-{group}-rules-{env}");
                if !self.specs.contains_key(&rules) {
                    continue;
                }
                for zone in ['a', 'b'] {
                    let host = self.host(env, tier, zone);
                    let group_of = |host| Host {
                        group: Some(group),
                        ..host
                    };
                    all.extend(host.map(|host| (group, group_of(host))));
                }
            }
        }
        all
    }
}

/// True when a text of a struct, a value or a key, has an id in it.
fn spec_has(spec: &Value, id: &str) -> bool {
    match spec {
        Value::String(text) => text.contains(id),
        Value::Array(items) => items.iter().any(|i| spec_has(i, id)),
        Value::Object(map) => map.iter().any(|(k, v)| k.contains(id) || spec_has(v, id)),
        _ => false,
    }
}

fn place(name: &str, env: &str) -> String {
    if env.is_empty() {
        name.to_owned()
    } else {
        format!("{name} of {env}")
    }
}

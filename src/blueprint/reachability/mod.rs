//! What the network lets through, packet by packet: security groups, network ACLs in both directions (they keep no state),
//! route tables, Transit Gateway tables. One model for the blueprint and for what was read of an account: a way is open, closed, or
//! not known because something on it was not read.

#[cfg(test)]
mod tests;

use super::services::SERVICE_PORT;
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
pub const GROUPS: [(&str, &str); 9] = [
    ("alb", "public"),
    ("bridge", "app"),
    ("bridge-nlb", "public"),
    ("payment-api", "app"),
    ("transaction-processor", "app"),
    ("reporting", "app"),
    ("migration", "app"),
    ("endpoints", "app"),
    ("database", "db"),
];
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
            for (group, tier) in GROUPS {
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

    /// Does a group let a connection through?
    fn group_allows(&self, whose: &Host, egress: bool, port: u16, other: &Host) -> Option<bool> {
        let Some(group) = whose.group else {
            return Some(true);
        };
        let step = format!("security-group-{group}-rules-{}", whose.env);
        let side = if egress { "egress" } else { "ingress" };
        let rules = self.map(&step, side)?;
        Some(
            rules
                .keys()
                .any(|rule| self.rule_allows(rule, whose, port, other)),
        )
    }

    /// `tcp/443 from sg-1`, `tcp/1024-65535 to 10.0.0.0/8`, `all from pl-1`.
    fn rule_allows(&self, rule: &str, whose: &Host, port: u16, other: &Host) -> bool {
        let mut words = rule.split(' ');
        let (Some(what), Some(_), Some(peer)) = (words.next(), words.next(), words.next()) else {
            return false;
        };
        let ports = match what.split_once('/') {
            None => ["all", "tcp"].contains(&what),
            Some((protocol, ports)) => protocol == "tcp" && within(ports, port),
        };
        if !ports {
            return false;
        }
        let group = peer.strip_prefix("@{security-group-");
        match group.and_then(|p| p.split_once('.')) {
            // A group is only known in its own VPC.
            Some((peer, _)) => {
                let is_it = |g: &str| peer == format!("{g}-{}", other.env);
                other.group.is_some_and(is_it) && other.env == whose.env
            }
            None if peer.starts_with("pl-") => {
                let mut lists = self.lists.iter();
                lists.any(|(name, id)| *name == other.list && id == peer)
            }
            // What is no IPv4 block covers none of these addresses.
            None => {
                let block = peer.parse::<Ipv4Net>();
                block.is_ok_and(|b| b.contains(&other.address))
            }
        }
    }

    /// The first entry of a tier's ACL that matches decides. `far` is the address outside the subnet.
    fn acl_allows(&self, at: &Host, egress: bool, far: Ipv4Addr, port: u16) -> Option<bool> {
        let step = format!("acl-{}-entries-{}", at.tier, at.env);
        let side = if egress { "egress" } else { "ingress" };
        let entries = self.map(&step, side)?.iter();
        let mut entries: Vec<_> = entries
            .filter_map(|(number, entry)| Some((number.parse::<u16>().ok()?, entry)))
            .collect();
        entries.sort_by_key(|(number, _)| *number);
        let hit = entries.into_iter().find(|(_, entry)| {
            let text = |key: &str| entry[key].as_str().unwrap_or_default();
            let protocol = text("protocol");
            let fits = protocol == "all"
                || (protocol == "tcp" && (text("ports").is_empty() || within(text("ports"), port)));
            let cidr = text("cidr").parse::<Ipv4Net>();
            cidr.is_ok_and(|c| c.contains(&far)) && fits
        });
        Some(hit.is_some_and(|(_, entry)| entry["action"] == "allow"))
    }

    /// Where a tier's routes lead for an address: the longest prefix counts.
    fn route(&self, from: &Host, to: &Host) -> Option<String> {
        let vpc = self.spec(&format!("vpc-{}", from.env))?;
        let vpc: Ipv4Net = vpc["cidr"].as_str()?.parse().ok()?;
        if vpc.contains(&to.address) {
            return Some("local".into());
        }
        if !to.list.is_empty() && self.has_gateway(from, to.list)? {
            return Some(format!("list {}", to.list));
        }
        let routes = self.map(&format!("rtb-{}-routes-{}", from.tier, from.env), "routes")?;
        let best = routes
            .iter()
            .filter_map(|(block, target)| Some((block.parse::<Ipv4Net>().ok()?, target)))
            .filter(|(block, _)| block.contains(&to.address))
            .max_by_key(|(block, _)| block.prefix_len());
        let target = best.and_then(|(_, target)| target.as_str());
        Some(target.unwrap_or_default().to_owned())
    }

    fn has_gateway(&self, from: &Host, list: &str) -> Option<bool> {
        let spec = self.spec(&format!("vpce-{list}-{}", from.env))?;
        let table = format!("@{{rtb-{}-{}.id}}", from.tier, from.env);
        let tables = spec["route_tables"].as_array()?;
        Some(tables.iter().any(|t| is(t, &table)))
    }

    /// Does the Transit Gateway carry what comes from one environment to an address of the other?
    fn carries(&self, from: &Host, to: &Host) -> Option<bool> {
        let table = format!("@{{tgw-rt-{}-shared.id}}", from.env);
        let association = self.spec(&format!("tgw-assoc-{}", from.env))?;
        let propagations = self.spec(&format!("tgw-propagations-{}", to.env))?;
        let routes = self.spec(&format!("tgw-routes-{}", to.env))?;
        let same = [association, propagations, routes];
        if !same.iter().all(|spec| is(&spec["table"], &table)) {
            return None;
        }
        let closed = routes["routes"].as_object()?;
        let block = |block: &String| block.parse::<Ipv4Net>();
        Some(
            !closed
                .keys()
                .any(|b| block(b).is_ok_and(|b| b.contains(&to.address))),
        )
    }

    /// One packet on its way, without groups.
    pub(super) fn packet(&self, from: &Host, to: &Host, port: u16) -> Option<bool> {
        if (from.env, from.tier, from.zone) == (to.env, to.tier, to.zone) {
            return Some(!from.env.is_empty());
        }
        let leaves = || match from.env {
            "" => Some(true),
            _ => self.acl_allows(from, true, to.address, port),
        };
        let enters = || match to.env {
            "" => Some(true),
            _ => self.acl_allows(to, false, from.address, port),
        };
        if from.env.is_empty() || to.env.is_empty() {
            // From outside it comes the way that the answer goes.
            let (inner, outer) = if from.env.is_empty() {
                (to, from)
            } else {
                (from, to)
            };
            let way = self.route(inner, outer)?;
            let way = way.contains("igw") || way.starts_with("list ");
            return Some(way && leaves()? && enters()?);
        }
        if from.env == to.env {
            return Some(leaves()? && enters()?);
        }
        // "How network ACLs work with transit gateways": beside the two ends' own subnets, the gateway's subnet judges what
        // comes in from another subnet of its VPC, and what goes out to one. Any zone's interface may be the one.
        let way = self.route(from, to)?;
        if !(way.contains("tgw") && self.carries(from, to)? && leaves()? && enters()?) {
            return Some(false);
        }
        for zone in ['a', 'b', 'c'] {
            let near = self.host(from.env, "app", zone)?;
            let far = self.host(to.env, "app", zone)?;
            let apart = |a: &Host, b: &Host| (a.tier, a.zone) != (b.tier, b.zone);
            if apart(from, &near) && !self.acl_allows(&near, false, from.address, port)? {
                return Some(false);
            }
            if apart(to, &far) && !self.acl_allows(&far, true, to.address, port)? {
                return Some(false);
            }
        }
        Some(true)
    }

    /// A connection: the call passes all groups and ACLs, and its answers pass the ACLs.
    pub(super) fn connects(&self, from: &Host, to: &Host, port: u16, source: u16) -> Option<bool> {
        Some(
            self.group_allows(from, true, port, to)?
                && self.group_allows(to, false, port, from)?
                && self.packet(from, to, port)?
                && self.packet(to, from, source)?,
        )
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

/// The same reference, however long it waits.
fn is(value: &Value, reference: &str) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.replace("!}", "}") == reference)
}

/// `443`, `1024-65535`
fn within(ports: &str, port: u16) -> bool {
    let (low, high) = ports.split_once('-').unwrap_or((ports, ports));
    match (low.parse::<u16>(), high.parse::<u16>()) {
        (Ok(low), Ok(high)) => (low..=high).contains(&port),
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

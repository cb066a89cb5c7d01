//! What the network lets through, packet by packet: security groups, network ACLs in both directions (they keep no state),
//! route tables, Transit Gateway tables. Everything that the platform needs passes, and nothing else does.

use super::services::SERVICE_PORT;
use super::{ANYWHERE, Facts, build};
use crate::config::Config;
use crate::engine::Graph;
use ipnet::Ipv4Net;
use serde_json::{Map, Value};
use std::net::Ipv4Addr;

/// Somebody who sends or receives. Without an environment it lies outside both VPCs.
#[derive(Debug, Clone, PartialEq)]
struct Host {
    env: &'static str,
    tier: &'static str,
    zone: char,
    /// The security group; `None` for one that lets everything through.
    group: Option<&'static str>,
    address: Ipv4Addr,
    /// The prefix list that it is on.
    list: &'static str,
}

/// Who is where.
const GROUPS: [(&str, &str); 9] = [
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
const SERVICES: [&str; 3] = ["payment-api", "transaction-processor", "reporting"];
const ENVS: [&str; 2] = ["blue", "green"];
/// Ports that are tried: every one that is used, and one of each kind that is not.
const PORTS: [u16; 9] = [22, 80, 443, 1024, 3389, 5432, 8080, 9000, 65535];
/// Ports from which clients call.
const FROM: [u16; 3] = [1024, 32768, 65535];

struct Net(Graph);

impl Net {
    fn new() -> Self {
        Self(build(&Config::default(), &Facts::sample()).unwrap())
    }

    fn without_bridge() -> Self {
        let mut config = Config::default();
        config.traffic.bridge = false;
        Self(build(&config, &Facts::sample()).unwrap())
    }

    fn spec(&self, step: &str) -> &Value {
        &self.0.get(step).unwrap_or_else(|| panic!("{step}")).spec
    }

    fn map(&self, step: &str, field: &str) -> &Map<String, Value> {
        self.spec(step)[field].as_object().unwrap()
    }

    fn host(&self, env: &'static str, tier: &'static str, zone: char) -> Host {
        let subnet = self.spec(&format!("subnet-{tier}-{zone}-{env}"));
        let block: Ipv4Net = subnet["cidr"].as_str().unwrap().parse().unwrap();
        Host {
            env,
            tier,
            zone,
            group: None,
            address: block.hosts().nth(77).unwrap(),
            list: "",
        }
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
                for zone in ['a', 'b'] {
                    let host = self.host(env, tier, zone);
                    all.push((
                        group,
                        Host {
                            group: Some(group),
                            ..host
                        },
                    ));
                }
            }
        }
        all
    }

    /// Does a group let a connection through?
    fn group_allows(&self, whose: &Host, egress: bool, port: u16, other: &Host) -> bool {
        let Some(group) = whose.group else {
            return true;
        };
        let step = format!("security-group-{group}-rules-{}", whose.env);
        let side = if egress { "egress" } else { "ingress" };
        self.map(&step, side).keys().any(|rule| {
            let (what, peer) = rule
                .split_once(if egress { " to " } else { " from " })
                .unwrap();
            if what != format!("tcp/{port}") {
                return false;
            }
            match peer
                .strip_prefix("@{security-group-")
                .and_then(|p| p.split_once('.'))
            {
                // A group is only known in its own VPC.
                Some((peer, _)) => {
                    other
                        .group
                        .is_some_and(|g| peer == format!("{g}-{}", other.env))
                        && other.env == whose.env
                }
                None if peer.starts_with("pl-") => peer == other.list,
                None => peer.parse::<Ipv4Net>().unwrap().contains(&other.address),
            }
        })
    }

    /// The first entry of a tier's ACL that matches decides. `far` is the address outside the subnet.
    fn acl_allows(&self, at: &Host, egress: bool, far: Ipv4Addr, port: u16) -> bool {
        let step = format!("acl-{}-entries-{}", at.tier, at.env);
        let side = if egress { "egress" } else { "ingress" };
        let mut entries: Vec<_> = self.map(&step, side).iter().collect();
        entries.sort_by_key(|(number, _)| number.parse::<u16>().unwrap());
        let hit = entries.into_iter().find(|(_, entry)| {
            let text = |key: &str| entry[key].as_str().unwrap();
            let ports = text("ports");
            let (low, high) = ports.split_once('-').unwrap_or((ports, ports));
            let number = |text: &str| text.parse::<u16>().unwrap();
            let within = || (number(low)..=number(high)).contains(&port);
            let cidr: Ipv4Net = text("cidr").parse().unwrap();
            cidr.contains(&far)
                && (text("protocol") == "all" || (text("protocol") == "tcp" && within()))
        });
        hit.is_some_and(|(_, entry)| entry["action"] == "allow")
    }

    /// Where a tier's routes lead for an address: the longest prefix counts.
    fn route(&self, from: &Host, to: &Host) -> String {
        let vpc: Ipv4Net = self.spec(&format!("vpc-{}", from.env))["cidr"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        if vpc.contains(&to.address) {
            return "local".into();
        }
        if !to.list.is_empty() && self.has_gateway(from, to.list) {
            return to.list.into();
        }
        let routes = self.map(&format!("rtb-{}-routes-{}", from.tier, from.env), "routes");
        let best = routes
            .iter()
            .map(|(block, target)| (block.parse::<Ipv4Net>().unwrap(), target))
            .filter(|(block, _)| block.contains(&to.address))
            .max_by_key(|(block, _)| block.prefix_len());
        best.map_or(String::new(), |(_, target)| {
            target.as_str().unwrap().to_owned()
        })
    }

    fn has_gateway(&self, from: &Host, list: &str) -> bool {
        let spec = self.spec(&format!(
            "vpce-{}-{}",
            list.trim_start_matches("pl-"),
            from.env
        ));
        let table = format!("@{{rtb-{}-{}.id}}", from.tier, from.env);
        spec["route_tables"]
            .as_array()
            .unwrap()
            .contains(&Value::String(table))
    }

    /// Does the Transit Gateway carry what comes from one environment to an address of the other?
    fn carries(&self, from: &Host, to: &Host) -> bool {
        let table = format!("@{{tgw-rt-{}-shared.id!}}", from.env);
        let association = self.spec(&format!("tgw-assoc-{}", from.env));
        let propagations = self.spec(&format!("tgw-propagations-{}", to.env));
        let routes = self.spec(&format!("tgw-routes-{}", to.env));
        assert_eq!(association["table"], table);
        assert_eq!(propagations["table"], table);
        assert_eq!(routes["table"], table);
        let closed = routes["routes"].as_object().unwrap();
        !closed
            .keys()
            .any(|block| block.parse::<Ipv4Net>().unwrap().contains(&to.address))
    }

    /// One packet on its way, without groups.
    fn packet(&self, from: &Host, to: &Host, port: u16) -> bool {
        if (from.env, from.tier, from.zone) == (to.env, to.tier, to.zone) {
            return !from.env.is_empty();
        }
        let leaves = || from.env.is_empty() || self.acl_allows(from, true, to.address, port);
        let enters = || to.env.is_empty() || self.acl_allows(to, false, from.address, port);
        if from.env.is_empty() || to.env.is_empty() {
            // From outside it comes the way that the answer goes.
            let (inner, outer) = if from.env.is_empty() {
                (to, from)
            } else {
                (from, to)
            };
            let way = self.route(inner, outer);
            return (way.contains("igw") || way.starts_with("pl-")) && leaves() && enters();
        }
        if from.env == to.env {
            return leaves() && enters();
        }
        // "How network ACLs work with transit gateways": beside the two ends' own subnets, the gateway's subnet judges what
        // comes in from another subnet of its VPC, and what goes out to one. Any zone's interface may be the one.
        self.route(from, to).contains("tgw-attach")
            && self.carries(from, to)
            && leaves()
            && enters()
            && ['a', 'b', 'c'].iter().all(|zone| {
                let (near, far) = (
                    self.host(from.env, "app", *zone),
                    self.host(to.env, "app", *zone),
                );
                let apart = |a: &Host, b: &Host| (a.tier, a.zone) != (b.tier, b.zone);
                (!apart(from, &near) || self.acl_allows(&near, false, from.address, port))
                    && (!apart(to, &far) || self.acl_allows(&far, true, to.address, port))
            })
    }

    /// A connection: the call passes all groups and ACLs, and its answers pass the ACLs.
    fn connects(&self, from: &Host, to: &Host, port: u16, source: u16) -> bool {
        self.group_allows(from, true, port, to)
            && self.group_allows(to, false, port, from)
            && self.packet(from, to, port)
            && self.packet(to, from, source)
    }
}

const OUTSIDE: [(&str, [u8; 4], &str); 3] = [
    ("internet", [198, 51, 100, 7], ""),
    ("s3", [52, 219, 170, 1], "pl-s3"),
    ("dynamodb", [52, 94, 17, 1], "pl-dynamodb"),
];

/// What must pass, and nothing else.
fn needed((from, to): (&str, &str), same: bool, same_zone: bool, port: u16) -> bool {
    let service = |name: &str| SERVICES.contains(&name);
    let calls = |name: &str| service(name) || name == "migration";
    match (from, to, port) {
        ("internet" | "s3" | "dynamodb", "alb", 80 | 443) => true,
        ("alb", to, SERVICE_PORT) if same => service(to),
        // The bridge: out to its endpoint, and in from its balancer, whose nodes call those of their own subnet.
        ("alb", "bridge", 443) => same,
        ("bridge-nlb", "alb", 443) => same && same_zone,
        (from, "endpoints", 443) if same => calls(from),
        (from, "database", 5432) if same => calls(from),
        ("migration", "database", 5432) => true,
        (from, "s3", 443) => service(from),
        (from, "dynamodb", 443) => calls(from) && from != "reporting",
        _ => false,
    }
}

#[test]
fn what_the_platform_needs_passes_both_ways_and_nothing_else_does() {
    let net = Net::new();
    let everybody = net.everybody();
    for (a, from) in &everybody {
        for (b, to) in &everybody {
            // Within one subnet no ACL stands between; outside is not ours.
            if from == to || (from.env.is_empty() && to.env.is_empty()) {
                continue;
            }
            for port in PORTS {
                for source in FROM {
                    let (same, same_zone) = (from.env == to.env, from.zone == to.zone);
                    let wanted = needed((*a, *b), same, same_zone, port);
                    let passes = net.connects(from, to, port, source);
                    assert_eq!(
                        passes, wanted,
                        "{a} of {} in {} to {b} of {} in {}, port {port} from {source}",
                        from.env, from.zone, to.env, to.zone
                    );
                }
            }
        }
    }
}

/// The bridge opens the way from the load balancer to its endpoint, and nothing else.
#[test]
fn the_bridge_opens_one_way_and_without_it_that_is_closed() {
    let (with, without) = (Net::new(), Net::without_bridge());
    let everybody = with.everybody();
    let but = everybody
        .iter()
        .filter(|(group, _)| !group.starts_with("bridge"));
    for (a, from) in but.clone() {
        for (b, to) in but.clone().filter(|(_, to)| to != from) {
            if from.env.is_empty() && to.env.is_empty() {
                continue;
            }
            for port in PORTS {
                let passes = |net: &Net| net.connects(from, to, port, 50_000);
                assert_eq!(passes(&with), passes(&without), "{a} to {b}, port {port}");
            }
        }
    }
    for env in ENVS {
        let (alb, app) = (with.host(env, "public", 'a'), with.host(env, "app", 'b'));
        assert!(
            with.packet(&alb, &app, 443) && !without.packet(&alb, &app, 443),
            "{env}"
        );
    }
}

/// Whoever makes a group that lets everything through still finds the tiers apart.
#[test]
fn without_groups_the_tiers_are_apart() {
    let net = Net::new();
    let mut hosts = Vec::from(OUTSIDE.map(|(_, address, list)| Net::outside(address, list)));
    for env in ENVS {
        for tier in ["public", "app", "db"] {
            hosts.extend(['a', 'b'].map(|zone| net.host(env, tier, zone)));
        }
    }
    for from in &hosts {
        for to in hosts
            .iter()
            .filter(|to| (to.env, to.tier) != (from.env, from.tier))
        {
            for port in PORTS {
                let same = from.env == to.env;
                let wanted = match (from.tier, to.tier, to.list) {
                    ("", "public", _) => [80, 443].contains(&port),
                    // The services, and the endpoint of the bridge.
                    ("public", "app", _) => same && [SERVICE_PORT, 443].contains(&port),
                    ("app", "db", _) => port == 5432,
                    // Their ACLs can't tell an answer from a call; the groups can.
                    ("app", "app", _) | ("db", "db", _) => !same && port >= 1024,
                    ("app", "", list) => !list.is_empty() && port == 443,
                    _ => false,
                };
                assert_eq!(
                    net.connects(from, to, port, 50_000),
                    wanted,
                    "{} {} to {} {} {:?}, port {port}",
                    from.env,
                    from.tier,
                    to.env,
                    to.tier,
                    to.list
                );
            }
        }
    }
}

#[test]
fn no_acl_lets_the_internet_reach_a_port_of_administration() {
    let net = Net::new();
    for step in net
        .0
        .steps
        .iter()
        .filter(|s| s.kind == "ec2/network_acl_entries")
    {
        for (number, entry) in step.spec["ingress"].as_object().unwrap() {
            if entry["cidr"] != ANYWHERE || entry["action"] != "allow" {
                continue;
            }
            assert_eq!(entry["protocol"], "tcp", "{} {number}", step.id);
            let ports = entry["ports"].as_str().unwrap();
            let (low, high) = ports.split_once('-').unwrap_or((ports, ports));
            let range = low.parse::<u16>().unwrap()..=high.parse::<u16>().unwrap();
            assert!(
                !range.contains(&22) && !range.contains(&3389),
                "{} {number}",
                step.id
            );
        }
    }
}

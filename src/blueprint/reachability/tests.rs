//! Everything that the platform needs passes, and nothing else does; and what was read of an account is judged as the blueprint is.

use super::super::{ANYWHERE, Facts, build};
use super::*;
use crate::config::Config;

/// Ports from which clients call.
const FROM: [u16; 3] = [1024, 32768, 65535];

/// The network of the blueprint, of which everything is known.
struct Known(Graph, Net);

impl Known {
    fn of(config: &Config) -> Self {
        let facts = Facts::sample();
        let graph = build(config, &facts).unwrap();
        let net = Net::wanted(&graph, &facts.prefix_lists);
        Self(graph, net)
    }

    fn new() -> Self {
        Self::of(&Config::default())
    }

    fn without_bridge() -> Self {
        let mut config = Config::default();
        config.traffic.bridge = false;
        Self::of(&config)
    }

    fn host(&self, env: &'static str, tier: &'static str, zone: char) -> Host {
        self.1.host(env, tier, zone).unwrap()
    }

    fn everybody(&self) -> Vec<(&'static str, Host)> {
        self.1.everybody()
    }

    fn packet(&self, from: &Host, to: &Host, port: u16) -> bool {
        self.1.packet(from, to, port).unwrap()
    }

    /// Without its group's rules nobody passes.
    fn connects(&self, from: &Host, to: &Host, port: u16, source: u16) -> bool {
        self.1.connects(from, to, port, source).unwrap_or(false)
    }
}

/// What must pass, and nothing else.
fn needed((from, to): (&str, &str), env: &str, same: bool, same_zone: bool, port: u16) -> bool {
    let service = |name: &str| SERVICES.iter().any(|s| s.name == name);
    // The functions run in green, and reach both databases.
    let functions = |name: &str| name == "migration" && env == "green";
    let calls = |name: &str| service(name) || functions(name);
    match (from, to, port) {
        ("internet" | "s3" | "dynamodb", "alb", 80 | 443) => true,
        ("alb", to, SERVICE_PORT) if same => service(to),
        // The bridge: out to its endpoint, and in from its balancer, whose nodes call those of their own subnet.
        ("alb", "bridge", 443) => same,
        ("bridge-nlb", "alb", 443) => same && same_zone,
        (from, "endpoints", 443) if same => calls(from),
        (from, "database", 5432) if same => calls(from),
        (from, "database", 5432) => functions(from),
        (from, "s3", 443) => service(from),
        (from, "dynamodb", 443) => calls(from) && from != "reporting",
        _ => false,
    }
}

#[test]
fn what_the_platform_needs_passes_both_ways_and_nothing_else_does() {
    let net = Known::new();
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
                    let wanted = needed((*a, *b), from.env, same, same_zone, port);
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
    let (with, without) = (Known::new(), Known::without_bridge());
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
                let passes = |net: &Known| net.connects(from, to, port, 50_000);
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
    let net = Known::new();
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
                    ("app", "db", _) => port == 5432 && (same || from.env == "green"),
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
    let net = Known::new();
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

fn id(graph: &Graph, step: &str) -> String {
    format!("id-0123456789-{:04}", graph.position(step).unwrap())
}

/// Ids in place of references, as they are read of an account.
fn as_read(graph: &Graph) -> BTreeMap<String, Value> {
    let specs = graph
        .steps
        .iter()
        .filter(|s| KINDS.contains(&s.kind.as_str()));
    let specs = specs.map(|step| {
        let mut text = step.spec.to_string();
        for other in &graph.steps {
            for end in [".id}", ".id!}"] {
                text = text.replace(&format!("@{{{}{end}", other.id), &id(graph, &other.id));
            }
        }
        (step.id.clone(), serde_json::from_str(&text).unwrap())
    });
    specs.collect()
}

#[test]
fn what_is_read_of_an_account_is_judged_as_the_blueprint_and_a_hole_shows() {
    let known = Known::new();
    let lists = Facts::sample().prefix_lists;
    let mut specs = as_read(&known.0);
    let steps = known.0.steps.iter();
    let ids = steps.map(|s| (s.id.as_str(), s.kind.as_str(), id(&known.0, &s.id)));
    let ids: Vec<_> = ids.collect();
    let open = |specs: &BTreeMap<String, Value>| {
        let read = specs.iter().map(|(k, v)| (k.clone(), v.clone()));
        let ids = ids
            .iter()
            .map(|(step, kind, id)| (*step, *kind, id.as_str()));
        Net::live(read, ids, &lists).open()
    };
    let wanted = known.1.open();
    assert!(wanted.paths.len() > 20 && wanted.unknown.is_empty());
    assert_eq!(open(&specs), wanted);
    // Somebody opens one service to another, on all ports.
    let (to, from) = ("payment-api of green", "reporting of green");
    for (group, side, rule) in [
        ("payment-api", "ingress", "tcp/1-65535 from 10.20.0.0/16"),
        ("reporting", "egress", "all to 10.20.0.0/16"),
    ] {
        let rules = specs.get_mut(&format!("security-group-{group}-rules-green"));
        rules.unwrap()[side][rule] = "".into();
    }
    let more = open(&specs);
    let new: Vec<_> = more.paths.difference(&wanted.paths).collect();
    assert_eq!(new.len(), PORTS.len(), "{new:?}");
    assert!(new.iter().all(|p| p.to == to && p.from == from), "{new:?}");
    // What was not read is neither open nor closed.
    specs.remove("acl-db-entries-green");
    let unread = open(&specs);
    assert!(unread.unknown.iter().any(|p| p.to == "database of green"));
    assert!(
        !unread
            .paths
            .iter()
            .any(|p| p.to == "database of green" && p.from == "reporting of green")
    );
}

//! Where the requests of clients enter an environment: a load balancer in the public subnets, with a target group and a rule
//! for each service. HTTP is redirected to HTTPS; what no rule takes is answered with 404.
//!
//! Priorities are fixed, so that a rule never moves because another one comes:
//!
//! | priority | requests | answer |
//! |---|---|---|
//! | 1 and more | *from the own public tier or the other environment*: a service's path and all below it | of that service |
//! | 4 | *from there*: `/_side` | the environment's name, by the balancer itself |
//! | 5 | *from there*: anything else | 404 |
//! | 6 | `/ready` | of the first service |
//! | 10 | all, when the bridge is switched on | of the other environment ([`super::bridge`]) |
//! | 90 | `/_side` | the environment's name, by the balancer itself |
//! | 100 and more | a service's path and all below it | of that service |
//!
//! The first five are the loop guard: what came over the bridge stays here, so that no request goes round for ever when both
//! directions are switched on. It judges the address that is connected from and no header, which a client could write.
//!
//! When one environment sends requests on to the other, the balancer that is called must keep an idle connection longer than
//! the one that calls: otherwise a request is sent on a connection that is being closed. Blue, which green calls first, keeps
//! it twice as long ([`IDLE_SECONDS`]); when blue calls green, the traffic command lets green keep it longer still.

use super::network::Network;
use super::security::{Groups, HTTP, HTTPS};
use super::services::{HEALTH_PATH, SERVICES, Service};
use super::{Env, EnvironmentBuilder, Tier};
use crate::engine::{Handle, Ref};
use crate::resources::Arn;
use crate::resources::elbv2::{Action, HealthCheck, Listener, LoadBalancer, Rule, TargetGroup};
use crate::resources::s3::Bucket;
use std::collections::{BTreeMap, BTreeSet};

/// "Security policies for your Application Load Balancer": TLS 1.3 and 1.2. Health checks of a Network Load Balancer speak
/// 1.2 only.
const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";
/// A year.
const HSTS: &str = "max-age=31536000; includeSubDomains";
/// Under these prefixes of the bucket the balancer writes its logs.
pub const LOG_PREFIXES: [&str; 2] = ["alb-requests", "alb-connections"];
/// How long blue's and green's balancer keep an idle connection.
pub const IDLE_SECONDS: [u32; 2] = [120, 60];
/// The path on which a service says that it can work: outside checks follow it.
pub const READY_PATH: &str = "/ready";
/// The path on which a balancer says whose it is.
pub const SIDE_PATH: &str = "/_side";
/// The loop guard stands before everything, and has room for as many services as there are.
const GUARDED_SERVICES: i32 = 1;
const GUARDED_SIDE: i32 = 4;
const GUARDED_REST: i32 = 5;
const FIRST_SERVICE: i32 = 100;

/// What other sections refer to.
pub struct Edge {
    pub load_balancer: Handle<LoadBalancer>,
    /// Its listener that redirects to HTTPS.
    pub http: Handle<Listener>,
    /// Its HTTPS listener; `None` without a certificate.
    pub https: Option<Handle<Listener>>,
    /// The target group of each service. The reference is known once a rule sends requests to it: ECS refuses a service
    /// whose group no load balancer uses.
    pub target_groups: [(&'static Service, Ref<Arn<TargetGroup>>); SERVICES.len()],
    /// The same groups, known as soon as they are there: for whoever only watches them.
    pub watched: [(&'static Service, Ref<Arn<TargetGroup>>); SERVICES.len()],
    /// The rules of the HTTPS listener.
    pub rules: Vec<Ref<Arn<Rule>>>,
}

/// What it needs.
pub struct Needs<'a> {
    pub network: &'a Network,
    /// The security groups.
    pub groups: &'a Groups,
    /// Where logs of requests and connections go.
    pub logs: &'a Handle<Bucket>,
    /// The ARN of the certificate; without one there is no HTTPS.
    pub certificate: Option<String>,
}

pub fn declare(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>) -> Edge {
    let load_balancer = balancer(here, needs);
    here.output("load_balancer.dns_name", &load_balancer.dns_name);
    let groups = SERVICES
        .each_ref()
        .map(|service| target_group(here, needs, service));
    let redirect = listener(&load_balancer, "HTTP", HTTP, Action::to_https());
    let http = here.add("listener-http", redirect);
    let certificate = needs.certificate.clone();
    let served = certificate.map(|certificate| https(here, &load_balancer, certificate, &groups));
    let known = groups.each_ref().map(|group| group.arn());
    let with_service = |arns: [Ref<Arn<TargetGroup>>; SERVICES.len()]| {
        let mut arns = arns.into_iter();
        SERVICES
            .each_ref()
            .map(|service| (service, arns.next().unwrap_or_default()))
    };
    let (https, served, rules) = match served {
        Some((listener, served, rules)) => (Some(listener), Some(served), rules),
        None => (None, None, Vec::new()),
    };
    let edge = Edge {
        load_balancer,
        http,
        https,
        target_groups: with_service(served.unwrap_or_else(|| known.clone())),
        watched: with_service(known),
        rules,
    };
    for (service, group) in &edge.target_groups {
        here.output(&format!("target_group.{}", service.name), group);
    }
    edge
}

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(pair).collect()
}

fn balancer(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>) -> Handle<LoadBalancer> {
    // AWS writes a test object when logs are switched on, so the bucket's policy must be there.
    let bucket = needs.logs.name().ready();
    let [requests, connections] = LOG_PREFIXES;
    let mut attributes = attributes(&[
        ("access_logs.s3.enabled", "true"),
        ("access_logs.s3.bucket", bucket.as_str()),
        ("access_logs.s3.prefix", requests),
        ("client_keep_alive.seconds", "60"),
        ("connection_logs.s3.enabled", "true"),
        ("connection_logs.s3.bucket", bucket.as_str()),
        ("connection_logs.s3.prefix", connections),
        ("routing.http.drop_invalid_header_fields.enabled", "true"),
    ]);
    if here.env == Env::Blue {
        let [blue, _] = IDLE_SECONDS;
        attributes.insert("idle_timeout.timeout_seconds".into(), blue.to_string());
    }
    let public = needs.network.tier(Tier::Public).iter();
    let spec = LoadBalancer {
        family: "application".into(),
        vpc: needs.network.vpc.id(),
        scheme: "internet-facing".into(),
        subnets: public.map(|subnet| subnet.id()).collect(),
        security_groups: vec![needs.groups.alb.id()],
        address_type: "ipv4".into(),
        deletion_protection: here.config.protect,
        attributes,
        internet: Some(needs.network.internet.gateway.clone()),
        private_link_rules: None,
        called_from: None,
        others: Vec::new(),
        held: None,
    };
    here.add("alb", spec)
}

fn target_group(
    here: &mut EnvironmentBuilder<'_>,
    needs: &Needs<'_>,
    service: &Service,
) -> Handle<TargetGroup> {
    let spec = TargetGroup {
        vpc: needs.network.vpc.id(),
        protocol: "HTTP".into(),
        version: "HTTP1".into(),
        port: service.port.into(),
        target_type: "ip".into(),
        health: HealthCheck {
            protocol: "HTTP".into(),
            port: "traffic-port".into(),
            path: HEALTH_PATH.into(),
            codes: "200".into(),
            interval_seconds: 10,
            timeout_seconds: 5,
            healthy: 2,
            unhealthy: 3,
        },
        attributes: attributes(&[
            ("deregistration_delay.timeout_seconds", "60"),
            ("slow_start.duration_seconds", "30"),
        ]),
        tasks: true,
        others: Vec::new(),
    };
    // 32 characters are the most: the short name leaves room for the longest suffix.
    let name = here.name(service.short);
    here.add_named(&format!("tg-{}", service.name), name, spec)
}

fn listener(
    load_balancer: &Handle<LoadBalancer>,
    protocol: &str,
    port: u16,
    action: Action,
) -> Listener {
    Listener {
        load_balancer: load_balancer.arn.clone(),
        protocol: protocol.into(),
        port: port.into(),
        tls_policy: None,
        certificate: None,
        action,
        attributes: attributes(&[("routing.http.response.server.enabled", "false")]),
        more_certificates: Vec::new(),
        others: Vec::new(),
    }
}

/// A field with its values.
type Condition = (String, BTreeSet<String>);

fn condition(field: &str, values: &[&str]) -> Condition {
    let values = values.iter().map(|value| (*value).to_owned());
    (field.to_owned(), values.collect())
}

/// The listener, the group of each service as its rule names it, and its rules.
type Https = (
    Handle<Listener>,
    [Ref<Arn<TargetGroup>>; SERVICES.len()],
    Vec<Ref<Arn<Rule>>>,
);

/// Declares the listener with its rules.
fn https(
    here: &mut EnvironmentBuilder<'_>,
    load_balancer: &Handle<LoadBalancer>,
    certificate: String,
    groups: &[Handle<TargetGroup>; SERVICES.len()],
) -> Https {
    let absent = Action::answer(404, "text/plain", "Not found");
    let mut spec = listener(load_balancer, "HTTPS", HTTPS, absent.clone());
    spec.tls_policy = Some(TLS_POLICY.into());
    spec.certificate = Some(certificate);
    let header = "routing.http.response.strict_transport_security.header_value";
    spec.attributes.insert(header.into(), HSTS.into());
    let listener = here.add("listener-https", spec);
    here.waits_for_delegation();
    let rule = |priority, conditions: &[Condition], action| Rule {
        listener: listener.arn.clone(),
        priority,
        conditions: conditions.iter().cloned().collect(),
        action,
        armed: None,
        others: Vec::new(),
    };
    let side = format!(r#"{{"side":"{}"}}"#, here.env);
    let side = Action::answer(200, "application/json", &side);
    let from = condition(
        "source-ip",
        &[
            &here.tiers().tier(Tier::Public).to_string(),
            &here.other_tiers().all().to_string(),
        ],
    );
    let path = |paths: &[&str]| condition("path-pattern", paths);
    let conditions = [from.clone(), path(&[SIDE_PATH])];
    let guard = rule(GUARDED_SIDE, &conditions, side.clone());
    let mut rules = vec![here.add("rule-loop-side", guard).arn.clone()];
    let guard = rule(GUARDED_REST, std::slice::from_ref(&from), absent);
    rules.push(here.add("rule-loop-rest", guard).arn.clone());
    let first = Action::forward(groups[0].arn());
    let spec = Rule {
        // The traffic command lets it say 503 when Route 53 takes no change.
        armed: Some(false),
        others: Vec::new(),
        ..rule(6, &[path(&[READY_PATH])], first)
    };
    rules.push(here.add("rule-ready", spec).arn.clone());
    let side = rule(90, &[path(&[SIDE_PATH])], side);
    rules.push(here.add("rule-side", side).arn.clone());
    let mut at = (0..).zip(SERVICES.iter().zip(groups));
    let served = std::array::from_fn(|_| {
        let Some((nth, (service, group))) = at.next() else {
            return Ref::default();
        };
        let paths = path(&[service.path, &format!("{}/*", service.path)]);
        let to_it = || Action::forward(group.arn());
        let conditions = [from.clone(), paths.clone()];
        let spec = rule(GUARDED_SERVICES + nth, &conditions, to_it());
        let guard = here.add(&format!("rule-loop-{}", service.name), spec);
        rules.push(guard.arn.clone());
        let spec = rule(FIRST_SERVICE + nth, &[paths], to_it());
        let rule = here.add(&format!("rule-{}", service.name), spec);
        rules.push(rule.arn.clone());
        rule.target_group.clone()
    });
    (listener, served, rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Facts, build};
    use crate::config::Config;

    #[test]
    fn names_fit_for_the_longest_suffix_and_no_service_is_left_out() {
        let config = Config {
            suffix: "abcdefghijkl".into(),
            ..Config::default()
        };
        let graph = build(&config, &Facts::sample()).unwrap();
        for env in ["blue", "green"] {
            for service in &SERVICES {
                let rule = graph.get(&format!("rule-{}-{env}", service.name)).unwrap();
                let paths = rule.spec["conditions"]["path-pattern"].as_array().unwrap();
                assert_eq!(paths[0], service.path);
                let group = format!("tg-{}-{env}", service.name);
                assert!(rule.needs(&graph).contains(&group), "{:?}", rule.spec);
            }
        }
    }

    /// What AWS sets by itself is not written, so green's time must be that.
    #[test]
    fn blue_keeps_connections_longer_than_green_which_calls_it() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let written = |env: &str| {
            let balancer = graph.get(&format!("alb-{env}")).unwrap();
            let seconds = balancer.spec["attributes"].get("idle_timeout.timeout_seconds");
            seconds.map_or(60, |s| s.as_str().unwrap().parse().unwrap())
        };
        assert_eq!(["blue", "green"].map(written), IDLE_SECONDS);
        assert!(written("blue") > written("green"));
    }

    #[test]
    fn what_came_over_the_bridge_is_never_sent_over_it_again() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        for env in ["blue", "green"] {
            let rules = graph.steps.iter();
            let rules = rules.filter(|s| s.kind == "elbv2/rule" && s.scope == env);
            let mut rules: Vec<_> = rules.map(|s| (s.spec["priority"].as_i64(), s)).collect();
            rules.sort_by_key(|(priority, _)| *priority);
            assert!(
                rules.windows(2).all(|w| w[0].0 < w[1].0),
                "{env}: one place each"
            );
            let bridge = format!("rule-bridge-{env}");
            let at = rules.iter().position(|(_, s)| s.id == bridge).unwrap();
            let conditions = |at: usize| rules[at].1.spec["conditions"].as_object().unwrap();
            // The last rule of the guard takes whatever came from there.
            let guard: Vec<usize> = (0..at)
                .filter(|at| conditions(*at).contains_key("source-ip"))
                .collect();
            assert_eq!(guard, (0..SERVICES.len() + 2).collect::<Vec<_>>());
            let rest = conditions(guard[guard.len() - 1]);
            assert_eq!(rest.keys().collect::<Vec<_>>(), ["source-ip"]);
            let plan = |env| crate::blueprint::Tiers::of(&Config::default(), env);
            let (own, other) = match env {
                "blue" => (plan(Env::Blue), plan(Env::Green)),
                _ => (plan(Env::Green), plan(Env::Blue)),
            };
            let from = [own.tier(Tier::Public).to_string(), other.all().to_string()];
            let from = BTreeSet::from(from);
            for at in guard {
                let conditions = conditions(at);
                assert_eq!(conditions["source-ip"], serde_json::json!(from));
                let values = conditions.values().map(|v| v.as_array().unwrap().len());
                assert!(
                    values.sum::<usize>() <= 5,
                    "AWS takes five values in a rule"
                );
            }
        }
    }

    #[test]
    fn a_balancer_goes_before_the_gateway_and_its_logs() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let needs = graph.get("alb-green").unwrap().needs(&graph);
        for step in ["igw-attachment-green", "access-logs-green"] {
            assert!(needs.contains(&step.to_owned()), "{needs:?}");
        }
    }
}

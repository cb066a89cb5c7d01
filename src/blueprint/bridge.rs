//! The bridge: each load balancer can send all requests on to the other environment, within seconds and whatever address a
//! client kept. Two directions, each from a *caller* to a *callee*:
//!
//! rule on the caller's balancer -> group of addresses -> endpoint in the caller's app tier -> endpoint service -> internal
//! Network Load Balancer in the callee's public tier -> the callee's balancer
//!
//! There is no way between the networks: no route, and nothing of the Transit Gateway. The caller's balancer reaches the endpoint
//! alone, and the Network Load Balancer the callee's balancer alone.
//!
//! It is there, and its health is checked, all the time; it is switched off by the conditions of its rule, which belong to the
//! traffic command. The loop guard ([`super::edge`]) keeps a request from coming back when both directions are on.
//!
//! All of it needs both environments: what one of them has of it is made when the other is there, and goes before the other.

use super::edge::{Edge, SIDE_PATH};
use super::network::Network;
use super::security::{BridgeGroups, HTTPS};
use super::{Env, EnvironmentBuilder, Tier};
use crate::engine::{Handle, List};
use crate::resources::ec2::{EndpointService, InterfaceEndpoint, Vpc};
use crate::resources::elbv2::{
    Action, HealthCheck, Listener, LoadBalancer, Rule, TargetGroup, Targets,
};
use std::collections::{BTreeMap, BTreeSet};

/// The place of its rule: behind the loop guard and the readiness of this side, before its own services.
const PRIORITY: i32 = 10;

/// The places of the rules of a side that only reads: behind the bridge, before the services.
const FIRST_READ: i32 = 20;
const FIRST_WRITE: i32 = 30;
/// The methods that change nothing (RFC 9110, "Safe Methods"; TRACE is refused by the load balancer).
const READS: &[&str] = &["GET", "HEAD", "OPTIONS"];

/// What the bridge needs of an environment.
pub struct Place<'a> {
    pub network: &'a Network,
    pub groups: &'a BridgeGroups,
    pub edge: &'a Edge,
}

/// Declares what the callee has, to be called from the caller's VPC. Without an HTTPS listener there is none.
pub fn callee(
    here: &mut EnvironmentBuilder<'_>,
    at: &Place<'_>,
    caller: &Handle<Vpc>,
) -> Option<Handle<EndpointService>> {
    let listener = at.edge.https.as_ref()?;
    let public = at.network.tier(Tier::Public).iter();
    let spec = LoadBalancer {
        family: "network".into(),
        vpc: at.network.vpc.id(),
        scheme: "internal".into(),
        subnets: public.map(|subnet| subnet.id()).collect(),
        // One that is made without a group can never have one.
        security_groups: vec![at.groups.balancer.id()],
        address_type: "ipv4".into(),
        deletion_protection: here.config.protect,
        attributes: BTreeMap::new(),
        internet: None,
        // Switched on, they would judge the private addresses of whoever calls, which lie in another VPC.
        private_link_rules: Some("off".into()),
        called_from: Some(caller.id()),
        others: Vec::new(),
        held: None,
    };
    let balancer = here.add("nlb-bridge", spec);
    here.needs(here.env.other());
    let group = TargetGroup {
        vpc: balancer.vpc.clone(),
        protocol: "TCP".into(),
        version: String::new(),
        port: HTTPS.into(),
        target_type: "alb".into(),
        health: health(),
        attributes: BTreeMap::new(),
        tasks: false,
        others: Vec::new(),
    };
    let group = here.add_named("tg-bridge-nlb", here.name("nlb"), group);
    let targets = Targets {
        group: group.arn(),
        // AWS takes a balancer that listens on the group's port.
        targets: List::These(vec![listener.load_balancer.ready().to_string()]),
    };
    here.add("targets-bridge-nlb", targets);
    let entrance = Listener {
        load_balancer: balancer.arn.clone(),
        protocol: "TCP".into(),
        port: HTTPS.into(),
        tls_policy: None,
        certificate: None,
        action: Action::forward(group.arn()),
        attributes: BTreeMap::new(),
        more_certificates: Vec::new(),
        others: Vec::new(),
    };
    here.add("listener-bridge-nlb", entrance);
    let service = EndpointService {
        load_balancers: vec![balancer.arn.ready()],
        acceptance: false,
        principals: BTreeSet::from([format!("arn:aws:iam::{}:root", here.facts.account)]),
    };
    Some(here.add("endpoint-service", service))
}

/// Declares what the caller has, to call this service of the callee.
pub fn caller(
    here: &mut EnvironmentBuilder<'_>,
    at: &Place<'_>,
    service: &Handle<EndpointService>,
) {
    let Some(listener) = &at.edge.https else {
        return;
    };
    let app = at.network.tier(Tier::App).iter();
    let spec = InterfaceEndpoint {
        vpc: at.network.vpc.id(),
        // Who may make endpoints is said after it is made.
        service: service.service_name.ready(),
        subnets: app.map(|subnet| subnet.id()).collect(),
        groups: vec![at.groups.endpoint.id()],
        private_dns: false,
        policy: None,
    };
    let endpoint = here.add("vpce-bridge", spec);
    here.needs(here.env.other());
    let group = TargetGroup {
        vpc: endpoint.vpc.clone(),
        protocol: "HTTPS".into(),
        version: "HTTP1".into(),
        port: HTTPS.into(),
        target_type: "ip".into(),
        health: health(),
        // The health of the other environment takes no address of this balancer out of its name.
        attributes: BTreeMap::from([(MINIMUM.to_owned(), "off".to_owned())]),
        tasks: false,
        others: Vec::new(),
    };
    let group = here.add_named("tg-bridge", here.name("bridge"), group);
    let targets = Targets {
        group: group.arn(),
        targets: endpoint.addresses.ready(),
    };
    here.add("targets-bridge", targets);
    let rule = Rule {
        listener: listener.arn.clone(),
        priority: PRIORITY,
        conditions: Rule::off(),
        action: Action::forward(group.arn()),
        armed: Some(false),
        others: Vec::new(),
    };
    here.add("rule-bridge", rule);
    if here.env == Env::Green && here.config.migration.mapping.is_read_only() {
        reads(here, at.edge, listener, &group);
    }
}

/// In a split in which green only reads, it answers what only reads, and everything else goes over the bridge: no client is
/// refused. The rules of the services themselves, behind these, get nothing then.
fn reads(
    here: &mut EnvironmentBuilder<'_>,
    edge: &Edge,
    listener: &Handle<Listener>,
    bridge: &Handle<TargetGroup>,
) {
    let values = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect();
    for (nth, (service, group)) in (0..).zip(&edge.watched) {
        let paths: BTreeSet<String> = values(&[service.path, &format!("{}/*", service.path)]);
        let paths = ("path-pattern".to_owned(), paths);
        let methods = ("http-request-method".to_owned(), values(READS));
        let rule = |priority: i32, conditions, action| Rule {
            listener: listener.arn.clone(),
            priority: priority + nth,
            conditions,
            action,
            armed: None,
            others: Vec::new(),
        };
        let conditions = BTreeMap::from([paths.clone(), methods]);
        let spec = rule(FIRST_READ, conditions, Action::forward(group.clone()));
        here.add(&format!("rule-read-{}", service.name), spec);
        let spec = rule(
            FIRST_WRITE,
            BTreeMap::from([paths]),
            Action::forward(bridge.arn()),
        );
        here.add(&format!("rule-write-{}", service.name), spec);
    }
}

/// The other minimum, in percent, is off by default.
const MINIMUM: &str = "target_group_health.dns_failover.minimum_healthy_targets.count";

/// The callee's balancer says by itself whose it is: this needs no application. Certificates of targets are not validated.
fn health() -> HealthCheck {
    HealthCheck {
        protocol: "HTTPS".into(),
        port: "traffic-port".into(),
        path: SIDE_PATH.into(),
        codes: "200".into(),
        interval_seconds: 10,
        timeout_seconds: 5,
        healthy: 2,
        unhealthy: 2,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Facts, build};
    use super::READS;
    use crate::config::{Config, Mapping};

    fn with_mode(mode: &str) -> Config {
        let mut config = Config::default();
        config.migration.mapping = Mapping {
            file: "mapping.json".into(),
            text: format!(r#"{{"mode":"{mode}"}}"#),
        };
        config
    }

    #[test]
    fn a_green_that_only_reads_sends_every_other_method_to_blue_and_works_on_nothing_alone() {
        let mut facts = Facts::sample();
        for service in &crate::blueprint::SERVICES {
            facts.images.insert(service.name.into(), "image".into());
        }
        let graph = build(&with_mode("read-only"), &facts).unwrap();
        let spec = |step: &str| graph.get(step).map(|s| s.spec.clone());
        for service in &crate::blueprint::SERVICES {
            let [read, write, own] = ["rule-read", "rule-write", "rule"]
                .map(|rule| spec(&format!("{rule}-{}-green", service.name)).unwrap());
            let place = |rule: &serde_json::Value| rule["priority"].as_i64().unwrap();
            assert!(
                10 < place(&read) && place(&read) < place(&write) && place(&write) < place(&own)
            );
            let conditions = read["conditions"].as_object().unwrap();
            let values = conditions.values().map(|v| v.as_array().unwrap().len());
            assert!(
                values.sum::<usize>() <= 5,
                "AWS takes five values in a rule"
            );
            assert_eq!(
                read["conditions"]["http-request-method"],
                serde_json::json!(READS)
            );
            assert_eq!(read["action"], own["action"]);
            assert_eq!(write["conditions"], own["conditions"]);
            assert_eq!(
                write["action"],
                spec("rule-bridge-green").unwrap()["action"]
            );
            let alone = service.works_alone;
            let count = spec(&format!("service-{}-green", service.name)).unwrap()["count"].clone();
            assert_eq!(count == 0, alone, "{}", service.name);
            let scaled = spec(&format!("scaling-{}-green", service.name)).is_some();
            assert_eq!(scaled, !alone);
            assert!(spec(&format!("scaling-{}-blue", service.name)).is_some());
        }
        assert!(spec("rule-read-payment-api-blue").is_none());
        let both = build(&with_mode("two-way"), &facts).unwrap();
        assert!(both.get("rule-read-payment-api-green").is_none());
    }
}

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
use super::{EnvironmentBuilder, Tier};
use crate::engine::{Handle, List};
use crate::resources::ec2::{EndpointService, InterfaceEndpoint, Vpc};
use crate::resources::elbv2::{
    Action, HealthCheck, Listener, LoadBalancer, Rule, TargetGroup, Targets,
};
use std::collections::{BTreeMap, BTreeSet};

/// The place of its rule: behind the loop guard and the readiness of this side, before its own services.
const PRIORITY: i32 = 10;

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
    };
    here.add("rule-bridge", rule);
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
    use crate::blueprint::{Env, Facts, build};
    use crate::config::Config;
    use crate::engine::Graph;
    use std::collections::BTreeSet;

    /// The steps of the bridge in an environment that the other one is needed for.
    const JOINED: [&str; 9] = [
        "nlb-bridge",
        "tg-bridge-nlb",
        "targets-bridge-nlb",
        "listener-bridge-nlb",
        "endpoint-service",
        "vpce-bridge",
        "tg-bridge",
        "targets-bridge",
        "rule-bridge",
    ];

    fn graph(config: &Config) -> Graph {
        build(config, &Facts::sample()).unwrap()
    }

    #[test]
    fn all_of_it_goes_with_either_environment_and_comes_with_the_second_one() {
        let graph = graph(&Config::default());
        for env in Env::ALL {
            let joining = graph.joining(&env.other().to_string());
            let chosen = graph.select(Some(&env.to_string()));
            let nothing = Default::default();
            let state = crate::state::State::empty("dev", "eu-central-1");
            let waiting = graph.waiting(&chosen, &nothing, &state);
            for thing in JOINED {
                let at = graph.position(&format!("{thing}-{env}")).unwrap();
                assert!(joining[at], "{thing} of {env} would stay");
                let other = env.other().to_string();
                assert_eq!(waiting[at], Some(other.as_str()), "{thing} of {env}");
            }
        }
    }

    #[test]
    fn it_is_made_switched_off_and_can_be_left_out() {
        let mut config = Config::default();
        for env in Env::ALL {
            let rule = graph(&config);
            let rule = rule.get(&format!("rule-bridge-{env}")).unwrap();
            assert_eq!(rule.spec["armed"], false);
            assert_eq!(rule.spec["conditions"]["source-ip"][0], "192.0.2.0/32");
        }
        config.traffic.bridge = false;
        let without = graph(&config);
        let left = without.steps.iter().map(|s| s.id.as_str());
        let left: BTreeSet<&str> = left
            .filter(|id| id.contains("bridge") && !id.starts_with("waf-"))
            .collect();
        assert_eq!(left, BTreeSet::new());
        assert!(without.get("rule-loop-rest-blue").is_some());
    }

    #[test]
    fn names_fit_for_the_longest_suffix() {
        let config = Config {
            suffix: "abcdefghijkl".into(),
            ..Config::default()
        };
        graph(&config);
    }
}

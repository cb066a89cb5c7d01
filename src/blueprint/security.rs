//! Security groups of one environment, each with the least it needs: by group inside the VPC, by address block across the
//! transit gateway (a group of another VPC can't be named there without a reference that costs a feature on the
//! gateway), by AWS's prefix list to S3 and DynamoDB. Groups keep state, so answers need no rule. They don't filter the
//! VPC's resolver and metadata ("Control traffic to your AWS resources using security groups").
//!
//! The internet reaches two ports of the load balancer and nothing else, ICMP included ("EC2.18" of Security Hub).
//!
//! | who | may call | port |
//! |---|---|---|
//! | the internet | alb | 443, 80 (redirected) |
//! | alb | payment-api, transaction-processor, reporting | 8080 |
//! | alb | bridge (the endpoint that leads to the other environment) | 443 |
//! | bridge-nlb (where the other environment's endpoint leads to) | alb | 443 |
//! | payment-api, transaction-processor, reporting, migration of green | database, endpoints | 5432, 443 |
//! | migration of green | blue's db tier | 5432 |
//! | the three services | S3 (image layers, logs, documents) | 443 |
//! | payment-api, transaction-processor, migration of green | DynamoDB | 443 |
//!
//! The functions run in green, so blue's group of this name has no member, calls nobody and is let in nowhere.

use super::functions::HOME;
use super::services::{SERVICES, Service};
use super::{ANYWHERE, EnvironmentBuilder, Tier};
use crate::engine::{Handle, Ref};
use crate::resources::ec2::{
    DefaultSecurityGroup, Rules, SecurityGroup, SecurityGroupRules, Traffic, Vpc,
};

/// The port on which the load balancer serves.
pub const HTTPS: u16 = 443;
/// The port from which the load balancer redirects.
pub const HTTP: u16 = 80;

/// What other sections refer to.
pub struct Groups {
    /// The load balancer.
    pub alb: Handle<SecurityGroup>,
    /// One for each service.
    pub services: [(&'static Service, Handle<SecurityGroup>); SERVICES.len()],
    /// The migration functions; the only ones that reach both databases.
    pub migration: Handle<SecurityGroup>,
    /// The Aurora cluster.
    pub database: Handle<SecurityGroup>,
    /// The interface endpoints.
    pub endpoints: Handle<SecurityGroup>,
    /// Those of the bridge, if there is one.
    pub bridge: Option<BridgeGroups>,
}

/// The groups of the bridge's two ends in an environment.
pub struct BridgeGroups {
    /// The endpoint that leads to the other environment.
    pub endpoint: Handle<SecurityGroup>,
    /// The Network Load Balancer to which the other environment's endpoint leads. Who calls it is judged by the endpoint service.
    pub balancer: Handle<SecurityGroup>,
}

/// Declares groups and rules.
pub fn declare(here: &mut EnvironmentBuilder<'_>, vpc: &Handle<Vpc>) -> Groups {
    let default = DefaultSecurityGroup {
        vpc: vpc.id(),
        ingress: Rules::new(),
        egress: Rules::new(),
    };
    here.add("security-group-default", default);
    let (env, has_bridge) = (here.env, here.config.traffic.bridge);
    let mut group = |name: &str, what: &str| {
        let spec = SecurityGroup {
            vpc: vpc.id(),
            description: format!("{what} ({env})"),
        };
        here.add(&format!("security-group-{name}"), spec)
    };
    let groups = Groups {
        alb: group("alb", "Public load balancer"),
        services: SERVICES
            .each_ref()
            .map(|service| (service, group(service.name, service.title))),
        migration: group("migration", "Migration functions"),
        database: group("database", "Aurora cluster"),
        endpoints: group("endpoints", "Interface endpoints"),
        bridge: has_bridge.then(|| BridgeGroups {
            endpoint: group("bridge", "Endpoint of the bridge"),
            balancer: group("bridge-nlb", "Balancer of the bridge"),
        }),
    };
    rules(here, &groups);
    groups
}

fn rules(here: &mut EnvironmentBuilder<'_>, groups: &Groups) {
    let database_port = here.config.database.port;
    let there = here.other_tiers();
    let (other_app, other_db) = (there.tier(Tier::App), there.tier(Tier::Db));
    let lists = here.facts.prefix_lists.clone();
    let migration = ("migration", &groups.migration);
    let has_functions = here.env == HOME;
    let callers = || {
        let services = groups.services.iter();
        let services = services.map(|(service, group)| (service.name, group));
        services.chain(has_functions.then_some(migration))
    };

    let mut alb = Side::default();
    alb.accept(HTTPS, ANYWHERE, "HTTPS from clients");
    alb.accept(HTTP, ANYWHERE, "HTTP from clients, redirected to HTTPS");
    for (service, group) in &groups.services {
        let why = format!("Requests and health checks to {}", service.name);
        alb.call(service.port, group.id(), &why);
    }
    if let Some(bridge) = &groups.bridge {
        alb.call(
            HTTPS,
            bridge.endpoint.id(),
            "Bridge to the other environment",
        );
        let mut endpoint = Side::default();
        endpoint.accept(HTTPS, groups.alb.id(), "Load balancer");
        endpoint.set(here, "bridge", &bridge.endpoint);
        let mut balancer = Side::default();
        balancer.call(HTTPS, groups.alb.id(), "Load balancer");
        balancer.set(here, "bridge-nlb", &bridge.balancer);
    }
    alb.set(here, "alb", &groups.alb);

    for (service, group) in &groups.services {
        let mut side = Side::default();
        side.accept(service.port, groups.alb.id(), "Load balancer");
        side.outward(groups, database_port);
        // Image layers come from S3 too, whether or not the service has a bucket.
        side.call(HTTPS, &lists.s3, "S3 through its gateway endpoint");
        if !service.tables.is_empty() {
            side.call(
                HTTPS,
                &lists.dynamodb,
                "DynamoDB through its gateway endpoint",
            );
        }
        side.set(here, service.name, group);
    }

    let mut side = Side::default();
    if has_functions {
        side.outward(groups, database_port);
        side.call(
            database_port,
            other_db,
            &format!("Database of {}", here.env.other()),
        );
        side.call(
            HTTPS,
            &lists.dynamodb,
            "DynamoDB through its gateway endpoint",
        );
    }
    side.set(here, migration.0, migration.1);

    let mut database = Side::default();
    let mut endpoints = Side::default();
    for (name, group) in callers() {
        database.accept(database_port, group.id(), name);
        endpoints.accept(HTTPS, group.id(), name);
    }
    if !has_functions {
        let functions = format!("Migration functions of {HOME}");
        database.accept(database_port, other_app, &functions);
    }
    database.set(here, "database", &groups.database);
    endpoints.set(here, "endpoints", &groups.endpoints);
}

/// The rules of one group in the making.
#[derive(Default)]
struct Side {
    ingress: Rules,
    egress: Rules,
}

impl Side {
    fn accept(&mut self, port: u16, from: impl std::fmt::Display, why: &str) {
        let traffic = Traffic::tcp(false, port, from);
        self.ingress.insert(traffic.to_string(), why.to_owned());
    }

    fn call(&mut self, port: u16, to: impl std::fmt::Display, why: &str) {
        let traffic = Traffic::tcp(true, port, to);
        self.egress.insert(traffic.to_string(), why.to_owned());
    }

    /// What everything that runs in the app tier calls.
    fn outward(&mut self, groups: &Groups, database_port: u16) {
        self.call(database_port, groups.database.id(), "Database");
        self.call(HTTPS, groups.endpoints.id(), "Interface endpoints");
    }

    fn set(self, here: &mut EnvironmentBuilder<'_>, name: &str, group: &Handle<SecurityGroup>) {
        let group: Ref<SecurityGroup> = group.id();
        let Self { ingress, egress } = self;
        let spec = SecurityGroupRules {
            group,
            ingress,
            egress,
        };
        here.add(&format!("security-group-{name}-rules"), spec);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Facts, build};
    use crate::config::Config;
    use crate::engine::Graph;
    use serde_json::{Map, Value, json};

    fn graph() -> Graph {
        build(&Config::default(), &Facts::sample()).unwrap()
    }

    fn sides<'a>(
        graph: &'a Graph,
        kind: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Map<String, Value>)> {
        let steps = graph.steps.iter().filter(move |s| s.kind == kind);
        steps.flat_map(|s| {
            ["ingress", "egress"].map(|side| (s.id.as_str(), s.spec[side].as_object().unwrap()))
        })
    }

    #[test]
    fn only_the_public_tier_has_a_way_to_the_internet() {
        let graph = graph();
        for env in ["blue", "green"] {
            for tier in ["public", "app", "db"] {
                let step = graph.get(&format!("rtb-{tier}-routes-{env}")).unwrap();
                let open = step.spec["routes"].get(ANYWHERE).is_some();
                assert_eq!(open, tier == "public", "{}", step.id);
            }
        }
    }

    #[test]
    fn only_the_load_balancer_names_the_whole_internet_and_descriptions_are_legal() {
        let legal = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
        for (step, rules) in sides(&graph(), "ec2/security_group_rules") {
            for (key, why) in rules {
                let open = key.contains(ANYWHERE);
                assert!(!open || step.contains("-alb-"), "{step}: {key}");
                let why = why.as_str().unwrap();
                assert!(
                    !why.is_empty() && why.len() < 256 && why.chars().all(legal),
                    "{why}"
                );
            }
        }
    }

    #[test]
    fn the_database_accepts_its_port_and_calls_nobody() {
        let graph = graph();
        for (env, other) in [
            ("blue", "tcp/5432 from 10.20."),
            ("green", "tcp/5432 from 10.10."),
        ] {
            let rules = format!("security-group-database-rules-{env}");
            let rules = &graph.get(&rules).unwrap().spec;
            assert_eq!(rules["egress"], json!({}));
            let ingress = rules["ingress"].as_object().unwrap();
            assert!(ingress.keys().all(|k| k.starts_with("tcp/5432 from ")));
            // The functions run in green, and reach both.
            let across = ingress.keys().any(|k| k.starts_with(other));
            assert_eq!(across, env == "blue", "{env}");
        }
    }

    #[test]
    fn acls_stay_within_the_quota_of_20_and_the_defaults_are_stripped() {
        let graph = graph();
        for (step, entries) in sides(&graph, "ec2/network_acl_entries") {
            assert!((1..=20).contains(&entries.len()), "{step}");
        }
        for kind in ["ec2/default_network_acl", "ec2/default_security_group"] {
            assert!(sides(&graph, kind).all(|(_, open)| open.is_empty()));
            assert_eq!(sides(&graph, kind).count(), 4);
        }
    }
}

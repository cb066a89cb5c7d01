//! What is built: pure functions from configuration and facts to a graph, one file per section of the platform.
//! No API call is made here.

mod acls;
mod cidr;
mod endpoints;
mod flow_logs;
mod network;
mod security;
mod transit;

pub use cidr::{Tier, Tiers};

use crate::config::Config;
use crate::engine::driver::{MARK_STEP, MARK_SUFFIX};
use crate::engine::graph::GraphError;
use crate::engine::{Builder, Graph, Head};
use crate::resources::ec2::ServicePrefixLists;
use std::fmt;

/// What must be known of the account before the graph can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The account id.
    pub account: String,
    /// The availability zones that are used, sorted by name.
    pub zones: Vec<String>,
    /// The region's address blocks of S3 and DynamoDB.
    pub prefix_lists: ServicePrefixLists,
}

#[cfg(test)]
impl Facts {
    /// Facts for tests.
    fn sample() -> Self {
        Self {
            account: "123456789012".into(),
            zones: ["a", "b", "c"].map(|z| format!("eu-central-1{z}")).into(),
            prefix_lists: ServicePrefixLists {
                s3: "pl-s3".into(),
                dynamodb: "pl-dynamodb".into(),
            },
        }
    }
}

/// All IPv4 addresses.
const ANYWHERE: &str = "0.0.0.0/0";

/// Which environment something belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Env {
    /// The mirror of today's system.
    Blue,
    /// The AWS-native system.
    Green,
    /// What both rest on.
    Shared,
}

impl Env {
    /// The other of blue and green.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
            Self::Shared => Self::Shared,
        }
    }
}

impl fmt::Display for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blue => "blue",
            Self::Green => "green",
            Self::Shared => "shared",
        })
    }
}

/// What every section declares on.
pub struct Site<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The account's facts.
    pub facts: &'a Facts,
    /// The graph in the making.
    pub graph: Builder,
}

impl Site<'_> {
    /// The head of a step: id `{thing}-{env}`, name `{thing}-{env}-{suffix}`, all tags and the ownership mark.
    pub fn head(&self, thing: &str, env: Env) -> Head {
        let id = format!("{thing}-{env}");
        let name = self.name(thing, env);
        let mut tags = self.config.tags.set.clone();
        tags.insert("Environment".into(), env.to_string());
        tags.insert("Name".into(), name.clone());
        tags.insert(MARK_SUFFIX.into(), self.config.suffix.clone());
        tags.insert(MARK_STEP.into(), id.clone());
        Head {
            id,
            scope: env.to_string(),
            name,
            tags,
        }
    }

    /// `{thing}-{env}-{suffix}`
    pub fn name(&self, thing: &str, env: Env) -> String {
        format!("{thing}-{env}-{}", self.config.suffix)
    }

    /// An ARN in this account and region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:aws:{service}:{}:{}:{resource}",
            self.config.region, self.facts.account
        )
    }
}

/// The whole platform as a graph.
pub fn build(config: &Config, facts: &Facts) -> Result<Graph, GraphError> {
    let mut site = Site {
        config,
        facts,
        graph: Builder::new(),
    };
    let transit = transit::gateway(&mut site);
    for env in [Env::Blue, Env::Green] {
        let network = network::declare(&mut site, env);
        let app = network.tier(Tier::App);
        let attached = transit::attach(&mut site, env, &transit, &network.vpc, app);
        network::routes(&mut site, env, &network, attached.routes());
        let groups = security::declare(&mut site, env, &network.vpc);
        endpoints::declare(&mut site, env, &network, &groups.endpoints);
    }
    site.graph.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn graph() -> Graph {
        build(&Config::default(), &Facts::sample()).unwrap()
    }

    fn spec<'a>(graph: &'a Graph, step: &str) -> &'a Value {
        &graph.get(step).unwrap().spec
    }

    #[test]
    fn only_the_public_tier_has_a_way_to_the_internet() {
        let graph = graph();
        for env in ["blue", "green"] {
            for tier in ["public", "app", "db"] {
                let routes = &spec(&graph, &format!("rtb-{tier}-routes-{env}"))["routes"];
                assert_eq!(routes.get("0.0.0.0/0").is_some(), tier == "public");
            }
        }
    }

    #[test]
    fn only_the_load_balancer_names_the_whole_internet_and_descriptions_are_legal() {
        let graph = graph();
        let rules = graph
            .steps
            .iter()
            .filter(|s| s.kind == "ec2/security_group_rules");
        for step in rules {
            for side in ["ingress", "egress"] {
                for (key, why) in step.spec[side].as_object().unwrap() {
                    let open = key.contains("0.0.0.0/0");
                    assert!(!open || step.id.contains("-alb-"), "{}: {key}", step.id);
                    let why = why.as_str().unwrap();
                    let legal =
                        |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
                    assert!(
                        !why.is_empty() && why.len() < 256 && why.chars().all(legal),
                        "{why}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_database_accepts_its_port_and_calls_nobody() {
        let graph = graph();
        let rules = spec(&graph, "security-group-database-rules-green");
        assert_eq!(rules["egress"], serde_json::json!({}));
        let ingress = rules["ingress"].as_object().unwrap();
        assert!(ingress.keys().all(|k| k.starts_with("tcp/5432 from ")));
        assert!(ingress.contains_key("tcp/5432 from 10.10.64.0/18"));
    }

    #[test]
    fn network_acls_stay_within_the_quota_and_the_defaults_are_stripped() {
        let graph = graph();
        for step in graph
            .steps
            .iter()
            .filter(|s| s.kind == "ec2/network_acl_entries")
        {
            for side in ["ingress", "egress"] {
                assert!(
                    step.spec[side].as_object().unwrap().len() <= 20,
                    "{}",
                    step.id
                );
            }
        }
        for step in ["acl-default-blue", "security-group-default-blue"] {
            let spec = spec(&graph, step);
            assert_eq!(
                (&spec["ingress"], &spec["egress"]),
                (&serde_json::json!({}), &serde_json::json!({}))
            );
        }
    }
}

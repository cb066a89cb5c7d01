//! What is built: pure functions from configuration and facts to a graph, one file per section of the platform.
//! No API call is made here.

mod cidr;
mod endpoints;
mod flow_logs;
mod keys;
mod logging;
mod network;
mod storage;
mod tables;
mod transit;

pub use cidr::{Tier, Tiers};
pub use logging::DATABASE_CLUSTER;

use crate::config::Config;
use crate::engine::driver::{MARK_STEP, MARK_SUFFIX};
use crate::engine::graph::GraphError;
use crate::engine::{Builder, Graph, Head};
use std::fmt;

/// What must be known of the account before the graph can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The account id.
    pub account: String,
    /// The availability zones that are used, sorted by name.
    pub zones: Vec<String>,
}

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
        let keys = keys::declare(&mut site, env);
        let _logging = logging::declare(&mut site, env, &keys);
        let _storage = storage::declare(&mut site, env);
        let _tables = tables::declare(&mut site, env, &keys);
        let network = network::declare(&mut site, env);
        let app = network.tier(Tier::App);
        let _attached = transit::attach(&mut site, env, &transit, &network.vpc, app);
    }
    site.graph.build()
}

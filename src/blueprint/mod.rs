//! What is built: pure functions from configuration and facts to a graph, one file per section of the platform.
//! Only [`Facts::read`] makes calls.

mod acls;
mod cidr;
mod database;
mod endpoints;
mod facts;
mod flow_logs;
mod keys;
mod logging;
mod network;
#[cfg(test)]
mod reachability;
mod security;
mod storage;
mod tables;
mod transit;

pub use cidr::{Tier, Tiers};
pub use facts::{Facts, ServicePrefixLists};
pub use logging::DATABASE_CLUSTER;

use crate::config::Config;
use crate::engine::driver::{MARK_STEP, MARK_SUFFIX};
use crate::engine::graph::GraphError;
use crate::engine::{Builder, Graph, StepMeta};
use std::fmt;

#[cfg(test)]
impl Facts {
    /// Facts for tests.
    pub(crate) fn sample() -> Self {
        Self::assumed(&Config::default(), "123456789012")
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
pub struct EnvironmentBuilder<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The account's facts.
    pub facts: &'a Facts,
    /// The graph in the making.
    pub graph: Builder,
}

impl EnvironmentBuilder<'_> {
    /// The head of a step: id `{thing}-{env}`, name `{thing}-{env}-{suffix}`, all tags and the ownership mark.
    pub fn meta(&self, thing: &str, env: Env) -> StepMeta {
        let id = format!("{thing}-{env}");
        let name = self.name(thing, env);
        let mut tags = self.config.tags.set.clone();
        tags.insert("Environment".into(), env.to_string());
        tags.insert("Name".into(), name.clone());
        tags.insert(MARK_SUFFIX.into(), self.config.suffix.clone());
        tags.insert(MARK_STEP.into(), id.clone());
        StepMeta {
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
    let mut builder = EnvironmentBuilder {
        config,
        facts,
        graph: Builder::new(),
    };
    let transit = transit::gateway(&mut builder);
    for env in [Env::Blue, Env::Green] {
        environment(&mut builder, env, &transit);
    }
    builder.graph.build()
}

/// One environment, section by section.
fn environment(builder: &mut EnvironmentBuilder<'_>, env: Env, transit: &transit::Transit) {
    let keys = keys::declare(builder, env);
    let logging = logging::declare(builder, env, &keys);
    let network = network::declare(builder, env);
    let app = network.tier(Tier::App);
    let attached = transit::attach(builder, env, transit, &network.vpc, app);
    network::routes(builder, env, &network, attached.routes());
    let groups = security::declare(builder, env, &network.vpc);
    flow_logs::declare(
        builder,
        env,
        &network.vpc,
        &logging.flow_logs,
        &logging.flow_logs_role,
    );
    storage::declare(builder, env);
    tables::declare(builder, env, &keys);
    endpoints::declare(builder, env, &network, &groups.endpoints);
    database::declare(
        builder,
        env,
        &database::Needs {
            vpc: network.vpc.id(),
            subnets: network.tier(Tier::Db),
            security_group: groups.database.id(),
            data_key: keys.data.arn.clone(),
            monitoring_role: logging.monitoring_role.arn(),
            log_group: logging.database.name(),
        },
    );
    builder
        .graph
        .output(format!("{env}.vpc_id"), network.vpc.id());
    for tier in Tier::ALL {
        let ids: Vec<_> = network
            .tier(tier)
            .iter()
            .map(|subnet| subnet.id())
            .collect();
        builder
            .graph
            .output(format!("{env}.subnet_ids.{}", tier.name()), ids);
    }
}

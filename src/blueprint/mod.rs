//! What is built: pure functions from configuration and facts to a graph, one file per section of the platform.
//! Only [`Facts::read`] makes calls.

mod acls;
mod alarms;
mod bridge;
mod cidr;
mod compliance;
mod compute;
mod dashboards;
mod database;
mod edge;
mod endpoints;
mod facts;
mod firewall;
mod flow_logs;
mod function_roles;
mod functions;
mod images;
mod keys;
mod logging;
mod monitoring;
mod network;
pub mod reachability;
mod registry;
#[cfg(test)]
mod removal;
mod roles;
mod routing;
mod schedules;
mod security;
mod services;
mod storage;
mod tables;
mod tooling;
mod transit;
mod zone;

pub use cidr::{Tier, Tiers};
pub use compute::rests;
pub use edge::{IDLE_SECONDS, READY_PATH, SIDE_PATH};
pub use facts::{Code, Facts, ServicePrefixLists, Zone};
pub use images::{Images, keep as keep_images, uri as image_uri};
pub use logging::DATABASE_CLUSTER;
pub use routing::{
    NOTE_TTL, begin as begin_both, domain, is_begun, moves_too_early, names, raised, set_begun,
    steps as record_steps, with_first_weights,
};
pub use services::{SERVICES, Service};
pub use zone::find as find_zone;

use crate::config::Config;
use crate::engine::graph::{GraphError, SHARED};
use crate::engine::ownership::{
    MARK_DEPLOYMENT, MARK_STEP, MARK_SUFFIX, TAG_OF_NAME, TAG_OF_SCOPE,
};
use crate::engine::{Builder, Deployment, Graph, Handle, Kind, Ref, StepMeta};
use crate::resources::ec2::SecurityGroup;
use crate::resources::sns::Topic;
use serde::Serialize;
use std::fmt;

#[cfg(test)]
impl Facts {
    /// Facts for tests.
    pub(crate) fn sample() -> Self {
        Self {
            account: "123456789012".into(),
            ..Self::assumed(&Config::default())
        }
    }
}

/// What steps wait for whose certificate is not issued because nobody resolves the domain yet.
pub const DELEGATION: &str = "delegation";

/// All IPv4 addresses.
const ANYWHERE: &str = "0.0.0.0/0";

/// One of the two environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Env {
    /// The mirror of today's system.
    Blue,
    /// The AWS-native system.
    Green,
}

impl Env {
    /// Both, in the order in which they are declared.
    pub const ALL: [Self; 2] = [Self::Blue, Self::Green];

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }
}

impl fmt::Display for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blue => "blue",
            Self::Green => "green",
        })
    }
}

/// What both environments rest on. It has no other side, so it is no [`Env`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared;

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHARED)
    }
}

/// What a step belongs to: an environment, or what is shared. Its name stands in ids, names and tags.
pub trait Scope: fmt::Display + Copy {
    /// In the middle of a sentence: "the blue environment".
    fn described(self) -> String;
}

impl Scope for Env {
    fn described(self) -> String {
        format!("the {self} environment")
    }
}

impl Scope for Shared {
    fn described(self) -> String {
        "what both environments share".into()
    }
}

/// What every section declares on: everything that is added belongs to one scope.
pub struct ScopeBuilder<'a, S> {
    /// The configuration.
    pub config: &'a Config,
    /// The account's facts.
    pub facts: &'a Facts,
    /// The environment, or [`Shared`].
    pub env: S,
    graph: &'a mut Builder,
}

/// Declares one environment.
pub type EnvironmentBuilder<'a> = ScopeBuilder<'a, Env>;

impl<'a, S: Scope> ScopeBuilder<'a, S> {
    /// Declares into a graph.
    pub fn new(config: &'a Config, facts: &'a Facts, env: S, graph: &'a mut Builder) -> Self {
        Self {
            config,
            facts,
            env,
            graph,
        }
    }

    /// Adds a step: id `{thing}-{env}`, name `{thing}-{env}-{suffix}`, all tags and the ownership mark.
    pub fn add<R: Kind>(&mut self, thing: &str, spec: R) -> Handle<R> {
        self.add_named(thing, self.name(thing), spec)
    }

    /// Adds a step whose name AWS prescribes.
    pub fn add_named<R: Kind>(&mut self, thing: &str, name: String, spec: R) -> Handle<R> {
        let id = format!("{thing}-{}", self.env);
        let mut tags = self.config.tags.set.clone();
        tags.insert(TAG_OF_SCOPE.into(), self.env.to_string());
        tags.insert(TAG_OF_NAME.into(), self.name(thing));
        tags.insert(MARK_SUFFIX.into(), self.config.suffix.clone());
        tags.insert(MARK_STEP.into(), id.clone());
        let deployment = Deployment {
            account: self.facts.account.clone(),
            region: self.config.region.clone(),
            suffix: self.config.suffix.clone(),
        };
        tags.insert(MARK_DEPLOYMENT.into(), deployment.to_string());
        let meta = StepMeta {
            id,
            scope: self.env.to_string(),
            name,
            tags,
        };
        self.graph.add(meta, spec)
    }

    /// Says that the step that was added last is made only when the other scope is there.
    pub fn needs(&mut self, scope: impl Scope) {
        self.graph.needs_scope(&scope.to_string());
    }

    /// Says that the step that was added last, and what needs it, waits until the domain is delegated.
    pub fn waits_for_delegation(&mut self) {
        if !self.facts.delegated {
            self.graph.hold(DELEGATION);
        }
    }

    /// Adds an output of the run, `{env}.{name}`.
    pub fn output(&mut self, name: &str, value: impl Serialize) {
        self.graph.output(format!("{}.{name}", self.env), value);
    }

    /// `{thing}-{env}-{suffix}`
    pub fn name(&self, thing: &str) -> String {
        format!("{thing}-{}-{}", self.env, self.config.suffix)
    }

    /// An ARN in this account and region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:aws:{service}:{}:{}:{resource}",
            self.config.region, self.facts.account
        )
    }
}

impl EnvironmentBuilder<'_> {
    /// The address plan.
    pub fn tiers(&self) -> Tiers {
        Tiers::of(self.config, self.env)
    }

    /// The address plan of the other environment.
    pub fn other_tiers(&self) -> Tiers {
        Tiers::of(self.config, self.env.other())
    }
}

/// Known once what it refers to can be used: for an order that no value carries.
fn usable<T>(of: &Ref<T>) -> Ref<()> {
    of.ready().as_str().into()
}

/// The whole platform as a graph.
pub fn build(config: &Config, facts: &Facts) -> Result<Graph, GraphError> {
    let mut graph = Builder::new();
    let here = &mut ScopeBuilder::new(config, facts, Shared, &mut graph);
    let keys = keys::shared(here);
    let repositories = registry::declare(here, &keys);
    let transit = transit::gateway(here);
    let routing = routing::certificate(here);
    compliance::declare(here);
    let [blue, green] = Env::ALL.map(|env| {
        let here = &mut ScopeBuilder::new(config, facts, env, &mut graph);
        environment(here, &transit, &routing, &repositories)
    });
    bridges(config, facts, &mut graph, [&blue, &green]);
    let here = &mut ScopeBuilder::new(config, facts, Env::Green, &mut graph);
    let beside = functions::beside(here, &green.keys);
    let place = functions::Place {
        subnets: green.network.tier(Tier::App),
        group: &green.migration,
        keys: &green.keys,
    };
    functions::declare(here, &place, &beside, &blue.side, &green.side);
    alarms::migration(here, &green.topic);
    dashboards::migration(here);
    graph.build()
}

/// The bridge in both directions.
fn bridges(config: &Config, facts: &Facts, graph: &mut Builder, made: [&Made; 2]) {
    let place = |of: usize| {
        let Made {
            network,
            edge,
            bridge,
            ..
        } = made[of];
        bridge.as_ref().map(|groups| bridge::Place {
            network,
            groups,
            edge,
        })
    };
    let (Some(blue), Some(green)) = (place(0), place(1)) else {
        return;
    };
    let directions = [
        (Env::Blue, &blue, Env::Green, &green),
        (Env::Green, &green, Env::Blue, &blue),
    ];
    for (to, callee, from, caller) in directions {
        let here = &mut ScopeBuilder::new(config, facts, to, graph);
        let service = bridge::callee(here, callee, &caller.network.vpc);
        if let Some(service) = service {
            let here = &mut ScopeBuilder::new(config, facts, from, graph);
            bridge::caller(here, caller, &service);
        }
    }
}

/// What the migration and the bridge need of an environment.
struct Made {
    keys: keys::Keys,
    network: network::Network,
    edge: edge::Edge,
    bridge: Option<security::BridgeGroups>,
    migration: Handle<SecurityGroup>,
    topic: Handle<Topic>,
    side: functions::Side,
}

/// One environment, section by section.
fn environment(
    here: &mut EnvironmentBuilder<'_>,
    transit: &transit::Transit,
    routing: &routing::Routing,
    repositories: &registry::Repositories,
) -> Made {
    let keys = keys::declare(here);
    let logging = logging::declare(here, &keys);
    let topic = monitoring::topic(here, &keys);
    let network = network::declare(here);
    let app = network.tier(Tier::App);
    let attached = transit::attach(here, transit, &network.vpc, app);
    network::routes(here, &network, attached.routes());
    let groups = security::declare(here, &network.vpc);
    flow_logs::declare(
        here,
        &network.vpc,
        &logging.flow_logs,
        &logging.flow_logs_role,
    );
    let logs = storage::declare(here);
    let edge = edge::declare(
        here,
        &edge::Needs {
            network: &network,
            groups: &groups,
            logs: &logs,
            certificate: routing.certificate.clone(),
        },
    );
    let firewall = firewall::declare(here, &keys, &edge);
    let sessions = tables::declare(here, &keys);
    // No task answers a request that no firewall has seen, and none starts without its way to images, settings and logs. It starts
    // without an instance of the database (the application contract says so): to wait for these makes a run minutes longer both ways.
    let mut before = endpoints::declare(here, &network, &groups.endpoints);
    before.push(firewall.guarded);
    let database = database::declare(
        here,
        &database::Needs {
            vpc: network.vpc.id(),
            subnets: network.tier(Tier::Db),
            security_group: groups.database.id(),
            data_key: keys.data.arn.clone(),
            monitoring_role: logging.monitoring_role.arn(),
            log_group: logging.database.name(),
        },
    );
    monitoring::database_events(here, &topic, &database);
    let failing = alarms::failing(here, &topic, &edge);
    let stopping: Vec<_> = failing
        .iter()
        .map(|(service, guard)| (*service, guard.alarm.clone()))
        .collect();
    let compute = compute::declare(
        here,
        &compute::Needs {
            subnets: network.tier(Tier::App),
            groups: &groups.services,
            repositories,
            database: &database.cluster,
            edge: &edge,
            keys: &keys,
            failing: &stopping,
            before: &before,
        },
    );
    monitoring::failed_deployments(here, &topic);
    let guards = alarms::declare(
        here,
        &alarms::Needs {
            topic: &topic,
            edge: &edge,
            compute: &compute,
            database: &database.cluster,
            web_acl: &firewall.acl,
            failing: &failing,
        },
    );
    // Customers come when all of it works, and have gone before any of it goes.
    before.extend(database.instances.iter().map(|one| usable(&one.id)));
    routing::records(here, routing, &edge, &guards, &before);
    here.output("vpc_id", network.vpc.id());
    for tier in Tier::ALL {
        let subnets = network.tier(tier).iter();
        let ids: Vec<_> = subnets.map(|subnet| subnet.id()).collect();
        here.output(&format!("subnet_ids.{}", tier.name()), ids);
    }
    Made {
        side: functions::Side {
            database: database.cluster,
            sessions,
            data_key: keys.data.arn.clone(),
        },
        migration: groups.migration,
        bridge: groups.bridge,
        edge,
        topic,
        network,
        keys,
    }
}

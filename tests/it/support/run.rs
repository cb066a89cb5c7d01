//! Plans and runs graphs of two kinds of things, slow and quick ones, on an account in memory.

use super::recorder::MemoryRecorder;
use super::world::World;
use deployer::engine::beneath::beneath;
use deployer::engine::driver::Owned;
use deployer::engine::event::Verb;
use deployer::engine::exec::{self, Report};
use deployer::engine::graph::{Builder, Kind, StepMeta};
use deployer::engine::observe::{Observations, observe, requests};
use deployer::engine::plan::{self, Allowed, DataRules, Options, Plan};
use deployer::engine::rebuild::{add_unread, recover, unsearched};
use deployer::engine::{Context, Events, Graph, Limits, Ref};
use deployer::state::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Both kinds have an id.
#[derive(Default, Deserialize)]
pub struct ThingOutputs {
    pub id: Ref<()>,
}

#[derive(Serialize)]
#[serde(transparent)]
pub struct Slow(pub Value);
impl Kind for Slow {
    const TYPE: &'static str = "test/slow";
    type Outputs = ThingOutputs;
}

#[derive(Serialize)]
#[serde(transparent)]
pub struct Quick(pub Value);
impl Kind for Quick {
    const TYPE: &'static str = "test/quick";
    type Outputs = ThingOutputs;
}

pub fn head(id: &str, scope: &str) -> StepMeta {
    let tags = [("DeployerStep", id), ("EnvironmentSuffix", "t")];
    StepMeta {
        id: id.into(),
        scope: scope.into(),
        name: id.into(),
        tags: tags
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect(),
    }
}

pub fn graph(declare: impl FnOnce(&mut Builder)) -> Graph {
    let mut builder = Builder::new();
    declare(&mut builder);
    builder.build().unwrap()
}

pub fn kinds() -> [(&'static str, (f64, f64)); 2] {
    [("test/slow", (100.0, 50.0)), ("test/quick", (1.0, 1.0))]
}

/// The engine's way from graph to report, on one account.
pub struct Run {
    pub cx: Context,
    pub state: State,
    pub options: Options,
    pub data: DataRules,
    pub allowed: Allowed,
    /// What could not be read while marked things were taken in.
    unread: Observations,
}

impl Run {
    pub fn on(world: &Arc<World>) -> Self {
        let limits = Limits {
            consistency_timeout: Duration::from_secs(5),
            ..Limits::default()
        };
        Self {
            cx: Context::new(world.registry(kinds()), Events::default(), limits),
            state: State::empty("t", "eu-central-1"),
            options: Options::default(),
            data: DataRules::default(),
            allowed: Allowed::default(),
            unread: Observations::new(),
        }
    }

    /// Reads everything, what stands under replaced things too.
    pub async fn look(&mut self, graph: &Graph, chosen: &[bool]) -> Observations {
        let requests = requests(graph, chosen, &self.state, |_, _| true);
        let mut seen = observe(&self.cx, &requests).await;
        let Context {
            registry, clock, ..
        } = &self.cx;
        beneath(graph, registry, clock, &mut self.state, &mut seen).await;
        add_unread(&mut seen, std::mem::take(&mut self.unread));
        seen
    }

    pub async fn plan(&mut self, graph: &Graph) -> Plan {
        let chosen = graph.select(self.options.scope.as_deref());
        let steps = unsearched(graph, &chosen, &self.state, &self.cx.registry);
        let steps: Vec<String> = steps.iter().map(|s| s.id.clone()).collect();
        self.recover(graph, |owned| steps.contains(&owned.step))
            .await;
        let seen = self.look(graph, &chosen).await;
        let (registry, options) = (&self.cx.registry, self.options.clone());
        let mut plan =
            plan::build_asking(graph, &chosen, &self.state, &seen, registry, options).await;
        self.guard(&mut plan).await;
        let vanished = plan::vanished(&plan, &self.state, &self.cx.registry).await;
        plan::restore(&mut plan, vanished, &self.allowed);
        plan
    }

    pub async fn execute(&mut self, plan: &Plan) -> Report {
        plan::refresh(plan, &mut self.state);
        let recorder = Arc::new(MemoryRecorder::default());
        exec::run(&self.cx, plan, &mut self.state, recorder).await
    }

    pub async fn apply(&mut self, graph: &Graph) -> Report {
        let plan = self.plan(graph).await;
        assert_eq!(plan.problems, []);
        self.execute(&plan).await
    }

    /// What a run with this blueprint finds again when the state file is gone.
    pub async fn lose_state(&mut self, graph: &Graph) {
        self.state = State::empty("t", "eu-central-1");
        self.recover(graph, |_| true).await;
    }

    /// Takes in what is marked, as far as it is meant.
    async fn recover(&mut self, graph: &Graph, is_meant: impl Fn(&Owned) -> bool) {
        let mut owned = Vec::new();
        for driver in self.cx.registry.all() {
            owned.extend(driver.owned("t").await.unwrap());
        }
        owned.retain(is_meant);
        let Context {
            registry, clock, ..
        } = &self.cx;
        let unread = recover(graph, &owned, registry, &mut self.state, clock).await;
        self.unread.extend(unread);
    }

    pub async fn destroy(&mut self, graph: &Graph, scope: Option<&str>) -> Report {
        let chosen = graph.select(scope);
        let seen = self.look(graph, &chosen).await;
        let plan = self.teardown(graph, &seen, scope).await;
        assert_eq!(plan.problems, []);
        self.execute(&plan).await
    }

    pub async fn teardown(&self, graph: &Graph, seen: &Observations, scope: Option<&str>) -> Plan {
        let choice = self.data.choice;
        let mut plan = plan::teardown(
            graph,
            &self.state,
            seen,
            &self.cx.registry,
            scope,
            choice,
            &plan::Users::new(),
        );
        self.guard(&mut plan).await;
        plan
    }

    /// Counts data and marks what would be lost, at a time of its own.
    async fn guard(&self, plan: &mut Plan) {
        let counts = plan::count(plan, &self.cx.registry).await;
        let now = "2026-11-28T04:37:43Z".parse().unwrap();
        plan::guard(plan, &counts, &self.cx.registry, self.data, now);
    }
}

/// The writes so far, without the numbers of the ids.
pub fn writes(world: &World) -> Vec<String> {
    let writes = world.writes.lock().unwrap();
    let bare = |w: &String| w.rsplit_once('-').map_or(w.as_str(), |p| p.0).to_owned();
    writes.iter().map(bare).collect()
}

pub fn verbs(plan: &Plan) -> Vec<(String, Verb)> {
    plan.nodes
        .iter()
        .map(|n| (n.step.clone(), n.verb))
        .collect()
}

//! A platform of which everything is recorded and read as it is wanted, for the tests of the evidence.

use crate::blueprint::{Facts, build};
use crate::config::Config;
use crate::engine::Graph;
use crate::engine::drift::{Input, drift};
use crate::engine::observe::{Observations, Observed};
use crate::engine::{Live, Mark, Phase};
use crate::evidence::{Ages, Evidence, Sources, evidence};
use crate::state::{Record, Stage, State};
use jiff::Timestamp;
use jiff::civil::date;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Everything of a platform recorded and read as it is wanted, with ids in place of references.
pub struct World {
    pub config: Config,
    pub graph: Graph,
    pub state: State,
    pub seen: Observations,
    pub facts: Facts,
    pub reads: crate::engine::Reads,
    pub ages: Ages,
}

pub fn world() -> World {
    let config = Config::default();
    let mut facts = Facts::sample();
    for service in &crate::blueprint::SERVICES {
        let image = format!("1.dkr.ecr.r.amazonaws.com/x@sha256:{}", service.name);
        facts.images.insert(service.name.into(), image);
    }
    let graph = build(&config, &facts).unwrap();
    let mut state = State::empty("dev", "eu-central-1");
    let mut seen = Observations::new();
    let id = |at: usize| format!("id-0123456789-{at:04}");
    for (at, step) in graph.steps.iter().enumerate() {
        let mut text = step.spec.to_string();
        for (at, other) in graph.steps.iter().enumerate() {
            for end in [".id}", ".id!}"] {
                text = text.replace(&format!("@{{{}{end}", other.id), &id(at));
            }
        }
        let spec: Value = serde_json::from_str(&text).unwrap();
        let outputs = json!({"id": id(at), "name": step.name});
        let record = Record {
            kind: step.kind.clone(),
            scope: step.scope.clone(),
            name: step.name.clone(),
            stage: Stage::Ready,
            token: String::new(),
            tags: BTreeMap::new(),
            inputs: spec.clone(),
            outputs: outputs.clone(),
            needs: Vec::new(),
            at: Timestamp::UNIX_EPOCH,
        };
        state.steps.insert(step.id.clone(), record);
        let live = Live {
            spec,
            mark: Mark::Parent,
            outputs,
            phase: Phase::Ready,
        };
        seen.insert(step.id.clone(), Observed::Found(live));
    }
    World {
        config,
        graph,
        state,
        seen,
        facts,
        reads: crate::engine::Reads::default(),
        ages: Ages::new(),
    }
}

impl World {
    pub fn evidence(&self) -> Evidence {
        let registry = crate::engine::Registry::default();
        let drift = drift(Input {
            graph: &self.graph,
            chosen: &vec![false; self.graph.steps.len()],
            scope: None,
            state: &State::empty("dev", "eu-central-1"),
            seen: &self.seen,
            owned: &[],
            undecided: &[],
            unlisted: Vec::new(),
            registry: &registry,
            ignore_tags: &[],
            needed: &BTreeMap::new(),
        });
        evidence(Sources {
            config: &self.config,
            graph: &self.graph,
            state: &self.state,
            seen: &self.seen,
            drift: &drift,
            lists: &self.facts.prefix_lists,
            chains: Vec::new(),
            ages: self.ages.clone(),
            reads: &self.reads,
            judged: Vec::new(),
            delivered: Vec::new(),
            today: date(2026, 11, 28),
        })
        .unwrap()
    }

    pub fn change(&mut self, step: &str, pointer: &str, value: Value) {
        let Some(Observed::Found(live)) = self.seen.get_mut(step) else {
            panic!("{step}");
        };
        *live.spec.pointer_mut(pointer).unwrap() = value;
    }
}

//! A small graph, its state, and what is read of it.

use super::super::*;
use crate::engine::driver::{
    Delegated, DeleteOptions, Delta, Driver, Identity, Key, Live, Meta, Nature, Owner, Phase,
};
use crate::engine::graph::{Builder, Kind, StepMeta};
use crate::engine::ownership::Mark;
use crate::state::{Record, Stage};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Thing(pub(super) Value);
impl Kind for Thing {
    const TYPE: &'static str = "test/thing";
    type Outputs = ();
}
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Part(pub(super) Value);
impl Kind for Part {
    const TYPE: &'static str = "test/part";
    type Outputs = ();
}

pub(super) fn at_most_nine(owner: &Owner<'_>) -> Result<(), String> {
    match owner.found.as_i64() {
        Some(n) if n > 9 => Err(format!("{n} is over 9")),
        _ => Ok(()),
    }
}

struct Facts(Meta);
#[async_trait]
impl Driver for Facts {
    fn meta(&self) -> &Meta {
        &self.0
    }
    async fn read(&self, _: Key<'_>) -> Result<Option<Live>, Error> {
        Ok(None)
    }
    async fn create(&self, _: &Value, _: &Identity) -> Result<Value, Error> {
        Ok(Value::Null)
    }
    async fn update(&self, _: &Value, _: &Value, _: &Delta) -> Result<(), Error> {
        Ok(())
    }
    async fn delete(&self, _: &Value, _: &Value, _: &DeleteOptions) -> Result<(), Error> {
        Ok(())
    }
    async fn owned(&self, _: &str) -> Result<Vec<Owned>, Error> {
        Ok(Vec::new())
    }
}

pub(super) fn registry() -> Registry {
    let meta = |kind, nature| Meta {
        nature,
        global: false,
        watched: &["members"],
        changing: &[("address", &["cidr"])],
        delegated: &[Delegated {
            record: None,
            field: "count",
            owner: "auto scaling",
            legal: at_most_nine,
        }],
        ..Meta::plain(kind)
    };
    let mut all = Registry::default();
    all.add(Arc::new(Facts(meta("test/thing", Nature::Tagged))));
    all.add(Arc::new(Facts(meta("test/part", Nature::ByParent))));
    all
}

pub(super) fn tags(step: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("DeployerStep".into(), step.into())])
}

pub(super) fn head(id: &str, scope: &str) -> StepMeta {
    StepMeta {
        id: id.into(),
        scope: scope.into(),
        name: format!("{id}-dev"),
        tags: tags(id),
    }
}

pub(super) fn graph() -> Graph {
    let mut b = Builder::new();
    b.add(
        head("vpc", "green"),
        Thing(json!({"cidr": "10.0.0.0/16", "rules": {"https": 443}, "count": 3})),
    );
    b.add(head("link", "green"), Part(json!({"vpc": "@{vpc.id}"})));
    b.add(head("lone", "blue"), Thing(json!({"x": 1})));
    b.build().unwrap()
}

pub(super) fn live(step: &str, spec: Value) -> Live {
    Live {
        spec,
        mark: Mark::Tags(tags(step)),
        outputs: json!({"id": format!("{step}-1"), "arn": format!("arn:aws:test:::{step}/{step}-1")}),
        phase: Phase::Ready,
    }
}

pub(super) fn record(kind: &str, scope: &str, step: &str, stage: Stage) -> Record {
    Record {
        kind: kind.into(),
        scope: scope.into(),
        name: format!("{step}-dev"),
        stage,
        token: String::new(),
        tags: tags(step),
        inputs: json!({}),
        outputs: json!({"id": format!("{step}-1")}),
        needs: Vec::new(),
        at: jiff::Timestamp::UNIX_EPOCH,
    }
}

pub(super) fn state() -> State {
    let mut state = State::empty("dev", "r");
    for (kind, scope, step) in [
        ("test/thing", "green", "vpc"),
        ("test/part", "green", "link"),
        ("test/thing", "blue", "lone"),
    ] {
        state
            .steps
            .insert(step.into(), record(kind, scope, step, Stage::Ready));
    }
    state
}

pub(super) fn good() -> Observations {
    let vpc = json!({"cidr": "10.0.0.0/16", "rules": {"https": 443}, "count": 3});
    BTreeMap::from([
        ("vpc".to_owned(), Observed::Found(live("vpc", vpc))),
        (
            "link".to_owned(),
            Observed::Found(Live {
                mark: Mark::Parent,
                ..live("link", json!({"vpc": "vpc-1"}))
            }),
        ),
        (
            "lone".to_owned(),
            Observed::Found(live("lone", json!({"x": 1}))),
        ),
    ])
}

pub(super) fn run(state: &State, seen: &Observations, owned: &[Owned]) -> Drift {
    run_on(&graph(), state, seen, owned)
}

pub(super) fn run_on(graph: &Graph, state: &State, seen: &Observations, owned: &[Owned]) -> Drift {
    drift(Input {
        chosen: &vec![true; graph.steps.len()],
        graph,
        scope: None,
        state,
        seen,
        owned,
        undecided: &[],
        unlisted: Vec::new(),
        registry: &registry(),
        ignore_tags: &["map-*".into()],
        needed: &BTreeMap::new(),
    })
}

pub(super) fn row<'a>(drift: &'a Drift, step: &str) -> &'a Row {
    drift.steps.iter().find(|r| r.step == step).unwrap()
}

pub(super) fn owned(step: &str, id: &str) -> Owned {
    Owned {
        kind: "test/thing".into(),
        step: step.into(),
        id: id.into(),
        name: String::new(),
        tags: BTreeMap::from([("Environment".into(), "green".into())]),
    }
}

//! The things of a deployment, as its blueprint and its state tell.

use crate::aws::{Own, OwnThing};
use crate::engine::Graph;
use crate::engine::reference::resolve;
use crate::state::State;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the blueprint has, and what is recorded.
pub(super) fn own(graph: &Graph, state: Option<&State>) -> Own {
    let names = graph.steps.iter();
    let names: BTreeMap<&str, Value> = names
        .map(|step| (step.id.as_str(), json!({"name": step.name})))
        .collect();
    let wanted = graph.steps.iter().map(|step| OwnThing {
        kind: step.kind.clone(),
        step: step.id.clone(),
        name: step.name.clone(),
        spec: resolve(&step.spec, &|id| names.get(id)),
        outputs: Value::Null,
    });
    let recorded = state.into_iter().flat_map(|s| &s.steps);
    let recorded = recorded.map(|(id, record)| OwnThing {
        kind: record.kind.clone(),
        step: id.clone(),
        name: record.name.clone(),
        spec: record.inputs.clone(),
        outputs: record.outputs.clone(),
    });
    wanted.chain(recorded).collect()
}

//! The state again, from nothing but the ownership marks.

use super::diff::diff;
use super::driver::{Phase, Registry};
use super::graph::Graph;
use super::observe::{Observations, Observed};
use super::reference::resolve;
use crate::state::{Record, Stage, State};

/// Writes a record for every step of the graph that was found. `state` gives the head (suffix, account, region) and the
/// measured durations; its records are replaced. Settings are recorded as desired where nothing differs, else as read.
pub fn rebuild(graph: &Graph, seen: &Observations, registry: &Registry, state: &mut State) {
    let old = std::mem::take(&mut state.steps);
    for step in &graph.steps {
        let Some(Observed::Found(live)) = seen.get(&step.id) else {
            continue;
        };
        let desired = resolve(&step.spec, &|id| {
            seen.get(id).and_then(Observed::live).map(|l| &l.outputs)
        });
        let delegated = registry
            .get(&step.kind)
            .map_or(&[][..], |d| d.meta().delegated);
        let differs = diff(&desired, &live.spec)
            .iter()
            .any(|c| !delegated.iter().any(|d| d.field == c.field()));
        let record = Record {
            kind: step.kind.clone(),
            scope: step.scope.clone(),
            name: step.name.clone(),
            stage: if live.phase == Phase::Ready && !differs {
                Stage::Ready
            } else {
                Stage::Created
            },
            token: old
                .get(&step.id)
                .map(|r| r.token.clone())
                .unwrap_or_default(),
            tags: step.tags.clone(),
            inputs: if differs { live.spec.clone() } else { desired },
            outputs: live.outputs.clone(),
            needs: step
                .needs
                .iter()
                .map(|(to, _)| graph.steps[*to].id.clone())
                .collect(),
            at: jiff::Timestamp::now(),
        };
        state.steps.insert(step.id.clone(), record);
    }
}

//! What the steps of a graph wait for.

use super::graph::Graph;
use super::observe::{Observations, Observed};
use crate::state::State;

/// What each step waits for. Another scope: it refers to steps there that are not chosen, and that are neither recorded
/// nor found. What it is held for, while it is not there itself. Or what a step that it refers to waits for.
pub fn waiting<'a>(
    graph: &'a Graph,
    chosen: &[bool],
    seen: &Observations,
    state: &State,
) -> Vec<Option<&'a str>> {
    let known = |id: &str| {
        let found = seen.get(id).and_then(Observed::live);
        found.is_some() || state.outputs(id).is_some()
    };
    let mut out: Vec<Option<&str>> = Vec::with_capacity(graph.steps.len());
    for step in &graph.steps {
        let held = step.held.as_deref().filter(|_| !known(&step.id));
        let missing = step.needs.iter().map(|(to, _)| *to);
        let mut missing = missing.filter(|to| !known(&graph.steps[*to].id));
        let scope = missing.find_map(|to| {
            if chosen[to] {
                out[to]
            } else {
                step.other_scope.as_deref()
            }
        });
        out.push(held.or(scope));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::driver::{Live, Phase};
    use crate::engine::graph::Builder;
    use crate::engine::graph::tests::{Any, head};
    use crate::engine::ownership::Mark;
    use serde_json::json;

    #[test]
    fn a_held_step_and_what_needs_it_wait_until_it_is_there() {
        let mut b = Builder::new();
        b.add(head("listener", "green"), Any(json!({})));
        b.hold("delegation");
        b.add(
            head("rule", "green"),
            Any(json!({"listener": "@{listener.id}"})),
        );
        b.add(head("vpc", "green"), Any(json!({})));
        let graph = b.build().unwrap();
        let chosen = graph.select(None);
        let of = |seen: &Observations| -> Vec<String> {
            let waiting = waiting(&graph, &chosen, seen, &State::empty("t", "eu-central-1"));
            let steps = graph.steps.iter().zip(waiting);
            let held = steps.filter(|(_, why)| why.is_some());
            held.map(|(step, _)| step.id.clone()).collect()
        };
        let mut seen = Observations::new();
        assert_eq!(of(&seen), ["listener", "rule"]);
        let live = Live {
            spec: json!({}),
            mark: Mark::Parent,
            outputs: json!({"id": "x"}),
            phase: Phase::Ready,
        };
        seen.insert("listener".into(), Observed::Found(live));
        assert_eq!(of(&seen), Vec::<String>::new());
    }
}

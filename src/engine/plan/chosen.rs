//! A plan of some steps alone, for incidents: the steps that are named and what they need. The rest is neither read nor
//! changed, and the plan says so.

use super::{Inputs, Node, Op, Plan, Problem};
use crate::engine::error::Error;
use crate::engine::event::Verb;
use crate::engine::graph::Graph;
use crate::engine::pattern::matches;
use crate::engine::replaced::step_of;
use crate::state::State;
use std::collections::BTreeSet;

/// Which steps of the chosen scope the names mean, with all that they need there. A name may hold `*`.
///
/// # Errors
/// With the first name that no step and no record has.
pub fn partial(
    graph: &Graph,
    chosen: &[bool],
    state: &State,
    only: &[String],
) -> Result<Vec<bool>, String> {
    let mut out = vec![false; chosen.len()];
    for name in only {
        let steps = graph.steps.iter().enumerate();
        let named = steps.filter(|(at, s)| chosen[*at] && matches(name, &s.id));
        let named: Vec<usize> = named.map(|(at, _)| at).collect();
        let recorded = state.steps.keys().any(|id| matches(name, id));
        if named.is_empty() && !recorded {
            return Err(name.clone());
        }
        named.into_iter().for_each(|at| out[at] = true);
    }
    for at in (0..out.len()).rev().filter(|at| chosen[*at]) {
        if out[at] {
            let needs = graph.steps[at].needs.iter().map(|(to, _)| *to);
            needs.filter(|to| chosen[*to]).for_each(|to| out[to] = true);
        }
    }
    Ok(out)
}

/// True when every step is meant, or one of the names means this one.
pub(super) fn named(only: &[String], id: &str) -> bool {
    only.is_empty() || only.iter().any(|name| matches(name, id))
}

/// Says what is left out, and forbids to replace or delete what steps that are left out depend on: they would keep what it
/// was deleted for.
pub(super) fn apart(
    plan: &mut Plan,
    graph: &Graph,
    chosen: &[bool],
    state: &State,
    only: &[String],
) {
    if only.is_empty() {
        return;
    }
    let met: BTreeSet<&str> = plan.nodes.iter().map(|n| n.step.as_str()).collect();
    let looked_at = chosen.iter().filter(|c| **c).count();
    let id_of = |at: usize| graph.steps[at].id.as_str();
    let left_out = |id: &str| {
        let is_chosen = graph.position(id).is_some_and(|at| chosen[at]);
        !is_chosen && !met.contains(id)
    };
    let gone = |n: &&Node| n.op == Op::Remove && n.refused.is_none();
    let mut problems = Vec::new();
    for node in plan.nodes.iter().filter(gone) {
        let dependents = state.steps.iter();
        let step = step_of(&node.step);
        let dependents = dependents.filter(|(_, r)| r.needs.iter().any(|n| n == step));
        let dependents: Vec<&str> = dependents
            .map(|(id, _)| id.as_str())
            .filter(|id| left_out(id) && step_of(id) != step)
            .collect();
        if dependents.is_empty() {
            continue;
        }
        let done = if node.verb == Verb::Replace {
            "replaced"
        } else {
            "deleted"
        };
        let text = format!(
            "it would be {done}, but {} depend on it and are not among the chosen steps",
            dependents.join(", ")
        );
        let error = Error::permanent("plan", text)
            .hint("choose them as well with --step, or leave --step out");
        let step = node.step.clone();
        problems.push(Problem { step, error });
    }
    plan.problems.append(&mut problems);
    let rest = (0..chosen.len()).filter(|at| !chosen[*at] && state.steps.contains_key(id_of(*at)));
    plan.notes.push(format!(
        "only the chosen steps and what they need are looked at: {looked_at} of {} steps; {} recorded ones are not. Run `deployer plan` without --step afterwards",
        graph.steps.len(),
        rest.count()
    ));
}

/// Removals are planned of these records alone.
pub(super) fn removes(inputs: &Inputs<'_>, id: &str) -> bool {
    named(&inputs.options.only, id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::graph::{Builder, Kind, StepMeta};
    use serde::Serialize;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    #[serde(transparent)]
    struct Thing(Value);
    impl Kind for Thing {
        const TYPE: &'static str = "test/thing";
        type Outputs = ();
    }

    fn graph() -> Graph {
        let mut b = Builder::new();
        for (id, spec) in [
            ("vpc", json!({})),
            ("subnet-a", json!({"vpc": "@{vpc.id}"})),
            ("subnet-b", json!({"vpc": "@{vpc.id}"})),
            ("lone", json!({})),
        ] {
            let head = StepMeta {
                id: id.into(),
                scope: "green".into(),
                name: id.into(),
                tags: BTreeMap::new(),
            };
            b.add(head, Thing(spec));
        }
        b.build().unwrap()
    }

    #[test]
    fn a_choice_means_the_named_steps_and_what_they_need_within_the_scope() {
        let graph = graph();
        let state = State::empty("dev", "r");
        let all = vec![true; 4];
        let of = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|s| (*s).to_owned()).collect();
            let chosen = partial(&graph, &all, &state, &only)?;
            let steps = graph.steps.iter().zip(chosen).filter(|(_, c)| *c);
            Ok::<_, String>(steps.map(|(s, _)| s.id.clone()).collect::<BTreeSet<_>>())
        };
        let names = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(of(&["subnet-a"]).unwrap(), names(&["subnet-a", "vpc"]));
        assert_eq!(
            of(&["subnet-*"]).unwrap(),
            names(&["subnet-a", "subnet-b", "vpc"])
        );
        assert_eq!(of(&["lone", "nothing"]).unwrap_err(), "nothing");
        let none = vec![false; 4];
        let only = ["vpc".to_owned()];
        assert!(partial(&graph, &none, &state, &only).is_err());
    }
}

//! The weights that the two records of the domain begin with. Later ones belong to the traffic command.

use super::DOMAIN_RECORD;
use crate::blueprint::Env;
use crate::engine::Graph;
use crate::engine::observe::{Observations, Observed};
use serde_json::json;

/// The weights of blue and green when both are made in one run.
pub(super) const FIRST_WEIGHTS: [i64; 2] = [90, 10];
/// The weight of an environment that is alone.
const ALONE: i64 = 100;

/// The graph with the weights that new records of the domain begin with: blue 90 and green 10 when both are made in one run;
/// 100 for one that is alone; 0 beside one that is there, so that no run sends customers to an empty environment.
pub fn with_first_weights(
    graph: &Graph,
    chosen: &[bool],
    seen: &Observations,
    is_recorded: impl Fn(&str) -> bool,
) -> Graph {
    let mut graph = graph.clone();
    let id = |env: Env| format!("{DOMAIN_RECORD}-{env}");
    let is_there = |env: Env| match seen.get(&id(env)) {
        Some(observed) => !matches!(observed, Observed::Absent),
        None => is_recorded(&id(env)),
    };
    let is_made = |graph: &Graph, env: Env| {
        let at = graph.position(&id(env));
        at.is_some_and(|at| chosen.get(at) == Some(&true)) && !is_there(env)
    };
    let both = Env::ALL.iter().all(|env| is_made(&graph, *env));
    for env in Env::ALL {
        let Some(at) = graph.position(&id(env)).filter(|_| !both) else {
            continue;
        };
        if is_made(&graph, env) {
            let weight = if is_there(env.other()) { 0 } else { ALONE };
            graph.steps[at].spec["weight"] = json!(weight);
        }
    }
    graph
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Facts, build};
    use crate::config::Config;
    use crate::engine::driver::Live;
    use crate::engine::{Mark, Phase};

    fn weights(scope: Option<&str>, there: &[&str]) -> [i64; 2] {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let chosen = graph.select(scope);
        let mut seen = Observations::new();
        for env in Env::ALL {
            let found = Observed::Found(Live {
                spec: json!({}),
                mark: Mark::Parent,
                outputs: json!({}),
                phase: Phase::Ready,
            });
            let is_there = there.contains(&env.to_string().as_str());
            let observed = if is_there { found } else { Observed::Absent };
            seen.insert(format!("record-{env}"), observed);
        }
        let graph = with_first_weights(&graph, &chosen, &seen, |_| false);
        Env::ALL.map(|env| {
            let step = graph.get(&format!("record-{env}")).unwrap();
            step.spec["weight"].as_i64().unwrap()
        })
    }

    #[test]
    fn no_run_sends_customers_to_an_empty_environment_beside_another() {
        assert_eq!(weights(None, &[]), [90, 10]);
        assert_eq!(weights(Some("green"), &[])[1], 100);
        assert_eq!(weights(Some("blue"), &[])[0], 100);
        assert_eq!(weights(None, &["blue"])[1], 0);
        assert_eq!(weights(Some("blue"), &["green"])[0], 0);
    }
}

//! The weights that the two records of the domain begin with. Later ones belong to the traffic command.

use super::{DOMAIN_RECORD, steps};
use crate::blueprint::Env;
use crate::engine::Graph;
use crate::engine::event::Verb;
use crate::engine::observe::{Observations, Observed};
use crate::engine::plan::Node;
use crate::resources::route53::{live_weight, text};
use serde_json::{Value, json};

/// The weights of blue and green when both are made in one run.
pub(super) const FIRST_WEIGHTS: [i64; 2] = [90, 10];
/// The weight of an environment that is alone.
const ALONE: i64 = 100;
/// Stands among a state's facts from the beginning of a run that makes both records until one ends complete.
const BEGUN: &str = "domain_begun";

/// True when a run that was to make both records has begun and none has ended complete since: the next run of both makes what
/// is missing of them, as that one would have.
pub fn is_begun(facts: &Value) -> bool {
    facts[BEGUN] == true
}

/// Notes among a state's facts whether that is so; false when nothing changes.
pub fn set_begun(facts: &mut Value, begun: bool) -> bool {
    let changes = is_begun(facts) != begun;
    if begun {
        facts[BEGUN] = json!(true);
    } else if let Some(all) = facts.as_object_mut() {
        all.remove(BEGUN);
    }
    changes
}

/// True when these nodes make a record with its weight beside the other one's.
pub fn begin(nodes: &[Node]) -> bool {
    Env::ALL.iter().any(|env| {
        let id = id(*env);
        let mut made = nodes.iter().filter(|n| n.verb == Verb::Create);
        made.any(|n| n.step == id && n.spec["weight"] == FIRST_WEIGHTS[*env as usize])
    })
}

fn id(env: Env) -> String {
    format!("{DOMAIN_RECORD}-{env}")
}

/// The graph with the weights that new records of the domain begin with: blue 90 and green 10 when both are made in one run;
/// 100 for one that is alone; 0 beside one that is there, so that no run sends customers to an empty environment. Where a run that
/// was to make both has `begun`, a run of both makes the other one as that one would have while the one that it made has its first
/// weight. One that is recorded and was deleted by hand comes back with the weight that the traffic command has noted: its
/// environment is there, and who is where stays as it was decided.
pub fn with_first_weights(
    graph: &Graph,
    chosen: &[bool],
    seen: &Observations,
    is_recorded: impl Fn(&str) -> bool,
    begun: bool,
) -> Graph {
    let mut graph = graph.clone();
    let is_chosen = |graph: &Graph, env: Env| {
        let at = graph.position(&id(env));
        at.is_some_and(|at| chosen.get(at) == Some(&true))
    };
    let begun = begun && Env::ALL.iter().all(|env| is_chosen(&graph, *env));
    let as_begun = |env: Env| {
        let live = seen.get(&id(env)).and_then(Observed::live);
        begun && live.is_some_and(|live| live.spec["weight"] == FIRST_WEIGHTS[env as usize])
    };
    let is_there = |env: Env| match seen.get(&id(env)) {
        Some(observed) => !matches!(observed, Observed::Absent),
        None => is_recorded(&id(env)),
    };
    let is_made = |graph: &Graph, env: Env| is_chosen(graph, env) && !is_there(env);
    let (note_id, _) = steps();
    let note = seen.get(&note_id).and_then(Observed::live);
    let noted = |env: Env| text::number(note?.spec["value"].as_str()?, &env.to_string());
    let both = Env::ALL.iter().all(|env| is_made(&graph, *env));
    for env in Env::ALL {
        let Some(at) = graph.position(&id(env)) else {
            continue;
        };
        if !is_made(&graph, env) {
            continue;
        }
        let weight = match noted(env).filter(|_| is_recorded(&id(env))) {
            Some(weight) => weight,
            None if both || as_begun(env.other()) => continue,
            None if is_there(env.other()) => 0,
            None => ALONE,
        };
        graph.steps[at].spec["weight"] = json!(weight);
    }
    with_note(&mut graph, &note_id, chosen, seen, is_recorded(&note_id));
    graph
}

/// What a note says that comes back after it was deleted by hand. With all customers on green a cutover may have been: a rollback
/// then asks for the writes first.
const AFTER_CUTOVER: &str = "epoch=1 act=cutover blue=0 green=100 writer=green";

fn with_note(
    graph: &mut Graph,
    id_of_note: &str,
    chosen: &[bool],
    seen: &Observations,
    is_recorded: bool,
) {
    let is_gone = matches!(seen.get(id_of_note), Some(Observed::Absent));
    let weight = |env: Env| live_weight(&seen.get(&id(env))?.live()?.spec);
    let Some(at) = graph.position(id_of_note) else {
        return;
    };
    let is_green = [Env::Blue, Env::Green].map(weight) == [Some(0), Some(100)];
    if is_recorded && is_gone && is_green && chosen.get(at) == Some(&true) {
        graph.steps[at].spec["value"] = json!(AFTER_CUTOVER);
    }
}

/// What to say where a record that comes with the weight 0, or goes, would leave none with a weight: it gives the other one all
/// answers in the same change.
pub fn raised(nodes: &[Node], seen: &Observations) -> Option<String> {
    let node = |env: Env| nodes.iter().find(|n| n.step == id(env));
    let leaves = |env: Env| {
        node(env).is_some_and(|n| match n.verb {
            Verb::Delete => true,
            Verb::Create => n.spec["weight"] == 0,
            _ => false,
        })
    };
    let is_silent = |env: Env| {
        let live = seen.get(&id(env)).and_then(Observed::live);
        live.is_some_and(|live| live_weight(&live.spec) == Some(0))
            && node(env).is_none_or(|n| n.verb != Verb::Delete)
    };
    let mut all = Env::ALL.into_iter();
    let env = all.find(|env| leaves(*env) && is_silent(env.other()))?;
    Some(format!(
        "{} gets the weight {ALONE} for the domain in the same change: without one, Route 53 would answer every record equally",
        id(env.other())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Facts, build};
    use crate::config::Config;
    use crate::engine::driver::Live;
    use crate::engine::plan::Op;
    use crate::engine::{Mark, Phase};

    fn weights(scope: Option<&str>, there: &[&str]) -> [i64; 2] {
        weights_after(scope, there, 90, false)
    }

    fn weights_after(scope: Option<&str>, there: &[&str], has: i64, begun: bool) -> [i64; 2] {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let chosen = graph.select(scope);
        let mut seen = Observations::new();
        for env in Env::ALL {
            let found = Observed::Found(Live {
                spec: json!({"weight": has}),
                mark: Mark::Parent,
                outputs: json!({}),
                phase: Phase::Ready,
            });
            let is_there = there.contains(&env.to_string().as_str());
            let observed = if is_there { found } else { Observed::Absent };
            seen.insert(format!("record-{env}"), observed);
        }
        let graph = with_first_weights(&graph, &chosen, &seen, |_| false, begun);
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

    #[test]
    fn a_name_that_would_be_left_without_a_weight_is_said() {
        let said = |verb: Option<Verb>, own: i64, other: Value| {
            let graph = build(&Config::default(), &Facts::sample()).unwrap();
            let step = graph.get("record-green").unwrap();
            let node = |verb| Node::bare(step, json!({"weight": own}), Op::Ensure, verb);
            let nodes: Vec<Node> = verb.into_iter().map(node).collect();
            let found = Observed::Found(Live {
                spec: json!({"weight": other}),
                mark: Mark::Parent,
                outputs: json!({}),
                phase: Phase::Ready,
            });
            raised(
                &nodes,
                &Observations::from([("record-blue".to_owned(), found)]),
            )
            .is_some()
        };
        assert!(said(Some(Verb::Delete), 100, json!(0)));
        assert!(said(
            Some(Verb::Create),
            0,
            json!({"is": 0, "recorded": null})
        ));
        assert!(!said(Some(Verb::Delete), 10, json!(90)));
        assert!(!said(Some(Verb::Create), 100, json!(0)));
        assert!(!said(None, 0, json!(0)));
    }

    /// What somebody deleted by hand, with everything recorded.
    #[test]
    fn a_record_that_was_deleted_comes_back_as_the_traffic_command_has_left_it() {
        let after = |note: Option<&str>, there: [Option<i64>; 2]| {
            let graph = build(&Config::default(), &Facts::sample()).unwrap();
            let found = |spec: Value| {
                Observed::Found(Live {
                    spec,
                    mark: Mark::Parent,
                    outputs: json!({}),
                    phase: Phase::Ready,
                })
            };
            let (note_id, records) = steps();
            let note = note.map_or(Observed::Absent, |value| found(json!({"value": value})));
            let mut seen = Observations::from([(note_id.clone(), note)]);
            for (id, weight) in records.iter().zip(there) {
                let record = weight.map_or(Observed::Absent, |w| found(json!({"weight": w})));
                seen.insert(id.clone(), record);
            }
            let chosen = graph.select(None);
            let graph = with_first_weights(&graph, &chosen, &seen, |_| true, false);
            let spec = |id: &str| graph.get(id).unwrap().spec.clone();
            let made = records.map(|id| spec(&id)["weight"].clone());
            (made, spec(&note_id)["value"].clone())
        };
        let cutover = Some("epoch=40 act=cutover blue=0 green=100 writer=green");
        let back = Some("epoch=7 act=rollback blue=100 green=0");
        assert_eq!(after(cutover, [Some(0), None]).0[1], 100);
        assert_eq!(after(back, [None, Some(0)]).0[0], 100);
        assert_eq!(after(cutover, [None, None]).0, [json!(0), json!(100)]);
        assert_eq!(after(back, [None, None]).0, [json!(100), json!(0)]);
        // Nothing was noted yet.
        assert_eq!(
            after(Some("epoch=0"), [None, None]).0,
            [90, 10].map(|w| json!(w))
        );
        assert_eq!(after(Some("epoch=0"), [Some(90), None]).0[1], 0);
        // The note itself: where everybody is on green, the writes may be there too.
        assert_eq!(after(None, [Some(0), Some(100)]).1, AFTER_CUTOVER);
        assert_eq!(after(None, [Some(90), Some(10)]).1, "epoch=0");
        assert_eq!(after(None, [None, Some(100)]).1, "epoch=0");
    }

    #[test]
    fn a_run_of_both_that_did_not_end_is_finished_as_it_began() {
        assert_eq!(weights_after(None, &["blue"], 90, true)[1], 10);
        assert_eq!(weights_after(None, &["green"], 10, true)[0], 90);
        // A run of one environment alone does not finish it.
        assert_eq!(weights_after(Some("green"), &["blue"], 90, true)[1], 0);
        // Somebody has moved the traffic since.
        assert_eq!(weights_after(None, &["blue"], 100, true)[1], 0);
        let mut facts = json!({"zones": []});
        assert!(set_begun(&mut facts, true) && !set_begun(&mut facts, true));
        assert!(is_begun(&facts));
        assert!(set_begun(&mut facts, false) && !is_begun(&facts));
        assert_eq!(facts, json!({"zones": []}));
    }
}

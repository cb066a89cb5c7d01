//! The first split of a domain: an `apply` that makes both environments gives green a share of the customers, as its configuration
//! asks, before anything carries what green takes back to blue. That is said wherever one looks, and stands in the history of the traffic.

use super::Context;
use super::connection::state_folder;
use super::traffic::{carried, me};
use crate::blueprint::record_steps;
use crate::config::Config;
use crate::engine::event::Verb;
use crate::engine::exec::{Outcome, Report};
use crate::engine::plan::Plan;
use crate::report::Attention;
use crate::state::State;
use crate::traffic::history::{Entry, Event, Log};
use crate::traffic::mode;
use crate::traffic::note::Note;
use crate::traffic::weights::{Live, Weights};
use jiff::Timestamp;

const WEIGHT: &str = "weight";

/// What to say while green has a share of the customers and the mapping declares no mode of a split; by what is recorded, and where
/// there is a plan by what it has found or makes.
pub fn attention(config: &Config, state: &State, plan: Option<&Plan>) -> Option<Attention> {
    let error = mode(config).err()?;
    let (_, [blue, green]) = record_steps();
    let weight = weight_of(&green, state, plan).filter(|w| *w > 0)?;
    // Alone, it is no split.
    weight_of(&blue, state, plan)?;
    let hint = error.hint.unwrap_or_default();
    Some(Attention {
        step: green,
        text: format!(
            "not for customers yet: its weight for the domain is {weight}, and {}; {hint}",
            error.message
        ),
    })
}

/// The weight of a record as far as it is known: `None` where there is none, and none is made.
fn weight_of(step: &str, state: &State, plan: Option<&Plan>) -> Option<i64> {
    let moved = plan.and_then(|plan| {
        let mut all = plan.delegated.iter();
        let found = all.find(|d| d.step == step && d.field == WEIGHT)?;
        found.have.as_i64()
    });
    let made = || {
        let mut nodes = plan?.nodes.iter();
        let node = nodes.find(|n| n.step == step && n.verb == Verb::Create)?;
        node.spec[WEIGHT].as_i64()
    };
    let recorded = || state.steps.get(step)?.inputs[WEIGHT].as_i64();
    moved.or_else(made).or_else(recorded)
}

/// Notes in the history of the traffic that a run has made both records of the domain. They are made, whatever becomes of the note.
pub async fn note(cx: &Context<'_>, config: &Config, plan: &Plan, report: &Report) {
    let (_, records) = record_steps();
    let made = |step: &String| {
        let mut outcomes = report.outcomes.iter();
        outcomes.any(|(s, verb, end)| {
            s == step && *verb == Verb::Create && matches!(end, Outcome::Done)
        })
    };
    if !records.iter().all(made) {
        return;
    }
    let weight = |step: &String| {
        let node = plan.nodes.iter().find(|n| n.step == *step);
        node.and_then(|n| n.spec[WEIGHT].as_u64())
    };
    let [Some(blue), Some(green)] = [weight(&records[0]), weight(&records[1])] else {
        return;
    };
    let declared = match mode(config) {
        Ok(_) => "",
        Err(_) => ", no data mode",
    };
    let text = format!("initial{declared}: blue {blue}, green {green}");
    let byte = |weight: u64| u8::try_from(weight).unwrap_or(u8::MAX);
    let mut entry = Entry::new(Event::Initial, &Note::FIRST, &me(), text);
    entry.before = Some(Live::default());
    entry.after = Some(Weights {
        blue: byte(blue),
        green: byte(green),
    });
    let log = Log::new(&state_folder(cx.common), &config.suffix);
    match log.add(entry, Timestamp::now()) {
        Ok(()) => carried(cx, config, &log).await,
        // Standard error may be gone; there is nobody else to say it to.
        Err(error) => drop(cx.console.warning(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Facts, build};
    use crate::state::{Record, Stage};

    fn state(weights: [Option<i64>; 2]) -> State {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let mut state = State::empty("dev", "eu-central-1");
        for (step, weight) in record_steps().1.iter().zip(weights) {
            let step = graph.get(step).unwrap();
            let mut inputs = step.spec.clone();
            inputs[WEIGHT] = weight.into();
            let record = Record {
                kind: step.kind.clone(),
                scope: step.scope.clone(),
                name: step.name.clone(),
                stage: Stage::Ready,
                token: String::new(),
                tags: step.tags.clone(),
                inputs,
                outputs: serde_json::Value::Null,
                needs: Vec::new(),
                at: Timestamp::UNIX_EPOCH,
            };
            if weight.is_some() {
                state.steps.insert(step.id.clone(), record);
            }
        }
        state
    }

    #[test]
    fn a_split_without_a_data_mode_is_said_and_one_environment_alone_is_none() {
        let config = Config::default();
        let said = |weights| attention(&config, &state(weights), None);
        let text = said([Some(90), Some(10)]).unwrap().text;
        for part in ["not for customers yet", "is 10", "migration.mapping"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(said([Some(100), Some(0)]), None);
        assert_eq!(said([None, Some(100)]), None);
        assert_eq!(said([None, None]), None);
    }

    #[test]
    fn what_a_plan_found_counts_more_than_what_is_recorded() {
        let plan = Plan {
            delegated: vec![crate::engine::plan::DelegatedField {
                step: "record-green".into(),
                field: WEIGHT.into(),
                owner: "the traffic command".into(),
                have: 0.into(),
                illegal: None,
            }],
            ..Plan::default()
        };
        let state = state([Some(90), Some(10)]);
        assert_eq!(attention(&Config::default(), &state, Some(&plan)), None);
    }
}

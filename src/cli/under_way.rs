//! What must not be taken away under a migration or a split of the traffic that is going on.

use super::Context;
use super::error::Failure;
use super::exit::Exit;
use super::session::Session;
use crate::engine::event::Verb;
use crate::engine::observe::{Observations, Observed};
use crate::engine::plan::{Node, Op, Plan};
use crate::resources::route53::live_weight;
use crate::state::State;
use crate::traffic::note::{Act, Note};
use crate::traffic::weights::Live;
use serde_json::Value;

/// How steps begin that call a function of the migration by themselves. One of them is on while a migration runs.
const CALLERS: [&str; 2] = ["schedule-", "stream-"];
/// The step of the note of the traffic command.
const NOTE: &str = "record-traffic-shared";
/// The steps of blue's and green's records.
const RECORDS: [&str; 2] = ["record-blue", "record-green"];
/// How the rules begin that send on writes while green only reads.
const WRITES: &str = "rule-write-";
/// What neither a migration nor customers notice.
const BESIDE: [&str; 3] = [
    "cloudwatch/alarm",
    "cloudwatch/composite_alarm",
    "cloudwatch/dashboard",
];

/// Looks again when a question was answered, which may have taken hours: a shift may have begun meanwhile, and what the plan knows of
/// weights and note may be old.
///
/// # Errors
/// As [`check`]; and when somebody has moved the traffic whose records the plan makes anew.
pub async fn again(
    session: &Session,
    state: &State,
    plan: &Plan,
    seen: &Observations,
) -> Result<(), Failure> {
    let matters = |node: &Node| node.op == Op::Remove || is_traffic(&node.step);
    if !plan.nodes.iter().any(matters) {
        return Ok(());
    }
    let is_meant =
        |step: &str| is_traffic(step) || CALLERS.iter().any(|caller| step.starts_with(caller));
    let mut requests = session.requests(state, |step, _| is_meant(step));
    requests.retain(|request| is_meant(request.step));
    let now = session.observe(&requests).await;
    let value = |seen: &Observations, step: &str| {
        let live = seen.get(step).and_then(Observed::live)?;
        Some((live.spec["weight"].clone(), live.spec["value"].clone()))
    };
    let is_old =
        |node: &&Node| is_traffic(&node.step) && value(seen, &node.step) != value(&now, &node.step);
    if let Some(node) = plan.nodes.iter().find(is_old) {
        let text = format!(
            "somebody has moved the traffic since the plan was made, and it changes {}; nothing was changed",
            node.step
        );
        return Err(Failure::new(Exit::Refused, text).hint("run the same command again"));
    }
    check(plan, &now)
}

/// Refuses a plan that takes away what a running migration or customers need.
///
/// # Errors
/// Says what is going on, and the command that ends it.
pub fn check(plan: &Plan, seen: &Observations) -> Result<(), Failure> {
    let noted = note(seen);
    split(plan, seen, noted.as_ref())?;
    if let Some(bridge) = plan.nodes.iter().find(|n| sends_on(n)) {
        return Err(refused(
            bridge,
            "a load balancer sends on what still reaches it, as a traffic command wants it",
            "keep the bridge until the next `deployer traffic shift` has begun, which switches it off",
        ));
    }
    let gone = |env: &'static str| plan.nodes.iter().find(|n| n.scope == env && breaks(n));
    let (blue, green) = (gone("blue"), gone("green"));
    let Some(first) = blue.or(green) else {
        return Ok(());
    };
    if let Some(caller) = running(seen) {
        return Err(refused(
            first,
            &format!("a migration is running ({caller} is on)"),
            "`deployer migrate stop` ends it and leaves no slot on blue's disk",
        ));
    }
    let note = match noted {
        Some(Ok(note)) => note,
        Some(Err(why)) => return Err(refused(first, &damaged(&why), REWRITE)),
        None => return Ok(()),
    };
    if note.in_progress() {
        return Err(refused(first, &going_on(&note), END));
    }
    // Only one side goes: its customers would go with it. Without one it is the end of the platform, which is confirmed as such.
    let ((Some(first), None) | (None, Some(first))) = (blue, green) else {
        return Ok(());
    };
    // What Route 53 answers counts, not what the traffic command has set last.
    let live = match weights(seen) {
        // The other side has no record: nobody could go there, and the end of the last one is the end of the platform.
        Some(Live { blue: None, .. } | Live { green: None, .. }) => return Ok(()),
        Some(live) => live,
        None => note.weights.map_or(Live::default(), Live::from),
    };
    let green = live.green_percent();
    let weight = match first.scope.as_str() {
        "blue" if live != Live::default() => (100.0 - green).ceil(),
        "blue" => 0.0,
        _ => green.ceil(),
    };
    if note.act != Act::None && weight > 0.0 {
        let hint = if first.scope == "green" {
            "`deployer traffic rollback` gives all traffic to blue"
        } else {
            "give all traffic to green first: `deployer traffic shift`, then `deployer migrate cutover`"
        };
        let what = format!("{} % of the customers are on {}", weight, first.scope);
        return Err(refused(first, &what, hint));
    }
    if note.green_writes && first.scope == "green" {
        let hint = "`deployer migrate cutover --reverse` gives them to blue";
        return Err(refused(first, "green takes the writes", hint));
    }
    Ok(())
}

/// What ends a shift, and what writes a damaged note anew.
const END: &str = "`deployer traffic rollback` ends it and gives all traffic to blue";
const REWRITE: &str = "`deployer traffic rollback` gives all traffic to blue and writes it anew";

fn damaged(why: &str) -> String {
    format!(
        "nobody knows where the customers are: the record of the traffic command is damaged ({why})"
    )
}

fn going_on(note: &Note) -> String {
    format!(
        "a shift of the traffic is going on, which {} began or changed last",
        note.by
    )
}

/// Refuses what pulls the ground from under a split: records under another name while a shift is going on, and rules that send
/// the writes of green's customers to blue.
fn split(
    plan: &Plan,
    seen: &Observations,
    noted: Option<&Result<Note, String>>,
) -> Result<(), Failure> {
    let renamed = |n: &&Node| n.verb == Verb::Replace && is_traffic(&n.step);
    let opened = |n: &&Node| {
        n.op == Op::Remove && !n.destroyed && n.step.starts_with(WRITES) && n.scope == "green"
    };
    let mut nodes = plan.nodes.iter();
    let Some(node) = nodes.find(|n| renamed(n) || opened(n)) else {
        return Ok(());
    };
    let what = |why: &str| {
        let text = format!(
            "{why}, and the plan changes {}; nothing was changed",
            node.step
        );
        Failure::new(Exit::Refused, text)
    };
    let by_force = |hint: &str| format!("{hint}; --ignore-migration does it all the same");
    match noted {
        Some(Err(why)) => return Err(what(&damaged(why)).hint(by_force(REWRITE))),
        Some(Ok(note)) if note.in_progress() => {
            return Err(what(&going_on(note)).hint(by_force(END)));
        }
        _ => {}
    }
    let live = weights(seen).unwrap_or_default();
    let share = live.green_percent().ceil();
    let is_used = noted.is_some_and(|note| note.as_ref().is_ok_and(|n| n.act != Act::None));
    if is_used && share > 0.0 && plan.nodes.iter().any(|n| opened(&n)) {
        let why = format!(
            "{share} % of the customers are on green, whose database would take their payments before the way back is prepared"
        );
        let hint =
            "`deployer traffic rollback` first; then `apply`, and `migrate cutover --prepare`";
        return Err(what(&why).hint(by_force(hint)));
    }
    Ok(())
}

fn is_traffic(step: &str) -> bool {
    step == NOTE || RECORDS.contains(&step)
}

/// Says of a plan that is only shown that its run would be refused.
pub fn warn(
    cx: &Context<'_>,
    command: &str,
    plan: &Plan,
    seen: &Observations,
) -> Result<(), Failure> {
    if let Err(failure) = check(plan, seen) {
        let hint = failure.hint.unwrap_or_default();
        let text = format!("{command} would be refused: {}; {hint}", failure.message);
        cx.console.warning(&text)?;
    }
    Ok(())
}

/// True when a rule goes that the traffic command has switched on, while its load balancer stays.
fn sends_on(node: &Node) -> bool {
    let live = node.live.as_ref();
    node.op == Op::Remove
        && node.verb == Verb::Delete
        && !node.destroyed
        && live.is_some_and(|live| live.spec["armed"] == Value::Bool(true))
}

/// True when customers or a migration notice the removal. What `destroy` takes goes with everything around it.
fn breaks(node: &Node) -> bool {
    let is_theirs = ["lambda/", "scheduler/"]
        .iter()
        .any(|s| node.kind.starts_with(s));
    node.op == Op::Remove
        && !BESIDE.contains(&node.kind.as_str())
        && (node.destroyed || node.holds_data || !node.interrupts.is_empty() || is_theirs)
}

fn refused(first: &Node, why: &str, hint: &str) -> Failure {
    let text = format!(
        "{why}, and the plan removes what it needs, {} first of all; nothing was changed",
        first.step
    );
    Failure::new(Exit::Refused, text)
        .hint(format!("{hint}; --ignore-migration does it all the same"))
}

/// What calls a function of the migration now.
fn running(seen: &Observations) -> Option<&str> {
    let on = |(_, observed): &(&String, &Observed)| {
        observed
            .live()
            .is_some_and(|live| live.spec["enabled"] == Value::Bool(true))
    };
    let calls =
        |(step, _): &(&String, &Observed)| CALLERS.iter().any(|caller| step.starts_with(caller));
    seen.iter()
        .filter(calls)
        .find(on)
        .map(|(step, _)| step.as_str())
}

fn note(seen: &Observations) -> Option<Result<Note, String>> {
    let live = seen.get(NOTE)?.live()?;
    Some(Note::parse(live.spec["value"].as_str()?))
}

/// The weights of the records as they were read; `None` when neither is there.
fn weights(seen: &Observations) -> Option<Live> {
    let weight = |step: &str| live_weight(&seen.get(step)?.live()?.spec);
    let [blue, green] = RECORDS.map(weight);
    (blue.is_some() || green.is_some()).then_some(Live { blue, green })
}

#[cfg(test)]
mod tests;

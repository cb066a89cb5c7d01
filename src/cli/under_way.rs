//! What must not be taken away under a migration or a split of the traffic that is going on.

use super::Context;
use super::error::Failure;
use super::exit::Exit;
use crate::engine::event::Verb;
use crate::engine::observe::{Observations, Observed};
use crate::engine::plan::{Node, Op, Plan};
use crate::traffic::note::{Act, Note};
use crate::traffic::weights::Live;
use serde_json::Value;

/// How steps begin that call a function of the migration by themselves. One of them is on while a migration runs.
const CALLERS: [&str; 2] = ["schedule-", "stream-"];
/// The step of the note of the traffic command.
const NOTE: &str = "record-traffic-shared";
/// The steps of blue's and green's records.
const RECORDS: [&str; 2] = ["record-blue", "record-green"];
/// What neither a migration nor customers notice.
const BESIDE: [&str; 3] = [
    "cloudwatch/alarm",
    "cloudwatch/composite_alarm",
    "cloudwatch/dashboard",
];

/// Refuses a plan that takes away what a running migration or customers need.
///
/// # Errors
/// Says what is going on, and the command that ends it.
pub fn check(plan: &Plan, seen: &Observations) -> Result<(), Failure> {
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
    let note = match note(seen) {
        Some(Ok(note)) => note,
        Some(Err(why)) => {
            return Err(refused(
                first,
                &format!(
                    "nobody knows where the customers are: the record of the traffic command is damaged ({why})"
                ),
                "`deployer traffic rollback` gives all traffic to blue and writes it anew",
            ));
        }
        None => return Ok(()),
    };
    if note.in_progress() {
        return Err(refused(
            first,
            &format!(
                "a shift of the traffic is going on, which {} began or changed last",
                note.by
            ),
            "`deployer traffic rollback` ends it and gives all traffic to blue",
        ));
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
    let weight = |step: &str| seen.get(step)?.live()?.spec["weight"].as_i64();
    let [blue, green] = RECORDS.map(weight);
    (blue.is_some() || green.is_some()).then_some(Live { blue, green })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::driver::{Live, Phase};
    use crate::engine::ownership::Mark;
    use serde_json::json;

    fn live(spec: Value) -> Observed {
        Observed::Found(Live {
            spec,
            mark: Mark::Parent,
            outputs: json!({}),
            phase: Phase::Ready,
        })
    }

    #[test]
    fn a_bridge_that_is_switched_on_stays_while_its_balancer_does() {
        let plan = |armed: bool, destroyed: bool| {
            let mut plan = removes(&["green"], "elbv2/rule");
            let node = &mut plan.nodes[0];
            node.destroyed = destroyed;
            let Observed::Found(rule) = live(json!({"armed": armed})) else {
                panic!("it is there")
            };
            node.live = Some(rule);
            check(&plan, &Observations::new())
        };
        assert!(plan(true, false).is_err());
        assert!(plan(false, false).is_ok() && plan(true, true).is_ok());
    }

    fn removes(scopes: &[&str], kind: &str) -> Plan {
        let node = |scope: &&str| Node {
            step: format!("cluster-{scope}"),
            kind: kind.into(),
            scope: (*scope).into(),
            name: String::new(),
            op: Op::Remove,
            verb: Verb::Delete,
            spec: Value::Null,
            tags: Default::default(),
            changes: Vec::new(),
            reasons: Vec::new(),
            live: None,
            needs: Vec::new(),
            record_needs: Vec::new(),
            refused: None,
            replaces: None,
            restore: None,
            upgrade: false,
            seconds: 0.0,
            destroyed: true,
            loss: Default::default(),
            holds_data: false,
            interrupts: Vec::new(),
            follows: false,
        };
        Plan {
            nodes: scopes.iter().map(node).collect(),
            ..Plan::default()
        }
    }

    fn seen(note: &str, enabled: bool) -> Observations {
        Observations::from([
            (NOTE.to_owned(), live(json!({"value": note}))),
            (
                "schedule-sync-green".to_owned(),
                live(json!({"enabled": enabled})),
            ),
            ("schedule-group-green".to_owned(), live(json!({}))),
        ])
    }

    /// Somebody has moved the customers by hand, or damaged the note.
    #[test]
    fn what_route_53_answers_counts_and_not_what_was_noted() {
        let back = "epoch=3 act=rollback blue=100 green=0";
        let over = "epoch=3 act=cutover blue=0 green=100 writer=green";
        let record = |weight: i64| live(json!({"weight": weight}));
        let both = |blue, green| [Some(blue), Some(green)];
        for (note, weights, scope, what) in [
            (back, both(50, 50), "green", Some("50 % of the customers")),
            (back, both(100, 0), "green", None),
            (
                "epoch=3 act=done blue=50 green=50",
                both(100, 0),
                "green",
                None,
            ),
            (back, both(0, 100), "blue", None),
            (back, both(100, 1), "green", Some("1 % of the customers")),
            (over, both(0, 100), "green", Some("100 % of the customers")),
            ("epoch=x", both(100, 0), "green", Some("damaged")),
            // The last one there is.
            (back, [Some(100), None], "blue", None),
            (over, [None, Some(100)], "green", None),
        ] {
            let mut seen = seen(note, false);
            for (step, weight) in RECORDS.iter().zip(weights) {
                if let Some(weight) = weight {
                    seen.insert((*step).to_owned(), record(weight));
                }
            }
            let refused = check(&removes(&[scope], "rds/cluster"), &seen).err();
            let said = refused.map(|failure| failure.message);
            match what {
                Some(what) => assert!(said.is_some_and(|s| s.contains(what)), "{note} {weights:?}"),
                None => assert_eq!(said, None, "{note} {weights:?}"),
            }
        }
    }

    #[test]
    fn what_a_migration_or_customers_need_stays_until_they_are_gone() {
        let cases: [(&str, bool, &[&str], Option<&str>); 12] = [
            ("epoch=0", false, &["green"], None),
            ("epoch=0", false, &["blue", "green"], None),
            ("epoch=0", true, &["green"], Some("migrate stop")),
            ("epoch=0", true, &["blue", "green"], Some("migrate stop")),
            (
                "epoch=3 act=shift blue=90 green=10",
                false,
                &["blue"],
                Some("traffic rollback"),
            ),
            (
                "epoch=3 act=shift blue=90 green=10",
                false,
                &["blue", "green"],
                Some("traffic rollback"),
            ),
            (
                "epoch=3 act=done blue=50 green=50",
                false,
                &["green"],
                Some("traffic rollback"),
            ),
            (
                "epoch=3 act=done blue=50 green=50",
                false,
                &["blue"],
                Some("traffic shift"),
            ),
            (
                "epoch=3 act=done blue=50 green=50",
                false,
                &["blue", "green"],
                None,
            ),
            (
                "epoch=3 act=rollback blue=100 green=0",
                false,
                &["green"],
                None,
            ),
            (
                "epoch=3 act=cutover blue=100 green=0 writer=green",
                false,
                &["green"],
                Some("cutover --reverse"),
            ),
            (
                "epoch=3 act=cutover blue=0 green=100 writer=green",
                false,
                &["blue"],
                None,
            ),
        ];
        for (note, enabled, scopes, hint) in cases {
            let refused = check(&removes(scopes, "rds/cluster"), &seen(note, enabled)).err();
            match (hint, refused) {
                (None, None) => {}
                (Some(hint), Some(failure)) => {
                    let said = failure.hint.clone().unwrap_or_default();
                    assert!(said.contains(hint), "{note} {scopes:?}: {said}");
                    assert_eq!(failure.exit, Exit::Refused);
                }
                (hint, refused) => panic!("{note} {scopes:?}: {hint:?} {}", refused.is_some()),
            }
            // What nobody notices goes at any time, and so does nothing.
            assert!(check(&removes(scopes, "cloudwatch/alarm"), &seen(note, enabled)).is_ok());
            assert!(check(&removes(&[], "rds/cluster"), &seen(note, enabled)).is_ok());
        }
    }
}

//! A kill after the effect, a lost answer and an answer that never comes, at every write of green's life: the run
//! finishes without a duplicate, and destroy leaves the account as it was, with the state in local files and in a bucket. `cargo test --bench sweep` takes both
//! environments, and kills at one write at a time. Tests begin in the order of their names: what waits longest of all is among the first,
//! so that the other tests fill its pauses.

use crate::support::lab::{Lab, same};
use crate::support::places::{Place, in_both_places};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::Duration;

const APPLY: &[&str] = &["apply", "--env", "green", "--yes"];
const DESTROY: &[&str] = &["destroy", "--yes", "--destroy-data"];

/// What a run without faults makes.
struct Clean {
    empty: String,
    inventory: String,
    /// The operations that changed something, and how often, in apply and in destroy.
    writes: [Writes; 2],
}

/// `service:Operation` and how many different requests of it changed something.
type Writes = BTreeMap<String, usize>;

/// The requests that changed something and that a condition holds for; what was sent twice counts once.
fn writes(lab: &Lab, since: u64, counts: impl Fn(&Value) -> bool) -> Writes {
    let calls = lab.calls(since);
    let done = calls.iter().filter(|c| {
        c["write"] == true && c["status"].as_u64().is_some_and(|s| s < 300) && counts(c)
    });
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let different: BTreeSet<(String, String)> = done
        .map(|c| {
            let operation = format!("{}:{}", text(&c["service"]), text(&c["operation"]));
            (operation, text(&c["hash"]))
        })
        .collect();
    let mut all = Writes::new();
    for (operation, _) in different {
        *all.entry(operation).or_default() += 1;
    }
    all
}

/// One life without faults, lived once for all tests.
fn clean() -> &'static Clean {
    static CLEAN: OnceLock<Clean> = OnceLock::new();
    CLEAN.get_or_init(life)
}

fn life() -> Clean {
    let lab = Lab::start();
    let empty = lab.ids();
    let mut inventory = String::new();
    let writes = [APPLY, DESTROY].map(|command| {
        let since = lab.mark();
        lab.run(command).expect(0);
        if command == APPLY {
            inventory = lab.inventory();
        }
        writes(&lab, since, |_| true)
    });
    assert_eq!(lab.ids(), empty, "destroy leaves the account as it was");
    Clean {
        empty,
        inventory,
        writes,
    }
}

in_both_places! {
    every_answer_lost_once, with_files_every_answer_lost_once, in_a_bucket_every_answer_lost_once;
    every_answer_that_never_comes_once, with_files_every_answer_that_never_comes_once, in_a_bucket_every_answer_that_never_comes_once;
    every_write_killed_after_its_effect, with_files_every_write_killed_after_its_effect, in_a_bucket_every_write_killed_after_its_effect;
}

fn every_answer_lost_once(place: Place) {
    let lab = place.of(Lab::start());
    lost(&lab, clean(), "close_after");
}

fn every_answer_that_never_comes_once(place: Place) {
    let lab = place.of(Lab::start());
    let config =
        "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 4\napi_limits = 1000\n";
    place.configure(&lab, config);
    lost(&lab, clean(), "hang_after");
}

/// The operations of the platform: writes of the state have tests of their own.
fn operations(writes: &Writes) -> Vec<&String> {
    writes.keys().collect()
}

/// In a bucket a run after a kill takes much longer: there one operation of so many is killed at.
const SAMPLE: usize = 8;

/// The answer of every new write hangs; when all calls in flight do, the process is killed. So a few runs kill at every
/// write, with as many unresolved intents as there can be.
fn every_write_killed_after_its_effect(place: Place) {
    let lab = place.of(Lab::start());
    let clean = clean();
    for (command, writes) in [APPLY, DESTROY].into_iter().zip(&clean.writes) {
        let every = match place {
            Place::Files => 1,
            Place::Bucket => SAMPLE,
        };
        let writes: &Writes = &writes.clone().into_iter().step_by(every).collect();
        let since = lab.mark();
        lab.faults(&json!({"hang_after": "every_new", "only": operations(writes)}));
        let mut kills = 0;
        while lab
            .killed_after("hang_after", Duration::from_millis(400), command)
            .map(|done| done.expect(0))
            .is_none()
        {
            kills += 1;
        }
        struck(&lab, since, "hang_after", writes);
        println!("{command:?}: {kills} kills");
        lab.faults(&json!({}));
        if command == APPLY {
            same(&lab.inventory(), &clean.inventory);
        }
    }
    assert_eq!(lab.ids(), clean.empty);
}

/// Every write of a clean run was struck: as many different requests of each operation.
fn struck(lab: &Lab, since: u64, fault: &str, clean: &Writes) {
    let hit = writes(lab, since, |call| call["lost"] == fault);
    println!("{fault}: {} writes", hit.values().sum::<usize>());
    let missed: Vec<_> = clean
        .iter()
        .filter(|(operation, count)| hit.get(*operation).is_none_or(|n| n < count))
        .map(|(operation, count)| (operation, hit.get(operation).unwrap_or(&0), count))
        .collect();
    assert!(
        missed.is_empty(),
        "struck less than a clean run has: {missed:?}"
    );
    assert!(!clean.is_empty(), "a clean run writes");
}

/// Loses the answer of every write once, in apply and in destroy. A run may fail on an answer that is lost; the next one,
/// still under the fault, resumes from there.
fn lost(lab: &Lab, clean: &Clean, fault: &str) {
    for (command, writes) in [APPLY, DESTROY].into_iter().zip(&clean.writes) {
        let since = lab.mark();
        lab.faults(&json!({fault: "every_new", "only": operations(writes)}));
        if lab.run(command).code != 0 {
            lab.run(command).expect(0);
        }
        struck(lab, since, fault, writes);
        lab.faults(&json!({}));
        if command == APPLY {
            same(&lab.inventory(), &clean.inventory);
        }
    }
    assert_eq!(lab.ids(), clean.empty);
}

//! A kill after the effect, a lost answer and an answer that never comes, at every write of green's life: the run
//! finishes without a duplicate, and destroy leaves the account as it was. `cargo test --bench sweep` takes both
//! environments, and kills at one write at a time.

use crate::support::lab::Lab;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

const APPLY: &[&str] = &["apply", "--env", "green", "--yes"];
const DESTROY: &[&str] = &["destroy", "--yes", "--destroy-data"];

/// What a run without faults makes.
struct Clean {
    empty: String,
    inventory: String,
}

/// One life without faults, in the lab that the test goes on with.
fn clean(lab: &Lab) -> Clean {
    let empty = lab.ids();
    lab.run(APPLY).expect(0);
    let inventory = lab.inventory();
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.ids(), empty, "destroy leaves the account as it was");
    Clean { empty, inventory }
}

#[test]
fn every_answer_lost_once() {
    let lab = Lab::start();
    let clean = clean(&lab);
    lost(&lab, &clean, "close_after");
}

#[test]
fn every_answer_that_never_comes_once() {
    let lab = Lab::start();
    let clean = clean(&lab);
    let config = "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 4\n";
    std::fs::write(lab.dir.path().join("deployer.toml"), config).unwrap();
    lost(&lab, &clean, "hang_after");
}

/// The answer of every new write hangs; when all calls in flight do, the process is killed. So a few runs kill at every
/// write, with as many unresolved intents as there can be.
#[test]
fn every_write_killed_after_its_effect() {
    let lab = Lab::start();
    let clean = clean(&lab);
    for command in [APPLY, DESTROY] {
        let since = lab.mark();
        lab.faults(&json!({"hang_after": "every_new"}));
        let mut kills = 0;
        while lab
            .killed_after("hang_after", Duration::from_millis(400), command)
            .map(|done| done.expect(0))
            .is_none()
        {
            kills += 1;
        }
        struck(&lab, since, "hang_after");
        println!("{command:?}: {kills} kills");
        lab.faults(&json!({}));
        if command == APPLY {
            same(&lab.inventory(), &clean.inventory);
        }
    }
    assert_eq!(lab.ids(), clean.empty);
}

/// At least 24 writes of many kinds were hit.
fn struck(lab: &Lab, since: u64, fault: &str) {
    let calls = lab.calls(since);
    let hit = calls.iter().filter(|c| c["lost"] == fault);
    let kinds: BTreeSet<String> = hit
        .clone()
        .map(|c| format!("{} {}", c["service"], c["operation"]))
        .collect();
    let hit = hit.count();
    println!("{fault}: {hit} writes of {} kinds", kinds.len());
    assert!(hit >= 24 && kinds.len() >= 24, "{hit} writes: {kinds:?}");
}

/// Loses the answer of every write once, in one run of apply and one of destroy.
fn lost(lab: &Lab, clean: &Clean, fault: &str) {
    for command in [APPLY, DESTROY] {
        let since = lab.mark();
        lab.faults(&json!({fault: "every_new"}));
        let first = lab.run(command);
        struck(lab, since, fault);
        lab.faults(&json!({}));
        if first.code != 0 {
            lab.run(command).expect(0);
        }
        if command == APPLY {
            same(&lab.inventory(), &clean.inventory);
        }
    }
    assert_eq!(lab.ids(), clean.empty);
}

/// Fails with the lines that differ, not with two whole accounts.
#[track_caller]
fn same(have: &str, want: &str) {
    let (have_lines, want_lines): (Vec<&str>, Vec<&str>) =
        (have.lines().collect(), want.lines().collect());
    let pairs = have_lines.iter().zip(&want_lines);
    let at = pairs.into_iter().position(|(h, w)| h != w).unwrap_or(0);
    let around = |lines: &[&str]| {
        let end = (at + 6).min(lines.len());
        lines[at.saturating_sub(12).min(end)..end].join("\n")
    };
    assert!(
        have == want,
        "the account differs from a clean run's at line {at}:\n{}\nclean:\n{}",
        around(&have_lines),
        around(&want_lines)
    );
}

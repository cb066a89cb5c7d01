//! The whole sweep, `cargo test --bench sweep`: at every write of a whole life (apply and destroy of both environments)
//! the process is killed after the effect; then the same life with every answer lost, and with every answer never
//! coming. Prints how many writes were hit and whether the account ended like a clean run's.
//! `cargo test --bench sweep -- kill` (or `close_after`, `hang_after`) takes one of the three. The kills are shared out by operation among
//! some accounts at a time, since a run after a kill waits more than it works.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    reason = "a program for people that shares the tests' lab"
)]

#[path = "../it/support/forkserver.rs"]
mod forkserver;
#[path = "../it/support/lab.rs"]
mod lab;
#[path = "../it/support/running.rs"]
mod running;

use lab::Lab;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Instant;

const APPLY: &[&str] = &["apply", "--yes"];
const DESTROY: &[&str] = &["destroy", "--yes", "--destroy-data"];

/// The names of the three, as arguments.
const FAULTS: [&str; 3] = ["kill", "close_after", "hang_after"];

/// How many accounts share the kills.
const SHARES: usize = 6;

/// A clean life: the ids in the account before it, what it makes, and how often apply and destroy call which operation that writes.
struct Clean {
    empty: String,
    inventory: String,
    writes: [BTreeMap<String, usize>; 2],
}

fn clean(lab: &Lab) -> Clean {
    let empty = lab.ids();
    let mut inventory = String::new();
    let writes = [APPLY, DESTROY].map(|command| {
        let since = lab.mark();
        lab.run(command).expect(0);
        if command == APPLY {
            inventory = lab.inventory();
        }
        let mut counts = BTreeMap::new();
        for operation in lab.writes(since) {
            *counts.entry(operation).or_default() += 1;
        }
        counts
    });
    Clean {
        empty,
        inventory,
        writes,
    }
}

fn main() {
    let lab = Lab::start();
    let clean = clean(&lab);
    let chosen: Vec<String> = std::env::args()
        .filter(|a| FAULTS.contains(&a.as_str()))
        .collect();
    println!(
        "{:<28} {:>8} {:>8} {:>9} {:>10}",
        "mode", "apply", "destroy", "seconds", "account"
    );
    for (mode, fault) in [
        ("killed after the effect", "kill"),
        ("answer lost", "close_after"),
        ("answer never comes", "hang_after"),
    ] {
        if !chosen.is_empty() && !chosen.iter().any(|c| c == fault) {
            continue;
        }
        let began = Instant::now();
        let (hit, same) = if fault == "kill" {
            killed(&clean)
        } else {
            life(&lab, &clean, |command, _| lose(&lab, command, fault))
        };
        let verdict = if same { "as clean" } else { "DIFFERS" };
        println!(
            "{mode:<28} {:>8} {:>8} {:>9.0} {verdict:>10}",
            hit[0],
            hit[1],
            began.elapsed().as_secs_f64()
        );
        assert!(same, "{mode}");
    }
}

/// A life with faults: how many writes were struck in apply and in destroy, and whether the account was as in a clean life.
fn life(
    lab: &Lab,
    clean: &Clean,
    strike: impl Fn(&'static [&'static str], usize) -> usize,
) -> ([usize; 2], bool) {
    let applied = strike(APPLY, 0);
    let mut same = alike(&lab.inventory(), &clean.inventory);
    let destroyed = strike(DESTROY, 1);
    same &= alike(&lab.ids(), &clean.empty);
    ([applied, destroyed], same)
}

/// Every write is killed at in one of some accounts.
fn killed(clean: &Clean) -> ([usize; 2], bool) {
    let shares: [Vec<Vec<&str>>; 2] = [0, 1].map(|at| shared(&clean.writes[at]));
    let lives: Vec<_> = std::thread::scope(|scope| {
        let lives: Vec<_> = (0..SHARES)
            .map(|share| {
                let shares = &shares;
                scope.spawn(move || {
                    let lab = Lab::start();
                    life(&lab, clean, |command, at| {
                        kill(&lab, command, &shares[at][share])
                    })
                })
            })
            .collect();
        lives.into_iter().map(|life| life.join().unwrap()).collect()
    });
    let hit = [0, 1].map(|at| lives.iter().map(|(hit, _)| hit[at]).sum());
    (hit, lives.iter().all(|(_, same)| *same))
}

/// The operations in shares that write about as often.
fn shared(writes: &BTreeMap<String, usize>) -> Vec<Vec<&str>> {
    let mut most_first: Vec<_> = writes.iter().collect();
    most_first.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut shares = vec![(0, Vec::new()); SHARES];
    for (operation, count) in most_first {
        let least = shares.iter_mut().min_by_key(|(sum, _)| *sum).unwrap();
        least.0 += count;
        least.1.push(operation.as_str());
    }
    shares.into_iter().map(|(_, names)| names).collect()
}

/// Whether both are the same; says which lines are not.
fn alike(have: &str, want: &str) -> bool {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (have, want) = (lines(have), lines(want));
    for (sign, of, other) in [("+", &have, &want), ("-", &want, &have)] {
        for line in of.iter().filter(|line| !other.contains(line)).take(20) {
            eprintln!("{sign} {line}");
        }
    }
    have == want
}

/// Kills every run after its first new write by one of these operations, until a run has none left: a write that a run repeats after a
/// kill is let through, or no run would come further. One call at a time: no other write may be under way.
fn kill(lab: &Lab, command: &[&str], operations: &[&str]) -> usize {
    let command = &[command, &["--parallelism", "1"]].concat();
    let mut kills = 0;
    lab.faults(&json!({"hang_after": "every_new", "only": operations}));
    loop {
        match lab.killed_when("hang_after", command) {
            None => {
                kills += 1;
                if kills % 25 == 0 {
                    eprintln!("{} {kills} kills", command[0]);
                }
            }
            Some(done) => {
                done.expect(0);
                lab.faults(&json!({}));
                return kills;
            }
        }
    }
}

/// Loses the answer of every write once.
fn lose(lab: &Lab, command: &[&str], fault: &str) -> usize {
    let config =
        "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 4\napi_limits = 1000\n";
    std::fs::write(lab.dir.path().join("deployer.toml"), config).unwrap();
    let since = lab.mark();
    lab.faults(&json!({fault: "every_new"}));
    let first = lab.run(command);
    lab.faults(&json!({}));
    let struck = lab
        .calls(since)
        .iter()
        .filter(|c| c["lost"] == fault)
        .count();
    if first.code != 0 {
        lab.run(command).expect(0);
    }
    struck
}

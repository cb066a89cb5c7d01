//! The whole sweep, `cargo test --bench sweep`: at every write of a whole life (apply and destroy of both environments)
//! the process is killed after the effect; then the same life with every answer lost, and with every answer never
//! coming. Prints how many writes were hit and whether the account ended like a clean run's.
//! `cargo test --bench sweep -- kill` (or `close_after`, `hang_after`) takes one of the three.

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

use lab::Lab;
use serde_json::json;
use std::time::Instant;

const APPLY: &[&str] = &["apply", "--yes"];
const DESTROY: &[&str] = &["destroy", "--yes", "--destroy-data"];

/// The names of the three, as arguments.
const FAULTS: [&str; 3] = ["kill", "close_after", "hang_after"];

fn main() {
    let lab = Lab::start();
    let empty = lab.ids();
    lab.run(APPLY).expect(0);
    let inventory = lab.inventory();
    lab.run(DESTROY).expect(0);
    println!(
        "{:<28} {:>8} {:>8} {:>9} {:>10}",
        "mode", "apply", "destroy", "seconds", "account"
    );
    for (mode, fault) in [
        ("killed after the effect", "kill"),
        ("answer lost", "close_after"),
        ("answer never comes", "hang_after"),
    ] {
        let chosen: Vec<String> = std::env::args()
            .filter(|a| FAULTS.contains(&a.as_str()))
            .collect();
        if !chosen.is_empty() && !chosen.iter().any(|c| c == fault) {
            continue;
        }
        let began = Instant::now();
        let mut hit = Vec::new();
        let mut same = true;
        for command in [APPLY, DESTROY] {
            hit.push(if fault == "kill" {
                kill(&lab, command)
            } else {
                lose(&lab, command, fault)
            });
            if command == APPLY {
                same &= alike(&lab.inventory(), &inventory);
            }
        }
        same &= alike(&lab.ids(), &empty);
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

/// Kills every run after its first write, until a run has nothing left to write. One call at a time: no other write
/// may be under way.
fn kill(lab: &Lab, command: &[&str]) -> usize {
    let command = &[command, &["--parallelism", "1"]].concat();
    let mut kills = 0;
    loop {
        lab.faults(&json!({"hang_after": 1}));
        match lab.killed_when("hang_after", command) {
            None => {
                kills += 1;
                if kills % 50 == 0 {
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
    let config = "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 4\n";
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

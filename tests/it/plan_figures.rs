//! What a plan takes: calls one after the other, processor time, memory. `--nocapture` prints the figures.
//!
//! The limits of time and memory are those of a release build (`cargo test --release --test it plan_figures`). A debug build takes
//! twice the time, and 125 MB for the pages of its program alone: there the limits are what it took in November 2026 and half as
//! much again, without those pages, so that a step back is seen in the ordinary `cargo test`.

use crate::support::lab::Lab;
use serde_json::json;
use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

/// The longest chain of calls one after the other.
const ROUNDS: u64 = 6;
/// Processor time, in seconds.
const SECONDS: f64 = if cfg!(debug_assertions) { 1.1 } else { 0.4 };
/// The same in a debug build on a slower machine: times that of printing the graph, which is 11 times as quick.
const GRAPHS: f64 = 22.0;
/// Memory at most, in KiB.
const KIB: u64 = if cfg!(debug_assertions) {
    50 * 1024
} else {
    120 * 1024
};

/// A call that is held must not be sent again: it would count twice.
fn patient(lab: &Lab) {
    let text =
        "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 120\napi_limits = 1000\n";
    std::fs::write(lab.dir.path().join("deployer.toml"), text).unwrap();
}

/// The rounds of a plan, and how many calls each has of each operation.
fn rounds(lab: &Lab, exit: i32) -> (u64, BTreeMap<u64, BTreeMap<String, usize>>) {
    let since = lab.mark();
    lab.faults(&json!({"rounds_ms": 700}));
    lab.run(&["plan", "--parallelism", "256"]).expect(exit);
    let faults = lab.control("GET", "faults", &json!({}));
    let mut all: BTreeMap<u64, BTreeMap<String, usize>> = BTreeMap::new();
    for call in lab.calls(since) {
        let text = |key: &str| call[key].as_str().unwrap().to_owned();
        let round = all.entry(call["round"].as_u64().unwrap()).or_default();
        let operation = format!("{}:{}", text("service"), text("operation"));
        *round.entry(operation).or_default() += 1;
    }
    lab.faults(&json!({}));
    (faults["rounds"].as_u64().unwrap(), all)
}

#[test]
fn a_plan_needs_six_rounds_of_calls_at_most_on_an_empty_account_and_on_a_whole_one() {
    for (what, lab, exit) in [
        ("nothing applied", Lab::start(), 2),
        ("all applied", Lab::both(), 0),
    ] {
        patient(&lab);
        // On a busy machine a call of one round may come late, and make a round of its own.
        let mut least = rounds(&lab, exit);
        for _ in 0..2 {
            if least.0 > ROUNDS {
                least = rounds(&lab, exit).min(least);
            }
        }
        let (count, calls) = least;
        println!("{what}: {count} rounds");
        assert!(count <= ROUNDS, "{what}: {count} rounds: {calls:#?}");
        // Who we are comes before what we have, so one round would be a count of nothing.
        assert!(count > 2 && calls.len() as u64 == count, "{what}: {count}");
    }
}

/// Processor time in seconds, and the most memory in KiB, of a command.
fn own(lab: &Lab, arguments: &[&str]) -> (f64, u64) {
    let mut command = lab.command(arguments);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let of = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap();
    let field = if cfg!(debug_assertions) {
        "RssAnon:"
    } else {
        "VmHWM:"
    };
    let mut most = 0;
    let ticks = loop {
        let status = of("status");
        let line = status.lines().find_map(|l| l.strip_prefix(field));
        let kib = line.and_then(|l| l.split_whitespace().next()?.parse().ok());
        most = most.max(kib.unwrap_or(0));
        let stat = of("stat");
        // After the name, which may hold blanks: state is the first field, times are the twelfth and thirteenth.
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        if fields[0] == "Z" {
            let time = |at: usize| fields[at].parse::<u64>().unwrap();
            break time(11) + time(12);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let done = child.wait().unwrap();
    assert_eq!(done.code(), Some(0));
    // Linux tells them in hundredths of a second.
    (ticks as f64 / 100.0, most)
}

#[test]
fn a_plan_takes_little_time_and_memory_of_its_own() {
    let lab = Lab::both();
    let best = |arguments: &[&str]| {
        let all = [(); 3].map(|()| own(&lab, arguments));
        let least = |a: (f64, u64), b: (f64, u64)| (a.0.min(b.0), a.1.min(b.1));
        all.into_iter().reduce(least).unwrap()
    };
    let (seconds, kib) = best(&["plan"]);
    let most = match cfg!(debug_assertions) {
        true => SECONDS.max(GRAPHS * best(&["graph"]).0),
        false => SECONDS,
    };
    println!("plan: {seconds:.2} s of processor time, {} MB", kib / 1024);
    assert!(seconds > 0.0 && kib > 0);
    assert!(seconds <= most, "{seconds} s of {most} s");
    assert!(kib <= KIB, "{kib} KiB");
}

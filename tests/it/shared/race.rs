//! Two hosts race for one state, and are killed while they do: 20 times, or `DEPLOYER_RACES=200 cargo test --test it shared::race`.
//! They make and change the database and what it needs and nothing else, so that a round is short: a whole environment around it
//! would be read by every run, and changed by none.

use super::hosts::{Host, share};
use crate::support::lab::{Done, Lab};
use fastrand::Rng;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Rounds of the gate.
const ROUNDS: u32 = 20;

const APPLY: &[&str] = &[
    "apply",
    "--env",
    "green",
    "--yes",
    "--step",
    "aurora-*-green",
];

/// What a round changes: one database instance more, or one less.
fn instances(round: u32) -> String {
    format!(
        "[database]\ninstances = {}\n",
        if round.is_multiple_of(2) { 4 } else { 3 }
    )
}

/// The writes that had an effect on the platform, without those of the state itself: how often each, and their operations.
fn effects(lab: &Lab, since: u64) -> Vec<(String, String)> {
    let calls = lab.calls(since).into_iter();
    let done = calls.filter(|c| {
        let state = c["service"] == "s3" && c["operation"].as_str().unwrap().contains("Object");
        c["write"] == true && c["status"].as_u64().is_some_and(|s| s < 300) && !state
    });
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    done.map(|c| {
        (
            format!("{}:{}", text(&c["service"]), text(&c["operation"])),
            text(&c["hash"]),
        )
    })
    .collect()
}

/// The lines of the history behind the n-th.
fn history(host: &Host<'_>, from: usize) -> Vec<Value> {
    let document = host.run(&["state", "history", "--json"]).expect(0).json();
    document["runs"].as_array().unwrap()[from..].to_vec()
}

/// Runs until it is done; a lock that a killed run left is removed, as a person would.
fn finish(host: &Host<'_>) -> Done {
    for _ in 0..3 {
        let done = host.run(APPLY);
        if done.code != 4 {
            return done.expect(0);
        }
        assert!(done.err.contains("state unlock"), "{}", done.err);
        host.run(&["state", "unlock"]).expect(0);
    }
    panic!("the lock comes back again and again");
}

/// How the runs of a round ended, by host.
#[derive(Default)]
struct Ends {
    done: BTreeMap<&'static str, usize>,
    killed: BTreeMap<&'static str, usize>,
    locked: usize,
}

impl Ends {
    fn count(&mut self, host: &Host<'_>, done: &Done) {
        match done.code {
            0 => *self.done.entry(host.name).or_default() += 1,
            -1 => *self.killed.entry(host.name).or_default() += 1,
            4 => self.locked += 1,
            _ => panic!("{}: {done:?}", host.name),
        }
    }
}

/// The history of both hosts has every run that had the lock, and no other: those that ended, and of those that were killed
/// the ones that had begun.
fn check_history(lines: &[Value], ends: &Ends) {
    for host in ["alpha", "bravo"] {
        let who = format!("user-of-{host}@{host}");
        let of = |what: &str| {
            lines
                .iter()
                .filter(|l| l["who"] == *who && l["what"] == what)
                .count()
        };
        let get = |counts: &BTreeMap<_, usize>| counts.get(host).copied().unwrap_or_default();
        let (done, killed) = (get(&ends.done), get(&ends.killed));
        let (started, finished) = (of("started"), of("finished"));
        assert!(
            (done..=done + killed).contains(&finished),
            "{host}: {finished} finished, {done} done, {killed} killed"
        );
        assert!(
            (finished..=done + killed).contains(&started),
            "{host}: {started} started, {done} done, {killed} killed"
        );
    }
    let strange = lines
        .iter()
        .find(|l| l["what"] == "finished" && l["result"] != "complete");
    assert_eq!(strange, None);
}

#[test]
fn two_hosts_race_for_one_state_with_kills() {
    let lab = Lab::start();
    share(&lab);
    let hosts = [Host::new(&lab, "alpha", ""), Host::new(&lab, "bravo", "")];
    hosts[0].configure(&instances(1));
    finish(&hosts[0]);
    // What a round does when nobody gets in its way.
    let usual: Vec<Vec<(String, String)>> = (0..2)
        .map(|round| {
            hosts[0].configure(&instances(round));
            let since = lab.mark();
            finish(&hosts[0]);
            effects(&lab, since)
        })
        .collect();
    // How long a run takes here, now.
    let usually = Instant::now();
    hosts[1].configure(&instances(1));
    finish(&hosts[1]);
    let usually = u64::try_from(usually.elapsed().as_millis()).unwrap();
    let mut noted = history(&hosts[0], 0).len();
    let asked = std::env::var("DEPLOYER_RACES")
        .ok()
        .map_or(ROUNDS, |n| n.parse().unwrap());
    let mut rng = Rng::with_seed(std::env::var("DEPLOYER_SEED").map_or(7, |n| n.parse().unwrap()));
    let began = Instant::now();
    let (mut rounds, mut locked, mut killed) = (0, 0, 0);
    for round in 0..asked {
        hosts
            .iter()
            .for_each(|host| host.configure(&instances(round)));
        let since = lab.mark();
        let mut ends = Ends::default();
        let children = [0, 1].map(|n| {
            std::thread::sleep(Duration::from_millis(rng.u64(0..usually / 10 + 1)));
            hosts[n].spawn(APPLY)
        });
        // Those that are killed are killed at any moment of their lives, mostly while they hold the lock.
        let mut kills = Vec::new();
        for n in 0..2 {
            if rng.u8(0..10) < 6 {
                kills.push((
                    n,
                    Duration::from_millis(rng.u64(usually / 4..usually * 3 / 2)),
                ));
            }
        }
        kills.sort_by_key(|kill| kill.1);
        let started = Instant::now();
        let mut children = children.map(Some);
        for (n, when) in kills {
            std::thread::sleep(when.saturating_sub(started.elapsed()));
            if let Some(child) = &mut children[n] {
                child.kill();
            }
        }
        for (host, child) in hosts.iter().zip(&mut children) {
            ends.count(host, &child.take().unwrap().ended());
        }
        // What a killed process had sent arrives.
        std::thread::sleep(Duration::from_millis(100));
        let last = &hosts[rng.usize(0..2)];
        ends.count(last, &finish(last));
        let lines = history(&hosts[1], noted);
        noted += lines.len();
        check_history(&lines, &ends);
        let (want, have) = (&usual[round as usize % 2], effects(&lab, since));
        let operations = |all: &[(String, String)]| -> BTreeSet<String> {
            all.iter().map(|(operation, _)| operation.clone()).collect()
        };
        assert_eq!(operations(&have), operations(want), "round {round}");
        // Nothing is made or deleted twice.
        for name in ["rds:CreateDBInstance", "rds:DeleteDBInstance"] {
            let count = |all: &[(String, String)]| all.iter().filter(|(o, _)| o == name).count();
            assert_eq!(count(&have), count(want), "round {round}: {name}");
        }
        // Every write is one that a run of the history had planned.
        let planned = lines.iter().filter(|l| l["what"] == "started");
        let planned =
            planned.filter(|l| l["steps"]["create"].is_u64() || l["steps"]["delete"].is_u64());
        assert!(planned.count() >= 1, "round {round}: {lines:#?}");
        rounds += 1;
        locked += ends.locked;
        killed += ends.killed.values().sum::<usize>();
    }
    // Both see what was asked for last, and nothing to do.
    let plan = ["plan", "--env", "green", "--step", "aurora-*-green"];
    for host in &hosts {
        host.run(&plan).expect(0);
    }
    let instances = lab.python(
        r#"
print(len(c("rds").describe_db_instances()["DBInstances"]))
"#,
    );
    let last = if asked.is_multiple_of(2) { "3" } else { "4" };
    assert_eq!(instances.trim(), last);
    println!(
        "{rounds} rounds in {:.0} s: {killed} runs killed, {locked} locked out",
        began.elapsed().as_secs_f64()
    );
    assert!(killed + locked > 0, "{rounds} {killed} {locked}");
}

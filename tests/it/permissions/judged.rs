//! The policy suffices for a whole life, and none of its statements can be left out.

use super::acts::ACTS;
use super::holder::{Judged, hold, judged, named, parts};
use crate::support::lab::Lab;
use crate::traffic::load::weights;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// Statements that the life in `requests.rs`, and so the first act, does not need: what they allow first, and the act that needs them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("dynamodb:RestoreTableFromBackup on", "restored"),
    ("dynamodb:BatchWriteItem", "restored"),
    ("rds:DescribeDBClusterAutomatedBackups", "restored"),
    ("rds:DescribeDBClusterSnapshotAttributes", "restored"),
    (
        "rds:AddTagsToResource rds:CreateDBClusterSnapshot",
        "removed",
    ),
    ("ec2:AssociateDhcpOptions", "repaired"),
    ("ecs:DescribeTasks", "migrated"),
    ("iam:SimulatePrincipalPolicy", "looked at"),
    ("cloudwatch:PutMetricData", "shifted"),
    ("logs:FilterLogEvents", "shifted"),
];

/// Statements that no act needs, because the emulator cannot play what needs them.
const NEVER: &[&str] = &[
    // Of an attachment's route to a prefix list, which the sandbox's Transit Gateways do not know.
    "ec2:DeleteTransitGatewayPrefixListReference",
];

/// The statements of the lab's policy that allowed nothing alone.
fn unneeded(lab: &Lab, alone: &BTreeMap<String, u64>) -> Vec<String> {
    let all = parts(lab, &[]).concat();
    let unneeded = all.iter().filter(|s| {
        alone
            .get(s["Sid"].as_str().unwrap())
            .is_none_or(|n| *n == 0)
    });
    unneeded.map(named).collect()
}

/// At the end of a whole life as a user with the policy.
pub fn nearly_every_statement_was_needed(lab: &Lab) {
    let Judged { alone, denied } = judged(lab);
    assert_eq!(denied, Vec::<Value>::new());
    let unneeded = unneeded(lab, &alone);
    let expected = |statement: &&String| {
        let elsewhere = ELSEWHERE.iter().map(|(begin, _)| *begin);
        elsewhere
            .chain(NEVER.iter().copied())
            .any(|begin| statement.starts_with(begin))
    };
    let others: Vec<&String> = unneeded.iter().filter(|s| !expected(s)).collect();
    assert!(others.is_empty(), "not needed: {others:#?}");
}

/// Statements that a command does without, by the beginning of their `Sid` and the action that is denied then: metrics of its own
/// are not published, what cannot be counted counts as data, and whether a change of records is everywhere is said to be unknown.
const SPARED: &[(&str, &str)] = &[
    ("CloudwatchOwnMetrics", "cloudwatch:PutMetricData"),
    ("DynamodbCount", "dynamodb:Scan"),
    ("Route53Named", "route53:GetChange"),
];

/// So many lives at a time, each without another statement: they wait more than they work.
const LIVES: usize = 6;

/// The parts without the statement of this name.
fn without(parts: &[Vec<Value>], sid: &str) -> Vec<Vec<Value>> {
    let rest = |part: &Vec<Value>| part.iter().filter(|s| s["Sid"] != sid).cloned().collect();
    parts.iter().map(rest).collect()
}

/// Plays every act with the whole policy, then each act again without each statement that it needed alone: it fails. A few
/// statements of the first act; all of all acts with `DEPLOYER_STATEMENTS=all`, or those whose `Sid` begins
/// so.
#[test]
fn a_life_fails_without_any_one_statement() {
    let asked = std::env::var("DEPLOYER_STATEMENTS").ok();
    let lab = Lab::start();
    let parts = parts(&lab, &[]);
    if asked.is_none() {
        // What is created, what is read, what a service does in the caller's name, what is passed to it.
        for begin in [
            "Ec2NewWithOurTag",
            "RdsNamed",
            "KmsThroughServices",
            "IamPassedToService",
        ] {
            let elsewhere = |s: &Value| {
                let statement = named(s);
                ELSEWHERE.iter().any(|(b, _)| statement.starts_with(b))
            };
            let all = parts.iter().flatten().filter(|s| !elsewhere(s));
            let sids = all.filter_map(|s| s["Sid"].as_str().filter(|s| s.starts_with(begin)));
            let sids: Vec<&str> = sids.collect();
            let sid = sids[fastrand::usize(..sids.len())];
            fails_without(&parts, sid, 0);
        }
        return;
    }
    let asked = asked.filter(|a| a != "all").unwrap_or_default();
    let mut needed: BTreeMap<String, usize> = BTreeMap::new();
    for (at, act) in ACTS.iter().enumerate() {
        let judged = act
            .with(&parts)
            .unwrap_or_else(|e| panic!("{}: {e}", act.name));
        assert_eq!(judged.denied, Vec::<Value>::new(), "{}", act.name);
        for (sid, _) in judged.alone.into_iter().filter(|(_, n)| *n > 0) {
            needed.entry(sid).or_insert(at);
        }
    }
    let known: BTreeMap<String, u64> = needed.keys().map(|sid| (sid.clone(), 1)).collect();
    let never: Vec<String> = unneeded(&lab, &known);
    let expected = |s: &&String| NEVER.iter().any(|begin| s.starts_with(begin));
    let others: BTreeSet<&String> = never.iter().filter(|s| !expected(s)).collect();
    assert!(others.is_empty(), "no act needs: {others:#?}");
    let tried: Vec<(&String, &usize)> = needed
        .iter()
        .filter(|(sid, _)| sid.starts_with(&asked))
        .collect();
    let left = Mutex::new(tried.iter());
    std::thread::scope(|scope| {
        for _ in 0..LIVES {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap().next();
                    let Some((sid, at)) = next else { return };
                    fails_without(&parts, sid, **at);
                }
            });
        }
    });
    let tried = tried.len();
    println!("{tried} statements left out, one at a time: each time the life failed");
}

fn fails_without(parts: &[Vec<Value>], sid: &str, act: usize) {
    let act = &ACTS[act];
    let text = match act.with(&without(parts, sid)) {
        Err(text) => text,
        Ok(judged) => {
            let spared = SPARED.iter().find(|(begin, _)| sid.starts_with(begin));
            let (_, action) = spared.unwrap_or_else(|| panic!("{} passes without {sid}", act.name));
            let denied = json!(judged.denied).to_string();
            assert!(denied.contains(action), "{sid}: {denied}");
            println!("{sid}: {} does without {action}", act.name);
            return;
        }
    };
    println!("{sid}: {} fails", act.name);
    let says = [
        "Denied",
        "not authorized",
        "Unauthorized",
        "could not be read",
    ];
    assert!(says.iter().any(|word| text.contains(word)), "{sid}: {text}");
}

#[test]
fn the_read_only_policy_suffices_to_look_and_changes_nothing() {
    let lab = Lab::both();
    hold(&lab, &["--read-only"]);
    lab.run(&["drift"]).expect(0);
    lab.run(&["plan"]).expect(0);
    lab.run(&["traffic", "status"]).expect(2);
    assert_eq!(judged(&lab).denied, Vec::<Value>::new());
    lab.python("c('ec2').delete_tags(Resources=[v['VpcId'] for v in c('ec2').describe_vpcs()['Vpcs']], Tags=[{'Key': 'Owner'}, {'Key': 'Name'}])");
    lab.run(&["drift"]).expect(2);
    let since = lab.mark();
    let done = lab.run(&["apply", "--yes"]);
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    let calls = lab.calls(since);
    let done = calls
        .iter()
        .filter(|c| c["write"] == true && c["error"] == json!(null));
    assert_eq!(done.count(), 0);
    assert!(!judged(&lab).denied.is_empty());
}

#[test]
fn the_policy_for_a_rollback_suffices_for_it_and_for_nothing_more() {
    let lab = Lab::both();
    hold(&lab, &["--for", "rollback"]);
    lab.run(&["traffic", "rollback"]).expect(0);
    assert_eq!(weights(&lab), [100, 0]);
    let since = lab.mark();
    assert_ne!(lab.run(&["destroy", "--yes", "--destroy-data"]).code, 0);
    let calls = lab.calls(since);
    let done = calls
        .iter()
        .filter(|c| c["write"] == true && c["error"] == json!(null));
    assert_eq!(done.count(), 0);
}

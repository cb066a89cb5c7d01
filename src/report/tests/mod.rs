mod calls;
mod documents;
mod graphs;
mod plans;
mod progress;
mod samples;

use super::calls::CallTotals;
use super::error::failure;
use super::progress::Progress;
use super::*;
use crate::engine::drift::Drift;
use crate::engine::error::{Error, Leftover};
use crate::engine::event::Verb;
use crate::engine::exec::Outcome;
use crate::engine::plan::{Interruption, Node, Op, Plan, Problem};
use crate::state::{Stage, State};
pub(super) use samples::drifted;
use samples::{change, denied, node, ran, record, rich};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn a_fault_shows_action_code_message_request_leftovers_and_hint() {
    let mut known = denied();
    known.leftover = Leftover::Known(vec!["vpc-1".into(), "rtb-2".into()]);
    assert_eq!(
        error(Some("vpc-green"), &known, Paint::PLAIN),
        "error: vpc-green: ec2:CreateVpc: UnauthorizedOperation: You are not authorized.\n  request id: req-1\n  it leaves: vpc-1, rtb-2\nhint: allow ec2:CreateVpc for this role and run `deployer apply` again"
    );
    let unclear = Error::permanent("ec2:CreateVpc", "timeout").leftover(Leftover::Unknown);
    assert_eq!(
        error(None, &unclear, Paint::PLAIN),
        "error: ec2:CreateVpc: timeout\n  it leaves: unknown; the next run looks before it does anything again"
    );
    assert_eq!(
        failure("a\nb", Some("c"), Paint::PLAIN),
        "error: a\nerror: b\nhint: c"
    );
}

#[test]
fn the_end_is_one_line_and_a_replacement_counts_once() {
    let (plan, report) = ran();
    let totals = Totals::of(&plan, &report);
    let calls = CallTotals {
        reads: 200,
        writes: 140,
        throttled: 3,
        ..CallTotals::default()
    };
    assert_eq!(
        summary(&totals, &calls, report.seconds, Paint::PLAIN),
        "Failed in 4m 12s: 1 created, 1 updated, 1 replaced, 0 deleted, 1 unchanged, 1 failed, 1 blocked, 1 not finished; 340 calls (200 reads, 140 writes, 3 throttled)\n"
    );
    let one = CallTotals {
        reads: 1,
        ..CallTotals::default()
    };
    assert_eq!(
        summary(
            &Totals {
                unchanged: 155,
                ..Totals::default()
            },
            &one,
            0.42,
            Paint::PLAIN
        ),
        "No changes: 155 steps in sync; 1 call (1 read, 0 writes)\n"
    );
    let mut halves = report.clone();
    halves
        .outcomes
        .iter_mut()
        .filter(|o| o.1 == Verb::Replace)
        .for_each(|o| o.2 = Outcome::Interrupted);
    assert_eq!(Totals::of(&plan, &halves).interrupted, 2);
}

#[test]
fn drift_lists_what_is_not_in_sync_by_path() {
    insta::assert_snapshot!(drift(&drifted(), Paint::PLAIN));
    assert_eq!(
        drift(&Drift::default(), Paint::PLAIN),
        "Drift: 0 in sync, 0 changed, 0 missing, 0 unmanaged, 0 unchecked\n"
    );
}

#[test]
fn a_notice_says_what_ran_where_how_it_ended_and_what_to_type() {
    let (plan, report) = ran();
    let home = DeploymentRef {
        suffix: "dev".into(),
        account: "123456789012".into(),
        region: "eu-central-1".into(),
        scope: Some("green".into()),
    };
    let mut applied = Notice::new("apply", home.clone());
    applied.ran(
        &Plan {
            problems: Vec::new(),
            ..plan
        },
        &report,
    );
    applied.outcome = "failed";
    applied.exit_code = 1;
    applied.next = Some("deployer apply --env green --suffix dev".into());
    let mut compared = Notice::new("drift", home);
    compared.compared(&drifted());
    compared.outcome = "differs";
    compared.exit_code = 2;
    let texts = [&applied, &compared].map(|n| format!("{}\n\n{}", n.subject(), n.text()));
    insta::assert_snapshot!(texts.join("----\n"));
    let long = Notice {
        command: "destroy",
        home: DeploymentRef {
            region: "x".repeat(90),
            ..DeploymentRef::default()
        },
        ..applied
    };
    assert_eq!(long.subject().len(), 100);
}

#[test]
fn status_outputs_and_state_read_well() {
    let mut state = State::empty("dev", "eu-central-1");
    assert_eq!(
        status(&state, None, None, Paint::PLAIN),
        "suffix dev, account not known yet, region eu-central-1, serial 0\nnothing is recorded\n"
    );
    state.account = "123456789012".into();
    state.steps.insert("vpc-green".into(), record(Stage::Ready));
    state
        .steps
        .insert("subnet-green".into(), record(Stage::Creating));
    assert_eq!(
        status(
            &state,
            Some("green"),
            Some("anna on host (pid 7)"),
            Paint::PLAIN
        ),
        "suffix dev, account 123456789012, region eu-central-1, serial 0\n  green  1 ready, 1 creating\n  ! subnet-green: creating since 1970-01-01 00:00:00 UTC\nlocked by anna on host (pid 7)\n"
    );
    assert_eq!(
        state_list(&state),
        "subnet-green  ec2/vpc  creating  vpc-1\nvpc-green     ec2/vpc  ready     vpc-1\n"
    );
    let all = BTreeMap::from([
        (
            "green".to_owned(),
            json!({"vpc": "vpc-1", "port": 5432, "subnets": ["a", "b"]}),
        ),
        ("tgw".to_owned(), json!(null)),
    ]);
    assert_eq!(
        outputs(&all),
        "green.port     5432\ngreen.subnets  a, b\ngreen.vpc      vpc-1\ntgw            not known yet\n"
    );
}

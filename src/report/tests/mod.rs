mod calls;
mod documents;
mod graphs;
mod plans;
mod progress;

use super::calls::CallTotals;
use super::error::failure;
use super::progress::Progress;
use super::*;
use crate::engine::diff::{Change, Path};
use crate::engine::drift::{Author, Counts, Drift, Found, Row, Status, Unlisted, Unmanaged};
use crate::engine::error::{Error, Leftover};
use crate::engine::event::Verb;
use crate::engine::exec::{Outcome, Report};
use crate::engine::plan::{
    DataLoss, DelegatedField, Interruption, Node, Op, Plan, Problem, Waiting,
};
use crate::state::{Record, Stage, State};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn node(step: &str, kind: &str, scope: &str, verb: Verb) -> Node {
    Node {
        step: step.into(),
        kind: kind.into(),
        scope: scope.into(),
        name: format!("{step}-dev"),
        op: if verb == Verb::Delete {
            Op::Remove
        } else {
            Op::Ensure
        },
        verb,
        spec: Value::Null,
        tags: BTreeMap::new(),
        changes: Vec::new(),
        reasons: Vec::new(),
        live: None,
        needs: Vec::new(),
        record_needs: Vec::new(),
        refused: None,
        replaces: None,
        restore: None,
        upgrade: false,
        seconds: 1.0,
        destroyed: false,
        loss: Default::default(),
        holds_data: false,
        interrupts: Vec::new(),
    }
}

fn change(path: &str, want: Option<Value>, have: Option<Value>) -> Change {
    Change {
        path: match path.split_once('.') {
            Some((field, entry)) => Path::of([field, entry]),
            None => Path::of([path]),
        },
        want,
        have,
    }
}

fn denied() -> Error {
    let mut error = Error::permanent("ec2:CreateVpc", "You are not authorized.")
        .code("UnauthorizedOperation")
        .hint("allow ec2:CreateVpc for this role and run `deployer apply` again");
    error.request_id = Some("req-1".into());
    error
}

fn rich() -> Plan {
    let mut vpc = node("vpc-green", "ec2/vpc", "green", Verb::Update);
    vpc.changes = vec![
        change("dns_hostnames", Some(json!(true)), Some(json!(false))),
        change("routes.tgw", Some(json!("@{tgw-shared.id!}")), None),
        change("tags.Owner", None, Some(json!("me\u{1b}[31m"))),
    ];
    let mut cluster = node("cluster-green", "rds/cluster", "green", Verb::Replace);
    cluster.reasons = vec!["`engine_mode` cannot be changed in place".into()];
    cluster.changes = vec![change(
        "engine_mode",
        Some(json!("serverless")),
        Some(json!("provisioned")),
    )];
    let removal = Node {
        op: Op::Remove,
        changes: Vec::new(),
        loss: DataLoss {
            data: Some("a database".into()),
            protected: true,
            ..DataLoss::default()
        },
        ..cluster.clone()
    };
    let mut adopted = node("bucket-green", "s3/bucket", "green", Verb::Adopt);
    adopted.reasons = vec!["tagged as ours, not in the state file".into()];
    let mut old = node("old-blue", "ec2/subnet", "blue", Verb::Delete);
    old.reasons = vec!["no longer in the blueprint".into()];
    Plan {
        nodes: vec![
            node("tgw-shared", "ec2/transit-gateway", "shared", Verb::Create),
            vpc,
            removal,
            cluster,
            adopted,
            node("subnet-app-a-green", "ec2/subnet", "green", Verb::Create),
            old,
        ],
        unchanged: vec!["vpc-blue".into()],
        problems: vec![Problem {
            step: "role-green".into(),
            error: Error::foreign("read", "iam/role `role-green-dev` (x)"),
        }],
        delegated: vec![DelegatedField {
            step: "service-green".into(),
            field: "count".into(),
            owner: "auto scaling".into(),
            have: json!(12),
            illegal: Some("12 is over 9".into()),
        }],
        waiting: vec![Waiting {
            step: "verify-green".into(),
            scope: "blue".into(),
        }],
        forget: vec!["gone-blue".into()],
        refreshed: BTreeMap::new(),
        notes: vec!["a note".into()],
        vanished: Vec::new(),
        kept: Vec::new(),
    }
}

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
        "error: ec2:CreateVpc: timeout\n  it leaves: unknown; the next run looks for it before it creates again"
    );
    assert_eq!(
        failure("a\nb", Some("c"), Paint::PLAIN),
        "error: a\nerror: b\nhint: c"
    );
}

fn ran() -> (Plan, Report) {
    let plan = rich();
    let outcomes = plan
        .nodes
        .iter()
        .map(|n| {
            let outcome = match n.step.as_str() {
                "bucket-green" => Outcome::Failed(denied()),
                "subnet-app-a-green" => Outcome::Blocked("bucket-green".into()),
                "old-blue" => Outcome::Interrupted,
                _ => Outcome::Done,
            };
            (n.step.clone(), n.verb, outcome)
        })
        .collect();
    (
        plan,
        Report {
            outcomes,
            seconds: 252.0,
        },
    )
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

fn drifted() -> Drift {
    let row = |step: &str, status| Row {
        step: step.into(),
        kind: "ec2/vpc".into(),
        scope: "green".into(),
        name: step.into(),
        status,
        recorded: true,
        changes: Vec::new(),
        unmanaged: Vec::new(),
        out_of_range: Vec::new(),
        reason: None,
        error: None,
    };
    Drift {
        summary: Counts {
            in_sync: 1,
            changed: 1,
            missing: 1,
            unmanaged: 2,
            unchecked: 2,
            out_of_range: 0,
            waiting: 0,
            ..Counts::default()
        },
        steps: vec![
            row("vpc-green", Status::InSync),
            Row {
                changes: vec![
                    change(
                        "cidr",
                        Some(json!("10.0.0.0/16")),
                        Some(json!("10.1.0.0/16")),
                    ),
                    change("rules.https", Some(json!(443)), None),
                ],
                unmanaged: vec![change("rules.ssh", None, Some(json!({"port": 22})))],
                ..row("sg-app-green", Status::Changed)
            },
            Row {
                reason: Some("it is recorded but no longer exists".into()),
                ..row("igw-green", Status::Missing)
            },
            Row {
                reason: Some("it could not be read".into()),
                error: Some(denied()),
                ..row("db-green", Status::Unchecked)
            },
        ],
        unmanaged: vec![Unmanaged {
            kind: "ec2/vpc".into(),
            step: "vpc-green".into(),
            id: "vpc-2".into(),
            name: String::new(),
            reason: "a second one beside the recorded one of `vpc-green`".into(),
        }],
        unlisted: vec![Unlisted {
            kind: "kms/key".into(),
            error: Error::permanent("kms:ListKeys", "no"),
        }],
        authors: vec![
            author(
                "sg-app-green",
                Found::Known {
                    by: "arn:aws:iam::1:user/ann".into(),
                    at: jiff::Timestamp::UNIX_EPOCH,
                    event: "RevokeSecurityGroupIngress".into(),
                },
            ),
            author(
                "igw-green",
                Found::Unknown {
                    why: "CloudTrail names no call that changed it".into(),
                },
            ),
        ],
        event_history: Some("not readable: denied".into()),
        ..Drift::default()
    }
}

fn author(step: &str, found: Found) -> Author {
    Author {
        step: step.into(),
        thing: "sg-1".into(),
        found,
    }
}

#[test]
fn drift_lists_what_is_not_in_sync_by_path() {
    insta::assert_snapshot!(drift(&drifted(), Paint::PLAIN));
    assert_eq!(
        drift(&Drift::default(), Paint::PLAIN),
        "Drift: 0 in sync, 0 changed, 0 missing, 0 unmanaged, 0 unchecked\n"
    );
}

fn record(stage: Stage) -> Record {
    Record {
        kind: "ec2/vpc".into(),
        scope: "green".into(),
        name: "vpc-green-dev".into(),
        stage,
        token: String::new(),
        tags: BTreeMap::new(),
        inputs: json!({}),
        outputs: json!({"id": "vpc-1"}),
        needs: Vec::new(),
        at: jiff::Timestamp::UNIX_EPOCH,
    }
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
        "suffix dev, account no account yet, region eu-central-1, serial 0\nnothing is recorded\n"
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

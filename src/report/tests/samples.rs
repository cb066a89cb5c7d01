//! Plans, runs and comparisons that have something of everything.

use crate::engine::diff::{Change, Path};
use crate::engine::drift::{Author, Counts, Drift, Found, Row, Status, Unlisted, Unmanaged};
use crate::engine::error::Error;
use crate::engine::event::Verb;
use crate::engine::exec::{Outcome, Report};
use crate::engine::plan::{DataLoss, DelegatedField, Node, Op, Plan, Problem, Waiting};
use crate::state::{Record, Stage};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn node(step: &str, kind: &str, scope: &str, verb: Verb) -> Node {
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
        follows: false,
    }
}

pub(super) fn change(path: &str, want: Option<Value>, have: Option<Value>) -> Change {
    Change {
        path: match path.split_once('.') {
            Some((field, entry)) => Path::of([field, entry]),
            None => Path::of([path]),
        },
        want,
        have,
    }
}

pub(super) fn denied() -> Error {
    let mut error = Error::permanent("ec2:CreateVpc", "You are not authorized.")
        .code("UnauthorizedOperation")
        .hint("allow ec2:CreateVpc for this role and run `deployer apply` again");
    error.request_id = Some("req-1".into());
    error
}

pub(super) fn rich() -> Plan {
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

pub(super) fn ran() -> (Plan, Report) {
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

pub(in crate::report) fn drifted() -> Drift {
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

pub(super) fn author(step: &str, found: Found) -> Author {
    Author {
        step: step.into(),
        thing: "sg-1".into(),
        found,
    }
}

pub(super) fn record(stage: Stage) -> Record {
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

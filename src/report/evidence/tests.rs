//! The page asks for nothing outside itself, and text from an account cannot become a part of it.

use super::*;
use crate::engine::drift::Counts;
use crate::evidence::{
    Age, Chain, DELETION, Dated, Event, Inventory, Paths, Requirement, Seen, Status,
};
use serde_json::json;

fn sample() -> EvidenceDocument {
    let seen = |verdict, value, why: Option<&str>| Seen {
        step: "key-data-blue".into(),
        resource: "arn:aws:kms:x".into(),
        operation: "kms:GetKeyRotationStatus".into(),
        field: "RotationPeriodInDays".into(),
        value,
        wanted: "at most 365".into(),
        verdict,
        read: Some("2026-11-29T07:00:01Z".parse().unwrap()),
        why: why.map(str::to_owned),
    };
    let requirement = |id: &str, verdict, values| Requirement {
        id: id.into(),
        asks: "Keys are rotated <script>alert(1)</script>.".into(),
        answered_by: "KMS".into(),
        status: Status::Met,
        tell: String::new(),
        verdict,
        values,
        deviation: None,
    };
    EvidenceDocument {
        home: DeploymentRef {
            suffix: "dev".into(),
            account: "123456789012".into(),
            region: "eu-central-1".into(),
            scope: None,
        },
        from: Timestamp::UNIX_EPOCH,
        to: Timestamp::UNIX_EPOCH,
        version: "0",
        configuration: "0123456789abcdef0123".into(),
        endpoint: Some("http://127.0.0.1:1".into()),
        differs: false,
        run: None,
        complete: true,
        drift: Drift {
            summary: Counts::default(),
            steps: Vec::new(),
            unmanaged: Vec::new(),
            ..Drift::default()
        },
        evidence: Evidence {
            inventory: Inventory::default(),
            paths: Paths::default(),
            requirements: vec![
                requirement(
                    "3.7.1",
                    Verdict::Contradicted,
                    vec![
                        seen(Verdict::Shown, json!(365), None),
                        seen(Verdict::Contradicted, json!(2000), None),
                    ],
                ),
                requirement("9", Verdict::NotSeen, Vec::new()),
                requirement(
                    "1.1",
                    Verdict::NotSeen,
                    vec![seen(
                        Verdict::NotSeen,
                        json!(null),
                        Some("kms:DescribeKey: AccessDenied"),
                    )],
                ),
            ],
            ages: Vec::new(),
            judged: vec![Seen {
                field: "ComplianceType".into(),
                ..seen(Verdict::Contradicted, json!("NON_COMPLIANT: 1"), None)
            }],
            delivered: Vec::new(),
            silent: vec!["alerts-blue: nobody".into()],
            log_groups: vec![("waf-logs-blue".into(), None)],
            support: Vec::new(),
            histories: vec![Chain {
                what: "runs",
                verdict: Verdict::Shown,
                text: "2 lines".into(),
                lines: vec![Event {
                    at: Timestamp::UNIX_EPOCH,
                    by: "me@here".into(),
                    text: "deployer apply & more".into(),
                }],
            }],
            cannot_show: vec!["Compliance.".into()],
        },
        calls: CallTotals::default(),
    }
}

#[test]
fn the_page_is_one_document_and_takes_no_text_for_html() {
    let page = page(&sample());
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    for outside in [
        "http-equiv=\"refresh\"",
        "src=\"http",
        "href=\"http",
        "url(",
        "<script",
        "@import",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    for text in [
        "&lt;script&gt;alert(1)",
        "not to AWS",
        "AccessDenied",
        "deployer apply &amp; more",
        "without an end",
        "1970-01-01 00:00:00 UTC",
        "07:00:01",
        "NON_COMPLIANT: 1",
        "Whether logs arrive",
        "prefers-color-scheme: dark",
        "@media print",
    ] {
        assert!(page.contains(text), "{text}");
    }
    for word in ["compliant", "passed"] {
        assert!(
            !page.contains(word),
            "{word} is nothing that this page can say"
        );
    }
}

#[test]
fn the_summary_counts_three_verdicts_and_what_was_not_looked_at() {
    let mut document = sample();
    let text = summary(&document, "x.html");
    assert!(
        text.contains("0 requirements with live values as wanted, 1 contradicted, 2 not seen"),
        "{text}"
    );
    assert!(!text.contains("not looked at"), "{text}");
    document.drift.summary.unchecked = 3;
    let text = summary(&document, "x.html");
    assert!(
        text.contains("0 differences, 3 not looked at, 0 open paths"),
        "{text}"
    );
}

#[test]
fn differences_name_who_made_them_and_a_run_at_work_is_said() {
    let mut document = sample();
    document.drift = crate::report::tests::drifted();
    document.run = Some("apply by me@here".into());
    let page = page(&document);
    for text in [
        "changed by arn:aws:iam::1:user/ann at 1970-01-01T00:00:00Z (RevokeSecurityGroupIngress)",
        "who changed it: CloudTrail names no call that changed it",
        "Who changed it: not readable: denied",
        "apply by me@here: what was read was moving",
    ] {
        assert!(page.contains(text), "{text}");
    }
    document.drift = Drift::default();
    document.run = None;
    let page = super::page(&document);
    assert!(!page.contains("what was read was moving"));
}

#[test]
fn many_steps_of_one_value_are_folded() {
    let mut document = sample();
    let one = document.evidence.requirements[0].values[0].clone();
    let values = &mut document.evidence.requirements[0].values;
    values.clear();
    for at in 0..7 {
        let mut other = one.clone();
        other.step = format!("key-{at}");
        values.push(other);
    }
    let page = page(&document);
    assert!(page.contains("<summary>7 values</summary>"));
    assert!(page.contains("<details><summary>7 steps</summary>"));
    let page = super::page(&sample());
    assert!(page.contains("<summary>1 value</summary>"));
    assert!(!page.contains("steps</summary>"));
}

#[test]
fn a_key_that_waits_for_its_deletion_stands_at_the_head() {
    let mut document = sample();
    let at = "2026-12-06T10:50:45Z".parse().ok();
    document.evidence.ages = vec![Age {
        step: "key-logs-green".into(),
        resource: "arn:aws:kms:x".into(),
        operation: "kms:DescribeKey".into(),
        dates: vec![Dated { what: DELETION, at }],
        read: Timestamp::UNIX_EPOCH,
        why: None,
    }];
    let page = page(&document);
    let head = page.split("<main>").next().unwrap();
    for text in [
        "KMS deletes key-logs-green at 2026-12-06 10:50:45 UTC",
        "aws kms cancel-key-deletion --key-id arn:aws:kms:x",
    ] {
        assert!(head.contains(text), "{text}");
    }
}

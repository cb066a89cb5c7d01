//! What is a finding, and what the exit code says of it.

use super::account::{clock, kept, thing, unread};
use super::domain::{compared, no_zone, until};
use super::machine::version_of;
use super::*;
use crate::aws::Preflight;
use crate::engine::observe::Observed;
use crate::engine::{Check, Error, Level, Live, Mark, Phase};
use crate::support;
use jiff::civil::date;
use serde_json::json;

fn verdict(of: &Finding) -> Verdict {
    assert!(
        of.verdict == Verdict::Ok || of.verdict == Verdict::Unknown || of.end.is_some(),
        "{of:?} says what ends it"
    );
    of.verdict
}

#[test]
fn an_error_is_1_a_warning_or_something_not_known_is_2() {
    let of = |verdicts: &[Verdict]| {
        let findings: Vec<_> = verdicts
            .iter()
            .map(|v| Finding::new("x", *v, "y"))
            .collect();
        exit(&findings)
    };
    assert_eq!(of(&[]), Exit::Done);
    assert_eq!(of(&[Verdict::Ok]), Exit::Done);
    assert_eq!(of(&[Verdict::Ok, Verdict::Unknown]), Exit::Differs);
    assert_eq!(of(&[Verdict::Warning]), Exit::Differs);
    assert_eq!(of(&[Verdict::Unknown, Verdict::Error]), Exit::Failed);
}

#[test]
fn a_clock_may_be_a_minute_off_and_five_are_refused() {
    for (ahead, wanted) in [
        (0, Verdict::Ok),
        (-59, Verdict::Ok),
        (60, Verdict::Warning),
        (-299, Verdict::Warning),
        (300, Verdict::Error),
        (-301, Verdict::Error),
    ] {
        assert_eq!(verdict(&clock(Ok(ahead))), wanted, "{ahead}");
    }
    let error = Error::permanent("sts:GetCallerIdentity", "no");
    assert_eq!(verdict(&clock(Err(error))), Verdict::Unknown);
}

#[test]
fn a_log_group_of_the_account_is_said_and_one_without_an_end_is_a_warning() {
    let well = kept("log group", Some(30));
    assert_eq!(verdict(&well), Verdict::Ok);
    assert!(
        well.text.contains("30 days: it is the account's"),
        "{well:?}"
    );
    assert_eq!(verdict(&kept("log group", None)), Verdict::Warning);
}

#[test]
fn a_version_is_warned_of_before_its_end() {
    let of = |day| verdict(&version_of(support::DATABASE, "14.6", day));
    assert_eq!(of(date(2026, 8, 1)), Verdict::Ok);
    assert_eq!(of(date(2026, 11, 28)), Verdict::Warning);
    assert_eq!(of(date(2027, 3, 1)), Verdict::Warning);
    let other = version_of(support::RUNTIME, "nodejs99.x", date(2026, 1, 1));
    assert_eq!(verdict(&other), Verdict::Unknown);
}

#[test]
fn what_is_read_is_never_well_unless_it_was_seen_to_be() {
    let live = |phase, outputs| {
        Observed::Found(Live {
            spec: json!({}),
            mark: Mark::Parent,
            outputs,
            phase,
        })
    };
    let error = || Error::permanent("s3:HeadBucket", "no");
    let todo = json!({"attention": "confirm a@b.example"});
    for (found, recorded, wanted) in [
        (Observed::Absent, false, None),
        (Observed::Absent, true, Some(Verdict::Warning)),
        (Observed::Unreadable(error()), true, Some(Verdict::Unknown)),
        (live(Phase::Ready, json!({})), true, Some(Verdict::Ok)),
        (live(Phase::Ready, todo), true, Some(Verdict::Warning)),
        (
            live(Phase::Settling, json!({})),
            true,
            Some(Verdict::Warning),
        ),
        (
            live(Phase::Failed("x".into()), json!({})),
            true,
            Some(Verdict::Error),
        ),
    ] {
        let findings = thing("topic-blue", "sns/topic", recorded, &found);
        assert_eq!(findings.first().map(verdict), wanted, "{found:?}");
    }
}

#[test]
fn facts_that_could_not_be_read_are_said_once() {
    let error = Error::permanent("ecr:DescribeImages", "no");
    let mut found = Preflight::default();
    let said = unread(&found, &error).unwrap();
    assert_eq!(verdict(&said), Verdict::Unknown);
    assert!(said.text.contains("ecr:DescribeImages"), "{said:?}");
    found
        .checks
        .push(Check::new("zones", Level::Error, "too few"));
    assert!(unread(&found, &error).is_none());
}

#[test]
fn a_zone_is_delegated_when_the_zone_above_names_its_servers_and_no_others() {
    let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let own = || list(&["ns-2.example", "ns-1.example"]);
    for (above, wanted) in [
        (list(&["ns-1.example", "ns-2.example"]), Verdict::Ok),
        (list(&["ns-1.example"]), Verdict::Warning),
        (list(&[]), Verdict::Error),
        (list(&["old.example"]), Verdict::Error),
        (
            list(&["ns-1.example", "ns-2.example", "old.example"]),
            Verdict::Error,
        ),
    ] {
        let found = compared("pay.example", own(), above.clone());
        assert_eq!(verdict(&found), wanted, "{above:?}: {found:?}");
        if wanted != Verdict::Ok {
            let end = found.end.unwrap();
            assert!(
                end.contains("pay.example NS ns-1.example, ns-2.example"),
                "{end}"
            );
        }
    }
}

#[test]
fn a_domain_without_its_zone_is_never_said_to_be_delegated() {
    let why = "no public zone of this account covers the domain pay.example";
    let found = no_zone(why);
    assert_eq!(verdict(&found), Verdict::Unknown);
    assert!(found.text.ends_with(why), "{found:?}");
}

#[test]
fn a_certificate_near_its_end_is_a_warning_with_who_renews_it() {
    use aws_sdk_acm::types::{CertificateDetail, CertificateType};
    let now: jiff::Timestamp = "2026-11-29T00:00:00Z".parse().unwrap();
    let of = |kind: CertificateType, days: i64| {
        let end = now.as_second() + days * 86_400;
        let end = aws_smithy_types::DateTime::from_secs(end);
        let detail = CertificateDetail::builder().r#type(kind).not_after(end);
        until("certificate-shared", "arn:x", &detail.build(), now)
    };
    for (kind, days, wanted, says) in [
        (
            CertificateType::AmazonIssued,
            100,
            Verdict::Ok,
            "AWS renews it",
        ),
        (
            CertificateType::AmazonIssued,
            20,
            Verdict::Warning,
            "has not renewed",
        ),
        (
            CertificateType::AmazonIssued,
            -1,
            Verdict::Error,
            "ended on 2026-11-28",
        ),
        (
            CertificateType::Imported,
            100,
            Verdict::Ok,
            "nobody renews it",
        ),
        (
            CertificateType::Imported,
            20,
            Verdict::Warning,
            "in 20 days",
        ),
    ] {
        let found = of(kind, days);
        assert_eq!(verdict(&found), wanted, "{found:?}");
        assert!(found.text.contains(says), "{found:?}");
    }
    let unissued = CertificateDetail::builder().build();
    assert_eq!(
        verdict(&until("c", "arn:x", &unissued, now)),
        Verdict::Warning
    );
}

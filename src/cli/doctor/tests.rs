//! What is a finding, and what the exit code says of it.

use super::account::{clock, kept, thing};
use super::machine::version_of;
use super::*;
use crate::engine::observe::Observed;
use crate::engine::{Error, Live, Mark, Phase};
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

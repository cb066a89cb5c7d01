//! The domain: whether the zone above leads to ours, and until when certificates are valid.

use super::account::unknown;
use crate::aws::{Aws, stamp};
use crate::blueprint::Zone;
use crate::cli::Context;
use crate::cli::traffic::edge;
use crate::report::{Finding, Verdict};
use aws_sdk_acm::types::{CertificateDetail, CertificateType};
use aws_sdk_route53::types::RrType;
use jiff::{SignedDuration, Timestamp};

/// AWS renews its own certificates 45 days or more before their end ("Managed certificate renewal"), so one that is this near is not being
/// renewed.
const NEAR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Which zone is meant is not known, for this reason: then nothing is known of its servers either.
pub(super) fn no_zone(why: &str) -> Finding {
    let text = format!("not checked, because {why}");
    Finding::new("delegation", Verdict::Unknown, text)
}

/// Whether the servers of our zone are those that the zone above names.
pub(super) async fn delegation(cx: &Context<'_>, aws: &Aws, zone: Option<&Zone>) -> Finding {
    let about = "delegation";
    let Some(zone) = zone else {
        return Finding::new(
            about,
            Verdict::Ok,
            "there is no zone yet, or none is needed",
        );
    };
    let names = match edge(cx) {
        Ok(Some(edge)) => edge.names,
        Ok(None) => {
            let text = "not checked: an endpoint on this machine has no DNS above it";
            return Finding::new(about, Verdict::Unknown, text);
        }
        Err(failure) => {
            let finding = Finding::new(about, Verdict::Unknown, failure.message);
            return finding.end("unset DEPLOYER_EDGE");
        }
    };
    let own = match aws.route53.records(&zone.id, &zone.name).await {
        Ok(sets) => {
            let servers = sets.iter().filter(|set| set.r#type == RrType::Ns);
            let apex = servers.filter(|set| plain(&set.name) == plain(&zone.name));
            let values = apex.flat_map(|set| set.resource_records());
            values.map(|record| plain(record.value())).collect()
        }
        Err(error) => return unknown(about, &error),
    };
    match names.delegation(&zone.name).await {
        Ok(above) => compared(&zone.name, own, above),
        Err(why) => Finding::new(about, Verdict::Unknown, format!("not checked: {why}")),
    }
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

/// What the two lists of servers mean.
pub(super) fn compared(zone: &str, mut own: Vec<String>, above: Vec<String>) -> Finding {
    own.sort_unstable();
    let finding = |verdict, text: String| Finding::new("delegation", verdict, text);
    let end = format!(
        "in the zone above (at the registrar for a registered domain): {zone} NS {}",
        own.join(", ")
    );
    let missing: Vec<&str> = own
        .iter()
        .filter(|s| !above.contains(s))
        .map(String::as_str)
        .collect();
    let others: Vec<&str> = above
        .iter()
        .filter(|s| !own.contains(s))
        .map(String::as_str)
        .collect();
    if above.is_empty() {
        let text =
            format!("the zone above {zone} names no servers for it, so nobody finds a name in it");
        finding(Verdict::Error, text).end(end)
    } else if others.len() == above.len() {
        let text = format!(
            "the zone above {zone} leads to other servers: {}",
            others.join(", ")
        );
        finding(Verdict::Error, text).end(end)
    } else if !others.is_empty() {
        let text = format!(
            "the zone above {zone} also names servers that are not the zone's: {}",
            others.join(", ")
        );
        finding(Verdict::Error, text).end(end)
    } else if !missing.is_empty() {
        let text = format!("the zone above {zone} does not name {}", missing.join(", "));
        finding(Verdict::Warning, text).end(end)
    } else {
        let text = format!("the zone above {zone} names its {} servers", own.len());
        finding(Verdict::Ok, text)
    }
}

/// Until when a certificate is valid.
pub(super) async fn certificate(aws: &Aws, of: &str, arn: &str) -> Finding {
    match aws.acm.certificates.get(arn.to_owned()).await {
        Ok(Some(detail)) => until(of, arn, &detail, Timestamp::now()),
        Ok(None) => {
            let text = format!("{of}: there is no certificate {arn}");
            let end =
                "set `routing.certificate_arn` to one of this region, or run `deployer apply`";
            Finding::new("certificate", Verdict::Error, text).end(end)
        }
        Err(error) => unknown(&format!("certificate {of}"), &error),
    }
}

pub(super) fn until(of: &str, arn: &str, detail: &CertificateDetail, now: Timestamp) -> Finding {
    let finding = |verdict, text: String| Finding::new("certificate", verdict, text);
    let Some(end) = detail.not_after().and_then(stamp) else {
        let text = format!("{of} is not issued yet, so it has no end");
        return finding(Verdict::Warning, text).end(format!(
            "aws acm describe-certificate --certificate-arn {arn}"
        ));
    };
    let imported = detail.r#type() == Some(&CertificateType::Imported);
    let day = end.strftime("%Y-%m-%d");
    let left = end.duration_since(now);
    if left > NEAR {
        let who = if imported {
            "nobody renews it: it was imported"
        } else {
            "AWS renews it"
        };
        return finding(Verdict::Ok, format!("{of} is valid until {day}; {who}"));
    }
    let renewal = detail.renewal_summary();
    let why = renewal
        .and_then(|r| r.renewal_status_reason())
        .map(|r| format!(" ({})", r.as_str()));
    let (verdict, text) = if left.is_negative() {
        (Verdict::Error, format!("{of} ended on {day}"))
    } else {
        (
            Verdict::Warning,
            format!("{of} ends on {day}, in {} days", left.as_hours() / 24),
        )
    };
    if imported {
        let command = format!(
            "aws acm import-certificate --certificate-arn {arn} --certificate fileb://.. --private-key fileb://.."
        );
        return finding(
            verdict,
            format!("{text}, and nobody renews it: it was imported"),
        )
        .end(command);
    }
    let text = format!(
        "{text}, and AWS has not renewed it{}",
        why.unwrap_or_default()
    );
    let end = format!(
        "deployer apply makes its validation record again; aws acm describe-certificate --certificate-arn {arn} shows what AWS waits for"
    );
    finding(verdict, text).end(end)
}

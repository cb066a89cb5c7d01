//! Whether a certificate that the configuration names can be served: it is there, issued, and covers the names that clients ask for.
//! A load balancer takes one for other names without a word, and Route 53's health checks do not look at it ("How Amazon Route 53
//! determines whether a health check is healthy").

use super::{Aws, Check, Level};
use aws_sdk_acm::types::{CertificateDetail, CertificateStatus};

const HINT: &str = "set `routing.certificate_arn` to an issued certificate of this region for these names, or leave it out: `apply` then makes one";

/// The finding for a certificate and the names that it must cover.
pub async fn certificate(aws: &Aws, arn: &str, names: &[String]) -> Check {
    let wrong = |text: String| Check {
        hint: Some(HINT.into()),
        ..Check::new("certificate", Level::Error, text)
    };
    match aws.acm.certificates.get(arn.to_owned()).await {
        Ok(Some(detail)) => match unfit(&detail, names) {
            Some(why) => wrong(format!("{arn} {why}")),
            None => Check::new("certificate", Level::Ok, format!("{arn} is issued")),
        },
        Ok(None) => wrong(format!("there is no certificate {arn}")),
        // The listener says it, if it is so.
        Err(error) => Check::new(
            "certificate",
            Level::Warning,
            format!("not checked: {error}"),
        ),
    }
}

/// Why it cannot be served for these names.
fn unfit(detail: &CertificateDetail, names: &[String]) -> Option<String> {
    let status = detail.status();
    if status != Some(&CertificateStatus::Issued) {
        let status = status.map_or("unknown", CertificateStatus::as_str);
        return Some(format!("is not issued: its status is {status}"));
    }
    let own = detail.subject_alternative_names().iter();
    let own: Vec<&str> = own
        .map(String::as_str)
        .chain(detail.domain_name())
        .collect();
    let is_covered = |name: &&String| !own.iter().any(|pattern| covers(pattern, name));
    let missing: Vec<&str> = names
        .iter()
        .filter(is_covered)
        .map(String::as_str)
        .collect();
    (!missing.is_empty()).then(|| format!("does not cover {}", missing.join(", ")))
}

/// A wildcard stands for one label, the first ("ACM certificate characteristics", wildcard names).
fn covers(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name.to_ascii_lowercase());
    match (pattern.strip_prefix("*."), name.split_once('.')) {
        (Some(rest), Some((_, parent))) => rest == parent,
        _ => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_fits_when_it_is_issued_and_covers_every_name() {
        let why = |status: CertificateStatus, own: &[&str]| {
            let detail = CertificateDetail::builder()
                .status(status)
                .set_subject_alternative_names(Some(own.iter().map(|n| (*n).to_owned()).collect()))
                .build();
            let names = ["pay.example", "blue.pay.example", "green.pay.example"];
            unfit(&detail, &names.map(str::to_owned))
        };
        let all = ["pay.example", "*.pay.example"];
        assert_eq!(why(CertificateStatus::Issued, &all), None);
        let pending = why(CertificateStatus::PendingValidation, &all).unwrap();
        assert!(pending.contains("PENDING_VALIDATION"), "{pending}");
        let parent = why(CertificateStatus::Issued, &["*.example"]).unwrap();
        assert_eq!(parent, "does not cover blue.pay.example, green.pay.example");
        assert!(why(CertificateStatus::Issued, &["other.org"]).is_some());
    }
}

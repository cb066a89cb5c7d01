//! CAA records: who may issue certificates for a name. Those that refuse AWS keep our certificate from being renewed.

use crate::aws::OwnThing;
use aws_sdk_route53::types::{ResourceRecordSet, RrType};

/// The domains of which one in a CAA record lets AWS issue a certificate ("Configure a CAA record" in the ACM user guide).
const AMAZON: [&str; 4] = [
    "amazon.com",
    "amazontrust.com",
    "awstrust.com",
    "amazonaws.com",
];

/// Whether a thing of ours is a certificate of AWS for this name: it is renewed only while no CAA record forbids that.
pub(super) fn certifies(thing: &OwnThing, name: &str) -> bool {
    let names = thing.spec["names"].as_array();
    thing.kind == "acm/certificate" && names.is_some_and(|all| all.iter().any(|one| one == name))
}

/// True for CAA records that let others issue certificates, or nobody, and not AWS (RFC 8659, 4.2).
pub(super) fn refuses_amazon(set: &ResourceRecordSet) -> bool {
    if set.r#type != RrType::Caa {
        return false;
    }
    let records = set.resource_records().iter();
    let issuers: Vec<String> = records.filter_map(|r| issuer(r.value())).collect();
    !issuers.is_empty() && !issuers.iter().any(|one| AMAZON.contains(&one.as_str()))
}

/// Who may issue by the value of a CAA record, `0 issue "amazon.com"`; empty for nobody.
fn issuer(value: &str) -> Option<String> {
    let mut words = value.splitn(3, ' ').skip(1);
    let (tag, domain) = (words.next()?, words.next()?);
    let domain = domain.trim().trim_matches('"');
    let domain = domain.split(';').next().unwrap_or_default().trim();
    tag.eq_ignore_ascii_case("issue")
        .then(|| domain.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_route53::types::ResourceRecord;
    use serde_json::{Value, json};

    fn record(kind: RrType) -> ResourceRecordSet {
        let set = ResourceRecordSet::builder().name("dev.example.org.");
        set.r#type(kind).build().unwrap()
    }

    #[test]
    fn a_caa_record_stands_in_the_way_where_it_keeps_our_certificate_from_being_renewed() {
        let caa = |values: &[&str]| {
            let one = |value: &&str| ResourceRecord::builder().value(*value).build().unwrap();
            let mut set = record(RrType::Caa);
            set.resource_records = Some(values.iter().map(one).collect());
            set
        };
        for refused in [
            &["0 issue \"theirs.example\""][..],
            &["0 issue \";\""],
            &[
                "0 iodef \"mailto:a@b.example\"",
                "128 ISSUE \"theirs.example; a=1\"",
            ],
        ] {
            assert!(refuses_amazon(&caa(refused)), "{refused:?}");
        }
        for fine in [
            &[
                "0 issue \"theirs.example\"",
                "0 issue \"Amazon.com; account=1\"",
            ][..],
            &["0 iodef \"mailto:a@b.example\""],
            &["0 issuewild \";\""],
        ] {
            assert!(!refuses_amazon(&caa(fine)), "{fine:?}");
        }
        assert!(!refuses_amazon(&record(RrType::Txt)));
        let ours = OwnThing {
            kind: "acm/certificate".into(),
            step: "certificate".into(),
            name: String::new(),
            spec: json!({ "names": ["dev.example.org", "green.dev.example.org"] }),
            outputs: Value::Null,
        };
        assert!(certifies(&ours, "green.dev.example.org"));
        assert!(!certifies(&ours, "example.org"));
    }
}

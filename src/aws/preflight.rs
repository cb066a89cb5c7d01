//! What can be known before anything is created. First who and where we are and which zones there are: two calls, for
//! every command. Then, when the plan is known, whether what it would really make can be had: the engine version it sends
//! and the quotas of what it creates. Reads only; what goes wrong is a finding.

mod certificate;
mod quotas;
mod support;
mod version;

pub use certificate::certificate;
pub use support::supported;

use super::{Aws, ec2, sts};
use crate::engine::{Check, Class, Error, Level};
use aws_sdk_ec2::types::AvailabilityZone;
use std::collections::BTreeMap;

/// What a plan would make, as far as AWS may refuse it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// By kind and scope: how many.
    pub kinds: BTreeMap<String, BTreeMap<String, Count>>,
    /// Engine versions that are sent.
    pub versions: Vec<Version>,
}

/// Things of one kind in one scope.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// That would be made.
    pub new: usize,
    /// That are there already and ours.
    pub there: usize,
}

/// An engine version that a plan sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The database engine, `aurora-postgresql`.
    pub engine: String,
    /// The version that is asked for.
    pub wanted: String,
    /// The version that runs, if there is one.
    pub running: Option<String>,
}

/// What the pass found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preflight {
    /// The account that the credentials belong to; empty when they do not work.
    pub account: String,
    /// The ARN that AWS knows us by.
    pub caller: String,
    pub region: String,
    /// The region's usable availability zones, sorted by name.
    pub zones: Vec<String>,
    /// The findings, in a stable order.
    pub checks: Vec<Check>,
}

impl Preflight {
    /// The findings that forbid to go on.
    pub fn errors(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|c| c.level == Level::Error)
    }

    /// The errors as one error; `None` when there are none.
    pub fn error(&self) -> Option<Error> {
        let texts: Vec<String> = self
            .errors()
            .map(|c| format!("{}: {}", c.name, c.text))
            .collect();
        let hint = self.errors().find_map(|c| c.hint.clone());
        let error = Error::permanent("preflight", texts.join("; "));
        match (texts.is_empty(), hint) {
            (true, _) => None,
            (false, Some(hint)) => Some(error.hint(hint)),
            (false, None) => Some(error),
        }
    }
}

/// Who and where we are, and the zones. `zones` is how many are needed.
pub async fn survey(aws: &Aws, zones: usize) -> Preflight {
    let who = aws.call(sts::GET_CALLER_IDENTITY, || {
        aws.sts.client.get_caller_identity().send()
    });
    let listed = aws.call(ec2::DESCRIBE_AVAILABILITY_ZONES, || {
        aws.ec2.client.describe_availability_zones().send()
    });
    let (who, listed) = tokio::join!(who, listed);
    let mut out = Preflight {
        region: aws.region.clone(),
        ..Preflight::default()
    };
    match who {
        Ok(who) => {
            out.account = who.account().unwrap_or_default().to_owned();
            out.caller = who.arn().unwrap_or_default().to_owned();
            let text = format!("{} in account {}", out.caller, out.account);
            out.checks.push(Check::new("credentials", Level::Ok, text));
        }
        // Whatever else failed failed because of this.
        Err(error) => {
            out.checks.push(credentials(&error));
            return out;
        }
    }
    match listed {
        Ok(answer) => {
            out.zones = usable(answer.availability_zones());
            out.checks.push(enough(&out.region, &out.zones, zones));
            let used = &out.zones[..zones.min(out.zones.len())];
            out.checks
                .extend(healthy(answer.availability_zones(), used));
        }
        Err(error) => {
            let check = Check::new("zones", Level::Error, error.to_string());
            let hint = error.hint.clone();
            out.checks.push(Check { hint, ..check });
        }
    }
    out
}

/// Whether what a plan would make can be had. A plan that makes nothing of the kind costs no call.
pub async fn check_demand(aws: &Aws, demand: &Demand) -> Vec<Check> {
    let versions = version::all(aws, &demand.versions);
    let quotas = quotas::all(aws, demand);
    let (mut checks, quotas) = tokio::join!(versions, quotas);
    checks.extend(quotas);
    checks
}

fn credentials(error: &Error) -> Check {
    let check = Check::new("credentials", Level::Error, error.to_string());
    let hint = match (&error.hint, error.class) {
        (Some(hint), _) => hint.clone(),
        (None, Class::Unclear) => {
            "check the network, the --region and AWS_ENDPOINT_URL, then repeat the command".into()
        }
        (None, _) => "log in (`aws sso login`, access keys, or --profile NAME) and repeat the command; `aws sts get-caller-identity` must work".into(),
    };
    check.hint(hint)
}

fn fits(value: Option<&str>, want: &str) -> bool {
    value.is_none_or(|v| v == want)
}

/// Zones in which everything can be placed: no local or wavelength zones, none that has to be opted into
/// ("DescribeAvailabilityZones"). An impaired zone is included: the zones are an input of the blueprint, and without it a plan
/// would delete the resources in that zone.
fn usable(zones: &[AvailabilityZone]) -> Vec<String> {
    let mut names: Vec<String> = zones
        .iter()
        .filter(|z| fits(z.opt_in_status().map(|s| s.as_str()), "opt-in-not-required"))
        .filter(|z| fits(z.zone_type(), "availability-zone"))
        .filter_map(|z| z.zone_name().map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// A warning when one of the zones that are used is not well.
fn healthy(zones: &[AvailabilityZone], used: &[String]) -> Option<Check> {
    let ill = zones.iter().filter(|z| {
        let state = z.state().map(|s| s.as_str());
        !fits(state, "available")
            && z.zone_name()
                .is_some_and(|name| used.iter().any(|u| u == name))
    });
    let ill: Vec<String> = ill
        .map(|z| {
            let state = z.state().map_or("unknown", |s| s.as_str());
            format!("{} is {state}", z.zone_name().unwrap_or_default())
        })
        .collect();
    (!ill.is_empty()).then(|| {
        let text = format!("{}; what is made there may fail", ill.join(", "));
        Check::new("zones", Level::Warning, text)
            .hint("see the AWS Health Dashboard; when the zone is well again, the same command resumes from there")
    })
}

fn enough(region: &str, zones: &[String], wanted: usize) -> Check {
    let have = zones.len();
    if have >= wanted {
        return Check::new("zones", Level::Ok, zones[..wanted].join(", "));
    }
    let text = format!(
        "the region {region} has {have} usable availability zones ({}), and `network.zones` asks for {wanted}",
        zones.join(", ")
    );
    let hint = if wanted > 3 && have >= 3 {
        format!("set `network.zones` to {have}, or choose another --region")
    } else {
        "choose another --region".to_owned()
    };
    Check::new("zones", Level::Error, text).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{
        AvailabilityZoneOptInStatus as OptIn, AvailabilityZoneState as State,
    };

    fn zone(name: &str, state: State, opt_in: OptIn, kind: &str) -> AvailabilityZone {
        AvailabilityZone::builder()
            .zone_name(name)
            .state(state)
            .opt_in_status(opt_in)
            .zone_type(kind)
            .build()
    }

    #[test]
    fn only_ordinary_zones_count_and_too_few_are_named() {
        let normal = OptIn::OptInNotRequired;
        let all = [
            zone(
                "r-1b",
                State::Available,
                normal.clone(),
                "availability-zone",
            ),
            zone(
                "r-1a",
                State::Available,
                normal.clone(),
                "availability-zone",
            ),
            zone("r-1c", State::Impaired, normal, "availability-zone"),
            zone(
                "r-1-city-1a",
                State::Available,
                OptIn::OptedIn,
                "local-zone",
            ),
        ];
        let zones = usable(&all);
        assert_eq!(zones, ["r-1a", "r-1b", "r-1c"]);
        let check = enough("r-1", &zones, 4);
        assert_eq!(check.level, Level::Error);
        assert!(
            check.text.contains("has 3 usable availability zones"),
            "{}",
            check.text
        );
        assert_eq!(enough("r-1", &zones, 3).level, Level::Ok);
        // An impaired zone stays in the blueprint; it is reported when it is used.
        assert_eq!(healthy(&all, &zones[..2]), None);
        let check = healthy(&all, &zones).unwrap();
        assert_eq!(check.level, Level::Warning);
        assert!(check.text.contains("r-1c is impaired"), "{}", check.text);
    }

    #[test]
    fn errors_become_one_fault_with_a_hint() {
        let mut out = Preflight::default();
        assert!(out.error().is_none());
        out.checks.push(Check::new("quota", Level::Warning, "low"));
        assert!(out.error().is_none());
        out.checks.push(credentials(&Error::permanent(
            "sts:GetCallerIdentity",
            "no",
        )));
        let error = out.error().unwrap();
        assert!(error.to_string().contains("credentials"), "{error}");
        assert!(error.hint.unwrap().contains("log in"));
        assert_eq!(out.errors().count(), 1);
    }
}

//! Which public zone the domain is in.

use super::Shared;
use super::facts::Zone;
use super::routing::{ZONE, domain, steps};
use crate::aws::Aws;
use crate::aws::route53::{is_within, plain};
use crate::config::Config;
use crate::engine::{Check, Error, Level};
use crate::resources::acm;
use crate::resources::route53::sets;
use aws_sdk_route53::types::HostedZone;
use futures::future::try_join_all;

/// The zone, or what forbids to make anything: none fits, or it is not clear which one is meant. With a certificate given
/// there may be none: then there are no records. Of several zones the one that has the deployment's records is meant.
///
/// # Errors
/// When zones cannot be listed.
pub async fn find(aws: &Aws, config: &Config) -> Result<Result<Option<Zone>, Check>, Error> {
    let zones = aws.route53.zones_now().await?;
    let zones = zones.iter().filter(|zone| {
        let private = zone.config.as_ref().map(|c| c.private_zone);
        private != Some(true)
    });
    if config.routing.create_zone {
        let same = |zone: &&HostedZone| plain(&zone.name) == config.routing.domain;
        let others: Vec<HostedZone> = zones.filter(same).cloned().collect();
        return Ok(own(config, &others));
    }
    // One that this deployment made for itself goes when it is wanted no longer.
    let ours = ours(config);
    let zones = zones.filter(|zone| !zone.caller_reference.starts_with(&ours));
    let zones = zones.map(|zone| Zone {
        id: zone.id.trim_start_matches("/hostedzone/").to_owned(),
        name: plain(&zone.name),
    });
    let mut zones: Vec<Zone> = zones.collect();
    if config.routing.domain.is_empty() && zones.len() > 1 {
        // Somebody has made another zone since: the deployment stays where it is.
        let used = try_join_all(zones.iter().map(|zone| is_used(aws, config, zone))).await?;
        if used.contains(&true) {
            let mut used = used.into_iter();
            zones.retain(|_| used.next() == Some(true));
        }
    }
    Ok(choose(config, zones))
}

/// True for a zone that has records of this deployment.
async fn is_used(aws: &Aws, config: &Config, zone: &Zone) -> Result<bool, Error> {
    let (_, records) = steps();
    let own = records.map(|step| sets::identifier_of(&step, &config.suffix, &config.region));
    let records = aws
        .route53
        .records(&zone.id, &domain(config, &zone.name))
        .await?;
    let mut identifiers = records.iter().filter_map(|r| r.set_identifier());
    Ok(identifiers.any(|id| own.iter().any(|own| own == id)))
}

/// The zone that the deployment makes for itself: no other one of its name may be there, or resolvers would ask the wrong one.
fn own(config: &Config, same: &[HostedZone]) -> Result<Option<Zone>, Check> {
    let ours = ours(config);
    let domain = &config.routing.domain;
    let (own, others): (Vec<_>, Vec<_>) = same
        .iter()
        .partition(|z| z.caller_reference.starts_with(&ours));
    let own = own.first().map(|zone| Zone {
        id: zone.id.trim_start_matches("/hostedzone/").to_owned(),
        name: domain.clone(),
    });
    match others.first() {
        None => Ok(own),
        Some(other) => {
            let text = format!(
                "this account has a public zone {domain} ({}) that this deployment did not make",
                other.id.trim_start_matches("/hostedzone/")
            );
            Err(Check::new("domain", Level::Error, text).hint(
                "use it with `routing.create_zone = false`, or set `routing.domain` to another name",
            ))
        }
    }
}

/// How the references begin with which this deployment makes its zone.
fn ours(config: &Config) -> String {
    format!("{ZONE}-{Shared}.{}.{}.", config.suffix, config.region)
}

/// Whether the domain of a zone of our own is delegated to it: AWS has issued its certificate, which it does for public names only.
///
/// # Errors
/// When certificates cannot be read.
pub async fn is_delegated(aws: &Aws, config: &Config) -> Result<bool, Error> {
    if !config.routing.create_zone || !config.routing.certificate_arn.is_empty() {
        return Ok(true);
    }
    acm::is_issued(aws, &config.routing.domain, &config.suffix).await
}

fn choose(config: &Config, mut zones: Vec<Zone>) -> Result<Option<Zone>, Check> {
    let routing = &config.routing;
    let unclear =
        |text: String, hint: &str| Err(Check::new("domain", Level::Error, text).hint(hint));
    let refused = |text: String, hint: &str| match routing.certificate_arn.is_empty() {
        true => unclear(text, hint),
        false => Ok(None),
    };
    zones.sort_by(|a, b| a.name.cmp(&b.name));
    if !routing.domain.is_empty() {
        zones.retain(|zone| is_within(&routing.domain, &zone.name));
        let longest = zones.into_iter().max_by_key(|zone| zone.name.len());
        return match longest {
            Some(zone) => Ok(Some(zone)),
            None => refused(
                format!(
                    "no public zone of this account covers the domain {}",
                    routing.domain
                ),
                "make a public hosted zone for it in Route 53 and delegate it, set `routing.domain` to a name in a zone that is there, or give `routing.certificate_arn` to do without records",
            ),
        };
    }
    match zones.len() {
        1 => Ok(zones.pop()),
        0 => refused(
            "this account has no public zone for the domain of the deployment".into(),
            "make a public hosted zone in Route 53 and delegate it, then set `routing.domain` to a name in it, or give `routing.certificate_arn` to do without records",
        ),
        _ => {
            let names: Vec<&str> = zones.iter().map(|z| z.name.as_str()).collect();
            unclear(
                format!(
                    "this account has several public zones: {}",
                    names.join(", ")
                ),
                "set `routing.domain` to the domain of this deployment, a name in one of them",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(names: &[&str]) -> Vec<Zone> {
        let zone = |name: &&str| Zone {
            id: name.to_uppercase(),
            name: (*name).to_owned(),
        };
        names.iter().map(zone).collect()
    }

    fn chosen(domain: &str, certificate: &str, names: &[&str]) -> Result<Option<String>, String> {
        let mut config = Config::default();
        config.routing.domain = domain.into();
        config.routing.certificate_arn = certificate.into();
        let zone = choose(&config, zones(names));
        zone.map(|z| z.map(|z| z.name)).map_err(|e| e.text)
    }

    #[test]
    fn the_longest_zone_around_the_domain_is_taken_and_none_or_several_are_refused() {
        let found = |name: &str| Ok(Some(name.to_owned()));
        assert_eq!(chosen("", "", &["example.com"]), found("example.com"));
        let both = ["example.com", "pay.example.com"];
        assert_eq!(
            chosen("x.pay.example.com", "", &both),
            found("pay.example.com")
        );
        assert_eq!(
            chosen("pay.example.com", "", &both),
            found("pay.example.com")
        );
        assert_eq!(chosen("y.example.com", "", &both), found("example.com"));
        assert!(
            chosen("example.org", "", &both)
                .unwrap_err()
                .contains("example.org")
        );
        assert!(chosen("", "", &[]).unwrap_err().contains("no public zone"));
        assert!(
            chosen("", "", &both)
                .unwrap_err()
                .contains("pay.example.com")
        );
        assert_eq!(chosen("", "arn:aws:acm:x", &[]), Ok(None));
        // A certificate does not say which of several zones is meant: to go on without records would delete those that are there.
        assert!(chosen("", "arn:aws:acm:x", &both).is_err());
        assert_eq!(chosen("example.org", "arn:aws:acm:x", &both), Ok(None));
    }
}

//! How clients find the environments: a certificate for the deployment's domain, which both environments share, and per
//! environment a name of its own for tests, `green.{domain}`, and one of the two weighted records of the domain itself.
//!
//! A record is answered while its environment's health check is healthy, whatever its targets say: with several target
//! groups behind a balancer one that is empty would take the whole environment away. When all records with a weight are
//! unhealthy, Route 53 answers the healthy ones with weight 0: so blue takes over from green also from 0.

mod health;
mod weights;

pub use weights::{begin, is_begun, raised, set_begun, with_first_weights};

use self::health::health;
use self::weights::FIRST_WEIGHTS;
use super::alarms::Guard;
use super::edge::Edge;
use super::{DELEGATION, Env, EnvironmentBuilder, ScopeBuilder, Shared};
use crate::config::Config;
use crate::engine::observe::Observations;
use crate::engine::{Graph, Handle, Ref};
use crate::resources::acm::{Certificate, PROOF, Validation};
use crate::resources::route53::{Alias, Record, Text, Weight, Zone, text};

/// The zone in names.
pub const ZONE: &str = "zone";

/// The shared part.
pub struct Routing {
    /// The domain and the zone it is in; `None` without a zone.
    place: Option<Place>,
    /// The ARN of the certificate, once it can be used; a placeholder or a literal.
    pub certificate: Option<String>,
    /// Where the traffic command writes.
    note: Option<Handle<Text>>,
}

/// Where records go.
#[derive(Debug, Clone)]
struct Place {
    domain: String,
    zone: String,
}

impl Place {
    fn name(&self, env: Env) -> String {
        own_name(env, &self.domain)
    }
}

fn own_name(env: Env, domain: &str) -> String {
    format!("{env}.{domain}")
}

/// The names that a certificate covers, each after what it is of: the domain, and an environment's own below it.
pub fn names(domain: &str) -> Vec<(String, String)> {
    let own = Env::ALL.map(|env| (env.to_string(), own_name(env, domain)));
    let domain = ("domain".to_owned(), domain.to_owned());
    std::iter::once(domain).chain(own).collect()
}

/// The domain of a deployment under a zone of this name.
pub fn domain(config: &Config, zone: &str) -> String {
    match config.routing.domain.as_str() {
        "" => format!("{}.{zone}", config.suffix),
        domain => domain.to_owned(),
    }
}

/// Declares the certificate with the records that prove its names, unless the configuration gives one.
pub fn certificate(here: &mut ScopeBuilder<'_, Shared>) -> Routing {
    let found = here.facts.zone.as_ref().map(|zone| Place {
        domain: domain(here.config, &zone.name),
        zone: zone.id.clone(),
    });
    let place = match here.config.routing.create_zone {
        true => Some(own_zone(here)),
        false => found,
    };
    if let Some(place) = &place {
        here.output("domain", &place.domain);
        here.output("url", format!("https://{}", place.domain));
    }
    let note = place.as_ref().map(|place| note(here, place));
    let given = here.config.routing.certificate_arn.clone();
    let certificate = match &place {
        _ if !given.is_empty() => Some(given),
        Some(place) => Some(own_certificate(here, place)),
        None => None,
    };
    Routing {
        place,
        certificate,
        note,
    }
}

/// A zone for the domain, which whoever owns the domain has to delegate.
fn own_zone(here: &mut ScopeBuilder<'_, Shared>) -> Place {
    let domain = here.config.routing.domain.clone();
    let spec = Zone {
        comment: format!("Of the deployment {}", here.config.suffix),
    };
    let zone = here.add_named(ZONE, domain.clone(), spec);
    here.output("zone.name_servers", &zone.name_servers);
    Place {
        domain,
        zone: zone.id.to_string(),
    }
}

/// The record in which the traffic command writes each of its steps, in the same change as the weights: so who comes later, from
/// whatever machine, is refused or sees it ("ChangeResourceRecordSets": all changes of a batch or none).
fn note(here: &mut ScopeBuilder<'_, Shared>, place: &Place) -> Handle<Text> {
    let spec = Text {
        zone: place.zone.clone(),
        name: text::name(&place.domain),
        ttl: NOTE_TTL,
        value: "epoch=0".into(),
        others: Vec::new(),
    };
    here.add(NOTE_RECORD, spec)
}

/// The steps of that record and of an environment's record of the domain.
pub fn steps() -> (String, [String; 2]) {
    let of = Env::ALL.map(|env| format!("{DOMAIN_RECORD}-{env}"));
    (format!("{NOTE_RECORD}-{Shared}"), of)
}

fn own_certificate(here: &mut ScopeBuilder<'_, Shared>, place: &Place) -> String {
    let parts = names(&place.domain);
    let spec = Certificate {
        domain: place.domain.clone(),
        names: parts.iter().map(|(_, name)| name.clone()).collect(),
        key_algorithm: "RSA_2048".into(),
    };
    let certificate = here.add("certificate", spec);
    // One after the other, so that whoever takes the certificate from the last one needs them all.
    let mut arn = certificate.arn.clone();
    for (what, name) in parts {
        let spec = Validation {
            certificate: arn,
            domain: name,
            zone: place.zone.clone(),
            wait: here.facts.delegated,
            value: PROOF.into(),
            others: Vec::new(),
        };
        let validation = here.add(&format!("validation-{what}"), spec);
        arn = validation.certificate.clone();
    }
    arn.ready().to_string()
}

/// Declares an environment's own name, its health checks and its record of the domain. Nobody is sent to the environment before what is
/// given is there, and that stays until nobody is.
pub fn records(
    here: &mut EnvironmentBuilder<'_>,
    routing: &Routing,
    edge: &Edge,
    guards: &[Guard],
    before: &[Ref<()>],
) {
    let Some(place) = &routing.place else {
        return;
    };
    let alias = || Alias {
        name: edge.load_balancer.dns_name.clone(),
        zone: edge.load_balancer.dns_zone.clone(),
        evaluate_health: false,
    };
    let own = place.name(here.env);
    let mut after = before.to_vec();
    after.push(Ref::from(edge.http.arn.as_str()));
    // Nobody is sent to a balancer that knows no path. Without delegation nobody finds the names, and the rules wait for the
    // certificate.
    if here.facts.delegated {
        after.extend(edge.rules.iter().map(|rule| Ref::from(rule.as_str())));
        // Nor under a name that the listener has no certificate for yet.
        after.extend(
            edge.https
                .iter()
                .map(|listener| Ref::from(listener.arn.ready().as_str())),
        );
    }
    let spec = Record {
        zone: place.zone.clone(),
        name: own.clone(),
        alias: alias(),
        weight: Weight::Is(1),
        health_check: None,
        note: None,
        after: after.clone(),
        others: Vec::new(),
    };
    here.add("record-own", spec);
    here.output("url", format!("https://{own}"));
    let health = health(here, own, guards);
    let spec = Record {
        zone: place.zone.clone(),
        name: place.domain.clone(),
        alias: alias(),
        weight: Weight::Is(FIRST_WEIGHTS[here.env as usize]),
        health_check: Some(health.id.clone()),
        note: routing.note.as_ref().map(|note| note.id.clone()),
        after,
        others: Vec::new(),
    };
    here.add(DOMAIN_RECORD, spec);
}

/// The name that the records of the domain have now, and the one that they are to have, where that is not delegated yet: nobody
/// would find the new one, and no certificate is issued for it.
pub fn moves_too_early(graph: &Graph, seen: &Observations) -> Option<(String, String)> {
    let held = graph
        .steps
        .iter()
        .any(|step| step.held.as_deref() == Some(DELEGATION));
    let (_, records) = steps();
    records.iter().filter(|_| held).find_map(|id| {
        let live = seen.get(id)?.live()?;
        let (is, wanted) = (
            live.spec["name"].as_str()?,
            graph.get(id)?.spec["name"].as_str()?,
        );
        (is != wanted).then(|| (is.to_owned(), wanted.to_owned()))
    })
}

/// The record of the traffic command, in ids.
const NOTE_RECORD: &str = "record-traffic";
/// Seconds that resolvers keep it.
pub const NOTE_TTL: i64 = 60;
/// The record of the domain, in ids.
const DOMAIN_RECORD: &str = "record";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Facts, build};
    use crate::engine::observe::Observations;
    use crate::engine::waiting::waiting;
    use serde_json::json;

    #[test]
    fn names_are_below_the_domain_and_the_certificate_covers_them() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let certificate = graph.get("certificate-shared").unwrap();
        let names = certificate.spec["names"].as_array().unwrap();
        for env in Env::ALL {
            for record in ["record", "record-own"] {
                let step = graph.get(&format!("{record}-{env}")).unwrap();
                assert!(names.contains(&step.spec["name"]), "{:?}", step.spec);
            }
        }
    }

    #[test]
    fn an_environment_alone_brings_the_note_of_the_traffic() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let (note, records) = steps();
        for (env, record) in Env::ALL.iter().zip(records) {
            let chosen = graph.select(Some(&env.to_string()));
            for step in [&note, &record] {
                assert!(chosen[graph.position(step).unwrap()], "{step} for {env}");
            }
        }
    }

    #[test]
    fn what_needs_the_certificate_of_a_made_zone_waits_for_its_delegation_and_nothing_else_does() {
        let mut config = Config::default();
        config.routing.domain = "pay.example.org".into();
        config.routing.create_zone = true;
        let facts = |delegated| Facts {
            zone: None,
            delegated,
            ..Facts::sample()
        };
        let waiting = |delegated| -> Vec<String> {
            let graph = build(&config, &facts(delegated)).unwrap();
            let chosen = graph.select(None);
            let (nothing, state) = (
                Observations::new(),
                crate::state::State::empty("dev", "eu-central-1"),
            );
            let waiting = waiting(&graph, &chosen, &nothing, &state);
            let steps = graph.steps.iter().zip(waiting);
            let held = steps.filter(|(_, why)| *why == Some(crate::blueprint::DELEGATION));
            held.map(|(step, _)| step.id.clone()).collect()
        };
        assert_eq!(waiting(true), Vec::<String>::new());
        let held = waiting(false);
        for env in Env::ALL {
            for thing in ["listener-https", "rule-ready", "service-payment-api"] {
                assert!(
                    held.contains(&format!("{thing}-{env}")),
                    "{thing}: {held:?}"
                );
            }
            for thing in ["alb", "aurora", "cluster", "record", "vpc"] {
                assert!(
                    !held.contains(&format!("{thing}-{env}")),
                    "{thing}: {held:?}"
                );
            }
        }
        let graph = build(&config, &facts(false)).unwrap();
        assert_eq!(graph.get("zone-shared").unwrap().name, "pay.example.org");
        for what in ["domain", "blue", "green"] {
            let id = format!("validation-{what}-shared");
            assert!(!held.contains(&id), "{id}");
            let spec = &graph.get(&id).unwrap().spec;
            assert_eq!(
                (&spec["wait"], &spec["zone"]),
                (&json!(false), &json!("@{zone-shared.id}"))
            );
        }
    }

    #[test]
    fn an_environment_alone_brings_all_records_of_the_certificate() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let chosen = graph.select(Some("green"));
        for what in ["domain", "blue", "green"] {
            let at = graph
                .position(&format!("validation-{what}-shared"))
                .unwrap();
            assert!(chosen[at], "{what}");
        }
    }
}

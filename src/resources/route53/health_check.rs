//! A health check of Route 53: of an endpoint on the internet, of an alarm, or one that is calculated from others.

use super::sets::built;
use super::tags::{self, CheckTags};
use super::watched_alarm::{self, WatchedAlarm};
use crate::engine::ownership::MARK_SUFFIX;
use crate::resources::holders::explain;
use crate::resources::prelude::*;
use aws_sdk_route53::types as t;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HealthCheck {
    /// `HTTPS`, `CLOUDWATCH_METRIC` or `CALCULATED`.
    pub check: String,
    /// Who is asked; not the name of a record that the check decides about.
    pub domain: Option<String>,
    pub port: Option<i32>,
    pub path: Option<String>,
    /// Seconds between checks of one checker, 10 or 30.
    pub interval: Option<i32>,
    /// Checks in a row that change the state.
    pub threshold: Option<i32>,
    /// The name is sent with the handshake.
    pub sni: Option<bool>,
    /// The alarm that it follows.
    #[serde(default)]
    pub alarm: Option<WatchedAlarm>,
    /// What it is while the alarm has no data: `Healthy`, `Unhealthy` or `LastKnownStatus`.
    #[serde(default)]
    pub without_data: Option<String>,
    /// The checks that it is calculated from.
    pub children: Vec<Ref<HealthCheck>>,
    /// How many of them must be healthy.
    pub healthy_children: Option<i32>,
    /// A disabled check counts as healthy.
    pub disabled: bool,
    /// Healthy counts as unhealthy, and the reverse.
    pub inverted: bool,
    /// The only regions that it is asked from, when somebody chose some; without, AWS asks from all.
    #[serde(default)]
    pub regions: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct HealthCheckOutputs {
    pub id: Ref<HealthCheck>,
    /// Its caller reference, which names deployment and step.
    pub reference: Ref<HealthCheck>,
}

const READ: Api = route53::LIST_HEALTH_CHECKS;
const CREATE: Api = route53::CREATE_HEALTH_CHECK;
const UPDATE: Api = route53::UPDATE_HEALTH_CHECK;
const DELETE: Api = route53::DELETE_HEALTH_CHECK;

/// What a caller reference says: `{step}.{suffix}.{region}.{generation}`. AWS refuses that of a deleted check for days, so
/// every generation has another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    pub step: String,
    pub suffix: String,
    pub region: String,
}

impl Reference {
    pub(super) fn of(cx: &Aws, identity: &Identity) -> Self {
        let suffix = identity.tags.get(MARK_SUFFIX);
        Self {
            step: identity.step.clone(),
            suffix: suffix.cloned().unwrap_or_default(),
            region: cx.region.clone(),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let [step, suffix, region, _] = parts[..] else {
            return None;
        };
        Some(Self {
            step: step.into(),
            suffix: suffix.into(),
            region: region.into(),
        })
    }

    /// At most 64 characters.
    pub(super) fn text(&self, token: &str) -> String {
        let generation: String = token.chars().take(8).collect();
        let Self {
            step,
            suffix,
            region,
        } = self;
        format!("{step}.{suffix}.{region}.{generation}")
    }
}

impl Kind for HealthCheck {
    const TYPE: &'static str = "route53/health_check";
    type Outputs = HealthCheckOutputs;
}

impl Resource for HealthCheck {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (2.0, 2.0),
        // An endpoint in AWS; HTTPS and the short interval are options that cost extra.
        cost: |it| {
            if it.check == "CALCULATED" || it.alarm.is_some() {
                return Cost::fixed("calculated_check_month", 1);
            }
            let options = [
                it.check.starts_with("HTTPS"),
                it.check.ends_with("STR_MATCH"),
                it.interval == Some(10),
            ];
            let options = options.into_iter().filter(|o| *o).count();
            Cost::fixed("health_check_month", 1).and("health_check_option_month", options)
        },
        fixed: &["check", "interval"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = CheckTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let ours = Reference::of(cx, key.identity);
        let checks = match key.outputs {
            Some(it) => {
                // What is recorded is asked for at once.
                let tags = cx.route53.check_tags(it.id.as_str());
                let (checks, tags) = futures::join!(cx.route53.checks(), tags);
                let is_it = |c: &&t::HealthCheck| c.id() == it.id.as_str();
                checks?.iter().find(is_it).cloned().zip(tags?)
            }
            None => {
                let checks = cx.route53.checks().await?;
                let is_it = |c: &&t::HealthCheck| {
                    Reference::parse(c.caller_reference()).as_ref() == Some(&ours)
                };
                match checks.iter().find(is_it) {
                    Some(check) => {
                        let tags = cx.route53.check_tags(check.id()).await?;
                        Some(check.clone()).zip(tags)
                    }
                    None => None,
                }
            }
        };
        let Some((check, mut found)) = checks else {
            return Ok(None);
        };
        // The tags come after the create call: until then the reference stands for the mark.
        if let Some(reference) = Reference::parse(check.caller_reference()) {
            for (name, value) in tags::mark(cx, &reference) {
                found.entry(name).or_insert(value);
            }
        }
        cx.recent.note(check.id(), &found);
        let outputs = HealthCheckOutputs {
            id: READ.field(Some(check.id()), "Id")?,
            reference: READ.field(Some(check.caller_reference()), "CallerReference")?,
        };
        let config = check.health_check_config();
        let config = config.ok_or_else(|| READ.missing("HealthCheckConfig"))?;
        let spec = Self {
            alarm: watched_alarm::of(cx, &check, key.spec.alarm.as_ref()),
            ..Self::of(config)
        };
        Ok(Some(Found::tagged(spec, outputs, found)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<HealthCheckOutputs, Error> {
        let reference = Reference::of(cx, identity).text(&identity.token);
        let call = cx.route53.client.create_health_check();
        let call = call
            .caller_reference(&reference)
            .health_check_config(self.config()?);
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let id = made.health_check().map(t::HealthCheck::id);
        Ok(HealthCheckOutputs {
            id: CREATE.field(id, "Id")?,
            reference: reference.into(),
        })
    }

    async fn update(&self, cx: &Aws, it: &HealthCheckOutputs, delta: &Delta) -> Result<(), Error> {
        let everywhere = t::ResettableElementName::Regions;
        let reset = delta.touches("regions").then(|| vec![everywhere]);
        let call = cx.route53.client.update_health_check();
        let call = call
            .health_check_id(&it.id)
            .set_fully_qualified_domain_name(self.domain.clone())
            .set_port(self.port)
            .set_resource_path(self.path.clone())
            .set_failure_threshold(self.threshold)
            .set_enable_sni(self.sni)
            .set_alarm_identifier(watched_alarm::identifier(self.alarm.as_ref())?)
            .set_insufficient_data_health_status(self.without_data())
            .set_child_health_checks((!self.children.is_empty()).then(|| texts(&self.children)))
            .set_health_threshold(self.healthy_children)
            .disabled(self.disabled)
            .inverted(self.inverted)
            .set_reset_elements(reset);
        cx.call(UPDATE, || call.clone().send()).await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &HealthCheckOutputs) -> Result<(), Error> {
        let call = cx.route53.client.delete_health_check();
        let call = call.health_check_id(&it.id);
        let answer = cx.delete(DELETE, || call.clone().send()).await;
        explain(answer, others(cx, it)).await
    }
}

/// The checks of others that are calculated from it.
async fn others(cx: &Aws, it: &HealthCheckOutputs) -> Result<Vec<String>, Error> {
    let own = Reference::parse(it.reference.as_str());
    let checks = cx.route53.checks().await?;
    let above = checks.iter().filter(|check| {
        let config = check.health_check_config();
        let children = config.map(|c| c.child_health_checks()).unwrap_or_default();
        children.iter().any(|id| id == it.id.as_str())
    });
    let theirs = above.filter(|check| {
        let other = Reference::parse(check.caller_reference());
        let beside = |own: &Reference, other: &Reference| {
            own.suffix == other.suffix && own.region == other.region
        };
        !own.as_ref()
            .zip(other.as_ref())
            .is_some_and(|(own, other)| beside(own, other))
    });
    Ok(theirs
        .map(|check| format!("health check {}", check.id()))
        .collect())
}

impl HealthCheck {
    /// One of this type with nothing set.
    pub fn of_type(check: &str) -> Self {
        Self {
            check: check.into(),
            domain: None,
            port: None,
            path: None,
            interval: None,
            threshold: None,
            sni: None,
            alarm: None,
            without_data: None,
            children: Vec::new(),
            healthy_children: None,
            disabled: false,
            inverted: false,
            regions: Vec::new(),
        }
    }

    fn without_data(&self) -> Option<t::InsufficientDataHealthStatus> {
        self.without_data.as_deref().map(Into::into)
    }

    /// From what AWS shows, but for its alarm. Only an endpoint has a place, and only a calculated one children.
    fn of(config: &t::HealthCheckConfig) -> Self {
        let calculated = config.r#type == t::HealthCheckType::Calculated;
        let follows = config.r#type == t::HealthCheckType::CloudwatchMetric;
        let asks = !calculated && !follows;
        let endpoint = |value: Option<i32>| value.filter(|_| asks);
        let without_data = config.insufficient_data_health_status();
        let text = |value: Option<&str>| value.filter(|t| !t.is_empty()).map(str::to_owned);
        Self {
            check: config.r#type.as_str().to_owned(),
            domain: text(config.fully_qualified_domain_name()),
            port: endpoint(config.port()),
            path: text(config.resource_path()),
            interval: endpoint(config.request_interval()),
            threshold: endpoint(config.failure_threshold()),
            sni: config.enable_sni().filter(|_| asks),
            alarm: None,
            without_data: without_data
                .filter(|_| follows)
                .map(|status| status.as_str().to_owned()),
            children: config
                .child_health_checks()
                .iter()
                .map(|id| Ref::from(id.as_str()))
                .collect(),
            healthy_children: config.health_threshold().filter(|_| calculated),
            disabled: config.disabled() == Some(true),
            inverted: config.inverted() == Some(true),
            regions: regions(config.regions()),
        }
    }

    fn config(&self) -> Result<t::HealthCheckConfig, Error> {
        let config = t::HealthCheckConfig::builder()
            .r#type(self.check.as_str().into())
            .set_fully_qualified_domain_name(self.domain.clone())
            .set_port(self.port)
            .set_resource_path(self.path.clone())
            .set_request_interval(self.interval)
            .set_failure_threshold(self.threshold)
            .set_enable_sni(self.sni)
            .set_alarm_identifier(watched_alarm::identifier(self.alarm.as_ref())?)
            .set_insufficient_data_health_status(self.without_data())
            .set_child_health_checks((!self.children.is_empty()).then(|| texts(&self.children)))
            .set_health_threshold(self.healthy_children)
            .disabled(self.disabled)
            .inverted(self.inverted);
        built(config.build())
    }
}

/// The regions that a check is asked from; none for all of them ("HealthCheckConfig" in the API reference, Regions).
fn regions(shown: &[t::HealthCheckRegion]) -> Vec<String> {
    const ALL: usize = 8;
    let all: BTreeSet<&str> = shown.iter().map(t::HealthCheckRegion::as_str).collect();
    let some = Some(all).filter(|all| all.len() < ALL);
    some.into_iter().flatten().map(str::to_owned).collect()
}

/// The reference says whose a check is.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let checks = cx.route53.checks().await?;
    let ours = checks.iter().filter_map(|check| {
        let reference = Reference::parse(check.caller_reference())?;
        let here = reference.suffix == suffix && reference.region == cx.region;
        let tags = here.then(|| tags::mark(cx, &reference))?;
        marked(HealthCheck::TYPE, check.id(), "", tags, suffix)
    });
    Ok(ours.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_says_whose_the_check_is_and_is_short_enough() {
        let reference = Reference {
            step: "health-endpoint-green".into(),
            suffix: "abcdefghijkl".into(),
            region: "ap-southeast-1".into(),
        };
        let text = reference.text("0123456789abcdef");
        assert!(text.len() <= 64, "{text}");
        assert_eq!(Reference::parse(&text), Some(reference));
        assert_eq!(Reference::parse("somebody else's"), None);
    }

    #[test]
    fn what_is_sent_reads_back_the_same() {
        let endpoint = HealthCheck {
            domain: Some("green.example.com".into()),
            port: Some(443),
            path: Some("/ready".into()),
            interval: Some(10),
            threshold: Some(3),
            sni: Some(true),
            ..HealthCheck::of_type("HTTPS")
        };
        let again = HealthCheck::of(&endpoint.config().unwrap());
        let json = |check: &HealthCheck| serde_json::to_value(check).unwrap();
        assert_eq!(json(&again), json(&endpoint));
    }

    #[test]
    fn a_check_from_some_regions_shows_them_and_one_from_all_shows_none() {
        let of = |names: &[&str]| {
            let all: Vec<t::HealthCheckRegion> = names.iter().map(|n| (*n).into()).collect();
            regions(&all)
        };
        assert_eq!(of(&["sa-east-1", "us-east-1"]), ["sa-east-1", "us-east-1"]);
        let all = "ap-northeast-1 ap-southeast-1 ap-southeast-2 eu-west-1 sa-east-1 us-east-1 us-west-1 us-west-2";
        let all: Vec<&str> = all.split(' ').collect();
        assert_eq!(of(&all), Vec::<String>::new());
        assert_eq!(of(&[]), Vec::<String>::new());
    }
}

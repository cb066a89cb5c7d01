//! A public hosted zone. It takes no tags with the create call: its caller reference says whose it is.

use super::health_check::Reference;
use super::tags::{self, ZoneTags};
use crate::aws::route53::plain;
use crate::resources::holders::{self, held_by};
use crate::resources::prelude::*;
use aws_sdk_route53::types as t;

/// Its name is the domain.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Zone {
    /// For people.
    pub comment: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ZoneOutputs {
    /// `Z..`, without `/hostedzone/`.
    pub id: Ref<Zone>,
    /// What was given at its creation.
    pub reference: Ref<Zone>,
    /// The name servers that the domain is delegated to, one behind the other.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub name_servers: Ref<()>,
}

const READ: Api = route53::GET_HOSTED_ZONE;
const CREATE: Api = route53::CREATE_HOSTED_ZONE;
const UPDATE: Api = route53::UPDATE_HOSTED_ZONE_COMMENT;
const DELETE: Api = route53::DELETE_HOSTED_ZONE;

impl Kind for Zone {
    const TYPE: &'static str = "route53/zone";
    /// "DNS domain name format" in the Route 53 developer guide.
    const NAME: NameRule = NameRule {
        min: 3,
        max: 255,
        legal: |c| c.is_ascii_alphanumeric() || "-._".contains(c),
        charset: "letters, digits, `-`, `_` and dots",
    };
    type Outputs = ZoneOutputs;
}

impl Resource for Zone {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (5.0, 5.0),
        cost: |_| Cost::fixed("hosted_zone_month", 1).used(&["dns_queries"]),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = ZoneTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = match key.outputs {
            Some(it) => it.id.to_string(),
            None => match of_step(cx, key.identity).await? {
                Some(id) => id,
                None => return Ok(None),
            },
        };
        let call = cx.route53.client.get_hosted_zone().id(&id);
        let shown = cx.call(READ, || call.clone().send());
        let (shown, tags) = futures::join!(shown, cx.route53.zone_tags(&id));
        let (Some(shown), Some(mut tags)) = (found(shown)?, found(tags)?) else {
            return Ok(None);
        };
        let zone = shown
            .hosted_zone()
            .ok_or_else(|| READ.missing("HostedZone"))?;
        if let Some(reference) = Reference::parse(zone.caller_reference()) {
            for (name, value) in tags::mark(cx, &reference) {
                tags.entry(name).or_insert(value);
            }
        }
        cx.recent.note(&id, &tags);
        let comment = zone.config().and_then(|c| c.comment());
        let spec = Self {
            comment: comment.unwrap_or_default().to_owned(),
        };
        let outputs = outputs(READ, zone, shown.delegation_set())?;
        Ok(Some(Found::tagged(spec, outputs, tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<ZoneOutputs, Error> {
        let config = t::HostedZoneConfig::builder()
            .comment(&self.comment)
            .private_zone(false)
            .build();
        let call = cx.route53.client.create_hosted_zone();
        let call = call
            .name(&identity.name)
            .caller_reference(Reference::of(cx, identity).text(&identity.token))
            .hosted_zone_config(config);
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let zone = made
            .hosted_zone()
            .ok_or_else(|| CREATE.missing("HostedZone"))?;
        outputs(CREATE, zone, made.delegation_set())
    }

    async fn update(&self, cx: &Aws, it: &ZoneOutputs, _: &Delta) -> Result<(), Error> {
        let call = cx.route53.client.update_hosted_zone_comment();
        let call = call.id(&it.id).comment(&self.comment);
        cx.call(UPDATE, || call.clone().send()).await.map(drop)
    }

    /// AWS refuses a zone with records; those that are left are others'.
    async fn delete(&self, cx: &Aws, it: &ZoneOutputs) -> Result<(), Error> {
        let call = cx.route53.client.delete_hosted_zone().id(&it.id);
        match cx.delete(DELETE, || call.clone().send()).await {
            Err(error) if error.class == Class::InUse => {
                // What cannot be read is left out: the refusal itself is the news.
                let sets = cx.route53.every_record(it.id.as_str()).await;
                let own = |s: &t::ResourceRecordSet| ["NS", "SOA"].contains(&s.r#type.as_str());
                let others = sets.unwrap_or_default().into_iter().filter(|s| !own(s));
                let text =
                    |s: t::ResourceRecordSet| format!("record {} {}", plain(&s.name), s.r#type);
                let named = others.map(|s| holders::Named::stays(text(s)));
                Err(held_by(error, named.collect()))
            }
            other => other,
        }
    }
}

fn outputs(
    api: Api,
    zone: &t::HostedZone,
    set: Option<&t::DelegationSet>,
) -> Result<ZoneOutputs, Error> {
    let servers = set.map(|s| s.name_servers()).unwrap_or_default();
    let mut servers: Vec<String> = servers.iter().map(|s| plain(s)).collect();
    servers.sort();
    let id: String = api.field(Some(zone.id()), "Id")?;
    Ok(ZoneOutputs {
        id: id.trim_start_matches("/hostedzone/").into(),
        reference: api.field(Some(zone.caller_reference()), "CallerReference")?,
        name_servers: servers.join(", ").as_str().into(),
    })
}

/// The zone that the step made.
async fn of_step(cx: &Aws, identity: &Identity) -> Result<Option<String>, Error> {
    let ours = Reference::of(cx, identity);
    let zones = cx.route53.zones_now().await?;
    let mut found = zones
        .iter()
        .filter(|zone| Reference::parse(zone.caller_reference()).as_ref() == Some(&ours));
    let id = found
        .next()
        .map(|zone| zone.id.trim_start_matches("/hostedzone/").to_owned());
    Ok(id)
}

/// The reference says whose a zone is.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let zones = cx.route53.zones().await?;
    let ours = zones.iter().filter_map(|zone| {
        let reference = Reference::parse(zone.caller_reference())?;
        let here = reference.suffix == suffix && reference.region == cx.region;
        let tags = here.then(|| tags::mark(cx, &reference))?;
        let id = zone.id.trim_start_matches("/hostedzone/");
        marked(Zone::TYPE, id, &plain(&zone.name), tags, suffix)
    });
    Ok(ours.collect())
}

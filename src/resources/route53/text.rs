//! A text record of one value that another actor keeps: who has moved the traffic last, and how far. It has a set identifier
//! and a weight, as all records of ours do, although it is alone with its name.

use super::sets::{self, built};
use crate::aws::route53::plain;
use crate::resources::prelude::*;
use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, RrType};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Text {
    /// The id of the public zone.
    pub zone: String,
    /// Its name, in lower case and without a dot at its end.
    pub name: String,
    /// How long resolvers keep it, in seconds.
    pub ttl: i64,
    /// What it says, at most 255 characters.
    pub value: String,
    /// Sets of this name that are not this deployment's and answer for it too: `TXT theirs`, `NS`.
    #[serde(default)]
    pub others: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TextOutputs {
    /// Its set identifier.
    pub id: Ref<Text>,
    pub name: Ref<Text>,
}

impl Kind for Text {
    const TYPE: &'static str = "route53/text";
    type Outputs = TextOutputs;
}

/// The kind of record.
pub const KIND: &str = "TXT";

impl Resource for Text {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::ByName,
        seconds: (2.0, 2.0),
        cost: |_| Cost::NONE,
        fixed: &["zone", "name"],
        changing: &[],
        replace: Replace::CreateFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[Delegated {
            field: "value",
            owner: "the traffic command",
            record: None,
            legal: |owner| match owner.found.as_str().and_then(epoch) {
                Some(_) => Ok(()),
                None => Err("it begins with `epoch=` and a number".into()),
            },
        }],
    };
    type Tags = NoTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let (zone, name) = (&key.spec.zone, &key.spec.name);
        let id = key.outputs.map(|it| it.id.as_str());
        let there = sets::at(cx, zone, name, KIND, (id, key.identity)).await?;
        let Some(set) = there.own else {
            return match there.rivals.first().filter(|_| key.outputs.is_none()) {
                Some(rival) => Err(sets::taken(&sets::described(rival))),
                None => Ok(None),
            };
        };
        let spec = Self {
            zone: zone.clone(),
            name: plain(set.name()),
            ttl: set.ttl().unwrap_or_default(),
            value: value(&set),
            others: there.rivals.iter().map(|s| sets::entry(s, name)).collect(),
        };
        let id = set.set_identifier().unwrap_or_default();
        Ok(Some(Found::of_parent(spec, outputs(id, name))))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<TextOutputs, Error> {
        let id = sets::identifier(identity);
        let set = set(&self.name, &id, self.ttl, &self.value)?;
        sets::create(cx, &self.zone, set).await?;
        Ok(outputs(&id, &self.name))
    }

    /// What it says stays as it is now: it is not ours to change.
    async fn update(&self, cx: &Aws, it: &TextOutputs, delta: &Delta) -> Result<(), Error> {
        sets::take_away(cx, &self.zone, &self.name, delta).await?;
        if !delta.touches("ttl") {
            return Ok(());
        }
        let Some(old) = sets::live(cx, &self.zone, &self.name, it.id.as_str()).await? else {
            let text = format!("the text record of {} is no longer there", self.name);
            return Err(Error::permanent("route53:ChangeResourceRecordSets", text)
                .hint("run `deployer apply` again: it makes it anew"));
        };
        let new = set(&self.name, it.id.as_str(), self.ttl, &value(&old))?;
        sets::replace(cx, &self.zone, old, new).await
    }

    async fn delete(&self, cx: &Aws, it: &TextOutputs) -> Result<(), Error> {
        match sets::live(cx, &self.zone, &self.name, it.id.as_str()).await? {
            Some(old) => sets::delete(cx, &self.zone, old).await,
            None => Ok(()),
        }
    }
}

/// The number that such a value begins with.
pub fn epoch(value: &str) -> Option<u64> {
    let first = value.split(' ').next()?;
    first.strip_prefix("epoch=")?.parse().ok()
}

/// The number of a word in such a value: `blue=90`.
pub fn number(value: &str, word: &str) -> Option<i64> {
    let mut pairs = value.split(' ').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == word)?.1.parse().ok()
}

/// Such a value with other weights, and the next number; `None` while it says no weights.
pub fn moved(value: &str, weights: &[(String, i64)]) -> Option<String> {
    let next = epoch(value)?.checked_add(1)?;
    let mut has_weights = false;
    let pairs = value.split(' ').enumerate().map(|(at, pair)| {
        let key = pair.split_once('=').map_or(pair, |(key, _)| key);
        match weights.iter().find(|(word, _)| word == key) {
            _ if at == 0 => format!("epoch={next}"),
            Some((word, weight)) => {
                has_weights = true;
                format!("{word}={weight}")
            }
            None => pair.to_owned(),
        }
    });
    let moved = pairs.collect::<Vec<_>>().join(" ");
    has_weights.then_some(moved)
}

/// Where the traffic command writes beside the records of a name.
pub fn name(domain: &str) -> String {
    format!("_traffic.{domain}")
}

/// What a set of records says, without quotes.
pub fn value(set: &ResourceRecordSet) -> String {
    let first = set.resource_records().first();
    let text = first.map(|r| r.value()).unwrap_or_default();
    text.trim_matches('"').to_owned()
}

/// A set with one value.
///
/// # Errors
/// When the value is no text that a record can hold.
pub fn set(name: &str, id: &str, ttl: i64, value: &str) -> Result<ResourceRecordSet, Error> {
    let quoted = ResourceRecord::builder().value(format!("\"{value}\""));
    let set = ResourceRecordSet::builder()
        .name(name)
        .r#type(RrType::from(KIND))
        .set_identifier(id)
        .weight(1)
        .ttl(ttl)
        .resource_records(built(quoted.build())?);
    built(set.build())
}

fn outputs(id: &str, name: &str) -> TextOutputs {
    TextOutputs {
        id: id.into(),
        name: name.into(),
    }
}

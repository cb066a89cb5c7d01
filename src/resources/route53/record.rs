//! A weighted alias record: one of those that answer for a name. Its weight is the traffic command's.

use super::HealthCheck;
use super::answered;
use super::sets::{self, built};
use super::text::{self, Text};
use crate::aws::route53::plain;
use crate::resources::elbv2::LoadBalancer;
use crate::resources::prelude::*;
use aws_sdk_route53::types::{AliasTarget, ChangeAction, ResourceRecordSet, RrType};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// The id of the public zone.
    pub zone: String,
    /// Its name, in lower case and without a dot at its end.
    pub name: String,
    pub alias: Alias,
    /// Its share of the answers, against the weights of the others of this name; 0 to 255.
    pub weight: Weight,
    /// An unhealthy one is not answered.
    pub health_check: Option<Ref<HealthCheck>>,
    /// Where the traffic command says which weight it has set; `None` for a record that it does not move.
    pub note: Option<Ref<Text>>,
    /// What is there before anybody is sent to the balancer, and stays until nobody is: the rules that answer, and what they rest on.
    #[serde(default)]
    pub after: Vec<Ref<()>>,
    /// Sets of this name that are not this deployment's and answer for it too: `A theirs`, `AAAA`, `NS`; and `NS of` a name above it
    /// that is none of ours. The first of ours shows them.
    #[serde(default)]
    pub others: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Weight {
    /// As it should be, or as it was found.
    Is(i64),
    /// Found, and not the one that the traffic command has set last; `None` where it has set none, and `apply` makes no such one.
    Unrecorded { is: i64, recorded: Option<i64> },
}

impl Weight {
    fn value(self) -> i64 {
        match self {
            Self::Is(is) | Self::Unrecorded { is, .. } => is,
        }
    }
}

/// The weight that a record has, by its settings as they were read.
pub fn live_weight(spec: &serde_json::Value) -> Option<i64> {
    Weight::deserialize(&spec["weight"]).ok().map(Weight::value)
}

/// What `apply` gives a record of an environment that is alone, and one that is made beside another.
const MADE_WITH: [i64; 2] = [100, 0];

/// What a record answers with the addresses of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alias {
    pub name: Ref<LoadBalancer>,
    /// The zone of that name.
    pub zone: Ref<LoadBalancer>,
    /// The health of the balancer's targets counts. With several groups it says nothing: one without targets is unhealthy.
    pub evaluate_health: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RecordOutputs {
    /// Its set identifier.
    pub id: Ref<Record>,
    pub name: Ref<Record>,
}

impl Kind for Record {
    const TYPE: &'static str = "route53/record";
    type Outputs = RecordOutputs;
}

/// The kind of what we alias: balancers with IPv4 addresses.
const KIND: &str = "A";

impl Resource for Record {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::ByName,
        seconds: (2.0, 2.0),
        cost: |_| Cost::NONE,
        fixed: &["zone", "name"],
        changing: &[],
        // Another name or zone: the old one is answered until the new one is.
        replace: Replace::CreateFirst,
        holds_data: false,
        interrupts: &[(
            "alias",
            "clients are sent elsewhere once their resolvers ask again, about a minute",
        )],
        write_only: &["note", "after"],
        watched: &[],
        delegated: &[Delegated {
            field: "weight",
            owner: "the traffic command",
            record: None,
            legal: |owner| match Weight::deserialize(owner.found) {
                Ok(Weight::Is(0..=255)) => Ok(()),
                Ok(Weight::Unrecorded {
                    is,
                    recorded: Some(recorded),
                }) => Err(format!(
                    "it is {is}, and the traffic command has set {recorded} last: `deployer traffic status` shows more"
                )),
                Ok(Weight::Unrecorded { is, recorded: None }) => Err(format!(
                    "it is {is}, which neither `apply` nor a traffic command has set: `deployer traffic rollback` gives everything to blue"
                )),
                _ => Err("a weight is 0 to 255".into()),
            },
        }],
    };
    const GONE: Option<&'static str> =
        Some("who asks for this name gets no answer, about a minute later");
    type Tags = NoTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let (zone, name) = (&key.spec.zone, &key.spec.name);
        let notes = async {
            match &key.spec.note {
                Some(_) => cx.route53.records(zone, &text::name(name)).await,
                None => Ok(Vec::new()),
            }
        };
        let id = key.outputs.map(|it| it.id.as_str());
        let there = sets::at(cx, zone, name, KIND, (id, key.identity));
        let (there, notes) = tokio::try_join!(there, notes)?;
        let Some(set) = there.own else {
            return match there.rivals.first().filter(|_| key.outputs.is_none()) {
                Some(rival) => Err(sets::taken(&sets::described(rival))),
                None => Ok(None),
            };
        };
        let id = set.set_identifier().unwrap_or_default();
        let alias = set.alias_target();
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        let spec = Self {
            zone: zone.clone(),
            name: plain(set.name()),
            alias: Alias {
                name: shown_name(alias.map(AliasTarget::dns_name)).into(),
                zone: text(alias.map(AliasTarget::hosted_zone_id)).into(),
                evaluate_health: alias.is_some_and(AliasTarget::evaluate_target_health),
            },
            weight: match there.is_without_weight {
                true => Weight::Unrecorded {
                    is: 0,
                    recorded: None,
                },
                false => weight(
                    set.weight().unwrap_or_default(),
                    noted(cx, &notes, key.identity),
                    key.spec.weight.value(),
                ),
            },
            health_check: set.health_check_id().map(Ref::from),
            note: key.spec.note.clone(),
            after: key.spec.after.clone(),
            others: if there.is_first {
                there.rivals.iter().map(|s| sets::entry(s, name)).collect()
            } else {
                Vec::new()
            },
        };
        let same_name = key
            .spec
            .alias
            .name
            .as_str()
            .eq_ignore_ascii_case(spec.alias.name.as_str());
        let mut found = Found::of_parent(spec, outputs(id, name));
        if same_name {
            // AWS shows the balancer's name in lower case.
            found.spec.alias.name = key.spec.alias.name.clone();
        }
        Ok(Some(found))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<RecordOutputs, Error> {
        let id = sets::identifier(identity);
        let set = self.set(&id, self.weight.value())?;
        if self.weight.value() > 0 {
            sets::create(cx, &self.zone, set).await?;
        } else {
            let there = cx.route53.records(&self.zone, &self.name).await?;
            self.send(cx, &id, there, (ChangeAction::Create, set))
                .await?;
        }
        Ok(outputs(&id, &self.name))
    }

    /// The weight stays as it is now: it is not ours to change.
    async fn update(&self, cx: &Aws, it: &RecordOutputs, delta: &Delta) -> Result<(), Error> {
        sets::take_away(cx, &self.zone, &self.name, delta).await?;
        if !["alias", "health_check"].iter().any(|f| delta.touches(f)) {
            return Ok(());
        }
        let Some(old) = sets::live(cx, &self.zone, &self.name, it.id.as_str()).await? else {
            let text = format!("the record of {} is no longer there", self.name);
            return Err(Error::permanent("route53:ChangeResourceRecordSets", text)
                .hint("run `deployer apply` again: it makes it anew"));
        };
        let id = old.set_identifier().unwrap_or_default();
        let new = self.set(id, old.weight().unwrap_or(self.weight.value()))?;
        sets::replace(cx, &self.zone, old, new).await
    }

    async fn delete(&self, cx: &Aws, it: &RecordOutputs) -> Result<(), Error> {
        let id = it.id.as_str();
        let there = cx.route53.records(&self.zone, &self.name).await?;
        match sets::with_id(&there, id) {
            Some(old) => self.send(cx, id, there, (ChangeAction::Delete, old)).await,
            None => Ok(()),
        }
    }
}

impl Record {
    /// Makes or deletes this record, together with what keeps a weight at the name.
    async fn send(
        &self,
        cx: &Aws,
        id: &str,
        there: Vec<ResourceRecordSet>,
        own: (ChangeAction, ResourceRecordSet),
    ) -> Result<(), Error> {
        let place = (self.zone.as_str(), self.name.as_str(), id);
        let mut changes = answered::with(cx, place, there, self.note.is_some()).await?;
        changes.push(own);
        sets::change_once(cx, &self.zone, changes).await
    }

    fn set(&self, id: &str, weight: i64) -> Result<ResourceRecordSet, Error> {
        let alias = AliasTarget::builder()
            .dns_name(&self.alias.name)
            .hosted_zone_id(&self.alias.zone)
            .evaluate_target_health(self.alias.evaluate_health);
        let set = ResourceRecordSet::builder()
            .name(&self.name)
            .r#type(RrType::from(KIND))
            .set_identifier(id)
            .weight(weight)
            .set_health_check_id(self.health_check.as_ref().map(String::from))
            .alias_target(built(alias.build())?);
        built(set.build())
    }
}

/// The weight that the traffic command has noted for a step's environment, once it has set any.
fn noted(cx: &Aws, notes: &[ResourceRecordSet], identity: &Identity) -> Option<i64> {
    let ours = sets::is_own(&cx.own, identity);
    let note = notes.iter().find(|s| s.r#type == RrType::Txt && ours(s))?;
    let env = identity.tags.get("Environment").map_or("", String::as_str);
    text::number(&text::value(note), env)
}

/// A weight, held against what the traffic command has noted; without a note, against what `apply` makes.
fn weight(is: i64, noted: Option<i64>, first: i64) -> Weight {
    let is_known = match noted {
        Some(noted) => noted == is,
        None => is == first || MADE_WITH.contains(&is),
    };
    if is_known {
        return Weight::Is(is);
    }
    Weight::Unrecorded {
        is,
        recorded: noted,
    }
}

fn outputs(id: &str, name: &str) -> RecordOutputs {
    RecordOutputs {
        id: id.into(),
        name: name.into(),
    }
}

/// The name as the balancer tells it: the record may have AWS's prefix for both kinds of addresses.
fn shown_name(name: Option<&str>) -> String {
    let name = plain(name.unwrap_or_default());
    let bare = name.strip_prefix("dualstack.");
    bare.unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Owner;
    use serde_json::Value;

    #[test]
    fn a_weight_is_known_by_the_note_and_before_the_first_note_as_one_that_apply_makes() {
        let is_known = |is, noted, first| weight(is, noted, first) == Weight::Is(is);
        for made in [90, 100, 0] {
            assert!(is_known(made, None, 90), "{made}");
        }
        for changed in [10, 50, 89, 255] {
            assert!(!is_known(changed, None, 90), "{changed}");
        }
        assert!(is_known(50, Some(50), 90));
        for changed in [90, 100, 0] {
            assert!(!is_known(changed, Some(50), 90), "{changed}");
        }
    }

    #[test]
    fn what_nobody_recorded_is_outside_the_range_and_says_who_should_have() {
        let [delegated] = Record::FACTS.delegated else {
            panic!("one field is delegated");
        };
        let legal = |found: Weight| {
            let found = serde_json::to_value(found).unwrap();
            let wanted = &Value::from(90);
            (delegated.legal)(&Owner {
                wanted,
                found: &found,
                record: None,
            })
        };
        assert_eq!(legal(weight(90, None, 90)), Ok(()));
        let error = legal(weight(50, None, 90)).unwrap_err();
        assert!(error.contains("neither `apply` nor"), "{error}");
        let error = legal(weight(50, Some(25), 90)).unwrap_err();
        assert!(error.contains("has set 25 last"), "{error}");
    }
}

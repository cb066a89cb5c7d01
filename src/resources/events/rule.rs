//! A rule of the default bus: which events go where. Its targets are its own: one too many sends our events to somebody else.

use crate::resources::owned::marked_of;
use crate::resources::prelude::*;
use crate::resources::rest::rest;
use crate::resources::sns::Topic;
use aws_sdk_eventbridge::types as t;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rule {
    pub description: String,
    /// Which events, by field: "Amazon EventBridge event patterns". Its lists are sets.
    pub pattern: BTreeMap<String, Value>,
    pub enabled: bool,
    /// Where they go, by a name within the rule.
    pub targets: BTreeMap<String, Target>,
    /// What else is set: a schedule beside the pattern, a role. The desired set is always empty.
    #[serde(default)]
    pub others: Exposed,
}

/// A place that gets the events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    pub topic: Ref<Arn<Topic>>,
    /// Whatever else is set, as a set of names: what changes what arrives, by whose right, and how often it is tried. The desired
    /// set is always empty: a topic's policy lets events in, and they arrive as they are.
    #[serde(default)]
    pub more: Vec<String>,
}

impl Target {
    /// A topic that gets the events as they are.
    pub const fn topic(topic: Ref<Arn<Topic>>) -> Self {
        Self {
            topic,
            more: Vec::new(),
        }
    }

    fn of(target: &t::Target) -> Self {
        Self {
            topic: target.arn().into(),
            more: rest!(target; id, arn).into_keys().collect(),
        }
    }
}

/// EventBridge's way to change tags: by ARN.
pub enum EventsTags {}

const PUT: Api = events::PUT_RULE;

impl Kind for Rule {
    const TYPE: &'static str = "events/rule";
    const KNOWN_BY_NAME: bool = true;
    /// "PutRule" in the EventBridge API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 64,
        legal: |c| c.is_ascii_alphanumeric() || ".-_".contains(c),
        charset: "letters, digits and `.-_`",
    };
    type Outputs = Named<Self>;
}

impl Resource for Rule {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = EventsTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let arn = arn(cx, name);
        let tags = cx.tagged(&arn, &key.identity.tags, cx.events.tags(&arn));
        let more = futures::future::try_join(cx.events.targets(name), tags);
        // What is not recorded is asked for only when it exists.
        let (rule, more) = match key.outputs {
            Some(_) => {
                let (rule, more) = futures::join!(cx.events.rules.named(name), more);
                (rule?, more)
            }
            None => match cx.events.rules.named(name).await? {
                Some(rule) => (Some(rule), more.await),
                None => return Ok(None),
            },
        };
        let (Some(rule), Some((targets, tags))) = (rule, found(more)?) else {
            return Ok(None);
        };
        cx.recent.note(&arn, &tags);
        let pattern = serde_json::from_str(rule.event_pattern().unwrap_or_default());
        let targets = targets.iter().map(|t| (t.id().to_owned(), Target::of(t)));
        let spec = Self {
            description: rule.description().unwrap_or_default().to_owned(),
            pattern: pattern.unwrap_or_default(),
            enabled: rule.state() == Some(&t::RuleState::Enabled),
            targets: targets.collect(),
            others: others(&rule),
        };
        Ok(Some(Found::tagged(spec, Named::new(name, arn), tags)))
    }

    /// The rule without targets, which come behind it.
    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let name = identity.name.as_str();
        let given = Some(tags(PUT, &identity.tags)?);
        self.put(cx, name, given).await?;
        Ok(Named::new(name, arn(cx, name)))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, delta: &Delta) -> Result<(), Error> {
        let name = it.name.as_str();
        if delta.changes.iter().any(|c| c.field() != "targets") {
            // Tags in a put of what exists are ignored.
            self.put(cx, name, None).await?;
        }
        let edits = delta.entries("targets");
        let gone = edits.iter().filter(|(_, edit)| **edit == Edit::Remove);
        let gone: Vec<String> = gone.map(|(id, _)| (*id).to_owned()).collect();
        remove(cx, name, gone).await?;
        let wanted = edits
            .keys()
            .filter_map(|id| self.targets.get_key_value(*id));
        let form = |(id, target): (&String, &Target)| {
            let target = t::Target::builder().id(id).arn(&target.topic);
            target.build()
        };
        let wanted = wanted.map(form).collect::<Result<Vec<_>, _>>();
        let api = events::PUT_TARGETS;
        let wanted = wanted.map_err(|e| Error::permanent(api.action(), e.to_string()))?;
        if wanted.is_empty() {
            return Ok(());
        }
        let call = cx.events.client.put_targets().rule(name);
        let call = call.set_targets(Some(wanted));
        let answer = cx.call(api, || call.clone().send()).await?;
        let refused = answer.failed_entries().iter();
        let refused = refused.map(|f| (f.error_code(), f.error_message()));
        all_done(api, answer.failed_entry_count(), refused)
    }

    /// A rule with targets is not deleted.
    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let name = it.name.as_str();
        let Some(targets) = found(cx.events.targets(name).await)? else {
            return Ok(());
        };
        let ids = targets.iter().map(|t| t.id().to_owned());
        remove(cx, name, ids.collect()).await?;
        let call = cx.events.client.delete_rule().name(name);
        let api = events::DELETE_RULE;
        cx.delete(api, || call.clone().send()).await
    }
}

/// What is set and stands in no field. Without a bus a rule is of the default one.
fn others(rule: &t::Rule) -> Exposed {
    let mut out = rest!(rule; name, arn, event_pattern, state, description);
    out.retain(|name, value| (name.as_str(), value.as_str()) != ("event bus name", "default"));
    out
}

impl Rule {
    async fn put(&self, cx: &Aws, name: &str, tags: Option<Vec<t::Tag>>) -> Result<(), Error> {
        let state = if self.enabled {
            t::RuleState::Enabled
        } else {
            t::RuleState::Disabled
        };
        let pattern = serde_json::to_string(&self.pattern);
        let pattern = pattern.map_err(|e| Error::permanent(PUT.action(), e.to_string()))?;
        let call = cx.events.client.put_rule().name(name);
        let call = call
            .description(&self.description)
            .event_pattern(pattern)
            .state(state)
            .set_tags(tags);
        cx.call(PUT, || call.clone().send()).await.map(drop)
    }
}

/// A call takes 100 ids.
async fn remove(cx: &Aws, rule: &str, ids: Vec<String>) -> Result<(), Error> {
    let api = events::REMOVE_TARGETS;
    for some in ids.chunks(100) {
        let call = cx.events.client.remove_targets().rule(rule);
        let call = call.set_ids(Some(some.to_vec()));
        let answer = match found(cx.call(api, || call.clone().send()).await)? {
            Some(answer) => answer,
            None => return Ok(()),
        };
        let refused = answer.failed_entries().iter();
        let refused = refused.map(|f| (f.error_code(), f.error_message()));
        all_done(api, answer.failed_entry_count(), refused)?;
    }
    Ok(())
}

/// These calls answer with success when entries of theirs failed.
fn all_done<'a>(
    api: Api,
    failed: i32,
    mut entries: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>,
) -> Result<(), Error> {
    if failed == 0 {
        return Ok(());
    }
    let (code, why) = entries.next().unwrap_or_default();
    let text = format!(
        "a target failed: {}",
        why.or(code).unwrap_or("without a reason")
    );
    // Its change under way is the one reason that passes by itself.
    let class = match code {
        Some("ConcurrentModificationException") => Class::NotReady,
        _ => Class::Permanent,
    };
    Err(Error::of(class, api.action(), text))
}

fn arn(cx: &Aws, name: &str) -> String {
    cx.arn("events", &format!("rule/{name}"))
}

fn tags(api: Api, tags: &Tags) -> Result<Vec<t::Tag>, Error> {
    tags.iter()
        .map(|(k, v)| t::Tag::builder().key(k).value(v).build())
        .collect::<Result<_, _>>()
        .map_err(|e| Error::permanent(api.action(), e.to_string()))
}

impl TagCalls<Named<Rule>> for EventsTags {
    async fn change(
        cx: &Aws,
        it: &Named<Rule>,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        const TAG: Api = events::TAG_RESOURCE;
        if !set.is_empty() {
            let call = cx.events.client.tag_resource().resource_arn(&it.arn);
            let call = call.set_tags(Some(tags(TAG, set)?));
            cx.call(TAG, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.events.client.untag_resource().resource_arn(&it.arn);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = events::UNTAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.events.all_rules().await?;
    marked_of(cx, Rule::TYPE, suffix, all, |cx, arn| {
        Box::pin(async move { found(cx.events.tags(arn).await) })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_set_and_not_read_is_a_difference() {
        let plain = || t::Rule::builder().name("a").event_bus_name("default");
        assert!(others(&plain().build()).is_empty());
        for one in [
            plain().schedule_expression("rate(1 minute)"),
            plain().role_arn("arn"),
            plain().managed_by("somebody"),
            plain().event_bus_name("theirs"),
        ] {
            assert_eq!(others(&one.build()).len(), 1);
        }
        let target =
            |t: t::builders::TargetBuilder| Target::of(&t.id("a").arn("b").build().unwrap()).more;
        assert!(target(t::Target::builder()).is_empty());
        let queue = t::DeadLetterConfig::builder().arn("theirs").build();
        let retry = t::RetryPolicy::builder().maximum_retry_attempts(0).build();
        let set = t::Target::builder()
            .dead_letter_config(queue)
            .retry_policy(retry)
            .input("{}")
            .role_arn("arn");
        assert_eq!(
            target(set),
            ["dead letter config", "input", "retry policy", "role arn"]
        );
    }
}

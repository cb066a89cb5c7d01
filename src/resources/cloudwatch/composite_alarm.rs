//! An alarm on other alarms: one call for whoever is on duty, whatever goes off.

use super::actions::actions;
use super::alarm::{ALARM_NAME, Alarm, other_kind};
use super::tags::{AlarmTags, tags};
use crate::aws::cloudwatch::Alarm as Read;
use crate::resources::owned::marked_of;
use crate::resources::prelude::*;
use crate::resources::rest::rest;
use crate::resources::sns::Topic;
use aws_sdk_cloudwatch::types as t;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CompositeAlarm {
    pub description: String,
    /// It goes off when any of them does; a set. A rule of another form reads as that rule.
    pub any_of: Vec<Ref<Alarm>>,
    /// Whether anybody is notified.
    pub actions: bool,
    /// Who is notified when it goes off, and when it is over again; a set.
    pub notify: Vec<Ref<Arn<Topic>>>,
    /// Who else is notified of anything, what keeps its actions from being taken, and whatever else is set.
    #[serde(default)]
    pub exposed: Exposed,
}

const PUT: Api = cloudwatch::PUT_COMPOSITE_ALARM;
const READ: Api = cloudwatch::DESCRIBE_ALARMS;

impl Kind for CompositeAlarm {
    const TYPE: &'static str = "cloudwatch/composite_alarm";
    const NAME: NameRule = ALARM_NAME;
    type Outputs = Named<Self>;
}

impl Resource for CompositeAlarm {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |_| Cost::fixed("composite_alarm_month", 1),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = AlarmTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let alarm = match cx.cloudwatch.alarm(name).await? {
            None => return Ok(None),
            Some(Read::Metric(_)) => return Ok(Some(other_kind(name, key.spec))),
            Some(Read::Composite(alarm)) => alarm,
        };
        let arn: String = READ.field(alarm.alarm_arn(), "AlarmArn")?;
        let tags = cx.tagged(&arn, &key.identity.tags, cx.cloudwatch.tags(&arn));
        let Some(tags) = found(tags.await)? else {
            return Ok(None);
        };
        cx.recent.note(&arn, &tags);
        let insufficient = alarm.insufficient_data_actions();
        let (notify, mut exposed) =
            actions(alarm.alarm_actions(), alarm.ok_actions(), insufficient);
        let silent = alarm.actions_suppressor().filter(|s| !s.is_empty());
        exposed.extend(silent.map(|by| (format!("suppressor/{by}"), "on".to_owned())));
        exposed.extend(others(&alarm));
        let spec = Self {
            description: alarm.alarm_description().unwrap_or_default().to_owned(),
            any_of: parsed(
                &cx.arn("cloudwatch", "alarm:"),
                alarm.alarm_rule().unwrap_or_default(),
            ),
            actions: alarm.actions_enabled().unwrap_or(true),
            notify,
            exposed,
        };
        Ok(Some(Found::tagged(spec, Named::new(name, arn), tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let name = identity.name.as_str();
        self.put(cx, name, Some(tags(&identity.tags))).await?;
        Ok(Named::new(
            name,
            cx.arn("cloudwatch", &format!("alarm:{name}")),
        ))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, _: &Delta) -> Result<(), Error> {
        self.put(cx, it.name.as_str(), None).await
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let call = cx.cloudwatch.client.delete_alarms().alarm_names(&it.name);
        let api = cloudwatch::DELETE_ALARMS;
        cx.delete(api, || call.clone().send()).await
    }
}

impl CompositeAlarm {
    async fn put(&self, cx: &Aws, name: &str, tags: Option<Vec<t::Tag>>) -> Result<(), Error> {
        let call = cx.cloudwatch.client.put_composite_alarm().alarm_name(name);
        let targets = Some(texts(&self.notify));
        let call = call
            .alarm_description(&self.description)
            .alarm_rule(rule(&self.any_of))
            .actions_enabled(self.actions)
            .set_alarm_actions(targets.clone())
            .set_ok_actions(targets)
            .set_tags(tags);
        cx.call(PUT, || call.clone().send()).await.map(drop)
    }
}

fn rule(any_of: &[Ref<Alarm>]) -> String {
    let mut all: Vec<String> = any_of
        .iter()
        .map(|name| format!("ALARM(\"{name}\")"))
        .collect();
    all.sort();
    all.join(" OR ")
}

/// The alarms of a rule of our form, however it is spaced and quoted, and whether it names them or gives their ARNs; another rule as
/// it stands. `ours` is what an ARN of this account and region begins with.
fn parsed(ours: &str, text: &str) -> Vec<Ref<Alarm>> {
    any_of(ours, text).unwrap_or_else(|| vec![text.into()])
}

fn any_of(ours: &str, text: &str) -> Option<Vec<Ref<Alarm>>> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    loop {
        rest = behind(behind(rest, "ALARM")?, "(")?;
        let quote = rest.chars().next().filter(|c| "\"'".contains(*c));
        let (name, after) = match quote {
            Some(quote) => rest[1..].split_once(quote)?,
            None => rest.split_at(rest.find(|c: char| c.is_whitespace() || c == ')')?),
        };
        if name.is_empty() || name.contains(['(', ')', '"', '\\']) {
            return None;
        }
        all.push(name.strip_prefix(ours).unwrap_or(name).into());
        rest = behind(after.trim_start(), ")")?;
        if rest.is_empty() {
            return Some(all);
        }
        rest = behind(rest, "OR")?;
    }
}

/// What follows a word and the blanks behind it.
fn behind<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    Some(text.strip_prefix(word)?.trim_start())
}

/// What is set beside the rule, the actions and what keeps them from being taken.
fn others(alarm: &t::CompositeAlarm) -> Exposed {
    let mut out = rest!(alarm;
        actions_enabled, alarm_actions, alarm_arn, alarm_configuration_updated_timestamp,
        alarm_description, alarm_name, alarm_rule, insufficient_data_actions, ok_actions,
        state_reason, state_reason_data, state_updated_timestamp, state_value,
        state_transitioned_timestamp, actions_suppressed_by, actions_suppressed_reason,
        actions_suppressor, actions_suppressor_wait_period, actions_suppressor_extension_period,
    );
    let tags = alarm.action_configuration();
    // Tags are not sent unless somebody wants it.
    if tags.and_then(|a| a.alarm_tags_propagation()?.enabled()) != Some(true) {
        out.remove("action configuration");
    }
    out
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let [_, all] = &*cx.cloudwatch.all_alarms().await?;
    marked_of(cx, CompositeAlarm::TYPE, suffix, all.clone(), |cx, arn| {
        Box::pin(async move { found(cx.cloudwatch.tags(arn).await) })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:";

    #[test]
    fn a_rule_reads_back_and_a_foreign_one_as_it_stands() {
        let all: Vec<Ref<Alarm>> = vec!["b-green-dev".into(), "a-green-dev".into()];
        let text = rule(&all);
        assert_eq!(text, "ALARM(\"a-green-dev\") OR ALARM(\"b-green-dev\")");
        let mut back = parsed(OURS, &text);
        back.sort();
        assert_eq!(back.len(), 2);
        assert_eq!(back[1], all[0]);
        for other in [
            "ALARM(a) AND NOT OK(b)",
            "ALARM(a) OR OK(b)",
            "ALARM(a) OR",
            "NOT ALARM(a)",
            "",
        ] {
            assert_eq!(parsed(OURS, other)[0].as_str(), other);
        }
    }

    #[test]
    fn blanks_quotes_and_arns_make_no_difference() {
        let same = [
            "ALARM(\"a\") OR ALARM(\"b or c\")",
            "\n ALARM ( 'a' )\n  OR\tALARM(\"b or c\") ",
            "ALARM( a ) OR ALARM(\"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:b or c\")",
        ];
        for text in same {
            let names = parsed(OURS, text);
            let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            assert_eq!(names, ["a", "b or c"], "{text}");
        }
        let theirs = "arn:aws:cloudwatch:eu-central-1:999999999999:alarm:a";
        assert_eq!(
            parsed(OURS, &format!("ALARM({theirs})"))[0].as_str(),
            theirs
        );
    }

    #[test]
    fn tags_in_what_is_sent_are_a_difference() {
        let tags = |on| {
            let tags = t::AlarmTagsPropagation::builder().enabled(on).build();
            let tags = t::ActionConfiguration::builder().alarm_tags_propagation(tags);
            t::CompositeAlarm::builder()
                .action_configuration(tags.build())
                .build()
        };
        assert_eq!(others(&tags(true)).len(), 1);
        assert!(others(&tags(false)).is_empty());
    }
}

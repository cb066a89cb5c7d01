//! A rule of AWS's. PutConfigRule overwrites whatever has the name: the engine reads before it creates, and a foreign one is an
//! error.

use super::tags::{ConfigTags, tags};
use super::{Recorder, after_put, singletons};
use crate::resources::owned::marked_of;
use crate::resources::prelude::*;
use crate::resources::rest::rest;
use aws_sdk_config::types as t;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rule {
    /// The recorder of the region: only what it records is evaluated.
    pub recorder: Ref<Recorder>,
    /// `S3_BUCKET_SSL_REQUESTS_ONLY`: one of "List of AWS Config Managed Rules".
    pub identifier: String,
    /// What it asks, for whoever reads its findings.
    pub description: String,
    /// Its parameters; AWS takes texts only.
    pub parameters: BTreeMap<String, String>,
    /// What it looks at; `None` for everything that is recorded.
    pub scope: Option<Scope>,
    /// How often, for a rule that is not about changes; empty for AWS's own choice.
    pub frequency: String,
}

/// Things with a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    pub tag: String,
    pub value: String,
    /// What no tag can say: types, one thing. The desired set is always empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
}

const READ: Api = config::DESCRIBE_CONFIG_RULES;
const PUT: Api = config::PUT_CONFIG_RULE;
const DELETE: Api = config::DELETE_CONFIG_RULE;

/// What a rule without a frequency of its own reads back.
const OWN_CHOICE: &str = "TwentyFour_Hours";

impl Kind for Rule {
    const TYPE: &'static str = "config/rule";
    /// "ConfigRule" in the AWS Config API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 128,
        legal: |c| c.is_ascii_alphanumeric() || "-_".contains(c),
        charset: "letters, digits, `-` and `_`",
    };
    type Outputs = Named<Self>;
}

impl Resource for Rule {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (2.0, 60.0),
        cost: |_| Cost::usage(&["config_evaluations"]),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = ConfigTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let (rule, region) = futures::join!(cx.config.rules.named(name), singletons(cx));
        let (Some(rule), region) = (rule?, region?) else {
            return Ok(None);
        };
        let arn: Ref<Arn<Self>> = READ.field(rule.config_rule_arn(), "ConfigRuleArn")?;
        let tags = cx.config.tags(arn.as_str());
        let tags = cx.tagged(arn.as_str(), &key.identity.tags, tags);
        let Some(tags) = found(tags.await)? else {
            return Ok(None);
        };
        cx.recent.note(arn.as_str(), &tags);
        let phase = phase(rule.config_rule_state());
        let spec = of(&rule, region.recorder_name());
        Ok(Some(
            Found::tagged(spec, Named::new(name, arn), tags).phase(phase),
        ))
    }

    /// The answer has no ARN, so it is read.
    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let name = identity.name.as_str();
        self.put(cx, name, Some(tags(&identity.tags))).await?;
        let rule = cx.config.rules.named(name).await;
        let rule = rule.map_err(after_put)?;
        let arn = rule.as_ref().and_then(|r| r.config_rule_arn());
        let arn: Ref<Arn<Self>> = PUT.field(arn, "ConfigRuleArn")?;
        Ok(Named::new(name, arn))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, _: &Delta) -> Result<(), Error> {
        self.put(cx, it.name.as_str(), None).await
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let call = cx.config.client.delete_config_rule();
        let call = call.config_rule_name(&it.name);
        cx.delete(DELETE, || call.clone().send()).await
    }
}

impl Rule {
    async fn put(&self, cx: &Aws, name: &str, tags: Option<Vec<t::Tag>>) -> Result<(), Error> {
        let source = t::Source::builder()
            .owner(t::Owner::Aws)
            .source_identifier(&self.identifier);
        let source = source.build();
        let source = source.map_err(|e| Error::permanent(PUT.action(), e.to_string()))?;
        let parameters = (!self.parameters.is_empty())
            .then(|| serde_json::to_string(&self.parameters).unwrap_or_default());
        let scope = self.scope.as_ref().map(|scope| {
            let tagged = t::Scope::builder().tag_key(&scope.tag);
            tagged.tag_value(&scope.value).build()
        });
        let frequency = (!self.frequency.is_empty()).then(|| self.frequency.as_str().into());
        let rule = t::ConfigRule::builder()
            .config_rule_name(name)
            .description(&self.description)
            .source(source)
            .set_input_parameters(parameters)
            .set_scope(scope)
            .set_maximum_execution_frequency(frequency)
            .build();
        let call = cx.config.client.put_config_rule().config_rule(rule);
        let call = call.set_tags(tags);
        cx.call(PUT, || call.clone().send()).await.map(drop)
    }
}

/// "ConfigRule" in the AWS Config API reference: a rule that is evaluated, or whose results are deleted, stays.
fn phase(state: Option<&t::ConfigRuleState>) -> Phase {
    match state {
        Some(t::ConfigRuleState::Deleting) => Phase::Deleting,
        _ => Phase::Ready,
    }
}

fn of(rule: &t::ConfigRule, recorder: &str) -> Rule {
    let source = rule.source();
    let aws = source.is_some_and(|s| s.owner() == &t::Owner::Aws);
    let identifier = source
        .and_then(|s| s.source_identifier())
        .unwrap_or_default();
    let scope = rule.scope().map(|scope| {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let types = scope.compliance_resource_types().iter().cloned();
        let rest = rest!(scope; tag_key, tag_value, compliance_resource_types);
        let rest = rest
            .into_iter()
            .map(|(name, value)| format!("{name} {value}"));
        Scope {
            tag: text(scope.tag_key()),
            value: text(scope.tag_value()),
            others: types.chain(rest).collect(),
        }
    });
    let frequency = rule
        .maximum_execution_frequency()
        .map_or("", |f| f.as_str());
    let frequency = if frequency == OWN_CHOICE {
        ""
    } else {
        frequency
    };
    Rule {
        recorder: recorder.into(),
        identifier: if aws {
            identifier.to_owned()
        } else {
            format!("not AWS's own: {identifier}")
        },
        description: rule.description().unwrap_or_default().to_owned(),
        parameters: parameters(rule.input_parameters().unwrap_or_default()),
        scope,
        frequency: frequency.to_owned(),
    }
}

/// A JSON object of texts; a number means its text.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let all: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    all.into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect()
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.config.all_rules().await?;
    marked_of(cx, Rule::TYPE, suffix, all, |cx, arn| {
        Box::pin(async move { found(cx.config.tags(arn).await) })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_fills_in_is_no_difference_and_what_no_tag_can_say_is_one() {
        let source = t::Source::builder()
            .owner(t::Owner::Aws)
            .source_identifier("ALB_DESYNC_MODE_CHECK")
            .build()
            .unwrap();
        let rule = t::ConfigRule::builder()
            .source(source)
            .input_parameters(r#"{"desyncMode": "defensive", "days": 3}"#)
            .maximum_execution_frequency(t::MaximumExecutionFrequency::TwentyFourHours);
        let plain = of(&rule.clone().build(), "r");
        assert_eq!((plain.frequency.as_str(), &plain.scope), ("", &None));
        assert_eq!(plain.parameters["desyncMode"], "defensive");
        assert_eq!(plain.parameters["days"], "3");
        let types = t::Scope::builder().compliance_resource_types("AWS::S3::Bucket");
        let types = types.compliance_resource_id("one");
        let narrowed = of(&rule.scope(types.build()).build(), "r");
        let narrowed = narrowed.scope.unwrap();
        assert_eq!((narrowed.tag.as_str(), narrowed.value.as_str()), ("", ""));
        let others = ["AWS::S3::Bucket", "compliance resource id one"];
        assert_eq!(narrowed.others, others);
    }

    #[test]
    fn only_a_rule_that_is_deleted_itself_is_on_its_way_out() {
        use t::ConfigRuleState as State;
        for state in [State::Active, State::Evaluating, State::DeletingResults] {
            assert_eq!(phase(Some(&state)), Phase::Ready, "{state:?}");
        }
        assert_eq!(phase(Some(&State::Deleting)), Phase::Deleting);
    }
}

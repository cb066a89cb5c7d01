//! A rule of a listener: which requests, and what is done with them. Its place among the rules is its priority, which is
//! changed by one call and never by a replacement: a replacement would take live traffic off for a moment.

use super::tags::{self, ElbTags};
use super::{Action, Listener, TargetGroup};
use crate::resources::prelude::*;
use aws_sdk_elasticloadbalancingv2::types as t;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rule {
    pub listener: Ref<Arn<Listener>>,
    /// 1 to 50000; the lowest that fits decides.
    pub priority: i32,
    /// By field (`path-pattern`, `source-ip`, `host-header`, `http-request-method`, `query-string`, `http-header/NAME`) the
    /// values of which one must fit; all fields must.
    pub conditions: BTreeMap<String, BTreeSet<String>>,
    pub action: Action,
    /// Of a rule that the traffic command switches on and off. It is made switched off, and `conditions` and `action` are
    /// those of then. With conditions that no request meets it takes all requests when it is on; any other one answers 503
    /// then. `None` for a rule that nobody switches.
    #[serde(default)]
    pub armed: Option<bool>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RuleOutputs {
    pub arn: Ref<Arn<Rule>>,
    /// The group that gets the requests: take it from here for what must not start before a load balancer uses the group.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub target_group: Ref<Arn<TargetGroup>>,
}

impl HasArn for RuleOutputs {
    fn arn(&self) -> &str {
        self.arn.as_str()
    }
}

const READ: Api = elbv2::DESCRIBE_RULES;
const CREATE: Api = elbv2::CREATE_RULE;
const DELETE: Api = elbv2::DELETE_RULE;
/// How the field of a header begins.
const HEADER: &str = "http-header/";

impl Kind for Rule {
    const TYPE: &'static str = "elbv2/rule";
    type Outputs = RuleOutputs;
}

impl Resource for Rule {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::WithParent,
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &["listener"],
        changing: &[("target_group", &["action"])],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[Delegated {
            field: "armed",
            owner: "the traffic command",
            record: None,
            legal: |owner| match owner.found {
                serde_json::Value::Bool(_) => Ok(()),
                _ => Err("a rule is switched on or off".into()),
            },
        }],
    };
    const DERIVED: Option<Derived> = Some(("target_group", |spec| {
        let target = Self::deserialize(spec).ok()?.action.target();
        (!target.is_unknown()).then(|| target.as_str().into())
    }));
    type Tags = ElbTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let listener = key.spec.listener.as_str();
        let (rules, known) = match key.outputs {
            Some(it) => {
                let arn = it.arn.as_str();
                let (rules, tags) = futures::join!(
                    cx.elbv2.rules(listener),
                    tags::tags_of(cx, arn, key.identity)
                );
                (rules?, Some((arn.to_owned(), tags?)))
            }
            None => (cx.elbv2.rules(listener).await?, None),
        };
        let rules = rules.unwrap_or_default();
        let arns = || rules.iter().filter_map(|r| r.rule_arn.clone());
        let arn = match &known {
            Some((arn, _)) => Some(arn.clone()),
            None => tags::of_step(cx, key.identity, arns().collect()).await?,
        };
        // What has our priority without our mark is somebody else's.
        let priority = key.spec.priority.to_string();
        let is_it = |r: &&t::Rule| match &arn {
            Some(arn) => r.rule_arn() == Some(arn),
            None => r.priority() == Some(&priority),
        };
        let Some(rule) = rules.iter().find(is_it) else {
            return Ok(None);
        };
        let tags = match known {
            Some((_, tags)) => tags,
            None => {
                let arn = rule.rule_arn().unwrap_or_default();
                tags::tags_of(cx, arn, key.identity).await?
            }
        };
        let Some(tags) = tags else {
            return Ok(None);
        };
        let spec = Self {
            listener: key.spec.listener.clone(),
            priority: number(rule.priority()),
            conditions: rule.conditions().iter().map(condition).collect(),
            action: Action::of(rule.actions()),
            armed: None,
        }
        .switched_as(key.spec);
        let outputs = RuleOutputs {
            arn: READ.field(rule.rule_arn(), "RuleArn")?,
            target_group: spec.action.target(),
        };
        Ok(Some(Found::tagged(spec, outputs, tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<RuleOutputs, Error> {
        let call = cx.elbv2.client.create_rule();
        let call = call
            .listener_arn(&self.listener)
            .priority(self.priority)
            .set_conditions(Some(self.sent()))
            .actions(self.action.sent())
            .set_tags(tags::at_creation(identity));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let arn = made.rules().first().and_then(|r| r.rule_arn());
        Ok(RuleOutputs {
            arn: CREATE.field(arn, "RuleArn")?,
            target_group: self.action.target(),
        })
    }

    async fn update(&self, cx: &Aws, it: &RuleOutputs, delta: &Delta) -> Result<(), Error> {
        let client = &cx.elbv2.client;
        let (conditions, action) = (delta.touches("conditions"), delta.touches("action"));
        if conditions || action {
            // What is not sent stays as it is: the conditions of a rule that is switched on too.
            let call = client.modify_rule().rule_arn(&it.arn);
            let call = call
                .set_conditions(conditions.then(|| self.sent()))
                .set_actions(action.then(|| vec![self.action.sent()]));
            cx.call(elbv2::MODIFY_RULE, || call.clone().send()).await?;
        }
        if delta.touches("priority") {
            let pair = t::RulePriorityPair::builder().rule_arn(&it.arn);
            let pair = pair.priority(self.priority).build();
            let call = client.set_rule_priorities().rule_priorities(pair);
            let api = elbv2::SET_RULE_PRIORITIES;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, it: &RuleOutputs) -> Result<(), Error> {
        let call = cx.elbv2.client.delete_rule().rule_arn(&it.arn);
        cx.delete(DELETE, || call.clone().send()).await
    }
}

impl Rule {
    /// Conditions that no request meets: 192.0.2.0/24 is nobody's (RFC 5737). What a rule that can be switched is made with.
    pub fn off() -> BTreeMap<String, BTreeSet<String>> {
        one_condition("source-ip", "192.0.2.0/32")
    }

    /// Conditions that every request meets.
    pub fn on() -> BTreeMap<String, BTreeSet<String>> {
        one_condition("path-pattern", "/*")
    }

    /// What a rule answers that can be switched and is on, unless it takes all requests then.
    pub fn unready() -> Action {
        Action::answer(503, "application/json", r#"{"ready":false}"#)
    }

    /// What was read of a rule, with what a switch changes told apart from what somebody else wrote.
    fn switched_as(mut self, wanted: &Self) -> Self {
        if wanted.armed.is_some() && wanted.conditions != Self::off() {
            let on = self.action == Self::unready();
            self.armed = Some(on);
            if on {
                self.action = wanted.action.clone();
            }
        } else if let Some(made) = wanted.armed {
            let on = self.conditions == Self::on();
            self.armed = Some(if self.conditions == wanted.conditions {
                false
            } else {
                on || made
            });
            if on {
                self.conditions = wanted.conditions.clone();
            }
        }
        self
    }

    fn sent(&self) -> Vec<t::RuleCondition> {
        Self::sent_of(&self.conditions)
    }

    /// Conditions as the API takes them.
    pub fn sent_of(conditions: &BTreeMap<String, BTreeSet<String>>) -> Vec<t::RuleCondition> {
        let one = |(field, values): (&String, &BTreeSet<String>)| sent(field, values);
        conditions.iter().map(one).collect()
    }

    /// The conditions of a rule as it was read.
    pub fn conditions_of(rule: &t::Rule) -> BTreeMap<String, BTreeSet<String>> {
        rule.conditions().iter().map(condition).collect()
    }
}

fn one_condition(field: &str, value: &str) -> BTreeMap<String, BTreeSet<String>> {
    BTreeMap::from([(field.to_owned(), BTreeSet::from([value.to_owned()]))])
}

fn number(priority: Option<&str>) -> i32 {
    priority.and_then(|p| p.parse().ok()).unwrap_or_default()
}

/// Field and values; AWS shows those of a path or host name twice.
fn condition(shown: &t::RuleCondition) -> (String, BTreeSet<String>) {
    let field = shown.field().unwrap_or_default();
    let mut name = field.to_owned();
    let values: Vec<String> = match field {
        "path-pattern" => shown.path_pattern_config().map(|c| c.values().to_vec()),
        "host-header" => shown.host_header_config().map(|c| c.values().to_vec()),
        "source-ip" => shown.source_ip_config().map(|c| c.values().to_vec()),
        "http-request-method" => shown
            .http_request_method_config()
            .map(|c| c.values().to_vec()),
        "http-header" => shown.http_header_config().map(|c| {
            name = format!("{HEADER}{}", c.http_header_name().unwrap_or_default());
            c.values().to_vec()
        }),
        "query-string" => shown.query_string_config().map(|c| {
            let pair = |v: &t::QueryStringKeyValuePair| {
                let (key, value) = (v.key().unwrap_or_default(), v.value().unwrap_or_default());
                format!("{key}={value}")
            };
            c.values().iter().map(pair).collect()
        }),
        _ => None,
    }
    .unwrap_or_else(|| shown.values().to_vec());
    (name, values.into_iter().collect())
}

fn sent(field: &str, values: &BTreeSet<String>) -> t::RuleCondition {
    let values = Some(values.iter().cloned().collect::<Vec<String>>());
    let condition = t::RuleCondition::builder();
    if let Some(name) = field.strip_prefix(HEADER) {
        let config = t::HttpHeaderConditionConfig::builder().http_header_name(name);
        let config = config.set_values(values).build();
        return condition
            .field("http-header")
            .http_header_config(config)
            .build();
    }
    let condition = condition.field(field);
    match field {
        "path-pattern" => {
            let config = t::PathPatternConditionConfig::builder();
            condition.path_pattern_config(config.set_values(values).build())
        }
        "source-ip" => {
            let config = t::SourceIpConditionConfig::builder();
            condition.source_ip_config(config.set_values(values).build())
        }
        "host-header" => {
            let config = t::HostHeaderConditionConfig::builder();
            condition.host_header_config(config.set_values(values).build())
        }
        "http-request-method" => {
            let config = t::HttpRequestMethodConditionConfig::builder();
            condition.http_request_method_config(config.set_values(values).build())
        }
        _ => condition.set_values(values),
    }
    .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switch(conditions: BTreeMap<String, BTreeSet<String>>, armed: Option<bool>) -> Rule {
        Rule {
            listener: "arn:listener".into(),
            priority: 10,
            conditions,
            action: Action::answer(404, "text/plain", ""),
            armed,
        }
    }

    #[test]
    fn a_switch_reads_as_on_or_off_and_anything_else_is_a_difference() {
        let wanted = switch(Rule::off(), Some(false));
        let theirs = one_condition("path-pattern", "/theirs");
        for (live, conditions, armed) in [
            (Rule::off(), Rule::off(), Some(false)),
            (Rule::on(), Rule::off(), Some(true)),
            (theirs.clone(), theirs.clone(), Some(false)),
        ] {
            let read = switch(live, None).switched_as(&wanted);
            assert_eq!((read.conditions, read.armed), (conditions, armed));
        }
        // A rule that is no switch keeps its conditions whatever they are.
        let plain = switch(theirs, None);
        let read = switch(Rule::on(), None).switched_as(&plain);
        assert_eq!((read.conditions, read.armed), (Rule::on(), None));
    }

    #[test]
    fn a_switch_of_the_answer_reads_as_on_and_another_answer_is_a_difference() {
        let mut wanted = switch(one_condition("path-pattern", "/ready"), Some(false));
        wanted.action = Action::forward("arn:group".into());
        let theirs = Action::answer(500, "text/plain", "");
        for (live, action, armed) in [
            (wanted.action.clone(), wanted.action.clone(), Some(false)),
            (Rule::unready(), wanted.action.clone(), Some(true)),
            (theirs.clone(), theirs, Some(false)),
        ] {
            let mut read = switch(wanted.conditions.clone(), None);
            read.action = live;
            let read = read.switched_as(&wanted);
            assert_eq!((read.action, read.armed), (action, armed));
        }
    }

    #[test]
    fn conditions_read_back_as_sent_and_a_path_alone_as_in_a_list() {
        let values = |v: &[&str]| v.iter().map(|v| (*v).to_owned()).collect::<BTreeSet<_>>();
        for (field, set) in [
            ("path-pattern", values(&["/a", "/a/*"])),
            ("source-ip", values(&["10.10.0.0/18", "10.20.0.0/16"])),
            ("host-header", values(&["example.com"])),
            ("http-header/x-probe", values(&["1"])),
        ] {
            let shown = condition(&sent(field, &set));
            assert_eq!(shown, (field.to_owned(), set));
        }
        let old = t::RuleCondition::builder()
            .field("path-pattern")
            .values("/a")
            .build();
        assert_eq!(condition(&old), ("path-pattern".into(), values(&["/a"])));
    }
}

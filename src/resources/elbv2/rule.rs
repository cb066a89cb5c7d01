//! A rule of a listener: which requests, and what is done with them. Its place among the rules is its priority, which is
//! changed by one call and never by a replacement: a replacement would take live traffic off for a moment.

mod condition;

use self::condition::{condition, sent};
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
    /// values of which one must fit; all fields must. What we do not use of a condition stands among its values, in words, and
    /// a further condition of a field under `FIELD again`.
    pub conditions: BTreeMap<String, BTreeSet<String>>,
    pub action: Action,
    /// Of a rule that the traffic command switches on and off. It is made switched off, and `conditions` and `action` are
    /// those of then. With conditions that no request meets it takes all requests when it is on; any other one answers 503
    /// then. `None` for a rule that nobody switches.
    #[serde(default)]
    pub armed: Option<bool>,
    /// What else there is, in words: requests are rewritten.
    #[serde(default)]
    pub others: Vec<String>,
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
/// What tells a further condition of a field from the first one.
const AGAIN: &str = " again";

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
            conditions: Self::conditions_of(rule),
            action: Action::of(rule.actions()),
            armed: None,
            others: others(rule),
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
        let others = delta.touches("others");
        if conditions || action || others {
            // What is not sent stays as it is: the conditions of a rule that is switched on too.
            let call = client.modify_rule().rule_arn(&it.arn);
            let call = call
                .set_conditions(conditions.then(|| self.sent()))
                .set_actions(action.then(|| vec![self.action.sent()]))
                .set_reset_transforms(others.then_some(true));
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
        let mut all = BTreeMap::new();
        for (mut field, values) in rule.conditions().iter().map(condition) {
            while all.contains_key(&field) {
                field.push_str(AGAIN);
            }
            all.insert(field, values);
        }
        all
    }
}

/// What a rule has besides conditions and actions.
fn others(rule: &t::Rule) -> Vec<String> {
    let mut rest = rule.clone();
    rest.rule_arn = None;
    rest.priority = None;
    rest.conditions = None;
    rest.actions = None;
    rest.is_default = None;
    words(&rest)
}

fn one_condition(field: &str, value: &str) -> BTreeMap<String, BTreeSet<String>> {
    BTreeMap::from([(field.to_owned(), BTreeSet::from([value.to_owned()]))])
}

fn number(priority: Option<&str>) -> i32 {
    priority.and_then(|p| p.parse().ok()).unwrap_or_default()
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
            others: Vec::new(),
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
    fn a_second_condition_of_a_field_and_a_rewrite_are_differences() {
        let set = |value: &str| BTreeSet::from([value.to_owned()]);
        let mut shown = t::Rule::builder()
            .conditions(sent("source-ip", &set("10.0.0.0/8")))
            .conditions(sent("source-ip", &set("10.1.0.0/16")))
            .rule_arn("arn")
            .priority("7")
            .is_default(false)
            .set_transforms(Some(Vec::new()))
            .build();
        let read = Rule::conditions_of(&shown);
        let fields: Vec<&String> = read.keys().collect();
        assert_eq!(fields, ["source-ip", "source-ip again"]);
        assert_eq!(others(&shown), Vec::<String>::new());
        let host = t::RewriteConfig::builder().regex(".*").replace("theirs");
        let host = t::HostHeaderRewriteConfig::builder().rewrites(host.build());
        let transform = t::RuleTransform::builder()
            .r#type(t::TransformTypeEnum::HostHeaderRewrite)
            .host_header_rewrite_config(host.build());
        shown.transforms = Some(vec![transform.build()]);
        assert_eq!(others(&shown).len(), 1);
    }
}

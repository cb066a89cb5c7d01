//! A web ACL with all its rules: WAF changes them together.

use super::tags::{self, list};
use super::{Identified, Statement, WafTags, built};
use crate::resources::holders::{explain, not_beside};
use crate::resources::prelude::*;
use aws_sdk_wafv2::types as t;
use std::collections::BTreeMap;

/// What no rule stops is let through.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebAcl {
    /// Three characters at least.
    pub description: String,
    /// `allow` or `block`: for what no rule decides.
    pub default: String,
    /// By name.
    pub rules: BTreeMap<String, Rule>,
    /// It counts and samples requests, under its own name.
    pub metrics: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The lowest comes first.
    pub priority: i32,
    pub action: RuleAction,
    pub statement: Statement,
    /// It counts and samples requests, under its own name.
    pub metrics: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    Allow,
    Block,
    /// Counts, and goes on.
    Count,
    /// What the rules of a group say.
    OfGroup,
    /// The rules of a group only count.
    CountGroup,
    /// What we do not use.
    Other,
}

const READ: Api = wafv2::GET_WEB_ACL;
const CREATE: Api = wafv2::CREATE_WEB_ACL;
const UPDATE: Api = wafv2::UPDATE_WEB_ACL;
const DELETE: Api = wafv2::DELETE_WEB_ACL;
const SCOPE: t::Scope = t::Scope::Regional;

impl Kind for WebAcl {
    const TYPE: &'static str = "wafv2/web_acl";
    const NAME: NameRule = super::NAME;
    type Outputs = Identified<Self>;
}

impl Resource for WebAcl {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (5.0, 30.0),
        cost: |it| {
            let rules = it.rules.len();
            Cost::fixed("web_acl_month", 1)
                .and("web_acl_rule_month", rules)
                .used(&["waf_requests"])
        },
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = WafTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let outputs = match key.outputs {
            Some(it) => it.clone(),
            None => match cx.wafv2.acls().await?.get(key.name()) {
                Some(listed) => Identified::listed(key.name(), listed),
                None => return Ok(None),
            },
        };
        let arn = outputs.arn.as_str();
        let tags = cx.tagged(arn, &key.identity.tags, tags::tags_of(cx, arn));
        let (shown, tags) = futures::join!(get(cx, &outputs), tags);
        let (Some((acl, _)), Some(tags)) = (shown?, tags?) else {
            return Ok(None);
        };
        cx.recent.note(arn, &tags);
        let block = acl.default_action().is_some_and(|d| d.block().is_some());
        let name = outputs.name.as_str();
        let spec = Self {
            description: acl.description().unwrap_or_default().to_owned(),
            default: if block { "block" } else { "allow" }.to_owned(),
            rules: acl.rules().iter().map(rule).collect(),
            metrics: is_counted(acl.visibility_config(), name),
        };
        Ok(Some(Found::tagged(spec, outputs, tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Identified<Self>, Error> {
        let call = cx.wafv2.client.create_web_acl();
        let call = call
            .name(&identity.name)
            .scope(SCOPE)
            .description(&self.description)
            .default_action(self.default_action())
            .set_rules(Some(self.sent(CREATE)?))
            .visibility_config(visibility(CREATE, &identity.name, self.metrics)?)
            .set_tags(Some(list(CREATE, &identity.tags)?));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let summary = made.summary();
        let (id, arn) = (summary.and_then(|s| s.id()), summary.and_then(|s| s.arn()));
        Identified::made(CREATE, &identity.name, id, arn)
    }

    /// WAF takes all of it at once, and what it is not given it takes away: the settings that we do not manage go along as
    /// they are.
    async fn update(&self, cx: &Aws, it: &Identified<Self>, _: &Delta) -> Result<(), Error> {
        let Some((acl, token)) = get(cx, it).await? else {
            return Err(Error::permanent(UPDATE.action(), "it is no longer there"));
        };
        let call = cx.wafv2.client.update_web_acl();
        let call = call
            .name(&it.name)
            .id(&it.id)
            .scope(SCOPE)
            .description(&self.description)
            .default_action(self.default_action())
            .set_rules(Some(self.sent(UPDATE)?))
            .visibility_config(visibility(UPDATE, it.name.as_str(), self.metrics)?)
            .set_custom_response_bodies(acl.custom_response_bodies)
            .set_captcha_config(acl.captcha_config)
            .set_challenge_config(acl.challenge_config)
            .set_token_domains(acl.token_domains)
            .set_association_config(acl.association_config)
            .set_data_protection_config(acl.data_protection_config)
            .set_on_source_d_do_s_protection_config(acl.on_source_d_do_s_protection_config)
            .lock_token(token);
        cx.call(UPDATE, || call.clone().send()).await.map(drop)
    }

    /// Refused for a while after the last balancer was taken from it: class `InUse`.
    async fn delete(&self, cx: &Aws, it: &Identified<Self>) -> Result<(), Error> {
        let Some((_, token)) = get(cx, it).await? else {
            return Ok(());
        };
        let call = cx.wafv2.client.delete_web_acl().name(&it.name);
        let call = call.id(&it.id).scope(SCOPE).lock_token(token);
        let answer = cx.delete(DELETE, || call.clone().send()).await;
        explain(answer, others(cx, it.arn.as_str())).await
    }
}

/// The load balancers of others that it guards.
async fn others(cx: &Aws, arn: &str) -> Result<Vec<String>, Error> {
    let call = cx.wafv2.client.list_resources_for_web_acl();
    let call = call.web_acl_arn(arn);
    let api = wafv2::LIST_RESOURCES_FOR_WEB_ACL;
    let guarded = cx.call(api, || call.clone().send()).await?;
    let own = tags::tags_of(cx, arn).await?.unwrap_or_default();
    not_beside(cx, &own, guarded.resource_arns.unwrap_or_default()).await
}

impl WebAcl {
    fn default_action(&self) -> t::DefaultAction {
        let action = t::DefaultAction::builder();
        match self.default.as_str() {
            "block" => action.block(t::BlockAction::builder().build()),
            _ => action.allow(t::AllowAction::builder().build()),
        }
        .build()
    }

    fn sent(&self, api: Api) -> Result<Vec<t::Rule>, Error> {
        let all = self.rules.iter();
        all.map(|(name, rule)| rule.sent(api, name)).collect()
    }
}

impl Rule {
    /// As AWS takes it.
    pub(super) fn sent(&self, api: Api, name: &str) -> Result<t::Rule, Error> {
        let (action, group) = self.action.sent();
        let rule = t::Rule::builder()
            .name(name)
            .priority(self.priority)
            .statement(self.statement.sent()?)
            .set_action(action)
            .set_override_action(group)
            .visibility_config(visibility(api, name, self.metrics)?);
        built(api, rule.build())
    }
}

impl RuleAction {
    fn of(rule: &t::Rule) -> Self {
        let (action, group) = (rule.action(), rule.override_action());
        match (action, group) {
            (Some(a), None) if a.block().is_some() => Self::Block,
            (Some(a), None) if a.allow().is_some() => Self::Allow,
            (Some(a), None) if a.count().is_some() => Self::Count,
            (None, Some(g)) if g.count().is_some() => Self::CountGroup,
            (None, Some(_)) => Self::OfGroup,
            _ => Self::Other,
        }
    }

    fn sent(self) -> (Option<t::RuleAction>, Option<t::OverrideAction>) {
        let (action, group) = (t::RuleAction::builder(), t::OverrideAction::builder());
        let count = t::CountAction::builder().build();
        match self {
            Self::Allow => {
                let allow = t::AllowAction::builder().build();
                (Some(action.allow(allow).build()), None)
            }
            Self::Block => {
                let block = t::BlockAction::builder().build();
                (Some(action.block(block).build()), None)
            }
            Self::Count => (Some(action.count(count).build()), None),
            Self::CountGroup => (None, Some(group.count(count).build())),
            Self::OfGroup | Self::Other => {
                let none = t::NoneAction::builder().build();
                (None, Some(group.none(none).build()))
            }
        }
    }
}

fn rule(shown: &t::Rule) -> (String, Rule) {
    let statement = shown.statement();
    let rule = Rule {
        priority: shown.priority,
        action: RuleAction::of(shown),
        statement: statement.map_or_else(|| Statement::Other(String::new()), Statement::of),
        metrics: is_counted(shown.visibility_config(), shown.name()),
    };
    (shown.name().to_owned(), rule)
}

fn is_counted(config: Option<&t::VisibilityConfig>, name: &str) -> bool {
    config.is_some_and(|c| {
        c.cloud_watch_metrics_enabled && c.sampled_requests_enabled && c.metric_name() == name
    })
}

fn visibility(api: Api, name: &str, on: bool) -> Result<t::VisibilityConfig, Error> {
    let config = t::VisibilityConfig::builder()
        .metric_name(name)
        .cloud_watch_metrics_enabled(on)
        .sampled_requests_enabled(on);
    built(api, config.build())
}

/// The ACL and the token that a change of it takes.
async fn get(cx: &Aws, it: &Identified<WebAcl>) -> Result<Option<(t::WebAcl, String)>, Error> {
    let call = cx.wafv2.client.get_web_acl().name(&it.name);
    let call = call.id(&it.id).scope(SCOPE);
    let answer = found(cx.call(READ, || call.clone().send()).await)?;
    Ok(answer.and_then(|a| a.web_acl.zip(a.lock_token)))
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.wafv2.acls().await?;
    tags::owned(cx, WebAcl::TYPE, suffix, &all).await
}

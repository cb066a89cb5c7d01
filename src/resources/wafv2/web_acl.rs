//! A web ACL with all its rules: WAF changes them together.

use super::tags::{self, list};
use super::{Identified, RuleAction, Statement, WafTags, built};
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
    /// Settings that we do not use, in words: answers to what is blocked, domains of tokens, how much of a body is looked at.
    #[serde(default)]
    pub others: Vec<String>,
    /// What an organization's Firewall Manager has put into it, in words.
    #[serde(default)]
    pub imposed: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The lowest comes first.
    pub priority: i32,
    pub action: RuleAction,
    pub statement: Statement,
    /// It counts and samples requests, under its own name.
    pub metrics: bool,
    /// Settings that we do not use, in words.
    #[serde(default)]
    pub others: Vec<String>,
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
        watched: &["imposed"],
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
        let spec = of(&acl, outputs.name.as_str());
        Ok(Some(Found::tagged(spec, outputs, tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Identified<Self>, Error> {
        let call = cx.wafv2.client.create_web_acl();
        let call = call
            .name(&identity.name)
            .scope(SCOPE)
            .description(&self.description)
            .default_action(default_action(&self.default))
            .set_rules(Some(self.sent(CREATE)?))
            .visibility_config(visibility(CREATE, &identity.name, self.metrics)?)
            .set_tags(Some(list(CREATE, &identity.tags)?));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let summary = made.summary();
        let (id, arn) = (summary.and_then(|s| s.id()), summary.and_then(|s| s.arn()));
        Identified::made(CREATE, &identity.name, id, arn)
    }

    /// WAF takes all of it at once, and what it is not given it takes away: the settings that we do not use.
    async fn update(&self, cx: &Aws, it: &Identified<Self>, _: &Delta) -> Result<(), Error> {
        let Some((_, token)) = get(cx, it).await? else {
            return Err(Error::permanent(UPDATE.action(), "it is no longer there"));
        };
        let call = cx.wafv2.client.update_web_acl();
        let call = call
            .name(&it.name)
            .id(&it.id)
            .scope(SCOPE)
            .description(&self.description)
            .default_action(default_action(&self.default))
            .set_rules(Some(self.sent(UPDATE)?))
            .visibility_config(visibility(UPDATE, it.name.as_str(), self.metrics)?)
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

fn default_action(name: &str) -> t::DefaultAction {
    let action = t::DefaultAction::builder();
    match name {
        "block" => action.block(t::BlockAction::builder().build()),
        _ => action.allow(t::AllowAction::builder().build()),
    }
    .build()
}

/// From what AWS shows of an ACL with this name.
fn of(acl: &t::WebAcl, name: &str) -> WebAcl {
    let block = acl.default_action().is_some_and(|d| d.block().is_some());
    let default = if block { "block" } else { "allow" };
    let mut rest = acl.clone();
    rest.name = String::new();
    rest.id = String::new();
    rest.arn = String::new();
    rest.description = None;
    rest.rules = None;
    rest.visibility_config = None;
    rest.capacity = 0;
    rest.label_namespace = None;
    let is_default =
        rest.default_action.as_ref().map(words) == Some(words(&default_action(default)));
    rest.default_action = rest.default_action.filter(|_| !is_default);
    // What AWS does for every balancer.
    rest.on_source_d_do_s_protection_config = rest
        .on_source_d_do_s_protection_config
        .filter(|c| c.alb_low_reputation_mode != t::LowReputationMode::ActiveUnderDdos);
    // What holds nothing has no `: ` in words.
    let set = |rest: &t::WebAcl| {
        let mut all = words(rest);
        all.retain(|text| text.contains(": "));
        all
    };
    let all = set(&rest);
    rest.pre_process_firewall_manager_rule_groups = None;
    rest.post_process_firewall_manager_rule_groups = None;
    rest.managed_by_firewall_manager = false;
    rest.retrofitted_by_firewall_manager = false;
    let others = set(&rest);
    let imposed = all.into_iter().filter(|text| !others.contains(text));
    WebAcl {
        description: acl.description().unwrap_or_default().to_owned(),
        default: default.to_owned(),
        rules: acl.rules().iter().map(rule).collect(),
        metrics: is_counted(acl.visibility_config(), name),
        imposed: imposed.collect(),
        others,
    }
}

fn rule(shown: &t::Rule) -> (String, Rule) {
    let statement = shown.statement();
    let mut rest = shown.clone();
    rest.name = String::new();
    rest.priority = 0;
    rest.statement = None;
    rest.action = None;
    rest.override_action = None;
    rest.visibility_config = None;
    let rule = Rule {
        priority: shown.priority,
        action: RuleAction::of(shown),
        statement: statement.map_or_else(|| Statement::Other(String::new()), Statement::of),
        metrics: is_counted(shown.visibility_config(), shown.name()),
        others: words(&rest),
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

#[cfg(test)]
mod tests {
    use super::super::action::tests::{answer, headers};
    use super::*;

    fn built<T>(answer: Result<T, aws_sdk_wafv2::error::BuildError>) -> T {
        answer.unwrap()
    }

    fn plain() -> t::WebAcl {
        let acl = t::WebAcl::builder().name("waf").id("id").arn("arn");
        let acl = acl.description("ours").capacity(7).label_namespace("ns");
        let rule = Rule {
            priority: 1,
            action: RuleAction::Block,
            statement: Statement::path("EXACTLY", "/ready"),
            metrics: true,
            others: Vec::new(),
        };
        let acl = acl
            .default_action(default_action("allow"))
            .rules(rule.sent(READ, "a").unwrap())
            .visibility_config(visibility(READ, "waf", true).unwrap());
        built(acl.build())
    }

    fn first(acl: &mut t::WebAcl) -> &mut t::Rule {
        &mut acl.rules.as_mut().unwrap()[0]
    }

    /// What is read besides, when a part of an ACL was set.
    fn besides(set: impl FnOnce(&mut t::WebAcl)) -> (usize, usize, usize) {
        let mut shown = plain();
        set(&mut shown);
        let read = of(&shown, "waf");
        let rule = &read.rules["a"];
        (read.others.len(), read.imposed.len(), rule.others.len())
    }

    #[test]
    fn every_setting_that_we_do_not_use_is_a_difference() {
        let read = of(&plain(), "waf");
        assert!(read.metrics && read.rules["a"].metrics);
        let protection = |mode: t::LowReputationMode| {
            let config = t::OnSourceDDoSProtectionConfig::builder();
            Some(built(config.alb_low_reputation_mode(mode).build()))
        };
        let usual = protection(t::LowReputationMode::ActiveUnderDdos);
        let nothing = besides(|acl| acl.on_source_d_do_s_protection_config = usual);
        assert_eq!(nothing, (0, 0, 0));
        let always = protection(t::LowReputationMode::AlwaysOn);
        let body = t::CustomResponseBody::builder().content("theirs");
        let body = body.content_type(t::ResponseContentType::TextPlain).build();
        let block = t::DefaultAction::builder().block(answer()).build();
        let allow = t::AllowAction::builder().custom_request_handling(headers());
        let allow = t::DefaultAction::builder().allow(allow.build()).build();
        let immunity = t::ImmunityTimeProperty::builder().immunity_time(60);
        let immunity = built(immunity.build());
        let captcha = t::CaptchaConfig::builder().immunity_time_property(immunity.clone());
        let challenge = t::ChallengeConfig::builder().immunity_time_property(immunity);
        let (captcha, challenge) = (captcha.build(), challenge.build());
        let label = built(t::Label::builder().name("theirs").build());
        let (of_rule, of_rule_too) = (captcha.clone(), challenge.clone());
        let limit = t::RequestBodyAssociatedResourceTypeConfig::builder()
            .default_size_inspection_limit(t::SizeInspectionLimit::Kb64);
        let limit = built(limit.build());
        let association = t::AssociationConfig::builder()
            .request_body(t::AssociatedResourceType::ApiGateway, limit);
        let field = t::FieldToProtect::builder().field_type(t::FieldToProtectType::Body);
        let data = t::DataProtection::builder()
            .field(built(field.build()))
            .action(t::DataProtectionAction::Hash);
        let data = t::DataProtectionConfig::builder().data_protections(built(data.build()));
        let all = [
            besides(|acl| acl.default_action = Some(block)),
            besides(|acl| acl.default_action = Some(allow)),
            besides(|acl| acl.custom_response_bodies = Some([("a".into(), built(body))].into())),
            besides(|acl| acl.captcha_config = Some(captcha)),
            besides(|acl| acl.challenge_config = Some(challenge)),
            besides(|acl| acl.token_domains = Some(vec!["theirs.example".into()])),
            besides(|acl| acl.association_config = Some(association.build())),
            besides(|acl| acl.data_protection_config = Some(built(data.build()))),
            besides(|acl| acl.on_source_d_do_s_protection_config = always),
        ];
        assert_eq!(all, [(1, 0, 0); 9]);
        let imposed = [
            besides(|acl| acl.managed_by_firewall_manager = true),
            besides(|acl| acl.retrofitted_by_firewall_manager = true),
        ];
        assert_eq!(imposed, [(0, 1, 0); 2]);
        let of_rules = [
            besides(|acl| first(acl).rule_labels = Some(vec![label])),
            besides(|acl| first(acl).captcha_config = Some(of_rule)),
            besides(|acl| first(acl).challenge_config = Some(of_rule_too)),
        ];
        assert_eq!(of_rules, [(0, 0, 1); 3]);
    }
}

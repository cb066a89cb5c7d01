//! What a rule of a web ACL looks for.

use super::{IpSet, built};
use crate::resources::prelude::*;
use aws_sdk_wafv2::types as t;
use std::collections::BTreeMap;
use t::TextTransformationType;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statement {
    /// A group of rules that somebody keeps up to date.
    Managed {
        /// `AWS`.
        vendor: String,
        name: String,
        /// Rules of the group that do something else than the group says, by name; other settings of it in words.
        overrides: BTreeMap<String, String>,
    },
    /// More requests in a window than this.
    Rate {
        limit: i64,
        window_seconds: i64,
        /// Counted for each `IP`, or `CONSTANT`ly together.
        per: String,
        /// Which requests count.
        of: Box<Statement>,
    },
    /// From an address of this set.
    From(Ref<Arn<IpSet>>),
    /// A path that is `EXACTLY` this one or `STARTS_WITH` it.
    Path {
        position: String,
        text: String,
    },
    Not(Box<Statement>),
    /// One of these, two at least.
    AnyOf(Vec<Statement>),
    /// What we do not use, in words.
    Other(String),
}

const API: Api = wafv2::UPDATE_WEB_ACL;

impl Statement {
    /// A group of AWS's.
    pub fn managed(name: &str) -> Self {
        Self::Managed {
            vendor: "AWS".into(),
            name: name.into(),
            overrides: BTreeMap::new(),
        }
    }

    pub fn path(position: &str, text: &str) -> Self {
        Self::Path {
            position: position.into(),
            text: text.into(),
        }
    }

    /// From what AWS shows: what we would not send just so is not what we use.
    pub(super) fn of(shown: &t::Statement) -> Self {
        let known = Self::known(shown);
        match known.sent() {
            Ok(sent) if words(&outer(&sent)) == words(&outer(shown)) => known,
            _ => Self::Other(words(shown).join(", ")),
        }
    }

    fn known(shown: &t::Statement) -> Self {
        if let Some(group) = shown.managed_rule_group_statement() {
            return managed(group);
        }
        if let Some(rate) = shown.rate_based_statement() {
            let of = rate.scope_down_statement();
            return Self::Rate {
                limit: rate.limit,
                window_seconds: rate.evaluation_window_sec,
                per: rate.aggregate_key_type().as_str().to_owned(),
                of: Box::new(of.map_or_else(|| Self::Other("all".into()), Self::of)),
            };
        }
        if let Some(set) = shown.ip_set_reference_statement() {
            return Self::From(set.arn().into());
        }
        if let Some(not) = shown.not_statement().and_then(|n| n.statement()) {
            return Self::Not(Box::new(Self::of(not)));
        }
        if let Some(or) = shown.or_statement() {
            return Self::AnyOf(or.statements().iter().map(Self::of).collect());
        }
        match shown.byte_match_statement() {
            Some(bytes)
                if bytes
                    .field_to_match()
                    .is_some_and(|f| f.uri_path().is_some()) =>
            {
                Self::Path {
                    position: bytes.positional_constraint().as_str().to_owned(),
                    text: String::from_utf8_lossy(bytes.search_string().as_ref()).into_owned(),
                }
            }
            _ => Self::Other(String::new()),
        }
    }

    /// As AWS takes it.
    pub(super) fn sent(&self) -> Result<t::Statement, Error> {
        let statement = t::Statement::builder();
        let statement = match self {
            Self::Managed { vendor, name, .. } => {
                let group = t::ManagedRuleGroupStatement::builder();
                let group = group.vendor_name(vendor).name(name).build();
                statement.managed_rule_group_statement(built(API, group)?)
            }
            Self::Rate {
                limit,
                window_seconds,
                per,
                of,
            } => {
                let rate = t::RateBasedStatement::builder()
                    .limit(*limit)
                    .evaluation_window_sec(*window_seconds)
                    .aggregate_key_type(per.as_str().into())
                    .scope_down_statement(of.sent()?);
                statement.rate_based_statement(built(API, rate.build())?)
            }
            Self::From(set) => {
                let reference = t::IpSetReferenceStatement::builder().arn(set);
                statement.ip_set_reference_statement(built(API, reference.build())?)
            }
            Self::Not(inner) => {
                let not = t::NotStatement::builder().statement(inner.sent()?);
                statement.not_statement(not.build())
            }
            Self::AnyOf(all) => {
                let all = all.iter().map(Self::sent).collect::<Result<Vec<_>, _>>()?;
                let or = t::OrStatement::builder().set_statements(Some(all));
                statement.or_statement(built(API, or.build())?)
            }
            Self::Path { position, text } => {
                let field = t::FieldToMatch::builder();
                let field = field.uri_path(t::UriPath::builder().build()).build();
                let plain = t::TextTransformation::builder()
                    .priority(0)
                    .r#type(TextTransformationType::None);
                let bytes = t::ByteMatchStatement::builder()
                    .search_string(aws_sdk_wafv2::primitives::Blob::new(text.as_bytes()))
                    .field_to_match(field)
                    .text_transformations(built(API, plain.build())?)
                    .positional_constraint(position.as_str().into());
                statement.byte_match_statement(built(API, bytes.build())?)
            }
            Self::Other(_) => statement,
        };
        Ok(statement.build())
    }
}

/// A statement without those inside it, and a group without what [`managed`] reads.
fn outer(statement: &t::Statement) -> t::Statement {
    let mut outer = statement.clone();
    if let Some(rate) = &mut outer.rate_based_statement {
        rate.scope_down_statement = None;
    }
    if let Some(not) = &mut outer.not_statement {
        not.statement = None;
    }
    if let Some(or) = &mut outer.or_statement {
        or.statements.clear();
    }
    outer.managed_rule_group_statement = None;
    outer
}

/// With all that is set besides the name, in words.
fn managed(group: &t::ManagedRuleGroupStatement) -> Statement {
    let mut rest = group.clone();
    rest.vendor_name = String::new();
    rest.name = String::new();
    rest.excluded_rules = None;
    rest.rule_action_overrides = None;
    let rest = words(&rest);
    let rest = (!rest.is_empty()).then(|| ("settings".to_owned(), rest.join(", ")));
    let excluded = group.excluded_rules().iter();
    let excluded = excluded.map(|rule| (rule.name().to_owned(), "excluded".to_owned()));
    let others = group.rule_action_overrides().iter().map(|rule| {
        let action = rule.action_to_use().map(words).unwrap_or_default();
        (rule.name().to_owned(), action.join(", "))
    });
    Statement::Managed {
        vendor: group.vendor_name().to_owned(),
        name: group.name().to_owned(),
        overrides: excluded.chain(others).chain(rest).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_reads_back_the_same() {
        let checks = ["/ready", "/_side"].map(|path| Statement::path("EXACTLY", path));
        let others = Statement::Not(Box::new(Statement::AnyOf(checks.into())));
        let bridge = Statement::From("arn:set".into());
        for statement in [
            Statement::managed("AWSManagedRulesSQLiRuleSet"),
            Statement::path("EXACTLY", "/ready"),
            Statement::Rate {
                limit: 6000,
                window_seconds: 60,
                per: "IP".into(),
                of: Box::new(Statement::Not(Box::new(bridge))),
            },
            Statement::Rate {
                limit: 600_000,
                window_seconds: 60,
                per: "CONSTANT".into(),
                of: Box::new(others),
            },
        ] {
            assert_eq!(Statement::of(&statement.sent().unwrap()), statement);
        }
    }

    #[test]
    fn every_setting_of_a_group_is_a_difference() {
        let group = || {
            let group = t::ManagedRuleGroupStatement::builder();
            group.vendor_name("AWS").name("AWSManagedRulesSQLiRuleSet")
        };
        let off = t::ExcludedRule::builder().name("SQLi_BODY").build();
        let count = t::RuleAction::builder().count(t::CountAction::builder().build());
        let counted = t::RuleActionOverride::builder().name("SQLi_BODY");
        let counted = counted.action_to_use(count.build()).build();
        let bots = t::AwsManagedRulesBotControlRuleSet::builder();
        let bots = bots.inspection_level(t::InspectionLevel::Common).build();
        let config = t::ManagedRuleGroupConfig::builder();
        let config = config.aws_managed_rules_bot_control_rule_set(bots.unwrap());
        let scope = Statement::path("EXACTLY", "/theirs").sent().unwrap();
        for (shown, key, said) in [
            (
                group().excluded_rules(off.unwrap()),
                "SQLi_BODY",
                "excluded",
            ),
            (
                group().rule_action_overrides(counted.unwrap()),
                "SQLi_BODY",
                "count",
            ),
            (group().version("1.0"), "settings", "version: 1.0"),
            (
                group().managed_rule_group_configs(config.build()),
                "settings",
                "managed_rule_group_configs: [{",
            ),
            (group().scope_down_statement(scope), "settings", "scope"),
        ] {
            let shown = t::Statement::builder()
                .managed_rule_group_statement(shown.build().unwrap())
                .build();
            let Statement::Managed { overrides, .. } = Statement::of(&shown) else {
                panic!("{shown:?}")
            };
            assert_eq!(overrides.len(), 1);
            assert!(overrides[key].starts_with(said), "{overrides:?}");
        }
        let quiet = group().set_excluded_rules(Some(Vec::new())).build();
        let quiet = t::Statement::builder().managed_rule_group_statement(quiet.unwrap());
        let wanted = Statement::managed("AWSManagedRulesSQLiRuleSet");
        assert_eq!(Statement::of(&quiet.build()), wanted);
    }

    #[test]
    fn a_statement_with_a_setting_that_we_do_not_use_is_a_difference() {
        let set = Statement::From("arn:set".into());
        let rate = Statement::Rate {
            limit: 6000,
            window_seconds: 60,
            per: "IP".into(),
            of: Box::new(Statement::path("STARTS_WITH", "/")),
        };
        let path = Statement::path("EXACTLY", "/ready");
        let forwarded = t::ForwardedIpConfig::builder()
            .header_name("X-Forwarded-For")
            .fallback_behavior(t::FallbackBehavior::Match)
            .build()
            .unwrap();
        let key = t::RateBasedStatementCustomKey::builder();
        let key = key.http_method(t::RateLimitHttpMethod::builder().build());
        let mut by_header = set.sent().unwrap();
        let config = t::IpSetForwardedIpConfig::builder()
            .header_name("X-Forwarded-For")
            .fallback_behavior(t::FallbackBehavior::Match)
            .position(t::ForwardedIpPosition::First);
        let named = by_header.ip_set_reference_statement.as_mut().unwrap();
        named.ip_set_forwarded_ip_config = Some(config.build().unwrap());
        let mut rate_by_header = rate.sent().unwrap();
        let limited = rate_by_header.rate_based_statement.as_mut().unwrap();
        limited.forwarded_ip_config = Some(forwarded);
        let mut by_key = rate.sent().unwrap();
        let limited = by_key.rate_based_statement.as_mut().unwrap();
        limited.custom_keys = Some(vec![key.build()]);
        let mut hashed = path.sent().unwrap();
        let text = hashed.byte_match_statement.as_mut().unwrap();
        text.text_transformations[0].r#type = TextTransformationType::Md5;
        let mut before = path.sent().unwrap();
        let parsed = t::PreParseTextTransformation::builder().priority(0);
        let parsed = parsed.r#type(t::PreParseTextTransformationType::UrlDecode);
        let text = before.byte_match_statement.as_mut().unwrap();
        text.pre_parse_text_transformations = Some(vec![parsed.build().unwrap()]);
        let mut two = path.sent().unwrap();
        two.ip_set_reference_statement = set.sent().unwrap().ip_set_reference_statement;
        for shown in [&by_header, &rate_by_header, &by_key, &hashed, &before, &two] {
            assert!(
                matches!(Statement::of(shown), Statement::Other(_)),
                "{shown:?}"
            );
        }
        // What is inside another one is named there.
        let mut inner = rate.sent().unwrap();
        let limited = inner.rate_based_statement.as_mut().unwrap();
        limited.scope_down_statement = Some(Box::new(hashed));
        let Statement::Rate { of, .. } = Statement::of(&inner) else {
            panic!("{inner:?}")
        };
        assert!(matches!(*of, Statement::Other(_)));
    }
}

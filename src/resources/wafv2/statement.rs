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
        /// Rules of the group that do something else than the group says, by name.
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

    /// From what AWS shows.
    pub(super) fn of(shown: &t::Statement) -> Self {
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
            _ => Self::Other(format!("{shown:?}")),
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

fn managed(group: &t::ManagedRuleGroupStatement) -> Statement {
    let excluded = group.excluded_rules().iter();
    let excluded = excluded.map(|rule| (rule.name().to_owned(), "excluded".to_owned()));
    let others = group.rule_action_overrides().iter().map(|rule| {
        let action = rule.action_to_use();
        (rule.name().to_owned(), format!("{action:?}"))
    });
    let scope = group.scope_down_statement();
    let scope = scope.map(|s| ("scope".to_owned(), format!("{s:?}")));
    let version = group.version().map(|v| ("version".into(), v.to_owned()));
    Statement::Managed {
        vendor: group.vendor_name().to_owned(),
        name: group.name().to_owned(),
        overrides: excluded.chain(others).chain(scope).chain(version).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_reads_back_the_same() {
        let everything = Statement::path("STARTS_WITH", "/");
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
                of: Box::new(everything),
            },
        ] {
            assert_eq!(Statement::of(&statement.sent().unwrap()), statement);
        }
    }

    #[test]
    fn a_group_of_which_a_rule_was_switched_off_differs() {
        let group = t::ManagedRuleGroupStatement::builder()
            .vendor_name("AWS")
            .name("AWSManagedRulesSQLiRuleSet");
        let off = t::ExcludedRule::builder().name("SQLi_BODY").build();
        let group = group.excluded_rules(off.unwrap()).build().unwrap();
        let shown = t::Statement::builder();
        let shown = shown.managed_rule_group_statement(group).build();
        let wanted = Statement::managed("AWSManagedRulesSQLiRuleSet");
        assert_ne!(Statement::of(&shown), wanted);
    }
}

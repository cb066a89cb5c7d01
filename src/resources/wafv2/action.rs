//! What a rule of a web ACL does with a request.

use crate::resources::prelude::*;
use aws_sdk_wafv2::types as t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What we do not use, in words.
    #[serde(untagged)]
    Other(String),
}

impl RuleAction {
    /// What we would not send just so is not what we use.
    pub(super) fn of(rule: &t::Rule) -> Self {
        let (action, group) = (rule.action(), rule.override_action());
        let known = match (action, group) {
            (Some(a), None) if a.block().is_some() => Self::Block,
            (Some(a), None) if a.allow().is_some() => Self::Allow,
            (Some(a), None) if a.count().is_some() => Self::Count,
            (None, Some(g)) if g.count().is_some() => Self::CountGroup,
            _ => Self::OfGroup,
        };
        let sent = known.sent();
        let (sent, shown) = (said(sent.0.as_ref(), sent.1.as_ref()), said(action, group));
        if sent == shown {
            known
        } else {
            Self::Other(shown)
        }
    }

    /// As AWS takes it: the action of a rule, or what it does with those of its group.
    pub(super) fn sent(&self) -> (Option<t::RuleAction>, Option<t::OverrideAction>) {
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
            Self::OfGroup | Self::Other(_) => {
                let none = t::NoneAction::builder().build();
                (None, Some(group.none(none).build()))
            }
        }
    }
}

/// What is done, in words.
fn said(action: Option<&t::RuleAction>, group: Option<&t::OverrideAction>) -> String {
    let (action, group) = (action.map(words), group.map(words));
    let all = action.into_iter().chain(group).flatten();
    all.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn built<T>(answer: Result<T, aws_sdk_wafv2::error::BuildError>) -> T {
        answer.unwrap()
    }

    pub fn answer() -> t::BlockAction {
        let custom = t::CustomResponse::builder().response_code(302);
        let block = t::BlockAction::builder().custom_response(built(custom.build()));
        block.build()
    }

    pub fn headers() -> t::CustomRequestHandling {
        let header = t::CustomHttpHeader::builder().name("x").value("theirs");
        let custom = t::CustomRequestHandling::builder().insert_headers(built(header.build()));
        built(custom.build())
    }

    #[test]
    fn an_action_that_does_more_than_ours_is_a_difference() {
        let action = t::RuleAction::builder;
        let of = |action: Option<t::RuleAction>, group: Option<t::OverrideAction>| {
            let rule = t::Rule::builder().name("a").priority(1);
            let rule = rule.set_action(action).set_override_action(group);
            let visibility = t::VisibilityConfig::builder()
                .metric_name("a")
                .cloud_watch_metrics_enabled(true)
                .sampled_requests_enabled(true);
            RuleAction::of(&built(
                rule.visibility_config(built(visibility.build())).build(),
            ))
        };
        for known in [
            RuleAction::Allow,
            RuleAction::Block,
            RuleAction::Count,
            RuleAction::CountGroup,
            RuleAction::OfGroup,
        ] {
            let (action, group) = known.sent();
            assert_eq!(of(action, group), known);
        }
        let allow = t::AllowAction::builder().custom_request_handling(headers());
        let count = t::CountAction::builder().custom_request_handling(headers());
        let captcha = t::CaptchaAction::builder();
        let challenge = t::ChallengeAction::builder();
        for (shown, said) in [
            (action().block(answer()), "block: {custom_response:"),
            (action().allow(allow.build()), "allow: {custom_request"),
            (action().count(count.clone().build()), "count: {custom_req"),
            (action().captcha(captcha.build()), "captcha"),
            (action().challenge(challenge.build()), "challenge"),
        ] {
            let RuleAction::Other(text) = of(Some(shown.build()), None) else {
                panic!("{said}")
            };
            assert!(text.starts_with(said), "{text}");
        }
        let group = t::OverrideAction::builder().count(count.build()).build();
        assert!(matches!(of(None, Some(group)), RuleAction::Other(_)));
        let text = serde_json::to_value(RuleAction::Other("captcha".into())).unwrap();
        assert_eq!(text, "captcha");
        let read = |text: &str| serde_json::from_value::<RuleAction>(text.into()).unwrap();
        assert_eq!(read("count"), RuleAction::Count);
        assert_eq!(read("other"), RuleAction::Other("other".into()));
    }
}

//! What a listener or a rule does with a request. AWS shows a group to forward to twice, alone and in a list with weights;
//! here there is the list.

use super::TargetGroup;
use crate::resources::prelude::*;
use aws_sdk_elasticloadbalancingv2::types as t;
use std::collections::BTreeMap;
use t::ActionTypeEnum as Type;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// To target groups, by weight; one group alone has the weight 1, unless it gets nothing.
    Forward(BTreeMap<Ref<Arn<TargetGroup>>, i32>),
    /// The balancer answers by itself.
    Fixed {
        /// `404`.
        status: String,
        /// `text/plain`, `application/json`.
        content_type: String,
        body: String,
    },
    /// Elsewhere; `#{host}`, `#{path}` and `#{query}` stand for those of the request.
    Redirect {
        protocol: String,
        port: String,
        host: String,
        path: String,
        query: String,
        /// `HTTP_301` or `HTTP_302`.
        status: String,
    },
    /// What we do not use, in words.
    Other(String),
}

impl Action {
    /// To one group.
    pub fn forward(group: Ref<Arn<TargetGroup>>) -> Self {
        Self::Forward(BTreeMap::from([(group, 1)]))
    }

    /// An answer of the balancer itself.
    pub fn answer(status: u16, content_type: &str, body: &str) -> Self {
        Self::Fixed {
            status: status.to_string(),
            content_type: content_type.into(),
            body: body.into(),
        }
    }

    /// The same request by HTTPS.
    pub fn to_https() -> Self {
        Self::Redirect {
            protocol: "HTTPS".into(),
            port: "443".into(),
            host: "#{host}".into(),
            path: "/#{path}".into(),
            query: "#{query}".into(),
            status: "HTTP_301".into(),
        }
    }

    /// The group that gets the requests, when it is one alone.
    pub(super) fn target(&self) -> Ref<Arn<TargetGroup>> {
        match self {
            Self::Forward(groups) if groups.len() == 1 => groups.keys().next().cloned(),
            _ => None,
        }
        .unwrap_or_default()
    }

    /// From what AWS shows.
    pub fn of(actions: &[t::Action]) -> Self {
        let [only] = actions else {
            let all: Vec<&str> = actions.iter().filter_map(kind).collect();
            return Self::Other(all.join(", "));
        };
        let parsed = match only.r#type() {
            Some(Type::Forward) => forwarded(only),
            Some(Type::FixedResponse) => only.fixed_response_config().map(|f| Self::Fixed {
                status: text(f.status_code()),
                content_type: text(f.content_type()),
                body: text(f.message_body()),
            }),
            Some(Type::Redirect) => only.redirect_config().map(|r| {
                let or = |value: Option<&str>, default: &str| value.unwrap_or(default).to_owned();
                Self::Redirect {
                    protocol: or(r.protocol(), "#{protocol}"),
                    port: or(r.port(), "#{port}"),
                    host: or(r.host(), "#{host}"),
                    path: or(r.path(), "/#{path}"),
                    query: or(r.query(), "#{query}"),
                    status: text(r.status_code().map(|s| s.as_str())),
                }
            }),
            _ => None,
        };
        let more = more(only);
        match parsed {
            Some(parsed) if more.is_empty() => parsed,
            _ => {
                let kind = kind(only).unwrap_or_default().to_owned();
                Self::Other([vec![kind], more].concat().join(", "))
            }
        }
    }

    /// As AWS takes it.
    pub fn sent(&self) -> t::Action {
        let action = t::Action::builder();
        match self {
            // The only form that every kind of balancer takes.
            Self::Forward(groups) if groups.len() == 1 && groups.values().all(|w| *w == 1) => {
                let arn = groups.keys().next().map(String::from);
                action.r#type(Type::Forward).set_target_group_arn(arn)
            }
            Self::Forward(groups) => {
                let one = |(arn, weight): (&Ref<_>, &i32)| {
                    let group = t::TargetGroupTuple::builder();
                    group.target_group_arn(arn).weight(*weight).build()
                };
                let config = t::ForwardActionConfig::builder();
                let config = config.set_target_groups(Some(groups.iter().map(one).collect()));
                action.r#type(Type::Forward).forward_config(config.build())
            }
            Self::Fixed {
                status,
                content_type,
                body,
            } => {
                let config = t::FixedResponseActionConfig::builder();
                let config = config.status_code(status).content_type(content_type);
                let config = config.message_body(body).build();
                let action = action.r#type(Type::FixedResponse);
                action.fixed_response_config(config)
            }
            Self::Redirect {
                protocol,
                port,
                host,
                path,
                query,
                status,
            } => {
                let config = t::RedirectActionConfig::builder();
                let config = config.protocol(protocol).port(port).host(host);
                let config = config.path(path).query(query);
                let config = config.status_code(status.as_str().into()).build();
                action.r#type(Type::Redirect).redirect_config(config)
            }
            Self::Other(kind) => action.r#type(kind.as_str().into()),
        }
        .build()
    }
}

/// What an action has besides what its type takes.
fn more(action: &t::Action) -> Vec<String> {
    let mut rest = action.clone();
    match rest.r#type.take() {
        Some(Type::Forward) => {
            rest.target_group_arn = None;
            rest.forward_config = None;
        }
        Some(Type::FixedResponse) => rest.fixed_response_config = None,
        Some(Type::Redirect) => rest.redirect_config = None,
        _ => {}
    }
    // Of one action alone.
    rest.order = None;
    words(&rest)
}

fn kind(action: &t::Action) -> Option<&str> {
    action.r#type().map(Type::as_str)
}

fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

/// `None` for one that keeps clients at a group, which we do not use.
fn forwarded(action: &t::Action) -> Option<Action> {
    let config = action.forward_config();
    let sticky = config.and_then(|c| c.target_group_stickiness_config());
    if sticky.and_then(|s| s.enabled()) == Some(true) {
        return None;
    }
    let listed = config.map(|c| c.target_groups()).unwrap_or_default();
    let mut groups: BTreeMap<Ref<Arn<TargetGroup>>, i32> = listed
        .iter()
        .filter_map(|g| Some((g.target_group_arn()?.into(), g.weight().unwrap_or(1))))
        .collect();
    if let (true, Some(arn)) = (groups.is_empty(), action.target_group_arn()) {
        groups.insert(arn.into(), 1);
    }
    if let (1, Some(weight)) = (groups.len(), groups.values_mut().next()) {
        // Whatever its weight, it gets everything.
        *weight = (*weight).min(1);
    }
    Some(Action::Forward(groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_reads_back_the_same_and_a_group_alone_is_a_list_of_one() {
        let group: Ref<Arn<TargetGroup>> = "arn:tg".into();
        for action in [
            Action::forward(group.clone()),
            Action::answer(404, "text/plain", "Not found"),
            Action::to_https(),
        ] {
            assert_eq!(Action::of(&[action.sent()]), action);
        }
        let alone = t::Action::builder().r#type(Type::Forward);
        let alone = alone.target_group_arn("arn:tg").build();
        assert_eq!(Action::of(&[alone]), Action::forward(group));
        let alone = |weight| {
            let group = t::TargetGroupTuple::builder().target_group_arn("arn:tg");
            let config = t::ForwardActionConfig::builder();
            let config = config.target_groups(group.weight(weight).build()).build();
            let action = t::Action::builder().r#type(Type::Forward);
            Action::of(&[action.forward_config(config).build()])
        };
        assert_eq!(alone(100), Action::forward("arn:tg".into()));
        assert_ne!(alone(0), alone(1), "nobody gets anything");
        let sign_in = t::Action::builder().r#type(Type::AuthenticateOidc).build();
        let two = [sign_in, Action::to_https().sent()];
        let shown = Action::Other("authenticate-oidc, redirect".into());
        assert_eq!(Action::of(&two), shown);
    }

    #[test]
    fn what_an_action_has_besides_is_a_difference() {
        let plain = Action::to_https().sent();
        let mut signed_in = plain.clone();
        let oidc = t::AuthenticateOidcActionConfig::builder().issuer("theirs");
        signed_in.authenticate_oidc_config = Some(oidc.build());
        let mut pooled = plain.clone();
        let cognito = t::AuthenticateCognitoActionConfig::builder().user_pool_arn("theirs");
        pooled.authenticate_cognito_config = Some(cognito.build());
        let mut token = plain.clone();
        let jwt = t::JwtValidationActionConfig::builder().issuer("theirs");
        token.jwt_validation_config = Some(jwt.build());
        let mut answered = plain.clone();
        answered.fixed_response_config = Action::answer(200, "a", "b").sent().fixed_response_config;
        let mut forwarded = plain.clone();
        forwarded.target_group_arn = Some("arn:theirs".into());
        for shown in [signed_in, pooled, token, answered, forwarded] {
            let read = Action::of(std::slice::from_ref(&shown));
            assert!(matches!(read, Action::Other(_)), "{shown:?}");
        }
        let mut numbered = plain.clone();
        numbered.order = Some(1);
        assert_eq!(Action::of(&[numbered]), Action::of(&[plain]));
    }
}

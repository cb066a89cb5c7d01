//! A listener of a load balancer, with its default action.

mod shown;

use self::shown::{DEFAULTS, rest, set};
use super::attributes::{self, Attributes};
use super::tags::{self, ElbTags};
use super::{Action, LoadBalancer};
use crate::resources::prelude::*;
use aws_sdk_elasticloadbalancingv2::types as t;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listener {
    pub load_balancer: Ref<Arn<LoadBalancer>>,
    /// `HTTP`, `HTTPS` or `TCP`.
    pub protocol: String,
    pub port: i32,
    /// The protocols and ciphers of HTTPS.
    pub tls_policy: Option<String>,
    /// The ARN of the certificate that HTTPS shows by default.
    pub certificate: Option<String>,
    /// What is done with a request that no rule takes.
    pub action: Action,
    /// Those that differ from AWS's default.
    pub attributes: Attributes,
    /// Further certificates.
    #[serde(default)]
    pub more_certificates: Vec<String>,
    /// Rules that are not this deployment's, by priority, and settings that we do not use, in words.
    #[serde(default)]
    pub others: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListenerOutputs {
    pub arn: Ref<Arn<Listener>>,
    /// Its balancer: take it from here for what must not start before the listener is there.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub load_balancer: Ref<Arn<LoadBalancer>>,
}

impl HasArn for ListenerOutputs {
    fn arn(&self) -> &str {
        self.arn.as_str()
    }
}

const READ: Api = elbv2::DESCRIBE_LISTENERS;
const CREATE: Api = elbv2::CREATE_LISTENER;
const DELETE: Api = elbv2::DELETE_LISTENER;
/// How the setting begins that asks clients for certificates.
const CLIENTS: &str = "mutual_authentication";

impl Kind for Listener {
    const TYPE: &'static str = "elbv2/listener";
    type Outputs = ListenerOutputs;
}

impl Resource for Listener {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::WithParent,
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &["load_balancer"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[
            ("port", "clients of the old port are refused at once"),
            ("protocol", "open connections end"),
        ],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    const TAKES_ALONG: &'static [&'static str] = &["others"];
    type Tags = ElbTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let balancer = key.spec.load_balancer.as_str();
        let (listeners, parts) = match key.outputs {
            Some(it) => {
                let (listeners, parts) = futures::join!(
                    cx.elbv2.listeners(balancer),
                    parts_of(cx, it.arn.as_str(), key.identity)
                );
                (listeners?, Some(parts?))
            }
            None => (cx.elbv2.listeners(balancer).await?, None),
        };
        let listeners = listeners.unwrap_or_default();
        let arns = || listeners.iter().filter_map(|l| l.listener_arn.clone());
        let arn = match key.outputs {
            Some(it) => Some(it.arn.to_string()),
            None => tags::of_step(cx, key.identity, arns().collect()).await?,
        };
        // What has our port without our mark is somebody else's.
        let is_it = |l: &&t::Listener| match &arn {
            Some(arn) => l.listener_arn() == Some(arn),
            None => l.port() == Some(key.spec.port),
        };
        let Some(listener) = listeners.iter().find(is_it) else {
            return Ok(None);
        };
        let arn = listener.listener_arn().unwrap_or_default();
        let parts = match parts {
            Some(parts) => parts,
            None => parts_of(cx, arn, key.identity).await?,
        };
        let Some(parts) = parts else {
            return Ok(None);
        };
        let first = listener.certificates().first();
        let certificate = first.and_then(|c| c.certificate_arn());
        let more = match certificate {
            Some(default) => more_certificates(cx, arn, default).await?,
            None => Vec::new(),
        };
        let spec = Self {
            load_balancer: READ.field(listener.load_balancer_arn(), "LoadBalancerArn")?,
            protocol: listener.protocol().map_or("", |p| p.as_str()).to_owned(),
            port: listener.port().unwrap_or_default(),
            // AWS shows one for HTTPS only.
            tls_policy: certificate.and(listener.ssl_policy()).map(str::to_owned),
            certificate: certificate.map(str::to_owned),
            action: Action::of(listener.default_actions()),
            attributes: parts.attributes,
            more_certificates: more,
            others: [parts.others, rest(listener)].concat(),
        };
        let outputs = ListenerOutputs {
            arn: READ.field(listener.listener_arn(), "ListenerArn")?,
            load_balancer: spec.load_balancer.clone(),
        };
        Ok(Some(Found::tagged(spec, outputs, parts.tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<ListenerOutputs, Error> {
        let call = cx.elbv2.client.create_listener();
        let call = call
            .load_balancer_arn(&self.load_balancer)
            .protocol(self.protocol.as_str().into())
            .port(self.port)
            .set_ssl_policy(self.tls_policy.clone())
            .set_certificates(self.certificates())
            .default_actions(self.action.sent())
            .set_tags(tags::at_creation(identity));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let arn = made.listeners().first().and_then(|l| l.listener_arn());
        Ok(ListenerOutputs {
            arn: CREATE.field(arn, "ListenerArn")?,
            load_balancer: self.load_balancer.clone(),
        })
    }

    async fn update(&self, cx: &Aws, it: &ListenerOutputs, delta: &Delta) -> Result<(), Error> {
        let client = &cx.elbv2.client;
        let own = ["protocol", "port", "tls_policy", "certificate", "action"];
        if own.iter().any(|field| delta.touches(field)) {
            let call = client.modify_listener().listener_arn(&it.arn);
            let call = call
                .protocol(self.protocol.as_str().into())
                .port(self.port)
                .set_ssl_policy(self.tls_policy.clone())
                .set_certificates(self.certificates())
                .default_actions(self.action.sent());
            let api = elbv2::MODIFY_LISTENER;
            cx.call(api, || call.clone().send()).await?;
        }
        let keys = delta.entries("attributes");
        let sent = attributes::to_send(&self.attributes, keys.into_keys(), DEFAULTS);
        if !sent.is_empty() {
            let attribute = |(key, value)| {
                let attribute = t::ListenerAttribute::builder();
                attribute.key(key).value(value).build()
            };
            let call = client.modify_listener_attributes().listener_arn(&it.arn);
            let call = call.set_attributes(Some(sent.into_iter().map(attribute).collect()));
            let api = elbv2::MODIFY_LISTENER_ATTRIBUTES;
            cx.call(api, || call.clone().send()).await?;
        }
        for extra in delta.entries("more_certificates").into_keys() {
            let certificate = t::Certificate::builder().certificate_arn(extra).build();
            let call = client.remove_listener_certificates();
            let call = call.listener_arn(&it.arn).certificates(certificate);
            let api = elbv2::REMOVE_LISTENER_CERTIFICATES;
            cx.delete(api, || call.clone().send()).await?;
        }
        let extra = delta.entries("others");
        if extra.keys().any(|what| what.starts_with(CLIENTS)) {
            let off = t::MutualAuthenticationAttributes::builder().mode("off");
            let call = client.modify_listener().listener_arn(&it.arn);
            let call = call.mutual_authentication(off.build());
            let api = elbv2::MODIFY_LISTENER;
            cx.call(api, || call.clone().send()).await?;
        }
        if !extra.is_empty() {
            remove_others(cx, it.arn.as_str(), delta).await?;
        }
        Ok(())
    }

    /// Its rules go with it.
    async fn delete(&self, cx: &Aws, it: &ListenerOutputs) -> Result<(), Error> {
        let call = cx.elbv2.client.delete_listener().listener_arn(&it.arn);
        cx.delete(DELETE, || call.clone().send()).await
    }
}

impl Listener {
    fn certificates(&self) -> Option<Vec<t::Certificate>> {
        let arn = self.certificate.as_ref()?;
        Some(vec![t::Certificate::builder().certificate_arn(arn).build()])
    }
}

/// Deletes the rules that the difference names by their priority.
async fn remove_others(cx: &Aws, arn: &str, delta: &Delta) -> Result<(), Error> {
    let extra = delta.entries("others");
    for rule in cx.elbv2.rules(arn).await?.unwrap_or_default() {
        let (Some(priority), Some(arn)) = (rule.priority(), rule.rule_arn()) else {
            continue;
        };
        if extra.contains_key(priority) {
            let call = cx.elbv2.client.delete_rule().rule_arn(arn);
            cx.delete(elbv2::DELETE_RULE, || call.clone().send())
                .await?;
        }
    }
    Ok(())
}

/// What DescribeListeners does not tell.
struct Parts {
    attributes: Attributes,
    others: Vec<String>,
    tags: Tags,
}

/// `None` when it does not exist.
async fn parts_of(cx: &Aws, arn: &str, identity: &Identity) -> Result<Option<Parts>, Error> {
    const READ: Api = elbv2::DESCRIBE_LISTENER_ATTRIBUTES;
    let call = cx.elbv2.client.describe_listener_attributes();
    let call = call.listener_arn(arn);
    let (shown, tags, others) = futures::join!(
        cx.call(READ, || call.clone().send()),
        tags::tags_of(cx, arn, identity),
        others(cx, arn, identity)
    );
    let (Some(shown), Some(tags), Some(others)) = (found(shown)?, tags?, others?) else {
        return Ok(None);
    };
    let pairs = shown.attributes().iter().map(|a| (a.key(), a.value()));
    let pairs = pairs.filter(set);
    Ok(Some(Parts {
        attributes: attributes::changed(pairs, DEFAULTS),
        others,
        tags,
    }))
}

/// The priorities of rules that are not this deployment's.
async fn others(cx: &Aws, arn: &str, identity: &Identity) -> Result<Option<Vec<String>>, Error> {
    if arn.contains(":listener/net/") {
        // Only an Application Load Balancer has rules.
        return Ok(Some(Vec::new()));
    }
    let Some(rules) = cx.elbv2.rules(arn).await? else {
        return Ok(None);
    };
    let arns = rules.iter().filter_map(|r| r.rule_arn.clone()).collect();
    let foreign = tags::of_others(cx, identity, arns).await?;
    let theirs = |r: &&t::Rule| foreign.iter().any(|arn| r.rule_arn() == Some(arn));
    let priority = |r: &t::Rule| r.priority().unwrap_or_default().to_owned();
    Ok(Some(rules.iter().filter(theirs).map(priority).collect()))
}

async fn more_certificates(cx: &Aws, arn: &str, default: &str) -> Result<Vec<String>, Error> {
    const READ: Api = elbv2::DESCRIBE_LISTENER_CERTIFICATES;
    let call = cx.elbv2.client.describe_listener_certificates();
    let call = call.listener_arn(arn).page_size(400);
    let send = |token| call.clone().set_marker(token).send();
    let all = cx.pages(READ, send, |page| {
        (page.certificates.unwrap_or_default(), page.next_marker)
    });
    let all = found(all.await)?.unwrap_or_default();
    let arns = all.into_iter().filter_map(|c| c.certificate_arn);
    Ok(arns.filter(|arn| arn != default).collect())
}

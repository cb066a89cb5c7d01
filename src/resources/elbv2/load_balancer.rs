//! An Application Load Balancer, or a Network Load Balancer.

mod defaults;
mod idle;
mod members;
mod parts;

use self::defaults::defaults;
pub use self::idle::keep_idle;
use self::parts::{parts, remove_others};
use super::attributes::{self, Attributes};
use super::tags::{self, ElbTags};
use crate::resources::ec2::{InternetGateway, SecurityGroup, Subnet, Vpc};
use crate::resources::prelude::*;
use aws_sdk_elasticloadbalancingv2::types as t;
use t::EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum as PrivateLink;
use t::LoadBalancerStateEnum as State;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// `application` or `network`.
    #[serde(default = "application")]
    pub family: String,
    #[serde(default)]
    pub vpc: Ref<Vpc>,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// One per zone, two at least.
    pub subnets: Vec<Ref<Subnet>>,
    pub security_groups: Vec<Ref<SecurityGroup>>,
    /// `ipv4` or `dualstack`.
    pub address_type: String,
    /// Deletion is refused.
    pub deletion_protection: bool,
    /// Those that differ from AWS's default.
    pub attributes: Attributes,
    /// The gateway that its VPC must have attached when it faces the internet. AWS does not show it here.
    pub internet: Option<Ref<InternetGateway>>,
    /// `on` or `off`: whether inbound rules of its groups judge what comes by PrivateLink. Of a Network Load Balancer only.
    #[serde(default)]
    pub private_link_rules: Option<String>,
    /// The VPC that calls it by PrivateLink, without which it is of no use. AWS does not show it here.
    #[serde(default)]
    pub called_from: Option<Ref<Vpc>>,
    /// Listeners that are not this deployment's, by port.
    #[serde(default)]
    pub others: Vec<String>,
    /// How long the traffic command lets an idle connection live in place of the written attribute: not wanted, only shown.
    #[serde(default)]
    pub held: Option<Held>,
}

fn application() -> String {
    "application".into()
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LoadBalancerOutputs {
    pub name: Ref<LoadBalancer>,
    pub arn: Ref<Arn<LoadBalancer>>,
    /// Where it answers.
    pub dns_name: Ref<LoadBalancer>,
    /// The zone of that name, which an alias record names.
    pub dns_zone: Ref<LoadBalancer>,
    /// Take it from here for what is made for this balancer.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub vpc: Ref<Vpc>,
}

impl HasName for LoadBalancerOutputs {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl HasArn for LoadBalancerOutputs {
    fn arn(&self) -> &str {
        self.arn.as_str()
    }
}

const READ: Api = elbv2::DESCRIBE_LOAD_BALANCERS;
const CREATE: Api = elbv2::CREATE_LOAD_BALANCER;
const MODIFY: Api = elbv2::MODIFY_LOAD_BALANCER_ATTRIBUTES;
const DELETE: Api = elbv2::DELETE_LOAD_BALANCER;

/// Whether it may be deleted; a field of its own.
const PROTECTION: &str = "deletion_protection.enabled";

/// What AWS sets for `private_link_rules` by itself.
const ON: &str = "on";

impl Kind for LoadBalancer {
    const TYPE: &'static str = "elbv2/load_balancer";
    const NAME: NameRule = super::NAME;
    type Outputs = LoadBalancerOutputs;
}

impl Resource for LoadBalancer {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (150.0, 5.0),
        // With a public address in each zone.
        cost: |it| {
            let public = it.scheme != "internal";
            let cost = if it.is_network() {
                Cost::fixed("nlb_hour", 1).used(&["nlb_capacity"])
            } else if public {
                Cost::fixed("alb_hour", 1).used(&["alb_capacity", "internet_out"])
            } else {
                Cost::fixed("alb_hour", 1).used(&["alb_capacity"])
            };
            cost.and(
                "public_ipv4_hour",
                if public { it.subnets.len() } else { 0 },
            )
        },
        fixed: &["family", "vpc", "scheme"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[
            ("subnets", "connections in a zone that is removed end"),
            (
                "security_groups",
                "connections that are no longer allowed may stop",
            ),
            (
                "private_link_rules",
                "connections over PrivateLink that are no longer allowed stop",
            ),
        ],
        write_only: &["internet", "called_from"],
        watched: &[],
        delegated: &[minimum::HELD],
    };
    const TAKES_ALONG: &'static [&'static str] = &["others"];
    type Tags = ElbTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        // What is recorded is asked for all at once.
        let parts = match key.outputs {
            Some(it) => {
                let (balancer, parts) = futures::join!(
                    cx.elbv2.load_balancers.named(key.name()),
                    parts(cx, it.arn.as_str(), key.identity)
                );
                balancer?.zip(parts?)
            }
            None => match cx.elbv2.load_balancers.named(key.name()).await? {
                Some(balancer) => {
                    let arn = balancer.load_balancer_arn().unwrap_or_default();
                    let parts = parts(cx, arn, key.identity).await?;
                    Some(balancer).zip(parts)
                }
                None => None,
            },
        };
        let Some((balancer, parts)) = parts else {
            return Ok(None);
        };
        let state = balancer.state();
        let phase = match state.and_then(|s| s.code()) {
            Some(State::Active | State::ActiveImpaired) => Phase::Ready,
            Some(State::Failed) => {
                let why = state.and_then(|s| s.reason()).unwrap_or("no reason given");
                Phase::Failed(why.to_owned())
            }
            _ => Phase::Settling,
        };
        let subnets = balancer.availability_zones().iter();
        let subnets = subnets.filter_map(|z| z.subnet_id()).map(Ref::from);
        let family = word(balancer.r#type().map(|t| t.as_str()));
        let rules = balancer.enforce_security_group_inbound_rules_on_private_link_traffic();
        let mut attributes = attributes::changed(parts.attributes(), defaults(&family));
        let held = idle::split(&mut attributes, &parts.tags);
        let spec = Self {
            attributes,
            deletion_protection: parts.protected(),
            private_link_rules: (family == NETWORK).then(|| rules.unwrap_or(ON).to_owned()),
            family,
            vpc: balancer.vpc_id().unwrap_or_default().into(),
            scheme: word(balancer.scheme().map(|s| s.as_str())),
            subnets: subnets.collect(),
            security_groups: balancer
                .security_groups()
                .iter()
                .map(|g| Ref::from(g.as_str()))
                .collect(),
            address_type: word(balancer.ip_address_type().map(|a| a.as_str())),
            internet: None,
            called_from: None,
            others: parts.others,
            held,
        };
        let found = Found::tagged(spec, outputs(READ, &balancer)?, parts.tags);
        Ok(Some(found.phase(phase)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<LoadBalancerOutputs, Error> {
        let call = cx.elbv2.client.create_load_balancer();
        let call = call
            .name(&identity.name)
            .r#type(self.family.as_str().into())
            .scheme(self.scheme.as_str().into())
            .ip_address_type(self.address_type.as_str().into())
            .set_subnets(Some(texts(&self.subnets)))
            .set_security_groups(Some(texts(&self.security_groups)))
            .set_tags(tags::at_creation(identity));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let balancer = made.load_balancers().first();
        outputs(
            CREATE,
            balancer.ok_or_else(|| CREATE.missing("LoadBalancers"))?,
        )
    }

    async fn update(&self, cx: &Aws, it: &LoadBalancerOutputs, delta: &Delta) -> Result<(), Error> {
        let client = &cx.elbv2.client;
        let arn = it.arn.as_str();
        if delta.touches("subnets") || delta.touches("address_type") {
            let call = client.set_subnets().load_balancer_arn(arn);
            let call = call
                .set_subnets(Some(texts(&self.subnets)))
                .ip_address_type(self.address_type.as_str().into());
            cx.call(elbv2::SET_SUBNETS, || call.clone().send()).await?;
        }
        if delta.touches("security_groups") || delta.touches("private_link_rules") {
            let rules = self.private_link_rules.as_deref().map(PrivateLink::from);
            let call = client.set_security_groups().load_balancer_arn(arn);
            let call = call
                .set_security_groups(Some(texts(&self.security_groups)))
                .set_enforce_security_group_inbound_rules_on_private_link_traffic(rules);
            let api = elbv2::SET_SECURITY_GROUPS;
            cx.call(api, || call.clone().send()).await?;
        }
        let keys = delta.entries("attributes");
        let mut sent =
            attributes::to_send(&self.attributes, keys.into_keys(), defaults(&self.family));
        idle::hold(cx, arn, &mut sent).await?;
        if delta.touches("deletion_protection") {
            sent.push((PROTECTION.into(), self.deletion_protection.to_string()));
        }
        if !sent.is_empty() {
            modify(cx, arn, sent).await?;
        }
        if delta.touches("others") {
            remove_others(cx, arn, delta).await?;
        }
        Ok(())
    }

    /// Its listeners and their rules go with it. A plan that may delete it says so: then its protection ends first.
    async fn delete(&self, cx: &Aws, it: &LoadBalancerOutputs) -> Result<(), Error> {
        self.delete_data(cx, it, &DeleteOptions::default()).await
    }

    async fn delete_data(
        &self,
        cx: &Aws,
        it: &LoadBalancerOutputs,
        options: &DeleteOptions,
    ) -> Result<(), Error> {
        let arn = it.arn.as_str();
        if self.deletion_protection && options.lift_protection {
            let off = vec![(PROTECTION.to_owned(), "false".to_owned())];
            ignore_not_found(modify(cx, arn, off).await)?;
        }
        let call = cx.elbv2.client.delete_load_balancer();
        let call = call.load_balancer_arn(arn);
        cx.delete(DELETE, || call.clone().send()).await
    }

    const RETENTION: Retention = Retention {
        protection: Some("deletion_protection"),
        ..Retention::NONE
    };
}

const NETWORK: &str = "network";

impl LoadBalancer {
    fn is_network(&self) -> bool {
        self.family == NETWORK
    }
}

async fn modify(cx: &Aws, arn: &str, pairs: Vec<(String, String)>) -> Result<(), Error> {
    let attribute = |(key, value)| {
        let attribute = t::LoadBalancerAttribute::builder();
        attribute.key(key).value(value).build()
    };
    let list: Vec<t::LoadBalancerAttribute> = pairs.into_iter().map(attribute).collect();
    let call = cx.elbv2.client.modify_load_balancer_attributes();
    let call = call.load_balancer_arn(arn).set_attributes(Some(list));
    cx.call(MODIFY, || call.clone().send()).await.map(drop)
}

fn outputs(api: Api, it: &t::LoadBalancer) -> Result<LoadBalancerOutputs, Error> {
    Ok(LoadBalancerOutputs {
        name: api.field(it.load_balancer_name(), "LoadBalancerName")?,
        arn: api.field(it.load_balancer_arn(), "LoadBalancerArn")?,
        dns_name: api.field(it.dns_name(), "DNSName")?,
        dns_zone: api.field(it.canonical_hosted_zone_id(), "CanonicalHostedZoneId")?,
        vpc: api.field(it.vpc_id(), "VpcId")?,
    })
}

fn word(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.elbv2.load_balancers.all().await?;
    let names = all
        .iter()
        .map(|b| (b.load_balancer_name.clone(), b.load_balancer_arn.clone()));
    let own = tags::owned(cx, LoadBalancer::TYPE, suffix, names.collect());
    let (mut own, inner) = futures::try_join!(own, members::marked_in(cx, suffix, &all))?;
    own.extend(inner);
    Ok(own)
}

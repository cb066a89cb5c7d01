//! A target group. Its name cannot be taken twice, and AWS deletes none that a rule still names: the settings that are fixed
//! are part of the name, so that a replacement stands beside the old one until the rules name it.

use super::attributes::{self, Attributes, Defaults};
use super::tags::{self, ElbTags};
use super::targets::{self, OfTasks};
use crate::resources::ec2::Vpc;
use crate::resources::holders::{explain, not_beside};
use crate::resources::prelude::*;
use aws_sdk_elasticloadbalancingv2::types as t;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TargetGroup {
    pub vpc: Ref<Vpc>,
    /// `HTTP`, `HTTPS` or `TCP`.
    pub protocol: String,
    /// `HTTP1`, `HTTP2` or `GRPC`; empty for `TCP`.
    pub version: String,
    pub port: i32,
    /// `ip`, `instance`, `alb`.
    pub target_type: String,
    pub health: HealthCheck,
    /// Those that differ from AWS's default.
    pub attributes: Attributes,
    /// ECS registers the tasks of a service in it, and nobody else does.
    #[serde(default)]
    pub tasks: bool,
    /// Targets of a group of tasks that are none: whoever answers there gets requests of customers. As those of [`super::Targets`].
    #[serde(default)]
    pub others: Vec<String>,
}

/// When a target counts as healthy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HealthCheck {
    pub protocol: String,
    /// A number, or `traffic-port`.
    pub port: String,
    pub path: String,
    /// The status codes that count, `200` or `200-299`.
    pub codes: String,
    pub interval_seconds: i32,
    pub timeout_seconds: i32,
    /// Checks in a row that make it healthy.
    pub healthy: i32,
    /// Checks in a row that make it unhealthy.
    pub unhealthy: i32,
}

const READ: Api = elbv2::DESCRIBE_TARGET_GROUPS;
const CREATE: Api = elbv2::CREATE_TARGET_GROUP;
const DELETE: Api = elbv2::DELETE_TARGET_GROUP;

/// "TargetGroupAttribute" in the API reference, for targets of an Application Load Balancer.
const DEFAULTS: Defaults = &[
    ("deregistration_delay.timeout_seconds", "300"),
    ("load_balancing.algorithm.anomaly_mitigation", "off"),
    ("load_balancing.algorithm.type", "round_robin"),
    (
        "load_balancing.cross_zone.enabled",
        "use_load_balancer_configuration",
    ),
    ("slow_start.duration_seconds", "0"),
    ("stickiness.app_cookie.cookie_name", ""),
    ("stickiness.app_cookie.duration_seconds", "86400"),
    ("stickiness.enabled", "false"),
    ("stickiness.lb_cookie.duration_seconds", "86400"),
    ("stickiness.type", "lb_cookie"),
    (
        "target_group_health.dns_failover.minimum_healthy_targets.count",
        "1",
    ),
    (
        "target_group_health.dns_failover.minimum_healthy_targets.percentage",
        "off",
    ),
    (
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
        "1",
    ),
    (
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
        "off",
    ),
];

impl Kind for TargetGroup {
    const TYPE: &'static str = "elbv2/target_group";
    const NAME: NameRule = super::NAME;
    const NAMED_BY: &'static [&'static str] = Self::FACTS.fixed;
    type Outputs = Named<Self>;
}

impl Resource for TargetGroup {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &["vpc", "protocol", "version", "port", "target_type"],
        changing: &[],
        replace: Replace::CreateFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &["tasks"],
        watched: &[],
        delegated: &[],
    };
    type Tags = ElbTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let parts = match key.outputs {
            Some(it) => {
                let (group, parts) = futures::join!(
                    cx.elbv2.target_groups.named(key.name()),
                    parts(
                        cx,
                        it.arn.as_str(),
                        key.spec,
                        key.spec.vpc.as_str(),
                        key.identity
                    )
                );
                group?.zip(parts?)
            }
            None => match cx.elbv2.target_groups.named(key.name()).await? {
                Some(group) => {
                    let arn = group.target_group_arn().unwrap_or_default();
                    let vpc = group.vpc_id().unwrap_or_default();
                    let parts = parts(cx, arn, key.spec, vpc, key.identity).await?;
                    Some(group).zip(parts)
                }
                None => None,
            },
        };
        let Some((group, (attributes, tags, others))) = parts else {
            return Ok(None);
        };
        let spec = Self {
            attributes,
            target_type: word(group.target_type().map(|t| t.as_str())),
            vpc: READ.field(group.vpc_id(), "VpcId")?,
            protocol: word(group.protocol().map(|p| p.as_str())),
            version: word(group.protocol_version()),
            port: group.port().unwrap_or_default(),
            health: health(&group),
            tasks: key.spec.tasks,
            others,
        };
        let arn: Ref<Arn<Self>> = READ.field(group.target_group_arn(), "TargetGroupArn")?;
        Ok(Some(Found::tagged(spec, Named::new(key.name(), arn), tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let health = &self.health;
        let version = Some(self.version.clone()).filter(|v| !v.is_empty());
        let call = cx.elbv2.client.create_target_group();
        let call = call
            .name(&identity.name)
            .vpc_id(&self.vpc)
            .protocol(self.protocol.as_str().into())
            .set_protocol_version(version)
            .port(self.port)
            .target_type(self.target_type.as_str().into())
            .health_check_enabled(true)
            .health_check_protocol(health.protocol.as_str().into())
            .health_check_port(&health.port)
            .health_check_path(&health.path)
            .matcher(matcher(&health.codes))
            .health_check_interval_seconds(health.interval_seconds)
            .health_check_timeout_seconds(health.timeout_seconds)
            .healthy_threshold_count(health.healthy)
            .unhealthy_threshold_count(health.unhealthy)
            .set_tags(tags::at_creation(identity));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let arn = made.target_groups().first();
        let arn = arn.and_then(|g| g.target_group_arn());
        let arn: Ref<Arn<Self>> = CREATE.field(arn, "TargetGroupArn")?;
        Ok(Named::new(&identity.name, arn))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, delta: &Delta) -> Result<(), Error> {
        let client = &cx.elbv2.client;
        if delta.touches("others") {
            let extra = delta.entries("others");
            let at = OfTasks {
                group: it.arn.as_str(),
                vpc: self.vpc.as_str(),
                port: self.port,
            };
            targets::remove_others(cx, &at, |name| extra.contains_key(name)).await?;
        }
        if delta.touches("health") {
            let health = &self.health;
            let call = client.modify_target_group().target_group_arn(&it.arn);
            let call = call
                .health_check_enabled(true)
                .health_check_protocol(health.protocol.as_str().into())
                .health_check_port(&health.port)
                .health_check_path(&health.path)
                .matcher(matcher(&health.codes))
                .health_check_interval_seconds(health.interval_seconds)
                .health_check_timeout_seconds(health.timeout_seconds)
                .healthy_threshold_count(health.healthy)
                .unhealthy_threshold_count(health.unhealthy);
            let api = elbv2::MODIFY_TARGET_GROUP;
            cx.call(api, || call.clone().send()).await?;
        }
        let keys = delta.entries("attributes");
        let sent = attributes::to_send(&self.attributes, keys.into_keys(), DEFAULTS);
        if !sent.is_empty() {
            let attribute = |(key, value)| {
                let attribute = t::TargetGroupAttribute::builder();
                attribute.key(key).value(value).build()
            };
            let call = client.modify_target_group_attributes();
            let call = call
                .target_group_arn(&it.arn)
                .set_attributes(Some(sent.into_iter().map(attribute).collect()));
            let api = elbv2::MODIFY_TARGET_GROUP_ATTRIBUTES;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let call = cx.elbv2.client.delete_target_group();
        let call = call.target_group_arn(&it.arn);
        let answer = cx.delete(DELETE, || call.clone().send()).await;
        explain(answer, others(cx, it)).await
    }
}

/// The load balancers of others whose listeners and rules send requests to it.
async fn others(cx: &Aws, it: &Named<TargetGroup>) -> Result<Vec<String>, Error> {
    let call = cx.elbv2.client.describe_target_groups();
    let call = call.target_group_arns(&it.arn);
    let api = elbv2::DESCRIBE_TARGET_GROUPS;
    let (answer, own) = futures::join!(
        cx.call(api, || call.clone().send()),
        cx.elbv2.tags(it.arn.as_str())
    );
    let groups = answer?.target_groups.unwrap_or_default();
    let users = groups
        .into_iter()
        .flat_map(|g| g.load_balancer_arns.unwrap_or_default());
    not_beside(cx, &own?.unwrap_or_default(), users.collect()).await
}

/// A check that somebody switched off has neither path nor codes here, and so differs.
fn health(group: &t::TargetGroup) -> HealthCheck {
    if group.health_check_enabled() == Some(false) {
        return HealthCheck::default();
    }
    HealthCheck {
        protocol: word(group.health_check_protocol().map(|p| p.as_str())),
        port: word(group.health_check_port()),
        path: word(group.health_check_path()),
        codes: word(group.matcher().and_then(|m| m.http_code())),
        interval_seconds: group.health_check_interval_seconds().unwrap_or_default(),
        timeout_seconds: group.health_check_timeout_seconds().unwrap_or_default(),
        healthy: group.healthy_threshold_count().unwrap_or_default(),
        unhealthy: group.unhealthy_threshold_count().unwrap_or_default(),
    }
}

fn matcher(codes: &str) -> t::Matcher {
    t::Matcher::builder().http_code(codes).build()
}

fn word(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

/// Attributes, tags, and targets that are no tasks; `None` when it does not exist. `spec` is what is recorded or wanted.
async fn parts(
    cx: &Aws,
    arn: &str,
    spec: &TargetGroup,
    vpc: &str,
    identity: &Identity,
) -> Result<Option<(Attributes, Tags, Vec<String>)>, Error> {
    let shown = async {
        // "You can't modify the attributes of a target group of type alb."
        if spec.target_type == "alb" {
            return Ok(Some(Attributes::new()));
        }
        const READ: Api = elbv2::DESCRIBE_TARGET_GROUP_ATTRIBUTES;
        let call = cx.elbv2.client.describe_target_group_attributes();
        let call = call.target_group_arn(arn);
        let shown = found(cx.call(READ, || call.clone().send()).await)?;
        Ok::<_, Error>(shown.map(|shown| {
            let pairs = shown.attributes().iter().map(|a| (a.key(), a.value()));
            attributes::changed(pairs, DEFAULTS)
        }))
    };
    let others = async {
        match spec.tasks {
            true => {
                let port = spec.port;
                let group = arn;
                targets::others(cx, &OfTasks { group, vpc, port }).await
            }
            false => Ok(Some(Vec::new())),
        }
    };
    let (shown, tags, others) = futures::join!(shown, tags::tags_of(cx, arn, identity), others);
    let (Some(shown), Some(tags), Some(others)) = (shown?, tags?, others?) else {
        return Ok(None);
    };
    Ok(Some((shown, tags, others)))
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.elbv2.target_groups.all().await?;
    let names = all
        .iter()
        .map(|g| (g.target_group_name.clone(), g.target_group_arn.clone()));
    tags::owned(cx, TargetGroup::TYPE, suffix, names.collect()).await
}

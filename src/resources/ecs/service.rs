//! A service: tasks of one task definition that ECS keeps running, on Fargate.
//!
//! How many run is decided once, when it starts to run; from then on Application Auto Scaling owns the number, and no update
//! sends it. Somebody who stops it (a count of 0) changes `running`, which is ours.

use super::rollout::{last_events, phase, primary};
use super::service_more::{more, put_back, put_back_deployments};
use super::tags::{tags, tags_of};
use super::{Cluster, EcsTags, TaskDefinition};
use crate::engine::Owner;
use crate::resources::cloudwatch::Alarm;
use crate::resources::ec2::{SecurityGroup, Subnet};
use crate::resources::elbv2::TargetGroup;
use crate::resources::prelude::*;
use aws_sdk_ecs::error::BuildError;
use aws_sdk_ecs::types as t;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Service {
    /// The name of its cluster, which is known before the cluster exists: what is not recorded is found by it.
    pub cluster: String,
    pub cluster_arn: Ref<Arn<Cluster>>,
    /// What its tasks are.
    pub task_definition: Ref<Arn<TaskDefinition>>,
    /// Whether tasks run at all: not before there is an image.
    pub running: bool,
    /// How many it starts with.
    pub count: i32,
    pub subnets: Vec<Ref<Subnet>>,
    pub security_groups: Vec<Ref<SecurityGroup>>,
    pub public_ip: bool,
    /// Where its tasks get requests from.
    pub targets: Vec<Target>,
    /// Seconds after the start of a task in which failed checks of its target groups do not count.
    pub grace_seconds: i32,
    /// Of Fargate: `LATEST`, or a number.
    pub platform: String,
    /// How a new task definition takes the place of the old one.
    pub deployment: Deployment,
    /// ECS evens out the tasks over the zones.
    pub zone_rebalancing: bool,
    /// Somebody may open a shell in a task.
    pub exec: bool,
    /// All other settings that ECS knows of a service, by its names.
    #[serde(default)]
    pub exposed: Exposed,
    /// What its tasks need before they start, and until they have ended.
    #[serde(default)]
    pub after: Vec<Ref<()>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Tasks that stay healthy, in percent of the count.
    pub min_percent: i32,
    /// Tasks that there may be at once, in percent of the count.
    pub max_percent: i32,
    /// A deployment whose tasks do not start is stopped.
    pub breaker: bool,
    /// And ECS goes back to what ran before.
    pub rollback: bool,
    /// Alarms that stop a deployment, too, when they go off while it is going on; ECS goes back then. A set.
    #[serde(default)]
    pub alarms: Vec<Ref<Alarm>>,
}

/// A container whose address joins a target group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub group: Ref<Arn<TargetGroup>>,
    pub container: String,
    pub port: i32,
}

/// What scales: `service/CLUSTER/SERVICE`.
pub enum Scalable {}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ServiceOutputs {
    pub name: Ref<Service>,
    pub arn: Ref<Arn<Service>>,
    pub scalable: Ref<Scalable>,
}

impl HasName for ServiceOutputs {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl HasArn for ServiceOutputs {
    fn arn(&self) -> &str {
        self.arn.as_str()
    }
}

/// The platform version that `LATEST` is today, as some answers say ("Fargate Linux platform versions").
const LATEST: (&str, &str) = ("LATEST", "1.4.0");

const READ: Api = ecs::DESCRIBE_SERVICES;

impl Kind for Service {
    const TYPE: &'static str = "ecs/service";
    /// "CreateService" in the ECS API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 255,
        legal: |c| c.is_ascii_alphanumeric() || "-_".contains(c),
        charset: "letters, digits, `-` and `_`",
    };
    type Outputs = ServiceOutputs;
}

impl Resource for Service {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        // Its tasks start, and then it is not done until its alarms were quiet for as long as they look back, two minutes
        // (aws/copilot-cli#4294).
        seconds: (240.0, 180.0),
        cost: |_| {
            Cost::usage(&[
                "fargate_vcpu",
                "fargate_memory",
                "scaling_alarms",
                "application_logs",
            ])
        },
        fixed: &["cluster", "cluster_arn"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[("running", "the service has no tasks while it is off")],
        write_only: &["after"],
        watched: &[],
        delegated: &[Delegated {
            field: "count",
            owner: "Application Auto Scaling",
            record: Some("autoscaling/scaling"),
            legal: within_its_range,
        }],
    };
    const STANDS_IN: &'static [&'static str] = &["subnets", "security_groups"];
    type Tags = EcsTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let cluster = key.spec.cluster.clone();
        let wanted = (cluster.clone(), key.name().to_owned());
        let service = cx.ecs.services.get(wanted).await?;
        let Some(service) = service.filter(|s| s.status() != Some("INACTIVE")) else {
            return Ok(None);
        };
        let arn: String = READ.field(service.service_arn(), "serviceArn")?;
        let outputs = key.spec.outputs(key.name(), &arn);
        let tags = tags_of(service.tags());
        cx.recent.note(&arn, &tags);
        let spec = Self {
            after: key.spec.after.clone(),
            ..of(&service, cluster)
        };
        let found = Found::tagged(spec, outputs, tags);
        Ok(Some(found.phase(phase(&service))))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<ServiceOutputs, Error> {
        const CREATE: Api = ecs::CREATE_SERVICE;
        let call = cx.ecs.client.create_service().cluster(&self.cluster);
        let call = call
            .service_name(&identity.name)
            .task_definition(&self.task_definition)
            .desired_count(if self.running { self.count } else { 0 })
            .launch_type(t::LaunchType::Fargate)
            .platform_version(&self.platform)
            .network_configuration(self.network(CREATE)?)
            .set_load_balancers(Some(self.load_balancers()))
            .set_health_check_grace_period_seconds(self.grace())
            .deployment_configuration(self.deployment.form())
            .availability_zone_rebalancing(self.rebalancing())
            .enable_execute_command(self.exec)
            .enable_ecs_managed_tags(true)
            .propagate_tags(t::PropagateTags::Service)
            .set_tags(Some(tags(&identity.tags)));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let arn: String = CREATE.field(
            made.service().and_then(t::Service::service_arn),
            "serviceArn",
        )?;
        cx.ecs.starts(&arn, self.task_definition.as_str());
        Ok(self.outputs(&identity.name, &arn))
    }

    async fn update(&self, cx: &Aws, it: &ServiceOutputs, delta: &Delta) -> Result<(), Error> {
        const UPDATE: Api = ecs::UPDATE_SERVICE;
        let wanted = self.task_definition.as_str();
        if delta.touches("task_definition") && !cx.ecs.starts(it.arn(), wanted) {
            let key = (self.cluster.clone(), it.name().to_owned());
            let service = cx.ecs.services.get(key).await?;
            let events = service.as_ref().map(last_events).unwrap_or_default();
            let text = format!(
                "ECS went back to the task definition before {wanted}: its tasks did not start, or an alarm of the deployment went off{events}"
            );
            return Err(Error::permanent(UPDATE.action(), text)
                .hint("what ran before runs on; correct the image or its settings and run `deployer apply`"));
        }
        let count = if self.running { self.count } else { 0 };
        let built = |e: BuildError| Error::permanent(UPDATE.action(), e.to_string());
        let deployments = put_back_deployments(self.deployment.form(), delta);
        let call = cx.ecs.client.update_service().cluster(&self.cluster);
        let call = call
            .service(&it.name)
            .task_definition(&self.task_definition)
            .set_desired_count(delta.touches("running").then_some(count))
            .platform_version(&self.platform)
            .network_configuration(self.network(UPDATE)?)
            .set_load_balancers(Some(self.load_balancers()))
            .set_health_check_grace_period_seconds(self.grace())
            .deployment_configuration(deployments.map_err(built)?)
            .availability_zone_rebalancing(self.rebalancing())
            .enable_execute_command(self.exec);
        let call = put_back(call, delta).map_err(built)?;
        cx.call(UPDATE, || call.clone().send()).await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &ServiceOutputs) -> Result<(), Error> {
        let call = cx.ecs.client.delete_service().cluster(&self.cluster);
        let call = call.service(&it.name).force(true);
        cx.delete(ecs::DELETE_SERVICE, || call.clone().send()).await
    }
}

impl Service {
    fn outputs(&self, name: &str, arn: &str) -> ServiceOutputs {
        ServiceOutputs {
            name: name.into(),
            arn: arn.into(),
            scalable: format!("service/{}/{name}", self.cluster).into(),
        }
    }

    fn network(&self, api: Api) -> Result<t::NetworkConfiguration, Error> {
        let public = if self.public_ip {
            t::AssignPublicIp::Enabled
        } else {
            t::AssignPublicIp::Disabled
        };
        let vpc = t::AwsVpcConfiguration::builder()
            .set_subnets(Some(texts(&self.subnets)))
            .set_security_groups(Some(texts(&self.security_groups)))
            .assign_public_ip(public)
            .build()
            .map_err(|e| Error::permanent(api.action(), e.to_string()))?;
        let network = t::NetworkConfiguration::builder();
        Ok(network.awsvpc_configuration(vpc).build())
    }

    fn load_balancers(&self) -> Vec<t::LoadBalancer> {
        let targets = self.targets.iter().map(|target| {
            t::LoadBalancer::builder()
                .target_group_arn(&target.group)
                .container_name(&target.container)
                .container_port(target.port)
                .build()
        });
        targets.collect()
    }

    /// AWS takes it of a service with target groups only.
    fn grace(&self) -> Option<i32> {
        (!self.targets.is_empty()).then_some(self.grace_seconds)
    }

    fn rebalancing(&self) -> t::AvailabilityZoneRebalancing {
        if self.zone_rebalancing {
            t::AvailabilityZoneRebalancing::Enabled
        } else {
            t::AvailabilityZoneRebalancing::Disabled
        }
    }
}

impl Deployment {
    fn form(&self) -> t::DeploymentConfiguration {
        let breaker = t::DeploymentCircuitBreaker::builder()
            .enable(self.breaker)
            .rollback(self.rollback);
        t::DeploymentConfiguration::builder()
            .minimum_healthy_percent(self.min_percent)
            .maximum_percent(self.max_percent)
            .deployment_circuit_breaker(breaker.build())
            .set_alarms(self.alarms().ok())
            .build()
    }

    /// Also when there are none: what is left out of an update stays as it is.
    fn alarms(&self) -> Result<t::DeploymentAlarms, BuildError> {
        let on = !self.alarms.is_empty();
        t::DeploymentAlarms::builder()
            .set_alarm_names(Some(texts(&self.alarms)))
            .enable(on)
            .rollback(on)
            .build()
    }
}

fn of(service: &t::Service, cluster: String) -> Service {
    let network = service.network_configuration();
    let network = network.and_then(|n| n.awsvpc_configuration());
    let ids = |list: Option<&[String]>| list.unwrap_or_default().to_vec();
    let deployment = service.deployment_configuration();
    let breaker = deployment.and_then(|d| d.deployment_circuit_breaker());
    let definition = primary(service).and_then(t::Deployment::task_definition);
    let definition = definition.or(service.task_definition());
    let platform = service.platform_version().unwrap_or(LATEST.0);
    let rebalancing = service.availability_zone_rebalancing();
    Service {
        cluster,
        cluster_arn: service.cluster_arn().unwrap_or_default().into(),
        task_definition: definition.unwrap_or_default().into(),
        running: service.desired_count() > 0,
        count: service.desired_count(),
        subnets: ids(network.map(|n| n.subnets()))
            .into_iter()
            .map(Ref::from)
            .collect(),
        security_groups: ids(network.map(|n| n.security_groups()))
            .into_iter()
            .map(Ref::from)
            .collect(),
        targets: service.load_balancers().iter().map(target).collect(),
        grace_seconds: service.health_check_grace_period_seconds().unwrap_or(0),
        public_ip: network.and_then(|n| n.assign_public_ip()) == Some(&t::AssignPublicIp::Enabled),
        platform: if platform == LATEST.1 {
            LATEST.0
        } else {
            platform
        }
        .to_owned(),
        deployment: Deployment {
            min_percent: deployment
                .and_then(|d| d.minimum_healthy_percent())
                .unwrap_or(100),
            max_percent: deployment.and_then(|d| d.maximum_percent()).unwrap_or(200),
            breaker: breaker.is_some_and(t::DeploymentCircuitBreaker::enable),
            rollback: breaker.is_some_and(t::DeploymentCircuitBreaker::rollback),
            alarms: deployment.map(alarms).unwrap_or_default(),
        },
        zone_rebalancing: rebalancing == Some(&t::AvailabilityZoneRebalancing::Enabled),
        exec: service.enable_execute_command(),
        exposed: more(service),
        after: Vec::new(),
    }
}

/// The alarms after which ECS goes back: none when they are switched off, or only stop a deployment.
fn alarms(deployment: &t::DeploymentConfiguration) -> Vec<Ref<Alarm>> {
    let alarms = deployment.alarms();
    let alarms = alarms.filter(|a| a.enable() && a.rollback());
    let names = alarms.map(t::DeploymentAlarms::alarm_names);
    let names = names.unwrap_or_default().iter();
    names.map(|name| Ref::from(name.as_str())).collect()
}

fn target(balancer: &t::LoadBalancer) -> Target {
    Target {
        group: balancer.target_group_arn().unwrap_or_default().into(),
        container: balancer.container_name().unwrap_or_default().to_owned(),
        port: balancer.container_port().unwrap_or_default(),
    }
}

/// The count lies between the least and the most that are recorded of its scaling.
fn within_its_range(owner: &Owner<'_>) -> Result<(), String> {
    let found = owner.found.as_i64().unwrap_or_default();
    let bound = |name: &str| owner.record.and_then(|r| r.inputs.get(name)?.as_i64());
    match (bound("min"), bound("max")) {
        (Some(min), Some(max)) if !(min..=max).contains(&found) => {
            Err(format!("{found} tasks are wanted, not {min} to {max}"))
        }
        _ => Ok(()),
    }
}

/// The services of all clusters whose name can be ours.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let mut out = Vec::new();
    for cluster in cx.ecs.all_clusters().await? {
        let cluster = cluster.rsplit('/').next().unwrap_or_default();
        if !is_conventional(cluster, suffix) {
            continue;
        }
        cx.recent.refreshed().await;
        let all = match cx.ecs.just_listed(cluster) {
            Some(all) => all,
            None => found(cx.ecs.all_services(cluster).await)?.unwrap_or_default(),
        };
        let asks = all.iter().map(async |arn| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            if let Some(tags) = cx.recent.get(arn).await {
                return Ok(marked(Service::TYPE, arn, name, tags, suffix));
            }
            let wanted = (cluster.to_owned(), name.to_owned());
            let found = cx.ecs.services.get(wanted).await?;
            let alive = found.filter(|s| s.status() != Some("INACTIVE"));
            let tags = alive.map(|s| tags_of(s.tags()));
            Ok::<_, Error>(tags.and_then(|tags| marked(Service::TYPE, arn, name, tags, suffix)))
        });
        let all = futures::future::try_join_all(asks).await?;
        out.extend(all.into_iter().flatten());
    }
    Ok(out)
}

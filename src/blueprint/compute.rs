//! The services of one environment on ECS: a cluster, and for each service its settings, log group, roles, task definition,
//! service and scaling. What differs between the services stands in the table of `services.rs`.
//!
//! No task gets a password: it reads the secret that RDS keeps, by its own role, when it starts and again when the database refuses
//! the old one; or it has none, and logs in with a token of IAM as a user of its own.

use super::edge::Edge;
use super::images::Image;
use super::keys::Keys;
use super::registry::Repositories;
use super::services::Service;
use super::{Env, EnvironmentBuilder, roles, usable};
use crate::config::Config;
use crate::engine::{Handle, Ref};
use crate::resources::autoscaling::{Scaling, Tracking};
use crate::resources::cloudwatch::Alarm;
use crate::resources::ec2::{SecurityGroup, Subnet};
use crate::resources::ecs::{self, Cluster, Container, Deployment, TaskDefinition};
use crate::resources::logs::LogGroup;
use crate::resources::rds;
use crate::resources::ssm::{PATH, Parameter};
use crate::resources::{Arn, Exposed};
use std::collections::BTreeMap;

/// The thing in the cluster's name.
pub const CLUSTER: &str = "cluster";

/// What it needs of other sections.
pub struct Needs<'a> {
    /// The subnets of the app tier.
    pub subnets: &'a [Handle<Subnet>],
    /// One for each service.
    pub groups: &'a [(&'static Service, Handle<SecurityGroup>)],
    /// Those of our images.
    pub repositories: &'a Repositories,
    pub database: &'a Handle<rds::Cluster>,
    /// The load balancer, whose target groups the tasks join.
    pub edge: &'a Edge,
    /// The environment's keys.
    pub keys: &'a Keys,
    /// The alarms that stop a deployment, by service.
    pub failing: &'a [(&'static Service, Ref<Alarm>)],
    /// What tasks need before they start and until they have ended, and no setting of theirs names.
    pub before: &'a [Ref<()>],
}

/// The user that every image runs as: not root.
const USER: &str = "1000:1000";
/// Seconds in which a new task may start before its checks count.
const GRACE_SECONDS: i32 = 60;
/// Seconds from SIGTERM to SIGKILL.
const STOP_SECONDS: i32 = 60;

/// What other sections need of it.
pub struct Compute {
    pub cluster: Handle<Cluster>,
    /// What is scaled of each service that has tasks.
    pub scaled: Vec<(&'static Service, Ref<()>)>,
}

pub fn declare(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>) -> Compute {
    let insights = log_group(here, needs.keys);
    let name = format!(
        "/aws/ecs/containerinsights/{}/performance",
        here.name(CLUSTER)
    );
    // Before the cluster: ECS would make an unencrypted, endless one.
    let performance = here.add_named("insights-logs", name, insights);
    let cluster = Cluster {
        insights: "enabled".into(),
        log_group: performance.name(),
        exposed: Default::default(),
        members: Vec::new(),
    };
    let cluster = here.add(CLUSTER, cluster);
    here.output("cluster", &cluster.name);
    let each = needs.groups.iter().filter_map(|(service, group)| {
        let scaled = declare_service(here, needs, &cluster, service, group)?;
        Some((*service, scaled))
    });
    let scaled = each.collect();
    Compute { cluster, scaled }
}

/// True when tasks of a service run in this environment: its image is there, and it may work.
pub fn runs(here: &EnvironmentBuilder<'_>, service: &Service) -> bool {
    here.facts.images.contains_key(service.name) && !rests(here.env, service, here.config)
}

/// True when a service has no task in an environment although its image is there: one that works by itself, on a green that only
/// reads.
pub fn rests(env: Env, service: &Service, config: &Config) -> bool {
    env == Env::Green && service.works_alone && config.migration.mapping.is_read_only()
}

fn log_group(here: &EnvironmentBuilder<'_>, keys: &Keys) -> LogGroup {
    LogGroup {
        retention_days: Some(here.config.logs.service_days),
        kms_key: Some(keys.logs.arn.clone()),
        exposed: Exposed::new(),
    }
}

fn declare_service(
    here: &mut EnvironmentBuilder<'_>,
    needs: &Needs<'_>,
    cluster: &Handle<Cluster>,
    service: &'static Service,
    group: &Handle<SecurityGroup>,
) -> Option<Ref<()>> {
    let name = service.name;
    let logs = log_group(here, needs.keys);
    let logs = here.add(&format!("logs-{name}"), logs);
    let (parameters, labels) = parameters(here, needs, service);
    let task_role = roles::task(here, needs, service);
    let execution_role = roles::execution(here, needs, service);
    let found = here.facts.images.get(name).cloned();
    let wanted = Image::of(here.config, &here.facts.account, service);
    let running = runs(here, service);
    let container = Container {
        image: found.unwrap_or_else(|| wanted.uri()),
        port: service.port,
        environment: environment(here, service),
        parameters,
        labels,
        user: USER.into(),
        read_only_root: true,
        privileged: false,
        log_group: logs.name(),
        log_options: BTreeMap::from([
            ("awslogs-region".into(), here.config.region.clone()),
            ("awslogs-stream-prefix".into(), name.into()),
            // A log that cannot be written must not stop a payment.
            ("mode".into(), "non-blocking".into()),
            ("max-buffer-size".into(), "25m".into()),
        ]),
        stop_seconds: STOP_SECONDS,
        more: Exposed::new(),
    };
    let definition = TaskDefinition {
        cpu: service.cpu,
        memory: service.memory,
        // Without their policies the roles exist and may do nothing.
        task_role: task_role.arn().ready(),
        execution_role: execution_role.arn().ready(),
        containers: BTreeMap::from([(name.to_owned(), container)]),
        more: Exposed::new(),
        exposed: Exposed::new(),
    };
    let definition = here.add(&format!("task-{name}"), definition);
    let (least, most) = (service.least(here.facts.zones.len()), service.tasks.1);
    let count = |tasks: u32| i32::try_from(tasks).unwrap_or(i32::MAX);
    let spec = ecs::Service {
        cluster: here.name(CLUSTER),
        cluster_arn: cluster.arn().ready(),
        task_definition: definition.arn.clone(),
        running,
        count: if running { count(least) } else { 0 },
        subnets: needs.subnets.iter().map(|subnet| subnet.id()).collect(),
        security_groups: vec![group.id()],
        public_ip: false,
        targets: targets(needs.edge, service),
        grace_seconds: GRACE_SECONDS,
        platform: "LATEST".into(),
        deployment: Deployment {
            min_percent: 100,
            max_percent: 200,
            breaker: true,
            rollback: true,
            alarms: needs
                .failing
                .iter()
                .filter(|(of, _)| of.name == name)
                .map(|(_, alarm)| alarm.clone())
                .collect(),
        },
        zone_rebalancing: true,
        exec: false,
        exposed: Exposed::new(),
        after: needs.before.to_vec(),
    };
    let running_service = here.add(&format!("service-{name}"), spec);
    here.output(&format!("service.{name}"), &running_service.name);
    if !running {
        return None;
    }
    let settings = &here.config.services;
    let policies = [
        (
            "cpu",
            "ECSServiceAverageCPUUtilization",
            settings.cpu_target,
        ),
        (
            "memory",
            "ECSServiceAverageMemoryUtilization",
            settings.memory_target,
        ),
    ];
    let tracking = policies.map(|(policy, metric, target)| {
        let tracking = Tracking {
            metric: metric.into(),
            target: f64::from(target),
            in_seconds: 300,
            out_seconds: 60,
            scale_in_disabled: false,
        };
        (policy.to_owned(), tracking)
    });
    let scaling = Scaling {
        service: running_service.scalable.ready(),
        min: count(least),
        max: count(most),
        policies: BTreeMap::from(tracking),
        scheduled: BTreeMap::new(),
        suspended: Vec::new(),
        held: None,
    };
    let scaled = here.add(&format!("scaling-{name}"), scaling);
    Some(usable(&scaled.service))
}

/// The target group of a service, as soon as a load balancer uses it.
fn targets(edge: &Edge, service: &Service) -> Vec<ecs::Target> {
    let groups = edge.target_groups.iter();
    let own = groups.filter(|(of, _)| of.name == service.name);
    own.map(|(_, group)| ecs::Target {
        group: group.clone(),
        container: service.name.into(),
        port: service.port.into(),
    })
    .collect()
}

/// What is known before anything exists: names of tables and buckets.
fn environment(here: &EnvironmentBuilder<'_>, service: &Service) -> BTreeMap<String, String> {
    let variable =
        |thing: &str, kind: &str| format!("{}_{kind}", thing.replace('-', "_").to_uppercase());
    let tables = service.tables.iter();
    let tables = tables.map(|thing| (variable(thing, "TABLE"), here.name(thing)));
    let buckets = service.known_buckets();
    let buckets = buckets.map(|thing| (variable(thing, "BUCKET"), here.name(thing)));
    let region = [
        ("AWS_REGION".to_owned(), here.config.region.clone()),
        ("PORT".to_owned(), service.port.to_string()),
    ];
    region.into_iter().chain(tables).chain(buckets).collect()
}

/// The path of a service's parameters.
pub fn path(here: &EnvironmentBuilder<'_>, service: &Service) -> String {
    let (env, suffix) = (here.env, &here.config.suffix);
    format!("{PATH}/{env}-{suffix}/{}", service.name)
}

/// By the names of variables.
type Parameters = BTreeMap<String, Ref<Arn<Parameter>>>;

/// What is known only once the database exists: the parameters that tasks read when they start, and as labels what these say. Tasks
/// that run do not see that a parameter has changed; with it a label of theirs changes, and so their revision, which ECS rolls out.
fn parameters(
    here: &mut EnvironmentBuilder<'_>,
    needs: &Needs<'_>,
    service: &Service,
) -> (Parameters, BTreeMap<String, String>) {
    let database = needs.database;
    let host = if service.writes {
        &database.writer_endpoint
    } else {
        &database.reader_endpoint
    };
    let values = [
        ("DATABASE_HOST", host.to_string()),
        ("DATABASE_PORT", here.config.database.port.to_string()),
        ("DATABASE_NAME", here.config.database.name.clone()),
        match here.config.services.without_password() {
            true => ("DATABASE_USER", service.database_user()),
            false => ("DATABASE_SECRET_ARN", database.secret_arn.to_string()),
        },
    ];
    let path = path(here, service);
    let said = values.clone().map(|(name, value)| (name.to_owned(), value));
    let each = values.map(|(name, value)| {
        let thing = format!(
            "parameter-{}-{}",
            service.name,
            name.to_lowercase().replace('_', "-")
        );
        let spec = Parameter::of(value);
        let parameter = here.add_named(&thing, format!("{path}/{name}"), spec);
        (name.to_owned(), parameter.arn().ready())
    });
    (BTreeMap::from(each), BTreeMap::from(said))
}

#[cfg(test)]
mod tests {
    use crate::blueprint::services::Service;
    use crate::blueprint::{Env, Facts, SERVICES, build};
    use crate::config::Config;
    use serde_json::json;

    #[test]
    fn whoever_is_called_about_a_service_is_called_when_its_tasks_are_scaled() {
        const ALARMS: [&str; 4] = ["errors", "guard-healthy", "latency", "tasks"];
        let image = |service: &Service| (service.name.to_owned(), "app@sha256:1".to_owned());
        let none = Facts::sample();
        assert!(none.images.is_empty());
        let pushed = Facts {
            images: SERVICES.iter().map(image).collect(),
            ..Facts::sample()
        };
        let graphs = [none, pushed].map(|facts| build(&Config::default(), &facts).unwrap());
        let services = |env| SERVICES.iter().map(move |service| (env, service));
        for (env, service) in Env::ALL.into_iter().flat_map(services) {
            let scaling = format!("scaling-{}-{env}", service.name);
            for alarm in ALARMS.map(|alarm| format!("alarm-{alarm}-{}-{env}", service.name)) {
                let [none, pushed] = graphs.each_ref().map(|graph| graph.get(&alarm).unwrap());
                assert_eq!(none.spec["actions"], false, "{alarm}");
                assert_eq!(pushed.spec["actions"], true, "{alarm}");
                let needs = pushed.needs(&graphs[1]);
                assert!(needs.contains(&scaling), "{alarm}: {needs:?}");
            }
        }
    }

    #[test]
    fn failed_requests_of_a_service_end_its_deployments_and_no_other() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        for env in Env::ALL {
            for service in &SERVICES {
                let step = format!("service-{}-{env}", service.name);
                let step = graph.get(&step).unwrap();
                let alarm = format!("alarm-guard-errors-{}-{env}", service.name);
                let named = json!([format!("@{{{alarm}.name}}")]);
                assert_eq!(step.spec["deployment"]["alarms"], named);
                // ECS looks at it while the deployment goes on, so it is there before.
                assert!(step.needs(&graph).contains(&alarm), "{alarm}");
                let metric = &graph.get(&alarm).unwrap().spec["metric"];
                let watched = metric["dimensions"]["TargetGroup"].as_str().unwrap();
                assert!(watched.contains(service.name), "{watched}");
                assert_eq!(metric["name"], "HTTPCode_Target_5XX_Count");
            }
        }
    }
}

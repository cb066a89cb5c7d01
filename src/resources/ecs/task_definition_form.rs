//! A container as we write it and as ECS answers it. ECS fills in what is left out (`cpu` 0, empty lists, the port of the
//! host), so the struct has what we set, each list that carries names is a map, and all else that is set is in `more`.

use super::beside::{Usual, beside};
use crate::resources::logs::LogGroup;
use crate::resources::prelude::*;
use crate::resources::ssm::Parameter;
use aws_sdk_ecs::error::BuildError;
use aws_sdk_ecs::types::{
    ContainerDefinition, KeyValuePair, LogConfiguration, LogDriver, PortMapping, Secret,
    TaskDefinition as Revision, TransportProtocol,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// By digest, so that the revision says what runs; by tag only as long as there is no image.
    pub image: String,
    /// The port it listens on, 0 for none.
    pub port: u16,
    /// Variables with their values.
    pub environment: BTreeMap<String, String>,
    /// Variables that are parameters of Systems Manager: read when a task starts.
    pub parameters: BTreeMap<String, Ref<Arn<Parameter>>>,
    /// What Docker shows beside it: what tasks depend on and no other setting says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The user, not root: `1000:1000`.
    pub user: String,
    /// Its root file system takes no writes.
    pub read_only_root: bool,
    /// It may do what the host may.
    pub privileged: bool,
    pub log_group: Ref<LogGroup>,
    /// Other options of the log driver `awslogs`.
    pub log_options: BTreeMap<String, String>,
    /// Seconds between SIGTERM and SIGKILL, 2 to 120.
    pub stop_seconds: i32,
    /// All other settings that ECS knows of a container: what it runs instead of its image's program, files of variables, rights,
    /// volumes, further ports. The desired map is always empty.
    #[serde(default)]
    pub more: Exposed,
}

/// The option of `awslogs` that names the group.
const GROUP: &str = "awslogs-group";

/// What [`Container`] reads by name. The parts of some are read below: another port, another log driver.
const BY_NAME: [&str; 11] = [
    "name",
    "image",
    "port_mappings",
    "environment",
    "secrets",
    "user",
    "readonly_root_filesystem",
    "privileged",
    "log_configuration",
    "stop_timeout",
    "docker_labels",
];
/// The SDK does not show it as text.
const CREDENTIALS: &str = "repository_credentials";
const USUAL: [Usual; 3] = [
    ("essential", "true"),
    ("version_consistency", "Enabled"),
    ("restart_policy", "ContainerRestartPolicy {enabled: false}"),
];

/// What a task definition is beside what is set: its place, its state, and what ECS derives of its content.
const OF_TASK: [&str; 15] = [
    "task_definition_arn",
    "container_definitions",
    "family",
    "task_role_arn",
    "execution_role_arn",
    "revision",
    "status",
    "requires_attributes",
    "compatibilities",
    "cpu",
    "memory",
    "registered_at",
    "deregistered_at",
    "delete_requested_at",
    "registered_by",
];
/// As we set it, and what Fargate takes where nothing is set: Linux on x86, 20 GiB.
const USUAL_OF_TASK: [Usual; 6] = [
    ("network_mode", "Awsvpc"),
    ("requires_compatibilities", "[Fargate]"),
    (
        "runtime_platform",
        "RuntimePlatform {cpu_architecture: Some(X8664),operating_system_family: Some(Linux)}",
    ),
    (
        "runtime_platform",
        "RuntimePlatform {cpu_architecture: Some(X8664)}",
    ),
    (
        "runtime_platform",
        "RuntimePlatform {operating_system_family: Some(Linux)}",
    ),
    ("ephemeral_storage", "EphemeralStorage {size_in_gib: 20}"),
];

/// All settings of a task that are not read by name and differ from ours: volumes, shared namespaces, a proxy.
pub(super) fn more_of_task(revision: &Revision) -> Exposed {
    beside(revision, &OF_TASK, &USUAL_OF_TASK)
}

/// The same of a container.
fn more(definition: &ContainerDefinition) -> Exposed {
    let mut out = beside(definition, &[&BY_NAME[..], &[CREDENTIALS]].concat(), &USUAL);
    if let Some(credentials) = definition.repository_credentials() {
        let secret = credentials.credentials_parameter();
        out.insert(CREDENTIALS.to_owned(), secret.to_owned());
    }
    if let Some(log) = definition.log_configuration() {
        out.extend(beside(log, &["options"], &[("log_driver", "Awslogs")]));
    }
    let mut ports = definition.port_mappings().iter();
    if let Some(port) = ports.next() {
        let own = ["container_port", "host_port"];
        out.extend(beside(port, &own, &[("protocol", "Tcp")]));
        let host = port.host_port().filter(|host| *host != 0);
        if let Some(host) = host.filter(|host| Some(*host) != port.container_port()) {
            out.insert("host_port".into(), host.to_string());
        }
    }
    let others: Vec<String> = ports.map(|port| format!("{port:?}")).collect();
    if !others.is_empty() {
        out.insert("port_mappings".into(), others.join(", "));
    }
    // A map shows the last of two.
    let variables = definition
        .environment()
        .iter()
        .filter_map(|pair| pair.name());
    let secrets = definition.secrets().iter().map(Secret::name);
    let mut names = BTreeSet::new();
    let twice = variables.chain(secrets).filter(|name| !names.insert(*name));
    let twice: Vec<&str> = twice.collect();
    if !twice.is_empty() {
        out.insert("environment".into(), format!("twice {}", twice.join(", ")));
    }
    out
}

impl Container {
    /// In ECS's form.
    pub(super) fn definition(&self, name: &str) -> Result<ContainerDefinition, BuildError> {
        let port = PortMapping::builder()
            .container_port(self.port.into())
            .protocol(TransportProtocol::Tcp);
        let ports = (self.port > 0).then(|| port.build());
        let environment = self.environment.iter().map(|(key, value)| {
            let pair = KeyValuePair::builder().name(key).value(value);
            pair.build()
        });
        let parameters = self.parameters.iter().map(|(key, arn)| {
            let secret = Secret::builder().name(key).value_from(arn);
            secret.build()
        });
        let mut options: HashMap<String, String> = self.log_options.clone().into_iter().collect();
        options.insert(GROUP.into(), String::from(&self.log_group));
        let log = LogConfiguration::builder()
            .log_driver(LogDriver::Awslogs)
            .set_options(Some(options));
        let definition = ContainerDefinition::builder()
            .name(name)
            .image(&self.image)
            .essential(true)
            .set_port_mappings(Some(ports.into_iter().collect()))
            .set_environment(Some(environment.collect()))
            .set_secrets(Some(parameters.collect::<Result<_, _>>()?))
            .set_docker_labels(
                (!self.labels.is_empty()).then(|| self.labels.clone().into_iter().collect()),
            )
            .user(&self.user)
            .readonly_root_filesystem(self.read_only_root)
            .privileged(self.privileged)
            .stop_timeout(self.stop_seconds)
            .log_configuration(log.build()?);
        Ok(definition.build())
    }

    /// From ECS's form.
    pub(super) fn of(definition: &ContainerDefinition) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let port = definition.port_mappings().first();
        let port = port.and_then(PortMapping::container_port).unwrap_or(0);
        let environment = definition.environment().iter();
        let parameters = definition.secrets().iter();
        let log = definition.log_configuration().and_then(|l| l.options());
        let mut options: BTreeMap<String, String> = log
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let group = options.remove(GROUP).unwrap_or_default();
        Self {
            image: text(definition.image()),
            port: u16::try_from(port).unwrap_or(0),
            environment: environment
                .map(|pair| (text(pair.name()), text(pair.value())))
                .collect(),
            parameters: parameters
                .map(|secret| (secret.name().to_owned(), secret.value_from().into()))
                .collect(),
            labels: definition
                .docker_labels()
                .into_iter()
                .flatten()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            user: text(definition.user()),
            read_only_root: definition.readonly_root_filesystem().unwrap_or(false),
            privileged: definition.privileged().unwrap_or(false),
            log_group: group.into(),
            log_options: options,
            stop_seconds: definition.stop_timeout().unwrap_or(30),
            more: more(definition),
        }
    }

    /// What to push, while its image is not known by a digest.
    pub(super) fn missing_image(&self) -> Option<&str> {
        (!self.image.contains("@sha256:")).then_some(self.image.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::super::beside::tests::shows_all;
    use super::*;
    use aws_sdk_ecs::types as t;

    fn container() -> Container {
        Container {
            image: "1.dkr.ecr.r.amazonaws.com/a@sha256:1".into(),
            port: 8080,
            environment: BTreeMap::from([("A".into(), "1".into()), ("B".into(), "2".into())]),
            labels: BTreeMap::from([("A".into(), "x".into())]),
            parameters: BTreeMap::from([("C".into(), "arn:aws:ssm:r:1:parameter/c".into())]),
            user: "1000:1000".into(),
            read_only_root: true,
            privileged: false,
            log_group: "logs".into(),
            log_options: BTreeMap::from([("mode".into(), "non-blocking".into())]),
            stop_seconds: 60,
            more: Exposed::new(),
        }
    }

    #[test]
    fn what_is_written_reads_back_in_the_same_form() {
        let container = container();
        let definition = container.definition("app").unwrap();
        assert_eq!(Container::of(&definition), container);
        assert_eq!(container.missing_image(), None);
        let by_tag = Container {
            image: "1.dkr.ecr.r.amazonaws.com/a:1".into(),
            ..container
        };
        assert!(by_tag.missing_image().is_some());
    }

    #[test]
    fn what_ecs_fills_in_is_no_difference() {
        let container = container();
        let mut filled = container.definition("app").unwrap();
        filled.port_mappings.as_mut().unwrap()[0].host_port = Some(8080);
        filled.log_configuration.as_mut().unwrap().secret_options = Some(Vec::new());
        filled.mount_points = Some(Vec::new());
        filled.volumes_from = Some(Vec::new());
        filled.system_controls = Some(Vec::new());
        filled.version_consistency = Some(t::VersionConsistency::Enabled);
        assert_eq!(Container::of(&filled), container);
    }

    #[test]
    fn no_setting_of_a_container_is_passed_over() {
        let secret = || Secret::builder().name("k").value_from("v").build().unwrap();
        let port = |port| PortMapping::builder().container_port(port);
        let credentials = t::RepositoryCredentials::builder();
        let credentials = credentials.credentials_parameter("arn:theirs").build();
        let dependency = t::ContainerDependency::builder().container_name("b");
        let dependency = dependency.condition(t::ContainerCondition::Start).build();
        let limit = t::Ulimit::builder().name(t::UlimitName::Nofile);
        let resource = t::ResourceRequirement::builder().value("1");
        let file = t::EnvironmentFile::builder().value("arn:aws:s3:::theirs/x.env");
        let log = LogConfiguration::builder().log_driver(LogDriver::Splunk);
        let mut all = container().definition("app").unwrap();
        all.repository_credentials = Some(credentials.unwrap());
        all.cpu = 1;
        all.memory = Some(1);
        all.memory_reservation = Some(1);
        all.links = Some(vec!["b".into()]);
        all.essential = Some(false);
        let restart = t::ContainerRestartPolicy::builder().enabled(true).build();
        all.restart_policy = Some(restart.unwrap());
        all.entry_point = Some(vec!["sh".into()]);
        all.command = Some(vec!["curl".into()]);
        let file = file.r#type(t::EnvironmentFileType::S3).build();
        all.environment_files = Some(vec![file.unwrap()]);
        all.mount_points = Some(vec![t::MountPoint::builder().source_volume("v").build()]);
        all.volumes_from = Some(vec![t::VolumeFrom::builder().source_container("b").build()]);
        let linux = t::LinuxParameters::builder().init_process_enabled(true);
        all.linux_parameters = Some(linux.build());
        all.depends_on = Some(vec![dependency.unwrap()]);
        all.start_timeout = Some(1);
        all.version_consistency = Some(t::VersionConsistency::Disabled);
        all.hostname = Some("a".into());
        all.working_directory = Some("/".into());
        all.disable_networking = Some(true);
        all.dns_servers = Some(vec!["6.6.6.6".into()]);
        all.dns_search_domains = Some(vec!["theirs.example".into()]);
        let host = t::HostEntry::builder().hostname("db").ip_address("6.6.6.6");
        all.extra_hosts = Some(vec![host.build().unwrap()]);
        all.docker_security_options = Some(vec!["no-new-privileges".into()]);
        all.interactive = Some(true);
        all.pseudo_terminal = Some(true);
        all.docker_labels = Some(HashMap::from([("a".into(), "b".into())]));
        all.ulimits = Some(vec![limit.soft_limit(1).hard_limit(1).build().unwrap()]);
        let health = t::HealthCheck::builder().command("true").build();
        all.health_check = Some(health.unwrap());
        all.system_controls = Some(vec![t::SystemControl::builder().namespace("net").build()]);
        let resource = resource.r#type(t::ResourceType::Gpu).build();
        all.resource_requirements = Some(vec![resource.unwrap()]);
        let firelens = t::FirelensConfiguration::builder();
        let firelens = firelens.r#type(t::FirelensConfigurationType::Fluentd);
        all.firelens_configuration = Some(firelens.build().unwrap());
        all.credential_specs = Some(vec!["arn:theirs".into()]);
        let shown = Container::of(&all).more;
        shows_all(&all, &BY_NAME, &shown);
        // And in what is read by its parts.
        let mut parts = container().definition("app").unwrap();
        let first = port(8080).host_port(81).protocol(TransportProtocol::Udp);
        let first = first.name("web").app_protocol(t::ApplicationProtocol::Grpc);
        let first = first.container_port_range("1-2").build();
        let log = log.secret_options(secret()).build().unwrap();
        parts.port_mappings = Some(vec![first.clone(), port(9).build()]);
        parts.log_configuration = Some(log.clone());
        parts.secrets = Some(vec![secret(), secret()]);
        let shown = Container::of(&parts).more;
        shows_all(
            &log,
            &["options"],
            &of(&shown, &["log_driver", "secret_options"]),
        );
        const PORT: [&str; 5] = [
            "host_port",
            "protocol",
            "name",
            "app_protocol",
            "container_port_range",
        ];
        shows_all(&first, &["container_port"], &of(&shown, &PORT));
        assert_eq!(shown["environment"], "twice k");
        assert!(shown["port_mappings"].contains("Some(9)"));
    }

    fn of(shown: &Exposed, names: &[&str]) -> Exposed {
        let mut shown = shown.clone();
        shown.retain(|name, _| names.contains(&name.as_str()));
        shown
    }

    #[test]
    #[expect(deprecated, reason = "AWS still answers accelerators of old")]
    fn no_setting_of_a_task_is_passed_over() {
        let ours = Revision::builder()
            .network_mode(t::NetworkMode::Awsvpc)
            .requires_compatibilities(t::Compatibility::Fargate)
            .compatibilities(t::Compatibility::Ec2)
            .set_volumes(Some(Vec::new()));
        assert_eq!(more_of_task(&ours.build()), Exposed::new());
        let proxy = t::ProxyConfiguration::builder().container_name("b").build();
        let constraint = t::TaskDefinitionPlacementConstraint::builder();
        let platform = t::RuntimePlatform::builder().cpu_architecture(t::CpuArchitecture::Arm64);
        let accelerator = t::InferenceAccelerator::builder().device_name("a");
        let accelerator = accelerator.device_type("b").build().unwrap();
        let all = Revision::builder()
            .network_mode(t::NetworkMode::Host)
            .requires_compatibilities(t::Compatibility::Ec2)
            .volumes(t::Volume::builder().name("v").build())
            .placement_constraints(constraint.expression("x").build())
            .runtime_platform(platform.build())
            .inference_accelerators(accelerator)
            .pid_mode(t::PidMode::Task)
            .ipc_mode(t::IpcMode::Host)
            .proxy_configuration(proxy.unwrap())
            .ephemeral_storage(t::EphemeralStorage::builder().size_in_gib(21).build())
            .enable_fault_injection(true)
            .build();
        shows_all(&all, &OF_TASK, &more_of_task(&all));
    }
}

//! A container as we write it and as ECS answers it. ECS fills in what is left out (`cpu` 0, empty lists, the port of the
//! host), so the struct has what we set and each list that carries names is a map.

use crate::resources::logs::LogGroup;
use crate::resources::prelude::*;
use crate::resources::ssm::Parameter;
use aws_sdk_ecs::error::BuildError;
use aws_sdk_ecs::types::{
    ContainerDefinition, KeyValuePair, LogConfiguration, LogDriver, PortMapping, Secret,
    TransportProtocol,
};
use std::collections::{BTreeMap, HashMap};

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
}

/// The option of `awslogs` that names the group.
const GROUP: &str = "awslogs-group";

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
            user: text(definition.user()),
            read_only_root: definition.readonly_root_filesystem().unwrap_or(false),
            privileged: definition.privileged().unwrap_or(false),
            log_group: group.into(),
            log_options: options,
            stop_seconds: definition.stop_timeout().unwrap_or(30),
        }
    }

    /// What to push, while its image is not known by a digest.
    pub(super) fn missing_image(&self) -> Option<&str> {
        (!self.image.contains("@sha256:")).then_some(self.image.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_in_the_same_form() {
        let container = Container {
            image: "1.dkr.ecr.r.amazonaws.com/a@sha256:1".into(),
            port: 8080,
            environment: BTreeMap::from([("A".into(), "1".into()), ("B".into(), "2".into())]),
            parameters: BTreeMap::from([("C".into(), "arn:aws:ssm:r:1:parameter/c".into())]),
            user: "1000:1000".into(),
            read_only_root: true,
            privileged: false,
            log_group: "logs".into(),
            log_options: BTreeMap::from([("mode".into(), "non-blocking".into())]),
            stop_seconds: 60,
        };
        let definition = container.definition("app").unwrap();
        assert_eq!(Container::of(&definition), container);
        assert_eq!(container.missing_image(), None);
        let by_tag = Container {
            image: "1.dkr.ecr.r.amazonaws.com/a:1".into(),
            ..container
        };
        assert!(by_tag.missing_image().is_some());
    }
}

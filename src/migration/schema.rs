//! The schema of green by the application's own means: a one-off task of its image, in the network and with the roles of its
//! service, with another command. The deployer writes no statement of its own.
//!
//! There is one such task at a time. A run looks for one by what it was started by and waits for it; and the token of a new one
//! follows from what is there, so that two machines, or a run whose answer was lost, get the same task from ECS.

mod wait;

use crate::aws::Aws;
use crate::aws::ecs::{DESCRIBE_TASKS, LIST_TASKS, RUN_TASK};
use crate::engine::ownership::MARK_SUFFIX;
use crate::engine::{Class, Error};
use aws_sdk_ecs::types as t;
use serde::Serialize;
use sha2::{Digest, Sha256};
pub use wait::{Seen, wait};

/// Who starts these tasks, as ECS lists them.
const STARTED_BY: &str = "deployer-schema";
/// ListTasks and DescribeTasks take a hundred at most.
const AT_ONCE: i32 = 100;
/// How long a token is the same while nothing ends; a stopped task is listed for "at least 1 hour" (DescribeTasks).
const TOKEN_SECONDS: i64 = 3600;

/// Where a command runs, and which.
#[derive(Debug, Clone)]
pub struct Asked {
    pub cluster: String,
    /// The service in it, whose task definition and network are taken.
    pub service: String,
    /// Its container.
    pub container: &'static str,
    /// What runs in place of the image's command.
    pub command: Vec<String>,
    /// The suffix of the deployment.
    pub suffix: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    pub arn: String,
    pub cluster: String,
    /// The ARN of its task definition.
    pub definition: String,
    pub command: Vec<String>,
    /// An earlier run, or another machine, has started it.
    pub joined: bool,
    /// As ECS says it, `RUNNING`.
    pub status: String,
    /// Of the container; null while it runs, and when it did not come to run.
    pub exit_code: Option<i32>,
    /// Why it stopped, in the words of ECS.
    pub reason: Option<String>,
    /// The log group and the stream.
    pub log: Option<Stream>,
}

/// Where its log is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stream {
    pub group: String,
    /// The stream in it.
    pub stream: String,
}

/// What stands in the way of a new one, or how it is waited for.
#[derive(Debug, Clone)]
pub enum Found {
    /// There is none: this one would be started.
    New(Box<Start>),
    /// One with the same command is at work.
    Same(Task),
    /// One with another command is at work.
    Other(Task),
}

/// What a new one takes from the service.
#[derive(Debug, Clone)]
pub struct Start {
    definition: String,
    platform: Option<String>,
    network: Option<t::NetworkConfiguration>,
    token: String,
}

/// Looks at the service, and for a task that is at work.
///
/// # Errors
/// When the service is not there, or AWS does not answer.
pub async fn find(aws: &Aws, asked: &Asked, now: i64) -> Result<Found, Error> {
    let key = (asked.cluster.clone(), asked.service.clone());
    let service = aws.ecs.services.get(key).await?;
    let service = service.filter(|s| s.status() == Some("ACTIVE"));
    let service = service.ok_or_else(|| {
        let text = format!("green has no service `{}`", asked.service);
        Error::of(Class::Gone, "migrate schema", text)
            .hint("make it with `deployer apply --env green`, with an image of the application")
    })?;
    let definition: String = RUN_TASK.field(service.task_definition(), "taskDefinition")?;
    let working = ours(aws, asked, None).await?;
    if let Some(task) = working
        .iter()
        .find(|task| task.last_status() != Some("STOPPED"))
    {
        let task = seen(asked, task, true);
        let same = family(&task.definition) == family(&definition) && task.command == asked.command;
        return Ok(match same {
            true => Found::Same(task),
            false => Found::Other(task),
        });
    }
    let stopped = ours(aws, asked, Some(family(&definition))).await?;
    let stopped = stopped.iter().filter_map(t::Task::task_arn);
    Ok(Found::New(Box::new(Start {
        token: token(asked, &definition, stopped, now),
        platform: service.platform_version.clone(),
        network: service.network_configuration.clone(),
        definition,
    })))
}

/// The family of a revision's ARN.
fn family(definition: &str) -> &str {
    let name = definition.rsplit('/').next().unwrap_or_default();
    name.split(':').next().unwrap_or_default()
}

/// The same for all who would start the same task now; another one as soon as one has ended.
fn token<'a>(
    asked: &Asked,
    definition: &str,
    stopped: impl Iterator<Item = &'a str>,
    now: i64,
) -> String {
    let mut stopped: Vec<&str> = stopped.collect();
    stopped.sort_unstable();
    let hour = now.div_euclid(TOKEN_SECONDS).to_string();
    let mut hash = Sha256::new();
    let parts = [asked.suffix.as_str(), definition, hour.as_str()];
    let command = asked.command.iter().map(String::as_str);
    for part in parts.into_iter().chain(command).chain(stopped) {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    digest.iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// Our tasks that are at work; with a family those that have stopped. ListTasks takes `startedBy` alone.
async fn ours(aws: &Aws, asked: &Asked, stopped: Option<&str>) -> Result<Vec<t::Task>, Error> {
    let call = aws.ecs.client.list_tasks().cluster(&asked.cluster);
    let call = match stopped {
        Some(family) => call
            .family(family)
            .desired_status(t::DesiredStatus::Stopped),
        None => call.started_by(STARTED_BY),
    };
    let call = call.max_results(AT_ONCE);
    let send = |token| call.clone().set_next_token(token).send();
    let arns = aws.pages(LIST_TASKS, send, |page| {
        (page.task_arns.unwrap_or_default(), page.next_token)
    });
    let arns = arns.await?;
    let mut all = Vec::new();
    for some in arns.chunks(AT_ONCE.unsigned_abs() as usize) {
        let call = aws.ecs.client.describe_tasks().cluster(&asked.cluster);
        let call = call.set_tasks(Some(some.to_vec()));
        let answer = aws.call(DESCRIBE_TASKS, || call.clone().send()).await?;
        all.extend(answer.tasks.unwrap_or_default());
    }
    all.retain(|task| task.started_by() == Some(STARTED_BY));
    Ok(all)
}

/// A task as ECS shows it.
fn seen(asked: &Asked, task: &t::Task, joined: bool) -> Task {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let command = task
        .overrides()
        .into_iter()
        .flat_map(|o| o.container_overrides())
        .find(|o| !o.command().is_empty())
        .map(|o| o.command().to_vec());
    let container = task
        .containers()
        .iter()
        .find(|c| c.name() == Some(asked.container));
    let reasons = [
        task.stopped_reason(),
        container.and_then(t::Container::reason),
    ];
    let reasons: Vec<&str> = reasons
        .into_iter()
        .flatten()
        .filter(|r| !r.is_empty())
        .collect();
    Task {
        arn: text(task.task_arn()),
        cluster: asked.cluster.clone(),
        definition: text(task.task_definition_arn()),
        command: command.unwrap_or_default(),
        joined,
        status: text(task.last_status()),
        exit_code: container.and_then(t::Container::exit_code),
        reason: Some(reasons.join("; ")).filter(|r| !r.is_empty()),
        log: None,
    }
}

/// Starts it.
///
/// # Errors
/// When ECS refuses, or has no place for it.
pub async fn start(aws: &Aws, asked: &Asked, new: &Start) -> Result<Task, Error> {
    let container = t::ContainerOverride::builder()
        .name(asked.container)
        .set_command(Some(asked.command.clone()))
        .build();
    let tag = |key: &str, value: &str| t::Tag::builder().key(key).value(value).build();
    let call = aws.ecs.client.run_task().cluster(&asked.cluster);
    let call = call
        .task_definition(&new.definition)
        .count(1)
        .launch_type(t::LaunchType::Fargate)
        .set_platform_version(new.platform.clone())
        .set_network_configuration(new.network.clone())
        .overrides(
            t::TaskOverride::builder()
                .container_overrides(container)
                .build(),
        )
        .started_by(STARTED_BY)
        .client_token(&new.token)
        .enable_ecs_managed_tags(true)
        .tags(tag(MARK_SUFFIX, &asked.suffix))
        .tags(tag("Name", STARTED_BY));
    let answer = aws.call(RUN_TASK, || call.clone().send()).await?;
    if let Some(task) = answer.tasks().first() {
        return Ok(seen(asked, task, false));
    }
    let why = answer.failures().iter().map(|failure| {
        let part = |text: Option<&str>| text.unwrap_or_default().to_owned();
        [part(failure.reason()), part(failure.detail())].join(" ")
    });
    let why: Vec<String> = why.collect();
    let text = format!("ECS did not start the task: {}", why.join("; "));
    Err(Error::permanent(RUN_TASK.action(), text).hint("run the same command again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_same_until_a_task_has_ended_or_the_hour_is_over() {
        let asked = Asked {
            cluster: "cluster-green-dev".into(),
            service: "service-payment-api-green-dev".into(),
            container: "payment-api",
            command: vec!["migrate".into(), "up".into()],
            suffix: "dev".into(),
        };
        let definition = "arn:aws:ecs:r:1:task-definition/task-payment-api-green-dev:7";
        assert_eq!(family(definition), "task-payment-api-green-dev");
        let of = |asked: &Asked, stopped: &[&str], now| {
            token(asked, definition, stopped.iter().copied(), now)
        };
        let first = of(&asked, &[], 7200);
        assert_eq!(first.len(), 32);
        assert_eq!(first, of(&asked, &[], 7200 + 3599));
        assert_eq!(of(&asked, &["a", "b"], 0), of(&asked, &["b", "a"], 0));
        let words = Asked {
            command: vec!["migrateup".into()],
            ..asked.clone()
        };
        for other in [
            of(&asked, &[], 7200 + 3600),
            of(&asked, &["a"], 7200),
            of(&words, &[], 7200),
        ] {
            assert_ne!(first, other);
        }
    }
}

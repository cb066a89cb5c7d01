//! The schema of green by the application's own means: a one-off task of its image, in the network and with the roles of its
//! service, with another command. The deployer writes no statement of its own.
//!
//! There is one such task at a time. A run looks for one by what it was started by and waits for it; and the token of a new one
//! follows from what is there, so that two machines, or a run whose answer was lost, get the same task from ECS.

use crate::aws::ecs::{DESCRIBE_TASK_DEFINITION, DESCRIBE_TASKS, LIST_TASKS, RUN_TASK};
use crate::aws::logs::GET_LOG_EVENTS;
use crate::aws::{Api, Aws};
use crate::engine::driver::MARK_SUFFIX;
use crate::engine::{Class, Error};
use aws_sdk_ecs::types as t;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::sync::watch;

/// Who starts these tasks, as ECS lists them.
const STARTED_BY: &str = "deployer-schema";
/// Between two looks.
const AGAIN: Duration = Duration::from_secs(3);
/// Looks for which a task that was started a moment ago may be unknown: "the Amazon ECS API follows an eventual consistency
/// model" (RunTask).
const UNKNOWN: u32 = 20;
/// Looks at the log behind the end of the task: its lines come a little later.
const LATE: u32 = 3;
/// ListTasks and DescribeTasks take a hundred at most.
const AT_ONCE: i32 = 100;
/// How long a token is the same while nothing ends; a stopped task is listed for "at least 1 hour" (DescribeTasks).
const TOKEN_SECONDS: i64 = 3600;

/// Where a command runs, and which.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The cluster.
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

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// Its ARN.
    pub arn: String,
    /// Its cluster.
    pub cluster: String,
    /// The ARN of its task definition.
    pub definition: String,
    /// The command.
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
    /// The group.
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
pub async fn look(aws: &Aws, asked: &Asked, now: i64) -> Result<Found, Error> {
    let key = (asked.cluster.clone(), asked.service.clone());
    let service = aws.ecs.services.get(key).await?;
    let service = service.filter(|s| s.status() == Some("ACTIVE"));
    let service = service.ok_or_else(|| {
        let text = format!("green has no service `{}`", asked.service);
        Error::permanent("migrate schema", text)
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
    let mut arns = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let call = aws.ecs.client.list_tasks().cluster(&asked.cluster);
        let call = match stopped {
            Some(family) => call
                .family(family)
                .desired_status(t::DesiredStatus::Stopped),
            None => call.started_by(STARTED_BY),
        };
        let call = call.max_results(AT_ONCE).set_next_token(token);
        let page = aws.call(LIST_TASKS, || call.clone().send()).await?;
        arns.extend(page.task_arns.unwrap_or_default());
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
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

/// What is seen while it is waited for.
pub enum Seen<'a> {
    /// Another state than before.
    Status(&'a str),
    /// A line of its log.
    Line(&'a str),
    /// Something could not be read, and is read again.
    Warning(&'a Error),
}

/// Waits for its end, or until this process is asked to stop: then the task is given as it is and goes on.
///
/// # Errors
/// When it cannot be seen any more.
pub async fn wait(
    aws: &Aws,
    asked: &Asked,
    mut task: Task,
    stop: &mut watch::Receiver<bool>,
    show: &mut dyn FnMut(Seen<'_>),
) -> Result<Task, Error> {
    let mut log = Log::new(stream(aws, asked, &task).await);
    task.log.clone_from(&log.stream);
    show(Seen::Status(&task.status));
    let mut unknown = 0;
    loop {
        match again(aws, asked, &task.arn).await {
            Ok(Some(now)) => {
                unknown = 0;
                let next = seen(asked, &now, task.joined);
                if next.status != task.status {
                    show(Seen::Status(&next.status));
                }
                let command = std::mem::take(&mut task.command);
                task = Task {
                    log: task.log,
                    command,
                    ..next
                };
            }
            Ok(None) => {
                unknown += 1;
                if unknown > UNKNOWN {
                    let text = format!("ECS does not know the task {} any more", task.arn);
                    return Err(Error::of(Class::Gone, DESCRIBE_TASKS.action(), text).hint(
                        "its log says how it ended; run the same command again when it did not do its work",
                    ));
                }
            }
            Err(error) if matches!(error.class, Class::Unclear | Class::Throttled) => {
                show(Seen::Warning(&error));
            }
            Err(error) => return Err(error),
        }
        log.read(aws, show).await;
        if task.status == "STOPPED" {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            _ = stop.changed() => return Ok(task),
        }
    }
    for _ in 0..LATE {
        let read = log.read(aws, show).await;
        if read == 0 && log.seen > 0 {
            break;
        }
        tokio::time::sleep(AGAIN / 3).await;
    }
    Ok(task)
}

async fn again(aws: &Aws, asked: &Asked, arn: &str) -> Result<Option<t::Task>, Error> {
    let call = aws.ecs.client.describe_tasks().cluster(&asked.cluster);
    let call = call.tasks(arn);
    let answer = aws.call(DESCRIBE_TASKS, || call.clone().send()).await?;
    Ok(answer.tasks.unwrap_or_default().into_iter().next())
}

/// Where its container's log is: `PREFIX/CONTAINER/TASK` in the group that its definition names.
async fn stream(aws: &Aws, asked: &Asked, task: &Task) -> Option<Stream> {
    const DESCRIBE: Api = DESCRIBE_TASK_DEFINITION;
    let call = aws.ecs.client.describe_task_definition();
    let call = call.task_definition(&task.definition);
    let answer = aws.call(DESCRIBE, || call.clone().send()).await.ok()?;
    let definition = answer.task_definition()?;
    let mut containers = definition.container_definitions().iter();
    let container = containers.find(|c| c.name() == Some(asked.container))?;
    let options = container.log_configuration()?.options()?;
    let id = task.arn.rsplit('/').next()?;
    Some(Stream {
        group: options.get("awslogs-group")?.clone(),
        stream: format!(
            "{}/{}/{id}",
            options.get("awslogs-stream-prefix")?,
            asked.container
        ),
    })
}

/// The log, from where it was read last.
struct Log {
    stream: Option<Stream>,
    token: Option<String>,
    seen: usize,
    /// A log that cannot be read is said once.
    failed: bool,
}

impl Log {
    fn new(stream: Option<Stream>) -> Self {
        Self {
            stream,
            token: None,
            seen: 0,
            failed: false,
        }
    }

    /// Shows what is new; gives the number of lines.
    async fn read(&mut self, aws: &Aws, show: &mut dyn FnMut(Seen<'_>)) -> usize {
        let mut lines = 0;
        let Some(Stream { group, stream }) = self.stream.clone() else {
            return lines;
        };
        loop {
            let call = aws.logs.client.get_log_events();
            let call = call
                .log_group_name(&group)
                .log_stream_name(&stream)
                .start_from_head(true)
                .set_next_token(self.token.clone());
            let page = match aws.call(GET_LOG_EVENTS, || call.clone().send()).await {
                Ok(page) => page,
                // The stream comes with the first line.
                Err(error) if error.is_not_found() => return lines,
                Err(error) => {
                    if !std::mem::replace(&mut self.failed, true) {
                        show(Seen::Warning(&error));
                    }
                    return lines;
                }
            };
            for event in page.events() {
                show(Seen::Line(event.message().unwrap_or_default()));
            }
            lines += page.events().len();
            self.seen += page.events().len();
            // "If you have reached the end of the stream, it returns the same token you passed in."
            let next = page.next_forward_token;
            if next.is_none() || next == self.token {
                return lines;
            }
            self.token = next;
        }
    }
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

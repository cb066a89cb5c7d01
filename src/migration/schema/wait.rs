//! Waiting for a task: its states, and the log of its container from where it was read last.

use super::{Asked, Stream, Task, seen};
use crate::aws::ecs::{DESCRIBE_TASK_DEFINITION, DESCRIBE_TASKS};
use crate::aws::logs::GET_LOG_EVENTS;
use crate::aws::{Api, Aws};
use crate::engine::{Class, Error};
use aws_sdk_ecs::types as t;
use std::time::Duration;
use tokio::sync::watch;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(3);
/// Looks for which a task that was started a moment ago may be unknown: "the Amazon ECS API follows an eventual consistency
/// model" (RunTask).
const UNKNOWN: u32 = 20;
/// Looks at the log behind the end of the task: its lines come a little later.
const LATE: u32 = 3;

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
        match read(aws, asked, &task.arn).await {
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
            () = tokio::time::sleep(INTERVAL) => {}
            _ = stop.changed() => return Ok(task),
        }
    }
    for _ in 0..LATE {
        let read = log.read(aws, show).await;
        if read == 0 && log.seen > 0 {
            break;
        }
        tokio::time::sleep(INTERVAL / 3).await;
    }
    Ok(task)
}

async fn read(aws: &Aws, asked: &Asked, arn: &str) -> Result<Option<t::Task>, Error> {
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

//! `deployer migrate schema`.

use super::super::Context;
use super::super::error::Failure;
use super::super::exit::Exit;
use super::super::run::{can_ask, command_line};
use super::super::signals::stop_on_signals;
use super::args::SchemaArgs;
use super::{Open, confirm, open, refused};
use crate::blueprint::SERVICES;
use crate::migration::schema::{Asked, Found, Seen, Task, find, start, wait};
use crate::report::{First, Migration, MigrationDocument, Notice};
use crate::traffic::names;
use jiff::Timestamp;

/// Runs the application's own migration of its schema on green, and waits for its end.
pub async fn schema(
    cx: &Context<'_>,
    asked: &SchemaArgs,
    notice: &mut Notice,
) -> Result<Exit, Failure> {
    let command = shlex::split(&asked.command).filter(|words| !words.is_empty());
    let command = command.ok_or_else(|| {
        Failure::usage(format!(
            "--command is {:?}; it takes a command line with its quotes closed",
            asked.command
        ))
    })?;
    can_ask(asked.yes)?;
    let open = open(cx).await?;
    let asks = place(&open, &asked.service, command)?;
    let found = find(&open.aws, &asks, Timestamp::now().as_second()).await;
    let found = found.map_err(|error| match error.is_not_found() {
        true => refused(error),
        false => error.into(),
    })?;
    let task = match found {
        Found::Same(task) => {
            cx.console
                .note(&format!("a run before has started {}", task.arn))?;
            task
        }
        Found::Other(task) => return Err(other(&task)),
        Found::New(new) => {
            let question = format!(
                "Run `{}` on green with the image of {}",
                asked.command, asked.service
            );
            confirm(cx, asked.yes, &open, &question).await?;
            start(&open.aws, &asks, &new).await?
        }
    };
    notice.outcome = "changed";
    let mut stop = stop_on_signals();
    let mut show = |seen: Seen<'_>| {
        // The task goes on when nobody reads its lines any more.
        let _ = match seen {
            Seen::Status(status) => cx.console.note(&format!("{}: {status}", id(&task.arn))),
            Seen::Line(line) => cx.console.text(&Migration::log_line(line)),
            Seen::Warning(error) => cx.console.warning(&error.to_string()),
        };
    };
    let ended = wait(&open.aws, &asks, task.clone(), &mut stop, &mut show).await;
    let ended = ended.map_err(|error| Failure {
        message: format!("{error} (the task is {})", task.arn),
        ..error.into()
    })?;
    let mut document = MigrationDocument::new("schema", &open.config.suffix);
    let exit = match (ended.status.as_str(), ended.exit_code) {
        ("STOPPED", Some(0)) => Exit::Done,
        ("STOPPED", code) => {
            let code = match code {
                Some(code) => format!("with exit code {code}"),
                None => "before its container had an exit code".into(),
            };
            let why = ended.reason.as_deref().unwrap_or("no reason is known");
            let text = format!("the task ended {code}: {why}");
            document.problems.push(text.clone());
            notice.first = Some(First {
                step: None,
                message: text,
                hint: None,
            });
            Exit::Failed
        }
        _ => {
            document.problems.push(format!(
                "nobody waits for the task now, and it goes on; `aws ecs stop-task --cluster {} --task {}` would end it",
                ended.cluster,
                id(&ended.arn)
            ));
            document.next = Some(command_line());
            Exit::Interrupted
        }
    };
    document.task = Some(ended);
    cx.console.answer(&Migration::text(&document), &document)?;
    Ok(exit)
}

/// The service in green.
fn place(open: &Open, service: &str, command: Vec<String>) -> Result<Asked, Failure> {
    let [_, green] = names::Names::of(&open.config)?.sides;
    let found = green.services.iter().find(|s| s.name == service);
    let found = found.ok_or_else(|| {
        let all: Vec<&str> = SERVICES.iter().map(|s| s.name).collect();
        let all = all.join(", ");
        Failure::usage(format!("--service is {service:?}; it takes one of {all}"))
    })?;
    Ok(Asked {
        cluster: green.cluster.clone(),
        service: found.service.clone(),
        container: found.name,
        command,
        suffix: open.config.suffix.clone(),
    })
}

/// Two migrations of one schema at a time would meet in the same tables.
fn other(task: &Task) -> Failure {
    let text = format!(
        "another task works on green's schema, with the command `{}`: {}",
        task.command.join(" "),
        task.arn
    );
    Failure::new(Exit::Locked, text).hint(format!(
        "wait for it with its own command, or end it: aws ecs stop-task --cluster {} --task {}",
        task.cluster,
        id(&task.arn)
    ))
}

fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

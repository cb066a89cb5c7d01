//! Tells the notifier of the configuration how a run ended. What goes wrong here is a warning: it never changes how the
//! command itself ends.

use super::Context;
use super::args::Scope;
use super::connection::connection;
use super::error::Failure;
use super::exit::Exit;
use super::session::configuration;
use crate::aws::{Aws, Caller, sns};
use crate::config::{Config, Notify};
use crate::engine::Events;
use crate::report::{DeploymentRef, First, Notice};
use std::io::ErrorKind;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How long a notifier may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Runs a command, which fills the notice on its way, and sends the notice. A command that did not begin, because of its
/// arguments, the lock, or the answer to its question, sends none.
pub async fn notified(
    cx: &Context<'_>,
    command: &'static str,
    scope: &Scope,
    run: impl AsyncFnOnce(&mut Notice) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let home = DeploymentRef {
        scope: scope.env.map(|e| e.name().to_owned()),
        ..DeploymentRef::default()
    };
    let mut notice = Notice::new(command, home);
    let ended = run(&mut notice).await;
    let (exit, failure) = match &ended {
        Ok(exit) => (*exit, None),
        Err(failure) => (failure.exit, Some(failure)),
    };
    notice.outcome = match exit {
        Exit::Done => notice.outcome,
        Exit::Differs => "differs",
        Exit::Failed | Exit::GateFailed | Exit::Preempted | Exit::Held => "failed",
        // A plan that waits for a word about data; a saved plan that is refused has not begun.
        Exit::Refused | Exit::Usage if failure.is_none() => "failed",
        Exit::Interrupted if failure.is_none() => "interrupted",
        Exit::Interrupted | Exit::Usage | Exit::Locked | Exit::Refused => return ended,
    };
    // A configuration that cannot be read is the failure itself.
    let Ok(config) = configuration(cx) else {
        return ended;
    };
    if let Some(failure) = failure {
        notice.first = Some(First {
            step: None,
            message: failure.message.clone(),
            hint: failure.hint.clone(),
        });
    }
    notice.exit_code = exit.code();
    notice.at = jiff::Timestamp::now();
    if notice.home.suffix.is_empty() {
        notice.home.suffix.clone_from(&config.suffix);
        notice.home.region.clone_from(&config.region);
        notice.home.account.clone_from(&config.account);
    }
    let again = match (command, exit) {
        ("drift", Exit::Differs) => Some("plan"),
        (_, Exit::Done) => None,
        (same, _) => Some(same),
    };
    if notice.next.is_none() {
        notice.next = again.map(|c| cx.command_line(c, notice.home.scope.as_deref(), &config));
    }
    send(cx, &config, &notice).await;
    ended
}

/// Sends a notice, when the configuration wants it.
pub async fn send(cx: &Context<'_>, config: &Config, notice: &Notice) {
    let Notify { topic, command, on } = &config.notify;
    if !on.iter().any(|outcome| outcome == notice.outcome) {
        return;
    }
    let run = within(cx, "the command", async {
        match command.split_first() {
            Some((program, arguments)) => {
                start(program, arguments, &notice.document(&config.digest())).await
            }
            None => Ok(()),
        }
    });
    let publish = within(cx, "the topic", async {
        if topic.is_empty() {
            return Ok(());
        }
        publish(cx, config, notice).await.map_err(|f| f.message)
    });
    tokio::join!(run, publish);
}

/// Ends an attempt that takes too long, and says what went wrong.
async fn within(cx: &Context<'_>, to: &str, attempt: impl Future<Output = Result<(), String>>) {
    let ended = tokio::time::timeout(LIMIT, attempt).await;
    let ended = ended.unwrap_or_else(|_| Err(format!("no end within {} s", LIMIT.as_secs())));
    if let Err(why) = ended {
        // Standard error may be gone; there is nobody else to say it to.
        let text = format!("the notification did not reach {to}: {why}");
        let _ = cx.console.warning(&text);
    }
}

/// Runs the program in a process group of its own: a Ctrl-C that was meant for the run does not reach it, and when it
/// takes too long, what it started is ended with it.
async fn start(program: &str, arguments: &[String], document: &str) -> Result<(), String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| format!("{program}: {e}"))?;
    let mut group = Group(child.id());
    let input = child.stdin.take();
    let give = async {
        let Some(mut input) = input else {
            return Ok(());
        };
        match input.write_all(document.as_bytes()).await {
            // It does not want to know more.
            Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    };
    let (given, status) = tokio::join!(give, child.wait());
    group.0 = None;
    given.map_err(|e| format!("{program}: {e}"))?;
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program}: {status}")),
        Err(e) => Err(format!("{program}: {e}")),
    }
}

/// A process group that is killed when its leader is no longer waited for.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let id = self.0.and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(Pid::from_raw) {
            // Its last process may just have ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Publishes to the topic, in the topic's own region. The session and its caller are gone by then, or there never was one.
async fn publish(cx: &Context<'_>, config: &Config, notice: &Notice) -> Result<(), Failure> {
    let topic = &config.notify.topic;
    let mut there = config.clone();
    if let Some(region) = topic.split(':').nth(3) {
        region.clone_into(&mut there.region);
    }
    let connection = connection(cx, &there).await?;
    let caller = Arc::new(Caller::new(Events::default(), false, 1));
    let aws = Aws::new(&connection, caller);
    sns::publish(&aws, topic, &notice.subject(), &notice.text()).await?;
    Ok(())
}

//! What goes on beside a shift: notices with the command to type, and its lines in the shared state. The shift waits for none of
//! it.

use super::super::Context;
use super::super::exit::Exit;
use super::super::notify::send;
use super::shared::carried;
use crate::config::Config;
use crate::report::{DeploymentRef, First, Notice};
use crate::traffic::account::{Account, Shown};
use crate::traffic::history::{Entry, Event, Log};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Lines of the history as they are written; `None` is the end.
pub struct Lines(UnboundedReceiver<Option<Entry>>);

/// Says that no more lines come.
pub struct Last(UnboundedSender<Option<Entry>>);

impl Last {
    /// The shift has ended.
    pub fn end(self) {
        // Nobody listens when the command is going down.
        let _ = self.0.send(None);
    }
}

/// Listens to what the account records from now on.
pub fn listen(account: &mut Account) -> (Lines, Last) {
    let (to, lines) = unbounded_channel();
    let last = Last(to.clone());
    let show = std::mem::replace(&mut account.show, Box::new(|_| {}));
    account.show = Box::new(move |shown| {
        if let Shown::Entry(entry, _) = &shown {
            let light = Entry {
                gate: None,
                ..(*entry).clone()
            };
            let _ = to.send(Some(light));
        }
        show(shown);
    });
    (Lines(lines), last)
}

impl Lines {
    /// Sends notices and carries lines over until the shift has ended.
    pub async fn follow(mut self, cx: &Context<'_>, config: &Config, home: &DeploymentRef) {
        let log = Log::new(&super::state_folder(cx.common), &config.suffix);
        let mut open = true;
        while open {
            let Some(Some(entry)) = self.0.recv().await else {
                break;
            };
            let mut new = vec![entry];
            loop {
                match self.0.try_recv() {
                    Ok(Some(entry)) => new.push(entry),
                    Ok(None) => {
                        open = false;
                        break;
                    }
                    Err(_) => break,
                }
            }
            for entry in &new {
                if let Some(notice) = notice(cx, config, home, entry) {
                    send(cx, config, &notice).await;
                }
            }
            carried(cx, config, &log).await;
        }
    }
}

/// What somebody has to know while the shift runs; how it ended is said at its end.
fn notice(
    cx: &Context<'_>,
    config: &Config,
    home: &DeploymentRef,
    entry: &Entry,
) -> Option<Notice> {
    let (outcome, exit, next) = match entry.event {
        Event::ApprovalAsked => {
            let next = format!("traffic approve --weight {}", entry.after?.green);
            ("waiting", Exit::Held, next)
        }
        Event::RollbackStarted => ("failed", Exit::GateFailed, "traffic status".to_owned()),
        _ => return None,
    };
    let mut notice = Notice::new("traffic shift", home.clone());
    notice.outcome = outcome;
    notice.exit_code = exit.code();
    notice.first = Some(First {
        step: None,
        message: format!("{}: {}", entry.event.word().replace('_', " "), entry.text),
        hint: None,
    });
    notice.next = Some(cx.command_line(&next, None, config));
    Some(notice)
}

//! What is recorded: state, lock, history of runs and of traffic, and what they say is unfinished.

use super::machine;
use crate::cli::Context;
use crate::cli::connection::{state_folder, store};
use crate::config::Config;
use crate::report::{self, Finding, Verdict};
use crate::state::{self, Stage, State, Store};
use crate::traffic::history::Log;
use std::collections::BTreeSet;

/// The state, when it can be read, and what was found on the way.
pub async fn check(
    cx: &Context<'_>,
    config: &Config,
    offline: bool,
) -> (Option<State>, Vec<Finding>) {
    let mut out = Vec::new();
    if config.shared_state().is_none() {
        out.extend(machine::folder(cx.common));
    } else if offline {
        let text = format!("{} is shared and not looked at (--offline)", config.state);
        let command = cx.command_line("doctor", None, config);
        out.push(Finding::new("state", Verdict::Unknown, text).end(command));
        return (None, out);
    }
    let store = match store(cx, config).await {
        Ok(store) => store,
        Err(failure) => {
            let finding = Finding::new("state", Verdict::Error, failure.message);
            let end = failure.hint;
            out.push(Finding { end, ..finding });
            return (None, out);
        }
    };
    let state = read(cx, config, store.as_ref(), &mut out).await;
    lock(cx, config, store.as_ref(), &mut out).await;
    histories(cx, config, store.as_ref(), &mut out).await;
    if let Some(state) = &state {
        unfinished(cx, config, state, &mut out);
    }
    (state, out)
}

async fn read(
    cx: &Context<'_>,
    config: &Config,
    store: &dyn Store,
    out: &mut Vec<Finding>,
) -> Option<State> {
    let name = store.state_name().display();
    match state::read(store, &config.region).await {
        Ok(state) => {
            let text = if state.steps.is_empty() {
                format!("{name}: nothing is recorded yet")
            } else {
                let (steps, serial) = (state.steps.len(), state.serial);
                format!(
                    "{name}: {steps} steps, serial {serial}, account {}",
                    state.account
                )
            };
            out.push(Finding::new("state", Verdict::Ok, text));
            if !state.steps.is_empty() && state.region != config.region {
                let text = format!(
                    "the state is of region {}, the configuration of {}",
                    state.region, config.region
                );
                let end = format!("--region {}, or another --suffix", state.region);
                out.push(Finding::new("state", Verdict::Error, text).end(end));
            }
            Some(state)
        }
        Err(error) => {
            let end = cx.command_line("state rebuild", None, config);
            out.push(Finding::new("state", Verdict::Error, error.to_string()).end(end));
            None
        }
    }
}

async fn lock(cx: &Context<'_>, config: &Config, store: &dyn Store, out: &mut Vec<Finding>) {
    match store.holder().await {
        Ok(None) => out.push(Finding::new("lock", Verdict::Ok, "nobody holds it")),
        Ok(Some(holder)) => {
            let end = format!(
                "wait for that run; when it is dead, {}",
                cx.command_line("state unlock", None, config)
            );
            let text = format!("held by {holder}");
            out.push(Finding::new("lock", Verdict::Warning, text).end(end));
        }
        Err(error) => {
            let text = format!("not checked: {error}");
            out.push(Finding::new("lock", Verdict::Unknown, text));
        }
    }
}

async fn histories(cx: &Context<'_>, config: &Config, store: &dyn Store, out: &mut Vec<Finding>) {
    let about = "history";
    let runs = state::history(store).await;
    let anew = "restore it from a backup, or move it away to begin a new one";
    let rebuilt = "restore it from a backup, or run `deployer state rebuild`, which keeps it aside and begins a new one";
    let runs = runs
        .map(|h| (h.lines.len(), h.torn))
        .map_err(|e| e.to_string());
    let traffic = Log::new(&state_folder(cx.common), &config.suffix).read();
    let traffic = traffic
        .map(|h| (h.lines.len(), h.torn))
        .map_err(|e| e.to_string());
    for (what, found, end) in [("runs", runs, rebuilt), ("traffic", traffic, anew)] {
        out.push(match found {
            Ok((lines, true)) => {
                let text =
                    format!("of {what}: {lines} lines, and one behind them that is not whole");
                Finding::new(about, Verdict::Warning, text)
                    .end("nothing: the next run writes in its place")
            }
            Ok((lines, false)) => {
                let text = format!("of {what}: {lines} lines, none changed or removed");
                Finding::new(about, Verdict::Ok, text)
            }
            Err(why) => Finding::new(about, Verdict::Error, format!("of {what}: {why}")).end(end),
        });
    }
}

fn unfinished(cx: &Context<'_>, config: &Config, state: &State, out: &mut Vec<Finding>) {
    let steps = state.steps.iter().filter(|(_, r)| r.stage != Stage::Ready);
    let steps: Vec<&str> = steps.map(|(step, _)| step.as_str()).collect();
    if !steps.is_empty() {
        let text = format!(
            "{} steps are not finished: {}",
            steps.len(),
            steps.join(", ")
        );
        let end = cx.command_line("apply", None, config);
        out.push(Finding::new("steps", Verdict::Warning, text).end(end));
    }
}

/// What somebody has to do, as the last run recorded it. Of the steps in `read` it is known how they stand now.
pub fn by_hand(
    cx: &Context<'_>,
    config: &Config,
    state: &State,
    read: &BTreeSet<String>,
) -> Vec<Finding> {
    let all = report::attention(state, None).into_iter();
    let all = all.filter(|one| !read.contains(&one.step));
    let finding = |one: report::Attention| {
        let end = format!("do it, then {}", cx.command_line("apply", None, config));
        to_do("by hand", &one.step, &one.text, &end)
    };
    all.map(finding).collect()
}

/// What somebody has to do, with what to run then unless it says so itself.
pub(super) fn to_do(about: &str, step: &str, text: &str, end: &str) -> Finding {
    let finding = Finding::new(about, Verdict::Warning, format!("{step}: {text}"));
    if text.contains("deployer apply") {
        return finding;
    }
    finding.end(end)
}

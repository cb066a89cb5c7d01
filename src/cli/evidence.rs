//! `deployer report`: one page of evidence.

use super::Context;
use super::args::Scope;
use super::authors::{THOROUGH, authors};
use super::connection::{connection, state_folder};
use super::drift::{compared, moving, running, verdict};
use super::error::Failure;
use super::exit::Exit;
use super::session::{Mode, Session};
use super::traffic::recorded;
use crate::aws;
use crate::aws::logs::OS_METRICS;
use crate::blueprint::Facts;
use crate::engine::Error;
use crate::engine::graph::SHARED;
use crate::engine::observe::{Observations, Observed};
use crate::evidence::{Age, Ages, Chain, Dated, Event, Seen, Sources, Verdict, evidence, resource};
use crate::report::{self, EvidenceDocument};
use crate::state::{self, State, What};
use crate::traffic::history::Log;
use clap::Args;
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::Value;
use std::path::PathBuf;

/// Where the page goes.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// Which part.
    #[command(flatten)]
    pub scope: Scope,
    /// The page: one HTML file without anything outside it.
    #[arg(long, value_name = "FILE.html")]
    pub out: PathBuf,
}

/// Reads everything, and writes the page. The account and the state are not changed.
pub async fn report(cx: &Context<'_>, asked: &Asked) -> Result<Exit, Failure> {
    // A file that cannot be written is said before the first call, and none is left empty.
    let out = state::end_of_links(&asked.out);
    let is_new = !asked.out.exists();
    // Who reads from a pipe would take this for the end.
    if !state::is_special(&asked.out) {
        let open = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&out);
        open.map_err(|e| Failure::unwritable("--out", &asked.out, &e))?;
    }
    let made = make(cx, asked).await;
    let is_empty = || std::fs::metadata(&out).is_ok_and(|file| file.len() == 0);
    if made.is_err() && is_new && is_empty() {
        let _ = std::fs::remove_file(&out);
    }
    made
}

async fn make(cx: &Context<'_>, asked: &Asked) -> Result<Exit, Failure> {
    let events = cx.console.events(None);
    let from = Timestamp::now();
    let session = Session::open(cx, &asked.scope, &events, Mode::Look).await?;
    let before = running(&session).await;
    let (state, seen, mut drift) = compared(&session, false).await?;
    // A damaged state is reported before its lock.
    let run = moving(&session, before?, &state).await?;
    if drift.differs() && run.is_none() {
        authors(&session, &state, &mut drift, THOROUGH).await;
    }
    let ages = ages(&session, &state, &seen).await;
    let (judged, delivered) = said(&session, &state, &seen).await;
    let to = Timestamp::now();
    let config = &session.config;
    let facts = Facts::recorded(&session.facts).unwrap_or_else(|| Facts::assumed(config));
    let mut state = state;
    // With one environment what both share counts as far as it was read.
    let shared = |step: &str, scope: &str| scope == SHARED && seen.contains_key(step);
    let steps = &mut state.steps;
    steps.retain(|step, record| session.in_scope(record) || shared(step, &record.scope));
    let made = evidence(Sources {
        config,
        graph: &session.graph,
        state: &state,
        seen: &seen,
        drift: &drift,
        lists: &facts.prefix_lists,
        chains: chains(cx, &session).await,
        ages,
        reads: &session.context.reads,
        judged,
        delivered,
        today: to.to_zoned(jiff::tz::TimeZone::UTC).date(),
    });
    let mut evidence = made.map_err(|why| {
        Failure::new(
            Exit::Failed,
            format!("the table of requirements cannot be read: {why}"),
        )
    })?;
    match os_metrics(&session).await {
        Ok(group) => evidence.log_groups.extend(group),
        Err(error) => evidence
            .cannot_show
            .push(format!("How long {OS_METRICS} is kept: {error}.")),
    }
    let endpoint = connection(cx, config)
        .await?
        .config
        .endpoint_url()
        .map(str::to_owned);
    let document = EvidenceDocument {
        home: session.home(),
        from,
        to,
        version: env!("CARGO_PKG_VERSION"),
        configuration: config.digest(),
        endpoint,
        run,
        differs: drift.differs(),
        complete: drift.complete(),
        drift,
        evidence,
        calls: cx.console.calls().totals(),
    };
    state::write_output(&asked.out, report::evidence_page(&document).as_bytes())?;
    let text = report::evidence_summary(&document, &asked.out.display().to_string());
    cx.console.answer(&text, &document)?;
    Ok(verdict(&document.drift, document.run.is_some()))
}

/// The group of the account that Enhanced Monitoring writes to, when it is not kept for 90 days.
async fn os_metrics(session: &Session) -> Result<Option<(String, Option<i64>)>, Error> {
    let groups = &session.aws().logs.groups;
    let Some(group) = groups.get(OS_METRICS.to_owned()).await? else {
        return Ok(None);
    };
    let days = group.retention_in_days.map(i64::from);
    let name = format!("{OS_METRICS}, which is the account's and stays as it is");
    Ok((days != Some(90)).then_some((name, days)))
}

/// Points in time of keys, secrets, databases and tables.
async fn ages(session: &Session, state: &State, seen: &Observations) -> Ages {
    let each = state.steps.iter().filter_map(|(step, record)| {
        let (apis, _) = aws::shown_by(&record.kind)?;
        let actions: Vec<String> = apis.iter().map(aws::Api::action).collect();
        let live = seen.get(step).and_then(Observed::live);
        let outputs = live.map_or(&record.outputs, |l| &l.outputs);
        Some(async move {
            let found = aws::dates(session.aws(), &record.kind, outputs).await;
            let why = found.as_ref().err().map(ToString::to_string);
            let dates = found.unwrap_or_default().into_iter();
            Age {
                step: step.clone(),
                resource: resource(outputs).unwrap_or(&record.name).to_owned(),
                operation: actions.join(", "),
                read: Timestamp::now(),
                dates: dates.map(|(what, at)| Dated { what, at }).collect(),
                why,
            }
        })
    });
    join_all(each).await
}

/// How AWS Config judges, and whether logs arrive.
async fn said(session: &Session, state: &State, seen: &Observations) -> (Vec<Seen>, Vec<Seen>) {
    let each = state.steps.iter().filter_map(|(step, record)| {
        let (api, _) = aws::said_by(&record.kind)?;
        // What is not there says nothing; that it is missing is a difference.
        let live = seen.get(step).and_then(Observed::live)?;
        Some(async move {
            let found = aws::said(session.aws(), &record.kind, &live.outputs).await;
            let seen = |field: &str, value, wanted: &str, verdict, why| Seen {
                step: step.clone(),
                resource: resource(&live.outputs).unwrap_or(&record.name).to_owned(),
                operation: api.action(),
                field: field.to_owned(),
                value,
                wanted: wanted.to_owned(),
                verdict,
                read: Some(Timestamp::now()),
                why,
            };
            let values: Vec<Seen> = match found {
                Ok(said) => said
                    .into_iter()
                    .map(|s| {
                        let verdict = s.good.map_or(Verdict::NotSeen, Verdict::of);
                        let nothing = s.value.is_null().then(|| "AWS shows none".to_owned());
                        seen(s.field, s.value, s.wanted, verdict, nothing)
                    })
                    .collect(),
                Err(error) => {
                    let why = Some(error.to_string());
                    vec![seen("", Value::Null, "", Verdict::NotSeen, why)]
                }
            };
            (record.kind == "config/rule", values)
        })
    });
    let (judged, delivered): (Vec<_>, Vec<_>) = join_all(each)
        .await
        .into_iter()
        .partition(|(rule, _)| *rule);
    let values = |all: Vec<(bool, Vec<Seen>)>| all.into_iter().flat_map(|(_, v)| v).collect();
    (values(judged), values(delivered))
}

/// The histories, the newest line first.
async fn chains(cx: &Context<'_>, session: &Session) -> Vec<Chain> {
    let runs = state::history(session.store.as_ref()).await;
    let runs = runs.map(|history| {
        let line = |line: &state::HistoryLine| Event {
            at: line.at,
            by: line.entry.who.clone(),
            text: match line.entry.what {
                What::Started => format!("{} began", line.entry.command),
                What::Finished => format!("{}: {}", line.entry.command, line.entry.result),
            },
        };
        history.lines.iter().rev().map(line).collect()
    });
    let log = Log::new(&state_folder(cx.common), &session.config.suffix);
    let traffic = recorded(cx, &session.config, &log).await;
    let traffic = traffic.map(|history| {
        let line = |line: &crate::chain::Line<crate::traffic::history::Entry>| Event {
            at: line.at,
            by: line.entry.by.clone(),
            text: line.entry.text.clone(),
        };
        history.lines.iter().rev().map(line).collect()
    });
    vec![
        chain("runs", runs.map_err(|e| e.to_string())),
        chain("traffic", traffic.map_err(|failure| failure.message)),
    ]
}

fn chain(what: &'static str, lines: Result<Vec<Event>, String>) -> Chain {
    match lines {
        Ok(lines) if lines.is_empty() => Chain {
            what,
            verdict: Verdict::NotSeen,
            text: "nothing is recorded here".into(),
            lines,
        },
        Ok(lines) => Chain {
            what,
            verdict: Verdict::Shown,
            text: format!(
                "{} lines, each with the hash of the one before: none was changed or removed",
                lines.len()
            ),
            lines,
        },
        Err(why) => Chain {
            what,
            verdict: Verdict::Contradicted,
            text: why,
            lines: Vec::new(),
        },
    }
}

//! What is said about the traffic: texts for people, and the documents of `--json`.

use super::json::Document;
use crate::chain::Line;
use crate::traffic::account::Shown;
use crate::traffic::bridge::Bridge;
use crate::traffic::callers::Callers;
use crate::traffic::cutover::Cut;
use crate::traffic::gate::instant::Targets;
use crate::traffic::gate::{SelfTest, TimeToPass, Totals, simulate};
use crate::traffic::history::Entry;
use crate::traffic::minimum::Held;
use crate::traffic::note::Note;
use crate::traffic::outside::Over;
use crate::traffic::plan::Plan;
use crate::traffic::weights::Live;
use serde::Serialize;
use serde_json::json;
use std::fmt::Write;

/// `deployer traffic status --json`.
#[derive(Debug, Serialize)]
pub struct TrafficStatusDocument {
    /// Which deployment.
    pub suffix: String,
    pub domain: String,
    /// The weights in Route 53.
    pub weights: Live,
    /// The last note; null when it cannot be read.
    pub note: Option<Note>,
    /// Over how many minutes requests are counted.
    pub minutes: i64,
    /// Blue's requests and bad ones.
    pub blue: Totals,
    /// Green's.
    pub green: Totals,
    /// Green's services.
    pub targets: Vec<Targets>,
    /// Rules of load balancers that somebody has switched for a rollback or a cutover, in words.
    pub levers: Vec<String>,
    /// Who still calls green after a rollback; null when nothing was given back, or the log cannot be read.
    pub callers: Option<Callers>,
    /// The fewest tasks and the least capacity that are held up.
    pub held: Vec<Held>,
    /// The shift that runs on this machine, in words.
    pub locked_by: Option<String>,
    /// What is not as it should be.
    pub problems: Vec<String>,
    /// 2 when something is not as it should be.
    pub exit_code: u8,
}
impl Document for TrafficStatusDocument {
    const SCHEMA: &'static str = "deployer.traffic-status/1";
}

/// `deployer traffic shift --dry-run --json`.
#[derive(Debug, Serialize)]
pub struct TrafficForecastDocument {
    /// The shift.
    pub plan: Plan,
    /// For each step how long it needs; null when it can't pass.
    pub forecast: Vec<Option<TimeToPass>>,
}
impl Document for TrafficForecastDocument {
    const SCHEMA: &'static str = "deployer.traffic-forecast/1";
}

/// `deployer traffic shift --json`, `resume --json`.
#[derive(Debug, Serialize)]
pub struct TrafficShiftDocument {
    /// The name of the shift.
    pub run: String,
    /// How it ended.
    pub exit_code: u8,
    /// The same in a sentence.
    pub text: String,
    /// The weights at the end; null when they could not be read.
    pub weights: Option<Live>,
    pub steps: Vec<u8>,
    /// What to type.
    pub next: Option<String>,
}
impl Document for TrafficShiftDocument {
    const SCHEMA: &'static str = "deployer.traffic-shift/1";
}

/// `deployer traffic pause --json`, `approve --json`.
#[derive(Debug, Serialize)]
pub struct TrafficNoteDocument {
    /// What was done.
    pub text: String,
    /// The note that says so.
    pub note: Note,
}
impl Document for TrafficNoteDocument {
    const SCHEMA: &'static str = "deployer.traffic-note/1";
}

/// `deployer traffic rollback --json`.
#[derive(Debug, Serialize)]
pub struct TrafficRollbackDocument {
    /// False when blue had everything already.
    pub changed: bool,
    /// The weights before.
    pub before: Live,
    /// The note that it left.
    pub note: Option<Note>,
    /// All servers of Route 53 answer so.
    pub in_sync: bool,
    /// How green's bridge stands; null when nothing was sent.
    pub bridge: Option<Bridge>,
    /// What became of the writes; null when blue had them.
    pub cut: Option<Cut>,
    /// What was seen from outside; null when nothing was sent.
    pub over: Option<Over>,
    /// Who still calls green; null without `--until-over`, or when the log cannot be read.
    pub callers: Option<Callers>,
    /// What is not as it should be.
    pub problems: Vec<String>,
    /// Of the command.
    pub exit_code: u8,
}
impl Document for TrafficRollbackDocument {
    const SCHEMA: &'static str = "deployer.traffic-rollback/1";
}

/// `deployer traffic release --json`.
#[derive(Debug, Serialize)]
pub struct TrafficReleaseDocument {
    /// Which deployment.
    pub suffix: String,
    /// What was given back.
    pub given_back: Vec<Held>,
}
impl Document for TrafficReleaseDocument {
    const SCHEMA: &'static str = "deployer.traffic-release/1";
}

/// `deployer traffic history --json`.
#[derive(Debug, Serialize)]
pub struct TrafficHistoryDocument {
    /// Which deployment.
    pub suffix: String,
    /// The lines, the oldest first.
    pub lines: Vec<Line<Entry>>,
}
impl Document for TrafficHistoryDocument {
    const SCHEMA: &'static str = "deployer.traffic-history/1";
}

/// `deployer traffic gate --json`.
#[derive(Debug, Serialize)]
pub struct TrafficGateDocument {
    /// Whether every case of the self-test holds.
    pub holds: bool,
    /// The table.
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_test: Option<SelfTest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulation: Option<simulate::Report>,
}
impl Document for TrafficGateDocument {
    const SCHEMA: &'static str = "deployer.traffic-gate/1";
}

/// Texts about the traffic.
pub struct Traffic;

impl Traffic {
    /// One line of progress; with `json` an event of `deployer.traffic/1`.
    pub fn line(shown: &Shown<'_>, json: bool) -> String {
        match (shown, json) {
            (Shown::Entry(entry, at), true) => {
                // What the gate has seen is in the history; here is what it says.
                let entry = Entry {
                    gate: None,
                    ..(*entry).clone()
                };
                let mut event = serde_json::to_value(entry).unwrap_or_default();
                event["schema"] = json!("deployer.traffic/1");
                event["at"] = json!(at);
                event.to_string()
            }
            (Shown::Entry(entry, at), false) => {
                let word = entry.event.word().replace('_', " ");
                format!("{}  {word:<16} {}", clock(*at), entry.text)
            }
            (Shown::Text(text), true) => {
                json!({"schema": "deployer.traffic/1", "event": "progress", "text": text})
                    .to_string()
            }
            (Shown::Text(text), false) => format!("          {text}"),
        }
    }

    /// The lines of the history.
    pub fn history(lines: &[Line<Entry>]) -> String {
        if lines.is_empty() {
            return "nothing is recorded here\n".into();
        }
        let mut out = String::new();
        for line in lines {
            let entry = &line.entry;
            let word = entry.event.word().replace('_', " ");
            let _ = writeln!(
                out,
                "{:>4}  {}  {:<24} {word:<16} {}",
                line.n,
                at(line.at),
                entry.by,
                entry.text
            );
        }
        out
    }

    /// Where the traffic is.
    pub fn status(status: &TrafficStatusDocument) -> String {
        let mut out = String::new();
        let mut row = |what: &str, text: &str| {
            let _ = writeln!(out, "{what:<10} {text}");
        };
        row("domain", &status.domain);
        row(
            "weights",
            &format!(
                "{} ({:.0} % of the answers are green's)",
                status.weights,
                status.weights.green_percent()
            ),
        );
        if let Some(note) = &status.note {
            row("last step", &last(note));
        }
        if status.note.as_ref().is_some_and(|note| note.green_writes) {
            row(
                "writes",
                "green alone takes them; blue refuses them until `deployer traffic rollback` gives them back, with all traffic",
            );
        }
        if let Some(holder) = &status.locked_by {
            row("shift", holder);
        }
        row("requests", &requests(status));
        for target in &status.targets {
            row(
                "green",
                &format!(
                    "{}: {} of {} targets are healthy",
                    target.service, target.healthy, target.desired
                ),
            );
        }
        for lever in &status.levers {
            row("lever", lever);
        }
        if let Some(text) = status.callers.as_ref().and_then(Callers::text) {
            row("callers", &text);
        }
        for held in &status.held {
            row("minimum", &held.to_string());
        }
        for problem in &status.problems {
            row("problem", problem);
        }
        out
    }
}

fn last(note: &Note) -> String {
    let Some(at_) = note.at else {
        return "none by a traffic command".into();
    };
    let act = serde_json::to_value(note.act).unwrap_or_default();
    let act = act.as_str().unwrap_or_default().to_owned();
    let approved = note.approved.map_or_else(String::new, |(weight, until)| {
        format!(", weights up to {weight} approved until {}", at(until))
    });
    let run = if note.run.is_empty() {
        String::new()
    } else {
        format!(" of shift {}", note.run)
    };
    let paused = if note.paused {
        "; the shift waits for `deployer traffic resume`"
    } else {
        ""
    };
    format!(
        "{act}{run} by {} at {}, number {}{approved}{paused}",
        note.by,
        at(at_),
        note.epoch
    )
}

fn requests(status: &TrafficStatusDocument) -> String {
    let side = |of: &Totals| format!("{} ({:.2} % bad)", of.requests, of.percent());
    let all = status.blue.requests + status.green.requests;
    if all == 0 {
        return format!(
            "none in the last {} minutes that are published",
            status.minutes
        );
    }
    let share = 100.0 * status.green.requests as f64 / all as f64;
    format!(
        "in the last {} minutes blue {}, green {}: green's share is {share:.1} %",
        status.minutes,
        side(&status.blue),
        side(&status.green)
    )
}

fn at(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn clock(at: jiff::Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

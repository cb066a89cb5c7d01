//! What is said about the migration.

use super::json::Document;
use super::value::clean;
use crate::migration::Switch;
use crate::migration::answers::{number, text};
use crate::migration::schema::Task;
use crate::traffic::bridge::Env;
use crate::traffic::cutover::Done;
use crate::traffic::minimum::Held;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;

/// `deployer migrate ... --json`.
#[derive(Debug, Serialize)]
pub struct MigrationDocument {
    /// Which deployment.
    pub suffix: String,
    /// `plan`, `schema`, `start`, `status`, `verify`, `pause`, `stop`, or `cutover` with its part.
    pub command: &'static str,
    /// The functions whose calls were switched just now.
    pub changed: Vec<String>,
    /// What calls the functions by itself.
    pub switches: Vec<Switch>,
    /// The answer of `sync`; null when it was not asked.
    pub sync: Option<Value>,
    /// The answer of `control`.
    pub control: Option<Value>,
    /// The answer of `verify`.
    pub verify: Option<Value>,
    /// How a cutover ended.
    pub cutover: Option<Done>,
    /// The task of `schema`.
    pub task: Option<Task>,
    /// The fewest tasks and the least capacity that were held up, and came back to what is configured.
    pub given_back: Vec<Held>,
    /// What is not as it should be.
    pub problems: Vec<String>,
    /// What to type.
    pub next: Option<String>,
}

impl Document for MigrationDocument {
    const SCHEMA: &'static str = "deployer.migrate/1";
}

impl MigrationDocument {
    /// Of a command that has nothing to say yet.
    pub fn new(command: &'static str, suffix: &str) -> Self {
        Self {
            suffix: suffix.to_owned(),
            command,
            changed: Vec::new(),
            switches: Vec::new(),
            sync: None,
            control: None,
            verify: None,
            cutover: None,
            task: None,
            given_back: Vec::new(),
            problems: Vec::new(),
            next: None,
        }
    }
}

/// Texts about the migration.
pub struct Migration;

impl Migration {
    /// A line of an application's log, as it may stand on a terminal.
    pub fn log_line(line: &str) -> String {
        format!("| {}\n", clean(line.trim_end()))
    }

    /// The document for people.
    pub fn text(document: &MigrationDocument) -> String {
        let mut out = String::new();
        let mut row = |what: &str, text: &str| {
            let _ = writeln!(out, "{what:<12} {text}");
        };
        if !document.changed.is_empty() {
            row("switched", &document.changed.join(", "));
        }
        for switch in &document.switches {
            let word = match switch.on {
                Some(true) => "on",
                Some(false) => "off",
                None => "not there",
            };
            row(&switch.function, word);
        }
        if let Some(sync) = &document.sync {
            for line in stream("blue to green", sync) {
                row("", &line);
            }
        }
        if let Some(control) = &document.control {
            for line in way_back(control) {
                row("", &line);
            }
        }
        if let Some(verify) = &document.verify {
            for line in verified(verify) {
                row("verify", &line);
            }
        }
        if let Some(Done {
            before,
            cut,
            bridge,
            ..
        }) = &document.cutover
        {
            row("writes", &cut.text(Env::Green));
            row("traffic", &format!("all to green; it was {before}"));
            row("bridge", &bridge.text(Env::Blue));
        }
        if let Some(task) = &document.task {
            row("task", &format!("{} ({})", task.arn, task.status));
            row("command", &task.command.join(" "));
            if let Some(log) = &task.log {
                row("log", &format!("{} {}", log.group, log.stream));
            }
            if let Some(code) = task.exit_code {
                row("exit code", &code.to_string());
            }
        }
        for held in &document.given_back {
            row("given back", &held.to_string());
        }
        for problem in &document.problems {
            row("problem", problem);
        }
        if let Some(next) = &document.next {
            row("next", next);
        }
        out
    }
}

fn stream(way: &str, answer: &Value) -> Vec<String> {
    if text(answer, "status") == "stopped" {
        let gone = |key: &str| {
            if answer[key] == true {
                "is gone"
            } else {
                "was not there"
            }
        };
        return vec![format!(
            "{way}: the slot {}, the publication {}",
            gone("slotDropped"),
            gone("publicationDropped")
        )];
    }
    let slot = text(answer, "slot");
    let phase = text(answer, "phase");
    if phase.is_empty() || phase == "none" {
        return vec![format!("{way}: not begun (slot: {slot})")];
    }
    let mut line = format!("{way}: {phase}, slot {slot}");
    let mut add = |key: &str, unit: &str| {
        if let Some(value) = number(answer, key) {
            let _ = write!(line, ", {value}{unit}");
        }
    };
    add("progressPercent", " % copied");
    add("rowsCopied", " rows");
    add("changesApplied", " changes");
    add("lagSeconds", " s behind");
    add("quarantined", " rows in quarantine");
    add("retainedBytes", " bytes of log kept on the disk");
    vec![line]
}

fn way_back(answer: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let writer = text(answer, "writer");
    if !writer.is_empty() {
        lines.push(format!("writes are taken by: {writer}"));
    }
    if answer["reverse"].is_object() {
        lines.extend(stream("green to blue", &answer["reverse"]));
    }
    for (key, what) in [
        ("exact", "come back as they are"),
        ("guarded", "come back and are proven"),
        ("kept", "stay blue's own"),
        ("irreversible", "can't come back"),
    ] {
        let Some(columns) = answer[key].as_array() else {
            continue;
        };
        let names: Vec<&str> = columns.iter().filter_map(Value::as_str).collect();
        let shown = if key == "exact" || names.is_empty() {
            String::new()
        } else {
            format!(": {}", names.join(", "))
        };
        lines.push(format!("{} columns {what}{shown}", names.len()));
    }
    let forward = number(answer, "forwardMs").zip(number(answer, "reverseMs"));
    if let Some((forward, reverse)) = forward {
        lines.push(format!(
            "both streams are proven: {forward} ms to green, {reverse} ms to blue"
        ));
    }
    if text(answer, "status") == "finished" {
        let closed = |side: &&str| text(&answer["fences"], side) == "closed";
        lines.push(match ["blue", "green"].into_iter().find(closed) {
            Some(side) => format!(
                "the way back has ended: its slot is gone, and {side} stays closed to its applications"
            ),
            None => "the way back has ended: its slot and fences are gone".into(),
        });
    }
    lines
}

fn verified(answer: &Value) -> Vec<String> {
    let count = |key: &str| number(answer, key).unwrap_or_default();
    let tables = answer["tables"].as_array().map_or(0, Vec::len);
    let mut lines = vec![format!(
        "{}: {tables} tables compared, {} rows differ, {} in quarantine",
        text(answer, "verdict"),
        count("mismatches"),
        count("quarantined")
    )];
    let problems = answer["problems"].as_array().into_iter().flatten();
    lines.extend(problems.filter_map(Value::as_str).map(str::to_owned));
    let missing = answer["notCompared"].as_array().into_iter().flatten();
    lines.extend(
        missing
            .filter_map(Value::as_str)
            .map(|table| format!("not compared: {table}")),
    );
    lines
}

//! What held data and vanished by hand is not made anew in silence: the plan names what AWS still has of it, and runs only when
//! the user says whether it is restored or made empty.

use super::{Node, Op, Plan, Problem};
use crate::engine::backup::Remains;
use crate::engine::driver::Registry;
use crate::engine::error::{Error, VANISHED};
use crate::engine::event::Verb;
use crate::engine::graph::Graph;
use crate::engine::pattern::matches;
use crate::state::{Stage, State};
use futures::future::join_all;
use serde::{Deserialize, Serialize};

/// Backups that a sentence names; the JSON has all.
const NAMED: usize = 5;

/// What the user allows beyond a plain run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Allowed {
    /// `STEP` or `STEP=BACKUP`: what vanished and is restored. A step may hold `*`.
    pub restore: Vec<String>,
    /// Steps that vanished and are made anew, empty.
    pub make_empty: Vec<String>,
    /// A database may be upgraded to another major version in place.
    pub major_upgrade: bool,
}

impl Allowed {
    /// The steps that are named.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        let restored = self.restore.iter().map(|r| split(r).0);
        restored.chain(self.make_empty.iter().map(String::as_str))
    }

    /// What is said of a step. A name counts before a pattern, and a restore before an empty one.
    fn word(&self, step: &str) -> Option<Word<'_>> {
        let restores = || self.restore.iter().map(|r| split(r));
        let empty = || self.make_empty.iter().map(String::as_str);
        let restored = |fits: &dyn Fn(&str) -> bool| {
            let found = restores().find(|(name, _)| fits(name));
            found.map(|(_, backup)| Word::Restore(backup))
        };
        let emptied = |fits: &dyn Fn(&str) -> bool| empty().any(fits).then_some(Word::MakeEmpty);
        let (exact, pattern) = (|name: &str| name == step, |name: &str| matches(name, step));
        restored(&exact)
            .or_else(|| emptied(&exact))
            .or_else(|| restored(&pattern))
            .or_else(|| emptied(&pattern))
    }
}

/// What becomes of something that vanished.
enum Word<'a> {
    /// It is restored from the latest backup, or from this one.
    Restore(Option<&'a str>),
    /// It is made anew.
    MakeEmpty,
}

/// `STEP` or `STEP=BACKUP`
fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('=') {
        Some((step, backup)) => (step, Some(backup)),
        None => (text, None),
    }
}

/// Something that held data, is recorded and does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Vanished {
    pub step: String,
    /// Its type.
    pub kind: String,
    /// The name in AWS.
    pub name: String,
    /// What AWS still has of it.
    #[serde(flatten)]
    pub remains: Remains,
}

/// Asks what AWS still has of everything that held data and vanished. What this deployment deleted itself did not vanish.
pub async fn vanished(plan: &Plan, state: &State, registry: &Registry) -> Vec<Vanished> {
    let ask = |node: &Node| {
        let record = state
            .steps
            .get(&node.step)
            .filter(|r| r.kind == node.kind && matches!(r.stage, Stage::Created | Stage::Ready));
        let made_anew =
            node.op == Op::Ensure && node.verb == Verb::Create && node.refused.is_none();
        let driver = registry.get(&node.kind).ok().cloned();
        let driver = driver.filter(|d| made_anew && d.meta().holds_data);
        let known = record.map(|r| (r.name.clone(), r.outputs.clone()));
        let (step, kind, spec) = (node.step.clone(), node.kind.clone(), node.spec.clone());
        async move {
            let ((name, outputs), driver) = (known?, driver?);
            let remains = match driver.remains(&spec, &name, &outputs).await {
                Ok(remains) => remains?,
                Err(error) => Remains::nothing(format!(
                    "what AWS still has of it could not be read: {error}"
                )),
            };
            Some(Vanished {
                step,
                kind,
                name,
                remains,
            })
        }
    };
    let all = join_all(plan.nodes.iter().map(ask)).await;
    all.into_iter().flatten().collect()
}

/// Notes in the plan what vanished, and what becomes of it: restored, made empty, or a problem until the user has said which.
pub fn restore(plan: &mut Plan, vanished: Vec<Vanished>, allowed: &Allowed) {
    let mut problems = Vec::new();
    for lost in &vanished {
        let Some(node) = plan.nodes.iter_mut().find(|n| n.step == lost.step) else {
            continue;
        };
        match allowed.word(&lost.step) {
            Some(Word::Restore(wanted)) => match lost.remains.choose(wanted) {
                Ok(backup) => {
                    let reason = format!("restored from {}", backup.described());
                    node.reasons.push(reason);
                    node.restore = Some(backup);
                }
                Err(why) => problems.push(problem(lost, &format!("--restore: {why}"))),
            },
            Some(Word::MakeEmpty) => node.reasons.push("made anew, empty".into()),
            None => problems.push(problem(lost, "it would be made anew, empty")),
        }
    }
    plan.problems.extend(problems);
    plan.vanished = vanished;
}

/// Says of each step that is named, not meant by a pattern, why nothing is restored or made empty there. No problem: an earlier run may
/// have done it already. What could not be read, or is a problem, says so itself.
pub fn needless(plan: &Plan, graph: &Graph, registry: &Registry, allowed: &Allowed) -> Vec<String> {
    let restored = allowed.restore.iter().map(|r| (split(r).0, true));
    let emptied = allowed.make_empty.iter().map(|name| (name.as_str(), false));
    let why = |(name, restores): (&str, bool)| {
        let step = graph.get(name)?;
        let node = plan.nodes.iter().find(|n| n.step == name);
        let is_said = plan.vanished.iter().any(|v| v.step == name)
            || plan.problems.iter().any(|p| p.step == name)
            || node.is_some_and(|n| n.refused.is_some());
        if is_said {
            return None;
        }
        let holds_data = registry.get(&step.kind).is_ok_and(|d| d.meta().holds_data);
        let is_looked_at = node.is_some() || plan.unchanged.iter().any(|id| id == name);
        let is_made = node.is_some_and(|n| n.verb == Verb::Create);
        let why = match restores {
            _ if !holds_data => "holds no data",
            _ if !is_looked_at => "is not looked at by this run",
            true if is_made => "is not recorded with data that vanished",
            true => "exists with its data",
            false => "has not vanished",
        };
        let end = if restores {
            "nothing is restored"
        } else {
            "there is nothing to make empty"
        };
        Some(format!("`{name}` {why}, so {end}"))
    };
    restored.chain(emptied).filter_map(why).collect()
}

fn problem(lost: &Vanished, what: &str) -> Problem {
    let Vanished {
        step,
        kind,
        name,
        remains,
    } = lost;
    let known = remains.backups.iter().take(NAMED);
    let mut parts: Vec<String> = known
        .map(|b| match &b.unfit {
            None => b.described(),
            Some(why) => format!("{}, which does not fit: {why}", b.described()),
        })
        .collect();
    let more = remains.backups.len().saturating_sub(NAMED);
    if more > 0 {
        parts.push(format!("{more} older ones (`deployer plan --json`)"));
    }
    let mut text =
        format!("{kind} `{name}` is recorded but no longer exists, and its data with it; {what}");
    if !parts.is_empty() {
        text.push_str(&format!(". AWS still has: {}", parts.join("; ")));
    }
    if let Some(note) = &remains.note {
        text.push_str(&format!(". {note}"));
    }
    let fitting = remains.backups.iter().find(|b| b.unfit.is_none());
    let restore = match (fitting, &remains.backups[..]) {
        (Some(first), [_]) => format!("`--restore {step}` restores {}, or ", first.name),
        (Some(first), _) => format!(
            "`--restore {step}` restores {}, `--restore {step}=NAME` (or its time, as in 2026-11-28T17:05:00Z) another one, or ",
            first.name
        ),
        (None, _) => String::new(),
    };
    let hint = format!(
        "say what becomes of it: {restore}`--make-empty {step}` makes a new one without data"
    );
    let error = Error::permanent("plan", text).code(VANISHED).hint(hint);
    Problem {
        step: step.clone(),
        error,
    }
}

impl Plan {
    /// True when nothing stands in the way but what the user decides.
    pub fn is_refused(&self) -> bool {
        Error::are_refusals(self.errors().map(|(_, error)| error))
    }
}

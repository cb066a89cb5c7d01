//! Data is never deleted in passing. What holds data is counted before the plan is shown, and a plan that would lose some
//! runs only with the user's explicit choice.

use super::{Node, Op, Plan, Problem};
use crate::engine::driver::{Data, DeleteOptions, Phase, Registry};
use crate::engine::error::{CHOICE, Error, PROTECTED};
use crate::engine::event::Verb;
use crate::engine::reference::mentions;
use futures::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is to become of data that a plan deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Nothing remains.
    DestroyData,
    /// Databases leave a final snapshot and the key that encrypts it; other data goes.
    KeepSnapshot,
}

/// What a node would lose, and how a Remove node does it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DataLoss {
    /// The data, in words; `None` when there is none.
    pub data: Option<String>,
    /// What AWS deletes by itself after a change in place, in words; `None` when nothing goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// True when deletion protection is on.
    pub protected: bool,
    /// How it is deleted.
    #[serde(flatten)]
    pub options: DeleteOptions,
}

impl DataLoss {
    /// True when the deletion takes the user's choice.
    pub fn needs_choice(&self) -> bool {
        self.data.is_some() || self.protected
    }

    /// True when data goes, or what protects it.
    pub fn is_any(&self) -> bool {
        self.needs_choice() || self.expires.is_some()
    }

    /// The loss in words, empty when there is none.
    pub fn words(&self) -> String {
        let mut parts: Vec<String> = self.data.iter().chain(&self.expires).cloned().collect();
        if self.protected {
            parts.push(if self.options.lift_protection {
                "deletion protection is on and will be switched off first".into()
            } else {
                "deletion protection is on".into()
            });
        }
        if let Some(name) = &self.options.final_snapshot {
            parts.push(format!("final snapshot {name}"));
        }
        parts.join("; ")
    }
}

/// What the user and the configuration say about data.
#[derive(Debug, Clone, Copy, Default)]
pub struct DataRules {
    /// The user's choice.
    pub choice: Option<Choice>,
    /// `protect = true`: what holds data is neither deleted nor replaced.
    pub protect: bool,
}

/// What was counted, by step.
pub type Counts = BTreeMap<String, Data>;

/// Removals of a plan that are really sent.
pub(super) fn removals(plan: &Plan) -> impl Iterator<Item = &Node> {
    let sent = |n: &&Node| {
        n.op == Op::Remove
            && n.refused.is_none()
            && n.live.as_ref().is_some_and(|l| l.phase != Phase::Deleting)
    };
    plan.nodes.iter().filter(sent)
}

/// Asks what holds data how much it holds. What cannot be counted counts as data.
pub async fn count(plan: &Plan, registry: &Registry) -> Counts {
    let ask = |node: &Node| {
        let (step, spec) = (node.step.clone(), node.spec.clone());
        let outputs = node.live.as_ref().map(|l| l.outputs.clone());
        let driver = registry.get(&node.kind).ok().cloned();
        async move {
            let driver = driver.filter(|d| d.meta().holds_data)?;
            let data = match driver.data(&spec, &outputs.unwrap_or_default()).await {
                Ok(data) => data,
                Err(error) if error.is_not_found() => Data::Empty,
                Err(error) => Data::Holds(format!("data that could not be counted ({error})")),
            };
            Some((step, data))
        }
    };
    join_all(removals(plan).map(ask))
        .await
        .into_iter()
        .flatten()
        .collect()
}

/// Marks every removal with what it loses. A removal that the rules forbid is a problem of the plan; one that only needs
/// the choice is a problem of `apply`, while `destroy` asks (see [`Plan::needs_choice`]).
pub fn guard(
    plan: &mut Plan,
    counts: &Counts,
    registry: &Registry,
    rules: DataRules,
    now: Timestamp,
) {
    let mut problems = Vec::new();
    for node in &mut plan.nodes {
        let sent = node
            .live
            .as_ref()
            .is_some_and(|l| l.phase != Phase::Deleting);
        let Ok(driver) = registry.get(&node.kind) else {
            continue;
        };
        if node.op != Op::Remove || node.refused.is_some() || !sent {
            continue;
        }
        let (meta, destroyed) = (driver.meta(), node.destroyed);
        let data = match counts.get(&node.step) {
            Some(Data::Holds(text)) => Some(text.clone()),
            // What a key unlocks is counted where it lies; alone, the key is replaced under data that stays.
            Some(Data::Unlocks(text)) if !destroyed => Some(text.clone()),
            _ => None,
        };
        let live = node.live.as_ref();
        let protected = meta
            .retention
            .protection
            .is_some_and(|field| live.and_then(|l| l.spec.get(field)) == Some(&Value::Bool(true)));
        let snapshot = meta.retention.final_snapshot.is_some()
            && data.is_some()
            && rules.choice == Some(Choice::KeepSnapshot);
        node.loss = DataLoss {
            data,
            expires: None,
            protected,
            options: DeleteOptions {
                final_snapshot: snapshot.then(|| snapshot_name(&node.name, now)),
                lift_protection: protected && rules.choice.is_some() && !rules.protect,
                at_once: rules.choice == Some(Choice::DestroyData),
            },
        };
        let what = if destroyed { "deleted" } else { "replaced" };
        let why = |text: String| {
            let reasons = node.reasons.join("; ");
            let reasons = if destroyed || reasons.is_empty() {
                String::new()
            } else {
                format!(": {reasons}")
            };
            Error::permanent(
                "plan",
                format!("{} `{}` {text}{reasons}", node.kind, node.name),
            )
        };
        let removed = if node.verb == Verb::Replace {
            what
        } else {
            "deleted"
        };
        if rules.protect && meta.holds_data && !meta.retention.is_snapshot {
            let error = why(format!("is protected and would be {removed}"))
                .code(PROTECTED)
                .hint("`protect = true` in the configuration forbids it; set it to false first");
            problems.push((node.step.clone(), error));
        } else if !destroyed && rules.choice.is_none() && node.loss.needs_choice() {
            let error = why(format!("holds data and would be {removed}"))
                .code(CHOICE)
                .hint("set the value back, or pass --keep-snapshot (databases leave a final snapshot) or --destroy-data if its data may be lost");
            problems.push((node.step.clone(), error));
        }
    }
    if rules.choice == Some(Choice::KeepSnapshot) {
        problems.extend(lost_keys(plan, registry));
    }
    for (step, error) in problems {
        plan.problems.push(Problem { step, error });
    }
}

impl Plan {
    /// True when nothing stands in the way but what is to become of data.
    pub fn needs_choice_alone(&self) -> bool {
        let mut codes = self.errors().map(|(_, error)| error.code.as_str());
        codes.next() == Some(CHOICE) && codes.all(|code| code == CHOICE)
    }
}

/// A snapshot is worth nothing without its key: a plan of `apply` that deletes both database and key is refused.
fn lost_keys(plan: &Plan, registry: &Registry) -> Vec<(String, Error)> {
    let mut out = Vec::new();
    let snapshots = plan
        .nodes
        .iter()
        .filter(|n| n.loss.options.final_snapshot.is_some());
    for node in snapshots {
        let Ok(driver) = registry.get(&node.kind) else {
            continue;
        };
        let fields = driver.meta().retention.final_snapshot.unwrap_or_default();
        for key in removals(plan).filter(|n| n.step != node.step) {
            let outputs = key.live.as_ref().map(|l| &l.outputs);
            let needed = fields
                .iter()
                .filter_map(|f| node.spec.get(*f))
                .any(|v| outputs.is_some_and(|o| mentions(v, o)));
            if needed {
                let error = Error::permanent(
                    "plan",
                    format!(
                        "the final snapshot of `{}` cannot be read without `{}`, which would be {}",
                        node.name,
                        key.name,
                        if key.verb == Verb::Replace { "replaced" } else { "deleted" }
                    ),
                )
                .code(CHOICE)
                .hint("change one of the two at a time, or pass --destroy-data if the data may be lost");
                out.push((key.step.clone(), error));
            }
        }
    }
    out
}

/// `snapshot-orders-dev-20261128-043743`
fn snapshot_name(name: &str, now: Timestamp) -> String {
    format!("snapshot-{name}-{}", now.strftime("%Y%m%d-%H%M%S"))
}

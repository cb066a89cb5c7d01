//! What stays when the rest is deleted: what others need, snapshots, and what these need.

use super::data::Choice;
use crate::engine::driver::Registry;
use crate::engine::observe::{Observations, Observed};
use crate::engine::reference::mentions;
use crate::state::Record;
use serde::Serialize;
use serde_json::Value;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// What stays because others need it, and why, by step.
pub type Users = BTreeMap<String, String>;

/// Something that stays although its scope is destroyed, or although it is no longer in the blueprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    pub step: String,
    /// Its type.
    pub kind: String,
    /// The name in AWS.
    pub name: String,
    /// Why it stays.
    pub reason: String,
    /// True when others need it, or something that needs it: no choice of the user deletes it.
    pub for_others: bool,
}

/// The records of `chosen` that stay: what others need, snapshots of earlier runs unless all data goes, what these need, and what
/// the snapshots of this run will need. Each with the reason.
pub(super) fn kept(
    records: &BTreeMap<String, Record>,
    chosen: &BTreeSet<&str>,
    seen: &Observations,
    registry: &Registry,
    choice: Option<Choice>,
    users: &Users,
) -> BTreeMap<String, Stays> {
    let mut out = for_others(records, chosen, users);
    let mut open: Vec<(String, String)> = Vec::new();
    let data_goes = choice == Some(Choice::DestroyData);
    for id in chosen.iter().filter(|_| !data_goes) {
        let record = &records[*id];
        let (Ok(driver), Some(live)) = (
            registry.get(&record.kind),
            seen.get(*id).and_then(Observed::live),
        ) else {
            continue;
        };
        let retention = driver.meta().retention;
        let mut needs = |value: &Value, by: &str| {
            for (other, needed) in records.iter().filter(|(other, _)| other.as_str() != *id) {
                if mentions(value, &needed.outputs) {
                    open.push((other.clone(), format!("{by} cannot be read without it")));
                }
            }
        };
        let (fields, by) = match retention.final_snapshot {
            _ if retention.is_snapshot => {
                out.entry((*id).to_owned()).or_insert_with(|| Stays {
                    reason: "a snapshot of an earlier run".into(),
                    for_others: false,
                });
                (retention.read_with, format!("the snapshot {}", record.name))
            }
            Some(fields) if choice == Some(Choice::KeepSnapshot) => {
                (fields, format!("the final snapshot of {}", record.name))
            }
            _ => continue,
        };
        for field in fields {
            needs(live.spec.get(*field).unwrap_or(&Value::Null), &by);
        }
    }
    with_needs(&mut out, records, open, false);
    out
}

/// The records of `chosen` that stay because others need them, and what these need.
pub(super) fn for_others(
    records: &BTreeMap<String, Record>,
    chosen: &BTreeSet<&str>,
    users: &Users,
) -> BTreeMap<String, Stays> {
    let mut out = BTreeMap::new();
    let used = users.iter().filter(|(id, _)| chosen.contains(id.as_str()));
    let used = used.map(|(id, why)| (id.clone(), why.clone()));
    with_needs(&mut out, records, used.collect(), true);
    out
}

/// Why something stays, and whether others need it.
pub(super) struct Stays {
    pub(super) reason: String,
    pub(super) for_others: bool,
}

impl Stays {
    /// This thing, which stays.
    pub(super) fn kept(self, step: String, record: &Record) -> Kept {
        Kept {
            step,
            kind: record.kind.clone(),
            name: record.name.clone(),
            reason: self.reason,
            for_others: self.for_others,
        }
    }
}

/// Notes these, and all that they need.
fn with_needs(
    out: &mut BTreeMap<String, Stays>,
    records: &BTreeMap<String, Record>,
    mut open: Vec<(String, String)>,
    for_others: bool,
) {
    while let Some((id, reason)) = open.pop() {
        let Some(record) = records.get(&id) else {
            continue;
        };
        if let Entry::Vacant(free) = out.entry(id) {
            let why = format!("`{}` needs it", free.key());
            open.extend(record.needs.iter().map(|n| (n.clone(), why.clone())));
            free.insert(Stays { reason, for_others });
        }
    }
}

//! The one comparison of a step with what was read, for plan, apply, drift and rebuild.

use super::diff::{Change, diff, diff_tags};
use super::driver::{Live, Meta, Nature, Owner};
use crate::state::{Record, State};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What is wanted of a step, with the references resolved as far as they are known.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub step: &'a str,
    /// The struct.
    pub spec: &'a Value,
    pub tags: &'a BTreeMap<String, String>,
}

/// A field that someone else owns at run time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DelegatedField {
    pub step: String,
    pub field: String,
    /// Who owns it.
    pub owner: String,
    /// The value that was found.
    pub have: Value,
    /// Why the value is outside the owner's legal range, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub illegal: Option<String>,
}

/// Everything that differs in the fields and tags that we manage. Fields that belong to somebody else at run time and
/// fields that AWS never shows are left out.
pub fn changes(meta: &Meta, want: Wanted<'_>, live: &Live, ignored_tags: &[String]) -> Vec<Change> {
    let mut changes = diff(want.spec, &live.spec);
    changes.retain(|c| {
        let field = c.field();
        let theirs =
            meta.delegated.iter().any(|d| d.field == field) || meta.watched.contains(&field);
        !theirs && !meta.write_only.contains(&field)
    });
    if let (Some(have), true) = (live.tags(), meta.nature != Nature::SubResource) {
        changes.extend(diff_tags(want.tags, have, ignored_tags));
    }
    changes
}

/// How an entry begins that stands for things of others that could not be read. Nothing of ours depends on them.
pub const UNREAD: &str = "not read: ";

/// What others put into the thing: instances of a cluster, subnets of a VPC. It is theirs and stays.
pub fn strangers(meta: &Meta, live: &Live) -> Vec<Change> {
    let mut all = watched(meta, live);
    all.retain(|c| !is_unread(c));
    all
}

/// What others put into the thing and AWS deletes with it: listeners of a load balancer.
pub fn taken_along(meta: &Meta, live: &Live) -> Vec<Change> {
    let mut all = all_of(live);
    all.retain(|c| meta.takes_along.contains(&c.field()));
    all
}

/// What of it could not be read, and why.
pub fn unread(meta: &Meta, live: &Live) -> Vec<String> {
    let all = watched(meta, live).into_iter().filter(is_unread);
    all.filter_map(|c| c.entry().map(str::to_owned)).collect()
}

fn is_unread(change: &Change) -> bool {
    change.entry().is_some_and(|text| text.starts_with(UNREAD))
}

/// Everything that was found.
fn all_of(live: &Live) -> Vec<Change> {
    diff(&Value::Object(Default::default()), &live.spec)
}

fn watched(meta: &Meta, live: &Live) -> Vec<Change> {
    let mut all = all_of(live);
    all.retain(|c| meta.watched.contains(&c.field()));
    all
}

/// The fields that belong to somebody else at run time, each judged by its owner's legal range.
pub fn delegated(meta: &Meta, want: Wanted<'_>, live: &Live, state: &State) -> Vec<DelegatedField> {
    let field = |value: &Value, name: &str| value.get(name).cloned().unwrap_or_default();
    let judged = meta.delegated.iter().filter_map(|d| {
        let (wanted, found) = (field(want.spec, d.field), field(&live.spec, d.field));
        if wanted.is_null() && found.is_null() {
            // A thing of the type that has nothing to be delegated.
            return None;
        }
        let owner = Owner {
            wanted: &wanted,
            found: &found,
            record: d.record.and_then(|kind| owner_of(state, kind, want.step)),
        };
        let illegal = (d.legal)(&owner).err();
        Some(DelegatedField {
            step: want.step.to_owned(),
            field: d.field.to_owned(),
            owner: d.owner.to_owned(),
            have: found,
            illegal,
        })
    });
    judged.collect()
}

/// The record of the thing of this type that was made for the step: the scaling target of a service.
fn owner_of<'a>(state: &'a State, kind: &str, step: &str) -> Option<&'a Record> {
    let is_it = |r: &&Record| r.kind == kind && r.needs.iter().any(|n| n == step);
    state.steps.values().find(is_it)
}

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

/// True for what is there with its parent alone: nothing is set, and something is to be. Without a record it is as good as absent: a
/// parent that others share is there before it is made, and after it is gone.
pub fn is_unset(meta: &Meta, want: Wanted<'_>, live: &Live) -> bool {
    if meta.nature != Nature::SubResource || live.is_the_accounts() {
        return false;
    }
    let nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        _ => false,
    };
    let Some(fields) = live.spec.as_object() else {
        return false;
    };
    let mut fields = fields.iter();
    let bare = fields.all(|(name, value)| meta.fixed.contains(&name.as_str()) || nothing(value));
    let changes = changes(meta, want, live, &[]);
    bare && !changes.is_empty() && changes.iter().all(|c| c.have.is_none())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::driver::Phase;
    use crate::engine::ownership::Mark;
    use serde_json::json;

    #[test]
    fn only_a_part_of_which_nothing_is_there_is_unset() {
        let part = Meta {
            nature: Nature::SubResource,
            fixed: &["table"],
            ..Meta::plain("test/part")
        };
        let tags = BTreeMap::new();
        let unset = |meta: &Meta, want: Value, have: Value| {
            let live = Live {
                spec: have,
                mark: Mark::Parent,
                outputs: json!({"id": "t"}),
                phase: Phase::Ready,
            };
            let want = Wanted {
                step: "part",
                spec: &want,
                tags: &tags,
            };
            is_unset(meta, want, &live)
        };
        let routes = || json!({"table": "t", "routes": {"a": 1, "b": 2}});
        let of = |have: Value| unset(&part, routes(), have);
        assert!(of(json!({"table": "t", "routes": {}})));
        assert!(of(json!({"table": "t"})));
        assert!(!of(routes()));
        // One of them is there, with this or another value, or something else is.
        assert!(!of(json!({"table": "t", "routes": {"a": 1}})));
        assert!(!of(json!({"table": "t", "routes": {"a": 3}})));
        assert!(!of(json!({"table": "t", "routes": {"c": 1}})));
        assert!(!of(json!({"table": "other", "routes": {}})));
        let links = |links: Value| json!({"table": "t", "links": links});
        assert!(unset(&part, links(json!(["@{x.id}"])), links(json!([]))));
        assert!(!unset(&part, links(json!(["x", "y"])), links(json!(["x"]))));
        assert!(!unset(&part, links(json!([])), links(json!([]))));
        let own = Meta::plain("test/thing");
        assert!(!unset(&own, routes(), json!({"table": "t"})));
    }
}

//! Facts about a resource type that the engine plans with: constants of the type, which no read changes.

use super::diff::Change;
use super::error::Error;
use serde_json::Value;

/// How a thing comes into existence and is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Carries our tags (or a name that only we can own) and is found by them: a VPC, a bucket, a role.
    Tagged,
    /// Has an existence of its own but no tags; found through its parent: a TGW association, a key's alias.
    ByParent,
    /// Exists exactly when its parent exists: the rules of a group, the routes of a table. Creating it is setting it,
    /// deleting it is resetting it.
    SubResource,
}

/// A field that another actor owns at run time. `apply` never fights it; `drift` checks the legal range.
#[derive(Debug, Clone, Copy)]
pub struct Delegated {
    /// The field of the struct.
    pub field: &'static str,
    /// Who owns the value at run time.
    pub owner: &'static str,
    /// The type of the step that sets the owner's range and refers to this one, such as the scaling target of a service.
    pub record: Option<&'static str>,
    /// Says why a value is outside the owner's legal range.
    pub legal: fn(&Owner<'_>) -> Result<(), String>,
}

/// What the legal range of a delegated field is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The value in the blueprint.
    pub wanted: &'a Value,
    /// The value that was found.
    pub found: &'a Value,
    /// What is recorded of the step that sets the range, when there is one.
    pub record: Option<&'a crate::state::Record>,
}

/// What comes first when a thing is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// The old one goes first: its name or its place can be taken once only.
    DeleteFirst,
    /// The new one comes first: AWS refuses to delete one that is in use.
    CreateFirst,
}

/// How the data of a resource type is protected and kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// The boolean field that protects it from deletion, if the type has one.
    pub protection: Option<&'static str>,
    /// Set for a type that can leave a final snapshot: the fields whose references the snapshot needs (its key).
    pub final_snapshot: Option<&'static [&'static str]>,
    /// True for what a final snapshot is itself: it is deleted by `destroy --destroy-data` alone.
    pub is_snapshot: bool,
    /// The fields of a final snapshot whose references it cannot be read without. What else it names may have gone long ago.
    pub read_with: &'static [&'static str],
}

impl Retention {
    /// Neither protected nor kept.
    pub const NONE: Self = Self {
        protection: None,
        final_snapshot: None,
        is_snapshot: false,
        read_with: &[],
    };
}

/// A change in place that cannot be taken back: it takes the user's word, and the way back is refused.
#[derive(Debug, Clone, Copy)]
pub struct Upgrade {
    /// The field that says so when it differs.
    pub field: &'static str,
    /// Fields whose change is a part of it: what they interrupt by themselves does not count.
    pub with: &'static [&'static str],
    /// What it does, and what to test first, from the struct that was found and the desired one.
    pub judge: fn(found: &Value, wanted: &Value) -> Result<Vec<String>, Error>,
}

/// What a thing is while those that use it change: the desired struct, and what is recorded and found of what that takes away.
pub type Between = fn(recorded: &Value, found: &Value, wanted: &Value) -> Value;

/// An output that an update changes, and the fields by whose change; by that of any when none is named.
pub type Changing = (&'static str, &'static [&'static str]);

/// An output that follows from the struct alone, and how; `None` when the struct gives none.
pub type Derived = (&'static str, fn(&Value) -> Option<Value>);

/// Facts about a resource type that the engine plans with.
#[derive(Debug, Clone)]
pub struct Meta {
    /// The type, `service/thing`.
    pub kind: &'static str,
    /// What its search for marked things covers: the type, or everything of its service that has tags, also when it is gone.
    pub listing: &'static str,
    /// How it exists.
    pub nature: Nature,
    /// Its name or id reaches beyond one region (roles, bucket names).
    pub global: bool,
    /// Typical seconds from the create call until it is ready.
    pub create_seconds: f64,
    /// Typical seconds from the delete call until it is gone.
    pub delete_seconds: f64,
    /// Fields that AWS cannot change in place.
    pub fixed: &'static [&'static str],
    /// Outputs that an update changes: what refers to them is known after the update only.
    pub changing: &'static [Changing],
    /// The output that is known before the update, although it changes with it.
    pub derived: Option<Derived>,
    /// Its outputs follow from its name ([`crate::engine::Kind::KNOWN_BY_NAME`]).
    pub known_by_name: bool,
    /// Fields with what it stands in: AWS does not delete that while this is there, so it goes too where that is replaced.
    pub stands_in: &'static [&'static str],
    /// Fields that show what others put into the thing and AWS deletes with it.
    pub takes_along: &'static [&'static str],
    /// The order of a replacement.
    pub replace: Replace,
    /// Databases, tables, buckets, keys: never deleted or replaced without the user's explicit choice.
    pub holds_data: bool,
    /// How its data is protected, and what a final snapshot of it needs.
    pub retention: Retention,
    /// The change in place that cannot be taken back, if there is one.
    pub upgrade: Option<Upgrade>,
    /// Fields whose change interrupts service, each with what happens and for how long.
    pub interrupts: &'static [(&'static str, &'static str)],
    /// What its removal interrupts while what it is part of stays, and for how long.
    pub gone: Option<&'static str>,
    /// Settings that say how long or how much data is kept, each with what AWS deletes by itself when that becomes less.
    pub expires: &'static [(&'static str, &'static str)],
    /// Set for what allows its dependents something.
    pub between: Option<Between>,
    /// Fields that AWS never shows: not compared.
    pub write_only: &'static [&'static str],
    /// Fields that show what others put into the thing: reported by drift and before a removal, and never touched.
    pub watched: &'static [&'static str],
    /// Fields owned by someone else at run time.
    pub delegated: &'static [Delegated],
}

impl Meta {
    /// A tagged type about which there is nothing to say: where an engine's test or a figure starts from.
    pub const fn plain(kind: &'static str) -> Self {
        Self {
            kind,
            listing: kind,
            nature: Nature::Tagged,
            global: false,
            create_seconds: 1.0,
            delete_seconds: 1.0,
            fixed: &[],
            changing: &[],
            derived: None,
            known_by_name: false,
            stands_in: &[],
            takes_along: &[],
            replace: Replace::DeleteFirst,
            holds_data: false,
            retention: Retention::NONE,
            upgrade: None,
            interrupts: &[],
            gone: None,
            expires: &[],
            between: None,
            write_only: &[],
            watched: &[],
            delegated: &[],
        }
    }

    /// True when an update that makes these changes changes this output.
    pub fn renews(&self, output: &str, changes: &[Change]) -> bool {
        let by = |fields: &[&str]| {
            let mut changes = changes.iter();
            fields.is_empty() || changes.any(|c| fields.contains(&c.field()))
        };
        let mut changing = self.changing.iter();
        changing.any(|(name, fields)| *name == output && by(fields))
    }

    /// True when an update that makes these changes changes any output.
    pub fn renews_any(&self, changes: &[Change]) -> bool {
        let mut changing = self.changing.iter();
        changing.any(|(name, _)| self.renews(name, changes))
    }
}

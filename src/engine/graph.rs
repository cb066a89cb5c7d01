//! The graph of what is to exist: steps with their desired JSON, and edges that come from references alone.

mod builder;

pub use builder::Builder;

use super::driver::Identity;
use super::reference::Strength;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// What a name of this type may look like on AWS.
#[derive(Debug, Clone, Copy)]
pub struct NameRule {
    /// Shortest legal length.
    pub min: usize,
    /// Longest legal length.
    pub max: usize,
    /// Which characters are legal.
    pub legal: fn(char) -> bool,
    /// The charset in words, for the error.
    pub charset: &'static str,
}

/// Names that are only a `Name` tag: 256 characters of nearly anything.
pub const TAG_NAME: NameRule = NameRule {
    min: 1,
    max: 256,
    legal: |c| !c.is_control(),
    charset: "printable characters",
};

/// What the graph needs to know of a type of resource.
pub trait Kind: Serialize {
    /// The type, `service/thing`.
    const TYPE: &'static str;
    /// The rule for its names.
    const NAME: NameRule = TAG_NAME;
    /// Fields whose values are part of the name, as four hex digits behind the suffix. For a type whose replacement must
    /// stand beside what it replaces: a name of AWS can be there once only.
    const NAMED_BY: &'static [&'static str] = &[];
    /// Its outputs follow from its name: made again, it has the same, and what refers to it need not change.
    const KNOWN_BY_NAME: bool = false;
    /// What is known of a thing of this type once it exists: ids, ARNs, endpoints; never a secret. The handle of a step
    /// is this struct, filled with references. One that has the name of a field repeats the field: it is known when the thing
    /// is planned, so what refers to it need not change because the thing is made again.
    type Outputs: DeserializeOwned + Default;
}

/// The one scope that the engine knows by name: of what belongs to no other alone. It goes with the last of those that need it.
pub const SHARED: &str = "shared";

/// The head of a step: everything but the struct itself.
#[derive(Debug, Clone, PartialEq)]
pub struct StepMeta {
    /// Unique id, e.g. `queue-orders-green`.
    pub id: String,
    /// A scope that the blueprint names, or [`SHARED`].
    pub scope: String,
    /// The name in AWS.
    pub name: String,
    /// All tags, the ownership mark among them.
    pub tags: BTreeMap<String, String>,
}

/// One thing that is to exist.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Unique id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// A scope that the blueprint names, or [`SHARED`].
    pub scope: String,
    /// The name in AWS.
    pub name: String,
    pub tags: BTreeMap<String, String>,
    /// The desired struct, with placeholders.
    pub spec: Value,
    /// Another scope that it needs. A run of its own scope alone neither makes that scope nor waits for it: the step is
    /// made once the other scope is there, and removed first when that scope goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_scope: Option<String>,
    /// What somebody has to do before it can be made, in a word: until then it and what needs it wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// Edges: position of the step it needs, and how strongly.
    #[serde(skip)]
    pub needs: Vec<(usize, Strength)>,
}

impl Step {
    /// What the step's own thing is found by.
    pub fn identity(&self) -> Identity {
        Identity {
            step: self.id.clone(),
            name: self.name.clone(),
            tags: self.tags.clone(),
            token: String::new(),
        }
    }

    /// The ids of the steps it needs.
    pub fn needs(&self, graph: &Graph) -> Vec<String> {
        let ids = self.needs.iter().map(|(to, _)| graph.steps[*to].id.clone());
        ids.collect()
    }
}

/// A finished, checked graph. Steps are in an order in which every step comes after what it needs.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    pub steps: Vec<Step>,
    index: HashMap<String, usize>,
    /// Named values for the user, with placeholders.
    pub outputs: BTreeMap<String, Value>,
}

/// Why a graph cannot be built.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum GraphError {
    /// Two steps with one id.
    #[error("two steps are called `{0}`")]
    Duplicate(String),
    /// A reference to a step that is not in the graph.
    #[error("step `{from}` refers to `{to}`, which is not in the graph")]
    Unknown {
        /// The step with the reference.
        from: String,
        /// What it refers to.
        to: String,
    },
    /// Steps that need each other.
    #[error("steps need each other: {}", .0.join(" -> "))]
    Cycle(Vec<String>),
    /// A name that AWS refuses.
    #[error("the name `{name}` of step `{step}` is not legal: {rule}")]
    Name {
        step: String,
        name: String,
        /// What is legal.
        rule: String,
    },
    /// A struct that cannot be serialized.
    #[error("step `{step}` cannot be written as JSON: {why}")]
    Json {
        step: String,
        /// The serializer's message.
        why: String,
    },
}

impl Graph {
    /// The position of a step.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    pub fn get(&self, id: &str) -> Option<&Step> {
        self.position(id).map(|at| &self.steps[at])
    }

    /// The steps of a scope and all that they need; everything without a scope.
    pub fn select(&self, scope: Option<&str>) -> Vec<bool> {
        let mut chosen: Vec<bool> = self
            .steps
            .iter()
            .map(|s| scope.is_none_or(|e| s.scope == e))
            .collect();
        for at in (0..self.steps.len()).rev().filter(|_| scope.is_some()) {
            if chosen[at] {
                let other = self.steps[at].other_scope.as_ref();
                for (to, _) in &self.steps[at].needs {
                    chosen[*to] |= other.is_none_or(|o| self.steps[*to].scope != *o);
                }
            }
        }
        chosen
    }

    /// What must be read for the chosen steps: they, and the steps of another scope that they refer to.
    pub fn read_for(&self, chosen: &[bool]) -> Vec<bool> {
        let mut read = chosen.to_vec();
        for (_, step) in self.steps.iter().enumerate().filter(|(at, _)| chosen[*at]) {
            step.needs.iter().for_each(|(to, _)| read[*to] = true);
        }
        read
    }

    /// The steps that go with another scope: they need it, or a step of their own scope that does.
    pub fn joining(&self, scope: &str) -> Vec<bool> {
        let mut out = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let own = step.needs.iter().map(|(to, _)| *to);
            let mut own = own.filter(|to| self.steps[*to].scope == step.scope);
            let joins = step.other_scope.as_deref() == Some(scope) || own.any(|to| out[to]);
            out.push(joins);
        }
        out
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Serialize)]
    #[serde(transparent)]
    pub struct Any(pub Value);
    impl Kind for Any {
        const TYPE: &'static str = "test/any";
        type Outputs = ();
    }

    pub fn head(id: &str, scope: &str) -> StepMeta {
        StepMeta {
            id: id.into(),
            scope: scope.into(),
            name: id.into(),
            tags: BTreeMap::new(),
        }
    }

    #[test]
    fn steps_come_after_what_they_need_and_scopes_pull_in_their_needs() {
        let mut b = Builder::new();
        b.add(head("route", "green"), Any(json!({"tgw": "@{tgw.id!}"})));
        b.add(head("tgw", "shared"), Any(json!({})));
        b.add(head("lone", "blue"), Any(json!({})));
        let graph = b.build().unwrap();
        assert!(graph.position("tgw") < graph.position("route"));
        let chosen = graph.select(Some("green"));
        let ids: Vec<_> = graph
            .steps
            .iter()
            .zip(chosen)
            .filter(|(_, c)| *c)
            .map(|(s, _)| s.id.as_str())
            .collect();
        assert_eq!(ids, ["tgw", "route"]);
    }
}

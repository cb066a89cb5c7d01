//! The graph of what is to exist: steps with their desired JSON, and edges that come from references alone.

use super::handle::Handle;
use super::observe::{Observations, Observed};
use super::order::topological;
use super::reference::{Strength, edges};
use crate::state::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
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
    /// What is known of a thing of this type once it exists: ids, ARNs, endpoints; never a secret. The handle of a step
    /// is this struct, filled with references. One that has the name of a field repeats the field: it is known when the thing
    /// is planned, so what refers to it need not change because the thing is made again.
    type Outputs: DeserializeOwned + Default;
}

/// The head of a step: everything but the struct itself.
#[derive(Debug, Clone, PartialEq)]
pub struct StepMeta {
    /// Unique id, e.g. `subnet-app-a-green`.
    pub id: String,
    /// `blue`, `green` or `shared`.
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
    /// `blue`, `green` or `shared`.
    pub scope: String,
    /// The name in AWS.
    pub name: String,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// The desired struct, with placeholders.
    pub spec: Value,
    /// Another scope that it needs. A run of its own scope alone neither makes that scope nor waits for it: the step is
    /// made once the other scope is there, and removed first when that scope goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_scope: Option<String>,
    /// Edges: position of the step it needs, and how strongly.
    #[serde(skip)]
    pub needs: Vec<(usize, Strength)>,
}

impl Step {
    /// The ids of the steps it needs.
    pub fn needs(&self, graph: &Graph) -> Vec<String> {
        let ids = self.needs.iter().map(|(to, _)| graph.steps[*to].id.clone());
        ids.collect()
    }
}

/// A finished, checked graph. Steps are in an order in which every step comes after what it needs.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// The steps.
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
        /// The step.
        step: String,
        /// Its name.
        name: String,
        /// What is legal.
        rule: String,
    },
    /// A struct that cannot be serialized.
    #[error("step `{step}` cannot be written as JSON: {why}")]
    Json {
        /// The step.
        step: String,
        /// The serializer's message.
        why: String,
    },
}

/// Collects steps. Errors are kept and given by `build`, so that a blueprint reads as a declaration.
#[derive(Default)]
pub struct Builder {
    steps: Vec<Step>,
    errors: Vec<GraphError>,
    outputs: BTreeMap<String, Value>,
}

impl Builder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step.
    pub fn add<R: Kind>(&mut self, mut head: StepMeta, spec: R) -> Handle<R> {
        let spec = serde_json::to_value(spec).unwrap_or_else(|e| {
            self.errors.push(GraphError::Json {
                step: head.id.clone(),
                why: e.to_string(),
            });
            Value::Null
        });
        head.name.push_str(&name_part(R::NAMED_BY, &spec));
        let rule = R::NAME;
        let length = head.name.chars().count();
        if length < rule.min || length > rule.max || !head.name.chars().all(rule.legal) {
            let rule = format!(
                "{} to {} characters, {} (it has {length})",
                rule.min, rule.max, rule.charset
            );
            self.errors.push(GraphError::Name {
                step: head.id.clone(),
                name: head.name.clone(),
                rule,
            });
        }
        let handle = Handle::new(&head.id).unwrap_or_else(|e| {
            self.errors.push(GraphError::Json {
                step: head.id.clone(),
                why: e.to_string(),
            });
            Handle::default()
        });
        let StepMeta {
            id: step,
            scope,
            name,
            tags,
        } = head;
        self.steps.push(Step {
            id: step,
            kind: R::TYPE.to_owned(),
            scope,
            name,
            tags,
            spec,
            other_scope: None,
            needs: Vec::new(),
        });
        handle
    }

    /// Says that the step that was added last needs another scope: see [`Step::other_scope`].
    pub fn needs_scope(&mut self, scope: &str) {
        if let Some(step) = self.steps.last_mut() {
            step.other_scope = Some(scope.to_owned());
        }
    }

    /// Names a value for `deployer outputs`; it may hold references.
    pub fn output(&mut self, name: impl Into<String>, value: impl Serialize) {
        self.outputs.insert(
            name.into(),
            serde_json::to_value(value).unwrap_or(Value::Null),
        );
    }

    /// Checks everything and gives the graph in dependency order.
    pub fn build(mut self) -> Result<Graph, GraphError> {
        if !self.errors.is_empty() {
            return Err(self.errors.swap_remove(0));
        }
        let mut index = HashMap::with_capacity(self.steps.len());
        for (at, step) in self.steps.iter().enumerate() {
            if index.insert(step.id.clone(), at).is_some() {
                return Err(GraphError::Duplicate(step.id.clone()));
            }
        }
        for step in &mut self.steps {
            for (to, strength) in edges(&step.spec) {
                let at = *index.get(&to).ok_or_else(|| GraphError::Unknown {
                    from: step.id.clone(),
                    to: to.clone(),
                })?;
                step.needs.push((at, strength));
            }
        }
        let needs: Vec<Vec<usize>> = self
            .steps
            .iter()
            .map(|s| s.needs.iter().map(|(to, _)| *to).collect())
            .collect();
        let order = topological(&needs).map_err(|cycle| {
            GraphError::Cycle(cycle.iter().map(|at| self.steps[*at].id.clone()).collect())
        })?;
        let mut place = vec![0; order.len()];
        order
            .iter()
            .enumerate()
            .for_each(|(new, old)| place[*old] = new);
        let mut slots: Vec<Option<Step>> = self.steps.into_iter().map(Some).collect();
        let mut steps: Vec<Step> = order.iter().filter_map(|old| slots[*old].take()).collect();
        for step in &mut steps {
            step.needs.iter_mut().for_each(|(at, _)| *at = place[*at]);
        }
        let index = steps
            .iter()
            .enumerate()
            .map(|(at, s)| (s.id.clone(), at))
            .collect();
        Ok(Graph {
            steps,
            index,
            outputs: self.outputs,
        })
    }
}

/// `-1f3a`, from the values of these fields; nothing when there are none.
fn name_part(fields: &[&str], spec: &Value) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let mut hash = Sha256::new();
    for field in fields {
        hash.update(spec.get(field).unwrap_or(&Value::Null).to_string());
    }
    let digest = hash.finalize();
    format!("-{:02x}{:02x}", digest[0], digest[1])
}

impl Graph {
    /// The position of a step.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// The step with this id.
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

    /// The other scope that a step waits for: it refers to steps there that are not chosen, and that are neither recorded
    /// nor found.
    pub fn waits_for(
        &self,
        at: usize,
        chosen: &[bool],
        seen: &Observations,
        state: &State,
    ) -> Option<&str> {
        let known = |id: &str| {
            let found = seen.get(id).and_then(Observed::live);
            found.is_some() || state.outputs(id).is_some()
        };
        let missing = |to: &usize| !chosen[*to] && !known(&self.steps[*to].id);
        let waits = self.steps[at].needs.iter().any(|(to, _)| missing(to));
        self.steps[at].other_scope.as_deref().filter(|_| waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Serialize)]
    #[serde(transparent)]
    struct Any(Value);
    impl Kind for Any {
        const TYPE: &'static str = "test/any";
        type Outputs = ();
    }

    fn head(id: &str, scope: &str) -> StepMeta {
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

    #[test]
    fn a_cycle_is_printed_whole() {
        let mut b = Builder::new();
        b.add(head("a", "x"), Any(json!("@{b.id}")));
        b.add(head("b", "x"), Any(json!("@{c.id}")));
        b.add(head("c", "x"), Any(json!("@{a.id}")));
        assert_eq!(
            b.build().unwrap_err().to_string(),
            "steps need each other: a -> b -> c -> a"
        );
    }

    #[test]
    fn duplicates_unknown_references_and_illegal_names_are_errors() {
        let mut b = Builder::new();
        b.add(head("a", "x"), Any(json!(1)));
        b.add(head("a", "x"), Any(json!(1)));
        assert_eq!(b.build().unwrap_err(), GraphError::Duplicate("a".into()));
        let mut b = Builder::new();
        b.add(head("a", "x"), Any(json!("@{nope.id}")));
        assert!(matches!(b.build().unwrap_err(), GraphError::Unknown { .. }));
        let mut b = Builder::new();
        b.add(
            StepMeta {
                name: "x".repeat(300),
                ..head("a", "x")
            },
            Any(json!(1)),
        );
        assert!(matches!(b.build().unwrap_err(), GraphError::Name { .. }));
    }
}

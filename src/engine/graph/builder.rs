//! From declared steps to a checked graph.

use super::{Graph, GraphError, Kind, Step, StepMeta};
use crate::engine::handle::Handle;
use crate::engine::order::topological;
use crate::engine::reference::edges;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

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
            held: None,
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

    /// Says that the step that was added last is held: see [`Step::held`].
    pub fn hold(&mut self, reason: &str) {
        if let Some(step) = self.steps.last_mut() {
            step.held = Some(reason.to_owned());
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

#[cfg(test)]
mod tests {
    use super::super::tests::{Any, head};
    use super::*;
    use serde_json::json;

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

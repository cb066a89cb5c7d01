//! One check of the table: a field of every thing of a type, against what is wanted.

use super::{Seen, Verdict};
use crate::blueprint::reachability::within;
use crate::engine::Reads;
use crate::engine::observe::{Observations, Observed};
use crate::state::State;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A check, as the table says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    kind: String,
    field: String,
    operation: String,
    shows: String,
    /// Its value is the names of the entries alone: what stands behind them may be secret.
    #[serde(default)]
    names: bool,
    only: Option<String>,
    #[serde(default)]
    but: Vec<String>,
    is: Option<Value>,
    is_not: Option<Vec<Value>>,
    at_most: Option<f64>,
    at_least: Option<f64>,
    has: Option<String>,
    has_not: Option<String>,
    starts: Option<String>,
    /// Ports that no entry of a network ACL lets anybody reach from anywhere.
    #[serde(default)]
    closed: Vec<u16>,
    #[serde(default)]
    full: bool,
    #[serde(default)]
    empty: bool,
}

impl Check {
    /// The values of all recorded things of the type. None there is one value that was not seen.
    pub fn values(&self, state: &State, seen: &Observations, reads: &Reads) -> Vec<Seen> {
        let mut out = Vec::new();
        for (step, record) in state.steps.iter().filter(|(s, r)| self.means(s, &r.kind)) {
            match seen.get(step) {
                Some(Observed::Found(live)) => {
                    let resource = resource(&live.outputs).unwrap_or(&record.name);
                    let found = pick(&live.spec, &self.field);
                    // A list of nothing has nothing that could be wrong.
                    for value in found {
                        let value = self.shown(value);
                        let verdict = Verdict::of(self.holds(&value));
                        out.push(Seen {
                            value,
                            verdict,
                            read: reads.at(step),
                            ..self.seen(step, resource)
                        });
                    }
                }
                other => {
                    let why = match other {
                        Some(Observed::Absent) => "it is not there".to_owned(),
                        Some(Observed::Foreign(_, error) | Observed::Unreadable(error)) => {
                            error.to_string()
                        }
                        _ => "it was not read".to_owned(),
                    };
                    let resource = resource(&record.outputs).unwrap_or(&record.name);
                    out.push(Seen {
                        why: Some(why),
                        read: reads.at(step),
                        ..self.seen(step, resource)
                    });
                }
            }
        }
        if out.is_empty() {
            out.push(Seen {
                why: Some(format!("nothing of the type {} is recorded", self.kind)),
                ..self.seen("", "")
            });
        }
        out
    }

    fn shown(&self, value: &Value) -> Value {
        match value {
            Value::Object(map) if self.names => map.keys().cloned().collect(),
            other => other.clone(),
        }
    }

    /// True for a thing that this check is about.
    pub fn means(&self, step: &str, kind: &str) -> bool {
        kind == self.kind
            && self
                .only
                .as_ref()
                .is_none_or(|o| step.starts_with(o.as_str()))
            && self.but.iter().all(|b| !step.contains(b.as_str()))
    }

    fn seen(&self, step: &str, resource: &str) -> Seen {
        Seen {
            step: step.to_owned(),
            resource: resource.to_owned(),
            operation: self.operation.clone(),
            field: self.shows.clone(),
            value: Value::Null,
            wanted: self.wanted(),
            verdict: Verdict::NotSeen,
            read: None,
            why: None,
        }
    }

    /// How many things it asks: exactly one, which a test makes sure of.
    #[cfg(test)]
    pub fn asks(&self) -> usize {
        let some = [
            self.is.is_some(),
            self.is_not.is_some(),
            self.at_most.is_some(),
            self.at_least.is_some(),
            self.has.is_some(),
            self.has_not.is_some(),
            self.starts.is_some(),
            !self.closed.is_empty(),
            self.full,
            self.empty,
        ];
        some.into_iter().filter(|s| *s).count()
    }

    fn holds(&self, value: &Value) -> bool {
        let text = || match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if let Some(wanted) = &self.is {
            value == wanted
        } else if let Some(list) = &self.is_not {
            !value.is_null() && !list.contains(value)
        } else if let Some(most) = self.at_most {
            value.as_f64().is_some_and(|n| n <= most)
        } else if let Some(least) = self.at_least {
            value.as_f64().is_some_and(|n| n >= least)
        } else if let Some(part) = &self.has {
            text().contains(part.as_str())
        } else if let Some(part) = &self.has_not {
            !text().contains(part.as_str())
        } else if let Some(head) = &self.starts {
            text().starts_with(head.as_str())
        } else if !self.closed.is_empty() {
            value.is_object() && !self.closed.iter().any(|port| lets_in(value, *port))
        } else if self.empty {
            is_empty(value)
        } else {
            self.full && !is_empty(value)
        }
    }

    fn wanted(&self) -> String {
        if let Some(wanted) = &self.is {
            format!("{wanted}")
        } else if let Some(list) = &self.is_not {
            let list: Vec<String> = list.iter().map(ToString::to_string).collect();
            format!("none of {}", list.join(", "))
        } else if let Some(most) = self.at_most {
            format!("at most {most}")
        } else if let Some(least) = self.at_least {
            format!("at least {least}")
        } else if let Some(part) = &self.has {
            format!("has `{part}`")
        } else if let Some(part) = &self.has_not {
            format!("has no `{part}`")
        } else if let Some(head) = &self.starts {
            format!("begins with `{head}`")
        } else if !self.closed.is_empty() {
            let ports: Vec<String> = self.closed.iter().map(u16::to_string).collect();
            format!("no entry allows port {} from anywhere", ports.join(" or "))
        } else if self.empty {
            "empty".to_owned()
        } else {
            "set".to_owned()
        }
    }
}

/// True when an entry of a network ACL lets packets from anywhere reach the port. What stands before it does not count: auditors
/// judge each entry by itself ("EC2.21" of Security Hub, "nacl-no-unrestricted-ssh-rdp" of AWS Config).
fn lets_in(entries: &Value, port: u16) -> bool {
    let mut entries = entries.as_object().into_iter().flat_map(Map::values);
    entries.any(|entry| {
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        let reached = match text("protocol") {
            "all" => true,
            "tcp" | "udp" => text("ports").is_empty() || within(text("ports"), port),
            _ => false,
        };
        let anywhere = matches!(text("cidr"), "0.0.0.0/0" | "::/0");
        text("action") == "allow" && anywhere && reached
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// What a path like `/containers/*/image` leads to. A missing last part is null.
pub fn pick<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![value];
    for part in path.split('/').skip(1) {
        let mut next = Vec::new();
        for value in found {
            match (part, value) {
                ("*", Value::Object(map)) => next.extend(map.values()),
                ("*", Value::Array(items)) => next.extend(items),
                ("*", _) => {}
                _ => next.push(value.get(part).unwrap_or(&Value::Null)),
            }
        }
        found = next;
    }
    found
}

/// The ARN of a thing, else its id or name.
pub fn resource(outputs: &Value) -> Option<&str> {
    let text = |key: &str| outputs.get(key).and_then(Value::as_str);
    ["arn", "id", "name"].into_iter().find_map(text)
}

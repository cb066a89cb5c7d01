//! What the state file holds. The types have no place for a secret: inputs are the structs of resource types (none of
//! which has a password field) and outputs are ids, ARNs and endpoints.

use super::Stage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version of the file's format that this program writes. Version 1 had no `facts`; it is read and carried over.
pub const VERSION: u32 = 2;

/// What is recorded of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The resource type.
    pub kind: String,
    /// `blue`, `green` or `shared`.
    pub scope: String,
    /// The name in AWS.
    pub name: String,
    /// Where it stands.
    pub stage: Stage,
    /// Idempotency token of this generation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// The tags that it was made with.
    pub tags: BTreeMap<String, String>,
    /// The struct as it was sent, references resolved.
    pub inputs: Value,
    /// Ids, ARNs, endpoints; `null` until known.
    #[serde(default)]
    pub outputs: Value,
    /// The steps it needed, so that it is destroyed in order even after it is no longer in the blueprint.
    pub needs: Vec<String>,
    /// When this record was last written.
    pub at: Timestamp,
}

/// Measured seconds of a resource type; replaces the shipped typical durations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// From the create call until ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<f64>,
    /// From the delete call until gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<f64>,
}

/// The whole state of one deployment (one suffix in one account and region).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The format's version.
    pub version: u32,
    /// Grows by one with every whole write.
    pub serial: u64,
    /// The environment suffix.
    pub suffix: String,
    /// The AWS account id; empty until the first run that met AWS.
    pub account: String,
    /// The AWS region.
    pub region: String,
    /// What the last run knew of the account and the region before it made its graph (zones, address lists), so that
    /// commands without AWS make the same graph; `null` until then.
    #[serde(default)]
    pub facts: Value,
    /// The recorded steps.
    pub steps: BTreeMap<String, Record>,
    /// Measured durations per resource type, in seconds.
    #[serde(default)]
    pub timings: BTreeMap<String, Timing>,
}

impl State {
    /// A state with nothing in it.
    pub fn empty(suffix: &str, region: &str) -> Self {
        Self {
            version: VERSION,
            serial: 0,
            suffix: suffix.to_owned(),
            account: String::new(),
            region: region.to_owned(),
            facts: Value::Null,
            steps: BTreeMap::new(),
            timings: BTreeMap::new(),
        }
    }

    /// The recorded outputs of a step, once they are known.
    pub fn outputs(&self, step: &str) -> Option<&Value> {
        self.steps
            .get(step)
            .map(|r| &r.outputs)
            .filter(|o| !o.is_null())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    /// Every field of the format, so that a new one cannot be forgotten here: the literals name all of them.
    pub fn whole() -> State {
        let record = Record {
            kind: "ec2/vpc".into(),
            scope: "green".into(),
            name: "vpc-green-dev".into(),
            stage: Stage::Ready,
            token: "t".into(),
            tags: BTreeMap::from([("k".into(), "v".into())]),
            inputs: json!(null),
            outputs: json!(null),
            needs: vec!["other".into()],
            at: Timestamp::UNIX_EPOCH,
        };
        let timing = Timing {
            create: Some(1.0),
            delete: Some(1.0),
        };
        State {
            version: VERSION,
            serial: 1,
            suffix: "dev".into(),
            account: "123456789012".into(),
            region: "eu-central-1".into(),
            facts: json!(null),
            steps: BTreeMap::from([("*".into(), record)]),
            timings: BTreeMap::from([("*".into(), timing)]),
        }
    }

    /// Paths of all values with their types; keys of maps are `*`.
    fn shape(at: &str, value: &Value, out: &mut BTreeSet<String>) {
        let kind = match value {
            Value::Null => "any",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(items) => {
                items.iter().for_each(|i| shape(&format!("{at}[]"), i, out));
                return;
            }
            Value::Object(map) => {
                map.iter()
                    .for_each(|(k, v)| shape(&format!("{at}.{k}"), v, out));
                return;
            }
        };
        out.insert(format!("{at}: {kind}"));
    }

    /// Compares the shape of what is written with the one of its version, `shapes/{version}.txt`. An older program takes a field
    /// that it does not know for damage. So another shape is another version: write the file again only together with a new number.
    pub fn has_the_shape_of(version: &str, written: &[Value]) {
        let mut lines = BTreeSet::new();
        written.iter().for_each(|v| shape("", v, &mut lines));
        for stage in Stage::ALL {
            lines.insert(format!("stage {}", json!(stage)));
        }
        let now: String = lines.iter().map(|l| format!("{l}\n")).collect();
        let path = format!(
            "{}/src/state/shapes/{version}.txt",
            env!("CARGO_MANIFEST_DIR")
        );
        let then = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(now, then, "{path}");
    }

    #[test]
    fn the_shape_of_a_version_never_changes() {
        let written = serde_json::to_value(whole()).unwrap();
        has_the_shape_of(&VERSION.to_string(), &[written]);
    }
}

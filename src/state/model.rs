//! What the state file holds. The types have no place for a secret: inputs are the structs of resource types (none of
//! which has a password field) and outputs are ids, ARNs and endpoints.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version of the file's format that this program writes.
pub const VERSION: u32 = 1;

/// Where a recorded resource stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The intent: a create call is about to leave or has left, its answer is not recorded.
    Creating,
    /// It exists, its outputs are known; it may still be settling or lack settings.
    Created,
    /// It was seen ready with every setting in place.
    Ready,
    /// A delete call is about to leave or has left.
    Deleting,
}

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
    /// The steps it needed, so that it is destroyed in order even after it left the blueprint.
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

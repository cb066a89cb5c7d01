//! The things of this deployment, of the blueprint and of what is recorded. A name that only looks like one of theirs may be
//! anybody's: whoever lists what others hang on our things compares with these.

use serde_json::Value;

/// A thing of this deployment, which need not be there yet.
pub struct OwnThing {
    /// Its type.
    pub kind: String,
    /// Its step.
    pub step: String,
    /// Its name in AWS.
    pub name: String,
    /// Its settings; a reference to another one's name is that name.
    pub spec: Value,
    /// What is recorded of it; `null` for a thing of the blueprint.
    pub outputs: Value,
}

impl OwnThing {
    /// True when a setting or what is recorded under this name is this text.
    pub fn has(&self, field: &str, text: &str) -> bool {
        self.spec[field] == text || self.outputs[field] == text
    }
}

/// All of them.
#[derive(Default)]
pub struct Own(Vec<OwnThing>);

impl Own {
    /// True when one of them is the one that is looked for.
    pub fn any(&self, is_it: impl FnMut(&OwnThing) -> bool) -> bool {
        self.0.iter().any(is_it)
    }
}

impl FromIterator<OwnThing> for Own {
    fn from_iter<I: IntoIterator<Item = OwnThing>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

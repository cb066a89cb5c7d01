//! Tags, and patterns of their keys.

use super::text;
use crate::config::Config;
use crate::config::parse::{Checked, Given, refused};
use crate::engine::ownership::{MARK_DEPLOYMENT, MARK_STEP, MARK_SUFFIX};
use std::collections::BTreeMap;

/// Patterns of tag keys: exact, or a prefix with `*` at its end.
pub(in crate::config) fn patterns(given: &Given<'_>) -> Checked<Vec<String>> {
    let Some(items) = given.as_array() else {
        return refused();
    };
    items
        .iter()
        .map(|item| {
            let text = text(item.get_ref())?;
            let head = text.strip_suffix('*').unwrap_or(&text);
            if text.is_empty() || head.contains('*') || text.chars().count() > 128 {
                return Err(format!("`{text}` is none"));
            }
            if let Some(ours) = OURS
                .iter()
                .find(|o| o.starts_with(head) && (text.ends_with('*') || **o == text))
            {
                return Err(format!(
                    "`{text}` covers `{ours}`, which deployer itself sets"
                ));
            }
            if text.starts_with(PREFIX) {
                return Err(format!(
                    "`{text}`: what begins with `{PREFIX}` is deployer's own"
                ));
            }
            Ok(text)
        })
        .collect()
}

/// Tags that deployer sets on everything; the user's may not take their place.
const OURS: [&str; 5] = [
    "Environment",
    "Name",
    MARK_SUFFIX,
    MARK_STEP,
    MARK_DEPLOYMENT,
];

/// How the other tags of deployer begin: what moves the traffic sets one on a thing for a while.
const PREFIX: &str = "Deployer";

/// How neither a key nor a value may begin, in any case: ECS takes no `aws:` in either, RDS no `rds:` too ("Tag" in their API
/// references).
const RESERVED: [&str; 2] = ["aws:", "rds:"];

/// Tags that something has of deployer at most.
const MOST_OURS: usize = OURS.len() + 1;

/// Tags a resource may have, less ours (AWS General Reference, "Tag naming limits": 50 per resource).
const MOST_TAGS: usize = 50 - MOST_OURS;

/// Tags: added to the three of the defaults, or in place of one of them.
///
/// "Tag naming limits and requirements": keys 1 to 128, values up to 256 Unicode characters; letters, digits, spaces and
/// `_ . : / = + - @` are what every service takes. EventBridge Scheduler takes no empty value. IAM compares keys without case.
pub(in crate::config) fn tags(given: &Given<'_>) -> Checked<BTreeMap<String, String>> {
    let Some(table) = given.as_table() else {
        return refused();
    };
    let mut all = Config::default().tags.set;
    for (key, value) in table {
        let key = key.get_ref().as_ref();
        let Some(value) = value.get_ref().as_str() else {
            return Err(format!("the value of `{key}` is not a text"));
        };
        tag(key, value)?;
        all.insert(key.to_owned(), value.to_owned());
    }
    let mut lower: BTreeMap<String, &str> = OURS.iter().map(|o| (o.to_lowercase(), *o)).collect();
    for key in all.keys() {
        if let Some(other) = lower.insert(key.to_lowercase(), key) {
            return Err(format!(
                "`{key}` and `{other}` differ in case only, which IAM takes for the same"
            ));
        }
    }
    if all.len() > MOST_TAGS {
        return Err(format!(
            "with the defaults these are more than {MOST_TAGS}: AWS takes 50, of which {MOST_OURS} are deployer's own"
        ));
    }
    Ok(all)
}

fn tag(key: &str, value: &str) -> Result<(), String> {
    if OURS.contains(&key) || key.starts_with(PREFIX) {
        return Err(format!("`{key}` is set by deployer itself"));
    }
    for (what, text) in [("keys", key), ("values", value)] {
        let start = text.to_ascii_lowercase();
        if let Some(prefix) = RESERVED.iter().find(|p| start.starts_with(**p)) {
            return Err(format!(
                "`{key}`: {what} that begin with `{prefix}` belong to AWS"
            ));
        }
    }
    for (what, text, most) in [("key", key, 128), ("value of", value, 256)] {
        let length = text.chars().count();
        if !(1..=most).contains(&length) {
            return Err(format!(
                "the {what} `{key}` has {length} characters, not 1 to {most}"
            ));
        }
        if text.contains("@{") {
            return Err(format!(
                "`{key}`: `@{{` is how steps refer to each other and may not stand in a value"
            ));
        }
        if let Some(c) = text
            .chars()
            .find(|c| !(c.is_alphanumeric() || " _.:/=+-@".contains(*c)))
        {
            return Err(format!(
                "the {what} `{key}` has {c:?}, which not every AWS service takes in a tag"
            ));
        }
    }
    Ok(())
}

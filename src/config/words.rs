//! The words of errors: what was given, what is taken, what is near.

use super::parse::Given;
use super::{Key, keys};
use toml::de::DeValue;

pub(super) fn refusal(name: &str, given: &Given<'_>, key: &Key, why: &str) -> String {
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(" ({why})")
    };
    let got = if key.is_table() && given.is_table() {
        "refused".to_owned()
    } else {
        shown(given)
    };
    format!("`{name}` is {got}{why}; it takes {}", key.takes())
}

/// A value as the user wrote it, with its type where that is the point.
pub(super) fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => short(&format!("{text:?}")),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Datetime(date) => format!("the date {date}"),
        DeValue::Array(items) if items.is_empty() => "an empty list".to_owned(),
        DeValue::Array(items) => {
            let nested = items
                .iter()
                .any(|item| matches!(item.get_ref(), DeValue::Array(_) | DeValue::Table(_)));
            let words: Vec<String> = items.iter().map(|item| shown(item.get_ref())).collect();
            let whole = format!("[{}]", words.join(", "));
            if nested || whole.chars().count() > LONGEST {
                format!("a list of {}", items.len())
            } else {
                whole
            }
        }
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// Characters of a value that are shown.
const LONGEST: usize = 60;

fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(56).chain("...\"".chars()).collect()
}

pub(super) fn join(above: &str, name: &str) -> String {
    if above.is_empty() {
        name.to_owned()
    } else {
        format!("{above}.{name}")
    }
}

pub(super) fn names(section: &str) -> String {
    let names: Vec<&str> = keys()
        .iter()
        .filter(|k| k.section() == section)
        .map(Key::name)
        .collect();
    names.join(", ")
}

/// The nearest known key or table, if one is near. A key in the wrong table is recognised by its last part.
pub(super) fn nearest(path: &str) -> Option<&'static str> {
    let last = path.rsplit('.').next().unwrap_or(path);
    let sections = keys().iter().map(Key::section).filter(|s| !s.is_empty());
    let known = keys().iter().map(|k| k.path).chain(sections);
    let distance = |candidate: &str| {
        let tail = candidate.rsplit('.').next().unwrap_or(candidate);
        let whole = strsim::damerau_levenshtein(path, candidate);
        let begins = last.len() >= 4 && tail.starts_with(last);
        let part = if begins {
            1
        } else {
            strsim::damerau_levenshtein(last, tail) + 1
        };
        whole.min(part)
    };
    known
        .min_by_key(|candidate| distance(candidate))
        .filter(|candidate| is_near(path, distance(candidate)))
}

/// True when what was typed may be meant for something: a third of its letters is wrong, at most.
pub(super) fn is_near(typed: &str, distance: usize) -> bool {
    distance <= typed.chars().count().div_ceil(3)
}

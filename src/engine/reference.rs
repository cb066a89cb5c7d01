//! Typed references between steps. A reference is a placeholder inside the desired JSON of a step; the engine finds
//! edges by walking that JSON and resolves the placeholder from recorded outputs just before the step runs.
//!
//! Text form: `@{step.output}`, and `@{step.output!}` for the strong edge that waits until the step is ready.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// How much of a dependency must be there before the dependent may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// Its ID is known.
    Known,
    /// It is usable (settled, all settings applied).
    Ready,
}

/// A value that is either literal or the output `T` of another step. Displays as its text, so it composes with `format!`.
pub struct Ref<T> {
    text: String,
    of: PhantomData<fn() -> T>,
}

impl<T> Ref<T> {
    /// A literal value, known while the graph is built (or read back from AWS).
    pub fn literal(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            of: PhantomData,
        }
    }

    /// The output `output` of step `step`, as soon as it is known.
    pub fn output(step: &str, output: &str) -> Self {
        Self::literal(format!("@{{{step}.{output}}}"))
    }

    /// The same reference with the strong edge: wait until the referenced step is ready.
    #[must_use]
    pub fn ready(&self) -> Self {
        match self.text.strip_suffix('}') {
            Some(head) if self.text.starts_with("@{") && !head.ends_with('!') => {
                Self::literal(format!("{head}!}}"))
            }
            _ => self.clone(),
        }
    }

    /// True for an output that is not known yet. Such a field is left out of the record.
    pub fn is_unknown(&self) -> bool {
        self.text.is_empty()
    }

    /// The text: a literal, or the placeholder.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        Self::literal(self.text.clone())
    }
}
impl<T> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}
impl<T> fmt::Display for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl<T> PartialEq for Ref<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl<T> Eq for Ref<T> {}
impl<T> PartialOrd for Ref<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Ref<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}
impl<T> From<&str> for Ref<T> {
    fn from(text: &str) -> Self {
        Self::literal(text)
    }
}
impl<T> From<&Ref<T>> for String {
    fn from(reference: &Ref<T>) -> Self {
        reference.text.clone()
    }
}
impl<T> Default for Ref<T> {
    fn default() -> Self {
        Self::literal("")
    }
}
impl<T> From<String> for Ref<T> {
    fn from(text: String) -> Self {
        Self::literal(text)
    }
}
impl<T> Serialize for Ref<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
impl<'de, T> Deserialize<'de> for Ref<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not as an `Option`: a field that is missing is an error, and the thing is then found by its mark.
        deserializer.deserialize_any(Text(PhantomData))
    }
}

struct Text<T>(PhantomData<fn() -> T>);

impl<T> serde::de::Visitor<'_> for Text<T> {
    type Value = Ref<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or null")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Ref::literal(text))
    }

    /// An output that AWS has not given yet was once recorded as `null`.
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Ref::default())
    }
}

/// A list that is written out, or the output of another step that is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum List {
    /// The placeholder.
    Of(String),
    /// Its elements, each of which may be a reference.
    These(Vec<String>),
}

impl List {
    /// The same with the strong edge: see [`Ref::ready`].
    #[must_use]
    pub fn ready(&self) -> Self {
        match self {
            Self::Of(text) => Self::Of(Ref::<()>::literal(text).ready().text),
            Self::These(_) => self.clone(),
        }
    }

    /// What is known of its elements.
    pub fn elements(&self) -> &[String] {
        match self {
            Self::Of(_) => &[],
            Self::These(all) => all,
        }
    }

    /// True for an output that is not known yet. Such a field is left out of the record.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::These(all) if all.is_empty())
    }
}

impl Default for List {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

/// One placeholder found in a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Placeholder<'a> {
    /// The step that is referred to.
    pub step: &'a str,
    /// The name of its output.
    pub output: &'a str,
    /// The strength of the edge.
    pub strength: Strength,
}

/// Splits a text into literal pieces and placeholders, in order.
pub fn pieces(text: &str) -> Vec<Result<&str, Placeholder<'_>>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("@{") {
        let Some(len) = rest[start..].find('}') else {
            break;
        };
        let inner = &rest[start + 2..start + len];
        let (inner, strength) = match inner.strip_suffix('!') {
            Some(i) => (i, Strength::Ready),
            None => (inner, Strength::Known),
        };
        if start > 0 {
            out.push(Ok(&rest[..start]));
        }
        // Step ids may hold dots, output names never do.
        let (step, output) = inner.rsplit_once('.').unwrap_or((inner, ""));
        out.push(Err(Placeholder {
            step,
            output,
            strength,
        }));
        rest = &rest[start + len + 1..];
    }
    if !rest.is_empty() {
        out.push(Ok(rest));
    }
    out
}

/// Calls `found` for every placeholder in the JSON, keys of objects included.
pub fn walk<'a>(value: &'a Value, found: &mut impl FnMut(Placeholder<'a>)) {
    match value {
        Value::String(text) => each(text, found),
        Value::Array(items) => items.iter().for_each(|v| walk(v, found)),
        Value::Object(map) => map.iter().for_each(|(k, v)| {
            each(k, found);
            walk(v, found);
        }),
        _ => {}
    }
}

fn each<'a>(text: &'a str, found: &mut impl FnMut(Placeholder<'a>)) {
    if text.contains("@{") {
        pieces(text)
            .into_iter()
            .filter_map(Result::err)
            .for_each(found);
    }
}

/// True when the JSON holds a placeholder.
pub fn has_placeholder(value: &Value) -> bool {
    let mut any = false;
    walk(value, &mut |_| any = true);
    any
}

/// True when a text in `value` is one of the ids, names or ARNs in `outputs`: a reference, as it looks once resolved.
pub fn mentions(value: &Value, outputs: &Value) -> bool {
    match outputs {
        Value::String(id) if !id.is_empty() => holds(value, id),
        Value::Array(items) => items.iter().any(|o| mentions(value, o)),
        Value::Object(map) => map.values().any(|o| mentions(value, o)),
        _ => false,
    }
}

fn holds(value: &Value, id: &str) -> bool {
    match value {
        Value::String(text) => text == id,
        Value::Array(items) => items.iter().any(|v| holds(v, id)),
        Value::Object(map) => map.iter().any(|(k, v)| k == id || holds(v, id)),
        _ => false,
    }
}

/// Edges of a desired JSON: step id to the strongest strength asked for.
pub fn edges(value: &Value) -> BTreeMap<String, Strength> {
    let mut out = BTreeMap::new();
    walk(value, &mut |p| {
        let strength = out.entry(p.step.to_owned()).or_insert(p.strength);
        *strength = (*strength).max(p.strength);
    });
    out
}

/// Replaces placeholders by outputs. `lookup` gives the outputs of a step, or `None` when they are not known;
/// a placeholder without a value stays as it is, so `has_placeholder` tells whether the result is complete.
pub fn resolve<'a>(value: &Value, lookup: &impl Fn(&str) -> Option<&'a Value>) -> Value {
    let output = |p: &Placeholder<'_>| {
        lookup(p.step)
            .and_then(|o| o.get(p.output))
            .filter(|v| !v.is_null())
            .cloned()
    };
    match value {
        Value::String(text) if text.contains("@{") => {
            let parts = pieces(text);
            if let [Err(only)] = parts.as_slice() {
                return output(only).unwrap_or_else(|| value.clone());
            }
            Value::String(resolve_text(text, &output))
        }
        Value::Array(items) => Value::Array(items.iter().map(|v| resolve(v, lookup)).collect()),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(k, v)| {
                    let key = if k.contains("@{") {
                        resolve_text(k, &output)
                    } else {
                        k.clone()
                    };
                    (key, resolve(v, lookup))
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

fn resolve_text(text: &str, output: &impl Fn(&Placeholder<'_>) -> Option<Value>) -> String {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Ok(literal) => literal.to_owned(),
            Err(p) => match output(&p) {
                Some(Value::String(s)) => s,
                Some(other) => other.to_string(),
                None => {
                    let mark = if p.strength == Strength::Ready {
                        "!"
                    } else {
                        ""
                    };
                    format!("@{{{}.{}{mark}}}", p.step, p.output)
                }
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_reference_composes_and_resolves_inside_text_and_keys() {
        let id: Ref<()> = Ref::output("vpc-green", "id");
        let want = json!({"vpc": id, "arn": format!("arn:aws:ec2:::vpc/{}", id.ready()), (id.to_string()): 1});
        assert_eq!(edges(&want).get("vpc-green"), Some(&Strength::Ready));
        let outputs = json!({"id": "vpc-1"});
        let got = resolve(&want, &|s| (s == "vpc-green").then_some(&outputs));
        assert_eq!(
            got,
            json!({"vpc": "vpc-1", "arn": "arn:aws:ec2:::vpc/vpc-1", "vpc-1": 1})
        );
        assert!(has_placeholder(&resolve(&want, &|_| None)));
    }

    #[test]
    fn iam_variables_and_plain_text_are_not_placeholders() {
        assert!(edges(&json!({"a": "${aws:username} @ {x}"})).is_empty());
    }

    #[test]
    fn a_list_of_another_step_is_a_placeholder_until_it_is_known() {
        let list = List::Of("@{s.zones}".into()).ready();
        let want = json!({"targets": list});
        assert_eq!(edges(&want).get("s"), Some(&Strength::Ready));
        let outputs = json!({"zones": ["a", "b"]});
        let got = resolve(&want["targets"], &|_| Some(&outputs));
        let got: List = serde_json::from_value(got).unwrap();
        assert_eq!(got.elements(), ["a", "b"]);
        assert!(list.elements().is_empty() && !list.is_unknown());
    }

    #[test]
    fn a_whole_value_reference_keeps_the_type_of_the_output() {
        let outputs = json!({"zones": ["a", "b"]});
        assert_eq!(
            resolve(&json!("@{s.zones}"), &|_| Some(&outputs)),
            json!(["a", "b"])
        );
    }
}

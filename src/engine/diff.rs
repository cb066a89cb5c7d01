//! The one comparison: what is wanted against what is read, over the same struct serialized as JSON.
//!
//! Arrays are sets: in what AWS gives back, order carries no meaning for any type we have. A type in which order does
//! matter spells it as a struct (`{hash, range}`). `null` and a missing key are the same.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One difference. `want` is `None` for an extra element or key, `have` is `None` for a missing one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where: `dns_hostnames`, `rules.https-from-alb.port`, `tags.CostCenter`, `subnets[subnet-1]`.
    pub path: String,
    /// The desired value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub want: Option<Value>,
    /// The value that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub have: Option<Value>,
}

impl Change {
    /// True for something that is there and nobody asked for.
    pub fn is_extra(&self) -> bool {
        self.want.is_none()
    }

    /// The field of the struct in which the difference lies: the path up to the first `.` or `[`.
    pub fn field(&self) -> &str {
        self.path.split(['.', '[']).next().unwrap_or(&self.path)
    }
}

/// All differences of two JSON values, in a stable order.
pub fn diff(want: &Value, have: &Value) -> Vec<Change> {
    let mut out = Vec::new();
    compare("", want, have, &mut out);
    out
}

/// Differences of two tag maps, with paths `tags.<key>`. Tags in `ignored` (exact, or prefix with `*`) and AWS's own
/// `aws:` tags on the live side do not count as extra.
pub fn diff_tags(
    want: &BTreeMap<String, String>,
    have: &BTreeMap<String, String>,
    ignored: &[String],
) -> Vec<Change> {
    let skip = |key: &str| {
        key.starts_with("aws:")
            || ignored.iter().any(|p| match p.strip_suffix('*') {
                Some(prefix) => key.starts_with(prefix),
                None => p == key,
            })
    };
    let mut out = Vec::new();
    for (key, value) in want {
        if have.get(key) != Some(value) {
            let have = have.get(key).map(|v| Value::from(v.as_str()));
            out.push(Change {
                path: format!("tags.{key}"),
                want: Some(Value::from(value.as_str())),
                have,
            });
        }
    }
    for (key, value) in have
        .iter()
        .filter(|(k, _)| !want.contains_key(*k) && !skip(k))
    {
        out.push(Change {
            path: format!("tags.{key}"),
            want: None,
            have: Some(Value::from(value.as_str())),
        });
    }
    out
}

fn compare(path: &str, want: &Value, have: &Value, out: &mut Vec<Change>) {
    match (want, have) {
        (Value::Object(w), Value::Object(h)) => {
            for (key, value) in w {
                compare(
                    &join(path, key),
                    value,
                    h.get(key).unwrap_or(&Value::Null),
                    out,
                );
            }
            for (key, value) in h.iter().filter(|(k, _)| !w.contains_key(*k)) {
                compare(&join(path, key), &Value::Null, value, out);
            }
        }
        (Value::Array(w), Value::Array(h)) => sets(path, w, h, out),
        (Value::Array(w), Value::Null) => sets(path, w, &[], out),
        (Value::Null, Value::Array(h)) => sets(path, &[], h, out),
        (Value::Object(w), Value::Null) if w.is_empty() => {}
        (Value::Null, Value::Object(h)) if h.is_empty() => {}
        _ if same(want, have) => {}
        _ => out.push(Change {
            path: path.to_owned(),
            want: some(want),
            have: some(have),
        }),
    }
}

/// Equal as far as AWS is concerned: numbers by value (0.5 and 0.50, 16 and 16.0), objects and arrays recursively.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x.as_f64() == y.as_f64(),
        (Value::Object(_), Value::Object(_)) | (Value::Array(_), Value::Array(_)) => {
            diff(a, b).is_empty()
        }
        _ => a == b,
    }
}

fn sets(path: &str, want: &[Value], have: &[Value], out: &mut Vec<Change>) {
    let mut left: Vec<&Value> = have.iter().collect();
    for w in want {
        match left.iter().position(|h| same(w, h)) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => out.push(Change {
                path: element(path, w),
                want: some(w),
                have: None,
            }),
        }
    }
    left.sort_by_cached_key(|v| v.to_string());
    out.extend(left.into_iter().map(|h| Change {
        path: element(path, h),
        want: None,
        have: some(h),
    }));
}

fn element(path: &str, value: &Value) -> String {
    match value {
        Value::String(s) => format!("{path}[{s}]"),
        other => format!("{path}[{other}]"),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn some(value: &Value) -> Option<Value> {
    (!value.is_null()).then(|| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(want: Value, have: Value) -> Vec<String> {
        diff(&want, &have).into_iter().map(|c| c.path).collect()
    }

    #[test]
    fn arrays_compare_as_sets_and_name_the_element() {
        assert!(paths(json!({"z": ["a", "b"]}), json!({"z": ["b", "a"]})).is_empty());
        assert_eq!(
            paths(json!({"z": ["a", "b"]}), json!({"z": ["b", "c"]})),
            ["z[a]", "z[c]"]
        );
    }

    #[test]
    fn null_missing_and_empty_are_the_same() {
        assert!(paths(json!({"a": null, "l": [], "m": {}}), json!({})).is_empty());
    }

    #[test]
    fn nested_changes_have_the_whole_path() {
        assert_eq!(
            paths(
                json!({"a": {"b": 1, "c": 2}}),
                json!({"a": {"b": 1, "c": 3}})
            ),
            ["a.c"]
        );
        assert!(paths(json!({"a": 16.0}), json!({"a": 16})).is_empty());
    }

    #[test]
    fn extra_tags_show_unless_they_are_ignored() {
        let tags = |list: &[(&str, &str)]| {
            list.iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect::<BTreeMap<String, String>>()
        };
        let changes = diff_tags(
            &tags(&[("A", "1")]),
            &tags(&[("A", "2"), ("B", "x"), ("aws:cf", "y"), ("map-1", "z")]),
            &["map-*".into()],
        );
        let got: Vec<_> = changes
            .iter()
            .map(|c| (c.path.as_str(), c.is_extra()))
            .collect();
        assert_eq!(got, [("tags.A", false), ("tags.B", true)]);
    }
}

//! The one comparison: what is wanted against what is read, over the same struct serialized as JSON.
//!
//! Arrays are sets: in most of what AWS gives back, order carries no meaning. A type in which it does (the command of a
//! container, the statements of a firewall) says so with [`Ordered`]. `null` and a missing key are the same.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A list whose order carries meaning. In JSON it is an object by position, `{"0": .., "1": ..}`, so that a difference
/// names the place; a plain array would be compared as a set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ordered<T>(pub Vec<T>);

impl<T> From<Vec<T>> for Ordered<T> {
    fn from(items: Vec<T>) -> Self {
        Self(items)
    }
}

impl<T> std::ops::Deref for Ordered<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Serialize> Serialize for Ordered<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().enumerate().map(|(at, v)| (at.to_string(), v)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Keys are read as texts, since a map of JSON has no others, and put in the order of their numbers.
        let by_text = BTreeMap::<String, T>::deserialize(deserializer)?;
        let number = |(place, item): (String, T)| {
            let place: usize = place.parse().map_err(serde::de::Error::custom)?;
            Ok((place, item))
        };
        let by_place: BTreeMap<usize, T> = by_text
            .into_iter()
            .map(number)
            .collect::<Result<_, D::Error>>()?;
        Ok(Self(by_place.into_values().collect()))
    }
}

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A key of an object: a field of the struct, or a name in a map. It may hold dots.
    Key(String),
    /// An element of a set.
    Element(String),
}

/// Where a difference lies, segment by segment. Written for people as `rules.https-from-alb.port` or `subnets[subnet-1]`;
/// no code takes that text apart, since names hold dots and brackets themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The path of these keys.
    pub fn of<const N: usize>(keys: [&str; N]) -> Self {
        Self(keys.map(|k| Segment::Key(k.to_owned())).into())
    }

    fn key(&self, key: &str) -> Self {
        let mut path = self.0.clone();
        path.push(Segment::Key(key.to_owned()));
        Self(path)
    }

    fn element(&self, value: &Value) -> Self {
        let mut path = self.0.clone();
        path.push(Segment::Element(match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }));
        Self(path)
    }

    /// The text of a segment; `None` when the path is shorter.
    pub fn at(&self, place: usize) -> Option<&str> {
        self.0.get(place).map(|segment| match segment {
            Segment::Key(text) | Segment::Element(text) => text.as_str(),
        })
    }

    /// The same path with every text as `shown` makes it.
    pub fn shown_as(&self, shown: impl Fn(&str) -> String) -> Self {
        let each = self.0.iter().map(|segment| match segment {
            Segment::Key(text) => Segment::Key(shown(text)),
            Segment::Element(text) => Segment::Element(shown(text)),
        });
        Self(each.collect())
    }

    /// How many segments it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True for the path of the whole value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if at == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Element(element) => write!(f, "[{element}]")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One difference. `want` is `None` for an extra element or key, `have` is `None` for a missing one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Where.
    pub path: Path,
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

    /// The field of the struct in which the difference lies.
    pub fn field(&self) -> &str {
        self.path.at(0).unwrap_or_default()
    }

    /// The name in the map, or the element of the set, in which the difference lies; `None` when the whole field differs.
    pub fn entry(&self) -> Option<&str> {
        self.path.at(1)
    }
}

/// The first segment of the path of a tag.
pub const TAGS: &str = "tags";

/// All differences of two JSON values, in a stable order.
pub fn diff(want: &Value, have: &Value) -> Vec<Change> {
    let mut out = Vec::new();
    compare(&Path::default(), want, have, &mut out);
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
                path: Path::of([TAGS, key]),
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
            path: Path::of([TAGS, key]),
            want: None,
            have: Some(Value::from(value.as_str())),
        });
    }
    out
}

fn compare(path: &Path, want: &Value, have: &Value, out: &mut Vec<Change>) {
    match (want, have) {
        (Value::Object(w), Value::Object(h)) => {
            for (key, value) in w {
                compare(
                    &path.key(key),
                    value,
                    h.get(key).unwrap_or(&Value::Null),
                    out,
                );
            }
            for (key, value) in h.iter().filter(|(k, _)| !w.contains_key(*k)) {
                compare(&path.key(key), &Value::Null, value, out);
            }
        }
        (Value::Array(w), Value::Array(h)) => sets(path, w, h, out),
        (Value::Array(w), Value::Null) => sets(path, w, &[], out),
        (Value::Null, Value::Array(h)) => sets(path, &[], h, out),
        (Value::Object(w), Value::Null) if w.is_empty() => {}
        (Value::Null, Value::Object(h)) if h.is_empty() => {}
        _ if same(want, have) => {}
        _ => out.push(Change {
            path: path.clone(),
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

fn sets(path: &Path, want: &[Value], have: &[Value], out: &mut Vec<Change>) {
    let mut left: Vec<&Value> = have.iter().collect();
    for w in want {
        match left.iter().position(|h| same(w, h)) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => out.push(Change {
                path: path.element(w),
                want: some(w),
                have: None,
            }),
        }
    }
    left.sort_by_cached_key(|v| v.to_string());
    out.extend(left.into_iter().map(|h| Change {
        path: path.element(h),
        want: None,
        have: some(h),
    }));
}

fn some(value: &Value) -> Option<Value> {
    (!value.is_null()).then(|| value.clone())
}

#[cfg(test)]
mod tests;

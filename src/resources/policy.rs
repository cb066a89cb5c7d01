//! Policy documents, compared by meaning: one string and a list of one string are the same, order does not matter,
//! an account number and its root ARN are the same principal ("Comparing policies" happens on this normal form). Actions are the same
//! in any case.
//!
//! In the struct, statements are keyed by their `Sid`, so that a difference has a path such as
//! `policy.Statement.DenyPlainHttp.Action[s3:*]`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A policy document in normal form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Policy(Value);

impl Policy {
    /// From a document as AWS writes it (`{"Version": .., "Statement": [..]}`).
    pub fn new(document: Value) -> Self {
        Self(normal(document))
    }

    /// From statements; every one should have a `Sid`.
    pub fn of(statements: Vec<Value>) -> Self {
        Self::new(json!({"Version": "2012-10-17", "Statement": statements}))
    }

    /// From text that AWS gave; IAM's is percent-encoded. Text that is no JSON is kept, and so differs from any document.
    pub fn parse(text: &str) -> Self {
        let decoded = if text.trim_start().starts_with('{') {
            text.to_owned()
        } else {
            percent_decode(text)
        };
        Self::new(serde_json::from_str(&decoded).unwrap_or(Value::String(decoded)))
    }

    /// The document as AWS takes it, in the form that its guides show: one value stands alone. It means the same as a list
    /// of one, but auditors compare texts (`"aws:SecureTransport": "false"`).
    pub fn document(&self) -> String {
        let mut document = self.0.clone();
        if let Some(Value::Object(by_sid)) = document.get("Statement").cloned() {
            let statements = by_sid.into_iter().map(|(sid, mut statement)| {
                if let (false, Value::Object(map)) = (sid.starts_with('#'), &mut statement) {
                    map.insert("Sid".into(), Value::String(sid));
                }
                alone(statement)
            });
            document["Statement"] = statements.collect();
        }
        document.to_string()
    }
}

/// "Security best practices for Amazon S3": nothing in clear text, nothing older than TLS 1.2.
pub fn encrypted_transport(bucket: &str) -> [Value; 2] {
    let deny = |sid: &str, condition: Value| {
        json!({
            "Sid": sid,
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "s3:*",
            "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")],
            "Condition": condition,
        })
    };
    [
        deny(
            "DenyPlainHttp",
            json!({"Bool": {"aws:SecureTransport": "false"}}),
        ),
        deny(
            "DenyOldTls",
            json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        ),
    ]
}

/// Writes the actions in what was read as they are wanted, where only the case differs: "s3:GetObject is equivalent to s3:getobject"
/// ("IAM JSON policy elements: Action"). It looks into all fields, for policies stand in many.
pub(super) fn actions_as_wanted(wanted: &Value, read: &mut Value) {
    let (Value::Object(wanted), Value::Object(read)) = (wanted, read) else {
        return;
    };
    for (key, value) in read {
        let Some(wanted) = wanted.get(key) else {
            continue;
        };
        if key != "Action" && key != "NotAction" {
            actions_as_wanted(wanted, value);
            continue;
        }
        let texts = |all: &Value| all.as_array().cloned().unwrap_or_default();
        let wanted = texts(wanted);
        for one in value.as_array_mut().into_iter().flatten() {
            let same = |w: &&Value| {
                let (w, one) = (w.as_str(), one.as_str());
                w.zip(one)
                    .is_some_and(|(w, one)| w.eq_ignore_ascii_case(one))
            };
            if let Some(same) = wanted.iter().find(same) {
                *one = same.clone();
            }
        }
    }
}

/// A statement in which lists of one are that one.
fn alone(value: Value) -> Value {
    match value {
        Value::Array(mut items) if items.len() == 1 => items.remove(0),
        Value::Object(map) => map.into_iter().map(|(k, v)| (k, alone(v))).collect(),
        other => other,
    }
}

fn normal(mut document: Value) -> Value {
    let statements = match document.get_mut("Statement").map(Value::take) {
        Some(Value::Array(list)) => list,
        Some(Value::Object(map)) if map.contains_key("Effect") => vec![Value::Object(map)],
        Some(Value::Object(by_sid)) => {
            let mut out = document;
            out["Statement"] = Value::Object(by_sid);
            return out;
        }
        _ => return document,
    };
    let mut by_sid = Map::new();
    let mut nameless = Vec::new();
    for mut statement in statements {
        let sid = statement.as_object_mut().and_then(|s| s.remove("Sid"));
        let statement = statement_form(statement);
        match sid.as_ref().and_then(Value::as_str) {
            Some(sid) if !sid.is_empty() && !by_sid.contains_key(sid) => {
                drop(by_sid.insert(sid.to_owned(), statement))
            }
            _ => nameless.push(statement),
        }
    }
    nameless.sort_by_cached_key(|statement| {
        let text = sorted(statement).to_string();
        (text.to_lowercase(), text)
    });
    by_sid.extend(
        nameless
            .into_iter()
            .enumerate()
            .map(|(at, statement)| (format!("#{at}"), statement)),
    );
    document["Statement"] = Value::Object(by_sid);
    document
}

/// With every list in order: statements without a name are distinguished by what they say, not by how it is ordered.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_cached_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), sorted(v))).collect(),
        other => other.clone(),
    }
}

fn statement_form(statement: Value) -> Value {
    let Value::Object(map) = statement else {
        return statement;
    };
    let form = |(key, value): (String, Value)| {
        let value = match key.as_str() {
            "Action" | "NotAction" | "Resource" | "NotResource" => list(value),
            "Principal" | "NotPrincipal" => principal(value),
            "Condition" => condition(value),
            _ => value,
        };
        (key, value)
    };
    Value::Object(map.into_iter().map(form).collect())
}

fn list(value: Value) -> Value {
    match value {
        Value::Array(_) => value,
        one => Value::Array(vec![one]),
    }
}

fn principal(value: Value) -> Value {
    let Value::Object(map) = value else {
        return json!({"AWS": [value]});
    };
    let each = |(kind, who): (String, Value)| {
        let Value::Array(items) = list(who) else {
            return (kind, Value::Null);
        };
        let whole = |item: Value| match item.as_str() {
            Some(id) if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) => {
                Value::String(format!("arn:aws:iam::{id}:root"))
            }
            _ => item,
        };
        (kind, items.into_iter().map(whole).collect())
    };
    Value::Object(map.into_iter().map(each).collect())
}

fn condition(value: Value) -> Value {
    let Value::Object(operators) = value else {
        return value;
    };
    let text = |v: Value| match v {
        Value::Bool(_) | Value::Number(_) => Value::String(v.to_string()),
        other => other,
    };
    let keys = |value: Value| match value {
        Value::Object(keys) => Value::Object(
            keys.into_iter()
                .map(|(key, v)| match list(v) {
                    Value::Array(items) => (key, items.into_iter().map(text).collect()),
                    other => (key, other),
                })
                .collect(),
        ),
        other => other,
    };
    Value::Object(
        operators
            .into_iter()
            .map(|(operator, value)| (operator, keys(value)))
            .collect(),
    )
}

/// Text with `%41` for `A`.
pub(super) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text
            .get(at + 1..at + 3)
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::diff;

    fn changes(a: Value, b: Value) -> Vec<String> {
        let json = |v| serde_json::to_value(Policy::new(v)).unwrap();
        diff(&json(a), &json(b))
            .into_iter()
            .map(|c| c.path.to_string())
            .collect()
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        let a = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get", "Resource": ["b", "a"],
            "Principal": {"AWS": "123456789012"}, "Condition": {"Bool": {"aws:SecureTransport": false}}}});
        let b = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:Get"], "Resource": ["a", "b"],
            "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}, "Condition": {"Bool": {"aws:SecureTransport": ["false"]}}}]});
        assert!(changes(a, b).is_empty());
    }

    #[test]
    fn actions_are_the_same_in_any_case_and_nothing_else_is() {
        let of = |action: &str, rest: &str| {
            let statement = json!({"Sid": "A", "Effect": "Allow", "Action": [action, "s3:List"], "NotAction": action,
                "Resource": rest, "Principal": {"AWS": rest}, "Condition": {"StringLike": {"s3:prefix": rest}}});
            json!({"policy": serde_json::to_value(Policy::of(vec![statement])).unwrap()})
        };
        let compared = |wanted: Value, mut read: Value| {
            actions_as_wanted(&wanted, &mut read);
            diff(&wanted, &read).len()
        };
        assert_eq!(
            compared(of("s3:GetObject", "a"), of("S3:getobject", "a")),
            0
        );
        // One missing and one too many, in each of both.
        assert_eq!(
            compared(of("s3:GetObject", "a"), of("s3:GetObjects", "a")),
            4
        );
        assert_eq!(
            compared(of("s3:GetObject", "a"), of("s3:GetObject", "A")),
            6
        );
    }

    #[test]
    fn a_difference_names_the_statement_and_the_element() {
        let statement = |action: &str| json!({"Statement": [{"Sid": "Read", "Effect": "Allow", "Action": [action]}]});
        assert_eq!(
            changes(statement("s3:Get"), statement("s3:*")),
            [
                "Statement.Read.Action[s3:Get]",
                "Statement.Read.Action[s3:*]"
            ]
        );
    }

    #[test]
    fn one_value_leaves_without_a_list_around_it() {
        let statement = json!({"Sid": "A", "Effect": "Deny", "Principal": "*", "Action": ["x"], "Resource": ["a", "b"],
            "Condition": {"Bool": {"aws:SecureTransport": ["false"]}}});
        let text = Policy::of(vec![statement]).document();
        let document: Value = serde_json::from_str(&text).unwrap();
        let expected = json!([{"Sid": "A", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "x", "Resource": ["a", "b"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]);
        assert_eq!(document["Statement"], expected);
    }

    #[test]
    fn the_document_that_leaves_reads_back_the_same() {
        let policy = Policy::of(vec![
            json!({"Sid": "A", "Effect": "Allow", "Action": "x"}),
            json!({"Effect": "Deny", "Action": "y"}),
        ]);
        assert_eq!(Policy::parse(&policy.document()), policy);
        let encoded: String = policy
            .document()
            .bytes()
            .map(|b| format!("%{b:02X}"))
            .collect();
        assert_eq!(Policy::parse(&encoded), policy);
    }
}

//! Values whole, field by field.

use super::super::value::{clean, whole};
use serde_json::Value;
use std::fmt::Write;

/// Characters of a list or a small object that stand on one line.
const LINE: usize = 100;

/// The fields of a struct, indented; what is null is left out.
pub fn fields(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter().filter(|(_, v)| !v.is_null()) {
                let name = super::super::value::known(name);
                named(out, &clean(&name), value, indent);
            }
        }
        Value::Null => {}
        other => line(out, &whole(other), indent),
    }
}

fn named(out: &mut String, name: &str, value: &Value, indent: usize) {
    if let Some(text) = short(value) {
        return line(out, &format!("{name}: {text}"), indent);
    }
    line(out, &format!("{name}:"), indent);
    match value {
        Value::Array(items) => {
            for item in items {
                match short(item) {
                    Some(text) => line(out, &format!("- {text}"), indent + 2),
                    None => {
                        line(out, "-", indent + 2);
                        fields(out, item, indent + 4);
                    }
                }
            }
        }
        other => fields(out, other, indent + 2),
    }
}

/// A value that fits on one line: everything but lists and objects that are long, and objects in objects.
fn short(value: &Value) -> Option<String> {
    let text = whole(value);
    let fits = match value {
        Value::Array(items) => {
            let flat = items.iter().all(|i| !i.is_object() && !i.is_array());
            items.is_empty() || (flat && text.chars().count() <= LINE)
        }
        Value::Object(map) => map.is_empty(),
        _ => true,
    };
    fits.then_some(text)
}

fn line(out: &mut String, text: &str, indent: usize) {
    let _ = writeln!(out, "{:indent$}{text}", "");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_value_stands_whole_on_a_line_that_names_its_field() {
        let long = "x".repeat(200);
        let value = json!({
            "cidr": "10.0.0.0/16", "none": null, "empty": {}, "vpc": "@{vpc.id!}",
            "policy": {"Statement": {"Deny": {"Action": ["s3:*"], "Text": long}}},
            "rules": [{"port": 1}, "plain"],
        });
        let mut out = String::new();
        fields(&mut out, &value, 2);
        assert_eq!(
            out,
            format!(
                "  cidr: \"10.0.0.0/16\"\n  empty: {{}}\n  policy:\n    Statement:\n      Deny:\n        Action: [\"s3:*\"]\n        Text: \"{long}\"\n  rules:\n    -\n      port: 1\n    - \"plain\"\n  vpc: (known after apply: id of vpc)\n"
            )
        );
    }
}

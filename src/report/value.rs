//! Small pieces of text: values, durations, numbers, columns.

use crate::engine::diff::Change;
use crate::engine::reference::pieces;
use serde_json::Value;

/// Characters of a value that are shown at most.
pub const LONGEST: usize = 72;

/// A value on one line; what is long is cut. A line break cannot get out of it.
pub fn value(value: &Value) -> String {
    cut(&whole(value), LONGEST)
}

/// A value on one line, whole.
pub fn whole(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains("@{") && pieces(text).len() == 1 => known(text),
        other => readable(other).to_string(),
    }
}

/// A missing value reads as `nothing`.
pub fn optional(of: Option<&Value>) -> String {
    of.map_or_else(|| "nothing".to_owned(), value)
}

/// Two values that differ, each on one line, with at most so many characters of each.
pub fn both(one: Option<&Value>, other: Option<&Value>, most: usize) -> [String; 2] {
    let text = |of: Option<&Value>| of.map_or_else(|| "nothing".to_owned(), whole);
    apart([text(one), text(other)], most)
}

/// Two texts that differ, with at most so many characters of each: what is cut off at the front is the same in both, so that the
/// place is seen where they part.
pub fn apart(texts: [String; 2], most: usize) -> [String; 2] {
    let [one, other] = &texts;
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let from = same.count().saturating_sub(most / 2);
    texts.map(|text| {
        let long = text.chars().count() > most;
        if !long || from == 0 {
            return cut(&text, most);
        }
        let rest: String = ['…'].into_iter().chain(text.chars().skip(from)).collect();
        cut(&rest, most)
    })
}

/// A text in which references to other steps read as `(known after apply: id of vpc-green)`.
pub fn known(text: &str) -> String {
    if !text.contains("@{") {
        return text.to_owned();
    }
    let each = pieces(text).into_iter().map(|piece| match piece {
        Ok(literal) => literal.to_owned(),
        Err(p) => format!("(known after apply: {} of {})", p.output, p.step),
    });
    each.collect()
}

/// The same in every text of a value, keys of objects included.
pub fn readable(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(known(text)),
        Value::Array(items) => items.iter().map(readable).collect(),
        Value::Object(map) => {
            let each = map.iter().map(|(k, v)| (known(k), readable(v)));
            Value::Object(each.collect())
        }
        other => other.clone(),
    }
}

/// A difference with texts that people can read.
pub fn readable_change(change: &Change) -> Change {
    Change {
        path: change.path.shown_as(known),
        want: change.want.as_ref().map(readable),
        have: change.have.as_ref().map(readable),
    }
}

/// At most this many characters, the last one an ellipsis when something is missing.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars()
        .take(most.saturating_sub(1))
        .chain(['…'])
        .collect()
}

/// Text from outside on one line: control characters (colour codes, line breaks) become spaces.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// `0.4s`, `12s`, `4m 12s`, `1h 02m`.
pub fn seconds(of: f64) -> String {
    let of = of.max(0.0);
    if of < 9.95 {
        return format!("{of:.1}s");
    }
    let whole = of.round() as u64;
    match whole {
        0..=59 => format!("{whole}s"),
        60..=3599 => format!("{}m {:02}s", whole / 60, whole % 60),
        _ => format!("{}h {:02}m", whole / 3600, whole % 3600 / 60),
    }
}

/// `1 call`, `2 calls`.
pub fn many(n: u64, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}

/// Rows with every column but the last padded to the widest cell.
pub fn columns(rows: &[Vec<String>], indent: &str) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            let width = cell.chars().count();
            match widths.get_mut(at) {
                Some(w) => *w = (*w).max(width),
                None => widths.push(width),
            }
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::from(indent);
        for (at, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if at + 1 < row.len() {
                let pad = widths[at] - cell.chars().count() + 2;
                line.extend(std::iter::repeat_n(' ', pad));
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_short_and_on_one_line() {
        assert_eq!(
            value(&json!("@{vpc-green.id}")),
            "(known after apply: id of vpc-green)"
        );
        assert_eq!(
            value(&json!("arn:x/@{vpc-green.id!}")),
            "\"arn:x/(known after apply: id of vpc-green)\""
        );
        let inner = json!({"@{a.id}": ["@{b.arn!}"]});
        assert_eq!(
            readable(&inner),
            json!({"(known after apply: id of a)": ["(known after apply: arn of b)"]})
        );
        assert_eq!(value(&json!("a\nb")), "\"a\\nb\"");
        assert_eq!(value(&json!({"b": [1, true]})), "{\"b\":[1,true]}");
        assert_eq!(value(&json!("x".repeat(100))).chars().count(), LONGEST);
        assert_eq!(clean("a\u{1b}[31m\nb"), "a [31m b");
    }

    #[test]
    fn two_long_values_are_cut_so_that_their_difference_is_seen() {
        let arn = |n: u32| {
            json!(format!(
                "arn:aws:ecs:eu-central-1:123456789012:task-definition/task-payment-api-green-dev:{n}"
            ))
        };
        let (three, four) = (arn(3), arn(4));
        let [one, other] = both(Some(&three), Some(&four), LONGEST);
        assert_eq!(one, "…finition/task-payment-api-green-dev:3\"");
        assert_eq!(other, "…finition/task-payment-api-green-dev:4\"");
        // What differs at the front, and what is short, is shown from its front.
        let [one, other] = both(Some(&json!("x".repeat(100))), Some(&json!("y")), LONGEST);
        assert!(one.starts_with("\"xxx") && one.ends_with('…'), "{one}");
        assert_eq!(other, "\"y\"");
        assert_eq!(both(None, Some(&json!(1)), LONGEST), ["nothing", "1"]);
        // A cut at both ends.
        let long = |c: char| format!("{}{c}{}", "a".repeat(60), "b".repeat(60));
        let [one, other] = apart([long('1'), long('2')], 20);
        assert_eq!(one, "…aaaaaaaaaa1bbbbbbb…");
        assert_eq!(other, "…aaaaaaaaaa2bbbbbbb…");
    }

    #[test]
    fn durations_read_well() {
        let shown: Vec<String> = [0.0, 0.44, 9.96, 59.4, 59.6, 252.0, 3725.0]
            .map(seconds)
            .to_vec();
        assert_eq!(
            shown,
            ["0.0s", "0.4s", "10s", "59s", "1m 00s", "4m 12s", "1h 02m"]
        );
    }
}

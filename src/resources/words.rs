//! What AWS shows of a thing and no field of a type holds, in words: so that a setting which nobody has written into a type is a
//! difference all the same. Every member of the SDK's shapes is in their `Debug` text, also those that a newer SDK brings.

use std::fmt::Debug;

/// The members of a shape that are set: `mutual_authentication: {mode: passthrough}`, or the name alone of one that holds nothing.
/// What is absent, `false`, zero or an empty text or list is left out. A reader clears what it has read before it asks.
pub(super) fn words(shown: &impl Debug) -> Vec<String> {
    let text = format!("{shown:?}");
    let mut text = Text(&text);
    text.word();
    match text.passes('{') {
        true => text.list('}', Text::member),
        false => Vec::new(),
    }
}

/// What is left of a `Debug` text.
struct Text<'a>(&'a str);

/// A value in words, and whether it says nothing.
struct Value {
    text: String,
    nothing: bool,
}

impl<'a> Text<'a> {
    /// True when this sign comes next: then it is passed over.
    fn passes(&mut self, sign: char) -> bool {
        self.0 = self.0.trim_start();
        let rest = self.0.strip_prefix(sign);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Everything up to a sign of the text's structure; one sign at least, so that every text ends.
    fn word(&mut self) -> &'a str {
        self.0 = self.0.trim_start();
        let first = self.0.chars().next().map_or(0, char::len_utf8);
        let ends = |c: char| c.is_whitespace() || ",:(){}[]\"".contains(c);
        let end = self.0[first..].find(ends).map(|at| at + first);
        let (word, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        word
    }

    /// What stands up to the quotation mark that ends a text.
    fn quoted(&mut self) -> &'a str {
        let mut escaped = false;
        let ends = |c: char| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        };
        let (text, rest) = self.0.split_at(self.0.find(ends).unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        text
    }

    fn list(&mut self, end: char, one: fn(&mut Self) -> Option<String>) -> Vec<String> {
        let mut all = Vec::new();
        while !self.passes(end) && !self.0.is_empty() {
            all.extend(one(self));
            self.passes(',');
        }
        all
    }

    fn member(&mut self) -> Option<String> {
        let name = self.value().text;
        let name = name.strip_prefix("r#").unwrap_or(&name);
        self.passes(':');
        let value = self.value();
        match value.text.as_str() {
            _ if value.nothing => None,
            "{}" => Some(name.to_owned()),
            text => Some(format!("{name}: {text}")),
        }
    }

    fn value(&mut self) -> Value {
        let one = |text: &mut Self| Some(text.value().text);
        let all = |all: Vec<String>, ends: (&str, &str)| Value {
            nothing: all.is_empty(),
            text: format!("{}{}{}", ends.0, all.join(", "), ends.1),
        };
        if self.passes('"') {
            let text = self.quoted().to_owned();
            let nothing = text.is_empty();
            return Value { text, nothing };
        }
        if self.passes('[') {
            return all(self.list(']', one), ("[", "]"));
        }
        if self.passes('{') {
            return all(self.list('}', Self::member), ("{", "}"));
        }
        let word = self.word();
        if self.passes('{') {
            let members = all(self.list('}', Self::member), ("{", "}"));
            let nothing = false;
            return Value { nothing, ..members };
        }
        if self.passes('(') {
            let inner = self.value();
            self.list(')', one);
            return inner;
        }
        Value {
            nothing: ["None", "false", "0", "0.0"].contains(&word),
            text: word.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[derive(Debug, Default)]
    #[expect(dead_code, reason = "only its text is read")]
    struct Shape {
        none: Option<String>,
        text: Option<String>,
        number: i64,
        on: Option<bool>,
        list: Option<Vec<Shape>>,
        map: HashMap<String, i32>,
        kind: Option<Kind>,
        inner: Option<Box<Shape>>,
        r#type: Option<Unit>,
    }

    #[derive(Debug)]
    #[expect(dead_code, reason = "only its text is read")]
    enum Kind {
        Plain,
        Unknown(String),
    }

    #[derive(Debug)]
    struct Unit;

    #[test]
    fn what_is_set_is_in_words_and_nothing_else() {
        assert_eq!(words(&Shape::default()), Vec::<String>::new());
        let quiet = Shape {
            text: Some(String::new()),
            on: Some(false),
            list: Some(Vec::new()),
            ..Shape::default()
        };
        assert_eq!(words(&quiet), Vec::<String>::new());
        let loud = Shape {
            text: Some("a \"}, b: {".into()),
            number: -7,
            on: Some(true),
            list: Some(vec![Shape::default(), quiet]),
            map: HashMap::from([("a:b".to_owned(), 1)]),
            kind: Some(Kind::Unknown("x".into())),
            inner: Some(Box::new(Shape {
                kind: Some(Kind::Plain),
                inner: Some(Box::default()),
                ..Shape::default()
            })),
            r#type: Some(Unit),
            ..Shape::default()
        };
        let said = [
            "text: a \\\"}, b: {",
            "number: -7",
            "on: true",
            "list: [{}, {}]",
            "map: {a:b: 1}",
            "kind: x",
            "inner: {kind: Plain, inner}",
            "type: Unit",
        ];
        assert_eq!(words(&loud), said);
    }
}

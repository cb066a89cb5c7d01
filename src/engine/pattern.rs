//! Patterns for names: `*` stands for any text, everything else for itself.

/// True when the whole text is what the pattern says.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    // Each part is taken where it comes first, so that most is left for the parts behind it.
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;
    use proptest::prelude::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text) in [
            ("a", "a"),
            ("*", ""),
            ("*", "x"),
            ("a*", "a"),
            ("*c", "abc"),
            ("a*c", "ac"),
            ("a*b*c", "a-b-b-c"),
            ("rules[*", "rules[0.0.0.0/0]"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", "ab"),
            ("a*a", "a"),
            ("*b", "abc"),
            ("a*b*c", "a-c"),
            ("*ab*ab*", "ab"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn what_stands_for_a_text_matches_it(parts in prop::collection::vec("[ab]{0,3}", 1..5), fill in prop::collection::vec("[abc]{0,3}", 5)) {
            let text: String = parts.iter().zip(&fill).enumerate().map(|(at, (part, fill))| {
                if at == 0 { part.clone() } else { format!("{fill}{part}") }
            }).collect();
            prop_assert!(matches(&parts.join("*"), &text));
        }
    }
}

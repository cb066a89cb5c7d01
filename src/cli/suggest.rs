//! "Did you mean": the known name that is nearest to what was typed.

/// A hint that names the nearest known names, or `otherwise` when nothing is near.
pub fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>, otherwise: &str) -> String {
    let mut near: Vec<(usize, &str)> = known
        .map(|name| (distance(typed, name), name))
        .filter(|(distance, _)| *distance <= 2.max(typed.chars().count() / 3))
        .collect();
    near.sort_unstable();
    near.dedup();
    let names: Vec<String> = near.iter().take(3).map(|(_, n)| format!("`{n}`")).collect();
    match names.as_slice() {
        [] => otherwise.to_owned(),
        [one] => format!("did you mean {one}?"),
        [first @ .., last] => format!("did you mean {} or {last}?", first.join(", ")),
    }
}

/// What was typed as the beginning, or as a part between dots or dashes, is near.
fn distance(typed: &str, name: &str) -> usize {
    let whole = strsim::damerau_levenshtein(typed, name);
    if typed.len() >= 3 && name.contains(typed) {
        whole.min(1)
    } else {
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn what_is_near_is_named_and_nothing_else() {
        let known = ["vpc-green", "vpc-blue", "aurora-green"];
        let hint = |typed: &str| nearest(typed, known.into_iter(), "see the list");
        assert_eq!(hint("vpc-gren"), "did you mean `vpc-green`?");
        assert_eq!(hint("vpc"), "did you mean `vpc-blue` or `vpc-green`?");
        assert_eq!(hint("zzzzzz"), "see the list");
    }
}

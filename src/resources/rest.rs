//! What a reader does not know of an answer. A reader that looks at the members that it knows forgives all others: so it names
//! those that it reads and those that are no settings, and every other one that is set is a difference, also one that comes
//! with a later SDK.

use super::Exposed;
use std::fmt::Debug;

/// The members of a shape of the SDK that are set, without those that are named here.
macro_rules! rest {
    ($shape:expr; $($member:ident),+ $(,)?) => {{
        let mut rest = $shape.clone();
        $(rest.$member = Default::default();)+
        $crate::resources::rest::members(&rest)
    }};
}
pub(crate) use rest;

/// The members of a shape that are set, by name in words (`dead letter config`), with what they are set to.
pub(crate) fn members(shape: &impl Debug) -> Exposed {
    let all = spelled(shape).into_iter().map(|(name, lines)| {
        let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
        (name.replace('_', " "), lines.join(" "))
    });
    let set = |(name, value): (String, String)| {
        let value = value.trim_end_matches(',');
        let some = value.strip_prefix("Some( ");
        let some = some.and_then(|v| v.strip_suffix(", )"));
        let value = some.unwrap_or(value).trim_matches('"');
        (!["None", "", "[]", "false", "0"].contains(&value)).then(|| (name, value.to_owned()))
    };
    all.filter_map(set).collect()
}

/// The members of a shape with their values, line by line as they stand in its `Debug` text, which is derived: in its long form
/// each member begins a line, four blanks in. A member of a later SDK is among them.
pub(crate) fn spelled(shape: &impl Debug) -> Vec<(String, Vec<String>)> {
    /// What stands before a member of the shape itself; what stands deeper belongs to its value.
    const INDENT: &str = "    ";
    let text = format!("{shape:#?}");
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines().skip(1).take_while(|line| *line != "}") {
        let member = line.strip_prefix(INDENT).filter(|l| !l.starts_with(' '));
        match member.and_then(|l| l.split_once(": ")) {
            Some((name, value)) => all.push((name.to_owned(), vec![value.to_owned()])),
            None => all
                .last_mut()
                .into_iter()
                .for_each(|(_, value)| value.push(line.to_owned())),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use aws_sdk_eventbridge::types::{RetryPolicy, Target};

    #[test]
    fn what_is_set_and_not_named_is_left_with_its_value() {
        let retry = RetryPolicy::builder().maximum_retry_attempts(0).build();
        let target = Target::builder()
            .id("a")
            .arn("arn")
            .input_path("$.a: b")
            .retry_policy(retry);
        let target = target.build().unwrap();
        let left = rest!(target; id, arn);
        let left: Vec<(&str, &str)> = left.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let retry = "RetryPolicy { maximum_retry_attempts: Some( 0, ), maximum_event_age_in_seconds: None, }";
        assert_eq!(left, [("input path", "$.a: b"), ("retry policy", retry)]);
        assert!(rest!(target; id, arn, input_path, retry_policy).is_empty());
    }
}

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

/// The members of a shape that are set, by name in words (`dead letter config`), with what they are set to. `Debug` is derived: in
/// its long form each member begins a line, four blanks in.
pub(crate) fn members(shape: &impl Debug) -> Exposed {
    let text = format!("{shape:#?}");
    let mut all: Vec<(String, String)> = Vec::new();
    for line in text.lines().skip(1).take_while(|line| *line != "}") {
        let member = line.strip_prefix("    ").and_then(|l| l.split_once(": "));
        match member.filter(|(name, _)| !name.starts_with(' ')) {
            Some((name, value)) => all.push((name.replace('_', " "), value.to_owned())),
            None => {
                if let Some((_, value)) = all.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            }
        }
    }
    let set = |(name, value): (String, String)| {
        let value = value.trim_end_matches(',');
        let some = value.strip_prefix("Some( ");
        let some = some.and_then(|v| v.strip_suffix(", )"));
        let value = some.unwrap_or(value).trim_matches('"');
        (!["None", "", "[]", "false", "0"].contains(&value)).then(|| (name, value.to_owned()))
    };
    all.into_iter().filter_map(set).collect()
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

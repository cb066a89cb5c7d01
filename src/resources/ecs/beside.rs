//! What an answer of ECS holds beside the settings that are read by name. A reader that takes out what it knows forgives all
//! that it does not know; this one is given what is read elsewhere and what is the default, and shows all the rest.

use crate::resources::Exposed;
use crate::resources::rest::spelled;
use std::fmt::Debug;

/// A member and the text of a value that is ours or ECS's default; a member may have several.
pub(super) type Usual = (&'static str, &'static str);

/// The members of a shape that are neither in `by_name` nor as usual. A member without a usual value is one that is empty where
/// nobody set it. The SDK gives the members of its shapes in their debug form alone; so a later one is seen without a change here.
pub(super) fn beside(shape: &impl Debug, by_name: &[&str], usual: &[Usual]) -> Exposed {
    let mut all = members(shape);
    all.retain(|(name, value)| {
        let mut usual = usual.iter().filter(|(of, _)| of == name).peekable();
        let is_usual = match usual.peek() {
            Some(_) => value == "None" || usual.any(|(_, text)| text == value),
            None => is_empty(value),
        };
        !by_name.contains(&name.as_str()) && !is_usual
    });
    all.into_iter().collect()
}

/// Nothing, or what ECS puts in its place: also a shape of which no member is set.
fn is_empty(value: &str) -> bool {
    let nothing = ["None", "0", "false", "\"\"", "[]", "{}"];
    nothing.contains(&value) || value.ends_with(" {}")
}

/// The members of a shape, each with its value as text.
pub(super) fn members(shape: &impl Debug) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for (name, mut lines) in spelled(shape) {
        // A map has no order of its own.
        let runs = lines.chunk_by_mut(|a, b| is_entry(a) && is_entry(b));
        runs.for_each(|run| {
            if run.len() > 1 {
                run.sort_unstable();
            }
        });
        let mut lines = lines.into_iter();
        let mut value = lines.next().unwrap_or_default();
        lines.for_each(|line| append(&mut value, line.trim_start()));
        out.push((name, value));
    }
    for (_, value) in &mut out {
        let whole = value.strip_suffix(',').unwrap_or(value);
        let inner = whole.strip_prefix("Some(");
        let inner = inner.and_then(|rest| rest.strip_suffix(')'));
        // A choice that is called `None` is one that somebody made.
        let inner = inner.filter(|text| *text != "None");
        *value = inner.unwrap_or(whole).to_owned();
    }
    out
}

/// An entry of a map of texts. A quote within a text is written `\"`.
fn is_entry(line: &str) -> bool {
    let mut parts = line.trim_start().split("\": \"");
    let key = parts.next().unwrap_or_default();
    key.starts_with('"') && !key.ends_with('\\') && parts.next().is_some()
}

/// Adds a line of a value: without members that are not set, and without the comma before the end of a list.
fn append(value: &mut String, line: &str) {
    let unset = line.strip_suffix(": None,");
    if unset.is_some_and(|name| !name.contains('"')) {
        return;
    }
    if line.starts_with([']', ')', '}']) && value.ends_with(',') {
        value.pop();
    }
    value.push_str(line);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use aws_sdk_ecs::types::{
        ContainerDefinition, HealthCheck, KernelCapabilities, LinuxParameters,
    };

    /// Every member of a shape is either read by name or shown, when all that are not read are set. A new version of the SDK
    /// with a new member fails here, and wants the member set in the test.
    pub fn shows_all(shape: &impl Debug, by_name: &[&str], shown: &Exposed) {
        let all = members(shape);
        for (name, _) in &all {
            let named = by_name.contains(&name.as_str());
            assert!(named != shown.contains_key(name), "{name}");
        }
        for name in by_name {
            assert!(all.iter().any(|(member, _)| member == name), "{name}");
        }
    }

    #[test]
    fn what_is_set_is_one_line_and_what_is_not_is_left_out() {
        let add = KernelCapabilities::builder().add("SYS_PTRACE").build();
        let linux = LinuxParameters::builder().capabilities(add).build();
        let container = ContainerDefinition::builder()
            .cpu(0)
            .command("sh")
            .command("a\n: b,")
            .interactive(false)
            .privileged(true)
            .docker_labels("b", "2")
            .docker_labels("a", "1")
            .set_links(Some(Vec::new()))
            .linux_parameters(linux)
            .build();
        const SECRET: [&str; 2] = ["environment", "repository_credentials"];
        let shown = beside(&container, &SECRET, &[("privileged", "true")]);
        let shown: Vec<(&str, &str)> = shown.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(
            shown,
            [
                ("command", r#"["sh","a\n: b,"]"#),
                ("docker_labels", r#"{"a": "1","b": "2"}"#),
                (
                    "linux_parameters",
                    r#"LinuxParameters {capabilities: Some(KernelCapabilities {add: Some(["SYS_PTRACE"])})}"#
                ),
            ]
        );
    }

    #[test]
    fn a_default_of_its_own_makes_false_a_difference() {
        let container = ContainerDefinition::builder();
        let [unset, yes, no] = [None, Some(true), Some(false)].map(|essential| {
            let container = container.clone().set_essential(essential).build();
            let shown = beside(&container, &[], &[("essential", "true")]);
            shown.contains_key("essential")
        });
        assert_eq!([unset, yes, no], [false, false, true]);
    }

    #[test]
    fn the_value_of_a_member_ends_where_the_next_begins() {
        let health = HealthCheck::builder().command("CMD").retries(3).build();
        let members = members(&health.unwrap());
        let of = |name: &str| members.iter().find(|(member, _)| member == name);
        assert_eq!(of("command").unwrap().1, r#"["CMD"]"#);
        assert_eq!(of("retries").unwrap().1, "3");
        assert_eq!(of("timeout").unwrap().1, "None");
    }
}

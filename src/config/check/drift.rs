//! Which environments a deployment has, and which differences drift accepts for a time.

use super::super::AcceptRule;
use super::super::parse::{Checked, Given, refused};
use super::text;
use jiff::civil::Date;
use std::collections::BTreeMap;
use toml::de::DeValue;

/// `blue`, `green` or both.
pub(in crate::config) fn environments(given: &Given<'_>) -> Checked<Vec<String>> {
    let Some(items) = given.as_array() else {
        return refused();
    };
    let mut all = Vec::new();
    for item in items {
        let name = text(item.get_ref())?;
        if !["blue", "green"].contains(&name.as_str()) {
            return Err(format!("`{name}` is none"));
        }
        if all.contains(&name) {
            return Err(format!("`{name}` stands there twice"));
        }
        all.push(name);
    }
    all.sort();
    if all.is_empty() { refused() } else { Ok(all) }
}

/// Rules of `[[drift.accept]]`.
pub(in crate::config) fn accept(given: &Given<'_>) -> Checked<Vec<AcceptRule>> {
    let Some(items) = given.as_array() else {
        return refused();
    };
    let rules = items.iter().enumerate();
    rules
        .map(|(at, item)| rule(item.get_ref()).map_err(|why| format!("rule {}: {why}", at + 1)))
        .collect()
}

fn rule(given: &Given<'_>) -> Result<AcceptRule, String> {
    let Some(table) = given.as_table() else {
        return Err("it is no table".into());
    };
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in table {
        let name = name.get_ref().as_ref();
        let text = match value.get_ref() {
            DeValue::Datetime(date) if name == "until" => date.to_string(),
            other if ["step", "path", "reason", "until"].contains(&name) => {
                let given = text(other).map_err(|why| format!("`{name}` {why}"))?;
                if given.trim().is_empty() {
                    return Err(format!("`{name}` is empty"));
                }
                given
            }
            _ => return Err(format!("it has no key `{name}`")),
        };
        texts.insert(name, text);
    }
    let path = texts.remove("path");
    let mut take = |name| {
        texts
            .remove(name)
            .ok_or_else(|| format!("`{name}` is missing"))
    };
    let (step, reason, until) = (take("step")?, take("reason")?, take("until")?);
    let until: Date = until
        .parse()
        .ok()
        .filter(|_| until.len() == 10)
        .ok_or_else(|| format!("`until` is {until}, not a day such as 2026-12-31"))?;
    Ok(AcceptRule {
        step,
        path,
        reason,
        until,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Checked<Vec<AcceptRule>> {
        accept(DeValue::parse(text).unwrap().get_ref())
    }

    #[test]
    fn a_rule_has_a_step_a_reason_and_a_last_day() {
        let rules = read("[{step = 'sg-*', path = 'ingress.*', reason = 'r', until = 2026-12-31}, {step = 'a', reason = 'b', until = '2027-01-01'}]").unwrap();
        assert_eq!(rules[0].path.as_deref(), Some("ingress.*"));
        assert_eq!(rules[1].until.to_string(), "2027-01-01");
        for (text, why) in [
            (
                "[{step = 'a', until = 2026-12-31}]",
                "rule 1: `reason` is missing",
            ),
            ("[{step = 'a', reason = 'r'}]", "rule 1: `until` is missing"),
            (
                "[{step = ' ', reason = 'r', until = 2026-12-31}]",
                "rule 1: `step` is empty",
            ),
            (
                "[{step = 'a', reason = 'r', until = 'soon'}]",
                "rule 1: `until` is soon, not a day such as 2026-12-31",
            ),
            (
                "[{step = 'a', reason = 'r', until = 2026-12-31T00:00:00Z}]",
                "rule 1: `until` is 2026-12-31T00:00:00Z, not a day such as 2026-12-31",
            ),
            ("[{steps = 'a'}]", "rule 1: it has no key `steps`"),
            ("['a']", "rule 1: it is no table"),
            ("'a'", ""),
        ] {
            assert_eq!(read(text).unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn environments_are_named_once() {
        let read = |text: &str| environments(DeValue::parse(text).unwrap().get_ref());
        assert_eq!(read("['green', 'blue']").unwrap(), ["blue", "green"]);
        for wrong in ["[]", "['red']", "['blue', 'blue']", "'blue'"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}

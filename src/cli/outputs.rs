//! `deployer outputs`: ids, names and endpoints, for people and for scripts.

use super::Context;
use super::error::Failure;
use super::exit::Exit;
use super::inspect::{local, resolved};
use super::quoted;
use super::session::{home, offline_graph};
use super::suggest::nearest;
use crate::report::{self, OutputsDocument};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::collections::BTreeMap;

/// How values are written.
#[derive(Debug, Clone, Copy, Args)]
pub struct Form {
    /// How the values are written [default: a table, or the bare value of a single one].
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,
}

/// The formats of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The bare value of one output; the elements of a list separated by spaces.
    Raw,
    /// One value a line.
    List,
    /// NAME=value lines that a shell can read; the elements of a list separated by commas.
    Env,
}

/// Ids, names and endpoints.
pub async fn outputs(cx: &Context<'_>, name: Option<&str>, form: Form) -> Result<Exit, Failure> {
    let (config, state, _) = local(cx).await?;
    let mut outputs = resolved(&offline_graph(cx, &config, &state)?, &state);
    if let Some(name) = name {
        outputs = below(outputs, name)?;
    }
    let home = home(&state, None);
    if cx.console.json() {
        if form.format.is_some() {
            return Err(Failure::usage("--format and --json exclude each other"));
        }
        let document = OutputsDocument { home, outputs };
        cx.console.document(&document)?;
        return Ok(Exit::Done);
    }
    let mut values = BTreeMap::new();
    for (name, value) in &outputs {
        flat(name, value, &mut values);
    }
    let single = values.len() == 1 && name.is_some();
    let text = match form.format {
        None if single => lines(&values)?,
        None => report::outputs(&outputs),
        Some(Format::List) => lines(&values)?,
        Some(Format::Env) => env(&values),
        Some(Format::Raw) => {
            let mut all = values.iter();
            match (all.next(), all.next()) {
                (Some((name, value)), None) => format!("{}\n", elements(name, value)?.join(" ")),
                _ => {
                    let text = format!(
                        "--format raw is for one output, and these are {}",
                        values.len()
                    );
                    return Err(Failure::usage(text).hint("name one, or use --format env"));
                }
            }
        }
    };
    cx.console.result(&text)?;
    Ok(Exit::Done)
}

/// The output of this name, or all below it.
fn below(outputs: BTreeMap<String, Value>, name: &str) -> Result<BTreeMap<String, Value>, Failure> {
    if let Some(value) = outputs.get(name) {
        return Ok(BTreeMap::from([(name.to_owned(), value.clone())]));
    }
    let mut flat_values = BTreeMap::new();
    for (name, value) in &outputs {
        flat(name, value, &mut flat_values);
    }
    let inside = format!("{name}.");
    let is_below = |key: &String| key == name || key.starts_with(&inside);
    let found: BTreeMap<_, _> = flat_values
        .iter()
        .filter(|(key, _)| is_below(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if found.is_empty() {
        let known = flat_values.keys().map(String::as_str);
        return Err(
            Failure::usage(format!("there is no output `{name}`")).hint(nearest(
                name,
                known,
                "`deployer outputs` shows all",
            )),
        );
    }
    Ok(found)
}

fn flat(name: &str, value: &Value, out: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => map
            .iter()
            .for_each(|(key, value)| flat(&format!("{name}.{key}"), value, out)),
        other => drop(out.insert(name.to_owned(), other.clone())),
    }
}

fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The elements of a list, or the one value. What is not known yet is an error: a script must not go on with nothing.
fn elements(name: &str, value: &Value) -> Result<Vec<String>, Failure> {
    match value {
        Value::Null => Err(Failure::new(
            Exit::Failed,
            format!("the output `{name}` is not known yet"),
        )
        .hint("it is known after `deployer apply`")),
        Value::Array(items) => Ok(items.iter().map(bare).collect()),
        other => Ok(vec![bare(other)]),
    }
}

fn lines(values: &BTreeMap<String, Value>) -> Result<String, Failure> {
    let mut out = String::new();
    for (name, value) in values {
        for element in elements(name, value)? {
            out.push_str(&element);
            out.push('\n');
        }
    }
    Ok(out)
}

/// What is not known yet is left out, with a comment.
fn env(values: &BTreeMap<String, Value>) -> String {
    let mut out = String::new();
    for (name, value) in values {
        let variable: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect();
        match elements(name, value) {
            Ok(all) => out.push_str(&format!("{variable}={}\n", quoted(&all.join(",")))),
            Err(_) => out.push_str(&format!("# {variable} is not known yet\n")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn all() -> BTreeMap<String, Value> {
        BTreeMap::from([
            ("green.database.port".to_owned(), json!(5432)),
            ("green.database.host".to_owned(), json!("a b")),
            (
                "green.subnet_ids".to_owned(),
                json!({"app": ["s-1", "s-2"], "db": []}),
            ),
            ("green.later".to_owned(), Value::Null),
        ])
    }

    #[test]
    fn a_name_means_itself_or_all_below_it() {
        let names =
            |name: &str| below(all(), name).map(|found| found.into_keys().collect::<Vec<_>>());
        assert_eq!(
            names("green.database.port").unwrap(),
            ["green.database.port"]
        );
        assert_eq!(
            names("green.database").unwrap(),
            ["green.database.host", "green.database.port"]
        );
        assert_eq!(
            names("green.subnet_ids.app").unwrap(),
            ["green.subnet_ids.app"]
        );
        let hint = names("green.databse.port").unwrap_err().hint.unwrap();
        assert_eq!(
            hint,
            "did you mean `green.database.port` or `green.database.host`?"
        );
    }

    #[test]
    fn values_are_bare_and_a_shell_can_read_them() {
        let mut values = BTreeMap::new();
        all()
            .iter()
            .for_each(|(name, value)| flat(name, value, &mut values));
        assert_eq!(
            env(&values),
            "GREEN_DATABASE_HOST='a b'\nGREEN_DATABASE_PORT=5432\n# GREEN_LATER is not known yet\nGREEN_SUBNET_IDS_APP=s-1,s-2\nGREEN_SUBNET_IDS_DB=''\n"
        );
        let app = below(all(), "green.subnet_ids.app").unwrap();
        assert_eq!(lines(&app).unwrap(), "s-1\ns-2\n");
        assert!(lines(&values).is_err());
    }
}

//! Reads a file into a [`Config`], key by key through the table, and collects every problem on the way.

use super::parse::Given;
use super::words::{join, names, nearest, refusal, shown};
use super::{Config, ConfigError, Key, Problem, cross, keys};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The file that is read when no other is named; it may be absent.
pub const DEFAULT_FILE: &str = "deployer.toml";

/// Keys that have another name since they were published, so that an old file says what to change.
const RENAMED: [(&str, &str); 2] = [
    ("run.held_seconds", "run.in_use_timeout_seconds"),
    ("run.patience_seconds", "run.consistency_timeout_seconds"),
];

/// What the command line (or its environment variables) says in place of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--suffix`, `DEPLOYER_SUFFIX`.
    pub suffix: Option<String>,
    /// `--state`, `DEPLOYER_STATE`.
    pub state: Option<String>,
    /// `--region`.
    pub region: Option<String>,
    /// `--parallelism`.
    pub parallelism: Option<usize>,
    /// What AWS's environment says where neither flag nor file do: the region, and who names it (`AWS_REGION`).
    pub environment_region: Option<(String, String)>,
}

impl Overrides {
    /// Each key that can be overridden, with the flag and the value that it got.
    fn all(&self) -> [(&'static str, &'static str, Option<Value>); 4] {
        let text = |given: &Option<String>| given.clone().map(Value::Text);
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX).to_string();
        [
            ("suffix", "--suffix", text(&self.suffix)),
            ("region", "--region", text(&self.region)),
            ("state", "--state", text(&self.state)),
            (
                "run.parallelism",
                "--parallelism",
                self.parallelism.map(|n| Value::Number(number(n))),
            ),
        ]
    }
}

impl Overrides {
    /// The keys that are overridden, with their flags.
    pub(super) fn given(&self) -> Vec<(&'static str, &'static str)> {
        let all = self.all().into_iter();
        all.filter_map(|(path, flag, value)| value.map(|_| (path, flag)))
            .collect()
    }
}

impl Config {
    /// Loads and validates: an override takes precedence over the file, the file over the default. `None` reads
    /// [`DEFAULT_FILE`] of the working directory if it is there; a file that is named must exist.
    pub fn load(path: Option<&Path>, overrides: Overrides) -> Result<Self, ConfigError> {
        loaded(path, overrides).map(|(config, _)| config)
    }

    /// Which file [`Config::load`] reads, in words: its name, or that the defaults are used.
    pub fn source(path: Option<&Path>) -> String {
        match path {
            Some(path) => path.display().to_string(),
            None if Path::new(DEFAULT_FILE).exists() => DEFAULT_FILE.to_owned(),
            None => format!("defaults (no {DEFAULT_FILE} here)"),
        }
    }

    /// The same from a text; `name` is what errors call it.
    #[cfg(test)]
    pub fn parse(name: &str, text: &str, overrides: Overrides) -> Result<Self, ConfigError> {
        parsed(name, text, overrides).map(|(config, _)| config)
    }
}

/// The lines on which keys stand.
pub(super) type Lines = BTreeMap<&'static str, usize>;

/// [`Config::load`] with the lines of the file.
pub(super) fn loaded(
    path: Option<&Path>,
    overrides: Overrides,
) -> Result<(Config, Lines), ConfigError> {
    let name = path.map_or_else(|| DEFAULT_FILE.to_owned(), |p| p.display().to_string());
    let text = match std::fs::read_to_string(path.unwrap_or(Path::new(DEFAULT_FILE))) {
        Ok(text) => text,
        Err(e) if path.is_none() && e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => {
            let hint = if e.kind() == std::io::ErrorKind::NotFound {
                "; leave --config out to use the defaults, or write one with `deployer config`"
            } else {
                ""
            };
            let problem = Problem {
                line: None,
                key: String::new(),
                text: format!("the configuration `{name}` cannot be read: {e}{hint}"),
            };
            return Err(ConfigError::new(&name, vec![problem]));
        }
    };
    parsed(&name, &text, overrides)
}

fn parsed(name: &str, text: &str, overrides: Overrides) -> Result<(Config, Lines), ConfigError> {
    let mut loader = Loader {
        text,
        config: Config::default(),
        problems: Vec::new(),
        lines: BTreeMap::new(),
        bad: Vec::new(),
    };
    match DeTable::parse(text) {
        Ok(table) => loader.table("", table.get_ref(), &overrides),
        Err(e) => loader.problems.push(Problem {
            line: Some(loader.line(e.span())),
            key: String::new(),
            text: format!(
                "this is not TOML: {}",
                e.message().trim().replace('\n', "; ")
            ),
        }),
    }
    loader.region(name, &overrides);
    loader.flags(&overrides);
    loader.cross_checks();
    if loader.problems.is_empty() {
        Ok((loader.config, loader.lines))
    } else {
        Err(ConfigError::new(name, loader.problems))
    }
}

struct Loader<'a> {
    text: &'a str,
    config: Config,
    problems: Vec<Problem>,
    lines: BTreeMap<&'static str, usize>,
    bad: Vec<&'static str>,
}

impl Loader<'_> {
    fn line(&self, span: Option<Range<usize>>) -> usize {
        let end = span.map_or(0, |s| s.start).min(self.text.len());
        self.text.as_bytes()[..end]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1
    }

    fn table(&mut self, above: &str, table: &DeTable<'_>, overrides: &Overrides) {
        for (name, value) in table {
            let path = join(above, name.get_ref());
            let line = self.line(Some(name.span()));
            if let Some(key) = keys().iter().find(|k| k.path == path) {
                let flag = overrides
                    .all()
                    .iter()
                    .any(|(path, _, value)| *path == key.path && value.is_some());
                self.lines.insert(key.path, line);
                // A value that a flag stands in for is not used, so it is not judged either.
                if !flag {
                    self.take(key, value, line);
                }
            } else if keys().iter().any(|k| k.section() == path) {
                match value.get_ref() {
                    DeValue::Table(inner) => self.table(&path, inner, overrides),
                    other => self.problem(
                        line,
                        &path,
                        format!(
                            "`{path}` is {}; it takes a table of keys: {}",
                            shown(other),
                            names(&path)
                        ),
                    ),
                }
            } else if let Some((_, new)) = RENAMED.iter().find(|(old, _)| *old == path) {
                self.problem(
                    line,
                    &path,
                    format!("`{path}` is now called `{new}`; rename it"),
                );
            } else {
                let tip = nearest(&path).map_or_else(
                    || "`deployer config` prints all keys".to_owned(),
                    |near| format!("the nearest known one is `{near}`"),
                );
                self.problem(line, &path, format!("unknown key `{path}`; {tip}"));
            }
        }
    }

    fn take(&mut self, key: &'static Key, value: &Spanned<DeValue<'_>>, line: usize) {
        if let Err(why) = (key.set)(&mut self.config, value.get_ref()) {
            let before = self.problems.len();
            self.bad.push(key.path);
            if let (true, DeValue::Table(table)) = (key.is_table(), value.get_ref()) {
                self.entries(key, table);
            }
            if self.problems.len() == before {
                self.problem(
                    line,
                    key.path,
                    refusal(key.path, value.get_ref(), key, &why),
                );
            }
        }
    }

    /// What is wrong with a table of the user's own keys: each entry that is refused by itself, on its own line; then the first
    /// of the others that does not go with those above it.
    fn entries(&mut self, key: &'static Key, table: &DeTable<'_>) {
        let mut given: Vec<_> = table.iter().collect();
        given.sort_by_key(|(name, _)| name.span().start);
        let config = self.config.clone();
        let refused = |entries: &[_]| {
            let copied = entries
                .iter()
                .map(|(name, value): &(&Spanned<_>, &Spanned<_>)| {
                    ((*name).clone(), (*value).clone())
                });
            let part = DeValue::Table(copied.collect());
            let wrong = (key.set)(&mut config.clone(), &part).err();
            wrong.map(|why| refusal(key.path, &part, key, &why))
        };
        let mut fine = Vec::new();
        for entry in given {
            fine.push(entry);
            let text = refused(&[entry]).or_else(|| refused(&fine));
            if let Some(text) = text {
                fine.pop();
                let line = self.line(Some(entry.0.span()));
                self.problem(line, key.path, text);
            }
        }
    }

    fn problem(&mut self, line: usize, key: &str, text: String) {
        self.problems.push(Problem {
            line: Some(line),
            key: key.to_owned(),
            text,
        });
    }

    /// The region and who says so: flag, file, AWS's environment, default.
    fn region(&mut self, file: &str, overrides: &Overrides) {
        if overrides.region.is_some() {
            self.config.region_source = "--region".into();
            return;
        }
        let given = overrides.environment_region.as_ref();
        if self.lines.contains_key("region") {
            self.config.region_source = file.to_owned();
            let other = given.filter(|(region, _)| *region != self.config.region);
            self.config.other_region = other.cloned();
            return;
        }
        let Some((region, source)) = given else {
            return;
        };
        self.config.region_source.clone_from(source);
        let Some(key) = keys().iter().find(|k| k.path == "region") else {
            return;
        };
        let value = DeValue::String(region.into());
        if let Err(why) = (key.set)(&mut self.config, &value) {
            self.bad.push(key.path);
            self.problems.push(Problem {
                line: None,
                key: source.clone(),
                text: refusal(source, &value, key, &why),
            });
        }
    }

    fn flags(&mut self, overrides: &Overrides) {
        for (path, flag, value) in overrides.all() {
            let (Some(value), Some(key)) = (value, keys().iter().find(|k| k.path == path)) else {
                continue;
            };
            let wrong = value.with(|given| {
                (key.set)(&mut self.config, given)
                    .err()
                    .map(|why| refusal(flag, given, key, &why))
            });
            if let Some(text) = wrong {
                self.bad.push(key.path);
                self.problems.push(Problem {
                    line: None,
                    key: flag.to_owned(),
                    text,
                });
            }
        }
    }

    fn cross_checks(&mut self) {
        for broken in cross::broken(&self.config) {
            if broken.keys.iter().any(|k| self.bad.contains(k)) {
                continue;
            }
            let line = broken.keys.iter().find_map(|k| self.lines.get(k)).copied();
            self.problems.push(Problem {
                line,
                key: broken
                    .keys
                    .first()
                    .map_or_else(String::new, |k| (*k).to_owned()),
                text: broken.text,
            });
        }
    }
}

/// A value of a flag.
enum Value {
    Text(String),
    Number(String),
}

impl Value {
    fn with<T>(self, act: impl FnOnce(&Given<'_>) -> T) -> T {
        match self {
            Self::Text(text) => act(&DeValue::String(text.into())),
            // A number that is not one of TOML's is refused like any other wrong value.
            Self::Number(text) => match DeValue::parse(&text) {
                Ok(value) => act(value.get_ref()),
                Err(_) => act(&DeValue::String(text.clone().into())),
            },
        }
    }
}

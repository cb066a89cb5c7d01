//! A saved plan: what was planned, and of what.
//!
//! `apply FILE` makes the plan anew from configuration, state and account, and runs it only when it is the saved one, value
//! for value: the file holds a digest of every node, and nothing in it is ever executed. So a file that was changed can only
//! be refused. It holds no secret, because a plan has no place for one.

use super::super::error::Failure;
use super::super::exit::Exit;
use super::super::session::Session;
use super::super::version::VERSION;
use crate::config::{Config, keys};
use crate::engine::plan::{Allowed, Choice, Node, Plan};
use crate::report::{DeploymentRef, PlanDocument};
use crate::state::{self, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The format, and the only one that this program reads.
const SCHEMA: &str = "deployer.saved-plan/1";

/// Steps that are named at most.
const NAMED: usize = 5;

/// What a plan was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// `blue` or `green`, when only one is meant.
    pub scope: Option<String>,
    /// The steps that were chosen; all when it is empty.
    pub steps: Vec<String>,
    /// What is to become of data.
    pub choice: Option<Choice>,
    /// What is allowed beyond a plain run.
    pub allowed: Allowed,
    /// When it was made; final snapshots are named by it.
    pub at: Timestamp,
}

/// What a plan is made of besides the account: digests, so that the file need not hold the values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seal {
    suffix: String,
    account: String,
    region: String,
    /// The digest of the whole configuration, as other documents and the history of runs have it. Not compared: it also covers keys
    /// that change nothing about a plan.
    #[serde(default)]
    configuration_digest: String,
    /// The digest of each key of the configuration.
    configuration: BTreeMap<String, String>,
    state: StateSeal,
}

/// Which state it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StateSeal {
    /// For people.
    serial: u64,
    /// Of everything that is recorded.
    digest: String,
    /// Of the last line of the history of runs, in which every run leaves two.
    history: String,
}

/// What stands in the file, under the checksum.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    deployer: String,
    asked: Asked,
    made_of: Seal,
    /// The digest of every node.
    nodes: BTreeMap<String, String>,
    /// The plan, for people and policy checks; it is not read again.
    plan: Value,
}

#[derive(Serialize, Deserialize)]
struct File<'a> {
    schema: String,
    checksum: String,
    #[serde(borrow)]
    content: &'a RawValue,
}

/// A plan that was read from a file.
pub struct Saved {
    content: Content,
    path: PathBuf,
}

/// Where a plan is going to be saved. The file appears whole or not at all; a device or a pipe gets the plan and stays what it is.
pub struct Output {
    /// None for a device or a pipe.
    file: Option<NamedTempFile>,
    /// At the end of symbolic links.
    path: PathBuf,
    shown: String,
}

impl Output {
    /// Opens a file beside it, before the first call: that it cannot be written is no discovery for the end.
    pub fn at(path: &Path) -> Result<Self, Failure> {
        let wrong = |e: &std::io::Error| Failure::unwritable("--out", path, e);
        if path.is_dir() {
            return Err(wrong(&ErrorKind::IsADirectory.into()));
        }
        let shown = path.display().to_string();
        if state::is_special(path) {
            return Ok(Self {
                file: None,
                path: path.to_owned(),
                shown,
            });
        }
        let end = state::end_of_links(path);
        let folder = end.parent().filter(|p| !p.as_os_str().is_empty());
        let file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
        Ok(Self {
            file: Some(file.map_err(|e| wrong(&e))?),
            path: end,
            shown,
        })
    }

    /// Writes the plan; gives the name of its file.
    pub fn write(
        self,
        made_of: Seal,
        asked: Asked,
        plan: &Plan,
        document: &PlanDocument,
    ) -> Result<String, Failure> {
        let failed = |e: serde_json::Error| Failure::from(std::io::Error::from(e));
        let content = Content {
            deployer: VERSION.to_owned(),
            asked,
            made_of,
            nodes: nodes(plan),
            plan: serde_json::to_value(document).map_err(failed)?,
        };
        let content = serde_json::value::to_raw_value(&content).map_err(failed)?;
        let file = File {
            schema: SCHEMA.to_owned(),
            checksum: hex(content.get().as_bytes()),
            content: &content,
        };
        let mut text = serde_json::to_string(&file).map_err(failed)?;
        text.push('\n');
        let (path, shown) = (self.path, self.shown);
        let written = match self.file {
            None => state::write_into(&path, text.as_bytes()),
            Some(mut file) => {
                file.write_all(text.as_bytes())?;
                file.as_file().sync_all()?;
                file.persist(&path).map(drop).map_err(|e| e.error)
            }
        };
        written.map_err(|e| Failure::new(Exit::Failed, format!("--out {shown}: {e}")))?;
        Ok(shown)
    }
}

/// What the plan of this session and this state, as it was read, is made of.
pub async fn seal(session: &Session, state: &State) -> Result<Seal, Failure> {
    let history = state::history(session.store.as_ref()).await?;
    Ok(Seal {
        account: session.account.clone(),
        ..of(&session.config, state, &history)
    })
}

/// The same as far as it is known without a call.
pub fn of(config: &Config, state: &State, history: &state::History) -> Seal {
    // The serial grows when a killed run's journal is folded in, and that is no other state.
    let mut content = serde_json::to_value(state).unwrap_or_default();
    if let Some(map) = content.as_object_mut() {
        map.remove("serial");
    }
    // How a run behaves, who hears of it and what drift accepts is no part of what is done.
    let apart = ["run.", "notify.", "drift."];
    let mut configuration: BTreeMap<String, String> = keys()
        .iter()
        .filter(|k| !apart.iter().any(|head| k.path.starts_with(head)))
        .map(|k| (k.path.to_owned(), hex(k.value(config).as_bytes())))
        .collect();
    let mapping = hex(config.migration.mapping.text.as_bytes());
    configuration.insert("migration.mapping (content)".to_owned(), mapping);
    let last = history.lines.last();
    let last = last.map(|line| serde_json::to_vec(line).unwrap_or_default());
    Seal {
        suffix: config.suffix.clone(),
        account: String::new(),
        region: config.region.clone(),
        configuration_digest: config.digest(),
        configuration,
        state: StateSeal {
            serial: state.serial,
            digest: hex(content.to_string().as_bytes()),
            history: hex(&last.unwrap_or_default()),
        },
    }
}

impl Saved {
    /// Reads and checks a file. Nothing is called.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|e| Failure::usage(format!("the saved plan {shown} cannot be read: {e}")))?;
        let no_plan = |why: String| {
            Failure::usage(format!(
                "{shown} is no saved plan: {why}; nothing was called"
            ))
            .hint("`deployer plan --out FILE` makes one")
        };
        let file: File<'_> = serde_json::from_str(&text).map_err(|e| no_plan(e.to_string()))?;
        if file.schema != SCHEMA {
            return Err(no_plan(format!(
                "its format is `{}`, and this deployer reads `{SCHEMA}`",
                file.schema
            )));
        }
        if hex(file.content.get().as_bytes()) != file.checksum {
            return Err(no_plan(
                "its content does not fit its checksum: it is damaged, or somebody changed it"
                    .into(),
            ));
        }
        let content: Content =
            serde_json::from_str(file.content.get()).map_err(|e| no_plan(e.to_string()))?;
        Ok(Self {
            content,
            path: path.to_owned(),
        })
    }

    /// What it was asked for.
    pub fn asked(&self) -> &Asked {
        &self.content.asked
    }

    /// Refuses another deployer, configuration, region or state.
    pub fn check(&self, now: &Seal) -> Result<(), Failure> {
        let then = &self.content.made_of;
        let mut why = Vec::new();
        if self.content.deployer != VERSION {
            why.push(format!(
                "it was made by deployer {}, and this is {VERSION}",
                self.content.deployer
            ));
        }
        for (what, then, now) in [
            ("suffix", &then.suffix, &now.suffix),
            ("region", &then.region, &now.region),
        ] {
            if then != now {
                why.push(format!("it is of {what} {then}, and this run is in {now}"));
            }
        }
        let keys: BTreeSet<&String> = then
            .configuration
            .keys()
            .chain(now.configuration.keys())
            .collect();
        let other: Vec<&str> = keys
            .into_iter()
            .filter(|k| then.configuration.get(*k) != now.configuration.get(*k))
            .map(String::as_str)
            .collect();
        if !other.is_empty() {
            why.push(format!("the configuration has changed: {}", some(&other)));
        }
        if then.state.digest != now.state.digest {
            why.push(format!(
                "the state has changed (serial {} then, {} now)",
                then.state.serial, now.state.serial
            ));
        } else if then.state.history != now.state.history {
            why.push("another run has ended since (`deployer state history` shows it)".into());
        }
        self.refuse(why)
    }

    /// Refuses credentials of another account.
    pub fn check_account(&self, home: &DeploymentRef) -> Result<(), Failure> {
        let then = &self.content.made_of.account;
        let other = *then != home.account;
        self.refuse(
            other
                .then(|| {
                    format!(
                        "it is of account {then}, and the credentials belong to {}",
                        home.account
                    )
                })
                .into_iter()
                .collect(),
        )
    }

    /// Refuses a plan that is not the saved one: what is found in the account has changed.
    pub fn check_plan(&self, plan: &Plan) -> Result<(), Failure> {
        let now = nodes(plan);
        let then = &self.content.nodes;
        let keys: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
        let other = keys.into_iter().filter(|k| then.get(*k) != now.get(*k));
        let steps: BTreeSet<&str> = other
            .map(|k| k.split_once(' ').map_or(k.as_str(), |(_, step)| step))
            .collect();
        let steps: Vec<&str> = steps.into_iter().collect();
        if steps.is_empty() {
            return Ok(());
        }
        self.refuse(vec![format!(
            "what is found in the account has changed, and with it what would be done to {}",
            some(&steps)
        )])
    }

    fn refuse(&self, why: Vec<String>) -> Result<(), Failure> {
        if why.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Refused,
            format!(
                "the saved plan {} does not hold any more: {}; nothing was changed",
                self.path.display(),
                why.join("; ")
            ),
        )
        .hint("make, review and save a new one: `deployer plan --out FILE`"))
    }
}

fn some(names: &[&str]) -> String {
    let shown = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The digest of every node, by what it does and its step.
fn nodes(plan: &Plan) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for node in &plan.nodes {
        let op = serde_json::to_value(node.op).unwrap_or_default();
        let name = format!("{} {}", op.as_str().unwrap_or_default(), node.step);
        out.insert(name, hex(node_text(plan, node).as_bytes()));
    }
    for step in &plan.forget {
        out.insert(format!("forget {step}"), String::new());
    }
    out
}

/// Everything that decides what a node does. How much data there is changes all the time; that there is some, and what
/// becomes of it, does not.
fn node_text(plan: &Plan, node: &Node) -> String {
    let needs = node.needs.iter();
    let needs: BTreeSet<String> = needs
        .map(|(to, strength)| format!("{} {strength:?}", plan.nodes[*to].step))
        .collect();
    json!({
        "kind": node.kind,
        "scope": node.scope,
        "name": node.name,
        "verb": node.verb,
        "spec": node.spec,
        "tags": node.tags,
        "changes": node.changes,
        "reasons": node.reasons,
        "needs": needs,
        "restored_from": node.restore.as_ref().map(|b| &b.name),
        "replaces": node.replaces.as_ref().map(|(id, _)| id),
        "found": node.live.as_ref().map(|l| &l.outputs),
        "holds": node.loss.data.is_some(),
        "protected": node.loss.protected,
        "deletion": node.loss.options,
    })
    .to_string()
}

fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

//! Commands that only look at what is on this machine: `status`, `graph`; what `outputs` shows.

use super::Context;
use super::args::{GraphFormat, Scope};
use super::connection::{state_folder, store};
use super::error::Failure;
use super::exit::Exit;
use super::session::{configuration, home, offline_graph};
use super::split;
use crate::config::Config;
use crate::engine::Graph;
use crate::engine::reference::{has_placeholder, resolve};
use crate::report::{self, DeploymentRow, OverviewDocument, StatusDocument};
use crate::state::{self, History, LocalStore, State, StateError, Store};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// What is recorded.
pub async fn status(cx: &Context<'_>, scope: &Scope) -> Result<Exit, Failure> {
    let (config, state, store) = local(cx).await?;
    let scope = scope.env.map(super::args::EnvName::name);
    let holder = store.holder().await?.map(|h| h.to_string());
    let paint = cx.console.paint();
    let split = split::attention(&config, &state, None);
    let mut attention = report::attention(&state, scope);
    attention.extend(split.clone());
    // The state does not depend on it.
    let history = match state::history(store.as_ref()).await {
        Err(error @ StateError::Damaged { .. }) => {
            cx.console.warning(&error.to_string())?;
            History::default()
        }
        history => history?,
    };
    let last = history.lines.last();
    let mut text = report::status(&state, scope, holder.as_deref(), paint);
    if state.steps.is_empty() {
        // From the wrong folder everything looks as if it was never made.
        let file = Config::source(cx.common.config.as_deref());
        text += &format!(
            "looked in {}, configuration {file}\n",
            store.state_name().display()
        );
    }
    text = text
        + &last.map(report::last_run).unwrap_or_default()
        + &report::attention_text(&attention, paint);
    let document = StatusDocument::new(home(&state, scope), &state, holder);
    let document = document.last_run(last).also(split);
    cx.console.answer(&text, &document)?;
    Ok(Exit::Done)
}

/// Every deployment of the folder of state files.
pub async fn overview(cx: &Context<'_>) -> Result<Exit, Failure> {
    let folder = state_folder(cx.common);
    let mut deployments = Vec::new();
    for suffix in suffixes(&folder) {
        // The emulator keeps a file of its own there.
        if cx.common.sandbox && suffix == "sandbox" {
            continue;
        }
        let files = LocalStore::new(&folder, &suffix);
        let row = async {
            let state = state::read(&files, "").await?;
            let history = state::history(&files).await?;
            let holder = files.holder().await?.map(|h| h.to_string());
            Ok::<_, StateError>(DeploymentRow::of(&state, &history, holder))
        };
        let row = row.await;
        deployments.push(row.unwrap_or_else(|e| DeploymentRow::unreadable(&suffix, e.to_string())));
    }
    let document = OverviewDocument {
        folder: folder.display().to_string(),
        deployments,
    };
    let text = report::overview(&document, jiff::Timestamp::now());
    cx.console.answer(&text, &document)?;
    Ok(Exit::Done)
}

/// The suffixes of which there is a state or a journal; other files are not ours to judge.
pub fn suffixes(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeSet::new();
    };
    let names = entries
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned());
    names
        .filter_map(|name| {
            let head = name
                .strip_suffix(".journal.jsonl")
                .or_else(|| name.strip_suffix(".json"))?;
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            (!head.is_empty() && head.chars().all(plain)).then(|| head.to_owned())
        })
        .collect()
}

/// The graph of steps.
pub async fn graph(cx: &Context<'_>, scope: &Scope, format: GraphFormat) -> Result<Exit, Failure> {
    let (config, state, _) = local(cx).await?;
    let graph = offline_graph(cx, &config, &state)?;
    let chosen = graph.select(scope.env.map(super::args::EnvName::name));
    let format = if cx.console.json() {
        GraphFormat::Json
    } else {
        format
    };
    let text = match format {
        GraphFormat::Dot => report::dot(&graph, &chosen),
        GraphFormat::Mermaid => report::mermaid(&graph, &chosen),
        GraphFormat::Json => format!("{:#}\n", report::graph_json(&graph, &chosen)),
    };
    cx.console.result(&text)?;
    Ok(Exit::Done)
}

/// Configuration and state, without AWS.
pub async fn local(cx: &Context<'_>) -> Result<(Config, State, Arc<dyn Store>), Failure> {
    let config = configuration(cx)?;
    let store = store(cx, &config).await?;
    let state = state::read(store.as_ref(), &config.region).await?;
    Ok((config, state, store))
}

/// The outputs with what is recorded; `null` for what is not known yet.
pub fn resolved(graph: &Graph, state: &State) -> BTreeMap<String, Value> {
    let known = |value: &Value| {
        let value = resolve(value, &|step| state.outputs(step));
        if has_placeholder(&value) {
            Value::Null
        } else {
            value
        }
    };
    graph
        .outputs
        .iter()
        .map(|(name, value)| (name.clone(), known(value)))
        .collect()
}

//! Commands that only look at what is on this machine: `status`, `outputs`, `graph`.

use super::Context;
use super::args::{GraphFormat, Scope};
use super::error::Failure;
use super::exit::Exit;
use super::session::{configuration, home, offline_graph, store};
use crate::config::Config;
use crate::engine::Graph;
use crate::engine::reference::{has_placeholder, resolve};
use crate::report::{self, OutputsDocument, StatusDocument};
use crate::state::{self, State, Store};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is recorded.
pub async fn status(cx: &Context<'_>, scope: &Scope) -> Result<Exit, Failure> {
    let (_, state, store) = local(cx).await?;
    let scope = scope.env.map(super::args::EnvName::name);
    let holder = store.holder().await?.map(|h| h.to_string());
    let paint = cx.console.paint();
    let attention = report::attention(&state, scope);
    let text = report::status(&state, scope, holder.as_deref(), paint)
        + &report::attention_text(&attention, paint);
    let document = StatusDocument::new(home(&state, scope), &state, holder);
    cx.console.answer(&text, &document)?;
    Ok(Exit::Done)
}

/// Ids, names and endpoints.
pub async fn outputs(cx: &Context<'_>, name: Option<&str>) -> Result<Exit, Failure> {
    let (config, state, _) = local(cx).await?;
    let mut outputs = resolved(&offline_graph(cx, &config, &state)?, &state);
    if let Some(name) = name {
        let Some(value) = outputs.remove(name) else {
            let known: Vec<String> = outputs.into_keys().collect();
            return Err(Failure::usage(format!("there is no output `{name}`"))
                .hint(format!("there are {}", known.join(", "))));
        };
        outputs = BTreeMap::from([(name.to_owned(), value)]);
        if let (Some(Value::String(text)), false) = (outputs.get(name), cx.console.json()) {
            cx.console.result(&format!("{text}\n"))?;
            return Ok(Exit::Done);
        }
    }
    let text = report::outputs(&outputs);
    let home = home(&state, None);
    cx.console
        .answer(&text, &OutputsDocument { home, outputs })?;
    Ok(Exit::Done)
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

async fn local(cx: &Context<'_>) -> Result<(Config, State, Arc<dyn Store>), Failure> {
    let config = configuration(cx.common)?;
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

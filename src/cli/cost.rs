//! `deployer cost`, and what a plan costs.

use super::Context;
use super::args::Scope;
use super::error::Failure;
use super::exit::Exit;
use super::session::{Session, configuration};
use crate::blueprint::{self, Facts, SERVICES};
use crate::config::Config;
use crate::cost::{Difference, estimate, items};
use crate::engine::Graph;
use crate::engine::graph::SHARED;
use crate::engine::plan::Plan;
use crate::report::{self, CostDocument, DeploymentRef};
use clap::Args;
use jiff::civil::Date;

/// What is shown of it.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// Which part.
    #[command(flatten)]
    pub scope: Scope,
    /// Every line: amounts and prices.
    #[arg(long)]
    pub lines: bool,
}

/// What the configured platform costs in a month. No call is made, and no state is read.
pub fn cost(cx: &Context<'_>, asked: &Asked) -> Result<Exit, Failure> {
    let config = configuration(cx)?;
    let graph = whole(&config)?;
    let scope = asked.scope.env.map(super::args::EnvName::name);
    let chosen = graph.select(scope);
    // A step that refers to the other environment does not make it.
    let mut items = items(&graph, &chosen);
    items.retain(|i| scope.is_none_or(|s| i.scope == s || i.scope == SHARED));
    let estimate = estimate(&config, &items, today()).map_err(defect)?;
    let text = report::cost(&estimate, asked.lines, cx.console.paint());
    let home = DeploymentRef {
        suffix: config.suffix.clone(),
        account: config.account.clone(),
        region: config.region.clone(),
        scope: scope.map(str::to_owned),
    };
    cx.console.answer(&text, &CostDocument { home, estimate })?;
    Ok(Exit::Done)
}

/// Everything that the configuration asks for, as it is once images are pushed and a public zone is there.
fn whole(config: &Config) -> Result<Graph, Failure> {
    let mut facts = Facts::assumed(config);
    for service in &SERVICES {
        let image = format!("{}@sha256:assumed", service.name);
        facts.images.insert(service.name.to_owned(), image);
    }
    Ok(blueprint::build(config, &facts)?)
}

/// What a plan changes in a month's bill.
pub fn difference(session: &Session, plan: &Plan) -> Result<Difference, Failure> {
    Difference::of(&session.config, &session.graph, plan, today()).map_err(defect)
}

fn today() -> Date {
    let now = jiff::Timestamp::now();
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn defect(why: String) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("the shipped prices cannot be read: {why}"),
    )
}

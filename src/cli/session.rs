//! What most commands share: configuration, facts, graph and resource types.

mod given;
mod marked;
mod own;

pub use marked::Listed;

use super::Context;
use super::args::{Common, EnvName, Scope};
use super::code;
use super::connection::{check_account, connection, local_store, store};
use super::demand::{demand, web_acls};
use super::error::Failure;
use crate::aws::{self, Aws, Caller, Preflight};
use crate::blueprint::{self, Facts};
use crate::config::{Config, Overrides};
use crate::engine::beneath::beneath;
use crate::engine::drift::Unlisted;
use crate::engine::error::CREDENTIALS;
use crate::engine::observe::{Observations, Observed, ReadRequest, observe, requests};
use crate::engine::plan::Plan;
use crate::engine::{self, Check, Events, Graph, Level, Limits};
use crate::report::DeploymentRef;
use crate::resources::{self, wafv2};
use crate::state::{Record, State, Store};
use futures::future::join_all;
use std::sync::Arc;

/// The configuration of a command. Its digest stands in every document that the command writes from here on.
pub fn configuration(cx: &Context<'_>) -> Result<Config, Failure> {
    let config = Config::load(cx.common.config.as_deref(), overrides(cx.common))?;
    cx.console.configured(&config.digest());
    Ok(config)
}

/// What the command line and its variables say in place of the configuration.
pub fn overrides(common: &Common) -> Overrides {
    Overrides {
        suffix: common.suffix.clone(),
        region: common.region.clone(),
        state: common.state.clone(),
        parallelism: common.parallelism,
        // The sandbox is not AWS: where the user's accounts are is not its business.
        environment_region: if common.sandbox {
            None
        } else {
            aws::region(common.profile.as_deref())
        },
    }
}

/// The scope that is meant: the environment that was named, else the only one that the configuration has.
pub fn meant(cx: &Context<'_>, scope: &Scope) -> Result<Scope, Failure> {
    if scope.env.is_some() {
        return Ok(scope.clone());
    }
    let config = configuration(cx)?;
    Ok(Scope::named(config.only_environment()))
}

/// What a command is for: it decides whether it may write, and how much is checked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Creates and updates.
    Apply,
    /// Shows what `Apply` would do.
    Plan,
    /// Deletes.
    Destroy,
    /// Puts tags back.
    Mark,
    /// Reads what is there, to compare it or to show what `Destroy` would do.
    Look,
    /// The same without any state: what is there is known by its tags alone.
    Unrecorded,
}

impl Mode {
    fn read_only(self) -> bool {
        matches!(self, Self::Plan | Self::Look | Self::Unrecorded)
    }
}

/// Ends a command whose credentials were refused while it looked around: each of its steps would fail for the same reason.
///
/// # Errors
/// The refusal.
pub fn check_credentials(seen: &Observations, unlisted: &[Unlisted]) -> Result<(), Failure> {
    let unread = seen.values().filter_map(|observed| match observed {
        Observed::Unreadable(error) => Some(error),
        _ => None,
    });
    let mut all = unread.chain(unlisted.iter().map(|list| &list.error));
    match all.find(|error| error.topic.as_deref() == Some(CREDENTIALS)) {
        Some(error) => Err(error.clone().into()),
        None => Ok(()),
    }
}

/// Which deployment a state belongs to, for documents.
pub fn home(state: &State, scope: Option<&str>) -> DeploymentRef {
    DeploymentRef {
        suffix: state.suffix.clone(),
        account: state.account.clone(),
        region: state.region.clone(),
        scope: scope.map(str::to_owned),
    }
}

/// The graph as far as it can be known without AWS: from the recorded facts, or before the first run from assumed ones,
/// which only shape names: then a note says so.
pub fn offline_graph(cx: &Context<'_>, config: &Config, state: &State) -> Result<Graph, Failure> {
    let facts = match Facts::recorded(&state.facts) {
        Some(facts) => facts,
        None => {
            cx.console.note(
                "note: no run is recorded here, so account, zones and other facts of the region are assumed",
            )?;
            Facts::assumed(config)
        }
    };
    Ok(blueprint::build(config, &facts)?)
}

/// Everything that a command which talks to AWS works with.
pub struct Session {
    /// The configuration.
    pub config: Config,
    /// Where the state is.
    pub store: Arc<dyn Store>,
    /// What was read of account and region, as the state records it.
    pub facts: serde_json::Value,
    /// The account that the credentials belong to.
    pub account: String,
    /// The blueprint.
    pub graph: Graph,
    /// Which steps of the graph are meant.
    pub chosen: Vec<bool>,
    /// `blue` or `green`, if only one is meant.
    pub scope: Option<String>,
    /// What looking at the account and changing it share.
    pub context: engine::Context,
    /// The configuration's file, or that there is none.
    pub configured: String,
    /// What the first look found.
    pub preflight: Preflight,
    aws: Arc<Aws>,
    /// The state as it was when the session was opened; `None` when it could not be read, or is not to be.
    read: Option<State>,
}

impl Session {
    /// Connects, requests who and where we are, and builds the graph. Nothing is written.
    pub async fn open(
        cx: &Context<'_>,
        scope: &Scope,
        events: &Events,
        mode: Mode,
    ) -> Result<Self, Failure> {
        let config = configuration(cx)?;
        let connection = connection(cx, &config).await?;
        let parallelism = config.run.parallelism;
        let caller = Caller::new(events.clone(), mode.read_only(), parallelism);
        let caller = caller.with_limits(connection.limits(config.run.api_limits));
        let mut aws = Aws::new(&connection, Arc::new(caller));
        let functions = scope.env != Some(EnvName::Blue);
        // A state in a bucket takes calls, too.
        let ((mut preflight, facts), stored) = tokio::join!(
            Facts::read(&aws, &config, functions),
            stored(cx, &config, mode != Mode::Unrecorded)
        );
        let mut facts = facts?;
        check_account(&config, &facts.account)?;
        preflight.checks.insert(0, region(&config));
        let (store, read) = stored?;
        let recorded = read.as_ref().and_then(|s| Facts::recorded(&s.facts));
        if let Some(recorded) = &recorded {
            let images = &mut facts.images;
            let kept = blueprint::keep_images(images, &recorded.images, &config, &facts.account);
            preflight.checks.extend(kept);
            facts.keep(recorded);
        }
        let reserves = functions && config.migration.reserve_concurrency;
        if reserves && facts.concurrency == Some(false) {
            preflight.checks.push(few_executions());
        }
        let recorded = recorded.map(|r| r.code).unwrap_or_default();
        let (code, check) = code::known(cx, scope.env, mode, recorded).await?;
        facts.code = code;
        preflight.checks.extend(check);
        aws.lambda.zips = Some(code::zips());
        aws.account.clone_from(&facts.account);
        let graph = blueprint::build(&config, &facts)?;
        aws.own = own::own(&graph, read.as_ref());
        let aws = Arc::new(aws);
        let scope = scope.env.map(|e| e.name().to_owned());
        let chosen = graph.select(scope.as_deref());
        let limits = Limits {
            parallelism: config.run.parallelism,
            consistency_timeout: config.run.consistency_timeout,
            in_use_timeout: config.run.in_use_timeout,
            ..Limits::default()
        };
        let mut registry = resources::registry(&aws);
        if let Some(pace) = connection.pace {
            registry.set_pace(pace);
        }
        let context = engine::Context::new(registry, events.clone(), limits);
        Ok(Self {
            store,
            facts: serde_json::to_value(&facts).unwrap_or_default(),
            account: facts.account,
            config,
            graph,
            chosen,
            scope,
            context,
            configured: Config::source(cx.common.config.as_deref()),
            preflight,
            aws,
            read,
        })
    }

    /// The state: as it was when the session was opened, so that it is read and parsed once.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn state(&self) -> Result<State, Failure> {
        match &self.read {
            Some(state) => Ok(state.clone()),
            None => Ok(crate::state::read(self.store.as_ref(), &self.config.region).await?),
        }
    }

    /// Where this run goes, in one line.
    pub fn place(&self) -> String {
        let state = self.store.state_name();
        format!(
            "{} of suffix {}, account {}, region {}, configuration {}, state {}",
            self.scope.as_deref().unwrap_or("blue and green"),
            self.config.suffix,
            self.account,
            self.config.region,
            self.configured,
            state.display()
        )
    }

    /// AWS, for what no type reads.
    pub fn aws(&self) -> &Aws {
        &self.aws
    }

    /// The same, for what outlasts a borrow of the session.
    pub fn shared_aws(&self) -> Arc<Aws> {
        self.aws.clone()
    }

    /// Which deployment, for documents.
    pub fn home(&self) -> DeploymentRef {
        DeploymentRef {
            suffix: self.config.suffix.clone(),
            account: self.account.clone(),
            region: self.config.region.clone(),
            scope: self.scope.clone(),
        }
    }

    /// Checks whether AWS can give what this plan would make. What forbids to go on is an error before any write.
    pub async fn check_demand(&mut self, plan: &Plan) -> Result<(), Failure> {
        let demand = demand(&self.graph, &self.chosen, plan);
        let acls = web_acls(plan).map(|n| wafv2::capacity(&self.aws, &n.name, &n.spec));
        let given = self.given_certificate(plan);
        let (found, acls, given) =
            tokio::join!(aws::check_demand(&self.aws, &demand), join_all(acls), given);
        self.preflight.checks.extend(given);
        self.preflight.checks.extend(found);
        self.preflight.checks.extend(acls.into_iter().flatten());
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
        let (runtime, version) = (
            &self.config.migration.runtime,
            &self.config.database.engine_version,
        );
        let ends = aws::supported(runtime, version, today.date());
        self.preflight.checks.extend(ends);
        match self.preflight.error() {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// Refuses a state of another account or region.
    pub fn check_home(&self, state: &State) -> Result<(), Failure> {
        let wrong = |what: &str, recorded: &str, now: &str| {
            Err(Failure::from(crate::engine::Error::permanent(
                "preflight",
                format!("the state `{}` belongs to {what} {recorded}, but this run is in {what} {now}; nothing was changed", state.suffix),
            ))
            .hint("use the credentials and --region of that state, or another --suffix or --state-dir"))
        };
        if !state.account.is_empty() && state.account != self.account {
            return wrong("account", &state.account, &self.account);
        }
        if !state.steps.is_empty() && state.region != self.config.region {
            return wrong("region", &state.region, &self.config.region);
        }
        Ok(())
    }

    /// What is to be read: the chosen steps, and recorded ones that `also` accepts.
    pub fn requests<'a>(
        &'a self,
        state: &'a State,
        also: impl Fn(&str, &Record) -> bool,
    ) -> Vec<ReadRequest<'a>> {
        requests(&self.graph, &self.chosen, state, also)
    }

    /// Reads everything.
    pub async fn observe(&self, requests: &[ReadRequest<'_>]) -> Observations {
        observe(&self.context, requests).await
    }

    /// Reads the chosen steps, the recorded ones that `also` accepts, and what stands under things that were replaced; but not again
    /// what was seen already.
    pub async fn refresh(
        &self,
        state: &mut State,
        mut seen: Observations,
        also: impl Fn(&str, &Record) -> bool,
    ) -> Observations {
        let mut requests = self.requests(state, also);
        requests.retain(|r| !seen.contains_key(r.step));
        seen.extend(self.observe(&requests).await);
        self.beneath(state, &mut seen).await;
        seen
    }

    /// Takes into the state what stands under things that were replaced and that no mark shows.
    pub async fn beneath(&self, state: &mut State, seen: &mut Observations) {
        let engine::Context {
            registry, clock, ..
        } = &self.context;
        beneath(&self.graph, registry, clock, state, seen).await;
    }

    /// True for a record that the scope means.
    pub fn in_scope(&self, record: &Record) -> bool {
        self.scope.as_ref().is_none_or(|s| *s == record.scope)
    }
}

/// Where the state is, and the state unless only its place is meant. One that cannot be read is an error of whoever needs it.
async fn stored(
    cx: &Context<'_>,
    config: &Config,
    read: bool,
) -> Result<(Arc<dyn Store>, Option<State>), Failure> {
    if !read {
        return Ok((Arc::new(local_store(cx.common, config)), None));
    }
    let store = store(cx, config).await?;
    let state = crate::state::read(store.as_ref(), &config.region).await;
    Ok((store, state.ok()))
}

/// The account leaves no concurrent execution to reserve.
fn few_executions() -> Check {
    let text = "the account leaves too few concurrent executions of Lambda, so no migration function has one reserved: two runs of one function wait for each other";
    Check::new("concurrency", Level::Warning, text).hint("ask AWS to raise the quota \"Concurrent executions\" of Lambda, then run `deployer apply` again; `migration.reserve_concurrency = false` does without")
}

/// Which region, and who says so.
fn region(config: &Config) -> Check {
    let text = format!("{} ({})", config.region, config.region_source);
    match &config.other_region {
        None => Check::new("region", Level::Ok, text),
        Some((region, source)) => {
            let text = format!("{text}; {source} says {region}, which is not used");
            Check::new("region", Level::Warning, text)
                .hint("pass --region to say which one is meant, or make the two agree")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Error;

    #[test]
    fn refused_credentials_end_a_look_and_nothing_else_does() {
        let denied = Error::permanent("kms:ListKeys", "no");
        let expired = Error::permanent("kms:ListKeys", "expired").topic(CREDENTIALS);
        for (error, ends) in [(denied, false), (expired, true)] {
            let read = Observed::Unreadable(error.clone());
            let seen = [("a", Observed::Absent), ("b", read)];
            let seen = seen.map(|(step, observed)| (step.to_owned(), observed));
            assert_eq!(check_credentials(&seen.into(), &[]).is_err(), ends);
            let kind = "kms/key".to_owned();
            let list = Unlisted { kind, error };
            assert_eq!(
                check_credentials(&Observations::new(), &[list]).is_err(),
                ends
            );
        }
    }
}

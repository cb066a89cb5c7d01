//! What most commands share: configuration, connection, facts, graph and resource types.

use super::Context;
use super::args::{Common, Scope};
use super::error::Failure;
use crate::aws::{self, Aws, Caller, Connection, Depth, Preflight, Settings, Wanted, connect};
use crate::blueprint::{self, Facts};
use crate::config::{Config, Overrides};
use crate::engine::drift::Unlisted;
use crate::engine::observe::{Observations, ReadRequest, observe, requests};
use crate::engine::rebuild::recover;
use crate::engine::{self, Deployment, Driver, Events, Graph, Limits, Owned};
use crate::report::DeploymentRef;
use crate::resources::{self, ec2::ServicePrefixLists};
use crate::sandbox;
use crate::state::{LocalStore, Record, State, Store};
use futures::future::join_all;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The configuration of a command.
pub fn configuration(common: &Common) -> Result<Config, Failure> {
    let overrides = Overrides {
        suffix: common.suffix.clone(),
        region: common.region.clone(),
        parallelism: common.parallelism,
    };
    Ok(Config::load(common.config.as_deref(), overrides)?)
}

/// The folder of state files: the sandbox has one of its own, so it can never mix with a real account's state.
pub fn state_folder(common: &Common) -> PathBuf {
    if common.sandbox {
        common.state_dir.join("sandbox")
    } else {
        common.state_dir.clone()
    }
}

/// Where the state of the configured deployment is.
pub fn store(common: &Common, config: &Config) -> Arc<dyn Store> {
    Arc::new(LocalStore::new(&state_folder(common), &config.suffix))
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
}

impl Mode {
    fn read_only(self) -> bool {
        matches!(self, Self::Plan | Self::Look)
    }

    /// Whether what is to be created is checked against quotas and offers.
    fn checks_wishes(self) -> bool {
        matches!(self, Self::Apply | Self::Plan)
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
/// which only shape names.
pub fn offline_graph(config: &Config, state: &State) -> Result<Graph, Failure> {
    let facts = Facts::recorded(&state.facts).unwrap_or_else(|| Facts::assumed(config));
    Ok(blueprint::build(config, &facts)?)
}

/// What carries this deployment's mark.
#[derive(Default)]
pub struct Listed {
    /// Ours.
    pub owned: Vec<Owned>,
    /// Global things with this suffix, of which no tag says which account and region they belong to.
    pub undecided: Vec<Owned>,
    /// Types that could not be listed.
    pub unlisted: Vec<Unlisted>,
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
}

impl Session {
    /// Connects, requests who and where we are, and builds the graph. Nothing is written.
    pub async fn open(
        cx: &Context<'_>,
        scope: &Scope,
        events: &Events,
        mode: Mode,
    ) -> Result<Self, Failure> {
        let config = configuration(cx.common)?;
        let connection = connection(cx, &config).await?;
        let (facts, preflight) =
            preflight(&connection, &config, events, mode.checks_wishes()).await?;
        check_account(&config, &facts.account)?;
        let graph = blueprint::build(&config, &facts)?;
        let scope = scope.env.map(|e| e.name().to_owned());
        let chosen = graph.select(scope.as_deref());
        let aws = Aws::new(
            &connection,
            facts.account.clone(),
            events.clone(),
            mode.read_only(),
            config.run.parallelism,
        );
        let limits = Limits {
            parallelism: config.run.parallelism,
            consistency_timeout: config.run.consistency_timeout,
            in_use_timeout: config.run.in_use_timeout,
            ..Limits::default()
        };
        let context = engine::Context::new(resources::registry(&aws), events.clone(), limits);
        Ok(Self {
            store: store(cx.common, &config),
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
        })
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

    /// Which deployment, for documents.
    pub fn home(&self) -> DeploymentRef {
        DeploymentRef {
            suffix: self.config.suffix.clone(),
            account: self.account.clone(),
            region: self.config.region.clone(),
            scope: self.scope.clone(),
        }
    }

    /// Reads everything, and lists beside it everything that carries our mark: what both need is read once.
    pub async fn look(&self, requests: &[ReadRequest<'_>]) -> (Observations, Listed) {
        let refreshing = self.aws.recent.refreshing().await;
        let refresh = async {
            let seen = self.observe(requests).await;
            drop(refreshing);
            seen
        };
        tokio::join!(refresh, self.owned())
    }

    /// Everything in the account that carries our mark.
    pub async fn owned(&self) -> Listed {
        let request = |driver: &Arc<dyn Driver>| {
            let (driver, suffix) = (driver.clone(), self.config.suffix.clone());
            async move { (driver.meta().listing, driver.owned(&suffix).await) }
        };
        let mut all = Vec::new();
        let mut listed = Listed::default();
        for (kind, answer) in join_all(self.context.registry.all().map(request)).await {
            match answer {
                Ok(found) => all.extend(found),
                Err(error) => listed.unlisted.push(Unlisted {
                    kind: kind.to_owned(),
                    error,
                }),
            }
        }
        let deployment = Deployment {
            account: self.account.clone(),
            region: self.config.region.clone(),
            suffix: self.config.suffix.clone(),
        };
        (listed.owned, listed.undecided) = deployment.split(all, &self.context.registry);
        listed
    }

    /// Takes into the state what carries our mark and belongs to a step that neither blueprint nor state has, so that
    /// it is planned like everything that left the blueprint.
    pub async fn recover(&self, state: &mut State) {
        let listed = self.owned().await;
        let engine::Context {
            registry, clock, ..
        } = &self.context;
        recover(&self.graph, &listed.owned, registry, state, clock).await;
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

    /// True for a record that the scope means.
    pub fn means(&self, record: &Record) -> bool {
        self.scope.as_ref().is_none_or(|s| *s == record.scope)
    }
}

/// Refuses credentials of another account than the configuration pins.
fn check_account(config: &Config, account: &str) -> Result<(), Failure> {
    if config.account.is_empty() || config.account == account {
        return Ok(());
    }
    Err(Failure::from(crate::engine::Error::permanent(
        "preflight",
        format!(
            "the configuration pins account {}, but the credentials belong to {account}; nothing was changed",
            config.account
        ),
    ))
    .hint("use the right --profile, or correct `account` in the configuration"))
}

async fn connection(cx: &Context<'_>, config: &Config) -> Result<Connection, Failure> {
    let common = cx.common;
    let mut settings = Settings {
        region: config.region.clone(),
        profile: common.profile.clone(),
        endpoint: None,
        call_timeout: config.run.call_timeout,
        keys: None,
    };
    if common.sandbox {
        let options = sandbox::UpOptions {
            folder: state_folder(common),
            port: None,
            latency: None,
            seconds: resources::typical_seconds(),
        };
        let info = sandbox::up(&options, &|line| drop(cx.console.note(line))).await?;
        settings.endpoint = Some(info.endpoint);
        settings.profile = None;
        // The sandbox never sees a real credential.
        settings.keys = Some(("sandbox".into(), "sandbox".into()));
    }
    settings.call_timeout = settings.call_timeout.max(Duration::from_millis(100));
    Ok(connect(&settings).await?)
}

/// Who and where we are, and whether what is wanted can be had. What forbids to go on is an error before any write.
async fn preflight(
    connection: &Connection,
    config: &Config,
    events: &Events,
    deep: bool,
) -> Result<(Facts, Preflight), Failure> {
    let environments = 2;
    let depth = if deep {
        Depth::Full(Wanted {
            suffix: config.suffix.clone(),
            zones: config.network.zones,
            engine: "aurora-postgresql".into(),
            engine_version: config.database.engine_version.clone(),
            vpcs: environments,
            transit_gateways: 1,
            interface_endpoints: blueprint::INTERFACE_ENDPOINTS,
            clusters: environments,
            instances: environments * config.database.instances,
        })
    } else {
        Depth::Light {
            zones: config.network.zones,
        }
    };
    let ec2 = aws_sdk_ec2::Client::new(&connection.config);
    let caller = Caller::new(events.clone(), true, 16);
    let lists = ServicePrefixLists::read(&caller, &ec2, &config.region);
    let (found, lists) = tokio::join!(aws::preflight(connection, events.clone(), &depth), lists);
    if let Some(error) = found.error() {
        return Err(error.into());
    }
    let mut zones = found.zones.clone();
    zones.truncate(config.network.zones);
    let facts = Facts {
        account: found.account.clone(),
        zones,
        prefix_lists: lists?,
    };
    Ok((facts, found))
}

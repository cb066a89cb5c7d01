//! What most commands share: configuration, connection, facts, graph and resource types.

use super::args::{Common, Scope};
use super::error::Failure;
use crate::aws::{Aws, Connection, Settings, connect};
use crate::blueprint::{self, Facts};
use crate::config::{Config, Overrides};
use crate::engine::observe::{Ask, Observations, asks, observe};
use crate::engine::{Events, Graph, Registry};
use crate::resources::{self, ec2::ServicePrefixLists};
use crate::sandbox;
use crate::state::{Record, State};
use std::path::PathBuf;
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

/// The graph as far as it can be known without AWS: account and zones only shape names.
pub fn offline_graph(config: &Config, state: &State) -> Result<Graph, Failure> {
    let account = if state.account.is_empty() {
        "000000000000".to_owned()
    } else {
        state.account.clone()
    };
    let zones = ["a", "b", "c", "d"]
        .iter()
        .take(config.network.zones)
        .map(|z| format!("{}{z}", config.region))
        .collect();
    let prefix_lists = ServicePrefixLists {
        s3: "pl-s3".into(),
        dynamodb: "pl-dynamodb".into(),
    };
    let facts = Facts {
        account,
        zones,
        prefix_lists,
    };
    Ok(blueprint::build(config, &facts)?)
}

/// Everything that a command which talks to AWS works with.
pub struct Session {
    /// The configuration.
    pub config: Config,
    /// The state files' folder.
    pub folder: PathBuf,
    /// The account that the credentials belong to.
    pub account: String,
    /// The blueprint.
    pub graph: Graph,
    /// Which steps of the graph are meant.
    pub chosen: Vec<bool>,
    /// `blue` or `green`, if only one is meant.
    pub scope: Option<String>,
    /// The resource types.
    pub registry: Registry,
}

impl Session {
    /// Connects, asks who and where we are, and builds the graph. Nothing is written.
    pub async fn open(
        common: &Common,
        scope: &Scope,
        events: &Events,
        read_only: bool,
    ) -> Result<Self, Failure> {
        let config = configuration(common)?;
        let connection = connection(common, &config, events).await?;
        let facts = facts(&connection, &config).await?;
        let graph = blueprint::build(&config, &facts)?;
        let scope = scope.env.map(|e| e.name().to_owned());
        let chosen = graph.select(scope.as_deref());
        let aws = Aws::new(
            &connection,
            facts.account.clone(),
            events.clone(),
            read_only,
        );
        let registry = resources::registry(&aws);
        Ok(Self {
            folder: state_folder(common),
            account: facts.account,
            config,
            graph,
            chosen,
            scope,
            registry,
        })
    }

    /// Refuses a state of another account or region.
    pub fn check_home(&self, state: &State) -> Result<(), Failure> {
        let wrong = |what: &str, recorded: &str, now: &str| {
            Err(Failure::from(crate::engine::Fault::permanent(
                "preflight",
                format!("the state `{}` belongs to {what} {recorded}, but this run is in {what} {now}; nothing was called", state.suffix),
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
    pub fn asks<'a>(
        &'a self,
        state: &'a State,
        also: impl Fn(&str, &Record) -> bool,
    ) -> Vec<Ask<'a>> {
        asks(&self.graph, &self.chosen, state, also)
    }

    /// Reads everything.
    pub async fn observe(&self, asks: &[Ask<'_>]) -> Observations {
        observe(&self.registry, asks, self.config.run.patience).await
    }

    /// True for a record that the scope means.
    pub fn means(&self, record: &Record) -> bool {
        self.scope.as_ref().is_none_or(|s| *s == record.scope)
    }
}

async fn connection(
    common: &Common,
    config: &Config,
    _events: &Events,
) -> Result<Connection, Failure> {
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
        };
        let info = sandbox::up(&options, &|line| tracing::info!("{line}")).await?;
        settings.endpoint = Some(info.endpoint);
        settings.profile = None;
        // The sandbox never sees a real credential.
        settings.keys = Some(("sandbox".into(), "sandbox".into()));
    }
    settings.call_timeout = settings.call_timeout.max(Duration::from_millis(100));
    Ok(connect(&settings).await)
}

/// Who and where we are.
async fn facts(connection: &Connection, config: &Config) -> Result<Facts, Failure> {
    use crate::aws::read;
    let caller = crate::aws::Caller::new(Events::default(), true);
    let sts = aws_sdk_sts::Client::new(&connection.config);
    let ec2 = aws_sdk_ec2::Client::new(&connection.config);
    let who = caller.call(read("sts", "GetCallerIdentity"), || {
        sts.get_caller_identity().send()
    });
    let zones = caller.call(read("ec2", "DescribeAvailabilityZones"), || {
        ec2.describe_availability_zones().send()
    });
    let lists = ServicePrefixLists::read(&caller, &ec2, &config.region);
    let (who, zones, lists) = tokio::join!(who, zones, lists);
    let account = who?.account().unwrap_or_default().to_owned();
    let mut zones: Vec<String> = zones?
        .availability_zones()
        .iter()
        .filter_map(|z| z.zone_name().map(str::to_owned))
        .collect();
    zones.sort();
    if zones.len() < config.network.zones {
        return Err(Failure::usage(format!(
            "the region {} has {} zones",
            config.region,
            zones.len()
        )));
    }
    zones.truncate(config.network.zones);
    Ok(Facts {
        account,
        zones,
        prefix_lists: lists?,
    })
}

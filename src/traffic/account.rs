//! The world of a shift as it is: Route 53, CloudWatch, the load balancers, ECS, the migration's functions, and the history on
//! this machine.

mod world;

use super::bridge::{self, Env, healthy};
use super::functions::Functions;
use super::gate::instant::{Guard, Targets};
use super::gate::{DataMode, Minute, Pair};
use super::graph::Graph;
use super::guard;
use super::history::{Entry, Log};
use super::idle;
use super::levers::{self, Pulled};
use super::metrics::{self, Measured};
use super::names::{Names, Side};
use super::probes::{Asked, Prober};
use super::records::Place;
use super::time::Time;
use super::world::World;
use crate::aws::Aws;
use crate::aws::cloudwatch::Alarm;
use crate::config::Config;
use crate::edge::Edge;
use crate::engine::Error;
use aws_sdk_cloudwatch::types::StateValue;
use futures::future::try_join_all;
use jiff::Timestamp;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OnceCell, watch};

/// A lever waits so long for what is done beside it.
const IDLE_MAY_TAKE: Duration = Duration::from_secs(10);

/// Where entries and progress are shown.
pub type Show = Box<dyn Fn(Shown<'_>)>;

/// What is shown.
pub enum Shown<'a> {
    /// A line of the history.
    Entry(&'a Entry, Timestamp),
    /// How it goes.
    Text(&'a str),
}

/// What a gate needs beside the records.
pub struct Sight {
    measured: [Measured; 2],
    groups: [Vec<String>; 2],
    functions: Functions,
}

/// The world.
pub struct Account {
    pub aws: Arc<Aws>,
    /// The configuration, which says where the records are.
    pub config: Config,
    /// Where they are, once they were found: a rollback goes on without.
    pub found: OnceCell<Place>,
    /// The names of what is measured.
    pub names: Names,
    /// The history.
    pub log: Log,
    /// Who is at work: user and host.
    pub by: String,
    pub time: Time,
    /// How customers see both sides; `None` when nobody can look.
    pub edge: Option<Edge>,
    /// Becomes true when this process is asked to end.
    pub stop: watch::Receiver<bool>,
    /// Where it is shown.
    pub show: Show,
    /// How both sides share their data.
    pub mode: DataMode,
    /// Where the weights are published while a shift runs.
    pub graph: Option<Graph>,
    /// What a gate needs; a rollback needs none of it.
    pub sight: Option<Sight>,
    /// Asks green's addresses, while a shift goes on.
    pub prober: Option<Prober>,
}

impl Account {
    /// Where the records are; looked for until they are found.
    ///
    /// # Errors
    /// When zones cannot be listed, or it is not clear which one is meant.
    pub async fn place(&self) -> Result<&Place, Error> {
        let find = || Place::find(&self.aws, &self.config);
        self.found.get_or_try_init(find).await
    }

    /// Looks up what a gate needs.
    ///
    /// # Errors
    /// When a balancer or a target group is not there.
    pub async fn open_eyes(&mut self) -> Result<(), Error> {
        let [blue, green] = &self.names.sides;
        let (blue, green) = tokio::try_join!(found(&self.aws, blue), found(&self.aws, green))?;
        self.sight = Some(Sight {
            functions: Functions::new(&self.aws, &self.names),
            measured: [blue.0, green.0],
            groups: [blue.1, green.1],
        });
        Ok(())
    }

    /// How both sides are asked.
    ///
    /// # Errors
    /// When a balancer is not there.
    pub async fn asked(&self) -> Result<[Asked; 2], Error> {
        let [blue, green] = &self.names.sides;
        let place = self.place().await?;
        let one = async |side: &Side| {
            let found = self.aws.elbv2.load_balancers.named(&side.balancer).await?;
            let balancer = found.and_then(|b| b.dns_name);
            let balancer =
                balancer.ok_or_else(|| missing(side, "load balancer", &side.balancer))?;
            let host = format!("{}.{}", side.env, place.domain);
            Ok::<_, Error>(Asked { host, balancer })
        };
        let (blue, green) = tokio::try_join!(one(blue), one(green))?;
        Ok([blue, green])
    }

    /// Begins to ask green's addresses, once a second. Where they cannot be reached from here, it says so: CloudWatch alone is
    /// minutes slower.
    pub async fn begin_probes(&mut self) {
        let Some(edge) = self.edge.clone() else {
            return;
        };
        let begun = match self.asked().await {
            Ok(asked) => Prober::start(edge, asked).await,
            Err(error) => Err(error.to_string()),
        };
        match begun {
            Ok(prober) => self.prober = Some(prober),
            Err(why) => self.show(&format!(
                "warning: green's load balancer is not asked from here, so a green that is gone shows minutes later: {why}"
            )),
        }
    }

    /// Why the data is not safe in a split, if so.
    pub async fn unproven(&self) -> Option<String> {
        let sight = self.sight.as_ref()?;
        sight
            .functions
            .refresh(self.time.now().as_second(), true)
            .await;
        let why = sight.functions.unproven(self.mode)?;
        Some(match sight.functions.failed() {
            Some(failed) => format!("{why} ({failed})"),
            None => why,
        })
    }

    /// The time that 95 of 100 of blue's requests take, in seconds.
    ///
    /// # Errors
    /// When CloudWatch does not answer.
    pub async fn slow_over(&self) -> Result<Option<f64>, Error> {
        match &self.sight {
            Some(sight) => {
                let now = self.time.now().as_second();
                metrics::slow_over(&self.aws, &sight.measured[0], now).await
            }
            None => Ok(None),
        }
    }

    /// The minutes of both sides; an error where [`World::minutes`] gives nothing.
    ///
    /// # Errors
    /// When CloudWatch does not answer.
    pub async fn read_minutes(
        &self,
        wanted: RangeInclusive<Minute>,
        slow_over: Option<f64>,
    ) -> Result<Vec<(Minute, Pair)>, Error> {
        match &self.sight {
            Some(Sight {
                measured: [blue, green],
                ..
            }) => metrics::minutes(&self.aws, [blue, green], wanted, slow_over).await,
            None => Ok(Vec::new()),
        }
    }

    async fn targets(&self, groups: &[String]) -> Result<Vec<Targets>, Error> {
        let [_, green] = &self.names.sides;
        let one = async |(service, group): (&super::names::Service, &String)| {
            let key = (green.cluster.clone(), service.service.clone());
            let (healthy, running) =
                tokio::try_join!(healthy(&self.aws, group), self.aws.ecs.services.get(key))?;
            let desired = running.map_or(0, |r| u32::try_from(r.desired_count).unwrap_or(0));
            Ok::<_, Error>(Targets {
                service: service.name.to_owned(),
                healthy,
                desired,
            })
        };
        let mut all = try_join_all(green.services.iter().zip(groups).map(one)).await?;
        // What only writes has no task on green then.
        if self.mode == DataMode::ReadOnly && all.iter().any(|t| t.desired > 0) {
            all.retain(|t| t.desired > 0);
        }
        Ok(all)
    }

    /// The alarms that guard green, and their states.
    async fn guards(&self) -> Result<Vec<(&str, StateValue)>, Error> {
        let [_, green] = &self.names.sides;
        let asks = green
            .guards
            .iter()
            .map(|name| self.aws.cloudwatch.alarm(name));
        let alarms = try_join_all(asks).await?;
        let mut all = Vec::new();
        for (name, alarm) in green.guards.iter().zip(alarms) {
            if let Some(Alarm::Metric(alarm)) = alarm
                && let Some(state) = alarm.state_value
            {
                all.push((name.as_str(), state));
            }
        }
        Ok(all)
    }

    async fn guard(&self) -> Result<Option<Guard>, Error> {
        let guards = self.guards().await?;
        let is = |state: StateValue| guards.iter().any(|(_, found)| *found == state);
        Ok(if guards.is_empty() {
            Some(Guard::NotInstalled)
        } else if is(StateValue::Alarm) {
            Some(Guard::Raised)
        } else if is(StateValue::InsufficientData) {
            None
        } else {
            Some(Guard::Quiet)
        })
    }

    /// What a guard in AWS does, or has done since then, in words. Once one of its alarms was raised, Route 53 answers blue in
    /// green's place, and goes on to do so while green has no data, also when CloudWatch calls the alarm over.
    ///
    /// # Errors
    /// When CloudWatch does not answer.
    pub async fn guarded(&self, since: Option<Timestamp>) -> Result<Option<String>, Error> {
        let guards = self.guards().await?;
        let raised = guards.iter().filter(|(_, s)| *s == StateValue::Alarm);
        let names: Vec<&str> = raised.map(|(name, _)| *name).collect();
        if !names.is_empty() {
            return Ok(Some(format!(
                "a guard in AWS is raised ({}): Route 53 answers blue in green's place",
                names.join(", ")
            )));
        }
        let Some(since) = since else {
            return Ok(None);
        };
        let asked = guards
            .iter()
            .map(|(name, _)| guard::raised(&self.aws, name, since));
        let first = try_join_all(asked).await?.into_iter();
        let first = first
            .zip(&guards)
            .find_map(|(at, (name, _))| Some((at?, *name)));
        Ok(first.map(|(at, name)| {
            format!(
                "a guard in AWS was raised at {at} ({name}): since then Route 53 answers blue in green's place, as long as green has no data"
            )
        }))
    }

    /// What runs on both sides: the task definition of each service.
    async fn fingerprint(&self) -> Result<String, Error> {
        let sides = self.names.sides.iter();
        let keys = sides.flat_map(|side| {
            side.services
                .iter()
                .map(|s| (side.cluster.clone(), s.service.clone()))
        });
        let runs = try_join_all(keys.map(|key| self.aws.ecs.services.get(key))).await?;
        let one = |running: Option<aws_sdk_ecs::types::Service>| {
            let definition = running.and_then(|r| r.task_definition);
            definition.unwrap_or_else(|| "none".into())
        };
        let all: Vec<String> = runs.into_iter().map(one).collect();
        Ok(all.join(" "))
    }

    /// Writes on a rule that was switched who has pulled it, or takes that away. The switch counts, also without the tag.
    async fn mark(&self, changed: Option<String>, pulled: bool) {
        let Some(rule) = changed else { return };
        let (by, at) = (self.by.clone(), self.now());
        let pulled = pulled.then_some(Pulled { by, at });
        let marked = levers::mark(&self.aws, &rule, pulled.as_ref()).await;
        let _ = self.warn(marked);
    }

    /// Before blue may call green, while green does not call blue: green keeps idle connections longer than blue does.
    ///
    /// # Errors
    /// When nobody knows whether green calls blue.
    pub async fn expect_calls(&self) -> Result<(), Error> {
        let [blue, green] = &self.names.sides;
        if blue.bridge.is_some() && bridge::pulled(&self.aws, green).await?.is_none() {
            self.fit_idle(Env::Blue).await;
        }
        Ok(())
    }

    /// It takes part in a lever that is pulled, which waits for it this long and no longer.
    async fn fit_idle(&self, caller: Env) {
        let [_, green] = &self.names.sides;
        let done = tokio::time::timeout(IDLE_MAY_TAKE, idle::fit(&self.aws, green, caller)).await;
        let why = match done {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "AWS does not answer".to_owned(),
        };
        self.show(&format!(
            "warning: how long green's load balancer keeps an idle connection is not known, so a request over the bridge may be answered with 502: {why}"
        ));
    }

    fn warn<T>(&self, answer: Result<T, Error>) -> Option<T> {
        match answer {
            Ok(value) => Some(value),
            Err(error) => {
                self.show(&format!("warning: {error}"));
                None
            }
        }
    }
}

/// A side's balancer and groups, as metrics name them, and the groups' ARNs.
async fn found(aws: &Aws, side: &Side) -> Result<(Measured, Vec<String>), Error> {
    let balancer = aws.elbv2.load_balancers.named(&side.balancer).await?;
    let arn = balancer.and_then(|b| b.load_balancer_arn);
    let arn = arn.ok_or_else(|| missing(side, "load balancer", &side.balancer))?;
    let group = async |service: &super::names::Service| {
        let found = aws.elbv2.target_groups.named(&service.group).await?;
        let arn = found.and_then(|g| g.target_group_arn);
        arn.ok_or_else(|| missing(side, "target group", &service.group))
    };
    let groups = try_join_all(side.services.iter().map(group)).await?;
    Ok((Measured::new(side, &aws.region, &arn, &groups), groups))
}

fn missing(side: &Side, what: &str, name: &str) -> Error {
    let text = format!("{} has no {what} `{name}`", side.env);
    Error::permanent("traffic", text)
        .hint(format!("make it with `deployer apply --env {}`", side.env))
}

/// Requests of both sides in each of the last minutes that are published, the oldest first.
pub async fn recent(account: &Account, minutes: i64) -> Result<Vec<(Minute, Pair)>, Error> {
    let newest = account.time.now().as_second().div_euclid(60) - 1;
    account
        .read_minutes(newest - minutes + 1..=newest, None)
        .await
}

/// Healthy targets and wanted tasks of green's services.
pub async fn green_targets(account: &Account) -> Vec<Targets> {
    let Some(sight) = &account.sight else {
        return Vec::new();
    };
    let [_, green] = &sight.groups;
    let found = account.targets(green).await;
    account.warn(found).unwrap_or_default()
}

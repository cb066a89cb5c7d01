//! One run of a command, as a process: it takes the lock, reads, plans, executes and saves, and may be killed at any point.

use super::REGION;
use super::disk::Watched;
use super::judge::Judge;
use super::switch::Switch;
use super::wire::{Net, Wire};
use super::wishes::fakes;
use crate::support::world::World;
use async_trait::async_trait;
use deployer::engine::beneath::beneath;
use deployer::engine::exec::{self, Outcome, Recorder, Report};
use deployer::engine::former::{set_apart, take_back};
use deployer::engine::mark::is_marked;
use deployer::engine::observe::{Observations, observe, requests};
use deployer::engine::plan::{self, Allowed, Choice, DataRules, Options, Plan, Problem};
use deployer::engine::rebuild::{add_unread, recover, unsearched};
use deployer::engine::{Clock, Context, Deployment, Error, Events, Graph, Limits, Registry, mark};
use deployer::state::{Entry, Journal, Record, Stage, State, StateError, Store, What, Writer};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    Apply,
    Destroy,
    /// Puts lost marks back.
    Mark,
}

/// How a run ended.
#[derive(Debug)]
pub enum End {
    Killed,
    /// Nothing was written because of these.
    Refused(Vec<Problem>),
    Done(Box<Plan>, Report),
    /// The store failed.
    Broken(String),
}

impl End {
    pub fn words(&self) -> String {
        match self {
            Self::Done(_, report) if report.complete() => "was done".into(),
            Self::Done(_, report) => {
                let open = report.outcomes.iter();
                let open: Vec<_> = open.filter(|(_, _, o)| *o != Outcome::Done).collect();
                format!("was not done: {open:?}")
            }
            other => format!("ended: {other:?}"),
        }
    }
}

/// Something that an engine may get wrong, to see that the judge notices it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flaw {
    /// Nothing is recorded before something is created.
    NoIntent,
    /// What is looked for by its mark or name is not found.
    NoLook,
    /// Whatever is found counts as ours.
    AllOurs,
    /// What held data and vanished is made anew without a question.
    NoQuestion,
}

/// A journal that leaves intents out.
struct Forgetful(Journal);

#[async_trait]
impl Recorder for Forgetful {
    async fn record(&self, step: &str, record: Option<Record>) -> Result<(), Error> {
        match record {
            Some(r) if r.stage == Stage::Creating => Ok(()),
            record => self.0.record(step, record).await,
        }
    }
}

/// What all processes of a life share.
pub struct Machine {
    pub world: Arc<World>,
    pub judge: Arc<Judge>,
    pub net: Arc<Net>,
    /// A process' own way to the state that all of them share.
    pub store: Box<dyn Fn() -> Arc<dyn Store>>,
    pub began: Instant,
    pub parallelism: usize,
    pub flaw: Option<Flaw>,
    /// What the user says of what vanished.
    pub words: Mutex<Allowed>,
}

impl Machine {
    /// Runs a command to its end, or to that of its process.
    pub async fn run(&self, command: Command, graph: &Graph, switch: Switch) -> End {
        let switch = Arc::new(switch);
        self.judge
            .log(format!("{command:?} of {} steps", graph.steps.len()));
        if std::env::var_os("DEPLOYER_SEED").is_some() {
            // Whoever looks at one life wants to know what was wanted.
            for step in &graph.steps {
                self.judge
                    .log(format!("  {} {} {}", step.id, step.kind, step.spec));
            }
        }
        let end = tokio::select! {
            biased;
            () = switch.died() => End::Killed,
            end = self.lived(command, graph, &switch) => end.unwrap_or_else(|e| End::Broken(e.to_string())),
        };
        let end = if switch.is_dead() { End::Killed } else { end };
        // Tasks of a dead process end when they are looked at next.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        self.judge.stores.ended();
        self.judge.log(end.words());
        end
    }

    /// What the store holds.
    pub async fn state(&self) -> State {
        deployer::state::read((self.store)().as_ref(), REGION)
            .await
            .unwrap()
    }

    fn context(&self, switch: &Arc<Switch>) -> Context {
        let mut registry = Registry::default();
        for fake in fakes(&self.world) {
            registry.add(Arc::new(Wire {
                fake,
                net: self.net.clone(),
                switch: switch.clone(),
                flaw: self.flaw,
            }));
        }
        let limits = Limits {
            consistency_timeout: Duration::from_secs(5),
            parallelism: self.parallelism,
            ..Limits::default()
        };
        let now = Timestamp::UNIX_EPOCH + self.began.elapsed();
        Context {
            clock: Clock::starting(now),
            stop: switch.stopped(),
            ..Context::new(registry, Events::default(), limits)
        }
    }

    /// All of a process that ends by itself.
    async fn lived(
        &self,
        command: Command,
        graph: &Graph,
        switch: &Arc<Switch>,
    ) -> Result<End, StateError> {
        let store = Watched {
            store: (self.store)(),
            switch: switch.clone(),
            judge: self.judge.clone(),
        };
        let end = self.work(command, graph, switch, &store).await;
        store.release().await?;
        end
    }

    async fn work(
        &self,
        command: Command,
        graph: &Graph,
        switch: &Arc<Switch>,
        store: &Watched,
    ) -> Result<End, StateError> {
        let (mut writer, mut state) = self.open(store).await?;
        self.judge.opened(&state);
        if state.account.is_empty() || state.steps.is_empty() {
            state.account = "1".into();
            writer.restart(&state).await?;
        }
        let cx = self.context(switch);
        let mut unread = Observations::new();
        if !matches!(command, Command::Mark | Command::Destroy) {
            take_back(graph, &mut state, &cx.registry);
        }
        if command != Command::Mark {
            let all = command == Command::Destroy || state.steps.is_empty();
            unread = self.recover(&cx, graph, all, &mut state).await;
        }
        if command != Command::Mark {
            set_apart(graph, &mut state, &cx.registry);
        }
        let marking = command == Command::Mark;
        // Marks are put back as recorded, whatever is wanted now.
        let chosen = if marking {
            vec![false; graph.steps.len()]
        } else {
            graph.select(None)
        };
        let also = |_: &str, r: &Record| !marking || is_marked(r.stage);
        let mut seen = observe(&cx, &requests(graph, &chosen, &state, also)).await;
        let registry = &cx.registry;
        if !marking {
            beneath(graph, registry, &cx.clock, &mut state, &mut seen).await;
            add_unread(&mut seen, unread);
        }
        let mut plan = match command {
            Command::Apply => {
                plan::build(graph, &chosen, &state, &seen, registry, &Options::default())
            }
            Command::Destroy => plan::teardown(
                graph,
                &state,
                &seen,
                registry,
                None,
                None,
                &plan::Users::new(),
            ),
            Command::Mark => {
                let asked = requests(graph, &chosen, &state, also);
                mark::mark(graph, &asked, &seen, registry)
            }
        };
        // What is replaced or goes with the deployment may lose its data; what others deleted is another matter.
        let rules = DataRules {
            choice: Some(Choice::DestroyData),
            ..DataRules::default()
        };
        let counts = plan::count(&plan, registry).await;
        plan::guard(&mut plan, &counts, registry, rules, cx.clock.now());
        if command == Command::Apply && self.flaw != Some(Flaw::NoQuestion) {
            let lost = plan::vanished(&plan, &state, registry).await;
            let words = self.words.lock().unwrap().clone();
            plan::restore(&mut plan, lost, &words);
        }
        if !plan.problems.is_empty() {
            return Ok(End::Refused(plan.problems));
        }
        self.judge.stores.agreed(&plan, command == Command::Destroy);
        plan::refresh(&plan, &mut state);
        writer.keep(&mut state, false).await?;
        writer.note(entry(What::Started)).await?;
        let recorder: Arc<dyn Recorder> = match self.flaw {
            Some(Flaw::NoIntent) => Arc::new(Forgetful(writer.journal())),
            _ => Arc::new(writer.journal()),
        };
        let report = exec::run(&cx, &plan, &mut state, recorder).await;
        writer.save(&mut state).await?;
        writer.note(entry(What::Finished)).await?;
        Ok(End::Done(Box::new(plan), report))
    }

    /// A dead process gives its lock back when its last task ends.
    async fn open(&self, store: &Watched) -> Result<(Writer, State), StateError> {
        let mut tries = 0;
        loop {
            match Writer::open(store, REGION, "simulation").await {
                Err(StateError::Locked(_)) if tries < 10_000 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    // That task is in the machine's time.
                    std::thread::sleep(Duration::from_millis(1));
                }
                other => return other,
            }
        }
    }

    /// What has the deployment's mark and nobody knows of, as the commands take it in.
    async fn recover(
        &self,
        cx: &Context,
        graph: &Graph,
        all: bool,
        state: &mut State,
    ) -> Observations {
        let unsearched = unsearched(graph, &graph.select(None), state, &cx.registry);
        let mut listed = Vec::new();
        for driver in cx.registry.all() {
            if all || unsearched.iter().any(|s| s.kind == driver.meta().kind) {
                listed.extend(driver.owned("t").await.unwrap_or_default());
            }
        }
        let deployment = Deployment {
            account: "1".into(),
            region: REGION.into(),
            suffix: "t".into(),
        };
        let (mut owned, _) = deployment.split(listed, |kind| cx.registry.is_global(kind));
        owned.retain(|o| all || unsearched.iter().any(|s| s.id == o.step));
        recover(graph, &owned, &cx.registry, state, &cx.clock).await
    }
}

fn entry(what: What) -> Entry {
    Entry {
        what,
        command: "simulation".into(),
        who: "seed".into(),
        account: "1".into(),
        region: REGION.into(),
        serial: 0,
        configuration: String::new(),
        result: String::new(),
        steps: BTreeMap::new(),
    }
}

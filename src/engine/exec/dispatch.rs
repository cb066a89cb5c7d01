//! The dispatcher: owns the state, decides what starts, and hears of everything that happens.

use super::{Message, Outcome, Report, Shared, step};
use crate::engine::error::{Error, Leftover};
use crate::engine::event::Event;
use crate::engine::plan::{Op, Plan, critical};
use crate::engine::progress::{Running, stopped, within};
use crate::engine::reference::{Strength, resolve};
use crate::state::State;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

#[derive(PartialEq)]
struct Waiting(f64, usize);
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(other.1.cmp(&self.1))
    }
}

/// How a task ended: seconds that the type took, if they are worth remembering.
type Ended = Result<Option<f64>, step::Stop>;

/// A panic in a step.
fn defect(error: JoinError) -> Error {
    let text = match error.try_into_panic() {
        Ok(panic) => match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
            (Some(text), _) => text.clone(),
            (None, Some(text)) => (*text).to_owned(),
            (None, None) => "no message".to_owned(),
        },
        Err(error) => error.to_string(),
    };
    Error::permanent("defect", format!("the step panicked: {text}"))
        .leftover(Leftover::Unknown)
        .hint("this is a defect of deployer: please report it; everything before is recorded, `deployer apply` resumes from there")
}

pub(super) struct Dispatcher<'a> {
    plan: &'a Plan,
    state: &'a mut State,
    shared: Arc<Shared>,
    remaining: Vec<f64>,
    dependents: Vec<Vec<(usize, Strength)>>,
    missing: Vec<usize>,
    known: Vec<bool>,
    outcomes: Vec<Option<Outcome>>,
    ready: BinaryHeap<Waiting>,
    active: usize,
    parked: Vec<bool>,
    running: JoinSet<Ended>,
    /// The nodes of the running tasks.
    tasks: HashMap<Id, usize>,
    started: Vec<Option<Instant>>,
    stopping: bool,
}

impl<'a> Dispatcher<'a> {
    pub(super) fn new(plan: &'a Plan, state: &'a mut State, shared: Arc<Shared>) -> Self {
        let n = plan.nodes.len();
        let mut dependents = vec![Vec::new(); n];
        for (at, node) in plan.nodes.iter().enumerate() {
            node.needs
                .iter()
                .for_each(|(to, strength)| dependents[*to].push((at, *strength)));
        }
        let missing: Vec<usize> = plan.nodes.iter().map(|node| node.needs.len()).collect();
        let remaining = critical(&plan.nodes);
        let ready = (0..n)
            .filter(|at| missing[*at] == 0)
            .map(|at| Waiting(remaining[at], at))
            .collect();
        Self {
            plan,
            state,
            shared,
            remaining,
            dependents,
            missing,
            known: vec![false; n],
            outcomes: vec![None; n],
            ready,
            active: 0,
            parked: vec![false; n],
            running: JoinSet::new(),
            tasks: HashMap::new(),
            started: vec![None; n],
            stopping: false,
        }
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) -> Report {
        let critical = self.remaining.iter().copied().fold(0.0, f64::max);
        self.shared.cx.events.send(Event::RunStarted {
            steps: self.plan.nodes.len(),
            critical_seconds: critical,
        });
        let stop = self.shared.cx.stop.clone();
        loop {
            if *stop.borrow() && !self.stopping {
                self.stopping = true;
                if *self.shared.asked.borrow() {
                    self.shared.cx.events.send(Event::Interrupted);
                }
            }
            while !self.stopping && self.active < self.shared.cx.limits.parallelism.max(1) {
                let Some(Waiting(_, at)) = self.ready.pop() else {
                    break;
                };
                self.start(at);
            }
            if self.running.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                Some(message) = inbox.recv() => self.take(message),
                Some(ended) = self.running.join_next_with_id() => {
                    // What the task said before it ended comes first.
                    while let Ok(message) = inbox.try_recv() {
                        self.take(message);
                    }
                    self.ended(ended);
                }
                () = stopped(Some(stop.clone())), if !self.stopping => {}
            }
        }
        let seconds = self.shared.start.elapsed().as_secs_f64();
        self.shared.cx.events.send(Event::RunFinished { seconds });
        let outcomes = std::mem::take(&mut self.outcomes);
        let outcomes = self
            .plan
            .nodes
            .iter()
            .zip(outcomes)
            .map(|(node, o)| {
                (
                    node.step.clone(),
                    node.verb,
                    o.unwrap_or(Outcome::Interrupted),
                )
            })
            .collect();
        Report { outcomes, seconds }
    }

    fn start(&mut self, at: usize) {
        let node = &self.plan.nodes[at];
        self.started[at] = Some(Instant::now());
        self.shared.cx.events.send(Event::StepStarted {
            step: node.step.clone(),
            kind: node.kind.clone(),
            verb: node.verb,
            expected_seconds: node.seconds,
            remaining_seconds: self.remaining[at],
            needs: node
                .needs
                .iter()
                .map(|(to, _)| self.plan.nodes[*to].step.clone())
                .collect(),
        });
        let mut own = node.clone();
        if own.op == Op::Ensure {
            own.spec = resolve(&node.spec, &|step| self.state.outputs(step));
        }
        self.active += 1;
        let work = step::Work {
            at,
            node: own,
            record: self.state.steps.get(&node.step).cloned(),
            shared: self.shared.clone(),
        };
        let running = Running {
            step: node.step.clone(),
            events: self.shared.cx.events.clone(),
            stop: self.shared.cx.stop.clone(),
        };
        let task = self.running.spawn(within(running, work.run()));
        self.tasks.insert(task.id(), at);
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Recorded(at, record) => {
                let step = &self.plan.nodes[at].step;
                match record {
                    Some(record) => drop(self.state.steps.insert(step.clone(), *record)),
                    None => drop(self.state.steps.remove(step)),
                }
            }
            Message::Replaced(step, record) => drop(self.state.steps.insert(step, *record)),
            Message::Known(at) => self.known(at),
            Message::Parked(at) => {
                if !std::mem::replace(&mut self.parked[at], true) {
                    self.active -= 1;
                }
            }
        }
    }

    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(error) => {
                // What else the defect would do is not known: what runs is finished, nothing new starts.
                self.stopping = true;
                (error.id(), Err(defect(error).into()))
            }
        };
        if let Some(at) = self.tasks.remove(&id) {
            self.over(at, result);
        }
    }

    fn known(&mut self, at: usize) {
        if std::mem::replace(&mut self.known[at], true) {
            return;
        }
        self.shared.cx.events.send(Event::StepKnown {
            step: self.plan.nodes[at].step.clone(),
        });
        self.release(at, Strength::Known);
    }

    fn release(&mut self, at: usize, strength: Strength) {
        for next in 0..self.dependents[at].len() {
            let (to, needed) = self.dependents[at][next];
            if needed == strength {
                self.missing[to] -= 1;
                if self.missing[to] == 0 && self.outcomes[to].is_none() {
                    self.ready.push(Waiting(self.remaining[to], to));
                }
            }
        }
    }

    fn over(&mut self, at: usize, result: Ended) {
        let node = &self.plan.nodes[at];
        if !self.parked[at] {
            self.active -= 1;
        }
        let seconds = self.started[at].map_or(0.0, |s| s.elapsed().as_secs_f64());
        match result {
            Ok(measured) => {
                self.outcomes[at] = Some(Outcome::Done);
                if let Some(seconds) = measured {
                    self.remember(&node.kind, node.op, seconds);
                }
                self.shared.cx.events.send(Event::StepDone {
                    step: node.step.clone(),
                    verb: node.verb,
                    seconds,
                });
                self.known(at);
                self.release(at, Strength::Ready);
            }
            Err(step::Stop::Interrupted) => self.outcomes[at] = Some(Outcome::Interrupted),
            Err(step::Stop::Failed(error)) => {
                let error = *error;
                self.shared.cx.events.send(Event::StepFailed {
                    step: node.step.clone(),
                    verb: node.verb,
                    error: error.clone(),
                    seconds,
                });
                self.outcomes[at] = Some(Outcome::Failed(error));
                self.block(at);
            }
        }
    }

    /// Marks everything downstream of a failure that has not started.
    fn block(&mut self, failed: usize) {
        let by = self.plan.nodes[failed].step.clone();
        let mut open = vec![failed];
        while let Some(at) = open.pop() {
            for (next, _) in self.dependents[at].clone() {
                if self.outcomes[next].is_none() && self.started[next].is_none() {
                    let node = &self.plan.nodes[next];
                    self.outcomes[next] = Some(Outcome::Blocked(by.clone()));
                    self.shared.cx.events.send(Event::StepBlocked {
                        step: node.step.clone(),
                        verb: node.verb,
                        by: by.clone(),
                    });
                    open.push(next);
                }
            }
        }
        self.ready = std::mem::take(&mut self.ready)
            .into_iter()
            .filter(|w| self.outcomes[w.1].is_none())
            .collect();
    }

    /// Measured durations replace the shipped ones; half of the old value keeps one odd run from ruling.
    fn remember(&mut self, kind: &str, op: Op, seconds: f64) {
        let timing = self.state.timings.entry(kind.to_owned()).or_default();
        let slot = if op == Op::Ensure {
            &mut timing.create
        } else {
            &mut timing.delete
        };
        let mean = slot.map_or(seconds, |old| f64::midpoint(old, seconds));
        *slot = Some((mean * 10.0).round() / 10.0);
    }
}

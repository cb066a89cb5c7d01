//! The refresh: reads everything that is wanted or recorded, in as few rounds as the edges allow.
//!
//! With recorded outputs there is one round, and all reads of one type leave together (the drivers batch them). Without
//! a record, what carries a mark is found by it at once, and what is found through its parent waits for the parent.
//!
//! A read may lag behind (EC2 and IAM are eventually consistent), so one read that does not show a recorded thing proves nothing:
//! its absence is confirmed by a second read some seconds later, before a plan is built on it.

use super::context::Context;
use super::driver::{Identity, Key, Live, Meta, Nature, Phase, Registry};
use super::error::{Class, Error};
use super::graph::Graph;
use super::ownership::Mark;
use super::ownership::{Deployment, MARK_DEPLOYMENT, Ownership};
use super::reference::{Placeholder, has_placeholder, resolve};
use super::replaced::is_replaced;
use crate::state::{Record, Stage, State};
use futures::future::join_all;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// How long after its intent was recorded a create call may have left: it is sent again while AWS asks to slow down. Until then
/// an intent is looked for as long as a new thing.
const CALL_LEFT: Duration = Duration::from_secs(600);

/// What a read found.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// It does not exist.
    Absent,
    /// It exists and is ours.
    Found(Live),
    /// It exists and is not ours (or lost its mark). Never touched.
    Foreign(Live, Error),
    /// It could not be read; says nothing about whether it exists.
    Unreadable(Error),
}

impl Observed {
    /// The resource, when it was found and is ours.
    pub fn live(&self) -> Option<&Live> {
        match self {
            Self::Found(live) => Some(live),
            _ => None,
        }
    }
}

/// What is asked about one step.
#[derive(Debug, Clone)]
pub struct ReadRequest<'a> {
    /// The step id.
    pub step: &'a str,
    /// Its type.
    pub kind: &'a str,
    /// The desired struct (with placeholders), or the recorded one of a step that is no longer in the blueprint.
    pub spec: &'a Value,
    /// Name and tags.
    pub identity: Identity,
    /// What is recorded.
    pub record: Option<&'a Record>,
}

/// All observations by step id.
pub type Observations = BTreeMap<String, Observed>;

/// Asks for the chosen steps of a graph and for all recorded steps that `also` accepts.
pub fn requests<'a>(
    graph: &'a Graph,
    chosen: &[bool],
    state: &'a State,
    also: impl Fn(&str, &Record) -> bool,
) -> Vec<ReadRequest<'a>> {
    let read = graph.read_for(chosen);
    let wanted = graph
        .steps
        .iter()
        .zip(&read)
        .filter(|(_, c)| **c)
        .map(|(step, _)| ReadRequest {
            step: &step.id,
            kind: &step.kind,
            spec: &step.spec,
            identity: step.identity(),
            record: state.steps.get(&step.id).filter(|r| r.kind == step.kind),
        });
    let left = state.steps.iter().filter(|(id, record)| {
        let in_graph = graph.position(id).is_some_and(|at| read[at]);
        !in_graph && also(id, record)
    });
    let deployment = Deployment {
        account: state.account.clone(),
        region: state.region.clone(),
        suffix: state.suffix.clone(),
    };
    let left = left.map(|(id, record)| {
        let mut tags = record.tags.clone();
        // Older deployers recorded none; what they made belongs to the state's deployment.
        tags.entry(MARK_DEPLOYMENT.to_owned())
            .or_insert_with(|| deployment.to_string());
        ReadRequest {
            step: id,
            kind: &record.kind,
            spec: &record.inputs,
            identity: Identity {
                step: id.clone(),
                name: record.name.clone(),
                tags,
                token: record.token.clone(),
            },
            record: Some(record),
        }
    });
    wanted.chain(left).collect()
}

/// Reads everything. What was recorded less than the consistency timeout ago and is not visible is looked for again.
pub async fn observe(cx: &Context, requests: &[ReadRequest<'_>]) -> Observations {
    let mut done: HashMap<&str, Observed> = HashMap::with_capacity(requests.len());
    let mut waiting: Vec<&ReadRequest<'_>> = requests.iter().collect();
    let asked: HashMap<&str, ()> = requests.iter().map(|a| (a.step, ())).collect();
    loop {
        let before = done.len();
        let mut now = Vec::new();
        let mut later = Vec::new();
        for request in waiting {
            match readable(&cx.registry, request, &done, &asked) {
                Readable::Now(spec) => now.push((request, spec)),
                Readable::Settled(observed) => drop(done.insert(request.step, *observed)),
                Readable::Later => later.push(request),
            }
        }
        // Side by side, reads of one type reach its batched reader together.
        now.sort_by_key(|(request, _)| request.kind);
        let reads = now
            .into_iter()
            .map(|(request, spec)| Read { cx, request, spec });
        for (step, observed) in read_all(cx, reads.collect()).await {
            done.insert(step, observed);
        }
        if done.len() == before {
            break;
        }
        waiting = later;
    }
    done.into_iter()
        .map(|(step, observed)| (step.to_owned(), observed))
        .collect()
}

/// Reads side by side; what seems absent although it is recorded is read once more, all of it after one wait.
async fn read_all<'a>(cx: &Context, reads: Vec<Read<'a>>) -> Vec<(&'a str, Observed)> {
    let mut found = join_all(reads.iter().map(Read::read_one)).await;
    let wait = cx.limits.confirm_absence();
    let doubted: Vec<(usize, Instant)> = (0..reads.len())
        .filter(|at| reads[*at].recorded())
        .filter_map(|at| Some((at, found[at].1? + wait)))
        .filter(|(_, due)| *due > Instant::now())
        .collect();
    if let Some(due) = doubted.iter().map(|(_, due)| *due).max() {
        tokio::time::sleep_until(due).await;
        let again = join_all(doubted.iter().map(|(at, _)| reads[*at].once())).await;
        for ((at, _), observed) in doubted.into_iter().zip(again) {
            found[at].0 = observed;
        }
    }
    let steps = reads.iter().map(|read| read.request.step);
    steps.zip(found.into_iter().map(|f| f.0)).collect()
}

enum Readable {
    Now(Value),
    Later,
    Settled(Box<Observed>),
}

fn readable(
    registry: &Registry,
    request: &ReadRequest<'_>,
    done: &HashMap<&str, Observed>,
    asked: &HashMap<&str, ()>,
) -> Readable {
    let known = |spec: &Value| {
        resolve(spec, &|step| {
            done.get(step).and_then(Observed::live).map(|l| &l.outputs)
        })
    };
    let recorded = |record: &Record| known(&filled(&record.inputs, request.spec));
    let mut spec = match request.record.filter(|r| !r.outputs.is_null()) {
        Some(record) => recorded(record),
        None => known(request.spec),
    };
    if let (true, Some(record)) = (has_placeholder(&spec), request.record) {
        // An intent holds the resolved struct of the call that may have left.
        spec = recorded(record);
    }
    if !has_placeholder(&spec) {
        return Readable::Now(spec);
    }
    let meta = match registry.get(request.kind) {
        Err(error) => return Readable::Settled(Box::new(Observed::Unreadable(error))),
        Ok(driver) => driver.meta(),
    };
    // What is found through its parent takes the fields that bind it to others; the parent is among them.
    let fixed = meta.fixed.iter().filter_map(|field| spec.get(field));
    let bound: Vec<&Value> = fixed.filter(|value| has_placeholder(value)).collect();
    if meta.nature == Nature::Tagged || bound.is_empty() {
        return Readable::Now(spec);
    }
    let mut verdict = Readable::Later;
    let mut judge = |p: Placeholder<'_>| match done.get(p.step) {
        Some(Observed::Unreadable(error)) => {
            verdict = Readable::Settled(Box::new(Observed::Unreadable(error.clone())))
        }
        Some(_) if !matches!(verdict, Readable::Settled(_)) => {
            verdict = Readable::Settled(Box::new(Observed::Absent))
        }
        None if !asked.contains_key(p.step) => {
            verdict = Readable::Settled(Box::new(Observed::Absent))
        }
        _ => {}
    };
    bound
        .into_iter()
        .for_each(|field| super::reference::walk(field, &mut judge));
    verdict
}

/// Recorded settings, with what they lack taken from the desired ones: a type may have gained fields since the record was
/// written, and what an older deployer made must stay readable and removable.
fn filled(recorded: &Value, desired: &Value) -> Value {
    match (recorded, desired) {
        (Value::Object(have), Value::Object(want)) => {
            let mut all = want.clone();
            all.extend(have.clone());
            Value::Object(all)
        }
        _ => recorded.clone(),
    }
}

/// The read of one step.
struct Read<'a> {
    cx: &'a Context,
    request: &'a ReadRequest<'a>,
    /// The settings with all that is known filled in.
    spec: Value,
}

impl Read<'_> {
    /// True when the state says that it exists, or existed until an earlier run deleted it.
    fn recorded(&self) -> bool {
        let record = self.request.record;
        record.is_some_and(|r| r.stage != Stage::Creating && !r.outputs.is_null())
    }

    /// Reads it, again and again when its record was written a moment ago and it is not visible yet. For what is absent also the
    /// instant of the first read that said so.
    async fn read_one(&self) -> (Observed, Option<Instant>) {
        let began = Instant::now();
        let timeout = self.cx.limits.consistency_timeout;
        let record = self.request.record.filter(|r| r.stage != Stage::Deleting);
        let age = record.map(|r| self.cx.clock.age(r.at));
        let mut pause = Duration::from_millis(250);
        let mut first = None;
        loop {
            let again = first.is_some();
            let observed = self.once().await;
            if observed != Observed::Absent {
                return (observed, None);
            }
            first.get_or_insert_with(Instant::now);
            let (Some(record), Some(age)) = (record, age) else {
                return (observed, first);
            };
            let mut spent = age + began.elapsed();
            if record.stage == Stage::Creating && age < CALL_LEFT {
                spent = began.elapsed();
            }
            let mut left = timeout.saturating_sub(spent);
            if left.is_zero() && record.stage == Stage::Creating && !again {
                // An unresolved intent is looked for at least twice.
                left = Duration::from_secs(1).min(timeout);
            }
            if left.is_zero() {
                return (observed, first);
            }
            tokio::time::sleep(pause.min(left)).await;
            pause *= 2;
        }
    }

    /// Reads it once and judges whose it is.
    async fn once(&self) -> Observed {
        let driver = match self.cx.registry.get(self.request.kind) {
            Ok(driver) => driver,
            Err(error) => return Observed::Unreadable(error),
        };
        let outputs = self.request.record.map(|r| &r.outputs);
        let key = Key {
            spec: &self.spec,
            outputs: outputs.filter(|o| !o.is_null()),
            identity: &self.request.identity,
        };
        let mut recorded = key.outputs.is_some() && self.recorded();
        let mut read = driver.read(key).await;
        // What was replaced has the mark of its successor: only its own id tells them apart.
        let by_mark = driver.meta().nature == Nature::Tagged && !is_replaced(self.request.step);
        if matches!(read, Ok(None)) && key.outputs.is_some() && by_mark {
            // The recorded id may be stale (an older state file was put back): the mark decides.
            recorded = false;
            let outputs = None;
            read = driver.read(Key { outputs, ..key }).await;
        }
        self.cx.reads.note(self.request.step, self.cx.clock.now());
        match read {
            Ok(Some(live)) => classify(self.request, driver.meta(), live, recorded),
            Ok(None) => Observed::Absent,
            // The place is somebody else's, who does not even show what is there.
            Err(error) if error.class == Class::Conflict && !self.recorded() => {
                let live = Live {
                    spec: self.spec.clone(),
                    mark: Mark::Parent,
                    outputs: Value::Null,
                    phase: Phase::Ready,
                };
                Observed::Foreign(live, error)
            }
            Err(error) => Observed::Unreadable(error),
        }
    }
}

/// Decides from the tags of what was read whether it is ours. `recorded`: it was found by what is recorded.
fn classify(request: &ReadRequest<'_>, meta: &Meta, live: Live, recorded: bool) -> Observed {
    if live.phase == Phase::Deleting || meta.nature == Nature::SubResource {
        return Observed::Found(live);
    }
    let identity = &request.identity;
    let whose = match &live.mark {
        Mark::Foreign(whose) => format!("; {whose}"),
        _ => String::new(),
    };
    let thing = format!(
        "{} `{}` ({}{whose})",
        request.kind,
        identity.name,
        describe(&live.outputs, &identity.name)
    );
    let error = match identity.owner(&live.mark, recorded, meta.global) {
        Ownership::Ours | Ownership::Account => return Observed::Found(live),
        Ownership::Unmarked if recorded => Error::of(
            Class::Conflict,
            "read",
            format!(
                "{thing} lost its ownership mark ({})",
                identity.mark_text()
            ),
        )
        .hint("if it is what this deployment made, `deployer state mark` puts its tags back, as on everything that is recorded (`deployer state mark STEP` on one step alone)"),
        Ownership::Unmarked if identity.owner(&live.mark, false, false) == Ownership::Ours => Error::of(
            Class::Conflict,
            "read",
            format!("{thing} carries this suffix, but no tag says which account and region it belongs to"),
        )
        .hint(format!(
            "if it is this deployment's, run `deployer state mark` with the state that recorded it, or give it the tag {MARK_DEPLOYMENT}={}; else choose another --suffix",
            identity.tags.get(MARK_DEPLOYMENT).map_or("", String::as_str)
        )),
        Ownership::Unmarked | Ownership::Other => Error::foreign("read", &thing),
    };
    Observed::Foreign(live, error)
}

/// The id, ARN or name that tells a thing from others of its type.
pub(super) fn describe(outputs: &Value, name: &str) -> String {
    ["id", "arn", "name"]
        .iter()
        .find_map(|k| outputs.get(k)?.as_str())
        .unwrap_or(name)
        .to_owned()
}

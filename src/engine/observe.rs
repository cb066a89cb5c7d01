//! The refresh: reads everything that is wanted or recorded, once, in as few rounds as the edges allow.
//!
//! With recorded outputs there is one round, and all reads of one type leave together (the drivers batch them). Without
//! a record, what carries a mark is found by it at once, and what is found through its parent waits for the parent.

use super::driver::{Identity, Key, Live, Nature, Ownership, Phase, Registry};
use super::error::Error;
use super::graph::Graph;
use super::reference::{has_placeholder, resolve};
use crate::state::{Record, Stage, State};
use futures::future::join_all;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

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
    /// The desired struct (with placeholders), or the recorded one of a step that left the blueprint.
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
            identity: Identity {
                step: step.id.clone(),
                name: step.name.clone(),
                tags: step.tags.clone(),
                token: String::new(),
            },
            record: state.steps.get(&step.id).filter(|r| r.kind == step.kind),
        });
    let left = state.steps.iter().filter(|(id, record)| {
        let in_graph = graph.position(id).is_some_and(|at| read[at]);
        !in_graph && also(id, record)
    });
    let left = left.map(|(id, record)| ReadRequest {
        step: id,
        kind: &record.kind,
        spec: &record.inputs,
        identity: Identity {
            step: id.clone(),
            name: record.name.clone(),
            tags: record.tags.clone(),
            token: record.token.clone(),
        },
        record: Some(record),
    });
    wanted.chain(left).collect()
}

/// Reads everything. `consistency_timeout`: how long after its record was written a thing that is not visible is looked for again.
pub async fn observe(
    registry: &Registry,
    requests: &[ReadRequest<'_>],
    consistency_timeout: Duration,
) -> Observations {
    let mut done: HashMap<&str, Observed> = HashMap::with_capacity(requests.len());
    let mut waiting: Vec<&ReadRequest<'_>> = requests.iter().collect();
    let asked: HashMap<&str, ()> = requests.iter().map(|a| (a.step, ())).collect();
    while !waiting.is_empty() {
        let mut now = Vec::new();
        let mut later = Vec::new();
        for request in waiting {
            match readable(registry, request, &done, &asked) {
                Readable::Now(spec) => now.push((request, spec)),
                Readable::Settled(observed) => drop(done.insert(request.step, *observed)),
                Readable::Later => later.push(request),
            }
        }
        // Side by side, reads of one type reach its batched reader together.
        now.sort_by_key(|(request, _)| request.kind);
        let progressed = !now.is_empty() || later.len() < requests.len() - done.len() + now.len();
        let found = join_all(
            now.iter()
                .map(|(request, spec)| look(registry, request, spec, consistency_timeout)),
        )
        .await;
        for ((request, _), observed) in now.iter().zip(found) {
            done.insert(request.step, observed);
        }
        if !progressed {
            break;
        }
        waiting = later;
    }
    done.into_iter()
        .map(|(step, observed)| (step.to_owned(), observed))
        .collect()
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
    match registry.get(request.kind) {
        Err(error) => return Readable::Settled(Box::new(Observed::Unreadable(error))),
        Ok(driver) if driver.meta().nature == Nature::Tagged => return Readable::Now(spec),
        Ok(_) => {}
    }
    let mut verdict = Readable::Later;
    super::reference::walk(&spec, &mut |p| match done.get(p.step) {
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
    });
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

/// One step: reads it, patiently when it was written a moment ago, and judges whose it is.
async fn look(
    registry: &Registry,
    request: &ReadRequest<'_>,
    spec: &Value,
    consistency_timeout: Duration,
) -> Observed {
    let driver = match registry.get(request.kind) {
        Ok(driver) => driver,
        Err(error) => return Observed::Unreadable(error),
    };
    let key = Key {
        spec,
        outputs: request.record.map(|r| &r.outputs).filter(|o| !o.is_null()),
        identity: &request.identity,
    };
    let mut pause = Duration::from_millis(250);
    let mut looks = 0;
    loop {
        looks += 1;
        let mut read = driver.read(key).await;
        if matches!(read, Ok(None))
            && key.outputs.is_some()
            && driver.meta().nature == Nature::Tagged
        {
            // The recorded id may be stale (an older state file was put back): the mark decides.
            read = driver
                .read(Key {
                    outputs: None,
                    ..key
                })
                .await;
        }
        match read {
            Err(error) => return Observed::Unreadable(error),
            Ok(Some(live)) => return judge(request, driver.meta().nature, live),
            Ok(None) => match remaining(request.record, consistency_timeout, looks) {
                None => return Observed::Absent,
                Some(left) => {
                    tokio::time::sleep(pause.min(left)).await;
                    pause *= 2;
                }
            },
        }
    }
}

/// How much longer a thing that is not visible deserves to be looked for. An unresolved intent is looked for at least twice.
fn remaining(
    record: Option<&Record>,
    consistency_timeout: Duration,
    looks: u32,
) -> Option<Duration> {
    let record = record.filter(|r| r.stage != Stage::Deleting)?;
    let age =
        Duration::try_from(jiff::Timestamp::now().duration_since(record.at)).unwrap_or_default();
    let left = consistency_timeout.saturating_sub(age);
    match (left.is_zero(), record.stage) {
        (false, _) => Some(left),
        (true, Stage::Creating) if looks < 2 && !consistency_timeout.is_zero() => {
            Some(Duration::from_secs(1).min(consistency_timeout))
        }
        _ => None,
    }
}

/// Whose is what was found?
pub fn judge(request: &ReadRequest<'_>, nature: Nature, live: Live) -> Observed {
    let Some(tags) = &live.tags else {
        return Observed::Found(live);
    };
    if live.phase == Phase::Deleting || nature == Nature::SubResource {
        return Observed::Found(live);
    }
    let id = describe(&live.outputs, &request.identity.name);
    match request.identity.ownership(tags) {
        Ownership::Ours => Observed::Found(live),
        // Every create call carries the mark, so what an open intent finds without one is somebody else's.
        Ownership::Unmarked if request.record.is_some_and(|r| r.stage != Stage::Creating) => {
            let keys = [super::driver::MARK_SUFFIX, super::driver::MARK_STEP];
            let tags: Vec<_> = keys
                .iter()
                .filter_map(|k| Some(format!("{k}={}", request.identity.tags.get(*k)?)))
                .collect();
            let error = Error::of(
                super::Class::Conflict,
                "read",
                format!("{} {id} lost its ownership mark", request.kind),
            )
            .hint(format!(
                "if it is the one this deployment made, put its tags back ({}) and run again",
                tags.join(", ")
            ));
            Observed::Foreign(live, error)
        }
        _ => {
            let error = Error::foreign(
                "read",
                &format!("{} `{}` ({id})", request.kind, request.identity.name),
            );
            Observed::Foreign(live, error)
        }
    }
}

fn describe(outputs: &Value, name: &str) -> String {
    ["id", "arn", "name"]
        .iter()
        .find_map(|k| outputs.get(k)?.as_str())
        .unwrap_or(name)
        .to_owned()
}

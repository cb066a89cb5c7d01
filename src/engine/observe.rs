//! The refresh: reads everything that is wanted or recorded, once, in as few rounds as the edges allow.
//!
//! With recorded outputs there is one round, and all reads of one type leave together (the drivers batch them). Without
//! a record, what carries a mark is found by it at once, and what is found through its parent waits for the parent.

use super::driver::{Identity, Key, Live, Nature, Ownership, Phase, Registry};
use super::fault::Fault;
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
    Foreign(Live, Fault),
    /// It could not be read; says nothing about whether it exists.
    Unreadable(Fault),
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
pub struct Ask<'a> {
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
pub fn asks<'a>(
    graph: &'a Graph,
    chosen: &[bool],
    state: &'a State,
    also: impl Fn(&str, &Record) -> bool,
) -> Vec<Ask<'a>> {
    let wanted = graph
        .steps
        .iter()
        .zip(chosen)
        .filter(|(_, c)| **c)
        .map(|(step, _)| Ask {
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
        let in_graph = graph.position(id).is_some_and(|at| chosen[at]);
        !in_graph && also(id, record)
    });
    let left = left.map(|(id, record)| Ask {
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

/// Reads everything. `patience`: how long after its record was written a thing that is not visible is looked for again.
pub async fn observe(registry: &Registry, asks: &[Ask<'_>], patience: Duration) -> Observations {
    let mut done: HashMap<&str, Observed> = HashMap::with_capacity(asks.len());
    let mut waiting: Vec<&Ask<'_>> = asks.iter().collect();
    let asked: HashMap<&str, ()> = asks.iter().map(|a| (a.step, ())).collect();
    while !waiting.is_empty() {
        let mut now = Vec::new();
        let mut later = Vec::new();
        for ask in waiting {
            match readable(registry, ask, &done, &asked) {
                Readable::Now(spec) => now.push((ask, spec)),
                Readable::Settled(observed) => drop(done.insert(ask.step, *observed)),
                Readable::Later => later.push(ask),
            }
        }
        // Side by side, reads of one type reach its batched reader together.
        now.sort_by_key(|(ask, _)| ask.kind);
        let progressed = !now.is_empty() || later.len() < asks.len() - done.len() + now.len();
        let found = join_all(
            now.iter()
                .map(|(ask, spec)| look(registry, ask, spec, patience)),
        )
        .await;
        for ((ask, _), observed) in now.iter().zip(found) {
            done.insert(ask.step, observed);
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
    ask: &Ask<'_>,
    done: &HashMap<&str, Observed>,
    asked: &HashMap<&str, ()>,
) -> Readable {
    let known = |spec: &Value| {
        resolve(spec, &|step| {
            done.get(step).and_then(Observed::live).map(|l| &l.outputs)
        })
    };
    let recorded = |record: &Record| known(&filled(&record.inputs, ask.spec));
    let mut spec = match ask.record.filter(|r| !r.outputs.is_null()) {
        Some(record) => recorded(record),
        None => known(ask.spec),
    };
    if let (true, Some(record)) = (has_placeholder(&spec), ask.record) {
        // An intent holds the resolved struct of the call that may have left.
        spec = recorded(record);
    }
    if !has_placeholder(&spec) {
        return Readable::Now(spec);
    }
    match registry.get(ask.kind) {
        Err(fault) => return Readable::Settled(Box::new(Observed::Unreadable(fault))),
        Ok(driver) if driver.meta().nature == Nature::Marked => return Readable::Now(spec),
        Ok(_) => {}
    }
    let mut verdict = Readable::Later;
    super::reference::walk(&spec, &mut |p| match done.get(p.step) {
        Some(Observed::Unreadable(fault)) => {
            verdict = Readable::Settled(Box::new(Observed::Unreadable(fault.clone())))
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
async fn look(registry: &Registry, ask: &Ask<'_>, spec: &Value, patience: Duration) -> Observed {
    let driver = match registry.get(ask.kind) {
        Ok(driver) => driver,
        Err(fault) => return Observed::Unreadable(fault),
    };
    let key = Key {
        spec,
        outputs: ask.record.map(|r| &r.outputs).filter(|o| !o.is_null()),
        identity: &ask.identity,
    };
    let mut pause = Duration::from_millis(250);
    let mut looks = 0;
    loop {
        looks += 1;
        let mut read = driver.read(key).await;
        if matches!(read, Ok(None))
            && key.outputs.is_some()
            && driver.meta().nature == Nature::Marked
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
            Err(fault) => return Observed::Unreadable(fault),
            Ok(Some(live)) => return judge(ask, driver.meta().nature, live),
            Ok(None) => match remaining(ask.record, patience, looks) {
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
fn remaining(record: Option<&Record>, patience: Duration, looks: u32) -> Option<Duration> {
    let record = record.filter(|r| r.stage != Stage::Deleting)?;
    let age =
        Duration::try_from(jiff::Timestamp::now().duration_since(record.at)).unwrap_or_default();
    let left = patience.saturating_sub(age);
    match (left.is_zero(), record.stage) {
        (false, _) => Some(left),
        (true, Stage::Creating) if looks < 2 && !patience.is_zero() => {
            Some(Duration::from_secs(1).min(patience))
        }
        _ => None,
    }
}

/// Whose is what was found?
pub fn judge(ask: &Ask<'_>, nature: Nature, live: Live) -> Observed {
    let Some(tags) = &live.tags else {
        return Observed::Found(live);
    };
    if live.phase == Phase::Deleting || nature == Nature::Aspect {
        return Observed::Found(live);
    }
    let id = describe(&live.outputs, &ask.identity.name);
    match ask.identity.ownership(tags) {
        Ownership::Ours => Observed::Found(live),
        // Every create call carries the mark, so what an open intent finds without one is somebody else's.
        Ownership::Unmarked if ask.record.is_some_and(|r| r.stage != Stage::Creating) => {
            let keys = [super::driver::MARK_SUFFIX, super::driver::MARK_STEP];
            let tags: Vec<_> = keys
                .iter()
                .filter_map(|k| Some(format!("{k}={}", ask.identity.tags.get(*k)?)))
                .collect();
            let fault = Fault::of(
                super::Class::Conflict,
                "read",
                format!("{} {id} lost its ownership mark", ask.kind),
            )
            .hint(format!(
                "if it is the one this deployment made, put its tags back ({}) and run again",
                tags.join(", ")
            ));
            Observed::Foreign(live, fault)
        }
        _ => {
            let fault = Fault::foreign(
                "read",
                &format!("{} `{}` ({id})", ask.kind, ask.identity.name),
            );
            Observed::Foreign(live, fault)
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

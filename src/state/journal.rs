//! The append-only journal between two whole writes of the state. One JSON line per record; concurrent steps share one
//! durable write (group commit), so durability costs one line per effect.
//!
//! The first line names the deployment and the serial of the state that it continues. Every further line holds the whole
//! record of one step, or says that it is gone; replaying is "the last line of a step wins". Each line must be a legal
//! transition from the one before it ([`Stage::next`]): the writer refuses another one, and so does the reader.

use super::store::Held;
use super::{Record, Stage, State, StateError};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, mpsc, oneshot};

/// The version of the journal's lines.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Header {
    journal: u32,
    suffix: String,
    account: String,
    region: String,
    base: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    n: u64,
    step: String,
    /// `null`: the step is gone.
    record: Option<Record>,
}

struct Request {
    step: String,
    record: Option<Box<Record>>,
    done: oneshot::Sender<Result<(), Arc<StateError>>>,
}

/// What the journal has written so far.
#[derive(Debug, Default)]
pub struct Counters {
    /// Bytes appended.
    pub bytes: AtomicU64,
    /// Durable writes.
    pub syncs: AtomicU64,
    /// Lines appended.
    pub lines: AtomicU64,
}

/// A handle for appending; cheap to clone. One task writes.
#[derive(Clone)]
pub struct Journal {
    requests: mpsc::UnboundedSender<Request>,
    /// What was written.
    pub counters: Arc<Counters>,
}

/// The first line of a journal that continues this state.
pub(super) fn header(state: &State) -> Vec<u8> {
    let header = Header {
        journal: VERSION,
        suffix: state.suffix.clone(),
        account: state.account.clone(),
        region: state.region.clone(),
        base: state.serial,
    };
    // Plain strings and numbers always serialize.
    let mut text = serde_json::to_vec(&header).unwrap_or_default();
    text.push(b'\n');
    text
}

impl Journal {
    /// The task that writes what is appended from now on, behind the header that was just written for `state`.
    pub(super) fn start(held: Arc<Mutex<Box<dyn Held>>>, state: &State) -> Self {
        let counters = Arc::new(Counters::default());
        let (requests, inbox) = mpsc::unbounded_channel();
        let stages = stages(state);
        tokio::spawn(write(held, inbox, stages, counters.clone()));
        Self { requests, counters }
    }

    /// Makes this record of a step durable (`None`: the step is gone). Returns when it would survive a power cut.
    pub async fn append(&self, step: &str, record: Option<Record>) -> Result<(), Arc<StateError>> {
        let (done, answer) = oneshot::channel();
        let request = Request {
            step: step.to_owned(),
            record: record.map(Box::new),
            done,
        };
        let closed = || {
            let source = std::io::Error::other("the journal's writer has ended");
            Arc::new(StateError::Io {
                doing: "writing",
                path: PathBuf::from("journal"),
                source,
            })
        };
        self.requests.send(request).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

fn stages(state: &State) -> HashMap<String, Stage> {
    let steps = state.steps.iter();
    steps.map(|(id, r)| (id.clone(), r.stage)).collect()
}

/// Takes a step from its stage to that of `record`, if the table allows it.
fn advance(
    stages: &mut HashMap<String, Stage>,
    step: &str,
    record: Option<&Record>,
) -> Result<(), String> {
    let (from, to) = (stages.get(step).copied(), record.map(|r| r.stage));
    Stage::next(from, to).map_err(|e| format!("{step}: {e}"))?;
    match to {
        Some(stage) => stages.insert(step.to_owned(), stage),
        None => stages.remove(step),
    };
    Ok(())
}

/// Writes what is waiting at once, then answers everyone. After a failure every request fails: a hole in the journal
/// must not be followed by more lines. A record that the table of stages forbids is refused alone and not written.
async fn write(
    held: Arc<Mutex<Box<dyn Held>>>,
    mut inbox: mpsc::UnboundedReceiver<Request>,
    mut stages: HashMap<String, Stage>,
    counters: Arc<Counters>,
) {
    let mut n = 0;
    let mut broken: Option<Arc<StateError>> = None;
    while let Some(first) = inbox.recv().await {
        // Let everything that is ready to run add its line to this group.
        tokio::task::yield_now().await;
        let mut group = vec![first];
        while group.len() < 4096 {
            let Ok(next) = inbox.try_recv() else { break };
            group.push(next);
        }
        let mut text = Vec::with_capacity(group.len() * 256);
        let mut answers = Vec::with_capacity(group.len());
        for Request { step, record, done } in group {
            let refused = match &broken {
                Some(error) => Err(error.clone()),
                None => advance(&mut stages, &step, record.as_deref())
                    .map_err(|why| Arc::new(StateError::Illegal { why })),
            };
            if let Err(error) = refused {
                let _ = done.send(Err(error));
                continue;
            }
            n += 1;
            let line = Line {
                n,
                step,
                record: record.map(|r| *r),
            };
            // Serializing plain maps and strings to memory cannot fail.
            let _ = serde_json::to_writer(&mut text, &line);
            text.push(b'\n');
            answers.push(done);
        }
        if answers.is_empty() {
            continue;
        }
        let (bytes, lines) = (text.len() as u64, answers.len() as u64);
        counters.bytes.fetch_add(bytes, Ordering::Relaxed);
        counters.lines.fetch_add(lines, Ordering::Relaxed);
        counters.syncs.fetch_add(1, Ordering::Relaxed);
        let result = held.lock().await.append(text).await.map_err(Arc::new);
        broken = result.clone().err();
        answers
            .into_iter()
            .for_each(|done| drop(done.send(result.clone())));
    }
}

/// Replays a journal onto the state it continues. Gives true when there was anything to replay.
///
/// A torn last line (the crash hit the write) is ignored; any other damage is an error that names the line.
pub(super) fn replay(
    path: &Path,
    text: &[u8],
    state: &mut State,
    state_exists: bool,
) -> Result<bool, StateError> {
    let damaged = |line: usize, why: String| StateError::Damaged {
        path: path.to_owned(),
        line: Some(line),
        why,
        hint: "Keep a copy of this file, cut it off before that line and run the command again: what is missing is found by its tags",
    };
    // Only whole lines count: the writer ends every line with a newline before it is durable.
    let whole = text
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |at| at + 1);
    if whole == 0 && !text.is_empty() {
        // The first line is never torn by a crash: it comes with the file, by a rename.
        return Err(damaged(1, "not a journal header".into()));
    }
    let mut lines = text[..whole]
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .enumerate();
    let Some((_, first)) = lines.next() else {
        return Ok(false);
    };
    let header: Header = serde_json::from_slice(first)
        .map_err(|e| damaged(1, format!("not a journal header ({e})")))?;
    if header.journal > VERSION {
        return Err(StateError::Newer {
            path: path.to_owned(),
            found: header.journal.into(),
            reads: VERSION,
        });
    }
    if header.suffix != state.suffix {
        return Err(StateError::OtherSuffix {
            path: path.to_owned(),
            found: header.suffix,
            wanted: state.suffix.clone(),
        });
    }
    if header.base < state.serial {
        // The state was written whole after this journal; the crash hit before the journal was removed.
        return Ok(false);
    }
    if header.base > state.serial {
        if state_exists {
            let why = format!(
                "it continues serial {} of the state, but the state file has serial {}",
                header.base, state.serial
            );
            return Err(StateError::Damaged {
                path: path.to_owned(),
                line: Some(1),
                why,
                hint: super::REBUILD,
            });
        }
        // The state file is lost and its journal is not: what it tells is true, the rest is found again by its tags.
        state.serial = header.base;
    }
    if state.account.is_empty() {
        state.account = header.account;
        state.region = header.region;
    }
    let mut stages = stages(state);
    let mut last: HashMap<String, Option<Record>> = HashMap::new();
    for (expected, (at, text)) in (1..).zip(lines) {
        let line: Line = serde_json::from_slice(text)
            .map_err(|e| damaged(at + 1, format!("not a journal line ({e})")))?;
        if line.n != expected {
            return Err(damaged(
                at + 1,
                format!("line number {} where {expected} was expected", line.n),
            ));
        }
        // Without the state that it continues, the first line of a step may follow anything.
        let known = state_exists || header.base == 0 || last.contains_key(&line.step);
        if known {
            advance(&mut stages, &line.step, line.record.as_ref())
                .map_err(|why| damaged(at + 1, why))?;
        } else if let Some(record) = &line.record {
            stages.insert(line.step.clone(), record.stage);
        }
        last.insert(line.step, line.record);
    }
    let any = !last.is_empty();
    for (step, record) in last {
        match record {
            Some(record) => drop(state.steps.insert(step, record)),
            None => drop(state.steps.remove(&step)),
        }
    }
    Ok(any)
}

#[cfg(test)]
mod tests {
    use super::super::model::tests::{has_the_shape_of, whole};
    use super::*;

    #[test]
    fn the_shape_of_a_version_never_changes() {
        let state = whole();
        let line = |record: Option<Record>| {
            let step = "vpc-green".to_owned();
            serde_json::to_value(Line { n: 1, step, record }).unwrap()
        };
        let header = serde_json::from_slice(&header(&state)).unwrap();
        let written = [header, line(None), line(state.steps["*"].clone().into())];
        has_the_shape_of(&format!("journal-{VERSION}"), &written);
    }
}

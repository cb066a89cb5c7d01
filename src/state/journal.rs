//! The append-only journal between two whole writes of the state. One JSON line per record; concurrent steps share an
//! fsync (group commit), so durability costs one line per effect.
//!
//! The first line names the deployment and the serial of the state that it continues. Every further line holds the whole
//! record of one step, or says that it is gone; replaying is "the last line of a step wins".

use super::{Record, State, StateError};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};

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
    /// Calls of fsync.
    pub syncs: AtomicU64,
    /// Lines appended.
    pub lines: AtomicU64,
}

/// A handle for appending; cheap to clone. The file is written by one task.
#[derive(Clone)]
pub struct Journal {
    requests: mpsc::UnboundedSender<Request>,
    /// What was written.
    pub counters: Arc<Counters>,
}

impl Journal {
    /// Starts a fresh journal for this state and the task that writes it.
    pub(super) fn start(path: &Path, state: &State) -> Result<Self, StateError> {
        let io = |source| StateError::Io {
            doing: "writing",
            path: path.to_owned(),
            source,
        };
        let header = Header {
            journal: 1,
            suffix: state.suffix.clone(),
            account: state.account.clone(),
            region: state.region.clone(),
            base: state.serial,
        };
        let mut text = serde_json::to_vec(&header).map_err(|e| io(e.into()))?;
        text.push(b'\n');
        super::write_atomic(path, &text)?;
        let file = File::options().append(true).open(path).map_err(io)?;
        let counters = Arc::new(Counters::default());
        let (requests, inbox) = mpsc::unbounded_channel();
        tokio::spawn(write(file, path.to_owned(), inbox, counters.clone()));
        Ok(Self { requests, counters })
    }

    /// Makes this record of a step durable (`None`: the step is gone). Returns after the fsync.
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

/// Writes what is waiting with one write and one fsync, then answers everyone. After a failure every request fails:
/// a hole in the journal must not be followed by more lines.
async fn write(
    mut file: File,
    path: PathBuf,
    mut inbox: mpsc::UnboundedReceiver<Request>,
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
        if broken.is_none() {
            let mut text = Vec::with_capacity(group.len() * 256);
            let mut answers = Vec::with_capacity(group.len());
            for Request { step, record, done } in group {
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
            counters
                .bytes
                .fetch_add(text.len() as u64, Ordering::Relaxed);
            counters
                .lines
                .fetch_add(answers.len() as u64, Ordering::Relaxed);
            counters.syncs.fetch_add(1, Ordering::Relaxed);
            let wrote = tokio::task::spawn_blocking(move || {
                let result = file.write_all(&text).and_then(|()| file.sync_data());
                (file, result)
            })
            .await;
            let result = match wrote {
                Ok((back, result)) => {
                    file = back;
                    result
                }
                Err(_) => return,
            };
            let result = result.map_err(|source| {
                Arc::new(StateError::Io {
                    doing: "writing",
                    path: path.clone(),
                    source,
                })
            });
            broken = result.clone().err();
            answers
                .into_iter()
                .for_each(|done| drop(done.send(result.clone())));
        } else if let Some(error) = &broken {
            group
                .into_iter()
                .for_each(|r| drop(r.done.send(Err(error.clone()))));
        }
    }
}

/// Replays the journal onto the state it continues. Gives true when there was anything to replay.
///
/// A torn last line (the crash hit the write) is ignored; any other damage is an error that names the line.
pub(super) fn replay(
    path: &Path,
    state: &mut State,
    state_exists: bool,
) -> Result<bool, StateError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(source) => {
            return Err(StateError::Io {
                doing: "reading",
                path: path.to_owned(),
                source,
            });
        }
    };
    let damaged = |line: usize, why: String| StateError::Damaged {
        path: path.to_owned(),
        line: Some(line),
        why,
        hint: "Keep a copy of this file, cut it off before that line and run the command again: what is missing is found by its tags",
    };
    // Only whole lines count: the writer ends every line with a newline before the fsync.
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

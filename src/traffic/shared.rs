//! The history of the traffic in a shared state: the lines of every machine's own file, in the order in which they came, as one
//! object of the bucket, `traffic/history.jsonl`. It grows only, on the condition that it is still the version that was read, and
//! its lines are chained like those of a file.
//!
//! A line is written to the machine's own file first, which a shift goes on from and a rollback needs nothing of; it is carried
//! over from there. What could not be carried over is carried by the next command: each line says which line of which file it
//! is, so nothing comes twice.

use super::history::{Entry, History, Log};
use crate::chain::{Chain, whole};
use crate::engine::Error;
use crate::state::{Condition, Objects, PutError, Trouble};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The key of the object.
const KEY: &str = "traffic/history.jsonl";
/// How often it is tried when others write at the same time, or it is not clear whether it was written.
const ATTEMPTS: u32 = 10;

/// A line of a file, as the object has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Carried {
    /// The hash of the first line of the file that it comes from.
    pub file: String,
    /// Its number there.
    pub line: u64,
    /// What it says.
    #[serde(flatten)]
    pub entry: Entry,
}

fn failed(doing: &str, objects: &dyn Objects, trouble: Trouble) -> Error {
    let text = format!("{doing} {}/{KEY}: {}", objects.home(), trouble.text);
    let error = Error::permanent("traffic history", text);
    match trouble.hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The object's bytes, its lines, and the condition for the next version.
async fn get(objects: &dyn Objects) -> Result<(Vec<u8>, Chain<Carried>, Condition), Error> {
    let found = objects.get(KEY).await;
    let found = found.map_err(|trouble| failed("reading", objects, trouble))?;
    let (bytes, condition) = match found {
        Some(object) => (object.bytes, Condition::Version(object.etag)),
        None => (Vec::new(), Condition::New),
    };
    let chain = Chain::parse(&bytes).map_err(|broken| {
        let text = format!(
            "{}/{KEY} line {}: {}",
            objects.home(),
            broken.line,
            broken.why
        );
        Error::permanent("traffic history", text).hint(
            "restore an earlier version of the object; the files of the machines go on by themselves",
        )
    })?;
    Ok((bytes, chain, condition))
}

/// Carries over what the file has and the object has not; gives the number of lines.
///
/// # Errors
/// When the file or the object cannot be read, was changed, or cannot be written.
pub async fn carry(log: &Log, objects: &dyn Objects) -> Result<usize, Error> {
    let own = log.read()?;
    let Some(file) = own.first() else {
        return Ok(0);
    };
    for attempt in 0..ATTEMPTS {
        let (mut bytes, mut chain, condition) = get(objects).await?;
        let mine = chain.lines.iter().filter(|l| l.entry.file == file);
        let last = mine.map(|l| l.entry.line).max().unwrap_or_default();
        let new: Vec<_> = own.lines.iter().filter(|line| line.n > last).collect();
        if new.is_empty() {
            return Ok(0);
        }
        bytes.truncate(whole(&bytes));
        for line in &new {
            let carried = Carried {
                file: file.to_owned(),
                line: line.n,
                entry: line.entry.clone(),
            };
            bytes.extend(chain.line(carried, line.at));
        }
        match objects.put(KEY, bytes, &condition).await {
            Ok(_) => return Ok(new.len()),
            Err(PutError::Failed(trouble)) => return Err(failed("writing", objects, trouble)),
            // Whether it was written shows at the next look.
            Err(PutError::Refused | PutError::Busy | PutError::Unclear(_)) => {}
        }
        tokio::time::sleep(Duration::from_millis(20 << attempt.min(6))).await;
    }
    Err(failed(
        "writing",
        objects,
        Trouble {
            text: "others write at the same time, or S3 does not answer".into(),
            hint: Some("the next command carries the lines over".into()),
        },
    ))
}

/// The lines of all machines, in the order in which they came.
///
/// # Errors
/// When the object cannot be read or was changed.
pub async fn read(objects: &dyn Objects) -> Result<History, Error> {
    let (_, chain, _) = get(objects).await?;
    Ok(History::of(chain, |carried| carried.entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Object;
    use crate::traffic::history::Event;
    use crate::traffic::note::Note;
    use async_trait::async_trait;
    use std::sync::Mutex;

    /// One object, whose writes are refused, lost or unclear as the list says.
    #[derive(Default)]
    struct One {
        object: Mutex<Option<(Vec<u8>, u32)>>,
        strikes: Mutex<Vec<&'static str>>,
    }

    #[async_trait]
    impl Objects for One {
        fn home(&self) -> &str {
            "s3://bucket/dev"
        }
        async fn get(&self, _: &str) -> Result<Option<Object>, Trouble> {
            let object = self.object.lock().unwrap();
            Ok(object.clone().map(|(bytes, version)| Object {
                bytes,
                etag: version.to_string(),
            }))
        }
        async fn put(&self, _: &str, new: Vec<u8>, on: &Condition) -> Result<String, PutError> {
            let trouble = || Trouble {
                text: "no answer".into(),
                hint: None,
            };
            let strike = self.strikes.lock().unwrap().pop();
            let mut object = self.object.lock().unwrap();
            let version = object.as_ref().map(|(_, version)| *version);
            let holds = match (on, version) {
                (Condition::New, None) => true,
                (Condition::Version(etag), Some(version)) => *etag == version.to_string(),
                _ => false,
            };
            match strike {
                Some("failed") => return Err(PutError::Failed(trouble())),
                Some("lost") => return Err(PutError::Unclear(trouble())),
                _ if !holds => return Err(PutError::Refused),
                _ => {}
            }
            let next = version.unwrap_or_default() + 1;
            *object = Some((new, next));
            match strike {
                Some("unclear") => Err(PutError::Unclear(trouble())),
                _ => Ok(next.to_string()),
            }
        }
        async fn list(&self, _: &str) -> Result<Vec<String>, Trouble> {
            Ok(Vec::new())
        }
        async fn delete(&self, _: &[String]) -> Result<(), Trouble> {
            Ok(())
        }
    }

    fn say(log: &Log, text: &str) {
        let entry = Entry::new(Event::Held, &Note::FIRST, "me@here", text);
        let at = "2026-01-02T03:04:05Z".parse().unwrap();
        log.add(entry, at).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn lines_of_two_machines_come_once_whatever_becomes_of_the_answers() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let logs = [Log::new(one.path(), "dev"), Log::new(two.path(), "dev")];
        let bucket = One::default();
        assert_eq!(carry(&logs[0], &bucket).await.unwrap(), 0);
        say(&logs[0], "a");
        say(&logs[0], "b");
        *bucket.strikes.lock().unwrap() = vec!["failed"];
        assert!(carry(&logs[0], &bucket).await.is_err());
        *bucket.strikes.lock().unwrap() = vec!["unclear", "lost"];
        // It was done behind an answer that was lost: the next look finds nothing left.
        assert_eq!(carry(&logs[0], &bucket).await.unwrap(), 0);
        say(&logs[1], "x");
        assert_eq!(carry(&logs[1], &bucket).await.unwrap(), 1);
        say(&logs[0], "c");
        assert_eq!(carry(&logs[0], &bucket).await.unwrap(), 1);
        assert_eq!(carry(&logs[0], &bucket).await.unwrap(), 0);
        let all = read(&bucket).await.unwrap();
        let texts: Vec<_> = all.lines.iter().map(|l| l.entry.text.as_str()).collect();
        assert_eq!(texts, ["a", "b", "x", "c"]);
        // A line that was changed shows.
        let mut object = bucket.object.lock().unwrap().clone().unwrap();
        let text = String::from_utf8(object.0).unwrap();
        object.0 = text.replacen("\"text\":\"x\"", "\"text\":\"y\"", 1).into();
        *bucket.object.lock().unwrap() = Some(object);
        let broken = carry(&logs[0], &bucket).await.unwrap_err();
        assert!(broken.to_string().contains("line 4"), "{broken}");
    }
}

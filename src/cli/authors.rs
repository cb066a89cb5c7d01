//! Who made the differences that drift found: asked of CloudTrail's event history, for what differs alone and with few calls, which
//! AWS answers two a second.

use super::session::Session;
use crate::aws::cloudtrail::Change;
use crate::engine::Error;
use crate::engine::drift::{Author, Drift, Found, Status};
use crate::state::State;
use jiff::Timestamp;
use serde_json::Value;

/// Calls in all: two seconds.
const CALLS: usize = 6;
/// Names of one thing that are tried: services record its id, its name or its ARN.
const NAMES: usize = 2;
/// Services whose events are not in the deployment's region.
const GLOBAL: [&str; 2] = ["iam/", "route53/"];

/// A thing that differs.
struct Asked {
    step: String,
    kind: String,
    names: Vec<String>,
    /// Its record: what was changed before it is no difference.
    since: Option<Timestamp>,
}

/// Names who changed what differs, the most severe first.
pub async fn authors(session: &Session, state: &State, drift: &mut Drift) {
    let mut left = CALLS;
    for asked in asked(state, drift) {
        let found = match newest(session, &asked, &mut left).await {
            Err(error) => {
                // Whatever keeps one from being read keeps all of them.
                drift.event_history = Some(format!("not readable: {error}"));
                return;
            }
            Ok(found) => found,
        };
        let (thing, found) = match found {
            Answer::Change(thing, change) => {
                let Change { by, at, event } = change;
                (thing, Found::Known { by, at, event })
            }
            Answer::None => (String::new(), unknown(asked.since)),
            Answer::NotAsked => {
                let why = format!("not asked: {CALLS} calls went to other differences");
                (String::new(), Found::Unknown { why })
            }
        };
        let step = asked.step;
        drift.authors.push(Author { step, thing, found });
    }
}

fn unknown(since: Option<Timestamp>) -> Found {
    let since = since.map(|at| format!(" since it was recorded at {at:.0}"));
    let why = format!(
        "CloudTrail names no call that changed it{}; it shows a call up to 15 minutes later, and 90 days of them",
        since.unwrap_or_default()
    );
    Found::Unknown { why }
}

enum Answer {
    /// By which of the names, and the call.
    Change(String, Change),
    None,
    NotAsked,
}

async fn newest(session: &Session, asked: &Asked, left: &mut usize) -> Result<Answer, Error> {
    let global = GLOBAL.iter().any(|service| asked.kind.starts_with(service));
    for name in &asked.names {
        if *left == 0 {
            return Ok(Answer::NotAsked);
        }
        *left -= 1;
        let found = session.aws().cloudtrail.newest(name, global).await?;
        let after = |change: &Change| asked.since.is_none_or(|since| change.at >= since);
        if let Some(change) = found.filter(after) {
            return Ok(Answer::Change(name.clone(), change));
        }
    }
    Ok(Answer::None)
}

/// What differs and exists, or did.
fn asked(state: &State, drift: &Drift) -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    for row in &drift.steps {
        let record = state.steps.get(&row.step).filter(|_| row.recorded);
        let differs = match row.status {
            Status::Missing => record.is_some(),
            Status::Changed | Status::Unmanaged | Status::OutOfRange => true,
            Status::InSync | Status::Waiting | Status::Unchecked => false,
        };
        if differs {
            let outputs = record.map(|r| &r.outputs).unwrap_or(&Value::Null);
            all.push(Asked {
                step: row.step.clone(),
                kind: row.kind.clone(),
                names: names(outputs, &row.name),
                since: record.map(|r| r.at),
            });
        }
    }
    for thing in &drift.unmanaged {
        let given = [&thing.id, &thing.name].into_iter();
        let given = given.filter(|n| !n.is_empty()).cloned();
        all.push(Asked {
            step: thing.step.clone(),
            kind: thing.kind.clone(),
            names: given.collect(),
            since: None,
        });
    }
    let place = |asked: &Asked| drift.findings.iter().position(|f| f.step == asked.step);
    all.sort_by_key(|asked| place(asked).unwrap_or(usize::MAX));
    all
}

/// Its id, name and ARN, and then whatever else tells it: a part's outputs name its parent.
fn names(outputs: &Value, name: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut add = |text: &str| {
        if !text.is_empty() && !out.iter().any(|known| known == text) {
            out.push(text.to_owned());
        }
    };
    for key in ["id", "name", "arn"] {
        add(outputs[key].as_str().unwrap_or_default());
    }
    let more = outputs.as_object().into_iter().flat_map(|map| map.values());
    more.filter_map(Value::as_str).for_each(&mut add);
    add(name);
    out.truncate(NAMES);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_thing_is_asked_for_by_few_names() {
        let outputs = json!({"arn": "arn:x", "id": "sg-1", "attention": ""});
        assert_eq!(names(&outputs, "web"), ["sg-1", "arn:x"]);
        let part = json!({"group": "sg-1"});
        assert_eq!(names(&part, "web-rules"), ["sg-1", "web-rules"]);
        assert_eq!(names(&Value::Null, "web"), ["web"]);
        let many = json!({"id": "1", "name": "2", "arn": "3", "more": "4"});
        assert_eq!(names(&many, "2"), ["1", "2"]);
    }
}

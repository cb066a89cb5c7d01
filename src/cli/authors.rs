//! Who made the differences that drift found: asked of CloudTrail's event history, for what differs alone and with few calls, which
//! AWS answers two a second.

use super::session::Session;
use crate::aws::cloudtrail::{Change, CloudTrail, Named};
use crate::engine::Error;
use crate::engine::drift::{Author, Drift, Found, Status};
use crate::state::State;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// Calls in all for somebody who waits: four seconds.
pub const QUICK: usize = 8;
/// Calls in all for a page that is kept: fifteen seconds.
pub const THOROUGH: usize = 30;
/// Names of one thing that are asked for: services record its id, its name or its ARN.
const NAMES: usize = 2;
/// Services whose events are not in the deployment's region.
const GLOBAL: [&str; 2] = ["iam", "route53"];

/// A thing that differs.
struct Asked {
    step: String,
    kind: String,
    names: Vec<String>,
    /// Its record: what was changed before it is no difference.
    since: Option<Timestamp>,
}

/// Names who changed what differs, the most severe first, with so many calls at most.
pub async fn authors(session: &Session, state: &State, drift: &mut Drift, calls: usize) {
    let mut history = History {
        cloudtrail: &session.aws().cloudtrail,
        left: calls,
        services: BTreeMap::new(),
    };
    for asked in asked(state, drift) {
        let found = match history.newest(&asked).await {
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
                let why = format!("not asked: {calls} calls went to other differences");
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

/// The event history, and what was read of it.
struct History<'a> {
    cloudtrail: &'a CloudTrail,
    /// Calls that may still be made.
    left: usize,
    /// Newest changes by service.
    services: BTreeMap<String, Vec<Named>>,
}

impl History<'_> {
    /// By the names of the thing, then among the newest calls of its service: one of these answers for several things.
    async fn newest(&mut self, asked: &Asked) -> Result<Answer, Error> {
        let service = service(&asked.kind);
        let global = GLOBAL.contains(&service);
        if let Some(found) = self.among(service, asked) {
            return Ok(found);
        }
        let after = |change: &Change| asked.since.is_none_or(|since| change.at >= since);
        for name in asked.names.iter().take(NAMES) {
            if self.left == 0 {
                return Ok(Answer::NotAsked);
            }
            self.left -= 1;
            let found = self.cloudtrail.newest(name, service, global).await?;
            if let Some(change) = found.filter(after) {
                return Ok(Answer::Change(name.clone(), change));
            }
        }
        if self.services.contains_key(service) {
            return Ok(Answer::None);
        }
        if self.left == 0 {
            return Ok(Answer::NotAsked);
        }
        self.left -= 1;
        let found = self.cloudtrail.of_service(service, global).await?;
        self.services.insert(service.to_owned(), found);
        Ok(self.among(service, asked).unwrap_or(Answer::None))
    }

    /// The newest call of a service that names the thing.
    fn among(&self, service: &str, asked: &Asked) -> Option<Answer> {
        let all = self.services.get(service)?;
        let after = |one: &&Named| asked.since.is_none_or(|since| one.change.at >= since);
        asked.names.iter().find_map(|name| {
            let found = all.iter().filter(after).find(|one| one.names(name))?;
            Some(Answer::Change(name.clone(), found.change.clone()))
        })
    }
}

/// The service whose calls change a thing of a type: the one that the type is named after, but for the record that proves a name.
fn service(kind: &str) -> &str {
    match kind {
        "acm/validation" => "route53",
        other => other.split('/').next().unwrap_or_default(),
    }
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

/// Its id, name and ARN; of a part, which has none of them, whatever its outputs name: its parent. Then the name that it was given.
fn names(outputs: &Value, name: &str) -> Vec<String> {
    let texts = outputs.as_object().into_iter().flatten();
    let texts = texts.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
    let texts: BTreeMap<&str, &str> = texts.filter(|(_, text)| !text.is_empty()).collect();
    let own = ["id", "name", "arn", "url"].map(|key| texts.get(key).copied());
    let mut found: Vec<&str> = own.into_iter().flatten().collect();
    if found.is_empty() {
        found.extend(texts.values());
    }
    found.extend((!name.is_empty()).then_some(name));
    let mut out: Vec<String> = Vec::new();
    for text in found {
        if !out.iter().any(|known| known == text) {
            out.push(text.to_owned());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_thing_is_asked_for_by_what_names_it_and_a_part_by_its_parent() {
        let outputs = json!({"arn": "arn:x", "id": "sg-1", "attention": "", "vpc": "vpc-1"});
        assert_eq!(names(&outputs, "web"), ["sg-1", "arn:x", "web"]);
        let part = json!({"group": "sg-1"});
        assert_eq!(names(&part, "web-rules"), ["sg-1", "web-rules"]);
        assert_eq!(names(&Value::Null, "web"), ["web"]);
        let many = json!({"id": "1", "name": "2", "arn": "3", "more": "4"});
        assert_eq!(names(&many, "2"), ["1", "2", "3"]);
    }

    #[test]
    fn a_type_is_changed_by_the_service_that_it_is_named_after_or_that_has_its_records() {
        assert_eq!(service("sns/topic"), "sns");
        assert_eq!(service("acm/validation"), "route53");
    }
}

//! Requirement by requirement: the table, and the checks that are made in code.

use super::check::Check;
use super::things::DELETION;
use super::{Inventory, Paths, Seen, Sources, Support, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const TABLE: &str = include_str!("requirements.toml");

/// What kind of answer there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The settings answer it.
    Met,
    /// They are a part of an answer.
    Supports,
    /// The project's brief demands a deviation.
    Brief,
    /// It is open, and nobody demanded that.
    Gap,
    /// The customer's own duty.
    Yours,
    /// AWS's.
    Aws,
}

/// Why something is otherwise, and what ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// Who demands it.
    pub by: String,
    /// The control that it fails.
    pub fails: String,
    /// What stands in its place.
    pub compensates: String,
    /// The configuration key that ends it; empty when none does.
    pub end: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    requirement: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    asks: String,
    answered_by: String,
    status: Status,
    #[serde(default)]
    tell: String,
    own: Option<OwnCheck>,
    deviation: Option<Deviation>,
    #[serde(default)]
    check: Vec<Check>,
}

/// A check that is made in code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OwnCheck {
    Drift,
    Paths,
    History,
    Subscribers,
    Support,
    Inventory,
    Rotated,
    Retired,
}

/// One requirement with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Requirement {
    /// Its number.
    pub id: String,
    /// What it asks, in our words.
    pub asks: String,
    /// What answers it.
    pub answered_by: String,
    /// What kind of answer there is.
    pub status: Status,
    /// What the reader has to know.
    pub tell: String,
    /// How it stands: the worst of its values.
    pub verdict: Verdict,
    pub values: Vec<Seen>,
    /// Why something is otherwise.
    pub deviation: Option<Deviation>,
}

/// What checks in code look at.
pub struct Own<'a> {
    pub inventory: Inventory,
    pub paths: &'a Paths,
    pub silent: &'a [String],
    pub support: &'a [Support],
    pub from: &'a Sources<'a>,
}

/// All requirements.
pub fn all(own: &Own<'_>) -> Result<Vec<Requirement>, String> {
    let table: Table = toml::from_str(TABLE).map_err(|e| e.to_string())?;
    Ok(table.requirement.into_iter().map(|r| one(r, own)).collect())
}

fn one(row: Row, own: &Own<'_>) -> Requirement {
    let from = own.from;
    let mut values: Vec<Seen> = row
        .check
        .iter()
        .flat_map(|check| check.values(from.state, from.seen, from.reads))
        .collect();
    if let Some(check) = row.own {
        values.extend(check.values(own));
    }
    // Nothing was read: nothing is shown.
    let worst = values.iter().map(|v| v.verdict).max();
    Requirement {
        verdict: worst.unwrap_or(Verdict::NotSeen),
        id: row.id,
        asks: row.asks,
        answered_by: row.answered_by,
        status: row.status,
        tell: row.tell,
        values,
        deviation: row.deviation,
    }
}

impl OwnCheck {
    fn values(self, own: &Own<'_>) -> Vec<Seen> {
        let from = own.from;
        match self {
            Self::Drift => {
                let drift = from.drift;
                let verdict = match (drift.differs(), drift.complete()) {
                    (true, _) => Verdict::Contradicted,
                    (false, true) => Verdict::Shown,
                    (false, false) => Verdict::NotSeen,
                };
                let value = json!(drift.summary);
                vec![seen(
                    "deployer drift",
                    "summary",
                    value,
                    "everything in sync",
                    verdict,
                )]
            }
            Self::Paths => {
                let paths = own.paths;
                let value = json!({
                    "open": paths.open.len(),
                    "not asked for": paths.extra.len(),
                    "not known": paths.unknown.len(),
                });
                let verdict = if !paths.extra.is_empty() {
                    Verdict::Contradicted
                } else if !paths.unknown.is_empty() || paths.open.is_empty() {
                    Verdict::NotSeen
                } else {
                    Verdict::Shown
                };
                vec![seen(
                    "open paths",
                    "paths",
                    value,
                    "none that is not asked for",
                    verdict,
                )]
            }
            Self::History => {
                let each = from.chains.iter().map(|chain| {
                    let value = Value::String(chain.text.clone());
                    seen(
                        "deployer state history",
                        chain.what,
                        value,
                        "an unbroken chain",
                        chain.verdict,
                    )
                });
                each.collect()
            }
            Self::Subscribers => {
                let topics = from
                    .state
                    .steps
                    .iter()
                    .filter(|(_, r)| r.kind == "sns/topic");
                let found = |step: &String| {
                    let seen = from.seen.get(step);
                    seen.is_some_and(|s| s.live().is_some())
                };
                let topics: Vec<bool> = topics.map(|(step, _)| found(step)).collect();
                let verdict = if !own.silent.is_empty() {
                    Verdict::Contradicted
                } else if topics.is_empty() || topics.contains(&false) {
                    Verdict::NotSeen
                } else {
                    Verdict::Shown
                };
                let wanted = "each topic has a subscriber that has confirmed";
                let one = |value| {
                    let operation = "sns:ListSubscriptionsByTopic";
                    seen(operation, "SubscriptionArn", value, wanted, verdict)
                };
                match own.silent {
                    [] => vec![one(json!([]))],
                    all => all.iter().map(|text| one(json!(text))).collect(),
                }
            }
            Self::Support => {
                let each = own.support.iter().flat_map(|end| end_of(end, from));
                each.collect()
            }
            Self::Inventory => {
                let count = own.inventory;
                let verdict = if count.absent + count.foreign > 0 {
                    Verdict::Contradicted
                } else if count.recorded == 0 || count.unreadable > 0 {
                    Verdict::NotSeen
                } else {
                    Verdict::Shown
                };
                let wanted = "each recorded thing is there";
                vec![seen(
                    "each type's own read",
                    "inventory",
                    json!(count),
                    wanted,
                    verdict,
                )]
            }
            Self::Retired => {
                let keys = from.ages.iter().filter(|a| {
                    let record = from.state.steps.get(&a.step);
                    record.is_some_and(|r| r.kind == "kms/key")
                });
                let each = keys.map(|age| {
                    let at = age.dates.iter().find(|d| d.what == DELETION);
                    let verdict = match (&at, &age.why) {
                        (Some(_), _) => Verdict::Contradicted,
                        (None, None) => Verdict::Shown,
                        (None, Some(_)) => Verdict::NotSeen,
                    };
                    let value = json!(at.and_then(|d| d.at));
                    let operation = "kms:DescribeKey";
                    Seen {
                        step: age.step.clone(),
                        resource: age.resource.clone(),
                        read: Some(age.read),
                        why: age.why.clone(),
                        ..seen(operation, "DeletionDate", value, "none", verdict)
                    }
                });
                each.collect()
            }
            Self::Rotated => {
                let secrets = from
                    .ages
                    .iter()
                    .filter(|a| a.step.starts_with("aurora-rotation"));
                let each = secrets.map(|age| {
                    let last = age.dates.iter().find(|d| d.what == "last rotated");
                    let last = last.and_then(|d| d.at);
                    let verdict = if last.is_some() {
                        Verdict::Shown
                    } else {
                        Verdict::NotSeen
                    };
                    let value = json!(last);
                    Seen {
                        step: age.step.clone(),
                        resource: age.resource.clone(),
                        read: Some(age.read),
                        why: age.why.clone(),
                        ..seen(&age.operation, "LastRotatedDate", value, "a date", verdict)
                    }
                });
                each.collect()
            }
        }
    }
}

/// Until when the version is supported that these steps run.
fn end_of(end: &Support, from: &Sources<'_>) -> Vec<Seen> {
    let wanted = match (end.last, end.verdict) {
        (Some(last), Verdict::Contradicted) => {
            format!("a supported version: the last day of this one was {last}")
        }
        (Some(last), _) => format!("supported today, until {last}"),
        (None, _) => "supported today".to_owned(),
    };
    let one = |value| seen(end.operation, end.field, value, &wanted, end.verdict);
    if end.steps.is_empty() {
        let why = format!("no version was read; {} is configured", end.version);
        return vec![Seen {
            why: Some(why),
            ..one(Value::Null)
        }];
    }
    let unknown = "the dated table does not know this version";
    let each = end.steps.iter().map(|step| {
        let live = from.seen.get(step).and_then(|s| s.live());
        let found = live.and_then(|l| super::resource(&l.outputs));
        Seen {
            step: step.clone(),
            resource: found.unwrap_or_default().to_owned(),
            read: from.reads.at(step),
            why: end.last.is_none().then(|| unknown.to_owned()),
            ..one(json!(end.version))
        }
    });
    each.collect()
}

fn seen(operation: &str, field: &str, value: Value, wanted: &str, verdict: Verdict) -> Seen {
    Seen {
        step: String::new(),
        resource: String::new(),
        operation: operation.to_owned(),
        field: field.to_owned(),
        value,
        wanted: wanted.to_owned(),
        verdict,
        read: None,
        why: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every check asks one thing, of a type and a field that are there.
    #[test]
    fn the_table_is_read_and_every_check_asks_one_thing() {
        let table: Table = toml::from_str(TABLE).unwrap();
        assert!(table.requirement.len() > 40);
        for row in &table.requirement {
            let answered = !matches!(row.status, Status::Yours | Status::Aws);
            assert_eq!(
                answered,
                row.own.is_some() || !row.check.is_empty(),
                "{}",
                row.id
            );
            for check in &row.check {
                assert_eq!(check.asks(), 1, "{}: {check:?}", row.id);
            }
        }
    }
}

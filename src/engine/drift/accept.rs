//! Differences that somebody has accepted for a time, with a reason. A rule that has expired hides nothing, and one that no
//! difference needs is reported, so that rules do not outlive what they were made for.

use super::{Drift, Row, Status, Unmanaged, count};
use crate::engine::diff::Change;
use crate::engine::pattern::matches;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;

/// One rule of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The step; `*` stands for any text.
    pub step: String,
    /// The setting, as drift writes its path; `*` stands for any text. `None` for the step as a whole: that it is missing,
    /// was changed in any way, or is not recorded.
    pub path: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub until: Date,
}

/// A difference that a rule accepts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accepted {
    pub step: String,
    /// The setting; empty for the step as a whole.
    pub path: String,
    /// What is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub want: Option<Value>,
    /// What was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub have: Option<Value>,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub until: Date,
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// It accepted differences.
    Used,
    /// No difference needed it.
    Unused,
    /// It has expired.
    Expired,
}

/// A rule and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleUse {
    /// The step of the rule.
    pub step: String,
    /// Its setting.
    pub path: Option<String>,
    pub reason: String,
    /// Its last day.
    pub until: Date,
    /// What became of it.
    pub status: Use,
    /// How many differences it accepted.
    pub accepted: usize,
}

impl Rule {
    fn is_about(&self, step: &str) -> bool {
        matches(&self.step, step)
    }

    fn takes(&self, step: &str, path: &str) -> bool {
        self.is_about(step) && self.path.as_ref().is_none_or(|p| matches(p, path))
    }

    fn takes_whole(&self, step: &str) -> bool {
        self.path.is_none() && self.is_about(step)
    }
}

impl Drift {
    /// Takes out what the rules accept on this day. What could not be read is never accepted.
    pub fn accept(&mut self, rules: &[Rule], today: Date) {
        let mut taken = vec![0_usize; rules.len()];
        let active = |find: &dyn Fn(&Rule) -> bool| {
            let mut all = rules.iter().enumerate();
            all.find(|(_, rule)| rule.until >= today && find(rule))
        };
        let mut accepted: Vec<Accepted> = Vec::new();
        let mut accept = |step: &str, change: Option<(&str, &Change)>| {
            let path = change.map(|(path, _)| path).unwrap_or_default();
            let found = active(&|rule| match change {
                Some((path, _)) => rule.takes(step, path),
                None => rule.takes_whole(step),
            });
            let Some((at, rule)) = found else {
                return false;
            };
            taken[at] += 1;
            accepted.push(Accepted {
                step: step.to_owned(),
                path: path.to_owned(),
                want: change.and_then(|(_, c)| c.want.clone()),
                have: change.and_then(|(_, c)| c.have.clone()),
                reason: rule.reason.clone(),
                until: rule.until,
            });
            true
        };
        for row in self.steps.iter_mut().filter(|r| r.differs()) {
            accept_row(row, &mut accept);
        }
        self.unmanaged
            .retain(|thing: &Unmanaged| !accept(&thing.step, None));
        let mut summary = count(&self.steps);
        summary.unmanaged += self.unmanaged.len();
        summary.unchecked += self.unlisted.len();
        summary.accepted = accepted.len();
        self.summary = summary;
        self.accepted = accepted;
        let each = rules.iter().zip(taken).map(|(rule, accepted)| RuleUse {
            step: rule.step.clone(),
            path: rule.path.clone(),
            reason: rule.reason.clone(),
            until: rule.until,
            status: match accepted {
                _ if rule.until < today => Use::Expired,
                0 => Use::Unused,
                _ => Use::Used,
            },
            accepted,
        });
        self.rules = each.collect();
    }
}

/// Takes the accepted differences out of a row; with none left it is in sync.
fn accept_row(row: &mut Row, accept: &mut impl FnMut(&str, Option<(&str, &Change)>) -> bool) {
    if row.status == Status::Unchecked {
        return;
    }
    let step = row.step.clone();
    let mut some = false;
    for list in [&mut row.changes, &mut row.unmanaged] {
        list.retain(|change| {
            let taken = accept(&step, Some((&change.path.to_string(), change)));
            some |= taken;
            !taken
        });
    }
    row.out_of_range.retain(|field| {
        let change = Change {
            path: crate::engine::diff::Path::of([field.field.as_str()]),
            want: None,
            have: Some(field.have.clone()),
        };
        let taken = accept(&step, Some((&field.field, &change)));
        some |= taken;
        !taken
    });
    let left = !row.changes.is_empty() || !row.unmanaged.is_empty() || !row.out_of_range.is_empty();
    // Missing, failed, foreign or not recorded: a matter of the step as a whole.
    let whole = row.status == Status::Missing || row.reason.is_some();
    if left {
        if row.changes.is_empty() && row.reason.is_none() {
            row.status = if row.unmanaged.is_empty() {
                Status::OutOfRange
            } else {
                Status::Unmanaged
            };
        }
        return;
    }
    if (whole && accept(&step, None)) || (!whole && some) {
        row.status = Status::InSync;
        row.reason = None;
        row.error = None;
    }
}

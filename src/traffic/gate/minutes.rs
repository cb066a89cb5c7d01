//! The closed minutes of a step that are known so far.

use super::limits::Limits;
use super::minute::{Kind, Minute, Pair, Totals};
use super::step::Step;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Minutes of one step by number. Kept in full, so that every verdict follows from the record alone: whoever resumes a
/// killed shift reaches the same one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Minute, Pair)>", into = "Vec<(Minute, Pair)>")]
pub struct Minutes(BTreeMap<Minute, Pair>);

/// As a list in JSON: keys of a map would be text there.
impl From<Vec<(Minute, Pair)>> for Minutes {
    fn from(list: Vec<(Minute, Pair)>) -> Self {
        Self(list.into_iter().collect())
    }
}

impl From<Minutes> for Vec<(Minute, Pair)> {
    fn from(minutes: Minutes) -> Self {
        minutes.0.into_iter().collect()
    }
}

impl Minutes {
    /// Takes what was read of a minute, as often as it is read.
    pub fn observe(&mut self, minute: Minute, read: Pair) {
        let known = self.0.entry(minute).or_default();
        known.green = known.green.updated(read.green);
        known.blue = known.blue.updated(read.blue);
    }

    /// Minutes that have closed, in order.
    pub fn closed(
        &self,
        step: &Step,
        now: i64,
    ) -> impl DoubleEndedIterator<Item = (Minute, &Pair)> {
        let first = step.first_minute();
        let open = now.div_euclid(60).max(first);
        self.0
            .range(first..open)
            .map(|(minute, pair)| (*minute, pair))
    }

    /// Minutes that CloudWatch adds nothing to any more: good news counts from these.
    pub fn settled(
        &self,
        step: &Step,
        limits: &Limits,
        now: i64,
    ) -> impl Iterator<Item = (Minute, &Pair)> {
        let now = now.saturating_sub(i64::from(limits.settle_seconds));
        self.closed(step, now)
    }

    /// Blue's requests and bad ones of all minutes that were known at `now`.
    pub fn blue(&self, step: &Step, now: i64) -> Totals {
        let mut sum = Totals::default();
        for (_, pair) in self.closed(step, now) {
            if let Some(blue) = pair.blue.of_kind(Kind::Bad) {
                sum.add(blue);
            }
        }
        sum
    }
}

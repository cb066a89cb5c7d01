//! The way back keeps its size: before a shift begins, the fewest tasks and the least capacity of both sides are raised to what
//! the whole traffic needs, since auto scaling would shrink the side that gets less. A tag on each thing says what was raised
//! and what it comes back to (`resources/minimum.rs`); it is written first, so a run that was killed is finished by the next.

use super::metrics::writer_peak;
use super::names::Names;
use super::note::{Act, Note};
use crate::aws::rds::MODIFY_DB_CLUSTER;
use crate::aws::{Aws, rds_tags_of};
use crate::engine::Error;
use crate::resources::autoscaling::range;
use crate::resources::ecs::{EcsTags, tags_of};
use crate::resources::minimum::Minimum;
use crate::resources::rds::RdsTags;
use crate::resources::traffic_tags::MARK_MINIMUM;
use aws_sdk_rds::types::ServerlessV2ScalingConfiguration;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::fmt;

/// How long a minimum stays after a rollback: who was sent back comes back to tasks that run.
pub const AFTER_ROLLBACK: SignedDuration = SignedDuration::from_hours(24);

/// One that is held, or was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Held {
    /// `payment-api of blue`, `the database of green`.
    pub what: String,
    /// What it was raised to.
    pub is: f64,
    /// What it comes back to.
    pub was: f64,
    /// `tasks` or `ACU`.
    pub unit: &'static str,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            is,
            was,
            unit,
        } = self;
        write!(f, "{what}: at least {is} {unit} in place of {was}")
    }
}

/// All in one sentence.
pub fn text(held: &[Held]) -> String {
    let all: Vec<String> = held.iter().map(Held::to_string).collect();
    all.join("; ")
}

/// What has such a minimum.
struct Thing {
    what: String,
    /// `payment-api`, or nothing for a database: the same on both sides.
    kind: &'static str,
    unit: &'static str,
    /// Of what has the tag.
    arn: String,
    /// `service/CLUSTER/SERVICE`, or the database cluster.
    id: String,
    min: f64,
    max: f64,
    /// Tasks that run now.
    runs: f64,
    held: Option<Minimum>,
}

const TASKS: &str = "tasks";
const ACU: &str = "ACU";

impl Thing {
    /// What the configuration says.
    fn configured(&self) -> f64 {
        self.held.map_or(self.min, |held| held.was)
    }

    fn shown(&self, held: Minimum) -> Held {
        Held {
            what: self.what.clone(),
            is: held.is,
            was: held.was,
            unit: self.unit,
        }
    }

    /// What it is raised to for so much; `None` when it is there already.
    fn raised(&self, need: f64) -> Option<Minimum> {
        let now = self.held.map_or(self.min, |held| held.is);
        let is = need.max(now).min(self.max);
        let done = match self.held {
            Some(held) => held.is == is && self.min == is,
            None => is <= self.min,
        };
        (!done).then(|| Minimum {
            is,
            was: self.configured(),
        })
    }

    async fn tag(&self, aws: &Aws, held: Option<Minimum>) -> Result<(), Error> {
        let set = held.map(|held| held.tag()).unwrap_or_default();
        let gone = match held {
            Some(_) => Vec::new(),
            None => vec![MARK_MINIMUM.to_owned()],
        };
        match self.unit {
            TASKS => EcsTags::change_of(aws, &self.arn, &set, &gone).await,
            _ => RdsTags::change_of(aws, &self.arn, &set, &gone).await,
        }
    }

    async fn set(&self, aws: &Aws, min: f64) -> Result<(), Error> {
        if self.unit == TASKS {
            return range(aws, &self.id, min as i32, self.max as i32).await;
        }
        let scaling = ServerlessV2ScalingConfiguration::builder()
            .min_capacity(min)
            .max_capacity(self.max);
        let call = aws.rds.client.modify_db_cluster();
        let call = call
            .db_cluster_identifier(&self.id)
            .serverless_v2_scaling_configuration(scaling.build())
            .apply_immediately(true);
        aws.call(MODIFY_DB_CLUSTER, || call.clone().send())
            .await
            .map(drop)
    }
}

/// Everything that has a minimum, on both sides. A service that rests has none: nothing may start it.
async fn things(aws: &Aws, names: &Names) -> Result<Vec<Thing>, Error> {
    let mut all = Vec::new();
    for side in &names.sides {
        for service in &side.services {
            let id = format!("service/{}/{}", side.cluster, service.service);
            let key = (side.cluster.clone(), service.service.clone());
            let (running, target) = tokio::try_join!(
                aws.ecs.services.get(key),
                aws.autoscaling.targets.get(id.clone())
            )?;
            let running = running.filter(|s| s.status() == Some("ACTIVE") && s.desired_count > 0);
            let (Some(running), Some(target)) = (running, target) else {
                continue;
            };
            all.push(Thing {
                what: format!("{} of {}", service.name, side.env),
                kind: service.name,
                unit: TASKS,
                arn: running.service_arn().unwrap_or_default().to_owned(),
                id,
                min: target.min_capacity.into(),
                max: target.max_capacity.into(),
                runs: running.running_count.into(),
                held: Minimum::of(&tags_of(running.tags())),
            });
        }
        let Some(cluster) = aws.rds.clusters.named(&side.database).await? else {
            continue;
        };
        let scaling = cluster.serverless_v2_scaling_configuration();
        let number = |value: Option<f64>| value.unwrap_or_default();
        all.push(Thing {
            what: format!("the database of {}", side.env),
            kind: "",
            unit: ACU,
            arn: cluster.db_cluster_arn().unwrap_or_default().to_owned(),
            id: side.database.clone(),
            min: number(scaling.and_then(|s| s.min_capacity())),
            max: number(scaling.and_then(|s| s.max_capacity())),
            runs: 0.0,
            held: Minimum::of(&rds_tags_of(cluster.tag_list())),
        });
    }
    Ok(all)
}

/// What was raised.
#[derive(Debug, Clone, Default)]
pub struct Raised {
    /// Just now.
    pub now: Vec<Held>,
    /// Why the capacity that blue needs is not known, if so.
    pub unknown: Option<String>,
}

/// Raises them to what the whole traffic needs: as many tasks as the busier side runs now, and the capacity that blue's writer
/// had at its peak of the last day.
///
/// # Errors
/// When AWS does not answer or refuses. What was raised stays, and the next run goes on.
pub async fn raise(aws: &Aws, names: &Names, now: i64) -> Result<Raised, Error> {
    let all = things(aws, names).await?;
    let [blue, _] = &names.sides;
    let mut out = Raised::default();
    let peak = match writer_peak(aws, &blue.database, now).await {
        Ok(Some(peak)) => (peak * 2.0).ceil() / 2.0,
        Ok(None) => {
            out.unknown =
                Some("CloudWatch has no capacity of blue's writer in the last 24 hours".into());
            0.0
        }
        Err(error) => {
            out.unknown = Some(error.to_string());
            0.0
        }
    };
    for thing in &all {
        let need = match thing.unit {
            TASKS => {
                let same = all.iter().filter(|other| other.kind == thing.kind);
                same.map(|other| other.runs).fold(0.0, f64::max)
            }
            _ => peak,
        };
        let Some(held) = thing.raised(need) else {
            continue;
        };
        thing.tag(aws, Some(held)).await?;
        thing.set(aws, held.is).await?;
        out.now.push(thing.shown(held));
    }
    Ok(out)
}

/// Whether as many tasks run as are held.
///
/// # Errors
/// When AWS does not answer.
pub async fn runs(aws: &Aws, names: &Names) -> Result<bool, Error> {
    let all = things(aws, names).await?;
    Ok(all
        .iter()
        .all(|thing| thing.unit != TASKS || thing.held.is_none() || thing.runs >= thing.min))
}

/// What is held.
///
/// # Errors
/// When AWS does not answer.
pub async fn held(aws: &Aws, names: &Names) -> Result<Vec<Held>, Error> {
    let all = things(aws, names).await?;
    let held = all
        .iter()
        .filter_map(|thing| Some(thing.shown(thing.held?)));
    Ok(held.collect())
}

/// Gives them back.
///
/// # Errors
/// When AWS does not answer or refuses. The next run goes on.
pub async fn give_back(aws: &Aws, names: &Names) -> Result<Vec<Held>, Error> {
    let mut out = Vec::new();
    for thing in things(aws, names).await? {
        let Some(held) = thing.held else {
            continue;
        };
        if thing.min != held.was {
            thing.set(aws, held.was).await?;
        }
        thing.tag(aws, None).await?;
        out.push(thing.shown(held));
    }
    Ok(out)
}

/// From when on they are given back after a rollback; `None` while a shift goes on, or green has customers or the writes.
pub fn due(note: &Note) -> Option<Timestamp> {
    let at = note.at.filter(|_| note.act == Act::Rollback)?;
    at.checked_add(AFTER_ROLLBACK).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(min: f64, max: f64, held: Option<Minimum>) -> Thing {
        Thing {
            what: "payment-api of blue".into(),
            kind: "payment-api",
            unit: TASKS,
            arn: String::new(),
            id: String::new(),
            min,
            max,
            runs: 0.0,
            held,
        }
    }

    #[test]
    fn a_minimum_rises_to_the_need_within_its_maximum_and_never_falls() {
        let held = |is, was| Minimum { is, was };
        let cases = [
            // min, max, held, need, raised
            (2.0, 10.0, None, 6.0, Some(held(6.0, 2.0))),
            (2.0, 4.0, None, 6.0, Some(held(4.0, 2.0))),
            (2.0, 10.0, None, 2.0, None),
            (2.0, 10.0, None, 0.0, None),
            (6.0, 10.0, Some(held(6.0, 2.0)), 4.0, None),
            (6.0, 10.0, Some(held(6.0, 2.0)), 8.0, Some(held(8.0, 2.0))),
            // Killed between the tag and the call.
            (2.0, 10.0, Some(held(6.0, 2.0)), 4.0, Some(held(6.0, 2.0))),
        ];
        for (min, max, before, need, raised) in cases {
            assert_eq!(
                thing(min, max, before).raised(need),
                raised,
                "{min} {max} {before:?} {need}"
            );
        }
    }

    #[test]
    fn they_are_due_a_day_after_a_rollback_and_at_no_other_time() {
        let at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let note = |act| Note {
            act,
            at: Some(at),
            ..Note::FIRST
        };
        assert_eq!(
            due(&note(Act::Rollback)),
            Some("2026-01-03T03:04:05Z".parse().unwrap())
        );
        for act in [Act::None, Act::Shift, Act::Done, Act::Cutover, Act::Pause] {
            assert_eq!(due(&note(act)), None);
        }
    }
}

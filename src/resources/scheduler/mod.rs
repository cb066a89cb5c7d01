//! EventBridge Scheduler: groups, which carry the tags, and the schedules in them.

mod group;
mod schedule;

pub use group::Group;
pub use schedule::{Retries, Schedule, Target};

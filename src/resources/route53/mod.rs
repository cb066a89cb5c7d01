//! Route 53: records of a public zone, and health checks.

mod health_check;
mod record;
pub mod sets;
mod tags;
pub mod text;
mod watched_alarm;

pub use health_check::HealthCheck;
pub use record::{Alias, Record, Weight};
pub use text::Text;
pub use watched_alarm::{Settings as AlarmSettings, WatchedAlarm};

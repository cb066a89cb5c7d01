//! Route 53: public zones with their records, and health checks.

mod answered;
mod caa;
mod health_check;
mod record;
pub mod sets;
mod tags;
pub mod text;
mod watched_alarm;
mod zone;

pub use health_check::HealthCheck;
pub use record::{Alias, Record, Weight, live_weight};
pub use text::Text;
pub use watched_alarm::{Settings as AlarmSettings, WatchedAlarm};
pub use zone::Zone;

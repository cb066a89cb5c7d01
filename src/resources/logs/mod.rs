//! CloudWatch Logs: log groups.

mod exposed;
mod log_group;
mod tags;

pub use log_group::{LogGroup, RETENTION_DAYS, events, still_gone};
pub use tags::LogsTags;

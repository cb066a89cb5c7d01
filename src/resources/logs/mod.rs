//! CloudWatch Logs: log groups.

mod log_group;
mod tags;

pub use log_group::{LogGroup, RETENTION_DAYS};
pub use tags::LogsTags;

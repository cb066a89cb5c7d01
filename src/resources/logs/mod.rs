//! CloudWatch Logs: log groups.

mod log_group;

pub use log_group::{LogGroup, LogGroupArn, LogGroupName, LogGroupOutputs, RETENTION_DAYS};

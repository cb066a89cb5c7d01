//! CloudWatch: alarms and dashboards.

mod actions;
mod alarm;
mod composite_alarm;
mod dashboard;
mod metric;
mod tags;

pub use alarm::Alarm;
pub use composite_alarm::CompositeAlarm;
pub use dashboard::{Dashboard, DashboardTags};
pub use metric::{Metric, Query, dimension};
pub use tags::AlarmTags;

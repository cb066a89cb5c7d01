//! Route 53: records of a public zone, and health checks.

mod health_check;
mod record;
pub mod sets;
mod tags;

pub use health_check::HealthCheck;
pub use record::{Alias, Record};

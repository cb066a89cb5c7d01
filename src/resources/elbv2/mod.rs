//! Elastic Load Balancing: load balancers with their listeners and rules, and target groups.

mod action;
mod attributes;
mod listener;
mod load_balancer;
mod rule;
mod tags;
mod target_group;
mod targets;

pub use action::Action;
pub use listener::Listener;
pub use load_balancer::{LoadBalancer, keep_idle};
pub use rule::Rule;
pub use tags::ElbTags;
pub use target_group::{HealthCheck, TargetGroup};
pub use targets::Targets;

use crate::engine::NameRule;

/// "CreateLoadBalancer" and "CreateTargetGroup": no hyphen at either end, which our names do not have.
const NAME: NameRule = NameRule {
    min: 1,
    max: 32,
    legal: |c| c.is_ascii_alphanumeric() || c == '-',
    charset: "letters, digits and hyphens",
};

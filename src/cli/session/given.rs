//! What a configuration gives in place of what would be made.

use super::Session;
use crate::aws;
use crate::blueprint;
use crate::engine::plan::{Node, Op, Plan};
use crate::engine::{Check, Kind};
use crate::resources::elbv2::Listener;
use serde_json::Value;

impl Session {
    /// Whether the certificate that the configuration names can be served, when the plan gives one to a listener.
    pub(super) async fn given_certificate(&self, plan: &Plan) -> Option<Check> {
        let arn = &self.config.routing.certificate_arn;
        let serves = |n: &Node| n.kind == Listener::TYPE && n.op == Op::Ensure;
        if arn.is_empty() || !plan.nodes.iter().any(serves) {
            return None;
        }
        let domain = self.graph.outputs.get("domain").and_then(Value::as_str);
        let names = domain.map(blueprint::names).unwrap_or_default();
        let names: Vec<String> = names.into_iter().map(|(_, name)| name).collect();
        Some(aws::certificate(&self.aws, arn, &names).await)
    }
}

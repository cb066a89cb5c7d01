//! How things are called that the traffic is measured by: from the blueprint, so that nothing has to be recorded.

use crate::blueprint::{self, DATABASE_CLUSTER, Env, Facts, SERVICES, rests};
use crate::config::Config;
use crate::engine::Graph;
use crate::engine::graph::GraphError;

/// A service of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `payment-api`.
    pub name: &'static str,
    /// Its own target group.
    pub group: String,
    /// Its service in the cluster.
    pub service: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// `blue` or `green`.
    pub env: &'static str,
    /// The load balancer.
    pub balancer: String,
    /// The firewall.
    pub web_acl: String,
    /// The firewall's log group.
    pub firewall_log: String,
    pub cluster: String,
    pub database: String,
    pub services: Vec<Service>,
    /// The alarms that watch while no process of ours runs.
    pub guards: Vec<String>,
    /// The target group of the bridge to the other side, if there is one.
    pub bridge: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Blue and green.
    pub sides: [Side; 2],
    /// The functions `control` and `verify`.
    pub control: String,
    /// Compares both sides.
    pub verify: String,
}

impl Names {
    /// The names of a deployment. They follow from its suffix.
    ///
    /// # Errors
    /// When the configuration makes no graph.
    pub fn of(config: &Config) -> Result<Self, GraphError> {
        let graph = blueprint::build(config, &Facts::assumed(config))?;
        let side = |of: Env| {
            let env = match of {
                Env::Blue => "blue",
                Env::Green => "green",
            };
            let name = |thing: &str| name(&graph, thing, env);
            let services = SERVICES.iter().map(|service| Service {
                name: service.name,
                group: name(&format!("tg-{}", service.name)),
                service: name(&format!("service-{}", service.name)),
            });
            let guards = SERVICES.iter().flat_map(|service| {
                // A service that has no task, as it should be, is not missed.
                let healthy = (!rests(of, service, config)).then_some("guard-healthy");
                let watched = [Some("guard-errors"), healthy].into_iter().flatten();
                watched.map(|what| name(&format!("alarm-{what}-{}", service.name)))
            });
            Side {
                env,
                balancer: name("alb"),
                web_acl: name("waf"),
                firewall_log: name("waf-logs"),
                cluster: name("cluster"),
                database: name(DATABASE_CLUSTER),
                services: services.collect(),
                guards: guards.collect(),
                bridge: Some(name("tg-bridge")).filter(|name| !name.is_empty()),
            }
        };
        Ok(Self {
            sides: Env::ALL.map(side),
            control: name(&graph, "function-control", "green"),
            verify: name(&graph, "function-verify", "green"),
        })
    }
}

fn name(graph: &Graph, thing: &str, env: &str) -> String {
    let step = graph.get(&format!("{thing}-{env}"));
    step.map(|s| s.name.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mapping;

    #[test]
    fn a_service_that_has_no_task_while_green_only_reads_is_no_guard() {
        let mut config = Config::default();
        config.migration.mapping = Mapping {
            file: "mapping.json".into(),
            text: r#"{"mode": "read-only"}"#.into(),
        };
        let names = Names::of(&config).unwrap();
        let missed = |side: &Side| {
            let all = side.guards.iter().filter(|g| g.contains("guard-healthy"));
            all.map(|g| g.contains("transaction-processor"))
                .collect::<Vec<_>>()
        };
        let [blue, green] = &names.sides;
        assert_eq!((missed(blue).len(), missed(green)), (3, vec![false, false]));
    }

    #[test]
    fn the_blueprint_has_everything_that_is_named() {
        let names = Names::of(&Config::default()).unwrap();
        let mut all = vec![&names.control, &names.verify];
        for side in &names.sides {
            all.extend([
                &side.balancer,
                &side.web_acl,
                &side.firewall_log,
                &side.cluster,
                &side.database,
            ]);
            all.extend(side.services.iter().flat_map(|s| [&s.group, &s.service]));
            all.extend(&side.guards);
        }
        assert!(all.iter().all(|n| n.contains("dev")), "{all:?}");
        assert_eq!(all.len(), 2 + 2 * (5 + 6 + 6));
    }
}

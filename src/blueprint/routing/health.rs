//! What decides whether an environment answers for the domain.

use crate::blueprint::EnvironmentBuilder;
use crate::blueprint::alarms::Guard;
use crate::blueprint::edge::READY_PATH;
use crate::blueprint::security::HTTPS;
use crate::engine::Handle;
use crate::resources::route53::{AlarmSettings, HealthCheck, WatchedAlarm};

/// A check of the endpoint every ten seconds, one of each guard, and the one that decides, which is calculated: all of them must
/// be healthy.
///
/// A guard whose alarm has no data is as it was last: an environment that failed and then got no traffic stays out until its guard
/// has data again.
pub(super) fn health(
    here: &mut EnvironmentBuilder<'_>,
    domain: String,
    guards: &[Guard],
) -> Handle<HealthCheck> {
    let endpoint = HealthCheck {
        domain: Some(domain),
        port: Some(HTTPS.into()),
        path: Some(READY_PATH.into()),
        interval: Some(10),
        threshold: Some(3),
        sni: Some(true),
        ..HealthCheck::of_type("HTTPS")
    };
    let mut children = vec![here.add("health-endpoint", endpoint).id.clone()];
    for guard in guards {
        let spec = HealthCheck {
            alarm: Some(WatchedAlarm {
                region: here.config.region.clone(),
                name: guard.alarm.ready(),
                settings: AlarmSettings::of(&guard.watches),
            }),
            without_data: Some("LastKnownStatus".into()),
            ..HealthCheck::of_type("CLOUDWATCH_METRIC")
        };
        children.push(
            here.add(&format!("health-{}", guard.thing), spec)
                .id
                .clone(),
        );
    }
    let calculated = HealthCheck {
        healthy_children: i32::try_from(children.len()).ok(),
        children,
        ..HealthCheck::of_type("CALCULATED")
    };
    here.add("health", calculated)
}

#[cfg(test)]
mod tests {
    use crate::blueprint::{Env, Facts, SERVICES, build};
    use crate::config::Config;

    #[test]
    fn every_guard_is_a_child_of_the_check_that_decides_and_all_must_be_healthy() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        for env in Env::ALL {
            let guards = graph.steps.iter().filter(|s| {
                let counts = s.spec["actions"] == true;
                s.scope == env.to_string() && s.id.starts_with("alarm-guard-") && counts
            });
            let guards: Vec<&str> = guards.map(|s| s.id.as_str()).collect();
            assert!(!guards.is_empty());
            let decides = graph.get(&format!("health-{env}")).unwrap();
            let children = decides.needs(&graph);
            assert_eq!(decides.spec["healthy_children"], children.len());
            assert_eq!(children.len(), 1 + guards.len());
            let watched: Vec<String> = children
                .iter()
                .flat_map(|child| graph.get(child).unwrap().needs(&graph))
                .collect();
            for guard in guards {
                assert!(watched.contains(&guard.to_owned()), "{guard}");
                // Route 53 reads one metric, by a plain statistic.
                let metric = &graph.get(guard).unwrap().spec["metric"];
                let statistic = metric["statistic"].as_str().unwrap();
                assert!(["Sum", "Minimum"].contains(&statistic), "{guard}");
            }
        }
    }

    /// What a health check is known by has 64 characters at most.
    #[test]
    fn the_references_of_health_checks_fit_for_the_longest_suffix_and_region() {
        let config = Config {
            suffix: "abcdefghijkl".into(),
            ..Config::default()
        };
        let mut facts = Facts::sample();
        for service in &SERVICES {
            facts.images.insert(service.name.into(), "image".into());
        }
        let graph = build(&config, &facts).unwrap();
        let checks = graph
            .steps
            .iter()
            .filter(|s| s.kind == "route53/health_check");
        let mut seen = 0;
        for step in checks {
            seen += 1;
            let text = format!("{}.abcdefghijkl.ap-southeast-1.01234567", step.id);
            assert!(text.len() <= 64, "{text}");
        }
        assert_eq!(seen, 2 * (2 + 2 * SERVICES.len()));
    }
}

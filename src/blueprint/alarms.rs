//! What people are called for. Every alarm says what it means and what to do, and notifies the environment's topic; one alarm over all
//! of them answers whether anything is wrong at all.
//!
//! Alarms of requests are per own target group, so that a request which one environment sends on to the other counts once. *Guards*
//! are plain sums of one metric, because a health check of Route 53 takes no others.

mod migration;
mod watch;

pub use migration::migration;

use self::migration::LAG_BYTES;
use self::watch::{Watch, alarm, line, metric, result, watch};
use super::compute::Compute;
use super::edge::Edge;
use super::services::{SERVICES, Service};
use super::{Env, EnvironmentBuilder, compute, dashboards, database};
use crate::engine::{Handle, Ref};
use crate::resources::cloudwatch::{Alarm, CompositeAlarm};
use crate::resources::elbv2::TargetGroup;
use crate::resources::rds;
use crate::resources::sns::Topic;
use crate::resources::wafv2::WebAcl;
use crate::resources::{Arn, Exposed};
use std::collections::BTreeMap;

/// What it needs of other sections.
pub struct Needs<'a> {
    /// Who is notified.
    pub topic: &'a Handle<Topic>,
    /// Load balancer and target groups.
    pub edge: &'a Edge,
    /// The cluster, and what is scaled.
    pub compute: &'a Compute,
    pub database: &'a Handle<rds::Cluster>,
    pub web_acl: &'a Handle<WebAcl>,
    /// What [`failing`] declared.
    pub failing: &'a [(&'static Service, Guard)],
}

/// Share of requests that fail, in percent, above which somebody is called.
const BAD_PERCENT: f64 = 1.0;
/// Below so many requests in five minutes a share says nothing.
const LEAST_REQUESTS: u32 = 20;
/// Failed requests in a minute that are too many whatever their share.
const BAD_REQUESTS: f64 = 30.0;
/// Seconds within which 95 of 100 requests are answered.
const SLOW_SECONDS: f64 = 1.0;
/// Milliseconds that a reader may be behind.
const REPLICA_LAG_MS: f64 = 1000.0;
/// Requests that the firewall blocks in five minutes.
const BLOCKED: f64 = 1000.0;
/// A guard: what the health of an environment is judged by, beside its endpoint.
#[derive(Clone)]
pub struct Guard {
    /// In ids, short: `errors-pay`.
    pub thing: String,
    pub alarm: Ref<Alarm>,
    /// What the alarm watches.
    pub watches: Alarm,
}

/// Declares alarms and dashboards of an environment; answers its guards.
pub fn declare(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>) -> Vec<Guard> {
    let mut all = Vec::new();
    let mut guards = Vec::new();
    for (_, guard) in needs.failing {
        all.push(guard.alarm.clone());
        guards.push(guard.clone());
    }
    for (service, group) in &needs.edge.watched {
        let target = target(needs.edge, group);
        all.push(errors(here, needs, service, &target));
        let (alarms, own) = of_service(here, needs, service, &target);
        all.extend(alarms);
        guards.extend(own);
        all.push(tasks(here, needs, service));
    }
    all.extend(unanswered(here, needs));
    all.extend(of_database(here, needs));
    all.push(blocked(here, needs));
    overall(here, needs.topic, all);
    dashboards::declare(here, needs);
    guards
}

/// Declares the guards that watch the failed requests of each service. They are there before the services, whose deployments they
/// stop.
pub fn failing(
    here: &mut EnvironmentBuilder<'_>,
    topic: &Handle<Topic>,
    edge: &Edge,
) -> Vec<(&'static Service, Guard)> {
    let way_back = way_back(here.env);
    let each = edge.watched.iter().map(|(service, group)| {
        let name = service.name;
        let failed = (ALB, "HTTPCode_Target_5XX_Count");
        let watch = watch(
            "guard-errors",
            format!("{name} fails more than {BAD_REQUESTS} requests a minute{way_back}"),
            metric(failed, "Sum", 60, &target(edge, group)),
            BAD_REQUESTS,
            2,
        );
        let watches = watch.alarm(topic);
        let made = here.add(&format!("alarm-guard-errors-{name}"), watches.clone());
        let guard = Guard {
            thing: format!("errors-{}", service.short),
            alarm: made.name(),
            watches,
        };
        (*service, guard)
    });
    each.collect()
}

/// What tells a service's requests from those of others.
fn target(edge: &Edge, group: &Ref<Arn<TargetGroup>>) -> [(&'static str, String); 2] {
    [
        ("LoadBalancer", edge.load_balancer.arn.to_string()),
        ("TargetGroup", group.to_string()),
    ]
}

/// One alarm over all of them.
fn overall(here: &mut EnvironmentBuilder<'_>, topic: &Handle<Topic>, all: Vec<Ref<Alarm>>) {
    let env = here.env;
    let spec = CompositeAlarm {
        description: format!(
            "Something is wrong with {env}: look at the alarms that it names{}",
            way_back(env)
        ),
        any_of: all,
        actions: true,
        notify: vec![topic.arn.ready()],
        exposed: Exposed::new(),
    };
    let overall = here.add("alarm-any", spec);
    here.output("alarm.any", &overall.name);
}

/// What no failover of DNS does: after a cutover blue refuses writes until somebody says so.
fn way_back(env: Env) -> &'static str {
    match env {
        Env::Green => {
            ". After a cutover blue takes no writes, whatever DNS answers: `deployer traffic rollback` gives it writes and traffic"
        }
        Env::Blue => "",
    }
}

/// What load balancers are measured under.
pub(super) const ALB: &str = "AWS/ApplicationELB";

/// An alarm about a service calls nobody before the service runs: not without its image, and not before its tasks are scaled.
fn once_it_runs(
    here: &EnvironmentBuilder<'_>,
    needs: &Needs<'_>,
    service: &Service,
    alarm: Alarm,
) -> Alarm {
    let of_service = |(of, _): &&(&Service, Ref<()>)| of.name == service.name;
    let scaled = needs.compute.scaled.iter().filter(of_service);
    Alarm {
        actions: compute::runs(here, service),
        after: scaled.map(|(_, scaled)| scaled.clone()).collect(),
        ..alarm
    }
}

/// The share of a service's requests that fail.
fn errors(
    here: &mut EnvironmentBuilder<'_>,
    needs: &Needs<'_>,
    service: &Service,
    target: &[(&str, String)],
) -> Ref<Alarm> {
    let name = service.name;
    let sum = |of| line(metric((ALB, of), "Sum", 300, target));
    let share = format!("IF(FILL(r,0)>={LEAST_REQUESTS}, 100*FILL(t5,0)/r, 0)");
    let queries = BTreeMap::from([
        ("r".to_owned(), sum("RequestCount")),
        ("t5".to_owned(), sum("HTTPCode_Target_5XX_Count")),
        ("bad".to_owned(), result(share)),
    ]);
    let text = format!(
        "More than {BAD_PERCENT} % of {name}'s requests failed in five minutes: look at its log group, and at the alarms of the database"
    );
    let spec = alarm(text, queries, BAD_PERCENT, 1, needs.topic);
    let spec = once_it_runs(here, needs, service, spec);
    here.add(&format!("alarm-errors-{name}"), spec).name()
}

/// Guards and latency of a service: all that count, and the guards among them.
fn of_service(
    here: &mut EnvironmentBuilder<'_>,
    needs: &Needs<'_>,
    service: &Service,
    target: &[(&str, String)],
) -> (Vec<Ref<Alarm>>, Vec<Guard>) {
    let name = service.name;
    let of = |of, statistic| metric((ALB, of), statistic, 60, target);
    let way_back = way_back(here.env);
    let watches = [
        Watch {
            least: true,
            ..watch(
                "guard-healthy",
                format!(
                    "{name} has no healthy task: look at the events of its service and at its log group{way_back}"
                ),
                of("HealthyHostCount", "Minimum"),
                1.0,
                3,
            )
        },
        watch(
            "latency",
            format!(
                "Five of 100 requests to {name} took longer than {SLOW_SECONDS} s for five minutes"
            ),
            of("TargetResponseTime", "p95"),
            SLOW_SECONDS,
            5,
        ),
    ];
    let (mut all, mut guards) = (Vec::new(), Vec::new());
    for watch in watches {
        // A service whose image is not there yet has no healthy task, and that is nothing wrong.
        let counts = compute::runs(here, service) || !watch.least;
        let watch_of = watch.what;
        let thing = format!("alarm-{watch_of}-{name}");
        let spec = once_it_runs(here, needs, service, watch.alarm(needs.topic));
        let what = watch_of.strip_prefix(GUARD);
        let watches = what.map(|_| spec.clone());
        let made = here.add(&thing, spec).name();
        if !counts {
            continue;
        }
        if let (Some(what), Some(watches)) = (what, watches) {
            guards.push(Guard {
                thing: format!("{what}-{}", service.short),
                alarm: made.clone(),
                watches,
            });
        }
        all.push(made);
    }
    (all, guards)
}

/// Requests that no task answered: 502, 503 and 504 of the balancer itself, which CloudWatch counts per balancer only. What a target behind
/// the bridge answers is no such answer here, whatever its code, so a bridged request counts where it failed; one that the other side
/// never answers counts here too, where a client waited for it. It is no guard: with the bridge switched on the fault may be the other
/// environment's.
///
/// Route 53 asks for `/ready` all the time, and as long as the service behind it has no task the balancer answers 503: until then it is
/// quiet.
fn unanswered(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>) -> Option<Ref<Alarm>> {
    let of = [("LoadBalancer", needs.edge.load_balancer.arn.to_string())];
    let text = format!(
        "The load balancer itself answers more than {BAD_REQUESTS} requests a minute with 5xx: tasks hang, are gone or end connections, or `/ready` was told to say 503; look at the events of the services and at the alarms of the database"
    );
    let sum = metric((ALB, "HTTPCode_ELB_5XX_Count"), "Sum", 60, &of);
    let spec = watch("unanswered", text, sum, BAD_REQUESTS, 2).alarm(needs.topic);
    let [ready, ..] = &SERVICES;
    let spec = once_it_runs(here, needs, ready, spec);
    let made = here.add("alarm-unanswered", spec).name();
    compute::runs(here, ready).then_some(made)
}

/// How a guard is called.
const GUARD: &str = "guard-";

/// A service below the count that it should have.
fn tasks(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>, service: &Service) -> Ref<Alarm> {
    let name = service.name;
    let of = [
        ("ClusterName", needs.compute.cluster.name.to_string()),
        ("ServiceName", here.name(&format!("service-{name}"))),
    ];
    let count = |name| line(metric(("ECS/ContainerInsights", name), "Average", 60, &of));
    let queries = BTreeMap::from([
        ("d".to_owned(), count("DesiredTaskCount")),
        ("r".to_owned(), count("RunningTaskCount")),
        ("fewer".to_owned(), result("d - r".into())),
    ]);
    let text = format!(
        "{name} runs fewer tasks than it should for ten minutes: look at the events of its service"
    );
    let spec = alarm(text, queries, 0.0, 10, needs.topic);
    let spec = once_it_runs(here, needs, service, spec);
    here.add(&format!("alarm-tasks-{name}"), spec).name()
}

fn of_database(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>) -> Vec<Ref<Alarm>> {
    let of = [("DBClusterIdentifier", needs.database.id.to_string())];
    let highest = |name| metric(("AWS/RDS", name), "Maximum", 60, &of);
    let watches = [
        // The functions report how far they are behind; this stands also while nobody calls them. -1 where there is no slot: "Instance-level
        // metrics for Amazon Aurora", Amazon Aurora User Guide.
        watch(
            "log-on-disk",
            "The log that a replication slot keeps fills the disk of the database: `deployer migrate status` says who has not read it, `deployer migrate stop` drops the slot and ends the migration",
            highest("TransactionLogsDiskUsage"),
            LAG_BYTES,
            5,
        ),
        watch(
            "connections",
            "An instance of the database has four fifths of the connections that it takes: look for a pool that grows",
            highest("DatabaseConnections"),
            0.8 * f64::from(database::MAX_CONNECTIONS),
            3,
        ),
        watch(
            "capacity",
            "The database is at its largest capacity for ten minutes: raise `database.max_capacity`",
            highest("ACUUtilization"),
            90.0,
            10,
        ),
        watch(
            "replica-lag",
            "A reader of the database is more than a second behind",
            highest("AuroraReplicaLag"),
            REPLICA_LAG_MS,
            3,
        ),
    ];
    let add = |watch: Watch| {
        let thing = format!("alarm-database-{}", watch.what);
        here.add(&thing, watch.alarm(needs.topic)).name()
    };
    watches.into_iter().map(add).collect()
}

fn blocked(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>) -> Ref<Alarm> {
    let of = [
        ("WebACL", needs.web_acl.name.to_string()),
        ("Region", here.config.region.clone()),
        ("Rule", "ALL".into()),
    ];
    let text = "The firewall blocks many requests: an attack, or a rule that meets honest clients (its log group names the rule)";
    let sum = metric(("AWS/WAFV2", "BlockedRequests"), "Sum", 300, &of);
    let spec = watch("waf-blocked", text, sum, BLOCKED, 1).alarm(needs.topic);
    here.add("alarm-waf-blocked", spec).name()
}

#[cfg(test)]
mod tests {
    use crate::blueprint::{Env, Facts, SERVICES, build};
    use crate::config::Config;

    /// Of tasks that hang the balancer's own answers alone tell.
    #[test]
    fn what_no_task_answers_calls_somebody_as_soon_as_there_are_tasks() {
        let image = |name: &str| (name.to_owned(), "app@sha256:1".to_owned());
        let pushed = Facts {
            images: SERVICES.iter().map(|s| image(s.name)).collect(),
            ..Facts::sample()
        };
        for (facts, runs) in [(Facts::sample(), false), (pushed, true)] {
            let graph = build(&Config::default(), &facts).unwrap();
            for env in Env::ALL {
                let alarm = format!("alarm-unanswered-{env}");
                let spec = &graph.get(&alarm).unwrap().spec;
                assert_eq!(spec["metric"]["name"], "HTTPCode_ELB_5XX_Count");
                // Of this balancer alone: no target group, and not the other environment's.
                let of = spec["metric"]["dimensions"].as_object().unwrap();
                assert_eq!(of.len(), 1);
                assert_eq!(of["LoadBalancer"], format!("@{{alb-{env}.arn}}"));
                assert_eq!(spec["actions"], runs);
                let any = graph.get(&format!("alarm-any-{env}")).unwrap();
                assert_eq!(any.needs(&graph).contains(&alarm), runs, "{env}");
            }
        }
    }
}

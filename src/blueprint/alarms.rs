//! What people are called for. Every alarm says what it means and what to do, and notifies the environment's topic; one alarm over all
//! of them answers whether anything is wrong at all.
//!
//! Alarms of requests are per own target group, so that a request which one environment sends on to the other counts once. *Guards*
//! are plain sums of one metric, because a health check of Route 53 takes no others.

use super::edge::Edge;
use super::functions::{FUNCTIONS, Reach};
use super::services::Service;
use super::{Env, EnvironmentBuilder, compute, dashboards, database};
use crate::engine::{Handle, Ref};
use crate::resources::Exposed;
use crate::resources::cloudwatch::{Alarm, CompositeAlarm, Metric, Query};
use crate::resources::ecs::Cluster;
use crate::resources::rds;
use crate::resources::sns::Topic;
use crate::resources::wafv2::WebAcl;
use std::collections::BTreeMap;

/// What it needs of other sections.
pub struct Needs<'a> {
    /// Who is notified.
    pub topic: &'a Handle<Topic>,
    /// Load balancer and target groups.
    pub edge: &'a Edge,
    pub cluster: &'a Handle<Cluster>,
    pub database: &'a Handle<rds::Cluster>,
    pub web_acl: &'a Handle<WebAcl>,
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
/// Seconds that green may be behind blue.
const LAG_SECONDS: f64 = 60.0;
/// Bytes of a log that a stream keeps on the disk of its database: 10 GiB.
const LAG_BYTES: f64 = 10.0 * 1024.0 * 1024.0 * 1024.0;

/// An alarm on one metric: it goes off above a threshold; periods without data say nothing.
struct Watch {
    what: &'static str,
    description: String,
    metric: Metric,
    threshold: f64,
    /// Periods in a row.
    periods: i32,
    /// Goes off below the threshold, and without data.
    least: bool,
}

fn watch(
    what: &'static str,
    description: impl Into<String>,
    metric: Metric,
    threshold: f64,
    periods: i32,
) -> Watch {
    Watch {
        what,
        description: description.into(),
        metric,
        threshold,
        periods,
        least: false,
    }
}

impl Watch {
    fn alarm(self, topic: &Handle<Topic>) -> Alarm {
        let none = BTreeMap::new();
        let spec = alarm(self.description, none, self.threshold, self.periods, topic);
        let (comparison, missing) = if self.least {
            ("LessThanThreshold", "breaching")
        } else {
            ("GreaterThanThreshold", "notBreaching")
        };
        Alarm {
            metric: Some(self.metric),
            comparison: comparison.into(),
            missing: missing.into(),
            ..spec
        }
    }
}

fn alarm(
    description: String,
    queries: BTreeMap<String, Query>,
    threshold: f64,
    periods: i32,
    topic: &Handle<Topic>,
) -> Alarm {
    Alarm {
        description,
        metric: None,
        queries,
        comparison: "GreaterThanThreshold".into(),
        threshold,
        periods,
        datapoints: periods,
        missing: "notBreaching".into(),
        actions: true,
        // Its policy lets CloudWatch publish.
        notify: vec![topic.arn.ready()],
        exposed: Exposed::new(),
    }
}

/// A metric: namespace and name, what of it, the seconds of a period, and whose it is.
fn metric(
    (namespace, name): (&str, &str),
    statistic: &str,
    period: i32,
    dimensions: &[(&str, String)],
) -> Metric {
    let dimensions = dimensions.iter();
    Metric {
        namespace: namespace.into(),
        name: name.into(),
        dimensions: dimensions
            .map(|(k, v)| ((*k).to_owned(), v.clone()))
            .collect(),
        statistic: statistic.into(),
        period,
    }
}

/// A line of an expression that is a metric.
fn line(metric: Metric) -> Query {
    Query {
        metric: Some(metric),
        expression: None,
        returned: false,
    }
}

/// The line of an expression that the alarm compares.
fn result(expression: String) -> Query {
    Query {
        metric: None,
        expression: Some(expression),
        returned: true,
    }
}

/// A guard: what the health of an environment is judged by, beside its endpoint.
pub struct Guard {
    /// In ids, short: `errors-pay`.
    pub thing: String,
    /// The alarm.
    pub alarm: Ref<Alarm>,
    /// What the alarm watches.
    pub watches: Alarm,
}

/// Declares alarms and dashboards of an environment; answers its guards.
pub fn declare(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>) -> Vec<Guard> {
    let mut all = Vec::new();
    let mut guards = Vec::new();
    for (service, group) in &needs.edge.watched {
        let target = [
            ("LoadBalancer", needs.edge.load_balancer.arn.to_string()),
            ("TargetGroup", group.to_string()),
        ];
        all.push(errors(here, needs.topic, service, &target));
        let (alarms, own) = of_service(here, needs.topic, service, &target);
        all.extend(alarms);
        guards.extend(own);
        all.push(tasks(here, needs, service));
    }
    all.extend(of_database(here, needs));
    all.push(blocked(here, needs));
    overall(here, needs.topic, all);
    dashboards::declare(here, needs);
    guards
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

const ALB: &str = "AWS/ApplicationELB";

/// The share of a service's requests that fail.
fn errors(
    here: &mut EnvironmentBuilder<'_>,
    topic: &Handle<Topic>,
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
    let spec = alarm(text, queries, BAD_PERCENT, 1, topic);
    here.add(&format!("alarm-errors-{name}"), spec).name()
}

/// Guards and latency of a service: all that count, and the guards among them.
fn of_service(
    here: &mut EnvironmentBuilder<'_>,
    topic: &Handle<Topic>,
    service: &Service,
    target: &[(&str, String)],
) -> (Vec<Ref<Alarm>>, Vec<Guard>) {
    let name = service.name;
    let of = |of, statistic| metric((ALB, of), statistic, 60, target);
    let way_back = way_back(here.env);
    let watches = [
        watch(
            "guard-errors",
            format!("{name} fails more than {BAD_REQUESTS} requests a minute{way_back}"),
            of("HTTPCode_Target_5XX_Count", "Sum"),
            BAD_REQUESTS,
            2,
        ),
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
    let runs = compute::runs(here, service);
    for watch in watches {
        // A service whose image is not there yet has no task, and nobody is called for it.
        let counts = runs || !watch.least;
        let watch_of = watch.what;
        let thing = format!("alarm-{watch_of}-{name}");
        let spec = Alarm {
            actions: counts,
            ..watch.alarm(topic)
        };
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

/// How a guard is called.
const GUARD: &str = "guard-";

/// A service below the count that it should have.
fn tasks(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>, service: &Service) -> Ref<Alarm> {
    let name = service.name;
    let of = [
        ("ClusterName", needs.cluster.name.to_string()),
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
    here.add(&format!("alarm-tasks-{name}"), spec).name()
}

fn of_database(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>) -> Vec<Ref<Alarm>> {
    let of = [("DBClusterIdentifier", needs.database.id.to_string())];
    let highest = |name| metric(("AWS/RDS", name), "Maximum", 60, &of);
    let watches = [
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

/// Declares the alarms of the migration's functions. They report what they find as metrics; a function that nobody calls
/// reports nothing, and that is no alarm.
pub fn migration(here: &mut EnvironmentBuilder<'_>, topic: &Handle<Topic>) {
    for function in &FUNCTIONS {
        let name = function.name;
        let of = [("FunctionName", here.name(&function.thing()))];
        let own = |name| metric(("PaymentMigration", name), "Maximum", 60, &of);
        let thing = format!("failed-{name}");
        let queue = [("QueueName", here.name(&thing))];
        let waiting = ("AWS/SQS", "ApproximateNumberOfMessagesVisible");
        let mut watches = vec![
            watch(
                "failures",
                format!("The migration function {name} fails: look at its log group"),
                own("Failures"),
                0.0,
                3,
            ),
            watch(
                "given-up",
                format!(
                    "Events that {name} failed on wait in its queue, {}",
                    here.name(&thing)
                ),
                metric(waiting, "Maximum", 300, &queue),
                0.0,
                1,
            ),
        ];
        if function.reach == Reach::Databases {
            watches.extend([
                watch(
                    "lag",
                    format!("{name} is more than a minute behind"),
                    own("LagSeconds"),
                    LAG_SECONDS,
                    5,
                ),
                watch(
                    "lag-bytes",
                    format!("The log that {name} has not read fills a disk: its action `stop` drops the slot, and ends the migration"),
                    own("LagBytes"),
                    LAG_BYTES,
                    1,
                ),
                watch(
                    "quarantine",
                    format!("Rows wait in the quarantine of {name}: the table payment_migration.quarantine names them"),
                    own("RowsQuarantined"),
                    0.0,
                    1,
                ),
            ]);
        }
        if function.reach == Reach::Verify {
            watches.push(watch(
                "parity",
                "Blue and green differ, so traffic must not shift: the answer of verify names tables and keys",
                own("ParityMismatches"),
                0.0,
                1,
            ));
        }
        for watch in watches {
            let thing = format!("alarm-{}-{name}", watch.what);
            here.add(&thing, watch.alarm(topic));
        }
    }
}

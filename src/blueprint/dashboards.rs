//! What people look at: one dashboard for traffic, one for errors of each service, one for the database, and green's has one for
//! the migration.

use super::alarms::{ALB, Needs};
use super::functions::FUNCTIONS;
use super::services::SERVICES;
use super::{EnvironmentBuilder, Scope};
use crate::aws::METRICS;
use crate::resources::cloudwatch::Dashboard;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A grid of two columns.
struct Grid {
    region: String,
    widgets: BTreeMap<String, Value>,
}

const WIDTH: usize = 12;
const HEIGHT: usize = 6;

impl Grid {
    fn new(here: &EnvironmentBuilder<'_>) -> Self {
        Self {
            region: here.config.region.clone(),
            widgets: BTreeMap::new(),
        }
    }

    /// A graph of metrics, each as CloudWatch takes it in a widget: namespace, name, dimensions, and how it is shown.
    fn graph(&mut self, title: &str, statistic: &str, metrics: Vec<Value>) {
        let at = self.widgets.len();
        let (x, y) = (at % 2 * WIDTH, at / 2 * HEIGHT);
        let widget = json!({
            "type": "metric", "x": x, "y": y, "width": WIDTH, "height": HEIGHT,
            "properties": {
                "title": title, "region": self.region, "view": "timeSeries", "period": 60,
                "stat": statistic, "metrics": metrics,
            },
        });
        self.widgets.insert(format!("{x},{y}"), widget);
    }

    fn add(self, here: &mut EnvironmentBuilder<'_>, what: &str) {
        let spec = Dashboard {
            widgets: self.widgets,
            others: BTreeMap::new(),
        };
        let board = here.add(&format!("dashboard-{what}"), spec);
        let url = format!(
            "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#dashboards/dashboard/{}",
            board.name,
            region = here.config.region
        );
        here.output(&format!("dashboard.{what}"), url);
    }
}

/// A line for each service. A search by our names would find nothing: CloudWatch takes what stands in quotes for a whole value, and the
/// one of a target group ends with an id ("CloudWatch search expression syntax").
fn of_services(needs: &Needs<'_>, metric: &str) -> Vec<Value> {
    let balancer = needs.edge.load_balancer.arn.to_string();
    let lines = needs.edge.watched.iter().map(|(service, group)| {
        json!([
            ALB,
            metric,
            "TargetGroup",
            group.to_string(),
            "LoadBalancer",
            balancer,
            {"label": service.name}
        ])
    });
    lines.collect()
}

/// Declares those of an environment.
pub fn declare(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>) {
    let mut traffic = Grid::new(here);
    let env = here.env.described();
    traffic.graph(
        &format!("Requests of {env}"),
        "Sum",
        of_services(needs, "RequestCount"),
    );
    traffic.graph(
        "Latency, 95 of 100 requests (s)",
        "p95",
        of_services(needs, "TargetResponseTime"),
    );
    traffic.graph(
        "Healthy tasks",
        "Minimum",
        of_services(needs, "HealthyHostCount"),
    );
    let acl = needs.web_acl.name.to_string();
    let region = here.config.region.clone();
    traffic.graph(
        "Requests that the firewall blocks",
        "Sum",
        vec![json!([
            "AWS/WAFV2",
            "BlockedRequests",
            "WebACL",
            acl,
            "Region",
            region,
            "Rule",
            "ALL"
        ])],
    );
    // Published by the traffic command while a shift runs.
    let weights = ["blue", "green"].map(|side| {
        let suffix = here.config.suffix.as_str();
        json!([METRICS, "TrafficWeight", "Suffix", suffix, "Side", side])
    });
    traffic.graph("Weights during a shift", "Maximum", weights.into());
    traffic.add(here, "traffic");

    let mut errors = Grid::new(here);
    for (title, metric) in [
        ("Answers 5xx of services", "HTTPCode_Target_5XX_Count"),
        ("Answers 4xx of services", "HTTPCode_Target_4XX_Count"),
        (
            "Connections to tasks that failed",
            "TargetConnectionErrorCount",
        ),
    ] {
        errors.graph(title, "Sum", of_services(needs, metric));
    }
    let cluster = needs.compute.cluster.name.to_string();
    let tasks = SERVICES.iter().map(|service| {
        json!([
            "ECS/ContainerInsights",
            "RunningTaskCount",
            "ClusterName",
            cluster,
            "ServiceName",
            here.name(&format!("service-{}", service.name))
        ])
    });
    errors.graph("Running tasks", "Average", tasks.collect());
    let balancer = needs.edge.load_balancer.arn.to_string();
    errors.graph(
        "Answers 5xx of the load balancer itself",
        "Sum",
        vec![json!([
            ALB,
            "HTTPCode_ELB_5XX_Count",
            "LoadBalancer",
            balancer
        ])],
    );
    errors.add(here, "errors");

    let mut database = Grid::new(here);
    let id = needs.database.id.to_string();
    for (title, metric, statistic) in [
        ("Connections", "DatabaseConnections", "Maximum"),
        ("Capacity in use (%)", "ACUUtilization", "Maximum"),
        (
            "Readers behind the writer (ms)",
            "AuroraReplicaLag",
            "Maximum",
        ),
        ("Commits a second", "CommitThroughput", "Average"),
        (
            "Log that replication slots keep (bytes; -1 without a slot)",
            "TransactionLogsDiskUsage",
            "Maximum",
        ),
    ] {
        let line = json!(["AWS/RDS", metric, "DBClusterIdentifier", id]);
        database.graph(title, statistic, vec![line]);
    }
    database.add(here, "database");
}

/// Declares the one of the migration.
pub fn migration(here: &mut EnvironmentBuilder<'_>) {
    let mut grid = Grid::new(here);
    for (title, metric, statistic) in [
        ("Behind (s)", "LagSeconds", "Maximum"),
        ("Log that is not read yet (bytes)", "LagBytes", "Maximum"),
        ("Rows copied", "RowsCopied", "Sum"),
        ("Changes applied", "ChangesApplied", "Sum"),
        ("Rows in quarantine", "RowsQuarantined", "Maximum"),
        ("Rows that differ", "ParityMismatches", "Maximum"),
        ("Failures", "Failures", "Sum"),
        ("Full copy (%)", "ProgressPercent", "Maximum"),
    ] {
        let lines = FUNCTIONS.iter().map(|function| {
            json!([
                "PaymentMigration",
                metric,
                "FunctionName",
                here.name(&function.thing())
            ])
        });
        let lines = lines.collect();
        grid.graph(title, statistic, lines);
    }
    grid.add(here, "migration");
}

//! What use costs: one row for each way in which AWS charges it, with the amounts of a month. They are of an environment as a
//! whole, because things of a type share them: eight endpoints carry one stream of data.

use super::{Item, Loads};
use crate::config::{Config, Usage};
use crate::engine::graph::SHARED;
use serde_json::Value;

/// What an environment has, as far as amounts depend on it.
#[derive(Debug, Clone)]
pub struct Environment<'a> {
    pub usage: &'a Usage,
    pub config: &'a Config,
    /// False for what both environments share, which no payment uses.
    pub own: bool,
    /// Database instances.
    instances: f64,
    /// What its services have, at least and at most: vCPU, GB of memory, tasks.
    cpu: (f64, f64),
    memory: (f64, f64),
    tasks: f64,
    services: f64,
    /// Scaling policies.
    policies: f64,
    /// Checks a month of Route 53's checkers, in millions.
    checks: f64,
}

/// Checkers of Route 53 that ask one endpoint.
const CHECKERS: f64 = 16.0;
/// Minutes and days of a month.
const MINUTES: f64 = 730.0 * 60.0;
const DAYS: f64 = 365.0 / 12.0;

impl<'a> Environment<'a> {
    pub fn of(config: &'a Config, scope: &str, items: &[Item<'_>]) -> Self {
        let mut out = Self {
            usage: &config.cost,
            config,
            own: scope != SHARED,
            instances: 0.0,
            cpu: (0.0, 0.0),
            memory: (0.0, 0.0),
            tasks: 0.0,
            services: 0.0,
            policies: 0.0,
            checks: 0.0,
        };
        for item in items.iter().filter(|i| i.scope == scope) {
            let number = |field: &str| item.spec[field].as_f64().unwrap_or_default();
            match item.kind {
                "rds/instance" => out.instances += 1.0,
                "ecs/service" => out.service(item, items),
                "autoscaling/scaling" => {
                    let policies = item.spec["policies"].as_object();
                    out.policies += policies.map_or(0, serde_json::Map::len) as f64;
                }
                "route53/health_check" => {
                    let check = item.spec["check"].as_str().unwrap_or_default();
                    if check.starts_with("HTTP") || check == "TCP" {
                        let interval = number("interval").max(10.0);
                        out.checks += CHECKERS * MINUTES * 60.0 / interval / 1e6;
                    }
                }
                _ => {}
            }
        }
        out
    }

    fn service(&mut self, service: &Item<'_>, items: &[Item<'_>]) {
        let number = |value: &Value, field: &str| value[field].as_f64().unwrap_or_default();
        let count = number(service.spec, "count");
        let definition = items
            .iter()
            .find(|i| i.kind == "ecs/task_definition" && service.needs.iter().any(|n| n == i.step));
        let scaling = items
            .iter()
            .find(|i| i.kind == "autoscaling/scaling" && i.needs.iter().any(|n| n == service.step));
        let most = scaling.map_or(count, |s| number(s.spec, "max").max(count));
        let (cpu, memory) = definition.map_or((0.0, 0.0), |d| {
            (
                number(d.spec, "cpu") / 1024.0,
                number(d.spec, "memory") / 1024.0,
            )
        });
        self.cpu.0 += count * cpu;
        self.cpu.1 += most * cpu;
        self.memory.0 += count * memory;
        self.memory.1 += most * memory;
        self.tasks += count;
        self.services += 1.0;
    }

    /// Millions of payments a month.
    fn payments(&self) -> f64 {
        self.usage.payments_per_day * DAYS / 1e6
    }

    /// Millions of their requests.
    fn requests(&self) -> f64 {
        self.payments() * self.usage.requests_per_payment
    }

    /// How much of the load for which amounts without a key of their own are known: 50,000 payments a day.
    fn share(&self) -> f64 {
        self.usage.payments_per_day / 50_000.0
    }

    /// Idle so much, and so much more under the known load; half of that on standby.
    fn grows(&self, idle: f64, more: f64) -> Loads {
        let more = more * self.share();
        Loads {
            idle,
            standby: idle + more / 2.0,
            load: idle + more,
            at_most: idle + more,
        }
    }

    fn acu(&self) -> Loads {
        let (least, most) = (
            self.config.database.min_capacity,
            self.config.database.max_capacity,
        );
        let usage = self.usage;
        let wanted = [usage.writer_acu, usage.reader_acu];
        let n = self.instances as usize;
        let each = (0..n).map(|i| wanted.get(i).copied().unwrap_or(usage.other_acu));
        let of = |share: f64| {
            let each = each.clone().map(|acu| (acu * share).clamp(least, most));
            each.sum::<f64>()
        };
        Loads {
            idle: of(0.0),
            standby: of(0.5),
            load: of(1.0),
            at_most: self.instances * most,
        }
    }

    /// Gigabytes of logs that are written: of the services, the database, flow logs, the firewall.
    fn logs(&self) -> [Loads; 4] {
        let application = Loads {
            load: (self.payments() * self.usage.log_kb_per_payment).max(0.5),
            ..Loads::all(0.5)
        };
        let application = Loads {
            at_most: application.load,
            ..application
        };
        // A record of 220 bytes for each of 45 interfaces, 5 to 20 a minute.
        let flows = 220.0 * 45.0 * MINUTES / 1e9;
        // 1.5 KB a request.
        let firewall = asked(self, 1.5);
        [
            application,
            self.grows(0.2, 0.8),
            self.grows(flows * 5.0, flows * 15.0),
            firewall,
        ]
    }
}

/// Gigabytes when each request, those of checkers among them, makes so many kilobytes.
fn asked(of: &Environment<'_>, kb: f64) -> Loads {
    requests(of) * kb
}

/// Millions of requests at the load balancer.
fn requests(of: &Environment<'_>) -> Loads {
    let load = of.checks + of.requests();
    Loads {
        load,
        at_most: load,
        ..Loads::all(of.checks)
    }
}

/// So much when it takes payments, and nothing else.
fn loaded(amount: f64) -> Loads {
    Loads {
        load: amount,
        at_most: amount,
        ..Loads::default()
    }
}

/// So much when it is fed with data.
fn fed(amount: f64) -> Loads {
    Loads {
        idle: 0.0,
        ..Loads::all(amount)
    }
}

/// How much a month.
#[derive(Clone, Copy)]
pub enum Amount {
    /// So much.
    Of(fn(&Environment<'_>) -> Loads),
    /// So much for both environments together, wherever it is made.
    Once(fn(&Environment<'_>) -> Loads),
    /// Nobody can say before it is used.
    Unknown,
}

/// One way in which use is charged.
pub struct Row {
    /// What types call it.
    pub key: &'static str,
    /// The service on the bill.
    pub service: &'static str,
    /// The key of its price.
    pub price: &'static str,
    /// What it is.
    pub what: &'static str,
    /// How much of it.
    pub amount: Amount,
}

/// The row that types call so.
pub fn row(key: &str) -> Option<&'static Row> {
    ROWS.iter().find(|r| r.key == key)
}

macro_rules! rows {
    ($($key:literal $service:literal $price:literal $what:literal $amount:expr;)*) => {
        &[$(Row { key: $key, service: $service, price: $price, what: $what, amount: $amount }),*]
    };
}

use Amount::{Of, Once, Unknown};

/// Months that logs are kept, compressed to 15 %.
fn kept(days: i32) -> f64 {
    f64::from(days) / DAYS * 0.15
}

pub static ROWS: &[Row] = rows! {
    "aurora_acu" "rds" "aurora_acu_hour" "capacity of the instances, on average" Of(|of| of.acu());
    "aurora_volume" "rds" "aurora_volume_gb_month" "volume" Of(|of| {
        let gb = of.usage.database_gb;
        Loads { idle: gb.min(10.0), ..Loads::all(gb) }
    });
    "aurora_io" "rds" "aurora_io_million" "I/O requests" Of(|of| {
        let load = (of.payments() * of.usage.database_io_per_payment).max(2.0);
        Loads { idle: 2.0, standby: (load / 2.0).max(2.0), load, at_most: load }
    });
    "aurora_backup" "rds" "aurora_backup_gb_month" "backups above the size of the volume" Of(|of| {
        let kept = f64::from(of.config.database.backup_days) * of.usage.database_changed_gb_per_day;
        let paid = of.config.database.backup_days > 1;
        fed(if paid { (kept - of.usage.database_gb).max(0.0) } else { 0.0 })
    });
    "aurora_monitoring" "rds" "logs_gb" "enhanced monitoring" Of(|of| {
        Loads::all(0.2 * of.instances * 60.0 / f64::from(of.config.database.monitoring_seconds))
    });
    "database_logs" "rds" "logs_gb" "database logs" Of(|of| of.logs()[1]);
    "between_zones" "ec2" "between_zones_gb" "data between zones, two thirds of the database's" Of(|of| {
        let load = of.payments() * of.usage.database_mb_per_payment * 1e3 * 2.0 / 3.0;
        Loads { standby: 5.0 + load / 2.0, ..Loads::all(5.0) } + loaded(load)
    });
    "internet_out" "ec2" "internet_out_gb" "answers to the internet" Of(|of| {
        let out = of.requests() * of.usage.request_kb * 0.63;
        Loads::all(2.2) + loaded(out)
    });
    "tgw_data" "ec2" "tgw_data_gb" "data through the Transit Gateway" Of(|of| of.grows(0.0, 20.0));
    "endpoint_data" "ec2" "endpoint_data_gb" "data through interface endpoints" Of(|of| of.grows(5.0, 35.0));
    "flow_logs" "ec2" "vended_logs_gb" "flow logs" Of(|of| of.logs()[2]);
    "alb_capacity" "elbv2" "alb_lcu_hour" "capacity used" Of(|of| of.grows(0.05, 0.10));
    "nlb_capacity" "elbv2" "nlb_nlcu_hour" "capacity used while the bridge is open" Unknown;
    "fargate_vcpu" "ecs" "fargate_vcpu_hour" "vCPU of the tasks" Of(|of| {
        Loads { at_most: of.cpu.1, ..Loads::all(of.cpu.0) }
    });
    "fargate_memory" "ecs" "fargate_gb_hour" "memory of the tasks" Of(|of| {
        Loads { at_most: of.memory.1, ..Loads::all(of.memory.0) }
    });
    "scaling_alarms" "cloudwatch" "alarm_metric_month" "alarms that scaling policies make, two each" Of(|of| {
        Loads::all(2.0 * of.policies)
    });
    "application_logs" "logs" "logs_gb" "logs of the services" Of(|of| of.logs()[0]);
    "insights" "cloudwatch" "custom_metric_month" "metrics of Container Insights" Of(|of| {
        // 14 of a cluster, 18 of a service, 12 of a family.
        Loads::all(14.0 + of.services * 30.0)
    });
    "insights_logs" "logs" "logs_gb" "performance log of Container Insights" Unknown;
    "enhanced_insights" "cloudwatch" "enhanced_insights_metric_month" "metrics of enhanced Container Insights" Of(|of| {
        // The same, and 12 of a task and of its container.
        Loads::all(14.0 + of.services * 30.0 + of.tasks * 24.0)
    });
    "logs_kept" "logs" "logs_kept_gb_month" "logs kept" Of(|of| {
        let days = [
            of.config.logs.service_days,
            of.config.logs.database_days,
            of.config.network.flow_log_days,
            of.config.waf.log_days,
        ];
        let each = of.logs().into_iter().zip(days).map(|(gb, days)| gb * kept(days));
        each.fold(Loads::default(), |sum, one| sum + one)
    });
    "kms_requests" "kms" "kms_requests_10000" "requests" Of(|of| of.grows(5.0, 95.0));
    "secret_calls" "secretsmanager" "secret_calls_10000" "calls" Of(|of| of.grows(0.1, 0.1));
    "s3_storage" "s3" "s3_gb_month" "objects, and access logs of the load balancer" Of(|of| {
        // 0.3 KB a request; half of the time that they are kept, on average.
        let months = f64::from(of.config.storage.access_logs_expire_days) / DAYS / 2.0;
        asked(of, 0.3) * months + loaded(of.usage.bucket_gb)
    });
    "s3_archive" "s3" "s3_glacier_gb_month" "objects in Glacier" Of(|of| loaded(of.usage.archive_gb));
    "s3_writes" "s3" "s3_put_1000" "objects, and access logs of the load balancer" Of(|of| {
        Loads::all(26.28) + loaded(of.usage.objects_per_day * DAYS / 1e3)
    });
    "s3_moves" "s3" "s3_to_glacier_1000" "objects moved to Glacier" Of(|of| {
        loaded(of.usage.objects_per_day * DAYS / 1e3)
    });
    "dynamodb_writes" "dynamodb" "dynamodb_write_million" "write units" Of(|of| {
        fed(of.payments() * of.usage.table_writes_per_payment)
    });
    "dynamodb_reads" "dynamodb" "dynamodb_read_million" "read units" Of(|of| {
        loaded(of.payments() * of.usage.table_reads_per_payment)
    });
    "dynamodb_storage" "dynamodb" "dynamodb_gb_month" "items and indexes" Of(stored);
    "dynamodb_recovery" "dynamodb" "dynamodb_recovery_gb_month" "point-in-time recovery" Of(stored);
    "lambda" "lambda" "lambda_gb_second" "the migration's functions while it runs" Of(|of| {
        // A run of 10 seconds with 0.5 GB.
        fed(MINUTES / f64::from(of.config.migration.interval_minutes) * 10.0 * 0.5)
    });
    "lambda_requests" "lambda" "lambda_requests_million" "their runs" Of(|of| {
        fed(MINUTES / f64::from(of.config.migration.interval_minutes) / 1e6)
    });
    "schedules" "scheduler" "scheduler_million" "runs of schedules" Of(|of| {
        fed(MINUTES / f64::from(of.config.migration.interval_minutes) / 1e6)
    });
    "sqs" "sqs" "sqs_million" "requests" Of(|_| Loads::all(0.1));
    "sns" "sns" "sns_million" "alarms sent" Of(|_| Loads::all(0.02));
    "waf_logs" "wafv2" "vended_logs_gb" "the firewall's log" Of(|of| of.logs()[3]);
    "waf_requests" "wafv2" "waf_requests_million" "requests, those of health checks among them" Of(requests);
    "config_items" "config" "config_item" "changes that AWS Config records" Once(|of| of.grows(400.0, 800.0));
    "config_evaluations" "config" "config_evaluation" "evaluations of rules" Once(|of| of.grows(3000.0, 5000.0));
    "dns_queries" "route53" "dns_queries_million" "queries, free for aliases of load balancers" Unknown;
    "images" "ecr" "ecr_gb_month" "images" Unknown;
    "snapshots" "rds" "aurora_backup_gb_month" "snapshots" Unknown;
};

fn stored(of: &Environment<'_>) -> Loads {
    let gb = of.usage.tables_gb;
    Loads {
        idle: gb.min(0.1),
        ..Loads::all(gb)
    }
}

//! The worked totals against which the estimate was made, and what it may never hide.

use super::*;
use crate::blueprint::{Facts, SERVICES, build};
use crate::config::Config;
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 11, 28);

fn graph(config: &Config) -> Graph {
    let mut facts = Facts::sample();
    for service in &SERVICES {
        let image = format!("{}@sha256:x", service.name);
        facts.images.insert(service.name.into(), image);
    }
    build(config, &facts).unwrap()
}

fn whole(config: &Config, today: Date) -> Estimate {
    let graph = graph(config);
    let all = vec![true; graph.steps.len()];
    estimate(config, &items(&graph, &all), today).unwrap()
}

fn blue(of: &Estimate) -> &ScopeCost {
    of.scopes.iter().find(|s| s.scope == "blue").unwrap()
}

fn close(what: &str, got: f64, want: f64, share: f64) {
    let off = (got - want).abs();
    assert!(
        off <= (want * share).max(0.05),
        "{what}: {got:.2}, worked out by hand: {want:.2}"
    );
}

/// Worked out by hand, line by line, for one environment: US dollars a month idle and with 50,000 payments a day; with a check every
/// 30 seconds, of which there are three times as many at the interval of 10 seconds.
#[test]
fn each_line_is_what_was_worked_out_by_hand() {
    let all = whole(&Config::default(), TODAY);
    let cost = blue(&all);
    let sum = |wanted: &[&str]| {
        let lines = cost.lines.iter().filter(|l| {
            let line = format!("{}/{}", l.service, l.what);
            wanted.iter().any(|w| l.price == *w || line.contains(*w))
        });
        lines.fold(Loads::default(), |sum, l| sum + l.monthly)
    };
    for (what, prices, idle, load) in [
        ("capacity", &["aurora_acu_hour"][..], 153.30, 511.00),
        (
            "volume, I/O, backup",
            &[
                "aurora_volume_gb_month",
                "aurora_io_million",
                "aurora_backup_gb_month",
            ],
            1.63,
            19.73,
        ),
        ("monitoring", &["rds/enhanced monitoring"], 0.38, 0.38),
        (
            "gateway",
            &["tgw_attachment_hour", "tgw_data_gb"],
            43.80,
            44.20,
        ),
        ("database logs", &["rds/database logs"], 0.126, 0.63),
        ("flow logs", &["ec2/flow logs"], 1.366, 5.463),
        (
            "firewall's log",
            &["wafv2/the firewall's log"],
            3.0 * 1.325,
            9.948 + 2.0 * 1.325,
        ),
        (
            "logs of the services",
            &["logs/logs of the services"],
            0.315,
            5.749,
        ),
        // Of the four of them: 0.007 + 0.003 + 0.031 + 3 x 0.031, and 0.133 + 0.015 + 0.126 + 0.291.
        ("logs kept", &["logs_kept_gb_month"], 0.133, 0.565),
        (
            "tables",
            &[
                "dynamodb_write_million",
                "dynamodb_read_million",
                "dynamodb_gb_month",
                "dynamodb_recovery_gb_month",
            ],
            0.055,
            18.06,
        ),
        ("between zones", &["between_zones_gb"], 0.10, 2.00),
        ("to the internet", &["internet_out_gb"], 0.20, 5.40),
        (
            "requests of the firewall",
            &["waf_requests_million"],
            3.0 * 0.84,
            6.32 + 2.0 * 0.84,
        ),
        ("keys' requests", &["kms_requests_10000"], 0.15, 3.00),
        (
            "balancer",
            &["alb_hour", "alb_lcu_hour", "public_ipv4_hour"],
            30.95,
            31.54,
        ),
        (
            "buckets",
            &[
                "s3_gb_month",
                "s3_glacier_gb_month",
                "s3_put_1000",
                "s3_to_glacier_1000",
            ],
            0.343,
            2.222,
        ),
    ] {
        let got = sum(prices);
        close(&format!("{what}, idle"), got.idle, idle, 0.10);
        close(&format!("{what}, load"), got.load, load, 0.10);
    }
    // The endpoints by hand, with one more of them for the bridge: 8.76 in each of three zones.
    let endpoints = sum(&["endpoint_zone_hour", "endpoint_data_gb"]);
    close("endpoints", endpoints.idle, 210.29 + 26.28, 0.10);
}

/// Worked out by hand: 678.33 and 1,115.32 for one environment; 1,356.67 idle and 1,922.75 for both, and 2,230.63 as if each took
/// all payments. Since then came the bridge, a service of twice the size, more alarms and the migration's alarms; all of that
/// is counted from the graph here and taken off before the totals are compared. AWS Config (2.10 and 5.80) is not made.
#[test]
fn the_totals_are_those_that_were_worked_out_by_hand() {
    let mut config = Config::default();
    config.traffic.bridge = false;
    let all = whole(&config, TODAY);
    let since = |scope: &ScopeCost| {
        let line = |price: &str| {
            let lines = scope.lines.iter().filter(|l| l.price == price);
            lines.map(|l| l.monthly.idle).sum::<f64>()
        };
        let tasks = line("fargate_vcpu_hour") + line("fargate_gb_hour") - 186.52;
        let watching = line("alarm_metric_month")
            + line("composite_alarm_month")
            + line("dashboard_month")
            + line("health_check_month")
            + line("health_check_option_month")
            + line("calculated_check_month")
            - 8.70;
        tasks + watching
    };
    let mut both = 0.0;
    for scope in all.scopes.iter().filter(|s| s.scope != "shared") {
        let since = since(scope);
        assert!((0.0..120.0).contains(&since), "{since}");
        close("idle", scope.monthly.idle - since, 678.33, 0.10);
        close("load", scope.monthly.load - since, 1115.32, 0.10);
        both += since;
    }
    close("both idle", all.totals.idle - both, 1356.67, 0.10);
    close("one in use", all.totals.expected - both, 1922.75, 0.10);
    close("both in use", all.totals.all_loaded - both, 2230.63, 0.10);
    // 16 ACU in three instances.
    let acu = blue(&all)
        .lines
        .iter()
        .find(|l| l.price == "aurora_acu_hour");
    close("most", acu.unwrap().monthly.at_most, 4905.60, 0.001);
}

#[test]
fn extended_support_is_announced_and_then_a_line() {
    let config = Config::default();
    let before = whole(&config, TODAY);
    let later = before.later.iter().find(|l| l.scope == "blue").unwrap();
    assert_eq!(later.from, date(2027, 3, 1));
    close("idle", later.monthly.idle, 113.88, 0.001);
    close("load", later.monthly.load, 379.60, 0.001);
    let after = whole(&config, date(2027, 3, 1));
    let more = blue(&after).monthly.idle - blue(&before).monthly.idle;
    close("as a line", more, 113.88, 0.001);
    assert_eq!(after.later[0].from, date(2029, 3, 1));
    let third = whole(&config, date(2029, 3, 1));
    let more = blue(&third).monthly.idle - blue(&before).monthly.idle;
    close("third year", more, 3.0 * 75.56, 0.001);
    assert!(third.later.is_empty());
    let mut newer = config;
    newer.database.engine_version = "16.4".into();
    assert!(whole(&newer, date(2027, 3, 1)).later.is_empty());
}

#[test]
fn what_has_no_price_or_no_amount_is_listed_and_never_zero_in_silence() {
    let all = whole(&Config::default(), TODAY);
    for text in [
        "bridge is open",
        "Container Insights",
        "shared: ecr, images",
    ] {
        assert!(all.unknown.iter().any(|u| u.contains(text)), "{text}");
    }
    let config = Config {
        region: "eu-west-1".into(),
        ..Config::default()
    };
    let elsewhere = whole(&config, TODAY);
    assert_eq!(elsewhere.totals.at_most, 0.0);
    let blue = |u: &&String| u.starts_with("blue: ") && u.contains("no price for");
    let unpriced = elsewhere.unknown.iter().filter(blue).count();
    let priced = &all.scopes.iter().find(|s| s.scope == "blue").unwrap().lines;
    let keys: std::collections::BTreeSet<_> =
        priced.iter().map(|l| (&l.service, &l.price)).collect();
    assert_eq!(unpriced, keys.len());
}

#[test]
fn a_price_and_an_amount_of_the_configuration_count() {
    let mut config = Config::default();
    config.prices.insert("alb_hour".into(), 1.0);
    config.cost.payments_per_day = 100_000.0;
    let (was, is) = (whole(&Config::default(), TODAY), whole(&config, TODAY));
    let line = |of: &Estimate, price: &str| {
        let found = blue(of).lines.iter().find(|l| l.price == price);
        found.unwrap().monthly
    };
    assert_eq!(line(&is, "alb_hour").idle, 730.0);
    let writes = line(&is, "dynamodb_write_million").load;
    close(
        "writes",
        writes,
        2.0 * line(&was, "dynamodb_write_million").load,
        0.001,
    );
    assert_eq!(line(&is, "kms_key_month"), line(&was, "kms_key_month"));
}

/// Every type says what it costs, and every word that a type uses has a price or a row.
#[test]
fn what_types_say_has_prices_and_rows() {
    for config in [Config::default(), {
        let mut without = Config::default();
        without.traffic.bridge = false;
        without
    }] {
        for step in &graph(&config).steps {
            let cost = crate::resources::cost(&step.kind, &step.spec);
            let cost = cost.unwrap_or_else(|| panic!("{} {}", step.id, step.kind));
            for (price, _) in &cost.amounts {
                assert!(crate::prices::keys().any(|k| k == *price), "{price}");
            }
            for key in cost.usage {
                let row = usage::row(key).unwrap_or_else(|| panic!("{key}"));
                assert!(crate::prices::keys().any(|k| k == row.price), "{key}");
            }
        }
    }
}

/// What is shared and used by no environment would be left out.
#[test]
fn what_use_of_shared_things_costs_is_counted_somewhere() {
    let graph = graph(&Config::default());
    let used = |scope: &str| {
        let steps = graph.steps.iter().filter(|s| s.scope == scope);
        let costs = steps.filter_map(|s| crate::resources::cost(&s.kind, &s.spec));
        costs
            .flat_map(|c| c.usage)
            .copied()
            .collect::<std::collections::BTreeSet<_>>()
    };
    let blue = used("blue");
    for key in used("shared") {
        let row = usage::row(key).unwrap();
        assert!(
            !matches!(row.amount, usage::Amount::Of(_)) || blue.contains(key),
            "{key}"
        );
    }
}

/// What a plan adds and a destroy takes away is the whole bill.
#[test]
fn a_first_plan_adds_what_the_environment_costs() {
    use crate::engine::plan::{Options, Plan, build};
    let config = Config::default();
    let graph = graph(&config);
    let chosen = vec![true; graph.steps.len()];
    let mut registry = crate::engine::Registry::default();
    for meta in crate::resources::metas() {
        registry.add(std::sync::Arc::new(Nothing(meta)));
    }
    let state = crate::state::State::empty("dev", "eu-central-1");
    let seen = graph.steps.iter().map(|s| {
        let absent = crate::engine::observe::Observed::Absent;
        (s.id.clone(), absent)
    });
    let seen = seen.collect();
    let plan: Plan = build(
        &graph,
        &chosen,
        &state,
        &seen,
        &registry,
        &Options::default(),
    );
    let difference = Difference::of(&config, &graph, &plan, TODAY).unwrap();
    let all = whole(&config, TODAY);
    close("all of it", difference.monthly.idle, all.totals.idle, 1e-9);
    close(
        "blue",
        difference.scopes["blue"].load,
        blue(&all).monthly.load,
        1e-9,
    );
    assert_eq!(difference.before, Loads::default());
    let unchanged = Plan {
        unchanged: graph.steps.iter().map(|s| s.id.clone()).collect(),
        ..Plan::default()
    };
    let nothing = Difference::of(&config, &graph, &unchanged, TODAY).unwrap();
    assert_eq!(nothing.monthly, Loads::default());
    close("there", nothing.after.load, all.totals.all_loaded, 1e-9);
}

/// A type of which nothing is ever there.
struct Nothing(crate::engine::Meta);

#[async_trait::async_trait]
impl crate::engine::Driver for Nothing {
    fn meta(&self) -> &crate::engine::Meta {
        &self.0
    }
    async fn read(
        &self,
        _: crate::engine::Key<'_>,
    ) -> Result<Option<crate::engine::Live>, crate::engine::Error> {
        Ok(None)
    }
    async fn create(
        &self,
        _: &Value,
        _: &crate::engine::Identity,
    ) -> Result<Value, crate::engine::Error> {
        unreachable!()
    }
    async fn update(
        &self,
        _: &Value,
        _: &Value,
        _: &crate::engine::Delta,
    ) -> Result<(), crate::engine::Error> {
        unreachable!()
    }
    async fn delete(
        &self,
        _: &Value,
        _: &Value,
        _: &crate::engine::DeleteOptions,
    ) -> Result<(), crate::engine::Error> {
        unreachable!()
    }
    async fn owned(&self, _: &str) -> Result<Vec<crate::engine::Owned>, crate::engine::Error> {
        Ok(Vec::new())
    }
}

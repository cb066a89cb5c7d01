//! What CloudWatch says of the requests of both sides, minute by minute, per own target group: so what one side sends on to
//! the other counts once.
//!
//! Facts ("CloudWatch metrics for your Application Load Balancer"): without requests nothing is reported; `RequestCount` has
//! only requests that got a target; counts of 5xx are left out when there are none. `TC(a:b)` counts the values above a and up
//! to b ("CloudWatch statistics definitions").

use super::gate::{Counts, Metric, Minute, Pair, Published};
use super::names::Side;
use crate::aws::Aws;
use crate::aws::cloudwatch::GET_METRIC_DATA;
use crate::engine::Error;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric as Named, MetricDataQuery, MetricDataResult, MetricStat, StatusCode,
};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

const ALB: &str = "AWS/ApplicationELB";
/// The rule of the firewall that counts checks.
const CHECKS: &str = "checks";
/// Above every time that a balancer waits for an answer, in seconds.
const LONGEST: u32 = 4000;

/// What metrics name a side by: the balancer, and the target group of each service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    balancer: String,
    groups: Vec<String>,
    web_acl: String,
    region: String,
}

/// The end of an ARN as metrics name it: `app/{name}/{id}`, `targetgroup/{name}/{id}`.
fn dimension(arn: &str) -> String {
    let end = arn.rsplit(':').next().unwrap_or_default();
    end.strip_prefix("loadbalancer/").unwrap_or(end).to_owned()
}

impl Measured {
    /// Of a side whose balancer and groups have these ARNs.
    pub fn new(side: &Side, region: &str, balancer: &str, groups: &[String]) -> Self {
        Self {
            balancer: dimension(balancer),
            groups: groups.iter().map(|arn| dimension(arn)).collect(),
            web_acl: side.web_acl.clone(),
            region: region.to_owned(),
        }
    }

    fn of_balancer(&self) -> Vec<(&'static str, &str)> {
        vec![("LoadBalancer", &self.balancer)]
    }

    fn of_group<'a>(&'a self, group: &'a str) -> Vec<(&'static str, &'a str)> {
        vec![("LoadBalancer", &self.balancer), ("TargetGroup", group)]
    }

    /// The questions of this side; their ids begin with `prefix`.
    fn queries(&self, prefix: &str, slow_over: Option<f64>) -> Vec<MetricDataQuery> {
        let mut all = Vec::new();
        let sum = "Sum".to_owned();
        for (at, group) in self.groups.iter().enumerate() {
            let of = self.of_group(group);
            let mut ask = |what: &str, name: &str, statistic: &str| {
                all.push(query(
                    &format!("{prefix}{what}{at}"),
                    (ALB, name),
                    &of,
                    statistic,
                    60,
                ));
            };
            ask("r", "RequestCount", &sum);
            ask("t", "HTTPCode_Target_5XX_Count", &sum);
            if let Some(limit) = slow_over {
                ask("s", "TargetResponseTime", &format!("TC({limit}:{LONGEST})"));
            }
        }
        let of = self.of_balancer();
        for (what, name) in [
            ("e", "HTTPCode_ELB_5XX_Count"),
            ("n", "HTTPCode_ELB_503_Count"),
        ] {
            all.push(query(
                &format!("{prefix}{what}"),
                (ALB, name),
                &of,
                &sum,
                60,
            ));
        }
        let of = [
            ("WebACL", self.web_acl.as_str()),
            ("Region", &self.region),
            ("Rule", CHECKS),
        ];
        let counted = ("AWS/WAFV2", "CountedRequests");
        all.push(query(&format!("{prefix}c"), counted, &of, &sum, 60));
        all
    }

    /// One minute from the answers.
    fn counts(&self, prefix: &str, answers: &Answers, minute: Minute, slow: bool) -> Counts {
        let each = |what: &str| {
            let of =
                (0..self.groups.len()).map(|at| answers.at(&format!("{prefix}{what}{at}"), minute));
            of.fold(Metric::Absent, plus)
        };
        let one = |what: &str| answers.at(&format!("{prefix}{what}"), minute);
        let without_target = one("n");
        let others = match (one("e"), without_target) {
            (Metric::Value(all), Metric::Value(some)) => Metric::Value(all.saturating_sub(some)),
            (all, _) => all,
        };
        let published = Published {
            request_count: each("r"),
            without_target,
            errors: plus(each("t"), others),
            slow: if slow { each("s") } else { Metric::Unreadable },
            checks: one("c"),
        };
        published.counts()
    }
}

/// Absent beside a value is 0; unreadable makes the sum unreadable.
fn plus(a: Metric, b: Metric) -> Metric {
    match (a, b) {
        (Metric::Unreadable, _) | (_, Metric::Unreadable) => Metric::Unreadable,
        (Metric::Value(a), Metric::Value(b)) => Metric::Value(a.saturating_add(b)),
        (Metric::Value(a), Metric::Absent) | (Metric::Absent, Metric::Value(a)) => Metric::Value(a),
        (Metric::Absent, Metric::Absent) => Metric::Absent,
    }
}

fn query(
    id: &str,
    (namespace, name): (&str, &str),
    of: &[(&str, &str)],
    statistic: &str,
    period: i32,
) -> MetricDataQuery {
    let dimensions = of
        .iter()
        .map(|(name, value)| Dimension::builder().name(*name).value(*value).build());
    let metric = Named::builder()
        .namespace(namespace)
        .metric_name(name)
        .set_dimensions(Some(dimensions.collect()))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(period)
        .stat(statistic)
        .build();
    MetricDataQuery::builder()
        .id(id)
        .metric_stat(stat)
        .return_data(true)
        .build()
}

/// Answers by id and by the second at which their period begins.
#[derive(Debug, Default)]
struct Answers {
    values: BTreeMap<String, BTreeMap<i64, f64>>,
    /// Whether all of it came.
    whole: BTreeMap<String, bool>,
}

impl Answers {
    fn at(&self, id: &str, minute: Minute) -> Metric {
        let value = self.values.get(id).and_then(|v| v.get(&(minute * 60)));
        match (value, self.whole.get(id)) {
            (Some(value), _) => Metric::Value(value.max(0.0).round() as u64),
            (None, Some(true)) => Metric::Absent,
            (None, _) => Metric::Unreadable,
        }
    }

    fn take(&mut self, result: MetricDataResult) {
        let id = result.id.unwrap_or_default();
        // `PartialData` comes with further pages; what stays so was cut short.
        let whole = result.status_code == Some(StatusCode::Complete);
        self.whole.insert(id.clone(), whole);
        let times = result.timestamps.unwrap_or_default();
        let values = result.values.unwrap_or_default();
        let pairs = times.iter().map(DateTime::secs).zip(values);
        self.values.entry(id).or_default().extend(pairs);
    }
}

async fn ask(
    aws: &Aws,
    queries: Vec<MetricDataQuery>,
    (from, to): (i64, i64),
) -> Result<Answers, Error> {
    let call = aws.cloudwatch.client.get_metric_data();
    let call = call
        .set_metric_data_queries(Some(queries))
        .start_time(DateTime::from_secs(from))
        .end_time(DateTime::from_secs(to));
    let send = |token| call.clone().set_next_token(token).send();
    let results = aws.pages(GET_METRIC_DATA, send, |page| {
        let some = page.metric_data_results.unwrap_or_default();
        (some, page.next_token)
    });
    let mut answers = Answers::default();
    results.await?.into_iter().for_each(|r| answers.take(r));
    Ok(answers)
}

/// The minutes of both sides.
///
/// # Errors
/// When CloudWatch does not answer: then nothing is known.
pub async fn minutes(
    aws: &Aws,
    [blue, green]: [&Measured; 2],
    wanted: RangeInclusive<Minute>,
    slow_over: Option<f64>,
) -> Result<Vec<(Minute, Pair)>, Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut queries = blue.queries("b", slow_over);
    queries.extend(green.queries("g", slow_over));
    let span = (wanted.start() * 60, wanted.end().saturating_add(1) * 60);
    let answers = ask(aws, queries, span).await?;
    let slow = slow_over.is_some();
    let pair = |minute: Minute| Pair {
        green: green.counts("g", &answers, minute, slow),
        blue: blue.counts("b", &answers, minute, slow),
    };
    Ok(wanted.map(|minute| (minute, pair(minute))).collect())
}

/// The time that 95 of 100 of blue's requests take at this hour of the day, in seconds: the median of the last seven days. From
/// all hours where that hour had no requests; `None` without any.
///
/// # Errors
/// When CloudWatch does not answer.
pub async fn slow_over(aws: &Aws, blue: &Measured, now: i64) -> Result<Option<f64>, Error> {
    const HOUR: i64 = 3600;
    let to = now.div_euclid(HOUR) * HOUR;
    let ask_for = query(
        "p",
        (ALB, "TargetResponseTime"),
        &blue.of_balancer(),
        "p95",
        3600,
    );
    let answers = ask(aws, vec![ask_for], (to - 7 * 24 * HOUR, to + HOUR)).await?;
    let all = answers.values.get("p").cloned().unwrap_or_default();
    let same_hour = |second: &i64| (now.div_euclid(HOUR) - second.div_euclid(HOUR)) % 24 == 0;
    let mut values: Vec<f64> = all
        .iter()
        .filter(|(at, _)| same_hour(at))
        .map(|(_, v)| *v)
        .collect();
    if values.is_empty() {
        values = all.into_values().collect();
    }
    values.retain(|v| v.is_finite() && *v > 0.0);
    values.sort_by(f64::total_cmp);
    let middle = values.get(values.len() / 2).copied();
    // As many digits as anybody reads, and as the statistic's name takes.
    Ok(middle.map(|v| (v * 1000.0).ceil() / 1000.0))
}

/// The most capacity that the writer of a database had in the last 24 hours, in ACU; `None` when nothing was published.
///
/// # Errors
/// When CloudWatch does not answer.
pub async fn writer_peak(aws: &Aws, database: &str, now: i64) -> Result<Option<f64>, Error> {
    let of = [("DBClusterIdentifier", database), ("Role", "WRITER")];
    let capacity = ("AWS/RDS", "ServerlessDatabaseCapacity");
    let ask_for = query("c", capacity, &of, "Maximum", 3600);
    let answers = ask(aws, vec![ask_for], (now - 24 * 3600, now)).await?;
    let values = answers
        .values
        .get("c")
        .into_iter()
        .flat_map(BTreeMap::values);
    Ok(values.copied().filter(|v| v.is_finite()).reduce(f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measured {
        Measured {
            balancer: "app/alb-green-dev/1".into(),
            groups: vec!["targetgroup/pay/1".into(), "targetgroup/tx/2".into()],
            web_acl: "waf-green-dev".into(),
            region: "eu-central-1".into(),
        }
    }

    fn answers(values: &[(&str, f64)]) -> Answers {
        let mut answers = Answers::default();
        for id in measured().queries("g", Some(0.8)) {
            answers.whole.insert(id.id.unwrap(), true);
        }
        for (id, value) in values {
            answers
                .values
                .entry((*id).into())
                .or_default()
                .insert(600, *value);
        }
        answers
    }

    fn counts(values: &[(&str, f64)]) -> Counts {
        measured().counts("g", &answers(values), 10, true)
    }

    #[test]
    fn groups_are_added_checks_subtracted_and_503_counted_once() {
        let all = [
            ("gr0", 100.0),
            ("gr1", 20.0),
            ("gt0", 2.0),
            ("gs1", 3.0),
            ("ge", 9.0),
            ("gn", 4.0),
            ("gc", 24.0),
        ];
        assert_eq!(counts(&all), Counts::of(100, 11, 3));
        // No errors are left out by the balancer.
        assert_eq!(counts(&[("gr0", 50.0)]), Counts::of(50, 0, 0));
        // Nothing at all is not zero.
        assert!(!counts(&[]).complete());
        // Requests that got no target are proof of themselves.
        assert_eq!(counts(&[("gn", 7.0), ("ge", 7.0)]), Counts::of(7, 7, 0));
    }

    #[test]
    fn what_was_cut_short_is_unknown() {
        let mut cut = answers(&[("gr0", 50.0)]);
        cut.whole.insert("gt1".into(), false);
        let counts = measured().counts("g", &cut, 10, true);
        assert_eq!((counts.requests, counts.bad), (Some(50), None));
    }

    #[test]
    fn metrics_name_things_by_the_end_of_their_arn() {
        let arn = "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/alb-green-dev/50dc6c495c0c9188";
        assert_eq!(dimension(arn), "app/alb-green-dev/50dc6c495c0c9188");
        let arn = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/pay-green-dev/6d0ecf831eec9f09";
        assert_eq!(dimension(arn), "targetgroup/pay-green-dev/6d0ecf831eec9f09");
    }
}

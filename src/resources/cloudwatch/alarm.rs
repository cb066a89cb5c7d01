//! An alarm on metrics. PutMetricAlarm overwrites whatever has the name: the engine reads before it creates, and a foreign one is
//! an error.

use super::actions::actions;
use super::metric::{Metric, Query, dimensions, dimensions_of};
use super::tags::{AlarmTags, tags};
use crate::aws::cloudwatch::Alarm as Read;
use crate::resources::owned::marked_of;
use crate::resources::prelude::*;
use crate::resources::rest::rest;
use crate::resources::sns::Topic;
use aws_sdk_cloudwatch::types as t;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alarm {
    /// What it means and what to do, for whoever is called.
    pub description: String,
    /// What it watches; `None` where it is an expression. Route 53 reads alarms of one metric only.
    pub metric: Option<Metric>,
    /// The lines of the expression, by id.
    pub queries: BTreeMap<String, Query>,
    /// `GreaterThanThreshold`, ...
    pub comparison: String,
    pub threshold: f64,
    /// Periods that are looked at.
    pub periods: i32,
    /// And how many of them must be over the threshold.
    pub datapoints: i32,
    /// What a period without data counts as: `breaching`, `notBreaching`, `ignore`, `missing`.
    pub missing: String,
    /// Whether anybody is notified.
    pub actions: bool,
    /// Who is notified when it goes off, and when it is over again; a set.
    pub notify: Vec<Ref<Arn<Topic>>>,
    /// Who else is notified of anything.
    #[serde(default)]
    pub exposed: Exposed,
    /// What else is set: a unit in which the metric never comes, a wait after each change. The desired set is always empty.
    #[serde(default)]
    pub others: Exposed,
    /// What is to be done before it notifies anybody: an alarm about tasks begins after them, and goes before they do.
    #[serde(default)]
    pub after: Vec<Ref<()>>,
}

const PUT: Api = cloudwatch::PUT_METRIC_ALARM;
const READ: Api = cloudwatch::DESCRIBE_ALARMS;

/// "PutMetricAlarm" in the CloudWatch API reference.
pub(super) const ALARM_NAME: NameRule = NameRule {
    min: 1,
    max: 255,
    legal: |c| c.is_ascii() && !c.is_ascii_control(),
    charset: "ASCII characters",
};

impl Kind for Alarm {
    const TYPE: &'static str = "cloudwatch/alarm";
    const KNOWN_BY_NAME: bool = true;
    const NAME: NameRule = ALARM_NAME;
    type Outputs = Named<Self>;
}

impl Resource for Alarm {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |alarm| Cost::fixed("alarm_metric_month", alarm.metrics()),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &["after"],
        watched: &[],
        delegated: &[],
    };
    type Tags = AlarmTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let alarm = match cx.cloudwatch.alarm(name).await? {
            None => return Ok(None),
            Some(Read::Composite(_)) => return Ok(Some(other_kind(name, key.spec))),
            Some(Read::Metric(alarm)) => alarm,
        };
        let arn: String = READ.field(alarm.alarm_arn(), "AlarmArn")?;
        let tags = cx.tagged(&arn, &key.identity.tags, cx.cloudwatch.tags(&arn));
        let Some(tags) = found(tags.await)? else {
            return Ok(None);
        };
        cx.recent.note(&arn, &tags);
        let outputs = Named::new(name, arn);
        let spec = Self {
            after: key.spec.after.clone(),
            ..of(cx, &alarm)
        };
        Ok(Some(Found::tagged(spec, outputs, tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let name = identity.name.as_str();
        self.put(cx, name, Some(tags(&identity.tags))).await?;
        Ok(Named::new(
            name,
            cx.arn("cloudwatch", &format!("alarm:{name}")),
        ))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, _: &Delta) -> Result<(), Error> {
        self.put(cx, it.name.as_str(), None).await
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let call = cx.cloudwatch.client.delete_alarms().alarm_names(&it.name);
        let api = cloudwatch::DELETE_ALARMS;
        cx.delete(api, || call.clone().send()).await
    }
}

/// The two kinds share their names: one of the other kind is somebody else's.
pub(super) fn other_kind<R: Kind<Outputs = Named<R>> + Clone>(name: &str, spec: &R) -> Found<R> {
    Found {
        spec: spec.clone(),
        outputs: Named::new(name, ""),
        mark: Mark::Foreign("an alarm of another kind".into()),
        phase: Phase::Ready,
    }
}

impl Alarm {
    fn metrics(&self) -> usize {
        let lines = self.queries.values().filter(|q| q.metric.is_some()).count();
        lines.max(1)
    }

    async fn put(&self, cx: &Aws, name: &str, tags: Option<Vec<t::Tag>>) -> Result<(), Error> {
        let call = cx.cloudwatch.client.put_metric_alarm().alarm_name(name);
        let targets = Some(texts(&self.notify));
        let mut call = call
            .alarm_description(&self.description)
            .comparison_operator(self.comparison.as_str().into())
            .threshold(self.threshold)
            .evaluation_periods(self.periods)
            .datapoints_to_alarm(self.datapoints)
            .treat_missing_data(&self.missing)
            .actions_enabled(self.actions)
            .set_alarm_actions(targets.clone())
            .set_ok_actions(targets)
            .set_tags(tags);
        if let Some(metric) = &self.metric {
            call = call
                .namespace(&metric.namespace)
                .metric_name(&metric.name)
                .set_dimensions(Some(dimensions(cx, &metric.dimensions)))
                .period(metric.period);
            let plain = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];
            call = if plain.contains(&metric.statistic.as_str()) {
                call.statistic(metric.statistic.as_str().into())
            } else {
                call.extended_statistic(&metric.statistic)
            };
        } else {
            let lines = self.queries.iter().map(|(id, query)| query.form(cx, id));
            call = call.set_metrics(Some(lines.collect()));
        }
        cx.call(PUT, || call.clone().send()).await.map(drop)
    }
}

fn of(cx: &Aws, alarm: &t::MetricAlarm) -> Alarm {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let statistic = alarm.statistic().map(|s| s.as_str());
    let metric = alarm.metric_name().map(|name| Metric {
        namespace: text(alarm.namespace()),
        name: name.to_owned(),
        dimensions: dimensions_of(cx, alarm.dimensions()),
        statistic: text(statistic.or(alarm.extended_statistic())),
        period: alarm.period().unwrap_or_default(),
    });
    let periods = alarm.evaluation_periods().unwrap_or(1);
    let insufficient = alarm.insufficient_data_actions();
    let (notify, exposed) = actions(alarm.alarm_actions(), alarm.ok_actions(), insufficient);
    Alarm {
        description: text(alarm.alarm_description()),
        metric,
        queries: alarm.metrics().iter().map(|q| Query::of(cx, q)).collect(),
        comparison: text(alarm.comparison_operator().map(|c| c.as_str())),
        threshold: alarm.threshold().unwrap_or_default(),
        periods,
        datapoints: alarm.datapoints_to_alarm().unwrap_or(periods),
        missing: alarm.treat_missing_data().unwrap_or("missing").to_owned(),
        actions: alarm.actions_enabled().unwrap_or(true),
        notify,
        exposed,
        others: others(alarm),
        after: Vec::new(),
    }
}

/// What is set and stands in no field, but for what the alarm's state is and what means the same as nothing ("PutMetricAlarm" in
/// the API reference: percentiles are evaluated, the window slides, tags are not sent).
fn others(alarm: &t::MetricAlarm) -> Exposed {
    let mut out = rest!(alarm;
        alarm_name, alarm_arn, alarm_description, actions_enabled, ok_actions, alarm_actions,
        insufficient_data_actions, metric_name, namespace, statistic, extended_statistic, dimensions,
        period, evaluation_periods, datapoints_to_alarm, threshold, comparison_operator,
        treat_missing_data, metrics,
        alarm_configuration_updated_timestamp, state_value, state_reason, state_reason_data,
        state_updated_timestamp, state_transitioned_timestamp, evaluation_state,
    );
    let slides = alarm.evaluation_window();
    let tags = alarm.action_configuration();
    let tags = tags.and_then(|a| a.alarm_tags_propagation()?.enabled());
    let nothing = [
        (
            "evaluate low sample count percentile",
            alarm.evaluate_low_sample_count_percentile() == Some("evaluate"),
        ),
        (
            "evaluation window",
            slides.is_some_and(t::EvaluationWindow::is_sliding_window),
        ),
        ("action configuration", tags != Some(true)),
    ];
    for (name, _) in nothing.iter().filter(|(_, nothing)| *nothing) {
        out.remove(*name);
    }
    out
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let [all, _] = &*cx.cloudwatch.all_alarms().await?;
    marked_of(cx, Alarm::TYPE, suffix, all.clone(), |cx, arn| {
        Box::pin(async move { found(cx.cloudwatch.tags(arn).await) })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_set_and_not_read_is_a_difference() {
        let plain = || t::MetricAlarm::builder().alarm_name("a").metric_name("b");
        let at = aws_smithy_types::DateTime::from_secs(1);
        let state = plain()
            .state_value(t::StateValue::Ok)
            .state_reason("new")
            .state_updated_timestamp(at)
            .evaluate_low_sample_count_percentile("evaluate");
        assert_eq!(others(&state.build()), Exposed::new());
        let warm = t::WarmUpConfiguration::builder().warm_up_period_duration_in_minutes(9);
        let wall = t::WallClockWindow::builder().build();
        let tags = t::AlarmTagsPropagation::builder().enabled(true).build();
        let tags = t::ActionConfiguration::builder().alarm_tags_propagation(tags);
        let set = [
            plain().unit(t::StandardUnit::TerabitsSecond),
            plain().evaluate_low_sample_count_percentile("ignore"),
            plain().threshold_metric_id("band"),
            plain().evaluation_window(t::EvaluationWindow::WallClockWindow(wall)),
            plain().warm_up_configuration(warm.build()),
            plain().evaluation_interval(10),
            plain().action_configuration(tags.build()),
        ];
        for one in set {
            let one = one.build();
            assert_eq!(others(&one).len(), 1, "{one:?}");
        }
        let unit = plain().unit(t::StandardUnit::TerabitsSecond).build();
        assert_eq!(others(&unit)["unit"], "TerabitsSecond");
    }
}

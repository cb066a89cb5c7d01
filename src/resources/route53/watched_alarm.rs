//! The alarm that a health check follows. Route 53 reads the data of its metric by itself, with the settings that the alarm had
//! when the check was made or last changed: after a change of the alarm the check must be changed too, so they stand here as well.

use crate::resources::cloudwatch::{self, Metric};
use crate::resources::prelude::*;
use aws_sdk_route53::types as t;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchedAlarm {
    pub region: String,
    /// Take it with `.ready()`: the check copies the alarm's settings.
    pub name: Ref<cloudwatch::Alarm>,
    pub settings: Settings,
}

/// What Route 53 copies of an alarm of one metric. It reads plain statistics only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub metric: Option<Metric>,
    pub comparison: String,
    pub threshold: f64,
    pub periods: i32,
}

impl Settings {
    /// Those of an alarm.
    pub fn of(alarm: &cloudwatch::Alarm) -> Self {
        Self {
            metric: alarm.metric.clone(),
            comparison: alarm.comparison.clone(),
            threshold: alarm.threshold,
            periods: alarm.periods,
        }
    }

    /// What Route 53 shows.
    fn shown(cx: &Aws, config: &t::CloudWatchAlarmConfiguration) -> Self {
        let dimensions = config.dimensions().iter();
        let dimensions = dimensions.map(|d| {
            let (name, value) = (d.name(), d.value());
            (name.to_owned(), cloudwatch::dimension(cx, name, value))
        });
        Self {
            metric: Some(Metric {
                namespace: config.namespace().to_owned(),
                name: config.metric_name().to_owned(),
                dimensions: dimensions.collect(),
                statistic: config.statistic().as_str().to_owned(),
                period: config.period(),
            }),
            comparison: config.comparison_operator().as_str().to_owned(),
            threshold: config.threshold(),
            periods: config.evaluation_periods(),
        }
    }
}

/// The alarm of a check. Where Route 53 does not show what it copied, that counts as wanted.
pub(super) fn of(
    cx: &Aws,
    check: &t::HealthCheck,
    wanted: Option<&WatchedAlarm>,
) -> Option<WatchedAlarm> {
    let identifier = check.health_check_config()?.alarm_identifier()?;
    let copied = check.cloud_watch_alarm_configuration();
    let settings = match (copied, wanted) {
        (Some(copied), _) => Settings::shown(cx, copied),
        (None, Some(wanted)) => wanted.settings.clone(),
        (None, None) => Settings {
            metric: None,
            comparison: String::new(),
            threshold: 0.0,
            periods: 0,
        },
    };
    Some(WatchedAlarm {
        region: identifier.region().as_str().to_owned(),
        name: identifier.name().into(),
        settings,
    })
}

/// As Route 53 takes it.
pub(super) fn identifier(
    alarm: Option<&WatchedAlarm>,
) -> Result<Option<t::AlarmIdentifier>, Error> {
    let one = |alarm: &WatchedAlarm| {
        let builder = t::AlarmIdentifier::builder();
        let builder = builder.region(alarm.region.as_str().into());
        super::sets::built(builder.name(&alarm.name).build())
    };
    alarm.map(one).transpose()
}

//! CloudWatch: its client, actions, limits and errors, and the reader of alarms.

use super::api::{
    ANY, Answer, Api, Bucket, Grant, Guard, Service, actions, bucket, guarded, named,
};
use super::call::Caller;
use super::reader::Reader;
use crate::engine::{Class, Error};
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use aws_sdk_cloudwatch::types::{AlarmType, CompositeAlarm, MetricAlarm};
use futures::FutureExt;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// CloudWatch as a service.
pub static SERVICE: Service = Service {
    name: "cloudwatch",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// "CloudWatch service quotas": alarms are written three times a second, read nine times, dashboards ten times.
fn limits(api: Api) -> Bucket {
    let rate = match api.operation {
        "PutMetricAlarm" | "PutCompositeAlarm" | "DeleteAlarms" => 3.0,
        "DescribeAlarms" => 9.0,
        _ => 10.0,
    };
    bucket(api.operation, rate, rate)
}

const ALARM: Grant = named("arn:aws:cloudwatch:{region}:{account}:alarm:*-{suffix}");
const ALARMS: Grant = named("arn:aws:cloudwatch:{region}:{account}:alarm:*");
const BOARD: Grant = named("arn:aws:cloudwatch::{account}:dashboard/*-{suffix}");

actions! { SERVICE;
    Read DESCRIBE_ALARMS = "DescribeAlarms", [ALARMS];
    Read DESCRIBE_ALARM_HISTORY = "DescribeAlarmHistory", [ALARMS];
    Read LIST_TAGS_FOR_RESOURCE = "ListTagsForResource", [ALARM];
    Read GET_METRIC_DATA = "GetMetricData", [ANY];
    Read GET_DASHBOARD = "GetDashboard", [BOARD];
    Read LIST_DASHBOARDS = "ListDashboards", [ANY];
    Repeatable PUT_METRIC_DATA = "PutMetricData", [guarded("*", Guard::Metrics)];
    Repeatable PUT_METRIC_ALARM = "PutMetricAlarm", [ALARM, ALARM.of("cloudwatch:TagResource")];
    Repeatable PUT_COMPOSITE_ALARM = "PutCompositeAlarm", [ALARM, ALARM.of("cloudwatch:TagResource")];
    Repeatable TAG_RESOURCE = "TagResource", [ALARM];
    Repeatable UNTAG_RESOURCE = "UntagResource", [ALARM];
    Repeatable DELETE_ALARMS = "DeleteAlarms", [ALARM];
    Repeatable PUT_DASHBOARD = "PutDashboard", [BOARD];
    Repeatable DELETE_DASHBOARDS = "DeleteDashboards", [BOARD];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        "ResourceNotFound" | "ResourceNotFoundException" | "DashboardNotFoundError"
            if !api.creates_or_changes() =>
        {
            Class::Gone
        }
        // Tags of an alarm that was made a moment ago.
        "ResourceNotFoundException" => Class::Propagating,
        // An alarm that a composite one names.
        "ValidationError" if answer.says("composite alarm") && api.operation == "DeleteAlarms" => {
            Class::InUse
        }
        _ => return None,
    })
}

/// An alarm of one of the two kinds.
#[derive(Debug, Clone)]
pub enum Alarm {
    /// Watches metrics.
    Metric(Box<MetricAlarm>),
    /// Watches other alarms.
    Composite(Box<CompositeAlarm>),
}

impl Alarm {
    fn name(&self) -> &str {
        let name = match self {
            Self::Metric(it) => it.alarm_name(),
            Self::Composite(it) => it.alarm_name(),
        };
        name.unwrap_or_default()
    }
}

/// Names and ARNs.
type Pairs = Vec<(String, String)>;

/// DescribeAlarms takes a hundred names.
const AT_ONCE: usize = 100;

/// CloudWatch: its client and the reader of alarms.
pub struct CloudWatch {
    pub client: Client,
    read: Reader<Wanted, Shown>,
    caller: Arc<Caller>,
}

/// An alarm by its name, or a list of all: asked for at the same time, the list has the alarm.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Wanted {
    Named(String),
    All,
}

#[derive(Clone)]
enum Shown {
    One(Alarm),
    All(Arc<[Pairs; 2]>),
}

impl CloudWatch {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        Self {
            read: alarms(&client, caller),
            caller: caller.clone(),
            client,
        }
    }

    /// The tags of an alarm.
    pub async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Error> {
        let call = self.client.list_tags_for_resource().resource_arn(arn);
        let api = LIST_TAGS_FOR_RESOURCE;
        let answer = self.caller.call(api, || call.clone().send()).await?;
        let tags = answer.tags.unwrap_or_default().into_iter();
        let each = tags.map(|t| (t.key.unwrap_or_default(), t.value.unwrap_or_default()));
        Ok(each.collect())
    }

    /// Names and ARNs of all alarms: of metrics, and composite ones. Those that Application Auto Scaling makes for a policy
    /// (`TargetTracking-service/...`) are its own, and have our names in theirs.
    pub async fn all_alarms(&self) -> Result<Arc<[Pairs; 2]>, Error> {
        match self.read.get(Wanted::All).await? {
            Some(Shown::All(all)) => Ok(all),
            _ => Ok(Arc::default()),
        }
    }

    /// The alarm with this name, of either kind.
    pub async fn alarm(&self, name: &str) -> Result<Option<Alarm>, Error> {
        match self.read.get(Wanted::Named(name.to_owned())).await? {
            Some(Shown::One(alarm)) => Ok(Some(alarm)),
            _ => Ok(None),
        }
    }
}

fn alarms(client: &Client, caller: &Arc<Caller>) -> Reader<Wanted, Shown> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |wanted: Vec<Wanted>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let names: Vec<String> = wanted
                .iter()
                .filter_map(|one| match one {
                    Wanted::Named(name) => Some(name.clone()),
                    Wanted::All => None,
                })
                .collect();
            let mut out = HashMap::new();
            let mut keep = |alarm: Alarm| {
                let name = alarm.name().to_owned();
                out.insert(Wanted::Named(name), Shown::One(alarm));
            };
            if names.len() < wanted.len() {
                let all = listed(&client, &caller).await?;
                let pairs = pairs(&all);
                all.into_iter().for_each(keep);
                out.insert(Wanted::All, Shown::All(Arc::new(pairs)));
                return Ok(out);
            }
            for some in names.chunks(AT_ONCE) {
                let call = client.describe_alarms().max_records(100);
                let call = call
                    .set_alarm_names(Some(some.to_vec()))
                    .alarm_types(AlarmType::MetricAlarm)
                    .alarm_types(AlarmType::CompositeAlarm);
                let answer = caller.call(DESCRIBE_ALARMS, || call.clone().send()).await?;
                both(answer).for_each(&mut keep);
            }
            Ok(out)
        }
        .boxed()
    })
}

/// All alarms of the region.
async fn listed(client: &Client, caller: &Caller) -> Result<Vec<Alarm>, Error> {
    let call = client.describe_alarms().max_records(100);
    let call = call
        .alarm_types(AlarmType::MetricAlarm)
        .alarm_types(AlarmType::CompositeAlarm);
    let send = |token| call.clone().set_next_token(token).send();
    let all = caller.pages(DESCRIBE_ALARMS, send, |mut page| {
        let next = page.next_token.take();
        (both(page), next)
    });
    all.await
}

/// The alarms of an answer, of both kinds.
fn both(answer: DescribeAlarmsOutput) -> impl Iterator<Item = Alarm> {
    let metric = answer.metric_alarms.unwrap_or_default().into_iter();
    let composite = answer.composite_alarms.unwrap_or_default().into_iter();
    let metric = metric.map(|alarm| Alarm::Metric(Box::new(alarm)));
    metric.chain(composite.map(|alarm| Alarm::Composite(Box::new(alarm))))
}

/// Names and ARNs, without those that are Application Auto Scaling's own.
fn pairs(all: &[Alarm]) -> [Pairs; 2] {
    let [mut metric, mut composite] = [Vec::new(), Vec::new()];
    for alarm in all {
        match alarm {
            Alarm::Metric(it) => metric.extend(it.alarm_name.clone().zip(it.alarm_arn.clone())),
            Alarm::Composite(it) => {
                composite.extend(it.alarm_name.clone().zip(it.alarm_arn.clone()));
            }
        }
    }
    metric.retain(|(name, _)| !name.starts_with("TargetTracking-"));
    [metric, composite]
}

//! CloudTrail's event history: who changed what in the last 90 days. It is there in every account without a trail.

use super::api::{ANY, Api, Service, actions, bucket};
use super::call::Caller;
use crate::engine::Error;
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::config::Region;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use jiff::Timestamp;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

/// CloudTrail as a service. "LookupEvents": two calls a second for an account and region.
pub static SERVICE: Service = Service {
    name: "cloudtrail",
    classify: |_, _| None,
    bucket: |api| bucket(api.operation, 2.0, 2.0),
    actions: || ACTIONS,
};

actions! { SERVICE;
    Read LOOKUP_EVENTS = "LookupEvents", [ANY];
}

/// Where events of services without regions are ("Global service events").
const GLOBAL: &str = "us-east-1";

/// A call that changed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The ARN of the caller, or the service that called by itself.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The call, `AuthorizeSecurityGroupIngress`.
    pub event: String,
}

/// A change and the texts of its request and answer, which name what it changed.
pub struct Named {
    pub change: Change,
    texts: BTreeSet<String>,
}

impl Named {
    /// True when the call names this thing: by its name or id, or by its ARN, also as the beginning of a part's.
    pub fn names(&self, thing: &str) -> bool {
        let part = |text: &str| {
            let rest = text
                .strip_prefix(thing)
                .filter(|_| thing.starts_with("arn:"));
            rest.is_some_and(|rest| rest.starts_with([':', '/']))
        };
        self.texts.contains(thing) || self.texts.iter().any(|text| part(text))
    }
}

/// The source of a service's events: as in its endpoint, but for these.
fn source(service: &str) -> String {
    let name = match service {
        "cloudwatch" => "monitoring",
        "elbv2" => "elasticloadbalancing",
        other => other,
    };
    format!("{name}.amazonaws.com")
}

/// CloudTrail's event history.
pub struct CloudTrail {
    pub client: Client,
    global: Client,
    caller: Arc<Caller>,
}

impl CloudTrail {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let global = config.to_builder().region(Region::new(GLOBAL)).build();
        Self {
            client: Client::new(config),
            global: Client::new(&global),
            caller: caller.clone(),
        }
    }

    /// The newest call to its service that changed the thing with this name or id; `None` when the newest fifty events about it have
    /// none. `global`: the service has no regions.
    pub async fn newest(
        &self,
        name: &str,
        service: &str,
        global: bool,
    ) -> Result<Option<Change>, Error> {
        let key = LookupAttributeKey::ResourceName;
        let events = self.lookup(key, name, global).await?;
        Ok(newest_of(&events, service))
    }

    /// What changed something among the newest fifty events of a service, the newest first: not every service says which things an
    /// event is about, so that it is not found by their names.
    pub async fn of_service(&self, service: &str, global: bool) -> Result<Vec<Named>, Error> {
        let key = LookupAttributeKey::EventSource;
        let events = self.lookup(key, &source(service), global).await?;
        let mut all: Vec<Named> = events.iter().filter_map(named).collect();
        all.sort_by_key(|one| Reverse(one.change.at));
        Ok(all)
    }

    async fn lookup(
        &self,
        key: LookupAttributeKey,
        value: &str,
        global: bool,
    ) -> Result<Vec<Event>, Error> {
        const API: Api = LOOKUP_EVENTS;
        let attribute = LookupAttribute::builder();
        let attribute = attribute.attribute_key(key).attribute_value(value);
        let attribute = attribute.build();
        let attribute = attribute.map_err(|e| Error::permanent(API.action(), e.to_string()))?;
        let client = if global { &self.global } else { &self.client };
        let call = client.lookup_events().max_results(50);
        let call = call.lookup_attributes(attribute);
        let answer = self.caller.call(API, || call.clone().send()).await?;
        Ok(answer.events.unwrap_or_default())
    }
}

/// The newest change among what a service did. Calls to other services name the thing too, without changing it: an alarm names the
/// topic that it notifies.
fn newest_of(events: &[Event], service: &str) -> Option<Change> {
    let source = source(service);
    let own = events.iter().filter(|e| e.event_source() == Some(&source));
    // The newest comes first, also of those of one second.
    let changes = own.rev().filter_map(change);
    changes.max_by_key(|change| change.at)
}

/// An event of a call that changed something and was not refused.
fn change(event: &Event) -> Option<Change> {
    if event.read_only() != Some("false") {
        return None;
    }
    let record: Value = serde_json::from_str(event.cloud_trail_event()?).ok()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if text(&record["errorCode"]).is_some() {
        return None;
    }
    let who = &record["userIdentity"];
    let by = text(&who["arn"]).or_else(|| text(&who["invokedBy"]));
    let by = by.or_else(|| event.username().map(str::to_owned));
    Some(Change {
        by: by.unwrap_or_else(|| "somebody without a name".to_owned()),
        at: Timestamp::from_second(event.event_time()?.secs()).ok()?,
        event: event.event_name()?.to_owned(),
    })
}

/// The same with all that it names.
fn named(event: &Event) -> Option<Named> {
    let change = change(event)?;
    let record: Value = serde_json::from_str(event.cloud_trail_event()?).ok()?;
    let mut texts = BTreeSet::new();
    for part in ["requestParameters", "responseElements"] {
        collect(&record[part], &mut texts);
    }
    let resources = event.resources().iter();
    texts.extend(resources.filter_map(|r| r.resource_name.clone()));
    Some(Named { change, texts })
}

/// All texts of a value; names of hosts without the dot at their end.
fn collect(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(out.insert(text.trim_end_matches('.').to_owned())),
        Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
        Value::Object(map) => map.values().for_each(|item| collect(item, out)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::DateTime;

    fn event(read_only: &str, record: &str) -> Event {
        Event::builder()
            .event_name("PutBucketPolicy")
            .read_only(read_only)
            .event_time(DateTime::from_secs(1_700_000_000))
            .username("ann")
            .cloud_trail_event(record)
            .build()
    }

    #[test]
    fn a_call_to_another_service_that_names_the_thing_did_not_change_it() {
        let at = |seconds, source: &str, name: &str| {
            Event::builder()
                .event_name(name)
                .event_source(source)
                .read_only("false")
                .event_time(DateTime::from_secs(seconds))
                .cloud_trail_event("{}")
                .build()
        };
        let events = [
            at(3, "monitoring.amazonaws.com", "PutCompositeAlarm"),
            at(2, "sns.amazonaws.com", "SetTopicAttributes"),
            at(1, "sns.amazonaws.com", "TagResource"),
        ];
        let newest = |service| newest_of(&events, service).map(|change| change.event);
        assert_eq!(newest("sns").as_deref(), Some("SetTopicAttributes"));
        assert_eq!(newest("cloudwatch").as_deref(), Some("PutCompositeAlarm"));
        assert_eq!(newest("sqs"), None);
    }

    #[test]
    fn only_calls_that_changed_something_have_an_author() {
        let arn = "arn:aws:sts::1:assumed-role/Admin/ann";
        let record = format!(r#"{{"userIdentity": {{"arn": "{arn}"}}}}"#);
        let found = change(&event("false", &record)).unwrap();
        assert_eq!(
            (found.by.as_str(), found.event.as_str()),
            (arn, "PutBucketPolicy")
        );
        let service = r#"{"userIdentity": {"invokedBy": "rds.amazonaws.com"}}"#;
        assert_eq!(
            change(&event("false", service)).unwrap().by,
            "rds.amazonaws.com"
        );
        assert_eq!(change(&event("false", "{}")).unwrap().by, "ann");
        assert_eq!(change(&event("true", &record)), None);
        let asks = r#"{"requestParameters": {"name": "pay.example.", "groups": [{"arn": "arn:a:topic:1"}]}}"#;
        let one = named(&event("false", asks)).unwrap();
        for (thing, is_named) in [
            ("pay.example", true),
            ("arn:a:topic", true),
            ("arn:a:top", false),
            ("pay", false),
        ] {
            assert_eq!(one.names(thing), is_named, "{thing}");
        }
        let refused = r#"{"errorCode": "AccessDenied", "userIdentity": {}}"#;
        assert_eq!(change(&event("false", refused)), None);
    }
}

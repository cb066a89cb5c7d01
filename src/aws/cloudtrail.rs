//! CloudTrail's event history: who changed what in the last 90 days. It is there in every account without a trail.

use super::api::{ANY, Api, Service, actions, bucket};
use super::call::Caller;
use crate::engine::Error;
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::config::Region;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use jiff::Timestamp;
use serde_json::Value;
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

/// CloudTrail's event history.
pub struct CloudTrail {
    /// The client.
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

    /// The newest call that changed the thing with this name or id; `None` when the newest fifty events about it have none.
    /// `global`: it belongs to a service without regions.
    pub async fn newest(&self, name: &str, global: bool) -> Result<Option<Change>, Error> {
        const API: Api = LOOKUP_EVENTS;
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::ResourceName)
            .attribute_value(name)
            .build()
            .map_err(|e| Error::permanent(API.action(), e.to_string()))?;
        let client = if global { &self.global } else { &self.client };
        let call = client.lookup_events().max_results(50);
        let call = call.lookup_attributes(attribute);
        let answer = self.caller.call(API, || call.clone().send()).await?;
        // The newest comes first, also of those of one second.
        let changes = answer.events().iter().rev().filter_map(change);
        Ok(changes.max_by_key(|change| change.at))
    }
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
        let refused = r#"{"errorCode": "AccessDenied", "userIdentity": {}}"#;
        assert_eq!(change(&event("false", refused)), None);
    }
}

//! How people hear of trouble: one topic per environment, encrypted, to which alarms and database events of this
//! environment publish and nobody else.

use super::keys::Keys;
use super::{EnvironmentBuilder, Scope, ScopeBuilder};
use crate::engine::Handle;
use crate::resources::policy::Policy;
use crate::resources::rds::{Cluster, EventSubscription};
use crate::resources::sns::Topic;
use serde_json::{Value, json};

/// The topic in names: `alerts-green-dev`.
pub const ALERTS: &str = "alerts";

/// Declares the topic.
pub fn topic(here: &mut EnvironmentBuilder<'_>, keys: &Keys) -> Handle<Topic> {
    let policy = Policy::of(policy(here));
    let protocol = |to: &String| if to.contains("://") { "https" } else { "email" };
    let subscribers = here.config.monitoring.notify.iter();
    let subscribers = subscribers.map(|to| format!("{} {to}", protocol(to)));
    let spec = Topic {
        kms_key: Some(keys.logs.arn.clone()),
        policy,
        subscribers: subscribers.collect(),
    };
    let topic = here.add(ALERTS, spec);
    here.output("alerts.topic", &topic.arn);
    topic
}

/// Kinds of events that somebody has to know of ("Amazon RDS event categories and event messages").
const EVENTS: [&str; 5] = [
    "configuration change",
    "failover",
    "failure",
    "maintenance",
    "notification",
];

/// Declares that events of the database reach the topic.
pub fn database_events(
    here: &mut EnvironmentBuilder<'_>,
    topic: &Handle<Topic>,
    database: &Handle<Cluster>,
) {
    let spec = EventSubscription {
        // Its policy lets RDS publish: without it the subscription is refused.
        topic: topic.arn.ready(),
        source: "db-cluster".into(),
        clusters: vec![database.id.clone()],
        categories: EVENTS.map(str::to_owned).into(),
        enabled: true,
    };
    here.add("database-events", spec);
}

/// "Example cases for Amazon SNS access control": AWS publishes for alarms and databases of this environment, and nobody in
/// clear text.
fn policy(here: &EnvironmentBuilder<'_>) -> Vec<Value> {
    let topic = here.arn("sns", &here.name(ALERTS));
    let publish = |(sid, service, source): (&str, &str, String)| {
        json!({
            "Sid": format!("Publish{sid}"),
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {
                "ArnLike": {"aws:SourceArn": source},
                "StringEquals": {"aws:SourceAccount": here.facts.account},
            },
        })
    };
    let [alarms, events] = publishers(here).map(publish);
    vec![
        alarms,
        events,
        json!({
            "Sid": "DenyPlainHttp",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }),
    ]
}

/// Who publishes to the topic, and so uses its key: a word for statements, the service, and in whose name.
pub fn publishers<S: Scope>(
    here: &ScopeBuilder<'_, S>,
) -> [(&'static str, &'static str, String); 2] {
    let all = here.name("*");
    [
        (
            "Alarms",
            "cloudwatch.amazonaws.com",
            here.arn("cloudwatch", &format!("alarm:{all}")),
        ),
        (
            "DatabaseEvents",
            "events.rds.amazonaws.com",
            here.arn("rds", &format!("es:{all}")),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::blueprint::{Facts, build};
    use crate::config::Config;

    /// An alarm that may not publish, or may not use the topic's key, changes its state and nobody hears of it.
    #[test]
    fn whoever_may_publish_to_a_topic_may_use_its_key() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let topics = graph.steps.iter().filter(|s| s.kind == "sns/topic");
        let mut seen = 0;
        for topic in topics {
            let key = topic.spec["kms_key"].as_str().unwrap();
            let key = key.trim_start_matches("@{").split('.').next().unwrap();
            let key = &graph.get(key).unwrap().spec["policy"]["Statement"];
            let statements = topic.spec["policy"]["Statement"].as_object().unwrap();
            for publish in statements.values().filter(|s| s["Effect"] == "Allow") {
                let grant = key.as_object().unwrap().values().find(|s| {
                    let actions = s["Action"].to_string();
                    s["Principal"] == publish["Principal"]
                        && s["Condition"]["ArnLike"]["aws:SourceArn"]
                            == publish["Condition"]["ArnLike"]["aws:SourceArn"]
                        && actions.contains("kms:Decrypt")
                        && actions.contains("kms:GenerateDataKey*")
                });
                assert!(grant.is_some(), "{}: {publish}", topic.id);
                seen += 1;
            }
        }
        assert_eq!(seen, 4, "alarms and events of both environments");
    }
}

//! How people hear of trouble: one topic per environment, encrypted, to which alarms, database events and failed deployments of
//! this environment publish and nobody else.

use super::compute::CLUSTER;
use super::database::Database;
use super::keys::Keys;
use super::{EnvironmentBuilder, Scope, ScopeBuilder};
use crate::engine::{Handle, Ref};
use crate::resources::Exposed;
use crate::resources::events::{Rule, Target};
use crate::resources::policy::Policy;
use crate::resources::rds::EventSubscription;
use crate::resources::sns::Topic;
use serde_json::{Value, json};
use std::collections::BTreeMap;

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
        others: Exposed::new(),
    };
    let topic = here.add(ALERTS, spec);
    here.output("alerts.topic", &topic.arn);
    topic
}

/// Kinds of events that somebody has to know of ("Amazon RDS event categories and event messages").
const EVENTS: [&str; 5] = [CHANGE, "failover", "failure", "maintenance", "notification"];
/// The one kind that parameter groups have.
const CHANGE: &str = "configuration change";

/// Declares that events of the database reach the topic: of the cluster, of its instances and of their parameter group. There is a source
/// of security groups too, of a time before VPCs: a database in a VPC has none of these.
pub fn database_events(
    here: &mut EnvironmentBuilder<'_>,
    topic: &Handle<Topic>,
    database: &Database,
) {
    let untyped = |id: &str| Ref::from(id);
    let cluster = vec![untyped(database.cluster.id.as_str())];
    let instances = database.instances.iter();
    let instances = instances.map(|one| untyped(one.id.as_str())).collect();
    let parameters = vec![untyped(database.parameters.name().as_str())];
    let all: [(_, _, _, &[&str]); 3] = [
        ("database-events", "db-cluster", cluster, &EVENTS),
        ("instance-events", "db-instance", instances, &EVENTS),
        (
            "parameter-events",
            "db-parameter-group",
            parameters,
            &[CHANGE],
        ),
    ];
    for (thing, source, sources, categories) in all {
        let categories = categories.iter();
        let spec = EventSubscription {
            // Its policy lets RDS publish: without it the subscription is refused.
            topic: topic.arn.ready(),
            source: source.into(),
            sources,
            categories: categories.map(|&category| category.into()).collect(),
            enabled: true,
        };
        here.add(thing, spec);
    }
}

/// Declares that failed deployments reach the topic: ECS goes back to what ran before, and no alarm of metrics sees that. "Amazon ECS
/// service deployment state change events": the service is among the resources, and the event comes with the circuit breaker.
pub fn failed_deployments(here: &mut EnvironmentBuilder<'_>, topic: &Handle<Topic>) {
    let services = format!("service/{}/", here.name(CLUSTER));
    let pattern = [
        ("source", json!(["aws.ecs"])),
        ("detail-type", json!(["ECS Deployment State Change"])),
        ("resources", json!([{"prefix": here.arn("ecs", &services)}])),
        (
            "detail",
            json!({"eventName": ["SERVICE_DEPLOYMENT_FAILED"]}),
        ),
    ];
    let target = Target::topic(topic.arn.ready());
    let spec = Rule {
        description: "Deployments of services that failed".into(),
        pattern: pattern.map(|(k, v)| (k.to_owned(), v)).into(),
        enabled: true,
        targets: BTreeMap::from([(ALERTS.to_owned(), target)]),
        others: Exposed::new(),
    };
    here.add("failed-deployments", spec);
}

/// "Example cases for Amazon SNS access control": AWS publishes for alarms and databases of this environment, and nobody in
/// clear text.
fn policy(here: &EnvironmentBuilder<'_>) -> Vec<Value> {
    let topic = here.arn("sns", &here.name(ALERTS));
    let publish = |publisher: Publisher| {
        let mut statement = json!({
            "Sid": format!("Publish{}", publisher.word),
            "Effect": "Allow",
            "Principal": {"Service": publisher.service},
            "Action": "sns:Publish",
            "Resource": topic,
        });
        if publisher.source.is_some() {
            statement["Condition"] = publisher.condition(here);
        }
        statement
    };
    let mut all: Vec<Value> = publishers(here).map(publish).into();
    all.push(json!({
        "Sid": "DenyPlainHttp",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }));
    all
}

/// Who publishes to the topic, and so uses its key.
pub struct Publisher {
    /// A word for statements.
    pub word: &'static str,
    /// The service.
    pub service: &'static str,
    /// In whose name, where the service says it. EventBridge does not: "You can't use Condition blocks in Amazon SNS topic policies
    /// for EventBridge" ("Troubleshooting Amazon EventBridge"), and in a key policy `aws:SourceArn` and `aws:SourceAccount` are "not
    /// supported for EventBridge-to-encrypted topics" ("Managing Amazon SNS encryption keys and costs"): such a statement never
    /// holds, and the events are lost without a word.
    source: Option<String>,
}

impl Publisher {
    /// Under which condition the key is used, and the topic where there is a source. Without one the key is of use for this topic
    /// alone, which SNS names in every use.
    pub fn condition<S: Scope>(&self, here: &ScopeBuilder<'_, S>) -> Value {
        match &self.source {
            Some(source) => json!({
                "ArnLike": {"aws:SourceArn": source},
                "StringEquals": {"aws:SourceAccount": here.facts.account},
            }),
            None => json!({
                "StringEquals": {
                    "kms:EncryptionContext:aws:sns:topicArn": here.arn("sns", &here.name(ALERTS)),
                },
            }),
        }
    }
}

pub fn publishers<S: Scope>(here: &ScopeBuilder<'_, S>) -> [Publisher; 3] {
    let all = here.name("*");
    let publisher = |word, service, source| Publisher {
        word,
        service,
        source,
    };
    [
        publisher(
            "Alarms",
            "cloudwatch.amazonaws.com",
            Some(here.arn("cloudwatch", &format!("alarm:{all}"))),
        ),
        publisher(
            "DatabaseEvents",
            "events.rds.amazonaws.com",
            // The instance, cluster or group that the event is about ("Granting permissions to publish notifications to an Amazon
            // SNS topic" in the Aurora user guide), or the subscription where it is confirmed.
            Some(here.arn("rds", &format!("*:{all}"))),
        ),
        publisher("FailedDeployments", "events.amazonaws.com", None),
    ]
}

#[cfg(test)]
mod tests {
    use crate::blueprint::{Facts, build};
    use crate::config::Config;
    use serde_json::Value;

    /// RDS says which instance, cluster or group an event is about.
    #[test]
    fn the_topic_takes_what_is_said_of_every_instance_and_cluster() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let topic = &graph.get("alerts-green").unwrap().spec["policy"]["Statement"];
        let events = topic.as_object().unwrap().values();
        let mut events = events.filter(|s| s["Principal"].to_string().contains("events.rds"));
        let source = &events.next().unwrap()["Condition"]["ArnLike"]["aws:SourceArn"];
        let pattern = source.as_str().or_else(|| source[0].as_str()).unwrap();
        let parts: Vec<&str> = pattern.split(':').collect();
        let [.., kind, name] = parts.as_slice() else {
            panic!("{pattern}")
        };
        assert_eq!(
            (*kind, parts.len()),
            ("*", 7),
            "ArnLike matches part by part"
        );
        let end = name.strip_prefix('*').unwrap();
        let green = graph.steps.iter().filter(|s| s.scope == "green");
        let all = green.filter(|s| s.kind.starts_with("rds/"));
        let all: Vec<_> = all.map(|s| s.name.as_str()).collect();
        assert!(
            all.len() > 3 && all.iter().all(|name| name.ends_with(end)),
            "{all:?}"
        );
    }

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
                    let of_topic =
                        &s["Condition"]["StringEquals"]["kms:EncryptionContext:aws:sns:topicArn"];
                    // EventBridge names neither its rule nor the account.
                    let same = match &publish["Condition"] {
                        Value::Null => *of_topic == publish["Resource"],
                        condition => s["Condition"] == *condition,
                    };
                    s["Principal"] == publish["Principal"]
                        && same
                        && actions.contains("kms:Decrypt")
                        && actions.contains("kms:GenerateDataKey*")
                });
                assert!(grant.is_some(), "{}: {publish}", topic.id);
                seen += 1;
            }
        }
        assert_eq!(
            seen, 6,
            "alarms, events and deployments of both environments"
        );
    }

    /// Whatever has a topic for a target is let in by the topic's policy, which the test above follows to the key.
    #[test]
    fn whatever_sends_to_a_topic_may_publish_to_it() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let senders = [
            ("cloudwatch/alarm", "notify", "cloudwatch.amazonaws.com"),
            (
                "cloudwatch/composite_alarm",
                "notify",
                "cloudwatch.amazonaws.com",
            ),
            (
                "rds/event_subscription",
                "topic",
                "events.rds.amazonaws.com",
            ),
            ("events/rule", "targets", "events.amazonaws.com"),
        ];
        for (kind, field, service) in senders {
            let mut seen = 0;
            for step in graph.steps.iter().filter(|s| s.kind == kind) {
                let sends = &step.spec[field];
                let mut topics = Vec::new();
                crate::engine::reference::walk(sends, &mut |p| topics.push(p.step.to_owned()));
                for topic in topics {
                    let policy = &graph.get(&topic).unwrap().spec["policy"]["Statement"];
                    let allowed = policy.as_object().unwrap().values().any(|s| {
                        s["Effect"] == "Allow"
                            && s["Principal"]["Service"].to_string().contains(service)
                    });
                    assert!(allowed, "{} may not publish to {topic}", step.id);
                    seen += 1;
                }
            }
            assert!(seen >= 2, "{kind}: {seen}");
        }
    }
}

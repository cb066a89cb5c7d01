//! How people hear of trouble: one topic per environment, encrypted, to which only alarms of this environment publish.

use super::EnvironmentBuilder;
use super::keys::Keys;
use crate::engine::Handle;
use crate::resources::policy::Policy;
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

/// "Example cases for Amazon SNS access control": CloudWatch publishes for alarms of this environment, and nobody in clear
/// text.
fn policy(here: &EnvironmentBuilder<'_>) -> Vec<Value> {
    let topic = here.arn("sns", &here.name(ALERTS));
    let alarms = here.arn("cloudwatch", &format!("alarm:{}", here.name("*")));
    vec![
        json!({
            "Sid": "PublishAlarms",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {
                "ArnLike": {"aws:SourceArn": alarms},
                "StringEquals": {"aws:SourceAccount": here.facts.account},
            },
        }),
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
        assert!(seen >= 2, "{seen}");
    }
}

//! Whether alarms reach people, and what means the same in other words.

use crate::support::lab::Lab;
use serde_json::{Value, json};

const FILTERED: &str = r#"
sns = c("sns")
topic = "arn:aws:sns:eu-central-1:123456789012:alerts-green-dev"
one = sns.confirm_subscription(TopicArn=topic, Token="ops@example.com")["SubscriptionArn"]
def put(name, value): sns.set_subscription_attributes(SubscriptionArn=one, AttributeName=name, AttributeValue=value)
put("FilterPolicy", '{"never": ["x"]}')
put("RedrivePolicy", '{"deadLetterTargetArn": "arn:aws:sqs:eu-central-1:999999999999:theirs"}')
"#;

#[test]
fn what_keeps_mail_from_somebody_is_a_difference_and_taken_away_without_asking_again() {
    let lab = Lab::green();
    let file = lab.dir.path().join("deployer.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text + "\n[monitoring]\nnotify = [\"ops@example.com\"]\n",
    )
    .unwrap();
    lab.run(&["apply", "--env", "green", "--yes"]).expect(0);
    lab.python(FILTERED);
    let drift = ["drift", "--env", "green", "--json"];
    let found = lab.run(&drift).expect(2).json();
    let found = found["findings"].as_array().unwrap().iter();
    let found: Vec<Value> = found
        .map(|f| json!([f["step"], f["path"], f["severity"]]))
        .collect();
    let of = |name: &str| {
        let path = format!("others.email ops@example.com/{name}");
        json!(["alerts-green", path, "high"])
    };
    assert_eq!(found, [of("FilterPolicy"), of("RedrivePolicy")]);
    let since = lab.mark();
    lab.run(&["apply", "--env", "green", "--yes"]).expect(0);
    let set = "sns:SetSubscriptionAttributes";
    assert_eq!(lab.writes(since), [set, set]);
    lab.run(&drift).expect(0);
}

/// Keys by their id, actions in another case, a rule with other blanks and quotes.
const OTHERWISE: &str = r#"
sns, sqs, secrets, watch, kms = map(c, "sns sqs secretsmanager cloudwatch kms".split())
def key(name): return [a["TargetKeyId"] for a in kms.list_aliases()["Aliases"] if a["AliasName"] == f"alias/{name}-green-dev"][0]
topic = "arn:aws:sns:eu-central-1:123456789012:alerts-green-dev"
def topic_has(name, value): sns.set_topic_attributes(TopicArn=topic, AttributeName=name, AttributeValue=value)
topic_has("KmsMasterKeyId", key("logs"))
topic_has("Policy", sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"].replace("sns:Publish", "SNS:publish"))
url = sqs.get_queue_url(QueueName="failed-sync-green-dev")["QueueUrl"]
sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "key/" + key("data")})
secret = secrets.describe_secret(SecretId="hash-key-green-dev")
secrets.update_secret(SecretId=secret["ARN"], KmsKeyId=secret["KmsKeyId"].split("/")[-1])
one = watch.describe_alarms(AlarmNames=["alarm-any-green-dev"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
rule = one["AlarmRule"].replace(" OR ", "\n  OR\n").replace('"', "'").replace("('", "('arn:aws:cloudwatch:eu-central-1:123456789012:alarm:", 1)
watch.put_composite_alarm(AlarmName="alarm-any-green-dev", AlarmDescription=one["AlarmDescription"], AlarmRule=rule, AlarmActions=one["AlarmActions"], OKActions=one["OKActions"])
"#;

#[test]
fn what_means_the_same_is_no_difference() {
    let lab = Lab::green();
    lab.python(OTHERWISE);
    let drift = lab.run(&["drift", "--env", "green", "--json"]);
    assert_eq!(drift.expect(0).json()["differs"], false);
}

//! The end of a run is sent to the notifier of the configuration, which never changes how the run ends.

use crate::support::again::until;
use crate::support::lab::Lab;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn configure(lab: &Lab, notify: &Value) {
    let text = format!(
        "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 20\napi_limits = 1000\n[notify]\ntopic = {}\ncommand = {}\n",
        notify["topic"], notify["command"]
    );
    std::fs::write(lab.dir.path().join("deployer.toml"), text).unwrap();
}

/// What the command got since the last time, and forgets it.
fn taken(lab: &Lab) -> Option<Value> {
    let path = lab.dir.path().join("notice.json");
    let text = std::fs::read_to_string(&path).ok()?;
    std::fs::remove_file(path).unwrap();
    Some(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}")))
}

/// A topic in a region of its own, and the queue that gets its messages.
const TOPIC: &str = r#"
def there(name): return boto3.client(name, endpoint_url=c("sns").meta.endpoint_url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
sns, sqs = there("sns"), there("sqs")
topic = sns.create_topic(Name="runs")["TopicArn"]
queue = sqs.create_queue(QueueName="runs")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
"#;

fn messages(lab: &Lab) -> Vec<Value> {
    let read = "print(json.dumps([json.loads(m['Body']) for m in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get('Messages', [])]))";
    serde_json::from_str(&lab.python(&format!("{TOPIC}{read}"))).unwrap()
}

#[test]
fn a_run_that_fails_and_a_drift_are_sent_to_the_command_and_the_topic() {
    let lab = Lab::start();
    let topic = lab.python(&format!("{TOPIC}print(topic)"));
    let topic = topic.trim();
    let command = ["sh", "-c", "cat > notice.json"];
    configure(&lab, &json!({"topic": topic, "command": command}));

    let drift = lab.run(&["drift", "--env", "green", "--json"]).expect(2);
    let notice = taken(&lab).unwrap();
    assert_eq!(notice["schema"], "deployer.notice/1");
    assert_eq!(notice["outcome"], "differs");
    assert_eq!(notice["counts"], drift.json()["summary"]);
    assert_eq!(notice["next"], "deployer plan --env green --suffix dev");
    let sent = messages(&lab);
    assert_eq!(sent.len(), 1, "{sent:?}");
    let place = "green of dev, account 123456789012, eu-central-1";
    assert_eq!(
        sent[0]["Subject"],
        format!("deployer drift differs: {place}")
    );
    let text = sent[0]["Message"].as_str().unwrap();
    assert!(
        text.ends_with("\nnext: deployer plan --env green --suffix dev\n"),
        "{text}"
    );

    lab.faults(&json!({"deny": ["ec2:CreateVpc", "s3:CreateBucket", "kms:CreateKey"]}));
    let apply = [
        "apply",
        "--env",
        "green",
        "--yes",
        "--json",
        "--state-dir",
        "st ate",
    ];
    let failed = lab.run(&apply).expect(1).json();
    let notice = taken(&lab).unwrap();
    assert_eq!(notice["outcome"], "failed");
    assert_eq!(notice["exit_code"], 1);
    assert_eq!(notice["counts"], failed["summary"]);
    let steps = failed["steps"].as_array().unwrap();
    let first = steps.iter().find(|s| s["outcome"] == "failed").unwrap();
    assert_eq!(notice["first"]["step"], first["step"]);
    let message = notice["first"]["message"].as_str().unwrap();
    assert!(message.contains("AccessDenied"), "{message}");
    assert_eq!(
        notice["next"],
        "deployer apply --env green --suffix dev --state-dir 'st ate'"
    );
    assert_eq!(messages(&lab).len(), 1);
    lab.faults(&json!({}));

    // No credentials: the run does not get as far as AWS, and the topic cannot be reached either.
    let mut nobody = lab.command(&["drift"]);
    nobody
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY");
    nobody.env("HOME", lab.dir.path());
    let done = crate::support::lab::finish(&mut nobody).expect(1);
    assert!(
        done.err
            .contains("warning: the notification did not reach the topic: "),
        "{}",
        done.err
    );
    let notice = taken(&lab).unwrap();
    assert_eq!(
        (&notice["outcome"], &notice["counts"]),
        (&json!("failed"), &json!({}))
    );
    assert!(
        done.err
            .contains(notice["first"]["message"].as_str().unwrap()),
        "{notice}"
    );

    // A command that does not begin sends nothing.
    lab.run(&["apply"]).expect(3);
    assert_eq!(taken(&lab), None);
    // What is not among `on` is not sent: nothing is left to destroy.
    lab.run(&[
        "destroy",
        "--yes",
        "--destroy-data",
        "--state-dir",
        "st ate",
    ])
    .expect(0);
    assert_eq!(taken(&lab).unwrap()["outcome"], "changed");
    lab.run(&["destroy", "--yes", "--destroy-data"]).expect(0);
    assert_eq!(taken(&lab), None);
}

#[test]
fn a_notifier_that_fails_or_hangs_is_a_warning_and_the_exit_code_stays() {
    let lab = Lab::start();
    let topic = "arn:aws:sns:eu-central-1:123456789012:nobody";
    let hangs = ["sh", "-c", "sleep 600 & echo $! > child; wait"];
    configure(&lab, &json!({"topic": topic, "command": hangs}));
    let began = Instant::now();
    let done = lab.run(&["drift", "--env", "green"]).expect(2);
    assert!(began.elapsed() < Duration::from_secs(300), "{done:?}");
    let warned = |what: &str| {
        let line = format!("warning: the notification did not reach {what}: ");
        let found = done.err.lines().find(|l| l.starts_with(&line));
        found.unwrap_or_else(|| panic!("{}", done.err)).to_owned()
    };
    assert!(warned("the command").ends_with("no end within 10 s"));
    assert!(warned("the topic").contains("sns:Publish"));
    // What it started is ended with it.
    let child = std::fs::read_to_string(lab.dir.path().join("child")).unwrap();
    let stat = std::path::Path::new("/proc")
        .join(child.trim())
        .join("stat");
    // Where nobody waits for it, it stays listed as ended.
    let alive = || std::fs::read_to_string(&stat).is_ok_and(|s| !s.contains(") Z "));
    until(|| &stat, || !alive());

    for (command, why) in [
        (json!(["./not-there"]), "./not-there: No such file"),
        (json!(["false"]), "false: exit status: 1"),
        // It reads nothing of what it gets, and that is its own affair.
        (json!(["true"]), ""),
    ] {
        configure(&lab, &json!({"topic": "", "command": command}));
        let done = lab.run(&["drift", "--env", "green"]).expect(2);
        let warned = done.err.contains("warning: ");
        assert_eq!(warned, !why.is_empty(), "{}", done.err);
        assert!(done.err.contains(why), "{}", done.err);
    }
}

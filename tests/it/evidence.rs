//! Ten things that somebody does by hand: the report names all ten and nothing else, in its differences and in its requirements.

use crate::support::again::until;
use crate::support::lab::Lab;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is done, each to a thing of another type; `id(step)` is what is recorded of a step.
const HANDS: &str = r#"
steps = json.load(open("state/dev.json"))["steps"]
def id(step, output="id"): return steps[step]["outputs"][output]
ec2, rds, s3, kms, logs, dynamodb, elb, iam, watch, ecs = map(c, "ec2 rds s3 kms logs dynamodb elbv2 iam cloudwatch ecs".split())
ec2.authorize_security_group_ingress(GroupId=id("security-group-database-green"), IpPermissions=[{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "for a moment"}]}])
ec2.modify_subnet_attribute(SubnetId=id("subnet-app-a-blue"), MapPublicIpOnLaunch={"Value": True})
rds.modify_db_cluster(DBClusterIdentifier="aurora-green-dev", BackupRetentionPeriod=3, ApplyImmediately=True)
s3.put_public_access_block(Bucket="transaction-logs-blue-dev", PublicAccessBlockConfiguration={"BlockPublicAcls": False, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True})
kms.disable_key_rotation(KeyId=id("key-data-blue"))
logs.delete_retention_policy(logGroupName="aws-waf-logs-green-dev")
dynamodb.update_continuous_backups(TableName="sessions-blue-dev", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False})
elb.modify_listener(ListenerArn=id("listener-https-blue", "arn"), SslPolicy="ELBSecurityPolicy-2016-08")
iam.attach_role_policy(RoleName="role-config-shared-dev", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
one = watch.describe_alarms(AlarmNames=["alarm-lag-sync-green-dev"])["MetricAlarms"][0]
keep = "AlarmName AlarmDescription ActionsEnabled MetricName Namespace Statistic ExtendedStatistic Dimensions Period EvaluationPeriods DatapointsToAlarm Threshold ComparisonOperator TreatMissingData Metrics"
watch.put_metric_alarm(**{key: one[key] for key in keep.split() if one.get(key)})
"#;

/// The step of each, and where the report says what is wrong with it.
const NAMED: [(&str, &str, &str); 10] = [
    ("security-group-database-rules-green", "1.3.1", "CidrIpv4"),
    ("subnet-app-a-blue", "1.4.4", "MapPublicIpOnLaunch"),
    ("aurora-green", "10.3.3", "BackupRetentionPeriod"),
    (
        "transaction-logs-blue",
        "1.4.4",
        "PublicAccessBlockConfiguration",
    ),
    ("key-data-blue", "3.7.1-3.7.4", "RotationPeriodInDays"),
    ("waf-logs-green", "10.5.1", "retentionInDays"),
    ("sessions-blue", "10.3.3", "RecoveryPeriodInDays"),
    ("listener-https-blue", "4.2.1", "SslPolicy"),
    (
        "role-config-shared",
        "7.2.1, 7.2.2, 7.2.5",
        "AttachedPolicies",
    ),
    ("alarm-lag-sync-green", "10.4.1-10.4.3", "AlarmActions"),
];

/// Requirement, step, field and value of all that is contradicted.
fn contradicted(report: &Value) -> BTreeSet<(String, String, String, String)> {
    let mut out = BTreeSet::new();
    for requirement in report["requirements"].as_array().unwrap() {
        for value in requirement["values"].as_array().unwrap() {
            if value["verdict"] == "contradicted" {
                let text = |v: &Value| v.as_str().unwrap().to_owned();
                out.insert((
                    text(&requirement["id"]),
                    text(&value["step"]),
                    text(&value["field"]),
                    value["value"].to_string(),
                ));
            }
        }
    }
    out
}

fn list<'a>(report: &'a Value, key: &str) -> BTreeSet<&'a str> {
    let all = report[key].as_array().unwrap().iter();
    all.map(|v| v.as_str().or(v[0].as_str()).unwrap()).collect()
}

#[test]
fn a_report_names_ten_changes_by_hand_and_nothing_else() {
    let lab = Lab::both();
    let file = lab.dir.path().join("report.html");
    let command = ["report", "--json", "--out", file.to_str().unwrap()];
    let before = lab.run(&command).expect(0).json();
    lab.python(HANDS);
    let since = lab.mark();
    let after = lab.run(&command).expect(2).json();
    assert_eq!(lab.writes(since), Vec::<String>::new());

    let steps: BTreeSet<&str> = NAMED.map(|(step, ..)| step).into();
    let rows = after["drift"]["steps"].as_array().unwrap().iter();
    let differ: BTreeSet<&str> = rows
        .filter(|r| r["status"] != "in_sync")
        .map(|r| r["step"].as_str().unwrap())
        .collect();
    assert_eq!(differ, steps);
    assert_eq!(
        (&after["drift"]["unmanaged"], &after["drift"]["unlisted"]),
        (&json!([]), &json!([]))
    );
    let page = std::fs::read_to_string(&file).unwrap();
    let table = page
        .split("<h2>")
        .find(|part| part.starts_with("Differences"))
        .unwrap();
    for step in &steps {
        assert!(table.contains(&format!("<td>{step}</td>")), "{step}");
    }
    assert_eq!(table.matches("<tr><td class=\"v").count(), steps.len());
    let by = "changed by arn:aws:iam::123456789012:user/test at ";
    assert_eq!(table.matches(by).count(), steps.len(), "{table}");

    // The requirements contradict each, and no other step; what is made of many values follows.
    let [was, is] = [contradicted(&before), contradicted(&after)];
    let gone: Vec<_> = was.difference(&is).collect();
    assert!(
        gone.iter()
            .all(|(_, step, ..)| steps.contains(step.as_str())),
        "{gone:#?}"
    );
    let new: Vec<_> = is.difference(&was).collect();
    for (step, id, field) in NAMED {
        let found = new
            .iter()
            .any(|(i, s, f, _)| i == id && s == step && f == field);
        assert!(found, "{step} {field}: {new:#?}");
    }
    for (id, step, field, _) in &new {
        let whole = ["1.2.8", "11.5.2"].contains(&id.as_str()) && field == "summary";
        let silent = field == "SubscriptionArn";
        assert!(
            steps.contains(step.as_str()) || whole || silent,
            "{id} {step} {field}"
        );
    }
    let more = |key| {
        let (was, is) = (list(&before, key), list(&after, key));
        let text = |s: &&str| (*s).to_owned();
        is.difference(&was).map(text).collect::<Vec<_>>()
    };
    assert_eq!(more("silent"), ["alarm-lag-sync-green: it notifies nobody"]);
    assert_eq!(more("log_groups"), ["waf-logs-green"]);
    assert_eq!(after["paths"], before["paths"], "routes still close it");
    assert_eq!(after["inventory"], before["inventory"]);
    assert_eq!(after["support"], before["support"]);
}

/// During a run the report says that what it read was moving, and no difference is one.
#[test]
fn a_report_during_a_run_says_so() {
    let lab = Lab::both();
    let file = lab.dir.path().join("report.html");
    let command = ["report", "--json", "--out", file.to_str().unwrap()];
    lab.python("for env in ('blue', 'green'): c('logs').delete_retention_policy(logGroupName=f'aws-waf-logs-{env}-dev')");
    lab.faults(&json!({"hang_after": "every_new", "only": ["logs:PutRetentionPolicy"]}));
    let mut run = lab.spawn(&["apply", "--yes", "--parallelism", "1"]);
    let at_work = || {
        let fired = lab.control("GET", "faults", &json!({}));
        fired["fired"].as_array().is_some_and(|f| !f.is_empty())
    };
    until(|| lab.calls(0), at_work);
    let report = lab.run(&command).expect(4).json();
    run.kill();
    assert!(
        report["run"].as_str().unwrap().contains("apply"),
        "{report}"
    );
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.contains("what was read was moving"));
}

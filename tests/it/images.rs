//! A service whose image is not pushed yet: everything else is made, what to push is said, and the run after the push starts it.

use crate::support::lab::Lab;
use serde_json::{Value, json};

const APPLY: &[&str] = &["apply", "--env", "blue", "--yes"];
const TO_PUSH: &str = "task-payment-api-blue: push the image 123456789012.dkr.ecr.eu-central-1.amazonaws.com/repository-payment-api-shared-dev:1 and run `deployer apply`";
const ALARMS: [&str; 4] = ["errors", "guard-healthy", "latency", "tasks"];

/// What the account has of a service: the image of its task definition, its tasks, its scalable targets, and which of its alarms
/// call somebody.
const LOOK: &str = r#"
ecs, scaling, watch = map(c, "ecs application-autoscaling cloudwatch".split())
def look(name):
    service = ecs.describe_services(cluster="cluster-blue-dev", services=[f"service-{name}-blue-dev"])["services"][0]
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    id = f"service/cluster-blue-dev/service-{name}-blue-dev"
    targets = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[id])["ScalableTargets"]
    names = [f"alarm-{what}-{name}-blue-dev" for what in ALARMS]
    alarms = watch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    return {"image": definition["containerDefinitions"][0]["image"], "count": service["desiredCount"], "targets": len(targets), "actions": [a["ActionsEnabled"] for a in alarms]}
print(json.dumps([look("payment-api"), look("reporting")]))
"#;

/// Payment-api and, to compare, reporting.
fn look(lab: &Lab) -> [Value; 2] {
    let all = lab.python(&format!("ALARMS = {ALARMS:?}\n{LOOK}"));
    serde_json::from_str(&all).unwrap()
}

/// What the domain's health and the four alarms need comes with them; only what starts the tasks is counted here.
fn starts(lab: &Lab, since: u64) -> Vec<String> {
    let mut writes = lab.writes(since);
    writes.retain(|write| {
        let (service, operation) = write.split_once(':').unwrap();
        operation != "DeregisterTaskDefinition"
            && (["ecs", "application-autoscaling"].contains(&service)
                || operation == "PutMetricAlarm")
    });
    writes
}

#[test]
fn a_service_without_an_image_has_no_task_and_a_push_starts_it_once() {
    let lab = Lab::start();
    let ecr = |call: &str| {
        let of = "repositoryName='repository-payment-api-shared-dev'";
        lab.python(&format!("c('ecr').{call}, {of})"));
    };
    ecr("batch_delete_image(imageIds=[{'imageTag': '1'}]");
    let plan = lab.run(&["plan", "--env", "blue"]).expect(2).out;
    assert!(plan.contains(TO_PUSH), "{plan}");
    let done = lab.run(APPLY).expect(0).out;
    assert!(done.contains(TO_PUSH), "{done}");
    let status = lab.run(&["status"]).expect(0).out;
    assert!(status.contains(TO_PUSH), "{status}");
    let [waits, runs] = look(&lab);
    let none = json!({"count": 0, "targets": 0, "actions": [false, false, false, false]});
    for (key, value) in none.as_object().unwrap() {
        assert_eq!(&waits[key], value, "{key}");
        assert_ne!(&runs[key], value, "{key}");
    }
    assert!(!waits["image"].as_str().unwrap().contains('@'), "{waits}");

    ecr(
        "put_image(imageManifest=json.dumps({'mediaType': 'application/vnd.oci.image.manifest.v1+json'}), imageTag='1'",
    );
    let since = lab.mark();
    let done = lab.run(APPLY).expect(0).out;
    assert!(!done.contains("push the image"), "{done}");
    let [revision, count, range, policy, alarm] = [
        "ecs:RegisterTaskDefinition",
        "ecs:UpdateService",
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:PutScalingPolicy",
        "cloudwatch:PutMetricAlarm",
    ];
    // Those of the service, and the one of what no task answers.
    let in_order = [
        revision, count, range, policy, policy, alarm, alarm, alarm, alarm, alarm,
    ];
    assert_eq!(starts(&lab, since), in_order);
    let [mut started, mut other] = look(&lab);
    let by_digest = started["image"].take();
    let repository = "repository-payment-api-shared-dev@sha256:";
    assert!(
        by_digest.as_str().unwrap().contains(repository),
        "{by_digest}"
    );
    other["image"].take();
    assert_eq!(started, other);

    let since = lab.mark();
    lab.run(APPLY).expect(0);
    assert_eq!(lab.writes(since), Vec::<String>::new());
    lab.run(&["drift", "--env", "blue"]).expect(0);
}

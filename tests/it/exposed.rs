//! Who was let in: what others put into our containers is reported and left alone, a destroy names it before it deletes
//! anything, and a way in that a setting opened is closed.

use crate::support::lab::Lab;
use serde_json::Value;
use std::collections::BTreeSet;

const THEIRS: &str = r#"
ec2, kms, iam, rds, dns, ecs, logs = map(c, "ec2 kms iam rds route53 ecs logs".split())
def id(kind, name):
    wish = [{"Name": "tag:Name", "Values": [name]}]
    return next(v for v in getattr(ec2, kind)(Filters=wish).values() if isinstance(v, list))[0]
vpc = id("describe_vpcs", "vpc-green-dev")["VpcId"]
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.240.0/24")["Subnet"]["SubnetId"]
table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
group = ec2.create_security_group(GroupName="theirs", Description="theirs", VpcId=vpc)["GroupId"]
rds.create_db_instance(DBInstanceIdentifier="by-hand", DBClusterIdentifier="aurora-green-dev", Engine="aurora-postgresql", DBInstanceClass="db.r6g.large")
iam.create_instance_profile(InstanceProfileName="theirs")
iam.add_role_to_instance_profile(InstanceProfileName="theirs", RoleName="role-monitoring-green-dev")
key = [a["TargetKeyId"] for a in kms.list_aliases()["Aliases"] if a["AliasName"] == "alias/data-green-dev"][0]
kms.create_alias(AliasName="alias/theirs", TargetKeyId=key)
grant = kms.create_grant(KeyId=key, GranteePrincipal="arn:aws:iam::999999999999:root", Operations=["Decrypt"])["GrantId"]
# Somebody logs what passes through the network, and answers for a name in it.
network = id("describe_subnets", "subnet-app-a-green-dev")["SubnetId"]
logs.create_log_group(logGroupName="theirs")
told = [ec2.create_flow_logs(ResourceType=kind, ResourceIds=[of], TrafficType="ALL", LogGroupName="theirs", DeliverLogsPermissionArn=iam.get_role(RoleName="role-flow-logs-green-dev")["Role"]["Arn"])["FlowLogIds"][0] for kind, of in (("VPC", vpc), ("Subnet", network))]
zone = dns.create_hosted_zone(Name="rds.amazonaws.com", CallerReference="theirs", HostedZoneConfig={"PrivateZone": True}, VPC={"VPCRegion": "eu-central-1", "VPCId": vpc})["HostedZone"]["Id"].split("/")[-1]
task = ecs.describe_services(cluster="cluster-green-dev", services=["service-reporting-green-dev"])["services"][0]
ecs.create_service(cluster="cluster-green-dev", serviceName="theirs", taskDefinition=task["taskDefinition"], desiredCount=0, launchType="FARGATE", networkConfiguration=task["networkConfiguration"])
print(json.dumps([subnet, table, group, grant, *told, zone]))
"#;

const GONE: &str = r#"
ec2, iam, rds, dns, ecs, logs, kms = map(c, "ec2 iam rds route53 ecs logs kms".split())
kms.delete_alias(AliasName="alias/theirs")
subnet, table, group, _, *told, zone = json.loads(MADE)
ec2.delete_flow_logs(FlowLogIds=told); logs.delete_log_group(logGroupName="theirs"); dns.delete_hosted_zone(Id=zone)
ecs.delete_service(cluster="cluster-green-dev", service="theirs", force=True)
ec2.delete_subnet(SubnetId=subnet); ec2.delete_route_table(RouteTableId=table); ec2.delete_security_group(GroupId=group)
rds.delete_db_instance(DBInstanceIdentifier="by-hand", SkipFinalSnapshot=True)
iam.remove_role_from_instance_profile(InstanceProfileName="theirs", RoleName="role-monitoring-green-dev")
iam.delete_instance_profile(InstanceProfileName="theirs")
"#;

/// Step and path of everything that a drift tells.
fn reported(drift: &Value) -> BTreeSet<(String, String)> {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let rows = drift["steps"].as_array().unwrap().iter();
    rows.flat_map(|row| {
        assert_eq!(row.get("changes"), None, "{row}");
        let extra = row["unmanaged"].as_array().into_iter().flatten();
        extra.map(|c| (text(&row["step"]), text(&c["path"])))
    })
    .collect()
}

#[test]
fn members_of_our_containers_are_told_and_stay_and_what_lets_others_in_is_closed() {
    let lab = Lab::green();
    let made = lab.python(THEIRS);
    let ids: Vec<String> = serde_json::from_str(&made).unwrap();
    let [subnet, table, group, grant, flow_log, of_subnet, zone] = &ids[..] else {
        panic!("{made}");
    };
    let member = |step: &str, what: String| (step.to_owned(), format!("members[{what}]"));
    let members = BTreeSet::from([
        member("vpc-green", format!("subnet {subnet}")),
        member("vpc-green", format!("route table {table}")),
        member("vpc-green", format!("security group {group}")),
        member("vpc-green", format!("flow log {flow_log}")),
        member("vpc-green", format!("flow log {of_subnet}")),
        member(
            "vpc-green",
            format!("private zone rds.amazonaws.com ({zone})"),
        ),
        member("key-data-green", "alias/theirs".into()),
        member("cluster-green", "service theirs".into()),
        member("aurora-green", "instance by-hand".into()),
        member("role-monitoring-green", "instance profile theirs".into()),
    ]);
    let mut all = members.clone();
    all.insert(("key-data-green".into(), format!("exposed.grant/{grant}")));
    let drift = lab.run(&["drift", "--env", "green", "--json"]).expect(2);
    assert_eq!(reported(&drift.json()), all);

    // The grant is taken back; what others made is theirs.
    lab.run(&["apply", "--env", "green", "--yes"]).expect(0);
    let drift = lab.run(&["drift", "--env", "green", "--json"]).expect(2);
    assert_eq!(reported(&drift.json()), members);
    let plan = lab.run(&["plan", "--env", "green", "--json"]).expect(0);
    assert_eq!(plan.json()["summary"]["problems"].as_u64().unwrap_or(0), 0);

    // A destroy says before the first deletion what will stand in its way.
    let since = lab.mark();
    let destroy = lab.run(&["destroy", "--env", "green", "--dry-run", "--json"]);
    let notes = destroy.json()["notes"].to_string();
    for (step, path) in &members {
        let what = path.trim_start_matches("members[").trim_end_matches(']');
        assert!(
            notes.contains(&format!("`{step}` holds {what}")),
            "{what}: {notes}"
        );
    }
    assert_eq!(lab.writes(since), Vec::<String>::new());

    let gone = GONE.replace("MADE", &format!("{made:?}"));
    lab.python(&gone);
    lab.run(&["drift", "--env", "green"]).expect(0);
}

/// A mapping that calls a function of ours, and a schedule in a group of ours.
const CALLERS: &str = r#"
sqs, functions, scheduler = map(c, "sqs lambda scheduler".split())
sqs.create_queue(QueueName="theirs")
mapping = functions.create_event_source_mapping(EventSourceArn="arn:aws:sqs:eu-central-1:123456789012:theirs", FunctionName="function-sync-green-dev")["UUID"]
ours = scheduler.get_schedule(GroupName="migration-green-dev", Name="schedule-sync-green-dev")["Target"]
scheduler.create_schedule(GroupName="migration-green-dev", Name="theirs", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"}, Target={"Arn": ours["Arn"], "RoleArn": ours["RoleArn"]})
print(mapping)
"#;

#[test]
fn what_others_let_call_our_functions_is_told_and_stays() {
    let lab = Lab::both();
    let mapping = lab.python(CALLERS);
    let mapping = mapping.trim();
    let told = |step: &str, what: String| (step.to_owned(), format!("members[{what}]"));
    let members = BTreeSet::from([
        told(
            "function-sync-green",
            format!("mapping {mapping} of arn:aws:sqs:eu-central-1:123456789012:theirs"),
        ),
        told("migration-green", "schedule theirs".into()),
    ]);
    let drift = lab.run(&["drift", "--json"]).expect(2);
    assert_eq!(reported(&drift.json()), members);
    let since = lab.mark();
    lab.run(&["apply", "--yes"]).expect(0);
    assert_eq!(lab.writes(since), Vec::<String>::new());
}

//! What is not ours: things that only have our names are named and left alone; what others put into our things is
//! emptied (buckets) or named (network interfaces).

mod edge;

use crate::support::lab::{Lab, same};
use crate::support::places::{Place, in_both_places};
use serde_json::json;

const GREEN: &[&str] = &["apply", "--env", "green", "--yes"];
const DESTROY: &[&str] = &["destroy", "--yes", "--destroy-data"];

const FOREIGN: &str = include_str!("foreign/namesakes_of_green.py");

#[test]
fn foreign_things_with_our_names_are_named_and_nothing_is_written() {
    let lab = Lab::start();
    lab.python(FOREIGN);
    let (ids, inventory) = (lab.ids(), lab.inventory());
    let since = lab.mark();
    for command in [&["plan", "--env", "green"][..], GREEN] {
        let done = lab.run(command).expect(1);
        for name in [
            "vpc-green-dev",
            "transaction-logs-green-dev",
            "role-flow-logs-green-dev",
            "sessions-green-dev",
            "flow-logs-green-dev",
            "alias/data-green-dev",
        ] {
            let reported = done.out.clone() + &done.err;
            assert!(
                reported.contains(&format!("`{name}`")),
                "{name}: {reported}"
            );
        }
        assert!((done.out + &done.err).contains("hint:"));
        assert_eq!(lab.writes(since), Vec::<String>::new(), "{command:?}");
    }
    lab.run(&["apply", "--env", "blue", "--yes"]).expect(0);
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.ids(), ids, "the foreign things are still there");
    same(&lab.inventory(), &inventory);
}

#[test]
fn a_bucket_of_another_account_is_a_clear_error_and_is_left_alone() {
    let lab = Lab::start();
    let empty = lab.ids();
    lab.python(
        r#"
keys = c("sts").assume_role(RoleArn="arn:aws:iam::111122223333:role/other", RoleSessionName="someone")["Credentials"]
other = boto3.client("s3", endpoint_url=c("s3").meta.endpoint_url, region_name="eu-central-1", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
other.create_bucket(Bucket="compliance-docs-green-dev", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
"#,
    );
    let done = lab.run(GREEN).expect(1);
    let reported = done.out + &done.err;
    assert!(reported.contains("compliance-docs-green-dev"), "{reported}");
    assert!(reported.contains("hint:"), "{reported}");
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.ids(), empty);
}

#[test]
fn full_buckets_are_emptied_and_a_held_subnet_names_its_holder() {
    let lab = Lab::green();
    let config = "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 20\napi_limits = 1000\nin_use_timeout_seconds = 3\n";
    std::fs::write(lab.dir.path().join("deployer.toml"), config).unwrap();
    let empty = &Lab::clean_green().empty;
    let interface = lab.python(
        r#"
from concurrent.futures import ThreadPoolExecutor
s3, bucket = c("s3"), "transaction-logs-green-dev"
keys = [f"day/{n:04}" for n in range(600)]
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=b"x"), keys))
s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
for key in ("live", "a&b<c>'\"", "a b+c%41", "carriage\rreturn", "\x01control", "é/😀", "  "):
    for _ in range(2):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
s3.delete_object(Bucket=bucket, Key="\x01control")
for key in ("unfinished", "un finished+é"):
    s3.create_multipart_upload(Bucket=bucket, Key=key)
ec2 = c("ec2")
name = lambda value: [{"Name": "tag:Name", "Values": [value]}]
subnet = ec2.describe_subnets(Filters=name("subnet-app-a-green-dev"))["Subnets"][0]["SubnetId"]
group = ec2.describe_security_groups(Filters=name("security-group-reporting-green-dev"))["SecurityGroups"][0]["GroupId"]
print(ec2.create_network_interface(SubnetId=subnet, Groups=[group])["NetworkInterface"]["NetworkInterfaceId"])
"#,
    );
    let interface = interface.trim();
    let done = lab.run(DESTROY).expect(1);
    for step in ["subnet-app-a-green", "security-group-reporting-green"] {
        let named = done
            .err
            .lines()
            .any(|l| l.contains(step) && l.contains(interface));
        assert!(named, "{step} is held by {interface}: {}", done.err);
    }
    let ids = lab.ids();
    assert!(!ids.contains("transaction-logs-green-dev"), "{ids}");
    lab.python(&format!(
        "c('ec2').delete_network_interface(NetworkInterfaceId={})",
        json!(interface)
    ));
    lab.run(DESTROY).expect(0);
    assert_eq!(&lab.ids(), empty);
}

/// Things that only have our names, and things of another deployment; prints their ids.
const NAMESAKES: &str = include_str!("foreign/namesakes.py");

#[test]
fn no_command_touches_what_only_has_our_names() {
    let lab = Lab::green();
    let foreign: Vec<String> = serde_json::from_str(&lab.python(NAMESAKES)).unwrap();
    let there = lab.ids();
    assert!(!foreign.is_empty() && foreign.iter().all(|id| there.contains(id.as_str())));
    let since = lab.mark();
    lab.run(&["drift", "--env", "green", "--json"]).expect(0);
    lab.run(&["plan", "--env", "green", "--json"]).expect(0);
    lab.run(GREEN).expect(0);
    lab.run(&["state", "rebuild", "--yes"]).expect(0);
    std::fs::remove_file(lab.dir.path().join("state/dev.json")).unwrap();
    lab.run(GREEN).expect(0);
    lab.run(&["drift", "--env", "green", "--json"]).expect(0);
    assert_eq!(lab.writes(since), Vec::<String>::new());
    lab.run(DESTROY).expect(0);
    let ids = lab.ids();
    for id in &foreign {
        assert!(ids.contains(id.as_str()), "{id}: {ids}");
    }
    let after = lab.inventory();
    const RESET: &str = "import urllib.request as u\nu.urlopen(u.Request(c('ec2').meta.endpoint_url + '/moto-api/reset', method='POST'))";
    lab.python(RESET);
    lab.python(NAMESAKES);
    same(&lab.inventory(), &after);
}

in_both_places! {
    an_open_intent, with_files_what_an_open_intent_finds_without_our_mark_is_foreign, in_a_bucket_what_an_open_intent_finds_without_our_mark_is_foreign;
}

/// An open intent says that something of ours may be there, not that whatever has its name is ours.
fn an_open_intent(place: Place) {
    let lab = place.of(Lab::start());
    let empty = lab.ids();
    lab.faults(&json!({"hang_after": 1, "only": ["logs:CreateLogGroup"]}));
    // One call at a time: no second group is made and recorded before the process is killed.
    let one = [GREEN, &["--parallelism", "1"]].concat();
    assert!(lab.killed_when("hang_after", &one).is_none());
    lab.faults(&json!({}));
    let made = lab.python(
        r#"
logs = c("logs")
names = [g["logGroupName"] for g in logs.describe_log_groups()["logGroups"]]
for name in names:
    logs.delete_log_group(logGroupName=name)
    logs.create_log_group(logGroupName=name)
print(json.dumps(names))
"#,
    );
    let names: Vec<String> = serde_json::from_str(&made).unwrap();
    assert!(!names.is_empty());
    let done = lab.run(GREEN).expect(1);
    let reported = done.out + &done.err;
    for name in &names {
        assert!(
            reported.contains(&format!("`{name}`")),
            "{name}: {reported}"
        );
    }
    lab.run(DESTROY).expect(0);
    for name in &names {
        assert!(lab.ids().contains(name.as_str()), "{name}");
        lab.python(&format!(
            "c('logs').delete_log_group(logGroupName={})",
            json!(name)
        ));
    }
    assert_eq!(lab.ids(), empty);
}

#[test]
fn who_has_taken_a_private_name_or_a_block_of_ours_is_named() {
    let lab = Lab::green();
    let theirs = lab.python(
        r#"
ec2 = c("ec2")
ours = ec2.describe_vpc_endpoints(Filters=[{"Name": "tag:Name", "Values": ["vpce-ssm-green-dev"]}])["VpcEndpoints"][0]
ec2.delete_vpc_endpoints(VpcEndpointIds=[ours["VpcEndpointId"]])
endpoint = ec2.create_vpc_endpoint(VpcEndpointType="Interface", VpcId=ours["VpcId"], ServiceName=ours["ServiceName"], SubnetIds=ours["SubnetIds"][:1], PrivateDnsEnabled=True)["VpcEndpoint"]["VpcEndpointId"]
named = lambda name: [{"Name": "tag:Name", "Values": [name]}]
subnet = ec2.describe_subnets(Filters=named("subnet-public-a-green-dev"))["Subnets"][0]
elb = c("elbv2")
balancer = elb.describe_load_balancers(Names=["alb-green-dev"])["LoadBalancers"][0]
others = [zone["SubnetId"] for zone in balancer["AvailabilityZones"] if zone["SubnetId"] != subnet["SubnetId"]]
elb.set_subnets(LoadBalancerArn=balancer["LoadBalancerArn"], Subnets=others)
ec2.delete_subnet(SubnetId=subnet["SubnetId"])
block = ec2.create_subnet(VpcId=ours["VpcId"], CidrBlock=subnet["CidrBlock"])["Subnet"]["SubnetId"]
print(json.dumps([endpoint, block]))
"#,
    );
    let theirs: Vec<String> = serde_json::from_str(&theirs).unwrap();
    let done = lab.run(GREEN).expect(1);
    let steps = ["vpce-ssm-green", "subnet-public-a-green"];
    for (step, id) in steps.iter().zip(&theirs) {
        let named = done.err.lines().any(|l| l.contains(step) && l.contains(id));
        assert!(named, "{step}, {id}: {}", done.err);
        assert!(lab.ids().contains(id));
    }
    lab.python(&format!(
        "ec2 = c('ec2')\nendpoint, block = {}\nec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])\nec2.delete_subnet(SubnetId=block)",
        json!(theirs)
    ));
    lab.run(GREEN).expect(0);
}

/// The state is lost while things that somebody deleted are still on their way out: their places are free soon.
#[test]
fn what_is_still_being_deleted_is_waited_for_without_a_state_too() {
    let lab = Lab::green();
    lab.control("POST", "latency", &json!({"latency": "aws/20"}));
    lab.python(
        r#"
ec2 = c("ec2")
wish = lambda name: [{"Name": "tag:Name", "Values": [name]}]
for name in ("vpce-ssm-green-dev", "vpce-kms-green-dev"):
    ec2.delete_vpc_endpoints(VpcEndpointIds=[ec2.describe_vpc_endpoints(Filters=wish(name))["VpcEndpoints"][0]["VpcEndpointId"]])
found = ec2.describe_transit_gateway_vpc_attachments()["TransitGatewayVpcAttachments"]
ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=found[0]["TransitGatewayAttachmentId"])
"#,
    );
    std::fs::remove_file(lab.dir.path().join("state/dev.json")).unwrap();
    lab.run(GREEN).expect(0);
    lab.run(&["drift", "--env", "green", "--json"]).expect(0);
}

/// A network that joins one of our Transit Gateway tables can reach what the table leads to.
/// As it should be, or to be made when blue is there.
fn settled(row: &serde_json::Value) -> bool {
    row["status"] == "in_sync" || row["status"] == "waiting"
}

#[test]
fn who_joins_our_route_tables_shows_and_is_parted_from_them() {
    let lab = Lab::green();
    let joined = lab.python(
        r#"
ec2 = c("ec2")
def one(call, key, name): return next(v for v in getattr(ec2, call)(Filters=[{"Name": "tag:Name", "Values": [name]}]).values() if isinstance(v, list))[0][key]
gateway = one("describe_transit_gateways", "TransitGatewayId", "tgw-shared-dev")
blue, green = (one("describe_transit_gateway_route_tables", "TransitGatewayRouteTableId", f"tgw-rt-{env}-shared-dev") for env in ("blue", "green"))
vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.99.0.0/24")["Subnet"]["SubnetId"]
theirs = ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet])["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
ec2.associate_transit_gateway_route_table(TransitGatewayRouteTableId=green, TransitGatewayAttachmentId=theirs)
print(theirs)
"#,
    );
    let theirs = joined.trim();
    let drift = lab
        .run(&["drift", "--env", "green", "--json"])
        .expect(2)
        .json();
    let rows = drift["steps"].as_array().unwrap().iter();
    let odd: Vec<_> = rows.filter(|r| !settled(r)).collect();
    assert_eq!(odd.len(), 2, "{odd:#?}");
    assert_eq!(odd[0]["step"], "tgw-shared");
    let member = json!(format!("members[attachment {theirs}]"));
    assert_eq!(odd[0]["unmanaged"][0]["path"], member);
    assert_eq!(odd[1]["step"], "tgw-assoc-green");
    let path = json!(format!("others[{theirs}]"));
    assert_eq!(odd[1]["unmanaged"][0]["path"], path);
    lab.run(GREEN).expect(0);
    // It is parted from the table; that it hangs on our gateway stays to be seen.
    let only_a_member = || {
        let drift = lab.run(&["drift", "--env", "green", "--json"]).expect(2);
        let drift = drift.json();
        let rows = drift["steps"].as_array().unwrap().iter();
        let odd: Vec<_> = rows.filter(|r| !settled(r)).collect();
        assert_eq!(odd.len(), 1, "{odd:#?}");
        assert_eq!(odd[0]["unmanaged"][0]["path"], member);
    };
    only_a_member();
    assert!(lab.ids().contains(theirs), "their attachment stays");

    // Ours was moved to the other table.
    lab.python(
        r#"
ec2 = c("ec2")
def one(call, key, name): return next(v for v in getattr(ec2, call)(Filters=[{"Name": "tag:Name", "Values": [name]}]).values() if isinstance(v, list))[0][key]
blue, green = (one("describe_transit_gateway_route_tables", "TransitGatewayRouteTableId", f"tgw-rt-{env}-shared-dev") for env in ("blue", "green"))
ours = one("describe_transit_gateway_vpc_attachments", "TransitGatewayAttachmentId", "tgw-attach-green-dev")
ec2.disassociate_transit_gateway_route_table(TransitGatewayRouteTableId=green, TransitGatewayAttachmentId=ours)
ec2.associate_transit_gateway_route_table(TransitGatewayRouteTableId=blue, TransitGatewayAttachmentId=ours)
"#,
    );
    lab.run(GREEN).expect(0);
    only_a_member();
}

/// A region has one recorder. One that is not ours is used, and neither changed nor deleted; nothing is made for it.
#[test]
fn a_recorder_of_the_account_is_used_and_left_alone() {
    let lab = Lab::start();
    lab.python(
        r#"
config, iam = c("config"), c("iam")
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
role = iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": {"allSupported": True}})
"#,
    );
    let (ids, inventory) = (lab.ids(), lab.inventory());
    lab.run(&["apply", "--yes", "--step", "rule-*-shared"])
        .expect(0);
    let made = lab.python(
        "config = c('config')
rules = config.describe_config_rules()['ConfigRules']
print(json.dumps([len(rules), [r['name'] for r in config.describe_configuration_recorders()['ConfigurationRecorders']]]))",
    );
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let recorded = lab.run(&["state", "list", "--json"]).expect(0).json();
    let recorded = recorded["steps"].as_array().unwrap().iter();
    let rules = recorded.filter(|s| s["kind"] == "config/rule").count();
    assert!(rules > 0);
    assert_eq!(made, json!([rules, ["default"]]));
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.ids(), ids);
    same(&lab.inventory(), &inventory);
}

/// With our name and without our mark it is theirs, and so is the channel that it delivers to, which has no tags to say so.
#[test]
fn a_recorder_with_our_name_alone_keeps_its_channel() {
    let lab = Lab::start();
    lab.python(
        r#"
config, iam, s3 = c("config"), c("iam"), c("s3")
service = {"Service": "config.amazonaws.com"}
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}]}
role = iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
s3.create_bucket(Bucket="theirs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": service, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::theirs/*"}]}
s3.put_bucket_policy(Bucket="theirs", Policy=json.dumps(policy))
config.put_configuration_recorder(ConfigurationRecorder={"name": "recorder-shared-dev", "roleARN": role, "recordingGroup": {"allSupported": True}})
config.put_delivery_channel(DeliveryChannel={"name": "channel-shared-dev", "s3BucketName": "theirs"})
"#,
    );
    let inventory = lab.inventory();
    let since = lab.mark();
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.writes(since), Vec::<String>::new());
    same(&lab.inventory(), &inventory);
}

//! What is not ours: things that only have our names are named and left alone; what others put into our things is
//! emptied (buckets) or named (network interfaces).

use crate::support::lab::Lab;
use serde_json::json;

const GREEN: &[&str] = &["apply", "--env", "green", "--yes"];
const DESTROY: &[&str] = &["destroy", "--yes"];

const FOREIGN: &str = r#"
place = {"LocationConstraint": "eu-central-1"}
c("ec2").create_vpc(CidrBlock="10.99.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "vpc-green-dev"}]}])
c("s3").create_bucket(Bucket="transaction-logs-green-dev", CreateBucketConfiguration=place)
c("s3").put_object(Bucket="transaction-logs-green-dev", Key="theirs", Body=b"1")
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
c("iam").create_role(RoleName="role-flow-logs-green-dev", AssumeRolePolicyDocument=json.dumps(trust))
c("dynamodb").create_table(TableName="sessions-green-dev", KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}], AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
c("logs").create_log_group(logGroupName="flow-logs-green-dev")
"#;

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
        ] {
            let told = done.out.clone() + &done.err;
            assert!(told.contains(&format!("`{name}`")), "{name}: {told}");
        }
        assert!((done.out + &done.err).contains("hint:"));
        assert_eq!(lab.writes(since), Vec::<String>::new(), "{command:?}");
    }
    lab.run(&["apply", "--env", "blue", "--yes"]).expect(0);
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.ids(), ids, "the foreign things are still there");
    assert_eq!(lab.inventory(), inventory, "and as they were");
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
    let told = done.out + &done.err;
    assert!(told.contains("compliance-docs-green-dev"), "{told}");
    assert!(told.contains("hint:"), "{told}");
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.ids(), empty);
}

/// An alias belongs to its key, so it is looked at when the key is there.
#[test]
fn a_foreign_alias_is_named_and_stays_where_it_points() {
    let lab = Lab::start();
    lab.python(
        r#"
key = c("kms").create_key()["KeyMetadata"]["KeyId"]
c("kms").create_alias(AliasName="alias/data-green-dev", TargetKeyId=key)
"#,
    );
    let (ids, inventory) = (lab.ids(), lab.inventory());
    let done = lab.run(GREEN).expect(1);
    let told = done.out + &done.err;
    assert!(told.contains("`alias/data-green-dev` exists"), "{told}");
    assert!(told.contains("hint:"), "{told}");
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.ids(), ids);
    assert_eq!(lab.inventory(), inventory);
}

#[test]
fn full_buckets_are_emptied_and_a_held_subnet_names_its_holder() {
    let lab = Lab::start();
    let config = "[run]\npatience_seconds = 3\ncall_timeout_seconds = 20\nheld_seconds = 3\n";
    std::fs::write(lab.dir.path().join("deployer.toml"), config).unwrap();
    let empty = lab.ids();
    lab.run(GREEN).expect(0);
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
    assert_eq!(lab.ids(), empty);
}

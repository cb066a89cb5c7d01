//! Call budgets, counted by the sandbox, and that no secret is written anywhere.

use crate::support::again::one_of_some;
use crate::support::lab::Lab;
use serde_json::Value;
use std::collections::BTreeMap;

/// How many steps there are of each kind.
type Kinds = BTreeMap<String, usize>;

/// How often a read of everything may call an operation: once, unless the operation shows one thing only.
fn most(kinds: &Kinds, service: &str, operation: &str) -> usize {
    let of = |kind: &str| kinds.get(kind).copied().unwrap_or_default();
    match (service, operation) {
        ("s3", "ListBuckets")
        | ("kms", "ListKeys" | "ListAliases")
        | ("iam", "GetAccountAuthorizationDetails")
        | ("sns", "ListTopics")
        | ("ecs", "ListClusters" | "ListTaskDefinitionFamilies")
        | ("sqs", "ListQueues")
        | ("scheduler", "ListScheduleGroups")
        | ("secretsmanager", "ListSecrets")
        | ("dynamodb", "ListTables") => 1,
        ("s3", _) => of("s3/bucket"),
        ("kms", _) => of("kms/key"),
        // The search takes what the refresh has listed.
        ("iam", "ListRoles") => 1,
        ("iam", _) => 0,
        ("elbv2", "DescribeLoadBalancerAttributes" | "DescribeListeners") => {
            of("elbv2/load_balancer")
        }
        ("elbv2", "DescribeTargetGroupAttributes") => of("elbv2/target_group"),
        // Of groups whose targets are ours to register, and of those of tasks, who else is in them.
        ("elbv2", "DescribeTargetHealth") => of("elbv2/targets") + of("ecs/service"),
        (
            "elbv2",
            "DescribeListenerAttributes" | "DescribeListenerCertificates" | "DescribeRules",
        ) => of("elbv2/listener"),
        // Twenty at a time: what is recorded, then what the listeners and rules of a parent turned out to be.
        ("elbv2", "DescribeTags") => {
            let parts = of("elbv2/listener") + of("elbv2/rule");
            let all = of("elbv2/load_balancer") + of("elbv2/target_group") + parts;
            // What was applied with other zones or instances: one more where a batch is just full.
            all / 20 + 1 + parts / 20 + 2
        }
        ("wafv2", "GetWebACL" | "GetWebACLForResource") => of("wafv2/web_acl"),
        ("wafv2", "GetIPSet") => of("wafv2/ip_set"),
        ("wafv2", "ListTagsForResource") => of("wafv2/web_acl") + of("wafv2/ip_set"),
        // Once more for a zone of its own: whether its domain is delegated.
        ("acm", "ListTagsForCertificate") => of("acm/certificate"),
        ("acm", _) => 1 + of("acm/certificate"),
        // Of what is recorded, and of what the certificate asks for.
        ("route53", "ListResourceRecordSets") => 2,
        // Those that are tied to a VPC.
        ("route53", "ListHostedZonesByVPC") => of("ec2/vpc"),
        // By what is recorded, and the search beside it.
        ("route53", "ListHealthChecks") => 2,
        // Ten at a time.
        ("route53", "ListTagsForResources") => of("route53/health_check").div_ceil(10),
        // The policy of the table and the one of its stream.
        ("dynamodb", "GetResourcePolicy") => 2 * of("dynamodb/table"),
        ("dynamodb", _) => of("dynamodb/table"),
        ("logs", _) => of("logs/log_group"),
        ("sns", _) => of("sns/topic"),
        ("ssm", "GetParameters") => of("ssm/parameter").div_ceil(10),
        // By name, and for the search.
        ("ssm", "DescribeParameters") => 2,
        ("ssm", "ListTagsForResource") => of("ssm/parameter"),
        ("ecr", "DescribeRepositories") => 1,
        ("ecr", _) => of("ecr/repository"),
        ("ecs", "DescribeTaskDefinition") => of("ecs/task_definition"),
        ("ecs", "DescribeServices" | "ListServices") => of("ecs/cluster"),
        ("sqs", _) => of("sqs/queue"),
        // For the refresh a hundred names at once; for the searches of both kinds a page.
        ("cloudwatch", "DescribeAlarms") => {
            let alarms = of("cloudwatch/alarm") + of("cloudwatch/composite_alarm");
            2 * alarms.div_ceil(100)
        }
        ("cloudwatch", "ListTagsForResource") => {
            of("cloudwatch/alarm") + of("cloudwatch/composite_alarm")
        }
        ("cloudwatch", "ListDashboards") => 1,
        ("cloudwatch", _) => of("cloudwatch/dashboard"),
        // Whose recorder it is, then the refresh and the search.
        ("config", "DescribeConfigurationRecorders") => 3,
        ("config", "DescribeConfigurationRecorderStatus" | "DescribeDeliveryChannels") => 2,
        // Pages of 25.
        ("config", "DescribeConfigRules") => of("config/rule").div_ceil(25),
        ("events", "ListRules") => 1,
        ("events", _) => of("events/rule"),
        // What is tagged as ours, a hundred a page.
        ("resourcegroupstaggingapi", _) => kinds.values().sum::<usize>().div_ceil(100),
        ("config", _) => of("config/rule") + of("config/recorder"),
        ("lambda", "ListFunctions") => 1,
        // For the refresh and for the search.
        ("lambda", "ListEventSourceMappings") => 2,
        ("lambda", "ListTags") => of("lambda/stream_mapping"),
        ("lambda", _) => of("lambda/function"),
        ("scheduler", "GetSchedule") => of("scheduler/schedule"),
        ("scheduler", _) => of("scheduler/group"),
        ("secretsmanager", _) => of("secretsmanager/rotation") + of("secretsmanager/secret"),
        ("rds", "DescribeDBClusterParameters") => of("rds/cluster_parameter_group"),
        ("rds", "DescribeDBParameters") => of("rds/parameter_group"),
        ("rds", "ListTagsForResource") => {
            of("rds/subnet_group")
                + of("rds/cluster_parameter_group")
                + of("rds/parameter_group")
                + of("rds/event_subscription")
        }
        // With whom the automated snapshots are shared.
        ("rds", "DescribeDBClusterSnapshotAttributes") => of("rds/cluster"),
        // What is in the VPCs and on the gateway is asked for by them, beside what is recorded by its id.
        (
            "ec2",
            "DescribeSubnets"
            | "DescribeSecurityGroups"
            | "DescribeNetworkAcls"
            | "DescribeRouteTables"
            | "DescribeInternetGateways"
            | "DescribeVpcEndpoints"
            | "DescribeTransitGatewayVpcAttachments"
            | "DescribeTransitGatewayAttachments"
            | "DescribeTransitGatewayRouteTables"
            // And the interfaces of the bridge's endpoints.
            | "DescribeNetworkInterfaces",
        ) => 2,
        ("ec2", "DescribeVpcEndpointServicePermissions") => of("ec2/endpoint_service"),
        (
            "ec2",
            "DescribeNatGateways" | "DescribeVpcPeeringConnections" | "DescribeDhcpOptions",
        ) => of("ec2/vpc"),
        // By what is recorded, and by the cluster whose members they are.
        ("rds", "DescribeDBInstances") => 2,
        // With whom those of somebody are shared, and the search for those that were kept, which may come late on a busy machine.
        ("rds", "DescribeDBClusterSnapshots") => 2,
        // The zone of the domain, those that this deployment has made, and where each zone begins.
        ("route53", "ListHostedZones") => 3,
        // DNS support and DNS host names.
        ("ec2", "DescribeVpcAttribute") => 2 * of("ec2/vpc"),
        ("ec2", "GetTransitGatewayRouteTablePropagations" | "SearchTransitGatewayRoutes") => {
            of("ec2/transit_gateway_route_table")
        }
        _ => 1,
    }
}

/// Calls by service and operation.
type Reads = BTreeMap<(String, String), usize>;

/// The reads since a call.
fn reads(lab: &Lab, since: u64) -> Reads {
    let mut all = BTreeMap::new();
    for call in lab.calls(since).iter().filter(|c| c["write"] == false) {
        let text = |key: &str| call[key].as_str().unwrap().to_owned();
        *all.entry((text("service"), text("operation"))).or_default() += 1;
    }
    all
}

/// A region in which the sandbox has more than three zones.
const REGION: &str = "--region=us-east-1";

/// What `plan` reads once more: its preflight compares with quotas.
const TWICE: [&str; 5] = [
    "DescribeVpcs",
    "DescribeTransitGateways",
    "DescribeVpcEndpoints",
    "DescribeDBClusters",
    "DescribeDBInstances",
];

/// Runs `drift` and `plan`: neither calls an operation more often than it may.
fn within_budget(lab: &Lab) {
    let graph = lab
        .run(&["graph", "--format", "json", REGION])
        .expect(0)
        .json();
    let mut kinds = Kinds::new();
    for step in graph["steps"].as_array().unwrap() {
        *kinds
            .entry(step["kind"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    for command in ["drift", "plan"] {
        one_of_some(|| {
            let since = lab.mark();
            lab.run(&[command, "--json", REGION]).expect(0);
            let all = reads(lab, since);
            assert!(!all.is_empty());
            let beyond = beyond(&kinds, command, all);
            if beyond.is_empty() {
                Ok(())
            } else {
                Err(format!("{command}: {}", beyond.join("; ")))
            }
        });
    }
}

/// What was read more often than it may be.
fn beyond(kinds: &Kinds, command: &str, all: Reads) -> Vec<String> {
    let mut found = Vec::new();
    for ((service, operation), count) in all {
        // Health checks are asked for ten at a time; the zone of its own and its certificate before the look begins.
        let tags = operation.starts_with("ListTags") || operation.contains("Tagging");
        if tags && service != "route53" && service != "acm" {
            found.push(format!(
                "tags come by the sweep, not by {service}:{operation}"
            ));
        }
        let again = command == "plan" && TWICE.contains(&operation.as_str());
        let most = most(kinds, &service, &operation) + usize::from(again);
        // Quotas are listed page by page.
        if count > most && service != "service-quotas" {
            found.push(format!(
                "{service}:{operation} was called {count} times, {most} are enough"
            ));
        }
    }
    found
}

/// The reads of a drift, and the steps that it looks at, when they are within 0.75 a step and this bound.
fn fewest(lab: &Lab, bound: usize) -> (usize, usize) {
    // A zone of its own: itself and its tags, and whether its domain is delegated.
    const ZONE: f64 = 5.0;
    one_of_some(|| {
        let drift = lab.run(&["drift", "--json", REGION]).expect(0).json();
        let steps = drift["steps"].as_array().unwrap().len();
        let reads = drift["calls"]["reads"].as_u64().unwrap() as usize;
        if reads <= bound && reads as f64 <= 0.75 * steps as f64 + ZONE {
            Ok((reads, steps))
        } else {
            Err(format!(
                "{reads} reads of {steps} steps; at most {bound} reads"
            ))
        }
    })
}

#[test]
fn a_look_at_everything_calls_each_operation_once_or_once_for_each_thing_it_tells_of() {
    let lab = Lab::start();
    // A call that a busy machine answers late must not be sent again: it would count twice.
    let configure = |more: &str| {
        let text = format!(
            "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 120\napi_limits = 1000\n{more}"
        );
        std::fs::write(lab.dir.path().join("deployer.toml"), text).unwrap();
    };
    const ZONE: &str = "[routing]\ncreate_zone = true\ndomain = \"pay.sandbox.example\"\n";
    configure(ZONE);
    a_zone_is_made_and_waits_for_its_delegation(&lab);
    let since = lab.mark();
    lab.run(&["apply", "--yes", REGION]).expect(0);
    assert_eq!(lab.writes(since), Vec::<String>::new(), "second apply");
    within_budget(&lab);
    let (reads, steps) = fewest(&lab, usize::MAX);
    configure(&format!(
        "{ZONE}[network]\nzones = 4\n[database]\ninstances = 6\n"
    ));
    lab.run(&["apply", "--yes", REGION]).expect(0);
    within_budget(&lab);
    // A page more at most.
    let (_, more_steps) = fewest(&lab, reads + 1);
    assert!(more_steps > steps, "{more_steps} steps, {steps}");
}

/// Much that others add to what one call shows together: it is no reason for more calls.
const MANY: &str = r#"
ec2, elb, ssm, watch, dns = map(c, "ec2 elbv2 ssm cloudwatch route53".split())
def named(things): return [t for t in things if {"Key": "Name", "Value": NAME} in t["Tags"]][0]
NAME = "security-group-alb-green-dev"
group = named(ec2.describe_security_groups()["SecurityGroups"])["GroupId"]
ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 7000 + n, "ToPort": 7000 + n, "IpRanges": [{"CidrIp": "203.0.113.0/24"}]} for n in range(30)])
NAME = "rtb-public-green-dev"
table = named(ec2.describe_route_tables()["RouteTables"])
gateway = [r["GatewayId"] for r in table["Routes"] if r.get("GatewayId", "").startswith("igw-")][0]
for n in range(20):
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=f"198.51.100.{n}/32", GatewayId=gateway)
for n in range(30):
    ssm.put_parameter(Name=f"/payment-processing/green-dev/reporting/THEIRS_{n}", Value="x", Type="String")
    watch.put_metric_alarm(AlarmName=f"theirs-{n}", MetricName="x", Namespace="theirs", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1.0, ComparisonOperator="GreaterThanThreshold")
zone = dns.list_hosted_zones()["HostedZones"][0]["Id"]
sets = [{"Name": f"theirs-{n}.dev.sandbox.example", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]} for n in range(60)]
dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": s} for s in sets]})
groups = elb.describe_target_groups()["TargetGroups"]
bridge = [g["TargetGroupArn"] for g in groups if (g["TargetType"], g["Port"]) == ("ip", 443) and "green" in g["TargetGroupName"]][0]
elb.register_targets(TargetGroupArn=bridge, Targets=[{"Id": f"10.20.64.{n}"} for n in range(100, 120)])
"#;

#[test]
fn a_look_does_not_grow_with_rules_routes_parameters_alarms_records_or_targets() {
    let lab = Lab::both();
    // Who did it is asked of CloudTrail, and no part of the look.
    let look = |exit: i32| {
        let since = lab.mark();
        lab.run(&["drift"]).expect(exit);
        let mut all = reads(&lab, since);
        all.retain(|(service, _), _| service != "cloudtrail");
        all
    };
    let before = look(0);
    lab.python(MANY);
    one_of_some(|| {
        let more = grown(&before, look(2));
        if more.is_empty() { Ok(()) } else { Err(more) }
    });
}

/// Which reads are more than before, in words.
fn grown(before: &Reads, after: Reads) -> String {
    let more = after.into_iter().filter_map(|(operation, count)| {
        let once = before.get(&operation).copied().unwrap_or_default();
        let (service, name) = &operation;
        (count > once).then(|| format!("{service}:{name}: {count} times, {once} are enough"))
    });
    more.collect::<Vec<_>>().join("; ")
}

#[test]
fn destroy_reads_tags_as_often_as_apply_does_although_it_lists_what_is_marked_too() {
    let lab = Lab::both();
    let tags = |command: &[&str], exit: i32| {
        let since = lab.mark();
        lab.run(command).expect(exit);
        let mut all = reads(&lab, since);
        // Those that are asked for one thing at a time.
        all.retain(|(_, o), _| o.contains("Tag") && !o.starts_with("Describe"));
        all
    };
    let apply = tags(&["apply", "--yes"], 0);
    assert!(apply.values().sum::<usize>() > 100, "{apply:?}");
    one_of_some(|| {
        let more = grown(&apply, tags(&["destroy", "--dry-run"], 2));
        if more.is_empty() { Ok(()) } else { Err(more) }
    });
}

/// A first `apply` with a zone of its own makes what needs no certificate, and ends with 7; delegated, it goes on. What is changed on
/// the zone by hand is named, and repaired.
fn a_zone_is_made_and_waits_for_its_delegation(lab: &Lab) {
    let first = lab
        .run(&["apply", "--yes", "--json", REGION])
        .expect(7)
        .json();
    let attention = first["attention"].to_string();
    assert!(attention.contains("pay.sandbox.example is not delegated yet"));
    let delegate = "r = c('route53')
zones = {z['Name']: z['Id'] for z in r.list_hosted_zones()['HostedZones']}
servers = r.get_hosted_zone(Id=zones['pay.sandbox.example.'])['DelegationSet']['NameServers']
record = {'Name': 'pay.sandbox.example', 'Type': 'NS', 'TTL': 300, 'ResourceRecords': [{'Value': s} for s in servers]}
r.change_resource_record_sets(HostedZoneId=zones['sandbox.example.'], ChangeBatch={'Changes': [{'Action': 'CREATE', 'ResourceRecordSet': record}]})";
    lab.python(delegate);
    lab.run(&["apply", "--yes", REGION]).expect(0);
    lab.python(
        "r = c('route53')
zone = [z['Id'] for z in r.list_hosted_zones()['HostedZones'] if z['Name'] == 'pay.sandbox.example.'][0]
r.update_hosted_zone_comment(Id=zone, Comment='mine')",
    );
    let drift = lab.run(&["drift", "--json", REGION]).expect(2).json();
    let rows = drift["steps"].as_array().unwrap().iter();
    let rows: Vec<&Value> = rows.filter(|r| r["status"] != "in_sync").collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["kind"], "route53/zone");
    assert_eq!(rows[0]["changes"][0]["path"], "comment");
    lab.run(&["apply", "--yes", REGION]).expect(0);
}

#[test]
fn no_secret_is_in_any_file_or_output() {
    let lab = Lab::start();
    let log = &[
        "apply",
        "--env",
        "green",
        "--yes",
        "--json",
        "-v",
        "--timings",
        "page.html",
    ];
    let mut texts = vec![lab.run(log).expect(0)];
    for arguments in [
        &["plan", "--env", "green", "--json", "-v"][..],
        &["outputs"],
        &["drift", "--json", "-v"],
        &["state", "list", "--json"],
        &["apply", "--env", "green", "--yes", "--log-format", "json"],
    ] {
        texts.push(lab.run(arguments));
    }
    let mut all: Vec<String> = texts.into_iter().flat_map(|d| [d.out, d.err]).collect();
    for folder in ["", "state"] {
        for entry in std::fs::read_dir(lab.dir.path().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                all.push(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
            }
        }
    }
    let values = lab.python(
        "s = c('secretsmanager')\nprint(json.dumps([s.get_secret_value(SecretId=x['ARN'])['SecretString'] for x in s.list_secrets()['SecretList'] if x.get('SecretVersionsToStages')]))",
    );
    let values: Vec<String> = serde_json::from_str(&values).unwrap();
    assert!(!values.is_empty());
    for value in values {
        let inner: Value = serde_json::from_str(&value).unwrap_or(Value::Null);
        let password = inner["password"].as_str().unwrap_or(&value);
        assert!(password.len() > 4, "{value}");
        assert!(all.iter().all(|text| !text.contains(password)));
    }
}

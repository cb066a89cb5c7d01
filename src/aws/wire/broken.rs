//! Answers that break off although no length says so, and answers without a body where a document is due.

use super::{Sender, aws, connection};
use crate::aws::{Api, Aws, StateObjects};
use crate::aws::{
    cloudwatch, ec2, elbv2, iam, kms, lambda, logs, rds, route53, s3, scheduler, sns,
};
use crate::engine::{Class, Error, Leftover};
use crate::state::Objects;
use aws_smithy_types::body::SdkBody;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;

/// Calls with their whole answers.
#[rustfmt::skip]
fn answers() -> Vec<((Api, Sender), &'static str)> {
    vec![
        (
            send!(ec2::DESCRIBE_VPCS, ec2, describe_vpcs),
            r#"<?xml version="1.0" encoding="UTF-8"?><DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>"#,
        ),
        (
            send!(ec2::CREATE_VPC, ec2, create_vpc, cidr_block = "10.0.0.0/16"),
            r"<CreateVpcResponse><requestId>r</requestId><vpc><vpcId>vpc-1</vpcId></vpc></CreateVpcResponse>",
        ),
        (
            send!(rds::DESCRIBE_DB_CLUSTERS, rds, describe_db_clusters),
            r"<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster><DBClusterIdentifier>c</DBClusterIdentifier></DBCluster></DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>",
        ),
        (
            send!(iam::LIST_ROLES, iam, list_roles),
            r"<ListRolesResponse><ListRolesResult><IsTruncated>false</IsTruncated><Roles><member><Path>/</Path><RoleName>r</RoleName><RoleId>i</RoleId><Arn>a</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></member></Roles></ListRolesResult></ListRolesResponse>",
        ),
        (
            send!(elbv2::DESCRIBE_LISTENERS, elbv2, describe_listeners, load_balancer_arn = "a"),
            r"<DescribeListenersResponse><DescribeListenersResult><Listeners><member><ListenerArn>a</ListenerArn></member></Listeners></DescribeListenersResult></DescribeListenersResponse>",
        ),
        (
            send!(sns::LIST_TOPICS, sns, list_topics),
            r"<ListTopicsResponse><ListTopicsResult><Topics><member><TopicArn>a</TopicArn></member></Topics></ListTopicsResult></ListTopicsResponse>",
        ),
        (
            send!(s3::LIST_OBJECTS_V2, s3, list_objects_v2, bucket = "abc"),
            r"<ListBucketResult><Name>abc</Name><Contents><Key>state.json</Key></Contents><IsTruncated>false</IsTruncated></ListBucketResult>",
        ),
        (
            send!(s3::GET_BUCKET_POLICY, s3, get_bucket_policy, bucket = "abc"),
            r#"{"Version": "2012-10-17", "Statement": [{"Sid": "<A>"}]}"#,
        ),
        (
            send!(route53::LIST_HOSTED_ZONES, route53, list_hosted_zones),
            r"<ListHostedZonesResponse><HostedZones><HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name><CallerReference>c</CallerReference></HostedZone></HostedZones><Marker></Marker><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesResponse>",
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn the_beginning_of_an_answer_is_never_taken_for_all_of_it() {
    for ((api, send), whole) in answers() {
        send(&aws(200, whole)).await.unwrap();
        let after = whole.match_indices('>').map(|(at, _)| at + 1);
        let within = whole.match_indices('<').map(|(at, _)| at + 2);
        let ends = after.chain(within).filter(|end| *end < whole.len());
        for end in ends {
            let cut = &whole[..end];
            let error = send(&aws(200, cut)).await.unwrap_err();
            assert_eq!(error.class, Class::Unclear, "{api:?} {cut} {error}");
            let unknown = error.leftover == Leftover::Unknown;
            assert_eq!(unknown, api.writes(), "{api:?} {cut}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_refusal_says_of_nothing_that_it_does_not_exist() {
    let list = r"<Error><Code>NoSuchBucketPolicy</Code><Message>no</Message></Error>";
    let (_, send) = send!(s3::GET_BUCKET_POLICY, s3, get_bucket_policy, bucket = "abc");
    assert_eq!(send(&aws(404, list)).await.unwrap_err().class, Class::Gone);
    for end in 1..list.len() {
        let error = send(&aws(404, &list[..end])).await.unwrap_err();
        assert_eq!(error.class, Class::Unclear, "{} {error}", &list[..end]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_without_a_document_in_its_answer_is_unclear() {
    for (api, send) in [
        send!(kms::DESCRIBE_KEY, kms, describe_key, key_id = "k"),
        send!(logs::DESCRIBE_LOG_GROUPS, logs, describe_log_groups),
        send!(
            lambda::GET_FUNCTION,
            lambda,
            get_function,
            function_name = "f"
        ),
        send!(scheduler::LIST_SCHEDULES, scheduler, list_schedules),
        send!(cloudwatch::DESCRIBE_ALARMS, cloudwatch, describe_alarms),
    ] {
        for status in [200, 204] {
            let error = send(&aws(status, "")).await.unwrap_err();
            assert_eq!(error.class, Class::Unclear, "{api:?} {error}");
            assert_eq!(error.leftover, Leftover::Nothing, "{api:?}");
        }
    }
    let (_, write) = send!(
        kms::CREATE_ALIAS,
        kms,
        create_alias,
        alias_name = "alias/a",
        target_key_id = "k"
    );
    write(&aws(200, "")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_object_may_hold_the_beginning_of_a_document() {
    let get = async |status: u16, body: &'static str| {
        let (connection, caller) = connection(Arc::new(move |_| (status, SdkBody::from(body))));
        let objects = StateObjects::new(&connection, caller, ("bucket", ""), "dev");
        let found = objects.get("state.json").await;
        found.map(|object| object.map(|object| object.bytes))
    };
    let content = "<State><open>";
    let found = get(200, content).await.unwrap();
    assert_eq!(found.as_deref(), Some(content.as_bytes()));
    let refused = "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>";
    assert_eq!(get(404, refused).await.unwrap(), None);
    assert!(get(404, &refused[..40]).await.is_err());
}

//! Answers as they come over the wire, in each service's own protocol, through the SDK's parser: what the deployer makes
//! of them. A service without a row fails the test.

use super::{Api, Aws, Caller, Connection, SERVICES};
use super::{acm, elbv2, route53, wafv2};
use super::{dynamodb, ec2, iam, kms, logs, rds, s3, secretsmanager, servicequotas, sns, sts};
use crate::engine::Class::{
    Conflict, Gone, InUse, NotReady, Permanent, Propagating, Throttled, Unclear,
};
use crate::engine::{Class, Error, Events};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Answers every request alike.
#[derive(Debug, Clone)]
struct Canned(u16, String);

impl HttpConnector for Canned {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let status = StatusCode::try_from(self.0).unwrap();
        let mut answer = HttpResponse::new(status, SdkBody::from(self.1.as_str()));
        answer.headers_mut().insert("x-amzn-requestid", "req-1");
        HttpConnectorFuture::ready(Ok(answer))
    }
}

impl HttpClient for Canned {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn aws(status: u16, body: String) -> Aws {
    let keys = Credentials::builder()
        .access_key_id("ASIAABCDEFGHIJKLMNOP")
        .secret_access_key("secret")
        .session_token("token")
        .provider_name("test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys.build()))
        .http_client(SharedHttpClient::new(Canned(status, body)))
        .retry_config(aws_smithy_types::retry::RetryConfig::disabled())
        .build();
    let caller = Arc::new(Caller::new(Events::to(Vec::new()), false, 8));
    Aws::new(&Connection { config }, caller)
}

/// An error in the service's protocol.
fn body(service: &str, code: &str, message: &str) -> String {
    match service {
        "ec2" => format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>req-1</RequestID></Response>"
        ),
        "iam" | "rds" | "sns" | "sts" | "elasticloadbalancing" | "route53" => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>req-1</RequestId></ErrorResponse>"
        ),
        "s3" => format!(
            "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>req-1</RequestId></Error>"
        ),
        _ => serde_json::json!({"__type": format!("com.amazonaws#{code}"), "message": message})
            .to_string(),
    }
}

type Send = for<'a> fn(&'a Aws) -> BoxFuture<'a, Result<(), Error>>;

/// A call that is sent for its error.
macro_rules! send {
    ($api:expr, $field:ident, $method:ident $(, $set:ident = $value:expr)*) => {{
        fn send(aws: &Aws) -> BoxFuture<'_, Result<(), Error>> {
            let request = || aws.$field.client.$method()$(.$set($value))*.send();
            aws.call($api, request).map(|answer| answer.map(drop)).boxed()
        }
        ($api, send as Send)
    }};
}

type Row = ((Api, Send), u16, &'static str, &'static str, Class);

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let subnet = send!(ec2::CREATE_SUBNET, ec2, create_subnet, vpc_id = "vpc-1", cidr_block = "10.0.0.0/24");
    let delete_vpc = send!(ec2::DELETE_VPC, ec2, delete_vpc, vpc_id = "vpc-1");
    let gateway = send!(ec2::DELETE_TRANSIT_GATEWAY, ec2, delete_transit_gateway, transit_gateway_id = "tgw-1");
    let route = send!(ec2::CREATE_ROUTE, ec2, create_route, route_table_id = "rtb-1");
    let endpoint = send!(ec2::CREATE_VPC_ENDPOINT, ec2, create_vpc_endpoint, vpc_id = "vpc-1");
    let flow_logs = send!(ec2::CREATE_FLOW_LOGS, ec2, create_flow_logs, resource_ids = "vpc-1");
    let balancer = send!(elbv2::CREATE_LOAD_BALANCER, elbv2, create_load_balancer, name = "a");
    let attributes = send!(elbv2::MODIFY_LOAD_BALANCER_ATTRIBUTES, elbv2, modify_load_balancer_attributes, load_balancer_arn = "a");
    let listeners = send!(elbv2::DESCRIBE_LISTENERS, elbv2, describe_listeners, load_balancer_arn = "a");
    let targets = send!(elbv2::DELETE_TARGET_GROUP, elbv2, delete_target_group, target_group_arn = "a");
    let rule = send!(elbv2::CREATE_RULE, elbv2, create_rule, listener_arn = "a", priority = 1);
    let certificate = send!(acm::DESCRIBE_CERTIFICATE, acm, describe_certificate, certificate_arn = "a");
    let delete_certificate = send!(acm::DELETE_CERTIFICATE, acm, delete_certificate, certificate_arn = "a");
    let checks = send!(route53::LIST_HEALTH_CHECKS, route53, list_health_checks);
    let delete_check = send!(route53::DELETE_HEALTH_CHECK, route53, delete_health_check, health_check_id = "a");
    let associate = send!(wafv2::ASSOCIATE_WEB_ACL, wafv2, associate_web_acl, web_acl_arn = "arn:aws:wafv2:a", resource_arn = "arn:aws:elasticloadbalancing:a");
    let logging = send!(wafv2::GET_LOGGING_CONFIGURATION, wafv2, get_logging_configuration, resource_arn = "arn:aws:wafv2:a");
    let cluster = send!(rds::CREATE_DB_CLUSTER, rds, create_db_cluster, db_cluster_identifier = "a", engine = "aurora-postgresql");
    let modify = send!(rds::MODIFY_DB_CLUSTER, rds, modify_db_cluster, db_cluster_identifier = "a");
    let delete_cluster = send!(rds::DELETE_DB_CLUSTER, rds, delete_db_cluster, db_cluster_identifier = "a");
    let subnets = send!(rds::MODIFY_DB_SUBNET_GROUP, rds, modify_db_subnet_group, db_subnet_group_name = "a", subnet_ids = "subnet-1");
    let delete_group = send!(rds::DELETE_DB_PARAMETER_GROUP, rds, delete_db_parameter_group, db_parameter_group_name = "a");
    let table = send!(dynamodb::CREATE_TABLE, dynamodb, create_table, table_name = "abc");
    let ttl = send!(dynamodb::DESCRIBE_TIME_TO_LIVE, dynamodb, describe_time_to_live, table_name = "abc");
    let drop_table = send!(dynamodb::DELETE_TABLE, dynamodb, delete_table, table_name = "abc");
    let bucket = send!(s3::CREATE_BUCKET, s3, create_bucket, bucket = "abc");
    let drop_bucket = send!(s3::DELETE_BUCKET, s3, delete_bucket, bucket = "abc");
    let bucket_policy = send!(s3::PUT_BUCKET_POLICY, s3, put_bucket_policy, bucket = "abc", policy = "{}");
    let read_policy = send!(s3::GET_BUCKET_POLICY, s3, get_bucket_policy, bucket = "abc");
    let role_policy = send!(iam::PUT_ROLE_POLICY, iam, put_role_policy, role_name = "r", policy_name = "p", policy_document = "{}");
    let role = send!(iam::CREATE_ROLE, iam, create_role, role_name = "r", assume_role_policy_document = "{}");
    let delete_role = send!(iam::DELETE_ROLE, iam, delete_role, role_name = "r");
    let attach = send!(iam::ATTACH_ROLE_POLICY, iam, attach_role_policy, role_name = "r", policy_arn = "arn:aws:iam::aws:policy/X");
    let key_policy = send!(kms::PUT_KEY_POLICY, kms, put_key_policy, key_id = "k", policy = "{}");
    let key = send!(kms::DESCRIBE_KEY, kms, describe_key, key_id = "k");
    let alias = send!(kms::CREATE_ALIAS, kms, create_alias, alias_name = "alias/a", target_key_id = "k");
    let group = send!(logs::CREATE_LOG_GROUP, logs, create_log_group, log_group_name = "g");
    let delete_log_group = send!(logs::DELETE_LOG_GROUP, logs, delete_log_group, log_group_name = "g");
    let rotate = send!(secretsmanager::ROTATE_SECRET, secretsmanager, rotate_secret, secret_id = "s");
    let secret = send!(secretsmanager::DESCRIBE_SECRET, secretsmanager, describe_secret, secret_id = "s");
    let quota = send!(servicequotas::GET_SERVICE_QUOTA, servicequotas, get_service_quota, service_code = "vpc", quota_code = "L-1");
    let topic = send!(sns::CREATE_TOPIC, sns, create_topic, name = "t");
    let subscribe = send!(sns::SUBSCRIBE, sns, subscribe, topic_arn = "t", protocol = "email");
    let subscribers = send!(sns::LIST_SUBSCRIPTIONS_BY_TOPIC, sns, list_subscriptions_by_topic, topic_arn = "t");
    let topic_tags = send!(sns::LIST_TAGS_FOR_RESOURCE, sns, list_tags_for_resource, resource_arn = "t");
    let publish = send!(sns::PUBLISH, sns, publish, topic_arn = "arn:aws:sns:eu-central-1:123456789012:t", message = "m");
    let who = send!(sts::GET_CALLER_IDENTITY, sts, get_caller_identity);
    vec![
        (subnet, 503, "RequestLimitExceeded", "Request limit exceeded.", Throttled),
        (subnet, 400, "InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist", Propagating),
        // Made by an attempt whose answer was lost, or somebody else's: the step looks whose it is.
        (subnet, 400, "InvalidSubnet.Conflict", "The CIDR '10.0.0.0/24' conflicts with another subnet", Conflict),
        (subnet, 403, "UnauthorizedOperation", "You are not authorized to perform this operation.", Permanent),
        (subnet, 500, "InternalError", "An internal error has occurred", Unclear),
        (subnet, 400, "IncorrectState", "", NotReady),
        (delete_vpc, 400, "InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist", Gone),
        (delete_vpc, 400, "DependencyViolation", "has dependencies and cannot be deleted", InUse),
        (gateway, 400, "IncorrectState", "has non-deleted VPC Attachments", InUse),
        (route, 400, "InvalidTransitGatewayID.NotFound", "", NotReady),
        (route, 400, "RouteAlreadyExists", "", Conflict),
        (route, 400, "InvalidParameterValue", "route table rtb-1 and network gateway igw-1 belong to different networks", Propagating),
        (endpoint, 400, "InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true", Propagating),
        (endpoint, 400, "InvalidParameter", "something else", Permanent),
        (flow_logs, 400, "InvalidParameter", "Unable to assume given IAM role", Propagating),
        (flow_logs, 400, "FlowLogAlreadyExists", "", Conflict),

        (cluster, 400, "DBClusterAlreadyExistsFault", "", Conflict),
        (cluster, 404, "DBSubnetGroupNotFoundFault", "", Propagating),
        (cluster, 400, "KMSKeyNotAccessibleFault", "", Propagating),
        (cluster, 400, "InvalidParameterValue", "Unable to create the resource. Verify that you have permission to create service linked role. Otherwise wait and try again later", Propagating),
        (cluster, 400, "InvalidParameterValue", "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING", Propagating),
        (cluster, 400, "InvalidParameterCombination", "Cannot find version 14.99 for aurora-postgresql", Permanent),
        (modify, 400, "InvalidDBClusterStateFault", "", NotReady),
        (modify, 400, "Throttling", "Rate exceeded", Throttled),
        (subnets, 400, "SubnetInUse", "Some of the subnets to be deleted are currently in use", InUse),
        (delete_cluster, 400, "InvalidDBClusterStateFault", "Cluster cannot be deleted, it still contains DB instances in non-deleting state.", InUse),
        (delete_cluster, 404, "DBClusterNotFoundFault", "DBCluster a not found.", Gone),
        (delete_group, 400, "InvalidDBParameterGroupState", "", InUse),
        (delete_group, 404, "DBParameterGroupNotFound", "", Gone),

        (balancer, 400, "DuplicateLoadBalancerName", "A load balancer with the same name 'a' exists, but with different settings", Conflict),
        (balancer, 400, "InvalidSubnet", "VPC vpc-1 has no internet gateway", Propagating),
        (balancer, 400, "TooManyLoadBalancers", "", Permanent),
        (attributes, 400, "InvalidConfigurationRequest", "Access Denied for bucket: logs. Please check S3bucket permission", Propagating),
        (listeners, 400, "LoadBalancerNotFound", "One or more load balancers not found", Gone),
        (listeners, 400, "Throttling", "Rate exceeded", Throttled),
        (targets, 400, "ResourceInUse", "Target group 'a' is currently in use by a listener or a rule", InUse),
        (rule, 400, "PriorityInUse", "Priority '1' is currently in use", Conflict),
        (rule, 400, "TargetGroupNotFound", "One or more target groups not found", Propagating),

        (certificate, 400, "ResourceNotFoundException", "Could not find certificate a.", Gone),
        (delete_certificate, 400, "ResourceInUseException", "Certificate a is in use.", InUse),
        (delete_certificate, 400, "ThrottlingException", "Rate exceeded", Throttled),

        (checks, 400, "Throttling", "Rate exceeded", Throttled),
        (delete_check, 404, "NoSuchHealthCheck", "A health check with id a does not exist.", Gone),
        (delete_check, 400, "HealthCheckInUse", "The health check is in use", InUse),
        (delete_check, 400, "PriorRequestNotComplete", "The request was rejected because Route 53 was still processing a prior request.", Throttled),

        (associate, 400, "WAFUnavailableEntityException", "AWS WAF couldn't retrieve a resource that you specified for this operation.", NotReady),
        (associate, 400, "WAFNonexistentItemException", "AWS WAF couldn't perform the operation because your resource doesn't exist.", Propagating),
        (logging, 400, "WAFNonexistentItemException", "AWS WAF couldn't perform the operation because your resource doesn't exist.", Gone),
        (logging, 400, "WAFInternalErrorException", "", Unclear),

        (table, 400, "ResourceInUseException", "Table already exists: abc", Conflict),
        (table, 400, "ResourceInUseException", "Table is being deleted: abc", NotReady),
        (table, 400, "LimitExceededException", "Subscriber limit exceeded: Only 10 tables can be created, updated, or deleted simultaneously", NotReady),
        (table, 400, "LimitExceededException", "Subscriber limit exceeded: There is a limit of 256 tables per subscriber", Permanent),
        (table, 400, "ValidationException", "KMS validation error: the key is not accessible", Propagating),
        (table, 400, "ThrottlingException", "Rate exceeded", Throttled),
        (ttl, 400, "ResourceNotFoundException", "Requested resource not found", Gone),
        (drop_table, 400, "ResourceInUseException", "Attempt to change a resource which is still in use: Table is being updated: abc", NotReady),
        (drop_table, 400, "ResourceNotFoundException", "Requested resource not found", Gone),
        (drop_table, 500, "InternalServerError", "", Unclear),

        (bucket, 409, "BucketAlreadyExists", "The requested bucket name is not available.", Conflict),
        (bucket, 409, "OperationAborted", "A conflicting conditional operation is currently in progress", NotReady),
        (drop_bucket, 409, "BucketNotEmpty", "The bucket you tried to delete is not empty", InUse),
        (drop_bucket, 404, "NoSuchBucket", "The specified bucket does not exist", Gone),
        (bucket_policy, 404, "NoSuchBucket", "The specified bucket does not exist", Propagating),
        (bucket_policy, 400, "MalformedPolicy", "Invalid principal in policy", Propagating),
        (bucket_policy, 400, "MalformedPolicy", "Missing required field", Permanent),
        (read_policy, 404, "NoSuchBucketPolicy", "The bucket policy does not exist", Gone),
        (read_policy, 503, "SlowDown", "Please reduce your request rate.", Throttled),
        (read_policy, 403, "AccessDenied", "Access Denied", Permanent),
        (read_policy, 301, "PermanentRedirect", "must be addressed using the specified endpoint", Permanent),

        (role_policy, 404, "NoSuchEntity", "The role with name r cannot be found.", Propagating),
        (role, 409, "EntityAlreadyExists", "Role with name r already exists.", Conflict),
        (role, 400, "MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:role/x\"", Propagating),
        (attach, 404, "NoSuchEntity", "Policy arn:aws:iam::aws:policy/X does not exist or is not attachable.", Permanent),
        (delete_role, 404, "NoSuchEntity", "The role with name r cannot be found.", Gone),
        (delete_role, 409, "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.", InUse),
        (delete_role, 400, "EntityTemporarilyUnmodifiable", "try again later", NotReady),
        (delete_role, 400, "Throttling", "Rate exceeded", Throttled),

        (key_policy, 400, "NotFoundException", "Key does not exist", Propagating),
        (key_policy, 400, "MalformedPolicyDocumentException", "Policy contains an invalid principal.", Propagating),
        (key, 400, "NotFoundException", "Key does not exist", Gone),
        (key, 400, "AccessDeniedException", "no resource-based policy allows the action", Permanent),
        (alias, 400, "AlreadyExistsException", "An alias with the name already exists", Conflict),
        (alias, 400, "LimitExceededException", "", Permanent),

        (group, 400, "ResourceAlreadyExistsException", "The specified log group already exists", Conflict),
        (group, 400, "InvalidParameterException", "The specified KMS key does not exist or is not allowed to be used with Arn 'x'", Propagating),
        (group, 400, "OperationAbortedException", "A conflicting operation is currently in progress", NotReady),
        (delete_log_group, 400, "ResourceNotFoundException", "The specified log group does not exist.", Gone),

        (rotate, 400, "InvalidRequestException", "A previous rotation isn't complete. That rotation will be reattempted.", NotReady),
        (rotate, 400, "InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.", Permanent),
        (secret, 400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.", Gone),

        (quota, 400, "NoSuchResourceException", "The request failed because the specified service does not exist.", Gone),
        (quota, 429, "TooManyRequestsException", "", Throttled),

        (topic, 400, "InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags", Conflict),
        (topic, 400, "InvalidParameter", "Invalid parameter: Topic Name", Permanent),
        (subscribe, 404, "NotFound", "Topic does not exist", Propagating),
        (subscribers, 404, "NotFound", "Topic does not exist", Gone),
        (subscribers, 400, "Throttled", "Rate exceeded", Throttled),
        (topic_tags, 404, "ResourceNotFound", "Resource does not exist", Gone),
        (publish, 403, "AuthorizationError", "User is not authorized to perform: SNS:Publish", Permanent),
        (publish, 429, "Throttled", "Rate exceeded", Throttled),
        (publish, 500, "InternalError", "", Unclear),

        (who, 403, "ExpiredToken", "The security token included in the request is expired", Permanent),
        (who, 400, "Throttling", "Rate exceeded", Throttled),
        (who, 503, "ServiceUnavailable", "", Unclear),
    ]
}

/// A read and a write of each service, as far as it has both: enough for what all actions have in common.
fn samples() -> Vec<(Api, Send)> {
    let mut seen = BTreeSet::new();
    let calls = rows().into_iter().map(|row| row.0);
    calls
        .filter(|(api, _)| seen.insert((api.service.name, api.writes())))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn every_service_tells_its_errors_apart_on_the_wire() {
    let mut seen = BTreeSet::new();
    for ((api, send), status, code, message, class) in rows() {
        let service = api.service.name;
        seen.insert(service);
        let aws = aws(status, body(service, code, message));
        let error = send(&aws).await.unwrap_err();
        let about = format!("{api:?} {code}: {error}");
        assert_eq!((error.class, error.code.as_str()), (class, code), "{about}");
        assert_eq!(error.request_id.as_deref(), Some("req-1"), "{about}");
    }
    let all: BTreeSet<&str> = SERVICES.iter().map(|s| s.name).collect();
    assert_eq!(seen, all, "a service without a row");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_none_is_unclear_and_may_have_had_an_effect() {
    let page = "<html>log in</html>".to_owned();
    for (api, send) in samples() {
        let error = send(&aws(200, page.clone())).await;
        // A read whose answer has only optional fields cannot tell the page from an empty answer.
        if let Err(error) = error {
            assert_eq!(error.class, Class::Unclear, "{api:?} {error}");
        }
        let error = send(&aws(403, page.clone())).await.unwrap_err();
        assert_eq!(error.class, Class::Permanent, "{api:?} {error}");
        let error = send(&aws(502, page.clone())).await.unwrap_err();
        assert_eq!(error.class, Class::Unclear, "{api:?} {error}");
        let unknown = error.leftover == crate::engine::Leftover::Unknown;
        assert_eq!(unknown, api.writes(), "{api:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quoted_request_loses_its_secrets_whatever_the_service() {
    let quoted = "The request signature we calculated does not match the signature you provided. \
         The Canonical String for this request should have been\n'POST\n/\n\nhost:ec2\n\
         x-amz-security-token:CANARY-TOKEN-1\n\nAuthorization: AWS4-HMAC-SHA256 \
         Credential=ASIAABCDEFGHIJKLMNOP/x, Signature=CANARY2'";
    let headers = "{'x-amz-security-token': 'CANARY-TOKEN-1', 'authorization': 'AWS4-HMAC-SHA256 \
         Credential=ASIAABCDEFGHIJKLMNOP/x, Signature=CANARY2', 'host': 'x'}";
    for (api, send) in samples() {
        for message in [quoted, headers] {
            for code in [
                "SignatureDoesNotMatch",
                "InvalidSignatureException",
                "Other",
            ] {
                let aws = aws(403, body(api.service.name, code, message));
                let error = send(&aws).await.unwrap_err();
                let all = format!(
                    "{error} {error:?} {}",
                    serde_json::to_string(&error).unwrap()
                );
                assert!(!all.contains("CANARY") && !all.contains("ASIA"), "{all}");
            }
        }
    }
}

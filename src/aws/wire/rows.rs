//! Errors of every service as AWS words them, and what they mean.

use super::{Row, Sender};
use crate::aws::Aws;
use crate::aws::{
    acm, autoscaling, cloudtrail, cloudwatch, config, ecr, ecs, elbv2, events, lambda, route53,
    scheduler, ssm, tagging, wafv2,
};
use crate::aws::{
    dynamodb, ec2, iam, kms, logs, rds, s3, secretsmanager, servicequotas, sns, sqs, sts,
};
use crate::engine::Class::{
    Blocked, Conflict, Gone, InUse, NotReady, Permanent, Propagating, Throttled, Unclear,
};
use crate::engine::Error;
use futures::FutureExt;
use futures::future::BoxFuture;

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let subnet = send!(ec2::CREATE_SUBNET, ec2, create_subnet, vpc_id = "vpc-1", cidr_block = "10.0.0.0/24");
    let delete_vpc = send!(ec2::DELETE_VPC, ec2, delete_vpc, vpc_id = "vpc-1");
    let gateway = send!(ec2::DELETE_TRANSIT_GATEWAY, ec2, delete_transit_gateway, transit_gateway_id = "tgw-1");
    let route = send!(ec2::CREATE_ROUTE, ec2, create_route, route_table_id = "rtb-1");
    let endpoint = send!(ec2::CREATE_VPC_ENDPOINT, ec2, create_vpc_endpoint, vpc_id = "vpc-1");
    let endpoint_service = send!(ec2::DELETE_VPC_ENDPOINT_SERVICE_CONFIGURATIONS, ec2, delete_vpc_endpoint_service_configurations, service_ids = "vpce-svc-1");
    let flow_logs = send!(ec2::CREATE_FLOW_LOGS, ec2, create_flow_logs, resource_ids = "vpc-1");
    let balancer = send!(elbv2::CREATE_LOAD_BALANCER, elbv2, create_load_balancer, name = "a");
    let attributes = send!(elbv2::MODIFY_LOAD_BALANCER_ATTRIBUTES, elbv2, modify_load_balancer_attributes, load_balancer_arn = "a");
    let listeners = send!(elbv2::DESCRIBE_LISTENERS, elbv2, describe_listeners, load_balancer_arn = "a");
    let targets = send!(elbv2::DELETE_TARGET_GROUP, elbv2, delete_target_group, target_group_arn = "a");
    let delete_balancer = send!(elbv2::DELETE_LOAD_BALANCER, elbv2, delete_load_balancer, load_balancer_arn = "a");
    let add_target = send!(elbv2::REGISTER_TARGETS, elbv2, register_targets, target_group_arn = "a", targets = aws_sdk_elasticloadbalancingv2::types::TargetDescription::builder().id("arn:a").build());
    let take_target = send!(elbv2::DEREGISTER_TARGETS, elbv2, deregister_targets, target_group_arn = "a");
    let rule = send!(elbv2::CREATE_RULE, elbv2, create_rule, listener_arn = "a", priority = 1);
    let certificate = send!(acm::DESCRIBE_CERTIFICATE, acm, describe_certificate, certificate_arn = "a");
    let delete_certificate = send!(acm::DELETE_CERTIFICATE, acm, delete_certificate, certificate_arn = "a");
    let checks = send!(route53::LIST_HEALTH_CHECKS, route53, list_health_checks);
    let delete_check = send!(route53::DELETE_HEALTH_CHECK, route53, delete_health_check, health_check_id = "a");
    let associate = send!(wafv2::ASSOCIATE_WEB_ACL, wafv2, associate_web_acl, web_acl_arn = "arn:aws:wafv2:a", resource_arn = "arn:aws:elasticloadbalancing:a");
    let logging = send!(wafv2::DELETE_LOGGING_CONFIGURATION, wafv2, delete_logging_configuration, resource_arn = "arn:aws:wafv2:a");
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
    let new_secret = send!(secretsmanager::CREATE_SECRET, secretsmanager, create_secret, name = "s");
    let secret_tags = send!(secretsmanager::TAG_RESOURCE, secretsmanager, tag_resource, secret_id = "s");
    let drop_secret = send!(secretsmanager::DELETE_SECRET, secretsmanager, delete_secret, secret_id = "s");
    let new_schedules = send!(scheduler::CREATE_SCHEDULE_GROUP, scheduler, create_schedule_group, name = "g");
    let schedules = send!(scheduler::GET_SCHEDULE_GROUP, scheduler, get_schedule_group, name = "g");
    let drop_schedules = send!(scheduler::DELETE_SCHEDULE_GROUP, scheduler, delete_schedule_group, name = "g");
    let new_schedule = send!(scheduler::CREATE_SCHEDULE, scheduler, create_schedule, name = "s", schedule_expression = "rate(1 minute)");
    let drop_schedule = send!(scheduler::DELETE_SCHEDULE, scheduler, delete_schedule, name = "s");
    let quota = send!(servicequotas::GET_SERVICE_QUOTA, servicequotas, get_service_quota, service_code = "vpc", quota_code = "L-1");
    let recorder = send!(config::PUT_CONFIGURATION_RECORDER, config, put_configuration_recorder);
    let channel = send!(config::PUT_DELIVERY_CHANNEL, config, put_delivery_channel);
    let drop_channel = send!(config::DELETE_DELIVERY_CHANNEL, config, delete_delivery_channel, delivery_channel_name = "c");
    let config_rules = send!(config::DESCRIBE_CONFIG_RULES, config, describe_config_rules);
    let config_rule = send!(config::PUT_CONFIG_RULE, config, put_config_rule);
    let drop_zone = send!(route53::DELETE_HOSTED_ZONE, route53, delete_hosted_zone, id = "Z1");
    let topic = send!(sns::CREATE_TOPIC, sns, create_topic, name = "t");
    let subscribe = send!(sns::SUBSCRIBE, sns, subscribe, topic_arn = "t", protocol = "email");
    let subscribers = send!(sns::LIST_SUBSCRIPTIONS_BY_TOPIC, sns, list_subscriptions_by_topic, topic_arn = "t");
    let topic_tags = send!(sns::LIST_TAGS_FOR_RESOURCE, sns, list_tags_for_resource, resource_arn = "t");
    let parameter = send!(ssm::PUT_PARAMETER, ssm, put_parameter, name = "/a", value = "b");
    let parameter_tags = send!(ssm::LIST_TAGS_FOR_RESOURCE, ssm, list_tags_for_resource, resource_id = "/a", resource_type = aws_sdk_ssm::types::ResourceTypeForTagging::Parameter);
    let repository = send!(ecr::CREATE_REPOSITORY, ecr, create_repository, repository_name = "a");
    let image = send!(ecr::DESCRIBE_IMAGES, ecr, describe_images, repository_name = "a");
    let drop_repository = send!(ecr::DELETE_REPOSITORY, ecr, delete_repository, repository_name = "a");
    let service = send!(ecs::CREATE_SERVICE, ecs, create_service, service_name = "a");
    let services = send!(ecs::DESCRIBE_SERVICES, ecs, describe_services, services = "a");
    let drop_service = send!(ecs::DELETE_SERVICE, ecs, delete_service, service = "a");
    let drop_ecs_cluster = send!(ecs::DELETE_CLUSTER, ecs, delete_cluster, cluster = "a");
    let register = send!(ecs::REGISTER_TASK_DEFINITION, ecs, register_task_definition, family = "a", container_definitions = aws_sdk_ecs::types::ContainerDefinition::builder().build());
    let definition = send!(ecs::DESCRIBE_TASK_DEFINITION, ecs, describe_task_definition, task_definition = "a");
    let target = send!(autoscaling::REGISTER_SCALABLE_TARGET, autoscaling, register_scalable_target, resource_id = "a", service_namespace = aws_sdk_applicationautoscaling::types::ServiceNamespace::Ecs, scalable_dimension = aws_sdk_applicationautoscaling::types::ScalableDimension::EcsServiceDesiredCount);
    let scalable = send!(autoscaling::DESCRIBE_SCALABLE_TARGETS, autoscaling, describe_scalable_targets, service_namespace = aws_sdk_applicationautoscaling::types::ServiceNamespace::Ecs);
    let drop_target = send!(autoscaling::DEREGISTER_SCALABLE_TARGET, autoscaling, deregister_scalable_target, resource_id = "a", service_namespace = aws_sdk_applicationautoscaling::types::ServiceNamespace::Ecs, scalable_dimension = aws_sdk_applicationautoscaling::types::ScalableDimension::EcsServiceDesiredCount);
    let event_rule = send!(events::LIST_TARGETS_BY_RULE, events, list_targets_by_rule, rule = "r");
    let event_targets = send!(events::PUT_TARGETS, events, put_targets, rule = "r");
    let drop_event_rule = send!(events::DELETE_RULE, events, delete_rule, name = "r");
    let sweep = send!(tagging::GET_RESOURCES, tagging, get_resources);
    let history = send!(cloudtrail::LOOKUP_EVENTS, cloudtrail, lookup_events);
    let publish = send!(sns::PUBLISH, sns, publish, topic_arn = "arn:aws:sns:eu-central-1:123456789012:t", message = "m");
    let alarm = send!(cloudwatch::PUT_METRIC_ALARM, cloudwatch, put_metric_alarm, alarm_name = "a");
    let alarm_tags = send!(cloudwatch::LIST_TAGS_FOR_RESOURCE, cloudwatch, list_tags_for_resource, resource_arn = "a");
    let drop_alarm = send!(cloudwatch::DELETE_ALARMS, cloudwatch, delete_alarms, alarm_names = "a");
    let tag_alarm = send!(cloudwatch::TAG_RESOURCE, cloudwatch, tag_resource, resource_arn = "a", tags = aws_sdk_cloudwatch::types::Tag::builder().key("k").value("v").build());
    let board = send!(cloudwatch::GET_DASHBOARD, cloudwatch, get_dashboard, dashboard_name = "d");
    let function = send!(lambda::CREATE_FUNCTION, lambda, create_function, function_name = "f", role = "r", code = aws_sdk_lambda::types::FunctionCode::builder().build());
    let read_function = send!(lambda::GET_FUNCTION, lambda, get_function, function_name = "f");
    let configure = send!(lambda::UPDATE_FUNCTION_CONFIGURATION, lambda, update_function_configuration, function_name = "f");
    let reserve = send!(lambda::PUT_FUNCTION_CONCURRENCY, lambda, put_function_concurrency, function_name = "f", reserved_concurrent_executions = 1);
    let mapping = send!(lambda::CREATE_EVENT_SOURCE_MAPPING, lambda, create_event_source_mapping, function_name = "f");
    let drop_mapping = send!(lambda::DELETE_EVENT_SOURCE_MAPPING, lambda, delete_event_source_mapping, uuid = "u");
    let queue = send!(sqs::CREATE_QUEUE, sqs, create_queue, queue_name = "q");
    let queue_url = send!(sqs::GET_QUEUE_URL, sqs, get_queue_url, queue_name = "q");
    let set_queue = send!(sqs::SET_QUEUE_ATTRIBUTES, sqs, set_queue_attributes, queue_url = "q");
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
        (endpoint, 400, "InvalidServiceName", "The Vpc Endpoint Service 'com.amazonaws.vpce.eu-central-1.vpce-svc-1' does not exist", Propagating),
        (endpoint, 400, "InvalidServiceName", "The Vpc Endpoint Service 'com.amazonaws.eu-central-1.nothing' does not exist", Permanent),
        (endpoint_service, 400, "ExistingVpcEndpointConnections", "Service vpce-svc-1 has existing active VPC Endpoint connections!", InUse),
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
        (delete_balancer, 400, "ResourceInUse", "Load balancer 'a' cannot be deleted because it is currently associated with another service", InUse),
        (add_target, 400, "InvalidTarget", "The load balancer 'arn:a' is not active", NotReady),
        (add_target, 400, "TargetGroupNotFound", "One or more target groups not found", Propagating),
        (take_target, 400, "TargetGroupNotFound", "One or more target groups not found", Gone),
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

        (new_secret, 400, "ResourceExistsException", "The operation failed because the secret s already exists.", Conflict),
        (new_secret, 400, "InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion.", NotReady),
        (new_secret, 400, "InvalidParameterException", "Invalid name.", Permanent),
        (secret_tags, 400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.", Propagating),
        (drop_secret, 400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.", Gone),
        (drop_secret, 500, "InternalServiceError", "", Unclear),

        (new_schedules, 409, "ConflictException", "Schedule group g already exists.", Conflict),
        (recorder, 400, "MaxNumberOfConfigurationRecordersExceededException", "Failed to put configuration recorder 'a' because the maximum number of configuration recorders: 1 is reached.", Conflict),
        (recorder, 400, "InvalidRoleException", "You have provided a role that AWS Config cannot assume.", Propagating),
        (channel, 400, "InsufficientDeliveryPolicyException", "Insufficient delivery policy to s3 bucket: a, unable to write to bucket.", Propagating),
        (drop_channel, 400, "LastDeliveryChannelDeleteFailedException", "Failed to delete last specified delivery channel with name 'c', because there is a running configuration recorder.", InUse),
        (config_rules, 400, "NoSuchConfigRuleException", "The ConfigRule 'a' provided in the request is invalid.", Gone),
        (config_rule, 400, "ResourceInUseException", "The rule a is currently being deleted. Please retry after some time", NotReady),
        (config_rule, 400, "ResourceInUseException", "You have a remediation action associated with the rule. Delete the remediation action associated with the rule before deleting the rule and try your request again later.", Blocked),
        (drop_zone, 400, "HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.", InUse),
        (schedules, 404, "ResourceNotFoundException", "Schedule group g does not exist.", Gone),
        (schedules, 429, "ThrottlingException", "Rate exceeded", Throttled),
        (drop_schedules, 409, "ConflictException", "Updating or deleting a resource can cause an inconsistent state.", NotReady),
        (drop_schedules, 404, "ResourceNotFoundException", "Schedule group g does not exist.", Gone),
        (new_schedule, 409, "ConflictException", "Schedule s already exists.", Conflict),
        (new_schedule, 404, "ResourceNotFoundException", "Schedule group g does not exist.", Propagating),
        (new_schedule, 400, "ValidationException", "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.", Propagating),
        (new_schedule, 400, "ValidationException", "Invalid Schedule Expression rate(0 minutes).", Permanent),
        (new_schedule, 402, "ServiceQuotaExceededException", "", Permanent),
        (drop_schedule, 404, "ResourceNotFoundException", "Schedule s does not exist.", Gone),
        (drop_schedule, 500, "InternalServerException", "", Unclear),

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

        (parameter, 400, "ParameterAlreadyExists", "The parameter already exists.", Conflict),
        (parameter, 400, "TooManyUpdates", "", NotReady),
        (parameter_tags, 400, "InvalidResourceId", "The resource ID isn't valid.", Gone),

        (repository, 400, "RepositoryAlreadyExistsException", "", Conflict),
        (repository, 400, "KmsException", "the key is not accessible", Propagating),
        (image, 400, "ImageNotFoundException", "", Gone),
        (image, 400, "RepositoryNotFoundException", "", Gone),
        (drop_repository, 400, "RepositoryNotEmptyException", "", InUse),

        (service, 400, "InvalidParameterException", "Creation of service was not idempotent.", Conflict),
        (service, 400, "InvalidParameterException", "Unable to Start a service that is still Draining.", NotReady),
        (service, 400, "InvalidParameterException", "Unable to assume the service linked role. Please verify that the ECS service linked role exists.", Propagating),
        (service, 400, "ClusterNotFoundException", "Cluster not found.", Propagating),
        (services, 400, "ClusterNotFoundException", "Cluster not found.", Gone),
        (services, 500, "ServerException", "", Unclear),
        (drop_service, 400, "ServiceNotActiveException", "Service was not ACTIVE.", Gone),
        (drop_ecs_cluster, 400, "ClusterContainsServicesException", "", InUse),
        (register, 400, "ClientException", "Role is not valid", Propagating),
        (register, 400, "ClientException", "No Fargate configuration exists for given values.", Permanent),
        (definition, 400, "ClientException", "Unable to describe task definition.", Gone),

        (target, 400, "ValidationException", "ECS service doesn't exist: service/a/b", Propagating),
        (scalable, 400, "ThrottlingException", "Rate exceeded", Throttled),
        (drop_target, 400, "ObjectNotFoundException", "", Gone),
        (alarm, 400, "LimitExceeded", "", Permanent),
        (alarm, 400, "Throttling", "Rate exceeded", Throttled),
        (alarm_tags, 404, "ResourceNotFoundException", "Unknown", Gone),
        (tag_alarm, 404, "ResourceNotFoundException", "Unknown", Propagating),
        (drop_alarm, 404, "ResourceNotFound", "", Gone),
        (drop_alarm, 400, "ValidationError", "Cannot delete a as there are composite alarm(s) depending on it.", InUse),
        (board, 404, "ResourceNotFound", "Dashboard d does not exist", Gone),

        (function, 409, "ResourceConflictException", "Function already exist: f", Conflict),
        (function, 400, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.", Propagating),
        (function, 400, "InvalidParameterValueException", "The provided execution role does not have permissions to call CreateNetworkInterface on EC2", Propagating),
        (function, 400, "InvalidParameterValueException", "The runtime parameter of nodejs16.x is no longer supported for creating or updating AWS Lambda functions.", Permanent),
        (function, 429, "TooManyRequestsException", "Rate exceeded", Throttled),
        (read_function, 404, "ResourceNotFoundException", "Function not found: f", Gone),
        (configure, 404, "ResourceNotFoundException", "Function not found: f", Propagating),
        (configure, 409, "ResourceConflictException", "The operation cannot be performed at this time. An update is in progress for resource: f", NotReady),
        (configure, 409, "ResourceConflictException", "The operation cannot be performed at this time. The function is currently in the following state: Pending", NotReady),
        (reserve, 400, "InvalidParameterValueException", "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].", Permanent),
        (mapping, 409, "ResourceConflictException", "An event source mapping with that event source already exists", Conflict),
        (drop_mapping, 400, "ResourceInUseException", "Cannot delete the event source mapping because it is in use.", NotReady),

        (queue, 400, "QueueNameExists", "A queue already exists with the same name and a different value for attribute X", Conflict),
        (queue, 400, "QueueDeletedRecently", "You must wait 60 seconds after deleting a queue before you can create another with the same name.", NotReady),
        (queue, 400, "AWS.SimpleQueueService.QueueDeletedRecently", "", NotReady),
        (queue, 400, "InvalidAttributeValue", "Invalid value for the parameter Policy.", Permanent),
        (queue_url, 400, "QueueDoesNotExist", "The specified queue does not exist.", Gone),
        (queue_url, 400, "AWS.SimpleQueueService.NonExistentQueue", "", Gone),
        (queue_url, 400, "RequestThrottled", "", Throttled),
        (set_queue, 400, "QueueDoesNotExist", "The specified queue does not exist.", Propagating),

        (event_rule, 400, "ResourceNotFoundException", "Rule r does not exist on EventBus default.", Gone),
        (event_targets, 400, "ResourceNotFoundException", "Rule r does not exist on EventBus default.", Propagating),
        (event_targets, 400, "ConcurrentModificationException", "Rule r was modified concurrently", NotReady),
        (event_targets, 400, "LimitExceededException", "The requested resource exceeds the maximum number allowed.", Permanent),
        (drop_event_rule, 400, "ValidationException", "Rule can't be deleted since it has targets.", InUse),

        (sweep, 400, "AccessDeniedException", "User is not authorized to perform: tag:GetResources", Permanent),
        (sweep, 400, "ThrottledException", "Rate exceeded", Throttled),
        (history, 400, "AccessDeniedException", "User is not authorized to perform: cloudtrail:LookupEvents", Permanent),
        (history, 400, "ThrottlingException", "Rate exceeded", Throttled),

        (who, 403, "ExpiredToken", "The security token included in the request is expired", Permanent),
        (who, 400, "Throttling", "Rate exceeded", Throttled),
        (who, 503, "ServiceUnavailable", "", Unclear),
    ]
}

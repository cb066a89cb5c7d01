//! Codes and messages of the services, and what they mean for a retry: the doctrine, as one table.

use super::super::call::Api;
use crate::engine::Class;

pub(super) fn classify(api: Api, code: &str, message: &str, status: u16) -> Class {
    let says = |text: &str| message.contains(text);
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "SlowDown"
        | "BandwidthLimitExceeded"
        | "ProvisionedThroughputExceededException"
        | "PriorRequestNotComplete"
        | "EC2ThrottledException" => Class::Throttled,
        // A table of our name that is on its way out; a new one can be made when it is gone.
        "ResourceInUseException" if api.service == "dynamodb" && says("being deleted") => {
            Class::NotReady
        }
        // CreateTable of an existing table and any call on a table that is being changed share one code.
        "ResourceInUseException" if says("already exists") || api.operation == "CreateTable" => {
            Class::Conflict
        }
        "ResourceInUseException" if api.service == "dynamodb" => Class::NotReady,
        // DynamoDB allows so many table operations and index changes at once ("... can be created, updated, or deleted
        // simultaneously"); its other limits, of tables for instance, last.
        "LimitExceededException" if api.service == "dynamodb" && says("simultaneously") => {
            Class::NotReady
        }
        "ContinuousBackupsUnavailableException" => Class::NotReady,
        // A key that was made a moment ago, or its policy, is not visible to the service yet.
        "ValidationException" if api.service == "dynamodb" && says("KMS") && says("key") => {
            Class::Propagating
        }
        "InvalidParameterException"
            if api.service == "logs" && message.to_lowercase().contains("kms key") =>
        {
            Class::Propagating
        }
        // IAM: "The role with name x cannot be found", and "try again later" while it changes one.
        "NoSuchEntity" if creates_or_changes(api) && says("role with name") => Class::Propagating,
        "EntityTemporarilyUnmodifiable" => Class::NotReady,
        // A bucket, key or table that was made a moment ago ("Amazon S3 data consistency model": bucket
        // configurations are eventually consistent; "AWS KMS eventual consistency").
        "NoSuchBucket" if creates_or_changes(api) => Class::Propagating,
        "InvalidTargetBucketForLogging" if says("does not exist") => Class::Propagating,
        "NotFoundException" if api.service == "kms" && creates_or_changes(api) => {
            Class::Propagating
        }
        "InvalidTransitGatewayID.NotFound" | "InvalidTransitGatewayAttachmentID.NotFound"
            if matches!(api.operation, "CreateRoute" | "ReplaceRoute") =>
        {
            Class::NotReady
        }
        // "Cluster cannot be deleted, it still contains DB instances in non-deleting state."
        "InvalidDBClusterStateFault" if api.operation == "DeleteDBCluster" => Class::InUse,
        // The first call of an account makes RDS's service-linked role, and may come too early for it ("Unable to create
        // the resource. Verify that you have permission to create service linked role. Otherwise wait and try again
        // later"; subnet groups: "Missing necessary credentials", with a link to the page on that role).
        "InvalidParameterValue" if lacks_linked_role(message) => Class::Propagating,
        // A group or cluster that was created a moment ago.
        _ if api.service == "rds" && creates_or_changes(api) && code.contains("NotFound") => {
            Class::Propagating
        }
        "InvalidSubnet" if api.operation == "CreateDBSubnetGroup" => Class::Propagating,
        // "A previous rotation isn't complete. That rotation will be reattempted."
        "InvalidRequestException" if says("previous rotation") => Class::NotReady,
        // The gateway was attached to the table's VPC a moment ago.
        "InvalidParameterValue" if says("belong to different networks") => Class::Propagating,
        "DependencyViolation"
        | "DeleteConflict"
        | "BucketNotEmpty"
        | "InvalidGroup.InUse"
        | "InvalidDBSubnetGroupStateFault"
        | "InvalidDBParameterGroupState"
        | "InvalidDBParameterGroupStateFault"
        | "ResourceInUse" => Class::InUse,
        "IncorrectState" if api.operation.starts_with("Delete") => Class::InUse,
        "IncorrectState"
        | "InvalidState"
        | "InvalidDBClusterStateFault"
        | "InvalidDBInstanceState"
        | "InvalidDBInstanceStateFault"
        | "OperationAborted"
        | "ConcurrentModification"
        | "ConcurrentModificationException"
        | "OperationAbortedException"
        | "ResourceUnavailable"
        | "InvalidRequestException"
            if code != "InvalidRequestException" || says("in progress") || says("is in state") =>
        {
            Class::NotReady
        }
        "BucketAlreadyExists"
        | "BucketAlreadyOwnedByYou"
        | "EntityAlreadyExists"
        | "AlreadyExistsException"
        | "ResourceAlreadyExistsException"
        | "InvalidGroup.Duplicate"
        | "InvalidSubnet.Conflict"
        | "FlowLogAlreadyExists"
        | "DuplicateTransitGatewayAttachment"
        | "Resource.AlreadyAssociated" => Class::Conflict,
        _ if code.ends_with("AlreadyExists") || code.ends_with("AlreadyExistsFault") => {
            Class::Conflict
        }
        // A fresh role or principal that is not visible everywhere yet.
        "MalformedPolicyDocument" | "MalformedPolicyDocumentException" | "MalformedPolicy"
            if says("nvalid principal") =>
        {
            Class::Propagating
        }
        "InvalidParameterValue"
        | "InvalidParameterValueException"
        | "InvalidParameterException"
            if says("role") || says("Role") =>
        {
            if says("assume") || says("is invalid or does not") || says("not authorized") {
                Class::Propagating
            } else {
                Class::Permanent
            }
        }
        // A flow log's delivery role.
        "InvalidParameter" if says("Unable to assume given IAM role") => Class::Propagating,
        // "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames": they were set a moment ago.
        "InvalidParameter" if says("enableDnsSupport") => Class::Propagating,
        // A log group's key policy, or the key itself, is not visible to the service yet.
        "KMSKeyNotAccessibleFault" => Class::Propagating,
        // An ID that was created a moment ago ("Eventual consistency in the Amazon EC2 API").
        _ if code.starts_with("Invalid") && code.ends_with(".NotFound") => Class::Propagating,
        "NotImplemented" | "InvalidAction" => Class::Permanent,
        "RequestTimeout"
        | "RequestTimeoutException"
        | "InternalError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "Unavailable" => Class::Unclear,
        _ if status == 429 => Class::Throttled,
        _ if status >= 500 && status != 501 => Class::Unclear,
        _ => Class::Permanent,
    }
}

/// True for RDS's words for a service-linked role that is not there (yet).
pub(super) fn lacks_linked_role(message: &str) -> bool {
    message.contains("service linked role") || message.contains("ServiceLinkedRoles")
}

/// True for a mutating call that does not take anything away: what it names was made before it.
fn creates_or_changes(api: Api) -> bool {
    const AWAY: [&str; 5] = ["Delete", "Detach", "Untag", "Schedule", "Abort"];
    api.writes() && !AWAY.iter().any(|verb| api.operation.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::super::super::call::{once, read, repeatable};
    use super::*;

    #[test]
    fn codes_fall_into_the_classes_that_decide_about_retries() {
        let of = |api, code, message, status| classify(api, code, message, status);
        let create = once("ec2", "CreateSubnet");
        assert_eq!(
            of(create, "RequestLimitExceeded", "", 503),
            Class::Throttled
        );
        assert_eq!(
            of(create, "InvalidVpcID.NotFound", "", 400),
            Class::Propagating
        );
        assert_eq!(
            of(create, "UnauthorizedOperation", "", 403),
            Class::Permanent
        );
        assert_eq!(of(create, "InternalError", "", 500), Class::Unclear);
        assert_eq!(of(create, "", "", 503), Class::Unclear);
        let delete = repeatable("ec2", "DeleteTransitGateway");
        assert_eq!(of(delete, "IncorrectState", "", 400), Class::InUse);
        assert_eq!(of(create, "IncorrectState", "", 400), Class::NotReady);
        assert_eq!(of(delete, "DependencyViolation", "", 400), Class::InUse);
        let attach = once("ec2", "CreateTransitGatewayVpcAttachment");
        let twice = "DuplicateTransitGatewayAttachment";
        assert_eq!(of(attach, twice, "", 400), Class::Conflict);
        let associate = once("ec2", "AssociateTransitGatewayRouteTable");
        let twice = "Resource.AlreadyAssociated";
        assert_eq!(of(associate, twice, "", 400), Class::Conflict);
        let log = repeatable("ec2", "CreateFlowLogs");
        let fresh = "Unable to assume given IAM role";
        assert_eq!(of(log, "InvalidParameter", fresh, 400), Class::Propagating);
        // Made by an attempt whose answer was lost, or somebody else's: the step looks whose it is.
        assert_eq!(
            of(create, "InvalidSubnet.Conflict", "", 400),
            Class::Conflict
        );
        let endpoint = repeatable("ec2", "CreateVpcEndpoint");
        let fresh = "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true";
        assert_eq!(
            of(endpoint, "InvalidParameter", fresh, 400),
            Class::Propagating
        );
        assert_eq!(of(endpoint, "InvalidParameter", "x", 400), Class::Permanent);
        let table = once("dynamodb", "CreateTable");
        assert_eq!(
            of(
                table,
                "ResourceInUseException",
                "Table already exists: x",
                400
            ),
            Class::Conflict
        );
        let ttl = repeatable("dynamodb", "UpdateTimeToLive");
        assert_eq!(of(ttl, "ResourceInUseException", "", 400), Class::NotReady);
        assert_eq!(
            of(read("s3", "GetBucketPolicy"), "NoSuchBucketPolicy", "", 404),
            Class::Permanent
        );
        assert_eq!(
            of(read("rds", "DescribeX"), "NotImplemented", "", 501),
            Class::Permanent
        );
    }

    #[test]
    fn codes_of_rds_and_secrets_manager_fall_into_classes() {
        let of = |api, code, message| classify(api, code, message, 400);
        let delete = repeatable("rds", "DeleteDBCluster");
        assert_eq!(of(delete, "InvalidDBClusterStateFault", ""), Class::InUse);
        let modify = repeatable("rds", "ModifyDBCluster");
        assert_eq!(
            of(modify, "InvalidDBClusterStateFault", ""),
            Class::NotReady
        );
        let instance = once("rds", "CreateDBInstance");
        assert_eq!(
            of(instance, "DBClusterNotFoundFault", ""),
            Class::Propagating
        );
        assert_eq!(of(instance, "DBInstanceAlreadyExists", ""), Class::Conflict);
        assert_eq!(
            of(instance, "KMSKeyNotAccessibleFault", ""),
            Class::Propagating
        );
        let role = "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING";
        assert_eq!(
            of(instance, "InvalidParameterValue", role),
            Class::Propagating
        );
        let first = "Unable to create the resource. Verify that you have permission to create service linked role. Otherwise wait and try again later";
        let cluster = once("rds", "CreateDBCluster");
        assert_eq!(
            of(cluster, "InvalidParameterValue", first),
            Class::Propagating
        );
        let gone = read("rds", "DescribeDBClusters");
        assert_eq!(of(gone, "DBClusterNotFoundFault", ""), Class::Permanent);
        let fresh = repeatable("rds", "ModifyDBClusterParameterGroup");
        assert_eq!(
            of(fresh, "DBParameterGroupNotFound", ""),
            Class::Propagating
        );
        let group = repeatable("rds", "DeleteDBParameterGroup");
        assert_eq!(of(group, "InvalidDBParameterGroupState", ""), Class::InUse);
        let rotate = repeatable("secretsmanager", "RotateSecret");
        let busy = "A previous rotation isn't complete. That rotation will be reattempted.";
        assert_eq!(of(rotate, "InvalidRequestException", busy), Class::NotReady);
        assert_eq!(
            of(rotate, "InvalidRequestException", "no"),
            Class::Permanent
        );
    }

    #[test]
    fn codes_of_the_network_fall_into_their_classes() {
        let of = |api, code, message| classify(api, code, message, 400);
        let route = repeatable("ec2", "ReplaceRoute");
        assert_eq!(
            of(route, "InvalidTransitGatewayID.NotFound", ""),
            Class::NotReady
        );
        let text = "route table rtb-1 and network gateway igw-1 belong to different networks";
        assert_eq!(of(route, "InvalidParameterValue", text), Class::Propagating);
        let attach = once("ec2", "AttachInternetGateway");
        assert_eq!(
            of(attach, "Resource.AlreadyAssociated", ""),
            Class::Conflict
        );
        let detach = repeatable("ec2", "DetachInternetGateway");
        assert_eq!(of(detach, "DependencyViolation", ""), Class::InUse);
        // The rules are there; the type decides what that means.
        let authorize = repeatable("ec2", "AuthorizeSecurityGroupIngress");
        assert_eq!(
            of(authorize, "InvalidPermission.Duplicate", ""),
            Class::Permanent
        );
    }

    #[test]
    fn what_was_made_a_moment_ago_is_waited_for_and_what_is_wrong_is_not() {
        let of = |api, code, message| classify(api, code, message, 400);
        let policy = repeatable("iam", "PutRolePolicy");
        let gone = "The role with name x cannot be found.";
        assert_eq!(of(policy, "NoSuchEntity", gone), Class::Propagating);
        let attach = repeatable("iam", "AttachRolePolicy");
        let wrong = "Policy arn:aws:iam::aws:policy/X does not exist or is not attachable.";
        assert_eq!(of(attach, "NoSuchEntity", wrong), Class::Permanent);
        let delete = repeatable("iam", "DeleteRole");
        assert_eq!(of(delete, "NoSuchEntity", gone), Class::Permanent);
        let group = once("logs", "CreateLogGroup");
        for key in [
            "The specified KMS key does not exist or is not allowed to be used with Arn 'x'",
            "The specified KMS Key Id could not be found.",
        ] {
            assert_eq!(
                of(group, "InvalidParameterException", key),
                Class::Propagating
            );
        }
        let alias = once("kms", "CreateAlias");
        assert_eq!(of(alias, "NotFoundException", ""), Class::Propagating);
        let bucket = repeatable("s3", "PutBucketPolicy");
        assert_eq!(of(bucket, "NoSuchBucket", ""), Class::Propagating);
        let table = once("dynamodb", "CreateTable");
        let leaving = "Table is being deleted: x";
        assert_eq!(
            of(table, "ResourceInUseException", leaving),
            Class::NotReady
        );
        let busy = "Subscriber limit exceeded: Only 10 tables can be created, updated, or deleted simultaneously";
        assert_eq!(of(table, "LimitExceededException", busy), Class::NotReady);
        let full = "Subscriber limit exceeded: There is a limit of 256 tables per subscriber";
        assert_eq!(of(table, "LimitExceededException", full), Class::Permanent);
        let backups = repeatable("dynamodb", "UpdateContinuousBackups");
        let soon = "ContinuousBackupsUnavailableException";
        assert_eq!(of(backups, soon, ""), Class::NotReady);
    }
}

//! From an SDK error to a [`Fault`]: the class decides about retries, so the tables here are the doctrine.
//! Codes are those of the services' API references ("Common errors", and the errors of each action).

use super::call::Api;
use crate::engine::{Class, Fault, Leaves};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;

/// Classifies one failed attempt.
pub(super) fn fault<E>(api: Api, error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let unclear = if api.writes() {
        Leaves::Unknown
    } else {
        Leaves::Nothing
    };
    let SdkError::ServiceError(service) = error else {
        let text = chain(error);
        if let SdkError::ConstructionFailure(_) = error {
            return Fault::permanent(api.action(), text);
        }
        if lacks_credentials(&text) {
            // The instance's metadata are asked last: this only says that nothing else had any.
            let text = if text.contains("IMDS") {
                "there are no credentials: none in the environment, a profile, a container or the instance's metadata".into()
            } else {
                text
            };
            return Fault::permanent(api.action(), text).hint(CREDENTIALS);
        }
        return Fault::of(Class::Network, api.action(), text).leaves(unclear);
    };
    let status = service.raw().status().as_u16();
    let code = service.err().code().unwrap_or_default();
    let message = service.err().message().unwrap_or_default();
    // A proxy's page or half a document in place of the answer: AWS may well have done what it was asked for.
    let unreadable = code.is_empty() && (200..300).contains(&status);
    let class = if unreadable {
        Class::Network
    } else {
        classify(api, code, message, status)
    };
    let mut out = Fault::of(
        class,
        api.action(),
        if unreadable {
            format!("the answer cannot be understood: {}", chain(error))
        } else if message.is_empty() {
            format!("HTTP status {status}")
        } else {
            message.to_owned()
        },
    )
    .code(if code.is_empty() && status == 404 {
        "NotFound"
    } else {
        code
    });
    out.request_id = service
        .err()
        .meta()
        .extra("aws_request_id")
        .map(ToOwned::to_owned);
    if class == Class::Network {
        out.leaves = unclear;
    }
    out.hint = hint(api, &out);
    out
}

/// An item that an otherwise good answer lists as refused (`Unsuccessful` of EC2's DeleteVpcEndpoints): the fault that
/// its code would be as the answer to the whole call.
pub fn refused(api: Api, code: &str, message: &str) -> Fault {
    let class = classify(api, code, message, 400);
    let mut out = Fault::of(class, api.action(), message).code(code);
    out.hint = hint(api, &out);
    out
}

pub(super) const CREDENTIALS: &str =
    "log in again (`aws sso login`, new keys, or --profile NAME) and repeat the command";

const CLOCK: &str = "the clock of this machine differs from AWS's by minutes: set it (`timedatectl` shows it), then repeat the command";

fn lacks_credentials(text: &str) -> bool {
    text.contains("credentials") || text.contains("CredentialsError")
}

pub(super) fn chain(error: &dyn Error) -> String {
    let mut out = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !out.contains(&text) {
            out = format!("{out}: {text}");
        }
        next = cause.source();
    }
    out
}

fn classify(api: Api, code: &str, message: &str, status: u16) -> Class {
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
            Class::NotYet
        }
        // CreateTable of an existing table and any call on a table that is being changed share one code.
        "ResourceInUseException" if says("already exists") || api.operation == "CreateTable" => {
            Class::Conflict
        }
        "ResourceInUseException" if api.service == "dynamodb" => Class::NotYet,
        // DynamoDB allows so many table operations and index changes at once ("... can be created, updated, or deleted
        // simultaneously"); its other limits, of tables for instance, last.
        "LimitExceededException" if api.service == "dynamodb" && says("simultaneously") => {
            Class::NotYet
        }
        "ContinuousBackupsUnavailableException" => Class::NotYet,
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
        "EntityTemporarilyUnmodifiable" => Class::NotYet,
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
            Class::NotYet
        }
        // "Cluster cannot be deleted, it still contains DB instances in non-deleting state."
        "InvalidDBClusterStateFault" if api.operation == "DeleteDBCluster" => Class::Held,
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
        "InvalidRequestException" if says("previous rotation") => Class::NotYet,
        // The gateway was attached to the table's VPC a moment ago.
        "InvalidParameterValue" if says("belong to different networks") => Class::Propagating,
        "DependencyViolation"
        | "DeleteConflict"
        | "BucketNotEmpty"
        | "InvalidGroup.InUse"
        | "InvalidDBSubnetGroupStateFault"
        | "InvalidDBParameterGroupState"
        | "InvalidDBParameterGroupStateFault"
        | "ResourceInUse" => Class::Held,
        "IncorrectState" if api.operation.starts_with("Delete") => Class::Held,
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
            Class::NotYet
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
        | "Unavailable" => Class::Network,
        _ if status == 429 => Class::Throttled,
        _ if status >= 500 && status != 501 => Class::Network,
        _ => Class::Permanent,
    }
}

/// True for RDS's words for a service-linked role that is not there (yet).
fn lacks_linked_role(message: &str) -> bool {
    message.contains("service linked role") || message.contains("ServiceLinkedRoles")
}

/// True for a mutating call that does not take anything away: what it names was made before it.
fn creates_or_changes(api: Api) -> bool {
    const AWAY: [&str; 5] = ["Delete", "Detach", "Untag", "Schedule", "Abort"];
    api.writes() && !AWAY.iter().any(|verb| api.operation.starts_with(verb))
}

/// What the user can do about it, where AWS's message alone does not say so.
fn hint(api: Api, fault: &Fault) -> Option<String> {
    match fault.code.as_str() {
        _ if fault.is_denied() => Some(format!(
            "allow `{}` for the credentials in use (an SCP or a permissions boundary may deny it too), then run the same command again: it goes on from here",
            permission(api)
        )),
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => Some(CLOCK.into()),
        _ if fault.message.contains("Signature expired")
            || fault.message.contains("Signature not yet current") =>
        {
            Some(CLOCK.into())
        }
        "ExpiredToken" | "ExpiredTokenException" | "InvalidClientTokenId"
        | "UnrecognizedClientException" | "AuthFailure" | "SignatureDoesNotMatch"
        | "InvalidAccessKeyId" => Some(CREDENTIALS.into()),
        code if code.contains("LimitExceeded") || code.contains("QuotaExceeded") => Some(
            "raise this quota in Service Quotas, or remove what is not needed, then run the same command again"
                .into(),
        ),
        "InvalidParameter" if fault.message.contains("does not support the availability zone") => Some(
            "the service has no endpoint in that zone: set `network.zones` lower when it is the last one, or choose another --region".into(),
        ),
        "ValidationException" if fault.message.contains("Time to live has been modified multiple") => Some(
            "DynamoDB takes one change of a table's expiry within an hour; run `deployer apply` again later".into(),
        ),
        "PermanentRedirect" | "IllegalLocationConstraintException" if api.service == "s3" => Some(
            "the bucket exists in another region; choose another --suffix, or its --region".into(),
        ),
        "BucketAlreadyExists" => Some(
            "another account owns this bucket name; choose another --suffix".into(),
        ),
        "InsufficientDBInstanceCapacity" | "InsufficientDBClusterCapacityFault" => Some(
            "AWS has no capacity for this class in this zone just now; run the same command again later".into(),
        ),
        "InvalidParameterValue" if lacks_linked_role(&fault.message) => Some(
            "allow `iam:CreateServiceLinkedRole` for rds.amazonaws.com, or make the role once with `aws iam create-service-linked-role --aws-service-name rds.amazonaws.com`, then run the same command again".into(),
        ),
        "InvalidParameterCombination" if fault.message.contains("Cannot find version") => Some(
            "AWS no longer offers this engine version: set `database.engine_version` to one that `aws rds describe-db-engine-versions --engine aurora-postgresql` lists".into(),
        ),
        _ => None,
    }
}

/// The IAM action of a call. A few are not named like their operation (S3's "Actions, resources, and condition keys").
fn permission(api: Api) -> String {
    let action = match (api.service, api.operation) {
        ("s3", "ListBuckets") => "ListAllMyBuckets",
        ("s3", "HeadBucket") => "ListBucket",
        ("s3", "PutBucketLifecycleConfiguration") => "PutLifecycleConfiguration",
        ("s3", "GetBucketLifecycleConfiguration") => "GetLifecycleConfiguration",
        ("s3", "PutBucketEncryption") => "PutEncryptionConfiguration",
        ("s3", "GetBucketEncryption") => "GetEncryptionConfiguration",
        ("s3", "PutPublicAccessBlock") => "PutBucketPublicAccessBlock",
        ("s3", "GetPublicAccessBlock") => "GetBucketPublicAccessBlock",
        ("s3", "ListObjectVersions") => "ListBucketVersions",
        ("s3", "DeleteObjects" | "DeleteObject") => "DeleteObjectVersion",
        ("s3", "DeleteBucketLifecycle") => "PutLifecycleConfiguration",
        ("s3", "ListMultipartUploads") => "ListBucketMultipartUploads",
        (_, operation) => operation,
    };
    format!("{}:{action}", api.service)
}

#[cfg(test)]
mod tests {
    use super::super::call::{once, read, repeatable};
    use super::*;

    #[test]
    fn an_answer_of_success_that_cannot_be_read_leaves_the_outcome_open() {
        use aws_sdk_ec2::operation::create_vpc::CreateVpcError;
        use aws_smithy_runtime_api::http::StatusCode;
        use aws_smithy_types::body::SdkBody;
        let answer = |status: u16| {
            let status = StatusCode::try_from(status).unwrap();
            let page = HttpResponse::new(status, SdkBody::from("<html>log in</html>"));
            let error = SdkError::service_error(CreateVpcError::unhandled("no XML we know"), page);
            fault(once("ec2", "CreateVpc"), &error)
        };
        let open = answer(200);
        assert_eq!(
            (open.class, &open.leaves),
            (Class::Network, &Leaves::Unknown)
        );
        assert!(open.message.contains("cannot be understood"), "{open}");
        assert_eq!(answer(403).class, Class::Permanent);
    }

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
        assert_eq!(of(create, "InternalError", "", 500), Class::Network);
        assert_eq!(of(create, "", "", 503), Class::Network);
        let delete = repeatable("ec2", "DeleteTransitGateway");
        assert_eq!(of(delete, "IncorrectState", "", 400), Class::Held);
        assert_eq!(of(create, "IncorrectState", "", 400), Class::NotYet);
        assert_eq!(of(delete, "DependencyViolation", "", 400), Class::Held);
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
        assert_eq!(of(ttl, "ResourceInUseException", "", 400), Class::NotYet);
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
        assert_eq!(of(delete, "InvalidDBClusterStateFault", ""), Class::Held);
        let modify = repeatable("rds", "ModifyDBCluster");
        assert_eq!(of(modify, "InvalidDBClusterStateFault", ""), Class::NotYet);
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
        assert_eq!(of(group, "InvalidDBParameterGroupState", ""), Class::Held);
        let rotate = repeatable("secretsmanager", "RotateSecret");
        let busy = "A previous rotation isn't complete. That rotation will be reattempted.";
        assert_eq!(of(rotate, "InvalidRequestException", busy), Class::NotYet);
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
            Class::NotYet
        );
        let text = "route table rtb-1 and network gateway igw-1 belong to different networks";
        assert_eq!(of(route, "InvalidParameterValue", text), Class::Propagating);
        let attach = once("ec2", "AttachInternetGateway");
        assert_eq!(
            of(attach, "Resource.AlreadyAssociated", ""),
            Class::Conflict
        );
        let detach = repeatable("ec2", "DetachInternetGateway");
        assert_eq!(of(detach, "DependencyViolation", ""), Class::Held);
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
        assert_eq!(of(table, "ResourceInUseException", leaving), Class::NotYet);
        let busy = "Subscriber limit exceeded: Only 10 tables can be created, updated, or deleted simultaneously";
        assert_eq!(of(table, "LimitExceededException", busy), Class::NotYet);
        let full = "Subscriber limit exceeded: There is a limit of 256 tables per subscriber";
        assert_eq!(of(table, "LimitExceededException", full), Class::Permanent);
        let backups = repeatable("dynamodb", "UpdateContinuousBackups");
        let soon = "ContinuousBackupsUnavailableException";
        assert_eq!(of(backups, soon, ""), Class::NotYet);
    }

    #[test]
    fn a_second_change_of_an_expiry_is_told_to_wait() {
        let text = "Time to live has been modified multiple times within a fixed interval";
        let fault = Fault::permanent("x", text).code("ValidationException");
        assert!(hint(repeatable("dynamodb", "UpdateTimeToLive"), &fault).is_some());
    }

    #[test]
    fn a_refused_permission_is_named_as_iam_names_it() {
        let fault = Fault::permanent("x", "y").code("AccessDenied");
        let text = hint(repeatable("s3", "PutBucketEncryption"), &fault).unwrap();
        assert!(text.contains("`s3:PutEncryptionConfiguration`"), "{text}");
    }
}

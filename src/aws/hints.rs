//! What the user can do about a failed call, where AWS's message alone does not say so. A hint follows what the error
//! means, not its code alone: services share codes, and one code has several meanings.

use super::api::Api;
use crate::engine::{Error, error};

/// A hint that several steps can share: it has one id, and is printed once for all of them.
pub(super) struct Hint {
    id: &'static str,
    text: &'static str,
}

impl Hint {
    /// The error with this hint.
    pub(super) fn on(&self, error: Error) -> Error {
        error.hint(self.text).topic(self.id)
    }
}

pub(super) const CREDENTIALS: Hint = Hint {
    id: error::CREDENTIALS,
    text: "log in again (`aws sso login`, new keys, or --profile NAME) and repeat the command",
};
const CLOCK: Hint = Hint {
    id: "clock",
    text: "the clock of this machine differs from AWS's by minutes: set it (`timedatectl` shows it), then repeat the command",
};
const NETWORK: Hint = Hint {
    id: "network",
    text: "check the network, the region, HTTPS_PROXY and NO_PROXY, AWS_CA_BUNDLE and AWS_ENDPOINT_URL, then repeat the command",
};
const NOT_AN_ANSWER: Hint = Hint {
    id: "not-aws",
    text: "something other than AWS answered, or changed the answer: check HTTPS_PROXY and NO_PROXY, AWS_CA_BUNDLE, the endpoint in use (AWS_ENDPOINT_URL) and what stands between here and AWS, then repeat the command",
};
const QUOTA: Hint = Hint {
    id: "quota",
    text: "raise this quota in Service Quotas, or remove what is not needed, then run the same command again",
};
const CAPACITY: Hint = Hint {
    id: "capacity",
    text: "AWS has no capacity for this class in this zone just now; run the same command again later",
};
const LINKED_ROLE: Hint = Hint {
    id: "service-linked-role",
    text: "allow `iam:CreateServiceLinkedRole` for rds.amazonaws.com, or make the role once with `aws iam create-service-linked-role --aws-service-name rds.amazonaws.com`, then run the same command again",
};
const ZONE: Hint = Hint {
    id: "zone",
    text: "the service has no endpoint in that zone: set `network.zones` lower when it is the last one, or choose another --region",
};
const EXPIRY: Hint = Hint {
    id: "table-expiry",
    text: "DynamoDB takes one change of a table's expiry within an hour; run `deployer apply` again later",
};
const OTHER_REGION: Hint = Hint {
    id: "bucket-region",
    text: "the bucket exists in another region; choose another --suffix, or its --region",
};
const BUCKET_TAKEN: Hint = Hint {
    id: "bucket-name",
    text: "another account owns this bucket name; choose another --suffix",
};
const VERSION: Hint = Hint {
    id: "engine-version",
    text: "AWS no longer offers this engine version: set `database.engine_version` to one that `aws rds describe-db-engine-versions --engine aurora-postgresql` lists",
};

/// How a refusal is worded that has no code of AWS.
pub(super) const NOT_AWS: &str = "not an answer of AWS";
/// How a success is worded that cannot be read.
pub(super) const NOT_UNDERSTOOD: &str = "the answer cannot be understood";

/// The error with the hint that fits it, if there is one.
pub(super) fn add(api: Api, error: Error) -> Error {
    if error.is_denied() && !wants_login(&error) {
        let action = api.permission();
        let again = if api.writes() {
            "it resumes from here"
        } else {
            "nothing was changed by this read"
        };
        let text = format!(
            "allow `{action}` for the credentials in use (an SCP or a permissions boundary may deny it too; `deployer permissions` prints a policy), then run the same command again: {again}"
        );
        return error.hint(text).topic(format!("permission:{action}"));
    }
    match meaning(api, &error) {
        Some(hint) => hint.on(error),
        None => error,
    }
}

fn meaning(api: Api, error: &Error) -> Option<&'static Hint> {
    let code = error.code.as_str();
    let says = |text: &str| error.message.contains(text);
    if wrong_clock(error) {
        return Some(&CLOCK);
    }
    if wants_login(error) {
        return Some(&CREDENTIALS);
    }
    Some(match code {
        "InsufficientDBInstanceCapacity"
        | "InsufficientDBInstanceCapacityFault"
        | "InsufficientDBClusterCapacityFault"
        | "InsufficientCapacity"
        | "InsufficientInstanceCapacity" => &CAPACITY,
        _ if is_quota(error) => &QUOTA,
        _ if says("does not support the availability zone") => &ZONE,
        "ValidationException" if says("Time to live has been modified multiple") => &EXPIRY,
        "PermanentRedirect"
        | "IllegalLocationConstraintException"
        | "AuthorizationHeaderMalformed"
            if api.service.name == "s3" =>
        {
            &OTHER_REGION
        }
        "BucketAlreadyExists" => &BUCKET_TAKEN,
        _ if api.service.name == "rds" && super::rds::lacks_linked_role(&error.message) => {
            &LINKED_ROLE
        }
        _ if says("Cannot find version") => &VERSION,
        "" if says(NOT_AWS) || says(NOT_UNDERSTOOD) => &NOT_AN_ANSWER,
        "" if error.class == crate::engine::Class::Unclear && error.request_id.is_none() => {
            &NETWORK
        }
        _ => return None,
    })
}

/// True when the text or the code says that this machine's clock is wrong. EC2 answers `RequestExpired` both for that and
/// for a session that has expired ("Request has expired."); only the text tells them apart, and an expired session is by
/// far the more common one.
fn wrong_clock(error: &Error) -> bool {
    let says = |text: &str| error.message.contains(text);
    matches!(
        error.code.as_str(),
        "RequestTimeTooSkewed" | "RequestInTheFuture"
    ) || says("Signature expired")
        || says("Signature not yet current")
        || says("clock")
        || says("time difference")
        || (error.code == "RequestExpired" && (says("Timestamp") || says("timestamp")))
}

/// True for a refusal of the credentials themselves.
fn wants_login(error: &Error) -> bool {
    let code = error.code.as_str();
    is_about_credentials(code)
        || error
            .message
            .contains("security token included in the request is expired")
        || error.message.contains("token has expired")
}

/// Codes that say that the signature or the credentials are not accepted.
pub(super) fn is_about_credentials(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "TokenRefreshRequired"
            | "InvalidToken"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "AuthFailure"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "InvalidAccessKeyId"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "NotSignedUp"
            | "OptInRequired"
            | "RequestTimeTooSkewed"
            | "RequestInTheFuture"
    )
}

/// Services have no common word for a quota that is reached.
fn is_quota(error: &Error) -> bool {
    let code = error.code.as_str();
    error.class == crate::engine::Class::Permanent
        && [
            "LimitExceeded",
            "QuotaExceeded",
            "TooManyBuckets",
            "MaximumLimit",
            "LimitReached",
        ]
        .iter()
        .any(|word| code.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{dynamodb, ec2, iam, rds, s3};

    fn topic(api: Api, code: &str, message: &str) -> Option<String> {
        add(api, Error::permanent("x", message).code(code)).topic
    }

    #[test]
    fn an_expired_session_is_told_to_log_in_and_a_wrong_clock_to_be_set() {
        let is = |code, message, want: &str| {
            assert_eq!(
                topic(ec2::DESCRIBE_VPCS, code, message).as_deref(),
                Some(want),
                "{code} {message}"
            );
        };
        is("RequestExpired", "Request has expired.", "credentials");
        is(
            "ExpiredToken",
            "The security token included in the request is expired",
            "credentials",
        );
        is(
            "AccessDenied",
            "The security token included in the request is expired",
            "credentials",
        );
        is(
            "RequestExpired",
            "Request has expired. Timestamp date is 2026-01-01T00:00:00Z.",
            "clock",
        );
        is(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            "clock",
        );
        is(
            "SignatureDoesNotMatch",
            "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z",
            "clock",
        );
        is(
            "InvalidSignatureException",
            "The request signature we calculated does not match",
            "credentials",
        );
    }

    #[test]
    fn a_quota_is_told_whatever_the_service_calls_it() {
        for (api, code) in [
            (ec2::CREATE_VPC, "VpcLimitExceeded"),
            (ec2::CREATE_TRANSIT_GATEWAY, "TransitGatewayLimitExceeded"),
            (rds::CREATE_DB_INSTANCE, "InstanceQuotaExceeded"),
            (rds::CREATE_DB_CLUSTER, "DBClusterQuotaExceededFault"),
            (iam::CREATE_ROLE, "LimitExceeded"),
            (dynamodb::CREATE_TABLE, "LimitExceededException"),
            (s3::CREATE_BUCKET, "TooManyBuckets"),
        ] {
            assert_eq!(topic(api, code, "").as_deref(), Some("quota"), "{code}");
        }
        assert_eq!(topic(ec2::CREATE_VPC, "InvalidParameter", "x"), None);
    }

    #[test]
    fn a_second_change_of_an_expiry_is_told_to_wait() {
        let text = "Time to live has been modified multiple times within a fixed interval";
        let topic = topic(dynamodb::UPDATE_TIME_TO_LIVE, "ValidationException", text);
        assert_eq!(topic.as_deref(), Some("table-expiry"));
    }

    #[test]
    fn a_refused_permission_is_named_as_iam_names_it() {
        let error = add(
            s3::PUT_BUCKET_ENCRYPTION,
            Error::permanent("x", "y").code("AccessDenied"),
        );
        let text = error.hint.unwrap();
        assert!(text.contains("`s3:PutEncryptionConfiguration`"), "{text}");
        let read = add(
            ec2::DESCRIBE_VPCS,
            Error::permanent("x", "y").code("UnauthorizedOperation"),
        );
        assert!(!read.hint.unwrap().contains("resumes from here"));
    }
}

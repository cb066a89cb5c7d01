//! What a failed call means. Each service says first what its own codes mean (`classify` in its file); what they share is
//! decided here. The class alone decides whether a call is sent again. Codes are those of the API references ("Common
//! errors", and the errors of each action).

use super::api::{Answer, Api};
use crate::engine::Class;

/// The class of one failed attempt.
pub(super) fn classify(api: Api, answer: Answer<'_>) -> Class {
    (api.service.classify)(api, answer).unwrap_or_else(|| common(api, answer))
}

fn common(api: Api, answer: Answer<'_>) -> Class {
    match answer.code {
        code if throttled(code) => Class::Throttled,
        "ConcurrentModification"
        | "ConcurrentModificationException"
        | "OperationAborted"
        | "OperationAbortedException"
        | "ResourceUnavailable" => Class::NotReady,
        "AlreadyExistsException" | "ResourceAlreadyExistsException" => Class::Conflict,
        "NotImplemented" | "InvalidAction" => Class::Permanent,
        "RequestTimeout"
        | "RequestTimeoutException"
        | "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServiceError"
        | "ServiceUnavailable"
        | "Unavailable" => Class::Unclear,
        code if gone(code) && !api.creates_or_changes() => Class::Gone,
        _ if answer.status == 429 => Class::Throttled,
        _ if answer.status >= 500 && answer.status != 501 => Class::Unclear,
        _ => Class::Permanent,
    }
}

fn throttled(code: &str) -> bool {
    matches!(
        code,
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
            | "EC2ThrottledException"
    )
}

/// The words that services have for "it does not exist". AWS has no common one.
fn gone(code: &str) -> bool {
    code.starts_with("NoSuch")
        || [
            "NotFound",
            "NotFoundFault",
            "NotFoundException",
            "NotFoundError",
        ]
        .iter()
        .any(|end| code.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{ec2, s3, sts};

    fn of(api: Api, code: &str, message: &str, status: u16) -> Class {
        let answer = Answer {
            code,
            message,
            status,
        };
        classify(api, answer)
    }

    #[test]
    fn throttling_and_unclear_answers_mean_the_same_everywhere() {
        for service in crate::aws::SERVICES {
            for api in (service.actions)() {
                for code in [
                    "Throttling",
                    "ThrottlingException",
                    "RequestLimitExceeded",
                    "SlowDown",
                ] {
                    assert_eq!(of(*api, code, "", 400), Class::Throttled, "{api:?} {code}");
                }
                for code in ["InternalFailure", "ServiceUnavailable"] {
                    assert_eq!(of(*api, code, "", 503), Class::Unclear, "{api:?} {code}");
                }
                assert_eq!(of(*api, "", "", 503), Class::Unclear, "{api:?}");
                assert_eq!(of(*api, "", "", 429), Class::Throttled, "{api:?}");
                for code in [
                    "AccessDenied",
                    "AccessDeniedException",
                    "UnauthorizedOperation",
                    "ExpiredToken",
                    "ValidationError",
                ] {
                    assert_eq!(
                        of(*api, code, "no", 403),
                        Class::Permanent,
                        "{api:?} {code}"
                    );
                }
                assert_eq!(
                    of(*api, "NotImplemented", "", 501),
                    Class::Permanent,
                    "{api:?}"
                );
            }
        }
    }

    #[test]
    fn what_does_not_exist_is_gone_for_reads_and_deletions_only() {
        assert_eq!(
            of(s3::GET_BUCKET_POLICY, "NoSuchBucketPolicy", "", 404),
            Class::Gone
        );
        assert_eq!(of(s3::HEAD_BUCKET, "NotFound", "", 404), Class::Gone);
        // AWS always has a code: this is the page of something else.
        assert_eq!(of(s3::LIST_BUCKETS, "", "", 404), Class::Permanent);
        assert_eq!(
            of(s3::PUT_BUCKET_POLICY, "NoSuchKey", "", 404),
            Class::Permanent
        );
        assert_eq!(
            of(ec2::DELETE_VPC, "InvalidVpcID.NotFound", "", 400),
            Class::Gone
        );
        assert_eq!(
            of(ec2::CREATE_SUBNET, "InvalidVpcID.NotFound", "", 400),
            Class::Propagating
        );
        assert_eq!(
            of(sts::GET_CALLER_IDENTITY, "AccessDenied", "", 403),
            Class::Permanent
        );
    }

    #[test]
    fn every_service_and_action_is_declared_once() {
        let mut seen = std::collections::BTreeSet::new();
        for service in crate::aws::SERVICES {
            for api in (service.actions)() {
                assert_eq!(api.service.name, service.name);
                assert!(seen.insert(api.action()), "{api:?} is declared twice");
                assert!(!api.grants.is_empty(), "{api:?} needs no permission?");
                let bucket = (service.bucket)(*api);
                assert!(bucket.burst >= 1.0 && bucket.rate > 0.0, "{api:?}");
            }
        }
    }
}

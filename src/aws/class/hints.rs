//! What the user can do about a failed call, where AWS's message alone does not say so.

use super::super::call::Api;
use super::table::lacks_linked_role;
use super::{CLOCK, CREDENTIALS};
use crate::engine::Error;

/// What the user can do about it, where AWS's message alone does not say so.
pub(super) fn hint(api: Api, error: &Error) -> Option<String> {
    match error.code.as_str() {
        _ if error.is_denied() => Some(format!(
            "allow `{}` for the credentials in use (an SCP or a permissions boundary may deny it too), then run the same command again: it goes on from here",
            permission(api)
        )),
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => Some(CLOCK.into()),
        _ if error.message.contains("Signature expired")
            || error.message.contains("Signature not yet current") =>
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
        "InvalidParameter" if error.message.contains("does not support the availability zone") => Some(
            "the service has no endpoint in that zone: set `network.zones` lower when it is the last one, or choose another --region".into(),
        ),
        "ValidationException" if error.message.contains("Time to live has been modified multiple") => Some(
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
        "InvalidParameterValue" if lacks_linked_role(&error.message) => Some(
            "allow `iam:CreateServiceLinkedRole` for rds.amazonaws.com, or make the role once with `aws iam create-service-linked-role --aws-service-name rds.amazonaws.com`, then run the same command again".into(),
        ),
        "InvalidParameterCombination" if error.message.contains("Cannot find version") => Some(
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
        ("s3", "GetBucketReplication") => "GetReplicationConfiguration",
        ("s3", "DeleteBucketReplication") => "PutReplicationConfiguration",
        ("s3", "GetBucketNotificationConfiguration") => "GetBucketNotification",
        ("s3", "PutBucketNotificationConfiguration") => "PutBucketNotification",
        ("s3", "ListBucketInventoryConfigurations") => "GetInventoryConfiguration",
        ("s3", "DeleteBucketInventoryConfiguration") => "PutInventoryConfiguration",
        ("s3", "ListMultipartUploads") => "ListBucketMultipartUploads",
        (_, operation) => operation,
    };
    format!("{}:{action}", api.service)
}

#[cfg(test)]
mod tests {
    use super::super::super::call::repeatable;
    use super::*;

    #[test]
    fn a_second_change_of_an_expiry_is_told_to_wait() {
        let text = "Time to live has been modified multiple times within a fixed interval";
        let error = Error::permanent("x", text).code("ValidationException");
        assert!(hint(repeatable("dynamodb", "UpdateTimeToLive"), &error).is_some());
    }

    #[test]
    fn a_refused_permission_is_named_as_iam_names_it() {
        let error = Error::permanent("x", "y").code("AccessDenied");
        let text = hint(repeatable("s3", "PutBucketEncryption"), &error).unwrap();
        assert!(text.contains("`s3:PutEncryptionConfiguration`"), "{text}");
    }

    /// The tokens in backticks of the README's table of permissions, as `service:Action`, which may end in `*`.
    fn permitted() -> Vec<String> {
        let readme = include_str!("../../../README.md");
        let rows = readme
            .lines()
            .skip_while(|l| !l.starts_with("| service | actions |"));
        let mut all = Vec::new();
        for row in rows.skip(2).take_while(|l| l.starts_with('|')) {
            let mut cells = row.split('|').skip(1);
            let service = cells.next().unwrap().split(',').next().unwrap().trim();
            let actions = cells.next().unwrap().split('`').skip(1).step_by(2);
            all.extend(actions.map(|a| format!("{service}:{a}")));
        }
        all
    }

    /// Every `"service", "Operation"` of the sources, and the operations that S3's macros name alone.
    fn called(folder: &std::path::Path, all: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                called(&path, all);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            let parts: Vec<&str> = text.split('"').collect();
            let is_operation = |t: &str| {
                let verbs = ["Get", "Put", "Delete"];
                verbs.iter().any(|v| t.starts_with(v)) && t.chars().all(char::is_alphanumeric)
            };
            for at in (1..parts.len()).step_by(2) {
                let before = parts.get(at.wrapping_sub(2)).copied().unwrap_or_default();
                let paired = parts[at - 1].trim() == ",";
                let is_service = before
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '2' || c == '3');
                let capital = parts[at].starts_with(|c: char| c.is_ascii_uppercase())
                    && parts[at].chars().all(char::is_alphanumeric);
                if paired && is_service && !before.is_empty() && capital {
                    all.push((before.to_owned(), parts[at].to_owned()));
                } else if path.components().any(|c| c.as_os_str() == "s3")
                    && is_operation(parts[at])
                {
                    all.push(("s3".to_owned(), parts[at].to_owned()));
                }
            }
        }
    }

    #[test]
    fn the_readme_lists_every_permission_that_a_call_needs() {
        let permitted = permitted();
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut calls = Vec::new();
        for folder in ["aws", "resources"] {
            called(&source.join(folder), &mut calls);
        }
        assert!(calls.len() > 150, "{}", calls.len());
        for (service, operation) in calls {
            let api = repeatable(
                String::leak(service.clone()),
                String::leak(operation.clone()),
            );
            let action = permission(api);
            let listed = permitted.iter().any(|p| match p.strip_suffix('*') {
                Some(start) => action.starts_with(start),
                None => *p == action,
            });
            assert!(listed, "{action} ({operation}) is missing in the README");
        }
    }
}

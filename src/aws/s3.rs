//! S3: its client, actions, limits and errors.

use super::api::{ANY, Answer, Api, Grant, STATE_AT, STATE_IN, Service, actions, bucket, named};
use super::call::Caller;
use crate::engine::Class;
use aws_sdk_s3::Client;
use std::sync::Arc;

/// S3 as a service. It publishes no limit for its bucket calls; this many have not been throttled.
pub static SERVICE: Service = Service {
    name: "s3",
    classify,
    bucket: |api| bucket(api.operation, 200.0, 100.0),
    actions: || ACTIONS,
};

const BUCKET: Grant = named("arn:aws:s3:::*-{suffix}");
const OBJECTS: Grant = named("arn:aws:s3:::*-{suffix}/*");
const STATE_BUCKET: Grant = named(STATE_IN);
const STATE: Grant = named(STATE_AT);

actions! { SERVICE;
    Read LIST_BUCKETS = "ListBuckets", [ANY.of("s3:ListAllMyBuckets")];
    Read GET_BUCKET_VERSIONING = "GetBucketVersioning", [BUCKET];
    Read GET_BUCKET_OWNERSHIP_CONTROLS = "GetBucketOwnershipControls", [BUCKET];
    Read GET_BUCKET_ENCRYPTION = "GetBucketEncryption", [BUCKET.of("s3:GetEncryptionConfiguration")];
    Read GET_PUBLIC_ACCESS_BLOCK = "GetPublicAccessBlock", [BUCKET.of("s3:GetBucketPublicAccessBlock")];
    Read GET_BUCKET_POLICY = "GetBucketPolicy", [BUCKET];
    Read GET_BUCKET_LOGGING = "GetBucketLogging", [BUCKET];
    Read GET_BUCKET_LIFECYCLE_CONFIGURATION = "GetBucketLifecycleConfiguration", [BUCKET.of("s3:GetLifecycleConfiguration")];
    Read GET_BUCKET_TAGGING = "GetBucketTagging", [BUCKET];
    Read GET_BUCKET_ACL = "GetBucketAcl", [BUCKET];
    Read GET_BUCKET_REPLICATION = "GetBucketReplication", [BUCKET.of("s3:GetReplicationConfiguration")];
    Read GET_BUCKET_NOTIFICATION_CONFIGURATION = "GetBucketNotificationConfiguration", [BUCKET.of("s3:GetBucketNotification")];
    Read GET_BUCKET_WEBSITE = "GetBucketWebsite", [BUCKET];
    Read GET_BUCKET_CORS = "GetBucketCors", [BUCKET.of("s3:GetBucketCORS")];
    Read LIST_BUCKET_INVENTORY_CONFIGURATIONS = "ListBucketInventoryConfigurations", [BUCKET.of("s3:GetInventoryConfiguration")];
    Read LIST_BUCKET_ANALYTICS_CONFIGURATIONS = "ListBucketAnalyticsConfigurations", [BUCKET.of("s3:GetAnalyticsConfiguration")];
    Read LIST_OBJECT_VERSIONS = "ListObjectVersions", [BUCKET.of("s3:ListBucketVersions")];
    Read LIST_MULTIPART_UPLOADS = "ListMultipartUploads", [BUCKET.of("s3:ListBucketMultipartUploads")];
    Read HEAD_BUCKET = "HeadBucket", [STATE_BUCKET.of("s3:ListBucket")];
    Read LIST_OBJECTS_V2 = "ListObjectsV2", [STATE_BUCKET.of("s3:ListBucket")];
    Read GET_OBJECT = "GetObject", [STATE];
    Repeatable PUT_OBJECT = "PutObject", [STATE];
    Once CREATE_BUCKET = "CreateBucket", [BUCKET, BUCKET.of("s3:TagResource"), BUCKET.of("s3:PutBucketTagging")];
    Repeatable PUT_BUCKET_VERSIONING = "PutBucketVersioning", [BUCKET];
    Repeatable PUT_BUCKET_OWNERSHIP_CONTROLS = "PutBucketOwnershipControls", [BUCKET];
    Repeatable PUT_BUCKET_ENCRYPTION = "PutBucketEncryption", [BUCKET.of("s3:PutEncryptionConfiguration")];
    Repeatable PUT_PUBLIC_ACCESS_BLOCK = "PutPublicAccessBlock", [BUCKET.of("s3:PutBucketPublicAccessBlock")];
    Repeatable PUT_BUCKET_POLICY = "PutBucketPolicy", [BUCKET];
    Repeatable DELETE_BUCKET_POLICY = "DeleteBucketPolicy", [BUCKET];
    Repeatable PUT_BUCKET_LOGGING = "PutBucketLogging", [BUCKET];
    Repeatable PUT_BUCKET_LIFECYCLE_CONFIGURATION = "PutBucketLifecycleConfiguration", [BUCKET.of("s3:PutLifecycleConfiguration")];
    Repeatable DELETE_BUCKET_LIFECYCLE = "DeleteBucketLifecycle", [BUCKET.of("s3:PutLifecycleConfiguration")];
    Repeatable PUT_BUCKET_TAGGING = "PutBucketTagging", [BUCKET];
    Repeatable PUT_BUCKET_ACL = "PutBucketAcl", [BUCKET];
    Repeatable DELETE_BUCKET_REPLICATION = "DeleteBucketReplication", [BUCKET.of("s3:PutReplicationConfiguration")];
    Repeatable PUT_BUCKET_NOTIFICATION_CONFIGURATION = "PutBucketNotificationConfiguration", [BUCKET.of("s3:PutBucketNotification")];
    Repeatable DELETE_BUCKET_CORS = "DeleteBucketCors", [BUCKET.of("s3:PutBucketCORS")];
    Repeatable DELETE_BUCKET_WEBSITE = "DeleteBucketWebsite", [BUCKET];
    Repeatable DELETE_BUCKET_INVENTORY_CONFIGURATION = "DeleteBucketInventoryConfiguration", [BUCKET.of("s3:PutInventoryConfiguration")];
    Repeatable DELETE_BUCKET_ANALYTICS_CONFIGURATION = "DeleteBucketAnalyticsConfiguration", [BUCKET.of("s3:PutAnalyticsConfiguration")];
    Repeatable DELETE_OBJECT = "DeleteObject", [OBJECTS, OBJECTS.of("s3:DeleteObjectVersion")];
    Repeatable DELETE_OBJECTS = "DeleteObjects", [OBJECTS.of("s3:DeleteObjectVersion"), OBJECTS.of("s3:DeleteObject"), STATE.of("s3:DeleteObject")];
    Repeatable ABORT_MULTIPART_UPLOAD = "AbortMultipartUpload", [OBJECTS];
    Repeatable DELETE_BUCKET = "DeleteBucket", [BUCKET];
}

/// "Amazon S3 data consistency model": bucket configurations are eventually consistent.
fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        "NoSuchBucket" if api.creates_or_changes() => Class::Propagating,
        "InvalidTargetBucketForLogging" if answer.says("does not exist") => Class::Propagating,
        // A fresh role or principal that is not visible everywhere yet.
        "MalformedPolicy" if answer.says("nvalid principal") => Class::Propagating,
        // A condition that does not hold ("Conditional requests" in the S3 user guide), or another write at the same time.
        "PreconditionFailed" => Class::Conflict,
        "ConditionalRequestConflict" => Class::NotReady,
        "BucketNotEmpty" => Class::InUse,
        "BucketAlreadyExists" | "BucketAlreadyOwnedByYou" => Class::Conflict,
        _ => return None,
    })
}

/// S3: its client.
pub struct S3 {
    pub client: Client,
}

impl S3 {
    pub(super) fn new(config: &aws_config::SdkConfig, _: &Arc<Caller>) -> Self {
        let mut s3 = aws_sdk_s3::config::Builder::from(config);
        // A custom endpoint seldom has wildcard names for buckets.
        s3.set_force_path_style(config.endpoint_url().map(|_| true));
        Self {
            client: Client::from_conf(s3.build()),
        }
    }
}

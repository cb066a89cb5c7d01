//! Reads and writes a bucket's settings. S3 has one call per setting: a bucket that exists costs a dozen reads, one that
//! does not costs one.

use super::exposed;
use super::lifecycle::Rule;
use super::model::{Bucket, Encryption, Logging, PublicAccess};
use super::tags::{tags_of, unless};
use crate::aws::{Aws, s3};
use crate::engine::{Delta, Error};
use crate::resources::Tags;
use crate::resources::policy::Policy;
use aws_sdk_s3::types::{
    self as t, BucketLifecycleConfiguration, BucketLoggingStatus, BucketVersioningStatus,
    LoggingEnabled, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, VersioningConfiguration,
};
use std::collections::BTreeMap;

/// A read of one setting, with the account that must own the bucket.
macro_rules! get {
    ($cx:expr, $bucket:expr, $api:expr, $method:ident) => {
        $cx.call($api, || {
            $cx.s3
                .client
                .$method()
                .bucket($bucket)
                .expected_bucket_owner(&$cx.account)
                .send()
        })
    };
}

/// A change of one setting, with the account that must own the bucket.
macro_rules! put {
    ($cx:expr, $bucket:expr, $api:expr, $method:ident $(, $field:ident = $value:expr)*) => {
        $cx.call($api, || {
            $cx.s3.client
                .$method()
                .bucket($bucket)
                .expected_bucket_owner(&$cx.account)
                $(.$field($value.clone()))*
                .send()
        })
        .await
    };
}

/// All settings and tags. `NoSuchBucket` when it does not exist.
pub(super) async fn all(cx: &Aws, bucket: &str, wanted: &Tags) -> Result<(Bucket, Tags), Error> {
    let arn = format!("arn:aws:s3:::{bucket}");
    let versioning = get!(cx, bucket, s3::GET_BUCKET_VERSIONING, get_bucket_versioning).await?;
    let (ownership, encryption, public_access, policy, logging, lifecycle, mut exposed, tags) = futures::try_join!(
        ownership(cx, bucket),
        encryption(cx, bucket),
        public_access(cx, bucket),
        policy(cx, bucket),
        logging(cx, bucket),
        lifecycle(cx, bucket),
        exposed::read(cx, bucket),
        cx.tagged(&arn, wanted, tags_of(cx, bucket)),
    )?;
    // "Bucket owner enforced": access lists count no more, and S3 sets none.
    if ownership != ObjectOwnership::BucketOwnerEnforced.as_str() {
        exposed.extend(exposed::access_list(cx, bucket).await?);
    }
    if !public_access.is_complete() {
        exposed.extend(exposed::to_browsers(cx, bucket).await?);
    }
    let spec = Bucket {
        ownership,
        versioning: versioning.status() == Some(&BucketVersioningStatus::Enabled),
        encryption,
        public_access,
        policy,
        logging,
        lifecycle,
        exposed,
    };
    Ok((spec, tags))
}

async fn ownership(cx: &Aws, bucket: &str) -> Result<String, Error> {
    let answer = get!(
        cx,
        bucket,
        s3::GET_BUCKET_OWNERSHIP_CONTROLS,
        get_bucket_ownership_controls
    )
    .await;
    let answer = unless(answer, "OwnershipControlsNotFoundError")?;
    let controls = answer.and_then(|a| a.ownership_controls);
    let rule = controls.and_then(|c| c.rules.into_iter().next());
    // A bucket without controls is one from before there were any: writers own their objects.
    Ok(rule.map_or_else(
        || ObjectOwnership::ObjectWriter.as_str().to_owned(),
        |r| r.object_ownership.as_str().to_owned(),
    ))
}

async fn encryption(cx: &Aws, bucket: &str) -> Result<Encryption, Error> {
    let answer = get!(cx, bucket, s3::GET_BUCKET_ENCRYPTION, get_bucket_encryption).await;
    let answer = unless(answer, "ServerSideEncryptionConfigurationNotFoundError")?;
    let rules = answer
        .and_then(|a| a.server_side_encryption_configuration)
        .map(|c| c.rules)
        .unwrap_or_default();
    let default = rules
        .into_iter()
        .find_map(|r| r.apply_server_side_encryption_by_default);
    Ok(match default {
        Some(by) => Encryption {
            algorithm: by.sse_algorithm.as_str().to_owned(),
            kms_key: by.kms_master_key_id.map(Into::into),
        },
        None => Encryption {
            algorithm: "none".into(),
            kms_key: None,
        },
    })
}

async fn public_access(cx: &Aws, bucket: &str) -> Result<PublicAccess, Error> {
    let answer = get!(
        cx,
        bucket,
        s3::GET_PUBLIC_ACCESS_BLOCK,
        get_public_access_block
    )
    .await;
    let answer = unless(answer, "NoSuchPublicAccessBlockConfiguration")?;
    let Some(block) = answer.and_then(|a| a.public_access_block_configuration) else {
        return Ok(PublicAccess::default());
    };
    Ok(PublicAccess {
        block_acls: block.block_public_acls.unwrap_or(false),
        ignore_acls: block.ignore_public_acls.unwrap_or(false),
        block_policy: block.block_public_policy.unwrap_or(false),
        restrict: block.restrict_public_buckets.unwrap_or(false),
    })
}

async fn policy(cx: &Aws, bucket: &str) -> Result<Option<Policy>, Error> {
    let answer = get!(cx, bucket, s3::GET_BUCKET_POLICY, get_bucket_policy).await;
    let answer = unless(answer, "NoSuchBucketPolicy")?;
    Ok(answer
        .and_then(|a| a.policy)
        .map(|text| Policy::parse(&text)))
}

async fn logging(cx: &Aws, bucket: &str) -> Result<Option<Logging>, Error> {
    let answer = get!(cx, bucket, s3::GET_BUCKET_LOGGING, get_bucket_logging).await?;
    Ok(answer.logging_enabled.map(|l| Logging {
        bucket: l.target_bucket.into(),
        prefix: l.target_prefix,
    }))
}

async fn lifecycle(cx: &Aws, bucket: &str) -> Result<BTreeMap<String, Rule>, Error> {
    let answer = get!(
        cx,
        bucket,
        s3::GET_BUCKET_LIFECYCLE_CONFIGURATION,
        get_bucket_lifecycle_configuration
    )
    .await;
    let answer = unless(answer, "NoSuchLifecycleConfiguration")?;
    let rules = answer.and_then(|a| a.rules).unwrap_or_default();
    Ok(rules.iter().map(Rule::from_s3).collect())
}

/// Puts what `delta` names: first what protects, then what gives access, last what moves data.
pub(super) async fn update(
    want: &Bucket,
    cx: &Aws,
    bucket: &str,
    delta: &Delta,
) -> Result<(), Error> {
    exposed::close(cx, bucket, delta).await?;
    if delta.touches("public_access") {
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(want.public_access.block_acls)
            .ignore_public_acls(want.public_access.ignore_acls)
            .block_public_policy(want.public_access.block_policy)
            .restrict_public_buckets(want.public_access.restrict)
            .build();
        put!(
            cx,
            bucket,
            s3::PUT_PUBLIC_ACCESS_BLOCK,
            put_public_access_block,
            public_access_block_configuration = block
        )?;
    }
    if delta.touches("ownership") {
        let controls = ownership_controls(&want.ownership)?;
        put!(
            cx,
            bucket,
            s3::PUT_BUCKET_OWNERSHIP_CONTROLS,
            put_bucket_ownership_controls,
            ownership_controls = controls
        )?;
    }
    if delta.touches("encryption") {
        let encryption = default_encryption(&want.encryption)?;
        put!(
            cx,
            bucket,
            s3::PUT_BUCKET_ENCRYPTION,
            put_bucket_encryption,
            server_side_encryption_configuration = encryption
        )?;
    }
    if delta.touches("versioning") {
        let versioning = VersioningConfiguration::builder()
            .status(if want.versioning {
                BucketVersioningStatus::Enabled
            } else {
                BucketVersioningStatus::Suspended
            })
            .build();
        put!(
            cx,
            bucket,
            s3::PUT_BUCKET_VERSIONING,
            put_bucket_versioning,
            versioning_configuration = versioning
        )?;
    }
    if delta.touches("policy") {
        match &want.policy {
            Some(policy) => {
                let text = policy.document();
                put!(
                    cx,
                    bucket,
                    s3::PUT_BUCKET_POLICY,
                    put_bucket_policy,
                    policy = text
                )?;
            }
            None => {
                put!(cx, bucket, s3::DELETE_BUCKET_POLICY, delete_bucket_policy)?;
            }
        }
    }
    if delta.touches("logging") {
        let status = logging_status(want.logging.as_ref())?;
        put!(
            cx,
            bucket,
            s3::PUT_BUCKET_LOGGING,
            put_bucket_logging,
            bucket_logging_status = status
        )?;
    }
    if delta.touches("lifecycle") {
        if want.lifecycle.is_empty() {
            put!(
                cx,
                bucket,
                s3::DELETE_BUCKET_LIFECYCLE,
                delete_bucket_lifecycle
            )?;
        } else {
            let rules = rules(&want.lifecycle)?;
            put!(
                cx,
                bucket,
                s3::PUT_BUCKET_LIFECYCLE_CONFIGURATION,
                put_bucket_lifecycle_configuration,
                lifecycle_configuration = rules
            )?;
        }
    }
    Ok(())
}

fn ownership_controls(ownership: &str) -> Result<OwnershipControls, Error> {
    OwnershipControlsRule::builder()
        .object_ownership(ObjectOwnership::from(ownership))
        .build()
        .and_then(|rule| OwnershipControls::builder().rules(rule).build())
        .map_err(|e| Error::permanent("s3:PutBucketOwnershipControls", e.to_string()))
}

fn default_encryption(want: &Encryption) -> Result<ServerSideEncryptionConfiguration, Error> {
    ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::from(want.algorithm.as_str()))
        .set_kms_master_key_id(want.kms_key.as_ref().map(|k| k.as_str().to_owned()))
        .build()
        .and_then(|by| {
            let rule = ServerSideEncryptionRule::builder()
                .apply_server_side_encryption_by_default(by)
                .build();
            ServerSideEncryptionConfiguration::builder()
                .rules(rule)
                .build()
        })
        .map_err(|e| Error::permanent("s3:PutBucketEncryption", e.to_string()))
}

fn logging_status(want: Option<&Logging>) -> Result<BucketLoggingStatus, Error> {
    let enabled = want.map(|l| {
        LoggingEnabled::builder()
            .target_bucket(l.bucket.as_str())
            .target_prefix(&l.prefix)
            .build()
    });
    let enabled = enabled
        .transpose()
        .map_err(|e| Error::permanent("s3:PutBucketLogging", e.to_string()))?;
    Ok(t::BucketLoggingStatus::builder()
        .set_logging_enabled(enabled)
        .build())
}

fn rules(want: &BTreeMap<String, Rule>) -> Result<BucketLifecycleConfiguration, Error> {
    let rules: Vec<t::LifecycleRule> = want
        .iter()
        .map(|(id, rule)| rule.to_s3(id))
        .collect::<Result<_, _>>()?;
    BucketLifecycleConfiguration::builder()
        .set_rules(Some(rules))
        .build()
        .map_err(|e| Error::permanent("s3:PutBucketLifecycleConfiguration", e.to_string()))
}

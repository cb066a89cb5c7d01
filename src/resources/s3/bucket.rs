//! A bucket. Its parts live beside it: `model` is its form, `lifecycle` that of its rules, `settings` reads and writes its
//! settings, `empty` empties it.
//!
//! Every call names the account that must own the bucket ("Verifying bucket ownership with bucket owner condition" in
//! the S3 user guide), so a bucket of another account that took our name is refused by S3 and never touched.

use super::model::Bucket;
use super::{S3Tags, empty, settings};
use crate::resources::prelude::*;
use crate::resources::recovery_points::not_asked;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, ObjectOwnership};

const CREATE: Api = s3::CREATE_BUCKET;
const DELETE: Api = s3::DELETE_BUCKET;

impl Kind for Bucket {
    const TYPE: &'static str = "s3/bucket";
    /// "General purpose bucket naming rules" in the S3 user guide, without dots (they break TLS host names).
    const NAME: NameRule = NameRule {
        min: 3,
        max: 63,
        legal: |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
        charset: "lower-case letters, digits and hyphens",
    };
    type Outputs = Named<Self>;
}

impl Resource for Bucket {
    const FACTS: Facts<Self> = Facts {
        global: true,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |_| Cost::usage(&["s3_storage", "s3_archive", "s3_writes", "s3_moves"]),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: true,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    const EXPIRES: &'static [(&'static str, &'static str)] = &[
        ("expire_days", "objects that are older are deleted"),
        (
            "noncurrent_days",
            "earlier versions that are older are deleted for good",
        ),
    ];
    type Tags = S3Tags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let (spec, tags) = match settings::all(cx, name, &key.identity.tags).await {
            Ok(all) => all,
            Err(error) if error.code == "NoSuchBucket" => return Ok(None),
            Err(error) if key.outputs.is_none() && is_elsewhere(&error) => {
                return Err(elsewhere(name, error));
            }
            Err(error) if error.is_denied() && key.outputs.is_none() => {
                return Err(explain(cx, name, error).await);
            }
            Err(error) => return Err(error),
        };
        let outputs = outputs(name);
        cx.recent.note(outputs.arn.as_str(), &tags);
        Ok(Some(Found::tagged(spec, outputs, tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Bucket>, Error> {
        let name = identity.name.as_str();
        let tags = super::tags::tags(CREATE, &identity.tags)?;
        // "CreateBucketConfiguration" in the S3 API reference: us-east-1 is the region that must not be named; tags
        // given here need s3:TagResource.
        let region =
            (cx.region != "us-east-1").then(|| BucketLocationConstraint::from(cx.region.as_str()));
        let configuration = CreateBucketConfiguration::builder()
            .set_location_constraint(region)
            .set_tags(Some(tags))
            .build();
        let call = cx.s3.client.create_bucket().bucket(name);
        let call = call
            .object_ownership(ObjectOwnership::from(self.ownership.as_str()))
            .create_bucket_configuration(configuration);
        cx.call(CREATE, || call.clone().send()).await?;
        Ok(outputs(name))
    }

    async fn update(&self, cx: &Aws, outputs: &Named<Bucket>, delta: &Delta) -> Result<(), Error> {
        settings::update(self, cx, outputs.name.as_str(), delta).await
    }

    async fn data(&self, cx: &Aws, outputs: &Named<Bucket>) -> Result<Data, Error> {
        empty::count(cx, outputs.name.as_str()).await
    }

    async fn remains(
        &self,
        _: &Aws,
        name: &str,
        _: Option<&Named<Self>>,
    ) -> Result<Option<Remains>, Error> {
        let nothing = Remains::nothing(
            "S3 keeps neither objects nor versions of a deleted bucket: what a replica has is put back by hand",
        );
        Ok(Some(
            nothing.with(not_asked(&format!("arn:aws:s3:::{name}"))),
        ))
    }

    /// Empties it and deletes it. What is written in between (log delivery) makes S3 refuse with `BucketNotEmpty`,
    /// class `InUse`: then all of this runs again.
    async fn delete(&self, cx: &Aws, outputs: &Named<Bucket>) -> Result<(), Error> {
        let name = outputs.name.as_str();
        ignore_not_found(empty::empty(cx, name).await)?;
        let call = cx.s3.client.delete_bucket().bucket(name);
        let call = call.expected_bucket_owner(&cx.account);
        cx.delete(DELETE, || call.clone().send()).await
    }
}

/// The account's buckets in this region with our kind of name, and the tags of those.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let mut out = Vec::new();
    for name in ours(cx, None).await? {
        if !is_conventional(&name, suffix) {
            continue;
        }
        let outputs = outputs(&name);
        let arn = outputs.arn.as_str();
        let tags = match cx.recent.get(arn).await {
            Some(tags) => tags,
            None => match super::tags::tags_of(cx, &name).await {
                Err(error) if error.code == "NoSuchBucket" => continue,
                other => other?,
            },
        };
        out.extend(marked(Bucket::TYPE, arn, &name, tags, suffix));
    }
    Ok(out)
}

fn outputs(name: &str) -> Named<Bucket> {
    Named::new(name, format!("arn:aws:s3:::{name}"))
}

/// S3's answers about a bucket of another region.
fn is_elsewhere(error: &Error) -> bool {
    matches!(
        error.code.as_str(),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"
    )
}

/// A bucket of another region that nobody recorded is not this deployment's, whoever owns it.
fn elsewhere(name: &str, redirect: Error) -> Error {
    Error::of(
        Class::Conflict,
        redirect.action,
        format!("the bucket name `{name}` is taken by a bucket in another region"),
    )
    .code(redirect.code)
    .hint("bucket names are unique across all accounts and regions; choose another --suffix")
}

/// A refusal on a bucket that nobody recorded: S3 does not say whether a permission is missing or another account owns
/// the name; the list of the account's own buckets does.
async fn explain(cx: &Aws, name: &str, denied: Error) -> Error {
    // One that names the caller's own policies is about a permission, whoever owns the bucket.
    if denied.message.contains("identity-based policy") {
        return denied;
    }
    match ours(cx, Some(name)).await {
        Ok(buckets) if !buckets.iter().any(|b| b == name) => Error::of(
            Class::Conflict,
            denied.action,
            format!("the bucket name `{name}` is taken by another account"),
        )
        .code("BucketAlreadyExists")
        .hint("bucket names are unique across all accounts; choose another --suffix"),
        _ => denied,
    }
}

/// The names of the account's buckets in this region.
async fn ours(cx: &Aws, prefix: Option<&str>) -> Result<Vec<String>, Error> {
    let call = cx.s3.client.list_buckets().bucket_region(&cx.region);
    let call = call
        .max_buckets(10_000)
        .set_prefix(prefix.map(str::to_owned));
    let send = |token| call.clone().set_continuation_token(token).send();
    let all = cx.pages(s3::LIST_BUCKETS, send, |page| {
        let buckets = page.buckets.unwrap_or_default().into_iter();
        (buckets.filter_map(|b| b.name), page.continuation_token)
    });
    all.await
}

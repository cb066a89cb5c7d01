//! Empties a bucket: all versions and delete markers, all unfinished uploads.
//!
//! A key may hold characters that XML 1.0 cannot carry ("Naming Amazon S3 objects"): listings are asked for in
//! percent-encoding, and DeleteObjects, which names keys in XML, is not asked to delete those.

use crate::aws::{Aws, s3};
use crate::engine::{Class, Data, Error, Leftover, progress};
use crate::resources::policy::percent_decode;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{Delete, EncodingType, MultipartUpload, ObjectIdentifier};
use futures::future::try_join_all;
use std::time::Duration;

/// Single objects that are deleted, and uploads that are aborted, at once.
const AT_ONCE: usize = 32;

/// Empties it, until a stop lets no further call leave. May be repeated; `NoSuchBucket` when it does not exist.
pub(super) async fn empty(cx: &Aws, bucket: &str) -> Result<(), Error> {
    let mut deleted = 0;
    let mut refused = 0;
    let total = total(cx, bucket).await?;
    loop {
        match delete_a_page(cx, bucket, &mut deleted).await {
            Ok(false) => break,
            Ok(true) => refused = 0,
            // S3 was too busy for some of the keys; they are in the next listing again.
            Err(error) if error.class == Class::Throttled && refused < REFUSED => {
                refused += 1;
                progress::sleep(Duration::from_millis(500 << refused)).await;
            }
            Err(error) => return Err(error),
        }
        progress::report(deleted, total, "object versions deleted");
    }
    while abort_a_page(cx, bucket).await? {}
    Ok(())
}

/// How many versions of objects it holds, as far as one page tells. Unfinished uploads are not counted: nobody can read
/// them.
pub(super) async fn count(cx: &Aws, bucket: &str) -> Result<Data, Error> {
    let page = page(cx, bucket, None).await?;
    Ok(match (page.versions().len(), page.is_truncated()) {
        // A page of delete markers only, with more to come: versions may follow.
        (0, Some(true)) => Data::Holds("object versions or delete markers, more than 1,000".into()),
        (0, _) => Data::Empty,
        (1, Some(false) | None) => Data::Holds("1 object version".into()),
        (n, Some(true)) => Data::Holds(format!("more than {n} object versions")),
        (n, _) => Data::Holds(format!("{n} object versions")),
    })
}

/// Pages that are counted before the first deletion: 20,000 versions, or what 20 deletions take away.
const COUNTED: usize = 20;

/// How many versions and delete markers there are; `None` when there are more than it takes few calls to count.
async fn total(cx: &Aws, bucket: &str) -> Result<Option<u64>, Error> {
    let mut count = 0;
    let mut after = None;
    for _ in 0..COUNTED {
        let page = page(cx, bucket, after).await?;
        count += (page.versions().len() + page.delete_markers().len()) as u64;
        if page.is_truncated() != Some(true) {
            return Ok(Some(count));
        }
        let key = decoded(page.next_key_marker, page.encoding_type.as_ref());
        after = Some((Some(key), page.next_version_id_marker));
    }
    Ok(None)
}

/// A page of versions and delete markers: the first one, or the one after another's markers.
async fn page(
    cx: &Aws,
    bucket: &str,
    after: Option<(Option<String>, Option<String>)>,
) -> Result<ListObjectVersionsOutput, Error> {
    let (key, version) = after.unwrap_or_default();
    cx.call(s3::LIST_OBJECT_VERSIONS, || {
        cx.s3
            .client
            .list_object_versions()
            .bucket(bucket)
            .expected_bucket_owner(&cx.account)
            .encoding_type(EncodingType::Url)
            .max_keys(1000)
            .set_key_marker(key.clone())
            .set_version_id_marker(version.clone())
            .send()
    })
    .await
}

/// Pages in a row of which S3 may refuse keys because it is too busy.
const REFUSED: u32 = 6;

/// Deletes up to 1,000 versions and delete markers, the most that one DeleteObjects takes. False when there are no more.
/// Each page starts from the beginning: what was before is gone, and S3's listings show deletions at once.
async fn delete_a_page(cx: &Aws, bucket: &str, deleted: &mut u64) -> Result<bool, Error> {
    let page = page(cx, bucket, None).await?;
    let encoding = page.encoding_type().cloned();
    let versions = page.versions.unwrap_or_default();
    let markers = page.delete_markers.unwrap_or_default();
    let all = versions
        .into_iter()
        .map(|v| (v.key, v.version_id))
        .chain(markers.into_iter().map(|m| (m.key, m.version_id)));
    let all = all.map(|(key, version)| (decoded(key, encoding.as_ref()), version));
    let (together, alone): (Vec<_>, Vec<_>) = all.partition(|(key, _)| fits_xml(key));
    for some in alone.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|(key, id)| delete_one(cx, bucket, key, id))).await?;
        *deleted += some.len() as u64;
    }
    let count = together.len() as u64;
    if together.is_empty() {
        return Ok(!alone.is_empty());
    }
    let objects = together
        .into_iter()
        .map(|(key, version)| {
            ObjectIdentifier::builder()
                .key(key)
                .set_version_id(version)
                .build()
        })
        .collect::<Result<_, _>>()
        .map_err(|e| Error::permanent("s3:ListObjectVersions", e.to_string()))?;
    let delete = Delete::builder()
        .set_objects(Some(objects))
        .quiet(true)
        .build()
        .map_err(|e| Error::permanent("s3:DeleteObjects", e.to_string()))?;
    let answer = cx
        .call(s3::DELETE_OBJECTS, || {
            cx.s3
                .client
                .delete_objects()
                .bucket(bucket)
                .expected_bucket_owner(&cx.account)
                .delete(delete.clone())
                .send()
        })
        .await?;
    *deleted += count.saturating_sub(answer.errors().len() as u64);
    match answer.errors() {
        [] => Ok(true),
        errors => Err(refused(bucket, errors)),
    }
}

/// A key of a listing in `encoding`: in percent-encoding a space is `+`.
fn decoded(key: Option<String>, encoding: Option<&EncodingType>) -> String {
    let key = key.unwrap_or_default();
    match encoding {
        Some(EncodingType::Url) => percent_decode(&key.replace('+', " ")),
        _ => key,
    }
}

/// False for a key with characters that XML 1.0 has no way to write.
fn fits_xml(key: &str) -> bool {
    key.chars()
        .all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..) && !matches!(c, '\u{FFFE}' | '\u{FFFF}'))
}

async fn delete_one(
    cx: &Aws,
    bucket: &str,
    key: &str,
    version: &Option<String>,
) -> Result<(), Error> {
    cx.call(s3::DELETE_OBJECT, || {
        cx.s3
            .client
            .delete_object()
            .bucket(bucket)
            .expected_bucket_owner(&cx.account)
            .key(key)
            .set_version_id(version.clone())
            .send()
    })
    .await
    .map(drop)
}

/// An answer of 200 can hold errors of single keys ("DeleteObjects" in the S3 API reference).
fn refused(bucket: &str, errors: &[aws_sdk_s3::types::Error]) -> Error {
    let passing = |code: &str| matches!(code, "InternalError" | "SlowDown" | "ServiceUnavailable");
    // One that lasts counts for more than any number that pass.
    let worst = errors
        .iter()
        .find(|e| !passing(e.code().unwrap_or_default()))
        .unwrap_or(&errors[0]);
    let (key, code) = (
        worst.key().unwrap_or_default(),
        worst.code().unwrap_or_default(),
    );
    let class = if passing(code) {
        Class::Throttled
    } else {
        Class::Permanent
    };
    let text = format!(
        "{} objects of `{bucket}` could not be deleted, among them `{key}`: {}",
        errors.len(),
        worst.message().unwrap_or(code)
    );
    let error = Error::of(class, "s3:DeleteObjects", text)
        .code(code)
        .leftover(Leftover::Known(vec![bucket.to_owned()]));
    if error.is_denied() {
        error.hint("allow `s3:DeleteObjectVersion` for the credentials in use, or lift the object lock or legal hold, then run the same command again")
    } else {
        error
    }
}

async fn abort_a_page(cx: &Aws, bucket: &str) -> Result<bool, Error> {
    let page = cx
        .call(s3::LIST_MULTIPART_UPLOADS, || {
            cx.s3
                .client
                .list_multipart_uploads()
                .bucket(bucket)
                .expected_bucket_owner(&cx.account)
                .encoding_type(EncodingType::Url)
                .send()
        })
        .await?;
    let encoding = page.encoding_type().cloned();
    let mut uploads = page.uploads.unwrap_or_default();
    for upload in &mut uploads {
        upload.key = upload
            .key
            .take()
            .map(|k| decoded(Some(k), encoding.as_ref()));
    }
    for some in uploads.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|upload| abort(cx, bucket, upload))).await?;
    }
    Ok(!uploads.is_empty())
}

async fn abort(cx: &Aws, bucket: &str, upload: &MultipartUpload) -> Result<(), Error> {
    let answer = cx
        .call(s3::ABORT_MULTIPART_UPLOAD, || {
            cx.s3
                .client
                .abort_multipart_upload()
                .bucket(bucket)
                .expected_bucket_owner(&cx.account)
                .set_key(upload.key.clone())
                .set_upload_id(upload.upload_id.clone())
                .send()
        })
        .await;
    match answer {
        Err(error) if error.code != "NoSuchUpload" => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::types::Error;

    #[test]
    fn any_key_is_read_and_those_that_xml_cannot_carry_are_told() {
        let url = Some(&EncodingType::Url);
        let key = |k: &str, encoding| decoded(Some(k.into()), encoding);
        assert_eq!(key("a+b%2Bc%26%01/%C3%A9", url), "a b+c&\u{1}/é");
        assert_eq!(key("a+b%41", None), "a+b%41");
        assert!(fits_xml("a&b<\r\n\t>é😀") && !fits_xml("\u{1}") && !fits_xml("\u{FFFF}"));
    }

    #[test]
    fn an_error_that_lasts_is_the_one_that_is_told() {
        let error = |key: &str, code: &str| Error::builder().key(key).code(code).build();
        let busy = refused("b", &[error("a", "SlowDown")]);
        assert_eq!(busy.class, Class::Throttled);
        let error = refused(
            "b",
            &[error("a", "SlowDown"), error("locked", "AccessDenied")],
        );
        assert_eq!(error.class, Class::Permanent);
        assert!(error.message.contains("`locked`") && error.hint.is_some());
    }
}

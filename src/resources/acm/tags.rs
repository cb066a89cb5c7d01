//! Tags of certificates: given with the request, changed by ARN.

use super::certificate::CertificateOutputs;
use crate::resources::prelude::*;
use aws_sdk_acm::types::Tag;

/// The service's way to change tags.
pub enum AcmTags {}

/// Tags for a call.
pub(super) fn list(api: Api, tags: &Tags) -> Result<Vec<Tag>, Error> {
    let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    let all: Result<Vec<Tag>, _> = tags.iter().map(tag).collect();
    all.map_err(|e| Error::permanent(api.action(), e.to_string()))
}

impl TagCalls<CertificateOutputs> for AcmTags {
    async fn change(
        cx: &Aws,
        it: &CertificateOutputs,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        let arn = it.arn.as_str();
        if !set.is_empty() {
            const ADD: Api = acm::ADD_TAGS_TO_CERTIFICATE;
            let call = cx.acm.client.add_tags_to_certificate();
            let call = call.certificate_arn(arn);
            let call = call.set_tags(Some(list(ADD, set)?));
            cx.call(ADD, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            const REMOVE: Api = acm::REMOVE_TAGS_FROM_CERTIFICATE;
            let keys: Result<Vec<Tag>, _> = remove
                .iter()
                .map(|k| Tag::builder().key(k).build())
                .collect();
            let keys = keys.map_err(|e| Error::permanent(REMOVE.action(), e.to_string()))?;
            let call = cx.acm.client.remove_tags_from_certificate();
            let call = call.certificate_arn(arn).set_tags(Some(keys));
            cx.call(REMOVE, || call.clone().send()).await?;
        }
        Ok(())
    }
}

/// The tags of a certificate.
pub(super) async fn tags_of(cx: &Aws, arn: &str) -> Result<Tags, Error> {
    const READ: Api = acm::LIST_TAGS_FOR_CERTIFICATE;
    let call = cx.acm.client.list_tags_for_certificate();
    let call = call.certificate_arn(arn);
    let answer = cx.call(READ, || call.clone().send()).await?;
    let pair = |t: &Tag| (t.key.clone(), t.value().unwrap_or_default().to_owned());
    Ok(answer.tags().iter().map(pair).collect())
}

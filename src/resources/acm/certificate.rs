//! A public certificate that is validated by DNS records ([`super::Validation`]): AWS issues it once they are there, and
//! renews it by itself as long as they stay.

use super::AcmTags;
use super::tags::{list, tags_of};
use crate::engine::ownership::MARK_STEP;
use crate::resources::holders::{explain, not_beside};
use crate::resources::prelude::*;
use aws_sdk_acm::types as t;
use std::collections::BTreeSet;
use t::CertificateStatus as Status;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Certificate {
    /// The first name.
    pub domain: String,
    /// All names, the first among them.
    pub names: BTreeSet<String>,
    /// `RSA_2048`, `EC_prime256v1`.
    pub key_algorithm: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CertificateOutputs {
    /// A listener takes it from [`super::Validation`]: AWS takes an issued one only.
    pub arn: Ref<Arn<Certificate>>,
}

const READ: Api = acm::DESCRIBE_CERTIFICATE;
const LIST: Api = acm::LIST_CERTIFICATES;
const CREATE: Api = acm::REQUEST_CERTIFICATE;
const DELETE: Api = acm::DELETE_CERTIFICATE;

impl Kind for Certificate {
    const TYPE: &'static str = "acm/certificate";
    type Outputs = CertificateOutputs;
}

impl Resource for Certificate {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (2.0, 30.0),
        cost: |_| Cost::NONE,
        fixed: &["domain", "names", "key_algorithm"],
        changing: &[],
        replace: Replace::CreateFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = AcmTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let arn = match key.outputs {
            Some(it) => it.arn.to_string(),
            None => match of_step(cx, &key).await? {
                Some(arn) => arn,
                None => return Ok(None),
            },
        };
        let own = async {
            match cx.recent.take(&arn) {
                Some(tags) => Ok(tags),
                None => tags_of(cx, &arn).await,
            }
        };
        let tags = cx.tagged(&arn, &key.identity.tags, own);
        let (certificate, tags) = futures::join!(cx.acm.certificates.get(arn.clone()), tags);
        let (Some(certificate), Some(tags)) = (certificate?, found(tags)?) else {
            return Ok(None);
        };
        cx.recent.note(&arn, &tags);
        let phase = match certificate.status() {
            Some(Status::Issued | Status::PendingValidation) | None => Phase::Ready,
            Some(other) => {
                let why = certificate.failure_reason().map(|r| r.as_str());
                Phase::Failed(why.unwrap_or(other.as_str()).to_owned())
            }
        };
        let names = certificate.subject_alternative_names().iter();
        let algorithm = certificate.key_algorithm().map(|a| a.as_str());
        let spec = Self {
            domain: certificate.domain_name().unwrap_or_default().to_owned(),
            names: names.cloned().collect(),
            // AWS's two spellings of one algorithm.
            key_algorithm: algorithm.unwrap_or_default().replace('-', "_"),
        };
        let outputs = CertificateOutputs {
            arn: READ.field(certificate.certificate_arn(), "CertificateArn")?,
        };
        Ok(Some(Found::tagged(spec, outputs, tags).phase(phase)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<CertificateOutputs, Error> {
        let others = self.names.iter().filter(|n| **n != self.domain).cloned();
        let others: Vec<String> = others.collect();
        let call = cx.acm.client.request_certificate();
        let call = call
            .domain_name(&self.domain)
            .set_subject_alternative_names((!others.is_empty()).then_some(others))
            .validation_method(t::ValidationMethod::Dns)
            .key_algorithm(self.key_algorithm.as_str().into())
            // 32 hexadecimal digits: AWS takes no more, and no hyphen.
            .idempotency_token(&identity.token)
            .set_tags(Some(list(CREATE, &identity.tags)?));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        Ok(CertificateOutputs {
            arn: CREATE.field(made.certificate_arn(), "CertificateArn")?,
        })
    }

    async fn delete(&self, cx: &Aws, it: &CertificateOutputs) -> Result<(), Error> {
        let call = cx.acm.client.delete_certificate();
        let call = call.certificate_arn(&it.arn);
        let answer = cx.delete(DELETE, || call.clone().send()).await;
        explain(answer, others(cx, it.arn.as_str())).await
    }
}

/// Who else uses it: `InUseBy` of the certificate.
async fn others(cx: &Aws, arn: &str) -> Result<Vec<String>, Error> {
    let certificate = cx.acm.certificates.get(arn.to_owned());
    let (certificate, own) = futures::try_join!(certificate, tags_of(cx, arn))?;
    let users = certificate.and_then(|c| c.in_use_by).unwrap_or_default();
    not_beside(cx, &own, users).await
}

/// The certificate of these names that carries the step's mark. One with other names is what it replaces: it is looked for
/// by its ARN, which [`search`] gives it for a name.
async fn of_step(cx: &Aws, key: &Lookup<'_, Certificate>) -> Result<Option<String>, Error> {
    if key.identity.name.starts_with("arn:") {
        return Ok(Some(key.identity.name.clone()));
    }
    let step = key.identity.tags.get(MARK_STEP);
    for summary in listed(cx).await? {
        let (Some(arn), Some(domain)) = (summary.certificate_arn, summary.domain_name) else {
            continue;
        };
        if domain != key.spec.domain {
            continue;
        }
        let tags = match cx.recent.take(&arn) {
            Some(tags) => tags,
            None => found(tags_of(cx, &arn).await)?.unwrap_or_default(),
        };
        // The read that follows takes them: they are asked for once.
        cx.recent.hand_over(&arn, &tags);
        if !of_deployment(key.identity, &tags) || tags.get(MARK_STEP) != step {
            continue;
        }
        let certificate = cx.acm.certificates.get(arn.clone()).await?;
        let names = certificate.map(|c| c.subject_alternative_names.unwrap_or_default());
        let names: Option<BTreeSet<String>> = names.map(|n| n.into_iter().collect());
        if names.as_ref() == Some(&key.spec.names) {
            return Ok(Some(arn));
        }
    }
    Ok(None)
}

/// True when AWS has issued the certificate of this domain that carries the deployment's mark.
pub async fn is_issued(cx: &Aws, domain: &str, suffix: &str) -> Result<bool, Error> {
    let all = listed(cx).await?.into_iter();
    let same = all.filter(|s| s.domain_name() == Some(domain));
    for arn in same.filter_map(|s| s.certificate_arn) {
        let tags = found(tags_of(cx, &arn).await)?.unwrap_or_default();
        cx.recent.hand_over(&arn, &tags);
        if marked(Certificate::TYPE, &arn, &arn, tags, suffix).is_none() {
            continue;
        }
        let certificate = cx.acm.certificates.get(arn).await?;
        if certificate.is_some_and(|c| c.status() == Some(&Status::Issued)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// All certificates: without `Includes` AWS shows those with RSA keys of 2048 bits only.
async fn listed(cx: &Aws) -> Result<Vec<t::CertificateSummary>, Error> {
    let kinds = ["RSA_2048", "EC_prime256v1", "EC_secp384r1"];
    let includes = kinds
        .iter()
        .fold(t::Filters::builder(), |f, kind| f.key_types((*kind).into()));
    let call = cx.acm.client.list_certificates();
    let call = call.includes(includes.build()).max_items(1000);
    let send = |token| call.clone().set_next_token(token).send();
    let all = cx.pages(LIST, send, |page| {
        let certificates = page.certificate_summary_list;
        (certificates.unwrap_or_default(), page.next_token)
    });
    all.await
}

/// The listing shows neither tags nor a name of ours: every certificate that AWS issued is asked for its tags.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = listed(cx).await?.into_iter();
    let asks = all.filter_map(|summary| {
        let issued = summary.r#type == Some(t::CertificateType::AmazonIssued);
        let arn = summary.certificate_arn.filter(|_| issued)?;
        Some(async move {
            let tags = match cx.recent.get(&arn).await {
                Some(tags) => tags,
                None => found(tags_of(cx, &arn).await)?.unwrap_or_default(),
            };
            Ok::<_, Error>(marked(Certificate::TYPE, &arn, &arn, tags, suffix))
        })
    });
    let all = futures::future::try_join_all(asks).await?;
    Ok(all.into_iter().flatten().collect())
}

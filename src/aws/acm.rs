//! Certificate Manager: its client, actions, limits and errors.

use super::api::Guard::{RequestTag, ResourceTag};
use super::api::{ANY, Answer, Api, Grant, Service, actions, bucket, guarded};
use super::call::Caller;
use super::reader::Reader;
use crate::engine::Class;
use aws_sdk_acm::Client;
use aws_sdk_acm::types as t;
use futures::FutureExt;
use futures::future::try_join_all;
use std::sync::Arc;

/// Certificate Manager as a service. "Quotas", "API rate quotas": 5 requests for certificates and changes of tags a second, 8
/// lists, 10 of most other actions.
pub static SERVICE: Service = Service {
    name: "acm",
    classify,
    bucket: |api| match api.operation {
        "RequestCertificate" | "AddTagsToCertificate" | "RemoveTagsFromCertificate" => {
            bucket(api.operation, 5.0, 5.0)
        }
        "ListCertificates" => bucket(api.operation, 8.0, 8.0),
        _ => bucket(api.operation, 10.0, 10.0),
    },
    actions: || ACTIONS,
};

const CERTIFICATES: &str = "arn:aws:acm:{region}:{account}:certificate/*";
const OURS: Grant = guarded(CERTIFICATES, ResourceTag);
const NEW: Grant = guarded(CERTIFICATES, RequestTag);
const ALL: Grant = super::api::named(CERTIFICATES);

actions! { SERVICE;
    Read LIST_CERTIFICATES = "ListCertificates", [ANY];
    Read DESCRIBE_CERTIFICATE = "DescribeCertificate", [ALL];
    Read LIST_TAGS_FOR_CERTIFICATE = "ListTagsForCertificate", [ALL];
    Once REQUEST_CERTIFICATE = "RequestCertificate", [guarded("*", RequestTag), NEW.of("acm:AddTagsToCertificate")];
    Repeatable ADD_TAGS_TO_CERTIFICATE = "AddTagsToCertificate", [OURS];
    Repeatable REMOVE_TAGS_FROM_CERTIFICATE = "RemoveTagsFromCertificate", [OURS];
    Repeatable DELETE_CERTIFICATE = "DeleteCertificate", [OURS];
}

fn classify(_: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        // A listener that went a moment ago may still be shown as a user.
        "ResourceInUseException" => Class::InUse,
        "RequestInProgressException" => Class::NotReady,
        _ => return None,
    })
}

/// Certificate Manager: its client and the reader of certificates.
pub struct Acm {
    pub client: Client,
    /// DescribeCertificate, by ARN: a certificate and its validation are read together.
    pub certificates: Reader<String, t::CertificateDetail>,
}

impl Acm {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        Self {
            certificates: certificates(&client, caller),
            client,
        }
    }
}

fn certificates(client: &Client, caller: &Arc<Caller>) -> Reader<String, t::CertificateDetail> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |arns: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let one = async |arn: String| {
                let request = client.describe_certificate().certificate_arn(&arn);
                match caller
                    .call(DESCRIBE_CERTIFICATE, || request.clone().send())
                    .await
                {
                    Ok(found) => Ok(found.certificate.map(|c| (arn, c))),
                    Err(error) if error.is_not_found() => Ok(None),
                    Err(error) => Err(error),
                }
            };
            let all = try_join_all(arns.into_iter().map(one)).await?;
            Ok(all.into_iter().flatten().collect())
        }
        .boxed()
    })
}

//! ECR: its client, actions, limits and errors.

use super::api::{Answer, Api, Grant, Service, actions, bucket, named};
use super::call::Caller;
use super::kms::through;
use super::listing::{Listing, Named};
use crate::engine::{Class, Error};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{ImageIdentifier, Repository};
use futures::FutureExt;
use std::collections::BTreeMap;
use std::sync::Arc;

/// ECR as a service. "Amazon ECR service quotas": 10 calls a second for most actions.
pub static SERVICE: Service = Service {
    name: "ecr",
    classify,
    bucket: |api| bucket(api.operation, 10.0, 10.0),
    actions: || ACTIONS,
};

const OURS: Grant = named("arn:aws:ecr:{region}:{account}:repository/*-{suffix}");
const ALL: Grant = named("arn:aws:ecr:{region}:{account}:repository/*");
/// An image may be in a repository of another account.
const ANY_IMAGE: Grant = named("arn:aws:ecr:{region}:*:repository/*");

actions! { SERVICE;
    Read DESCRIBE_REPOSITORIES = "DescribeRepositories", [ALL];
    Read DESCRIBE_IMAGES = "DescribeImages", [ANY_IMAGE];
    Read GET_LIFECYCLE_POLICY = "GetLifecyclePolicy", [OURS];
    Read GET_REPOSITORY_POLICY = "GetRepositoryPolicy", [OURS];
    Read LIST_TAGS_FOR_RESOURCE = "ListTagsForResource", [OURS];
    Once CREATE_REPOSITORY = "CreateRepository", [OURS, OURS.of("ecr:TagResource"), through("kms:DescribeKey"), through("kms:CreateGrant")];
    Repeatable PUT_IMAGE_TAG_MUTABILITY = "PutImageTagMutability", [OURS];
    Repeatable PUT_IMAGE_SCANNING_CONFIGURATION = "PutImageScanningConfiguration", [OURS];
    Repeatable PUT_LIFECYCLE_POLICY = "PutLifecyclePolicy", [OURS];
    Repeatable DELETE_REPOSITORY_POLICY = "DeleteRepositoryPolicy", [OURS];
    Repeatable TAG_RESOURCE = "TagResource", [OURS];
    Repeatable UNTAG_RESOURCE = "UntagResource", [OURS];
    Repeatable DELETE_REPOSITORY = "DeleteRepository", [OURS];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        "RepositoryNotFoundException" if api.creates_or_changes() => Class::Propagating,
        "RepositoryNotEmptyException" => Class::InUse,
        "RepositoryAlreadyExistsException" => Class::Conflict,
        // A key that was made a moment ago.
        "KmsException" if api.creates_or_changes() => Class::Propagating,
        _ => return None,
    })
}

/// ECR: its client and its listings.
pub struct Ecr {
    pub client: Client,
    /// DescribeRepositories: all of the region.
    pub repositories: Listing<Repository>,
    caller: Arc<Caller>,
}

impl Ecr {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        Self {
            client: Client::new(config),
            repositories: repositories(&Client::new(config), caller),
            caller: caller.clone(),
        }
    }

    /// The tags of a repository.
    pub async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Error> {
        let call = self.client.list_tags_for_resource().resource_arn(arn);
        let api = LIST_TAGS_FOR_RESOURCE;
        let answer = self.caller.call(api, || call.clone().send()).await?;
        let tags = answer.tags.unwrap_or_default().into_iter();
        Ok(tags.map(|t| (t.key, t.value)).collect())
    }

    /// The digest of an image by its tag; `None` when there is no such image.
    pub async fn digest(
        &self,
        account: &str,
        repository: &str,
        tag: &str,
    ) -> Result<Option<String>, Error> {
        let call = self.client.describe_images().repository_name(repository);
        let call = call
            .registry_id(account)
            .image_ids(ImageIdentifier::builder().image_tag(tag).build());
        match self
            .caller
            .call(DESCRIBE_IMAGES, || call.clone().send())
            .await
        {
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
            Ok(answer) => {
                let first = answer.image_details.unwrap_or_default().into_iter().next();
                Ok(first.and_then(|image| image.image_digest))
            }
        }
    }
}

impl Named for Repository {
    fn name(&self) -> Option<&str> {
        self.repository_name()
    }
    fn is(&self, name: &str) -> bool {
        self.repository_name() == Some(name)
    }
}

fn repositories(client: &Client, caller: &Arc<Caller>) -> Listing<Repository> {
    let (client, caller) = (client.clone(), caller.clone());
    Listing::new(move || {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let call = client.describe_repositories().max_results(1000);
            let send = |token| call.clone().set_next_token(token).send();
            let all = caller.pages(DESCRIBE_REPOSITORIES, send, |page| {
                (page.repositories.unwrap_or_default(), page.next_token)
            });
            all.await
        }
        .boxed()
    })
}

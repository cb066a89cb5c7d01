//! Which image each service runs: by tag as the configuration says, and by digest as the account's registry answers.
//!
//! A tag may be moved, a digest never: so what runs is written by digest. As long as the registry has no such image the service
//! has no tasks; a service that ran once keeps the image that is recorded.

use super::Shared;
use super::services::{SERVICES, Service};
use crate::aws::Aws;
use crate::config::Config;
use crate::engine::{Check, Error, Level};
use futures::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet};

/// Images by service, as the registry knows them: `URI@sha256:...`.
pub type Images = BTreeMap<String, String>;

/// The thing in the name of a service's repository.
pub fn repository(service: &Service) -> String {
    format!("repository-{}", service.name)
}

/// An image as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    account: String,
    registry: String,
    repository: String,
    /// `:1.4.2` or `@sha256:...`
    reference: String,
}

impl Image {
    /// The image of a service: a URI that the configuration gives, else the tag in the repository that we make.
    pub fn of(config: &Config, account: &str, service: &Service) -> Self {
        if let Some((registry, rest)) = config
            .services
            .images
            .get(service.name)
            .and_then(|uri| uri.split_once('/'))
        {
            let at = rest.find(['@', ':']).unwrap_or(rest.len());
            let (repository, reference) = rest.split_at(at);
            return Self {
                account: registry.split('.').next().unwrap_or_default().to_owned(),
                registry: registry.to_owned(),
                repository: repository.to_owned(),
                reference: reference.to_owned(),
            };
        }
        let region = &config.region;
        let thing = repository(service);
        Self {
            account: account.to_owned(),
            registry: format!("{account}.dkr.ecr.{region}.amazonaws.com"),
            repository: format!("{thing}-{Shared}-{}", config.suffix),
            reference: format!(":{}", config.services.image_tag),
        }
    }

    /// True for an image in a repository of somebody else's.
    pub fn is_given(config: &Config, service: &Service) -> bool {
        config.services.images.contains_key(service.name)
    }

    /// `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG`
    pub fn uri(&self) -> String {
        format!("{}{}", self.untagged(), self.reference)
    }

    fn untagged(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The repositories of others that the configuration names, for policies.
    pub fn given(config: &Config, account: &str) -> Vec<String> {
        let given = SERVICES.iter().filter(|s| Self::is_given(config, s));
        let all = given.map(|service| Self::of(config, account, service).arn(config));
        let all: BTreeSet<String> = all.collect();
        all.into_iter().collect()
    }

    /// Where its repository is, for policies.
    pub fn arn(&self, config: &Config) -> String {
        let (region, account) = (&config.region, &self.account);
        format!(
            "arn:aws:ecr:{region}:{account}:repository/{}",
            self.repository
        )
    }

    async fn find(&self, aws: &Aws) -> Result<Option<String>, Error> {
        let Some(tag) = self.reference.strip_prefix(':') else {
            return Ok(Some(self.uri()));
        };
        let digest = aws.ecr.digest(&self.account, &self.repository, tag).await?;
        Ok(digest.map(|digest| format!("{}@{digest}", self.untagged())))
    }
}

/// The image of a service, as it is pushed.
pub fn uri(config: &Config, account: &str, service: &Service) -> String {
    Image::of(config, account, service).uri()
}

/// Asks the registry for all of them.
pub async fn read(aws: &Aws, config: &Config, account: &str) -> Result<Images, Error> {
    let asks = SERVICES.iter().map(|service| async move {
        let found = Image::of(config, account, service).find(aws).await?;
        Ok::<_, Error>(found.map(|uri| (service.name.to_owned(), uri)))
    });
    let all = try_join_all(asks).await?;
    Ok(all.into_iter().flatten().collect())
}

/// What is recorded stands in for what the registry does not have: a service that runs is not stopped because its image was
/// deleted or the next one is not pushed yet. Says so.
pub fn keep(found: &mut Images, recorded: &Images, config: &Config, account: &str) -> Vec<Check> {
    let mut checks = Vec::new();
    for service in &SERVICES {
        let kept = recorded.get(service.name);
        if let (None, Some(kept)) = (found.get(service.name), kept) {
            let wanted = Image::of(config, account, service).uri();
            let text = format!(
                "{wanted} does not exist; {} stays with {kept}",
                service.name
            );
            let check = Check::new("image", Level::Warning, text);
            checks.push(check.hint("push it and run `deployer apply`"));
            found.insert(service.name.to_owned(), kept.clone());
        }
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_ours_by_tag_or_a_uri_by_tag_or_digest() {
        let mut config = Config::default();
        let [payment, ..] = &SERVICES;
        let ours = Image::of(&config, "123456789012", payment);
        assert_eq!(
            ours.uri(),
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com/repository-payment-api-shared-dev:1"
        );
        for uri in [
            "999999999999.dkr.ecr.eu-central-1.amazonaws.com/team/api:2.0",
            "999999999999.dkr.ecr.eu-central-1.amazonaws.com/team/api@sha256:abc",
        ] {
            let images = &mut config.services.images;
            images.insert(payment.name.into(), uri.into());
            let given = Image::of(&config, "123456789012", payment);
            assert_eq!(given.uri(), uri);
            assert_eq!(
                given.arn(&config),
                "arn:aws:ecr:eu-central-1:999999999999:repository/team/api"
            );
        }
    }

    #[test]
    fn what_ran_stays_when_its_image_is_gone() {
        let config = Config::default();
        let recorded = Images::from([("reporting".into(), "r@sha256:1".into())]);
        let mut found = Images::from([("payment-api".into(), "p@sha256:2".into())]);
        let checks = keep(&mut found, &recorded, &config, "123456789012");
        assert_eq!(checks.len(), 1);
        assert_eq!(found["reporting"], "r@sha256:1");
        assert!(!found.contains_key("transaction-processor"));
    }
}

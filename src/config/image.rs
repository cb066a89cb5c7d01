//! The services by their names, and their images: tags, and where in ECR they are.

use super::check::{account, text};
use super::parse::{Checked, Given, Parser, Takes, refused};
use std::collections::BTreeMap;

/// What Docker takes for a tag: 1 to 128 characters.
pub(super) fn tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// Takes the requests of merchants.
pub const PAYMENT_API: &str = "payment-api";
/// Works on what was taken.
pub const TRANSACTION_PROCESSOR: &str = "transaction-processor";
/// Only reads.
pub const REPORTING: &str = "reporting";
/// The services that an image can be given for: all of the blueprint's table, which says what they are (a test compares them).
pub const SERVICES: [&str; 3] = [PAYMENT_API, TRANSACTION_PROCESSOR, REPORTING];

/// Images by service.
pub(super) struct Images;

impl Takes for Images {
    fn takes(&self) -> String {
        format!(
            "a table of images by service ({}), each in ECR: \"ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG\" or \"...@sha256:DIGEST\"",
            SERVICES.join(", ")
        )
    }

    fn is_table(&self) -> bool {
        true
    }
}

impl Parser<BTreeMap<String, String>> for Images {
    fn parse(&self, given: &Given<'_>) -> Checked<BTreeMap<String, String>> {
        let Some(table) = given.as_table() else {
            return refused();
        };
        let mut all = BTreeMap::new();
        for (service, uri) in table.iter() {
            let service = service.get_ref().as_ref();
            if !SERVICES.contains(&service) {
                return Err(format!("there is no service `{service}`"));
            }
            let uri = text(uri.get_ref())?;
            if let Some((_, rest)) = registry(&uri) {
                let name = rest.split(['@', ':']).next().unwrap_or_default();
                if !repository(name) {
                    return Err(format!(
                        "`{service}` is in the repository `{name}`; ECR's have names of 2 to 256 lower-case letters, digits or `-_./`, and each part between slashes begins and ends with a letter or digit"
                    ));
                }
            }
            if registry_region(&uri).is_none() {
                return Err(format!("`{uri}` is no image in ECR"));
            }
            all.insert(service.to_owned(), uri);
        }
        Ok(all)
    }
}

/// The region of an image in ECR; `None` for what is none.
pub(super) fn registry_region(uri: &str) -> Option<&str> {
    let (region, rest) = registry(uri)?;
    let reference = match (rest.split_once('@'), rest.split_once(':')) {
        (Some((name, digest)), _) => {
            let hex = digest.strip_prefix("sha256:").unwrap_or_default();
            repository(name) && hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit())
        }
        (None, Some((name, t))) => repository(name) && tag(t),
        (None, None) => false,
    };
    reference.then_some(region)
}

/// The region of a registry of ECR, and what follows the registry.
fn registry(uri: &str) -> Option<(&str, &str)> {
    let (registry, rest) = uri.split_once('/')?;
    let parts: Vec<&str> = registry.split('.').collect();
    match parts[..] {
        [owner, "dkr", "ecr", region, "amazonaws", "com"]
            if account(owner) && !owner.is_empty() =>
        {
            Some((region, rest))
        }
        _ => None,
    }
}

/// The name of a repository ("CreateRepository" in the ECR API reference).
fn repository(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |part: &str| {
        part.starts_with(plain)
            && part.ends_with(plain)
            && part.chars().all(|c| plain(c) || "-_.".contains(c))
    };
    (2..=256).contains(&name.len()) && name.split('/').all(part)
}

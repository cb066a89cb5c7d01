//! The repositories of the services' images: shared, so that what blue runs is what green runs.

use super::images::{Image, repository};
use super::keys::Keys;
use super::services::SERVICES;
use super::{ScopeBuilder, Shared};
use crate::engine::Handle;
use crate::resources::Exposed;
use crate::resources::ecr::Repository;
use std::collections::BTreeMap;

/// Images that are kept in each.
const KEEP: u32 = 100;

/// By the name of the service.
pub type Repositories = BTreeMap<&'static str, Handle<Repository>>;

/// Declares one for each service whose image the configuration does not name.
pub fn declare(here: &mut ScopeBuilder<'_, Shared>, keys: &Keys) -> Repositories {
    let mut all = Repositories::new();
    for service in &SERVICES {
        if Image::is_given(here.config, service) {
            continue;
        }
        let spec = Repository {
            kms_key: Some(keys.data.arn.clone()),
            immutable: true,
            scan: true,
            keep: KEEP,
            exposed: Exposed::new(),
        };
        let made = here.add(&repository(service), spec);
        here.output(&format!("repository.{}", service.name), &made.uri);
        all.insert(service.name, made);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Facts, build};
    use crate::config::Config;

    #[test]
    fn an_environment_alone_brings_the_repositories_of_its_images() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let chosen = graph.select(Some("green"));
        for service in &SERVICES {
            let id = format!("{}-shared", repository(service));
            assert!(chosen[graph.position(&id).unwrap()], "{id}");
        }
    }
}

//! The repositories of the services' images: shared, so that what blue runs is what green runs.

use super::images::{Image, repository};
use super::keys::Keys;
use super::services::SERVICES;
use super::{ScopeBuilder, Shared};
use crate::resources::Exposed;
use crate::resources::ecr::Repository;

/// Images that are kept in each.
const KEEP: u32 = 100;

/// Declares one for each service whose image the configuration does not name.
pub fn declare(here: &mut ScopeBuilder<'_, Shared>, keys: &Keys) {
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
    }
}

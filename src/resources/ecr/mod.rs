//! ECR: repositories of images.

mod repository;
mod tags;

pub use repository::{Repository, RepositoryOutputs};
pub use tags::EcrTags;

//! ECS: clusters, task definitions, services.

mod beside;
mod cluster;
mod rollout;
mod service;
mod service_more;
mod tags;
mod task_definition;
mod task_definition_form;

pub use cluster::Cluster;
pub use service::{Deployment, Scalable, Service, ServiceOutputs, Target};
pub use tags::{EcsTags, tags_of};
pub use task_definition::{Definition, TaskDefinition};
pub use task_definition_form::Container;

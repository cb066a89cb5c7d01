//! RDS: the Aurora cluster, its instances and groups. Their names are their identity in account and region.

mod cluster;
mod cluster_parameter_group;
mod cluster_snapshot;
mod event_subscription;
mod held;
mod instance;
mod parameter_group;
mod parameters;
mod status;
mod subnet_group;
mod tags;
mod version;

pub use cluster::{Capacity, Cluster, ClusterOutputs, Secret};
pub use cluster_parameter_group::ClusterParameterGroup;
pub use cluster_snapshot::ClusterSnapshot;
pub use event_subscription::EventSubscription;
pub use instance::{Insights, Instance, InstanceOutputs, Monitoring};
pub use parameter_group::ParameterGroup;
pub use subnet_group::SubnetGroup;
pub use tags::RdsTags;
pub use version::{ENGINE, family, major};

use crate::engine::graph::NameRule;

/// Identifiers of clusters and instances: 1 to 63 letters, digits and hyphens, the first a letter, no two hyphens in a
/// row, none at the end ("CreateDBCluster", DBClusterIdentifier). `{thing}-{env}-{suffix}` keeps the rules on hyphens.
const IDENTIFIER: NameRule = NameRule {
    min: 1,
    max: 63,
    legal: |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
    charset: "lower-case letters, digits and hyphens",
};

/// Names of subnet and parameter groups: as above, up to 255 characters ("CreateDBSubnetGroup", "CreateDBParameterGroup").
const GROUP: NameRule = NameRule {
    max: 255,
    ..IDENTIFIER
};

/// What stands in descriptions, which AWS demands and nobody reads.
const DESCRIPTION: &str = "Managed by deployer";

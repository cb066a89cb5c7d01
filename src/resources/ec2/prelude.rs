//! What every type of EC2 needs.

pub(super) use super::held::{self, Holder};
pub(super) use super::members::members;
pub(super) use super::{Ec2Tags, HasId, tags};
pub(super) use crate::aws::{Find, tags_of};
pub(super) use crate::resources::prelude::*;
pub(super) use aws_sdk_ec2::types::{self as t, ResourceType};

use crate::aws::Ec2Reader;

/// Finds one thing: by its recorded id (whatever its state), else by our mark, else by its `Name`: then it is foreign, and
/// the engine says so.
pub(super) async fn find<V: Find, R: Resource<Outputs: HasId>>(
    reader: &Ec2Reader<V>,
    filter: &'static str,
    key: &Lookup<'_, R>,
) -> Result<Option<V>, Error> {
    let id = key.outputs.map(HasId::id);
    crate::aws::find(reader, id, filter, key.identity).await
}

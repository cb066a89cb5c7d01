//! What every type of EC2 needs.

pub(super) use super::held::{self, Holder};
pub(super) use super::members::members;
pub(super) use super::{Ec2Tags, HasId, tags};
pub(super) use crate::aws::{Find, tags_of};
pub(super) use crate::resources::prelude::*;
pub(super) use aws_sdk_ec2::types::{self as t, ResourceType};

use crate::aws::Ec2Reader;

/// The same error, with who has the place, name or address that AWS says is taken.
pub(super) fn taken_by(error: Error, what: &str, id: Option<&str>, tags: &[t::Tag]) -> Error {
    let Some(id) = id else { return error };
    let tags = tags_of(tags);
    let whose = match tags.get(crate::engine::ownership::MARK_STEP) {
        Some(step) => format!("of step `{step}`"),
        None => "which carries no mark of a deployment".to_owned(),
    };
    let message = format!(
        "{}; it is taken by {what} {id}, {whose}",
        error.message.trim_end()
    );
    Error { message, ..error }
        .hint("remove it if nobody needs it, or choose other names or address blocks, then run the same command again")
}

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

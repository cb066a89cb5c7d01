//! A key as somebody named it.

use super::Key;
use crate::resources::prelude::*;

/// The ARN of a key that is named by its id. Services answer what they were given, and a call takes the id of a key of this account
/// and region as well as the ARN ("Key identifiers" in the KMS developer guide). An alias stays: it may be moved to another key.
pub fn by_arn(cx: &Aws, named: &str) -> Ref<Arn<Key>> {
    if named.starts_with("arn:") || named.starts_with("alias/") {
        return named.into();
    }
    let id = named.strip_prefix("key/").unwrap_or(named);
    cx.arn("kms", &format!("key/{id}")).into()
}

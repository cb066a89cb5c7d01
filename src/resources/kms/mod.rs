//! KMS: keys and their aliases.

mod alias;
mod key;

pub use alias::{Alias, AliasName, AliasOutputs};
pub use key::{Key, KeyArn, KeyId, KeyOutputs};

//! KMS: keys and their aliases.

mod alias;
mod grants;
mod key;
mod tags;

pub use alias::Alias;
pub use key::{Key, KeyOutputs};
pub use tags::KmsTags;

//! KMS: keys and their aliases.

mod alias;
mod grants;
mod key;
mod named;
mod tags;

pub use alias::Alias;
pub use key::{Key, KeyOutputs};
pub use named::by_arn;
pub use tags::KmsTags;

//! S3: buckets.

mod bucket;
mod empty;
mod exposed;
mod lifecycle;
mod model;
mod settings;
mod tags;

pub use lifecycle::Rule;
pub use model::{Bucket, Encryption, Logging, PublicAccess};
pub use tags::S3Tags;

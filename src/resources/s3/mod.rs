//! S3: buckets.

mod bucket;
mod empty;
mod exposed;
mod lifecycle;
mod settings;
mod tags;

pub use bucket::{Bucket, Encryption, Logging, PublicAccess};
pub use lifecycle::Rule;
pub use tags::S3Tags;

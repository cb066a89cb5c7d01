//! S3: buckets.

mod bucket;
mod empty;
mod lifecycle;
mod settings;

pub use bucket::{Bucket, BucketArn, BucketName, BucketOutputs, Encryption, Logging, PublicAccess};
pub use lifecycle::Rule;

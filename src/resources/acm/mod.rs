//! Certificate Manager: certificates, and the records that prove that a domain is ours.

mod certificate;
mod tags;
mod validation;

pub use certificate::{Certificate, is_issued};
pub use validation::{PROOF, Validation};

use tags::AcmTags;

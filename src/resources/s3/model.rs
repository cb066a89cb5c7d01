//! A bucket as it is wanted and read.

use super::lifecycle::Rule;
use crate::resources::kms::Key;
use crate::resources::policy::Policy;
use crate::resources::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bucket {
    /// Who owns objects: `BucketOwnerEnforced` switches access lists off.
    pub ownership: String,
    /// Keeps old versions of objects.
    pub versioning: bool,
    /// How new objects are encrypted.
    pub encryption: Encryption,
    /// What keeps it from becoming public.
    pub public_access: PublicAccess,
    /// Who may do what.
    pub policy: Option<Policy>,
    /// Where accesses are logged.
    pub logging: Option<Logging>,
    /// What becomes of objects with time, by rule id.
    pub lifecycle: BTreeMap<String, Rule>,
    /// Whom its access list lets in, and where it sends objects or news of them: see `exposed`.
    #[serde(default)]
    pub exposed: Exposed,
}

/// The default encryption of a bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Encryption {
    /// `AES256` (SSE-S3), `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    /// The key, for the algorithms of KMS.
    pub kms_key: Option<Ref<Arn<Key>>>,
}

/// The public access block.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PublicAccess {
    /// Refuses public access lists.
    pub block_acls: bool,
    /// Ignores public access lists that are there.
    pub ignore_acls: bool,
    /// Refuses public policies.
    pub block_policy: bool,
    /// Lets only this account and services in while the policy is public.
    pub restrict: bool,
}

impl PublicAccess {
    /// True when all of it is blocked.
    pub(super) fn is_complete(&self) -> bool {
        self.block_acls && self.ignore_acls && self.block_policy && self.restrict
    }
}

/// Server access logging.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Logging {
    /// The bucket that gets the logs. Its policy must let the logging service write, so refer to it by `.ready()`.
    pub bucket: Ref<Bucket>,
    /// What the keys of the logs begin with.
    pub prefix: String,
}

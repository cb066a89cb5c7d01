//! Which deployer this is.

/// The version; a release build in a checkout has the commit with it: `0.1.0 (1a2b3c4d5e)`.
pub const VERSION: &str = env!("DEPLOYER_VERSION");

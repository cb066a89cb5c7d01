//! The migration's functions: their sources, which are in this binary, and the zips that Node.js builds of them into the cache
//! folder. The same sources give the same bytes on every machine, so a digest of the sources stands for the zips.

mod build;
mod error;
mod sources;

pub use build::{built, zip};
pub use error::Error;
pub use sources::{DEFAULT_MAPPING, digest};

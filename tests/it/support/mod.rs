//! What the themes share.

pub mod world;

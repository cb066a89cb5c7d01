//! What the themes share.

pub mod lab;
pub mod world;

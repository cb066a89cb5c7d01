//! What the themes share.

pub mod lab;
pub mod run;
pub mod world;

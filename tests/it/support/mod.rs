//! What the themes share.

pub mod again;
pub mod bucket;
pub mod fake;
pub mod forkserver;
pub mod lab;
pub mod npm;
pub mod places;
pub mod recorder;
pub mod run;
pub mod running;
pub mod world;

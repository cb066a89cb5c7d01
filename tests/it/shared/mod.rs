//! A state in a bucket that several hosts share.

mod bucket;
mod commands;
mod fencing;
mod hosts;
mod kills;
mod race;

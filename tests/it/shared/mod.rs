//! A state in a bucket that several hosts share.

mod commands;
mod fencing;
mod hosts;
mod kills;
mod race;

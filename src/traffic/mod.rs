//! Moving customers from blue to green, step by step, and back at once.
//!
//! The weights of the two records of the domain say who gets how many of the answers. Every change of them carries a note
//! ([`note`]) in the same batch, which Route 53 takes as a whole or not at all: so steps of several machines cannot
//! overwrite each other, and a rollback is seen by a shift that goes on elsewhere.

pub mod account;
pub mod bridge;
pub mod callers;
pub mod cutover;
mod functions;
pub mod gate;
pub use functions::mode;
pub mod graph;
mod guard;
pub mod history;
mod idle;
pub mod levers;
mod metrics;
pub mod minimum;
pub mod names;
pub mod note;
pub mod outside;
pub mod plan;
mod probes;
pub mod readiness;
pub mod records;
pub mod rollback;
pub mod shared;
pub mod shift;
#[cfg(test)]
mod tests;
pub mod time;
pub mod weights;
pub mod world;

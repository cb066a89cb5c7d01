//! How a graph is planned and run. Knows no AWS and no terminal.

pub mod diff;
pub mod drift;
pub mod driver;
pub mod event;
pub mod exec;
pub mod fault;
pub mod graph;
pub mod observe;
mod order;
pub mod plan;
pub mod rebuild;
pub mod reference;

pub use diff::{Change, diff};
pub use driver::{
    Delegated, Delta, Driver, Identity, Key, Live, Meta, Nature, Owned, Ownership, Phase, Registry,
};
pub use event::{Event, Events};
pub use fault::{Class, Fault, Leaves};
pub use graph::{Builder, Graph, Handle, Head, Kind, NameRule, Step, TAG_NAME};
pub use reference::{Ref, Strength};

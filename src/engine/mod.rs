//! How a graph is planned and run. Knows no AWS and no terminal.

pub mod diff;
pub mod drift;
pub mod driver;
pub mod error;
pub mod event;
pub mod exec;
pub mod graph;
pub mod observe;
mod order;
pub mod plan;
pub mod rebuild;
pub mod reference;

pub use diff::{Change, diff};
pub use driver::{
    Data, Delegated, DeleteOptions, Delta, Driver, Edit, Identity, Key, Live, Meta, Nature, Owned,
    Ownership, Phase, Registry, Retention,
};
pub use error::{Class, Error, Leftover};
pub use event::{Event, Events};
pub use graph::{Builder, Graph, Handle, Kind, NameRule, Step, StepMeta, TAG_NAME};
pub use reference::{Ref, Strength};

//! How a graph is planned and run. Knows no AWS and no terminal.

pub mod backup;
pub mod beneath;
mod check;
mod clock;
pub(crate) mod compare;
mod context;
pub mod diff;
pub(crate) mod drift;
pub mod driver;
pub mod error;
pub mod event;
pub mod exec;
pub mod former;
pub mod graph;
mod handle;
mod identity;
pub mod mark;
mod meta;
pub mod observe;
mod order;
pub mod ownership;
mod pattern;
pub mod plan;
pub mod progress;
pub mod rebuild;
pub mod reference;
pub(crate) mod remnant;
mod replaced;
pub(crate) mod waiting;

pub use backup::{Backup, Remains};
pub(crate) use check::{Check, Level};
pub use clock::Clock;
pub use context::{Context, Limits, Reads};
pub use diff::{Change, diff};
pub use driver::{
    Between, Changing, Data, Delegated, DeleteOptions, Delta, Derived, Driver, Edit, Identity, Key,
    Live, Meta, Nature, Owned, Owner, Phase, Registry, Replace, Retention, Upgrade,
};
pub use error::{Class, Error, Leftover};
pub use event::{Event, Events};
pub use graph::{Builder, Graph, Kind, NameRule, Step, StepMeta, TAG_NAME};
pub use handle::{Handle, fields};
pub(crate) use ownership::Ownership;
pub use ownership::{Deployment, Mark};
pub(crate) use pattern::matches;
pub use reference::{List, Ref, Strength};

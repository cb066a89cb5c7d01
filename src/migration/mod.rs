//! The migration's functions as a command uses them: what they are called, what they answer, and what calls them by itself.
//! Their contract is `lambda/README.md`.

pub mod answers;
mod names;
pub mod schema;
mod switches;

pub use names::Names;
pub use switches::{Switch, switches, turn};

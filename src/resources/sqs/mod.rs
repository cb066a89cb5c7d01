//! SQS: queues.

mod queue;

pub use queue::{Queue, QueueOutputs};

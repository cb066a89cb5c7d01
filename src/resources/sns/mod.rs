//! SNS: topics with their subscriptions.

mod subscribers;
mod tags;
mod topic;

pub use subscribers::TopicOutputs;
pub use tags::SnsTags;
pub use topic::Topic;

//! DynamoDB: tables.

mod change;
mod kinesis;
mod model;
mod read;
mod restore;
mod table;
mod tags;
mod write;

pub use model::{Attribute, Index, KeySchema, Stream, Table, TableOutputs};
pub use tags::DynamoDbTags;

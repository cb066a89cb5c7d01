//! DynamoDB: tables.

mod change;
mod kinesis;
mod read;
mod restore;
mod table;
mod tags;
mod write;

pub use table::{Attribute, Index, KeySchema, Stream, Table, TableOutputs};
pub use tags::DynamoDbTags;

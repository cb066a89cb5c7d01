//! DynamoDB: tables.

mod change;
mod read;
mod table;
mod write;

pub use table::{Attribute, Index, KeySchema, StreamArn, Table, TableArn, TableName, TableOutputs};

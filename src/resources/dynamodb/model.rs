//! A table as it is wanted and read, and what is known of one.

use crate::resources::kms::Key;
use crate::resources::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Table {
    /// Its primary key.
    pub key: KeySchema,
    /// Global secondary indexes by name.
    pub indexes: BTreeMap<String, Index>,
    /// `PAY_PER_REQUEST`.
    pub billing: String,
    /// What the stream shows of a change (`NEW_AND_OLD_IMAGES`); `None` for no stream.
    pub stream: Option<String>,
    /// The attribute, a number of seconds since 1970, after which an item expires.
    pub ttl: Option<String>,
    /// Days to which the table can be brought back, 1 to 35; `None` for no point-in-time recovery.
    pub recovery_days: Option<i32>,
    /// The key that encrypts it; `None` for one of AWS's own.
    pub kms_key: Option<Ref<Arn<Key>>>,
    /// A protected table cannot be deleted.
    pub deletion_protection: bool,
    /// The resource policies of the table and its stream, which let others in.
    #[serde(default)]
    pub exposed: Exposed,
    /// What else is set: limits of requests, a class of storage. The desired set is always empty.
    #[serde(default, skip_serializing_if = "Exposed::is_empty")]
    pub others: Exposed,
    /// Copies of the table in other regions.
    #[serde(default)]
    pub members: Vec<String>,
}

/// The entries of `others`: the most reads and writes a second on demand, and the class of storage.
pub(super) const READS: &str = "max_read_request_units";
pub(super) const WRITES: &str = "max_write_request_units";
pub(super) const CLASS: &str = "table_class";

/// A key: order matters, so it is no list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeySchema {
    /// The partition key.
    pub hash: Attribute,
    /// The sort key.
    pub range: Option<Attribute>,
}

/// An attribute of a key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// `S`, `N` or `B`.
    pub kind: String,
}

impl Attribute {
    /// A string attribute.
    pub fn text(name: &str) -> Self {
        Self {
            name: name.into(),
            kind: "S".into(),
        }
    }

    /// A number attribute.
    pub fn number(name: &str) -> Self {
        Self {
            name: name.into(),
            kind: "N".into(),
        }
    }
}

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Its key.
    pub key: KeySchema,
    /// Which attributes it holds: `ALL`.
    pub projection: String,
}

/// A table's stream, for [`Ref`].
pub enum Stream {}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TableOutputs {
    pub name: Ref<Table>,
    /// `arn:aws:dynamodb:...:table/NAME`
    pub arn: Ref<Arn<Table>>,
    /// Only of a table that has a stream.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub stream_arn: Ref<Arn<Stream>>,
}

impl HasName for TableOutputs {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

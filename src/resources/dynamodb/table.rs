//! A table with its indexes, stream, expiry, recovery and encryption.

use super::change;
use super::read::{describe, described, items, outputs, phase, recovery, tags_of, ttl};
use super::write::{built, stream, tags, update_tags};
use crate::aws::{Aws, once, read, repeatable};
use crate::engine::{
    Data, DeleteOptions, Delta, Error, Handle, Identity, Kind, NameRule, Owned, Ref, Retention,
};
use crate::resources::kms::KeyArn;
use crate::resources::owned::{is_conventional, marked};
use crate::resources::{Found, Lookup, Resource, found, ignore_not_found, missing_field};
use aws_sdk_dynamodb::types::{BillingMode, TableStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The settings of a table.
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
    pub kms_key: Option<Ref<KeyArn>>,
    /// A protected table cannot be deleted.
    pub deletion_protection: bool,
}

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

/// A table's name.
#[derive(Debug)]
pub enum TableName {}

/// A table's ARN.
#[derive(Debug)]
pub enum TableArn {}

/// A stream's ARN.
#[derive(Debug)]
pub enum StreamArn {}

/// What is known of a table once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TableOutputs {
    /// Its name.
    pub name: Ref<TableName>,
    /// `arn:aws:dynamodb:...:table/NAME`
    pub arn: Ref<TableArn>,
    /// The ARN of its stream, when it has one.
    pub stream_arn: Option<Ref<StreamArn>>,
}

impl Handle<Table> {
    /// The table's name.
    pub fn name(&self) -> Ref<TableName> {
        self.output("name")
    }

    /// The table's ARN.
    pub fn arn(&self) -> Ref<TableArn> {
        self.output("arn")
    }

    /// The stream's ARN; only for tables that have a stream.
    pub fn stream_arn(&self) -> Ref<StreamArn> {
        self.output("stream_arn")
    }
}

impl Kind for Table {
    const TYPE: &'static str = "dynamodb/table";
    /// "Naming rules" in the DynamoDB developer guide.
    const NAME: NameRule = NameRule {
        min: 3,
        max: 255,
        legal: |c| c.is_ascii_alphanumeric() || "_.-".contains(c),
        charset: "letters, digits and `_.-`",
    };
}

impl Resource for Table {
    const FIXED: &'static [&'static str] = &["key"];
    const HOLDS_DATA: bool = true;
    const RETENTION: Retention = Retention {
        protection: Some("deletion_protection"),
        final_snapshot: None,
        is_snapshot: false,
    };
    type Outputs = TableOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key
            .outputs
            .map_or(key.identity.name.as_str(), |o| o.name.as_str());
        let Some(table) = found(describe(cx, name).await)? else {
            return Ok(None);
        };
        if table.table_status() == Some(&TableStatus::Deleting) && key.outputs.is_none() {
            return Ok(None);
        }
        let outputs = outputs(&table)?;
        let arn = outputs.arn.as_str();
        let (recovery_days, ttl, tags) =
            futures::try_join!(recovery(cx, name), ttl(cx, name), tags_of(cx, arn))?;
        cx.recent.note(arn, &tags);
        Ok(Some(Found {
            phase: phase(&table),
            spec: Self {
                ttl,
                recovery_days,
                ..described(&table)
            },
            tags: Some(tags),
            outputs,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<TableOutputs, Error> {
        const ACTION: &str = "dynamodb:CreateTable";
        let attributes = built(ACTION, change::definitions(&self.key, &self.indexes))?;
        let schema = built(ACTION, change::schema(&self.key))?;
        let indexes = built(ACTION, change::indexes(&self.indexes))?;
        let stream = self
            .stream
            .as_deref()
            .map(|view| stream(ACTION, Some(view)));
        let stream = stream.transpose()?;
        let tags = tags(ACTION, &identity.tags)?;
        let answer = cx
            .call(once("dynamodb", "CreateTable"), || {
                cx.dynamodb
                    .client
                    .create_table()
                    .table_name(&identity.name)
                    .set_attribute_definitions(Some(attributes.clone()))
                    .set_key_schema(Some(schema.clone()))
                    .set_global_secondary_indexes(indexes.clone())
                    .billing_mode(BillingMode::from(self.billing.as_str()))
                    .set_stream_specification(stream.clone())
                    .set_sse_specification(self.kms_key.as_ref().map(|_| self.encryption()))
                    .deletion_protection_enabled(self.deletion_protection)
                    .set_tags(Some(tags.clone()))
                    .send()
            })
            .await?;
        let table = answer
            .table_description()
            .ok_or_else(|| missing_field(ACTION, "TableDescription"))?;
        outputs(table)
    }

    async fn update(&self, cx: &Aws, outputs: &TableOutputs, delta: &Delta) -> Result<(), Error> {
        let name = outputs.name.as_str();
        let of_table = [
            "deletion_protection",
            "kms_key",
            "billing",
            "stream",
            "indexes",
        ];
        if of_table.iter().any(|field| delta.touches(field)) {
            let others =
                delta.touches_tags() || delta.touches("ttl") || delta.touches("recovery_days");
            self.one_change(cx, name, others).await?;
        }
        if delta.touches("recovery_days") {
            self.put_recovery(cx, name).await?;
        }
        update_tags(cx, outputs.arn.as_str(), delta).await?;
        if delta.touches("ttl") {
            self.put_ttl(cx, name).await?;
        }
        Ok(())
    }

    async fn data(&self, cx: &Aws, outputs: &TableOutputs) -> Result<Data, Error> {
        items(cx, outputs.name.as_str()).await
    }

    async fn delete(&self, cx: &Aws, outputs: &TableOutputs) -> Result<(), Error> {
        self.delete_data(cx, outputs, &DeleteOptions::default())
            .await
    }

    /// DynamoDB refuses to delete a protected table.
    async fn delete_data(
        &self,
        cx: &Aws,
        outputs: &TableOutputs,
        options: &DeleteOptions,
    ) -> Result<(), Error> {
        let name = outputs.name.as_str();
        let Some(table) = found(describe(cx, name).await)? else {
            return Ok(());
        };
        if table.table_status() == Some(&TableStatus::Deleting) {
            return Ok(());
        }
        if table.deletion_protection_enabled() == Some(true) && options.lift_protection {
            let off = || {
                cx.dynamodb
                    .client
                    .update_table()
                    .table_name(name)
                    .deletion_protection_enabled(false)
                    .send()
            };
            cx.call(repeatable("dynamodb", "UpdateTable"), off).await?;
        }
        ignore_not_found(
            cx.call(repeatable("dynamodb", "DeleteTable"), || {
                cx.dynamodb.client.delete_table().table_name(name).send()
            })
            .await,
        )
    }

    /// ListTables answers names only: those of our kind are asked for their tags.
    async fn owned(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
        let mut out = Vec::new();
        let mut last: Option<String> = None;
        loop {
            let page = cx
                .call(read("dynamodb", "ListTables"), || {
                    cx.dynamodb
                        .client
                        .list_tables()
                        .limit(100)
                        .set_exclusive_start_table_name(last.clone())
                        .send()
                })
                .await?;
            for name in page.table_names() {
                if !is_conventional(name, suffix) {
                    continue;
                }
                let arn = cx.arn("dynamodb", &format!("table/{name}"));
                let tags = match cx.recent.get(&arn).await {
                    Some(tags) => tags,
                    None => tags_of(cx, &arn).await?,
                };
                out.extend(marked(Self::TYPE, &arn, name, tags, suffix));
            }
            last = page.last_evaluated_table_name;
            if last.is_none() {
                return Ok(out);
            }
        }
    }
}

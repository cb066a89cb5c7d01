//! A table with its indexes, stream, expiry, recovery and encryption.

use super::DynamoDbTags;
use super::change;
use super::kinesis;
use super::model::{Table, TableOutputs};
use super::read::{
    DESCRIBE, describe, described, exposed, is_restored, items, outputs, phase, recovery, ttl,
};
use super::restore;
use super::tags::{tags, tags_of};
use super::write::{built, stream};
use crate::resources::mappings::readers;
use crate::resources::prelude::*;
use crate::resources::recovery_points::not_asked;
use aws_sdk_dynamodb::types::{BillingMode, TableStatus};

const LIST: Api = dynamodb::LIST_TABLES;
const CREATE: Api = dynamodb::CREATE_TABLE;
const UNPROTECT: Api = dynamodb::UPDATE_TABLE;
const DELETE: Api = dynamodb::DELETE_TABLE;
const CLOSE: Api = dynamodb::DELETE_RESOURCE_POLICY;

impl Kind for Table {
    const TYPE: &'static str = "dynamodb/table";
    /// "Naming rules" in the DynamoDB developer guide.
    const NAME: NameRule = NameRule {
        min: 3,
        max: 255,
        legal: |c| c.is_ascii_alphanumeric() || "_.-".contains(c),
        charset: "letters, digits and `_.-`",
    };
    type Outputs = TableOutputs;
}

impl Resource for Table {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (15.0, 10.0),
        cost: |_| {
            Cost::usage(&[
                "dynamodb_writes",
                "dynamodb_reads",
                "dynamodb_storage",
                "dynamodb_recovery",
            ])
        },
        fixed: &["key"],
        changing: &[("stream_arn", &["stream"])],
        replace: Replace::DeleteFirst,
        holds_data: true,
        interrupts: &[],
        write_only: &[],
        watched: &["members"],
        delegated: &[],
    };
    const RETENTION: Retention = Retention {
        protection: Some("deletion_protection"),
        ..Retention::NONE
    };
    const EXPIRES: &'static [(&'static str, &'static str)] =
        &[("recovery_days", "points in time that are older are lost")];
    type Tags = DynamoDbTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let (table, sends) = futures::join!(describe(cx, name), kinesis::may_be(cx));
        let Some(table) = found(table)? else {
            return Ok(None);
        };
        if table.table_status() == Some(&TableStatus::Deleting) && key.outputs.is_none() {
            return Ok(None);
        }
        let outputs = outputs(DESCRIBE, &table)?;
        let arn = outputs.arn.as_str();
        // Of the stream that there is, and of those before it, whose records stay for a day.
        let of_stream = |source: &str| source.starts_with(&format!("{arn}/stream/"));
        let (recovery_days, ttl, tags, mut exposed, sent, readers) = futures::try_join!(
            recovery(cx, name),
            ttl(cx, name),
            cx.tagged(arn, &key.identity.tags, tags_of(cx, arn)),
            exposed(cx, &outputs),
            kinesis::streams(cx, name, sends),
            readers(cx, key.identity, of_stream)
        )?;
        exposed.extend(sent);
        cx.recent.note(arn, &tags);
        let mut spec = Self {
            ttl,
            recovery_days,
            exposed,
            ..described(&table)
        };
        spec.members.extend(readers);
        let of_its_own = is_restored(&table);
        let found = Found::tagged(spec, outputs, tags).phase(phase(&table));
        Ok(Some(if of_its_own { found.restored() } else { found }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<TableOutputs, Error> {
        let view = self.stream.as_deref();
        let stream = view.map(|view| stream(CREATE, Some(view))).transpose()?;
        let attributes = built(CREATE, change::definitions(&self.key, &self.indexes))?;
        let call = cx.dynamodb.client.create_table().table_name(&identity.name);
        let call = call
            .set_attribute_definitions(Some(attributes))
            .set_key_schema(Some(built(CREATE, change::schema(&self.key))?))
            .set_global_secondary_indexes(built(CREATE, change::indexes(&self.indexes))?)
            .billing_mode(BillingMode::from(self.billing.as_str()))
            .set_stream_specification(stream)
            .set_sse_specification(self.kms_key.as_ref().map(|_| self.encryption()))
            .deletion_protection_enabled(self.deletion_protection)
            .set_tags(Some(tags(CREATE, &identity.tags)?));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let table = made.table_description();
        outputs(
            CREATE,
            table.ok_or_else(|| CREATE.missing("TableDescription"))?,
        )
    }

    async fn update(&self, cx: &Aws, it: &TableOutputs, delta: &Delta) -> Result<(), Error> {
        let name = it.name.as_str();
        for what in delta.entries("exposed").keys() {
            if let Some(stream) = kinesis::stream(what) {
                kinesis::stop(cx, name, stream).await?;
                continue;
            }
            let arn = if *what == "policy" {
                it.arn.as_str()
            } else {
                it.stream_arn.as_str()
            };
            let call = cx.dynamodb.client.delete_resource_policy();
            let call = call.resource_arn(arn);
            cx.delete(CLOSE, || call.clone().send()).await?;
        }
        let of_table = [
            "deletion_protection",
            "kms_key",
            "billing",
            "stream",
            "indexes",
            "others",
        ];
        if of_table.iter().any(|field| delta.touches(field)) {
            let others =
                delta.touches_tags() || delta.touches("ttl") || delta.touches("recovery_days");
            self.one_change(cx, name, others).await?;
        }
        if delta.touches("recovery_days") {
            self.put_recovery(cx, name).await?;
        }
        if delta.touches("ttl") {
            self.put_ttl(cx, name).await?;
        }
        Ok(())
    }

    async fn data(&self, cx: &Aws, it: &TableOutputs) -> Result<Data, Error> {
        let name = it.name.as_str();
        let (items, backups) = futures::try_join!(items(cx, name), restore::by_hand(cx, name))?;
        let backups = backups.join(", ");
        Ok(match items {
            all if backups.is_empty() => all,
            Data::Holds(items) => {
                Data::Holds(format!("{items}; backups that share its key: {backups}"))
            }
            _ => Data::Holds(format!("backups that share its key: {backups}")),
        })
    }

    async fn remains(
        &self,
        cx: &Aws,
        name: &str,
        known: Option<&TableOutputs>,
    ) -> Result<Option<Remains>, Error> {
        let remains = restore::backups(cx, name).await?;
        let arn = known.map_or(name, |k| k.arn.as_str());
        Ok(Some(remains.with(not_asked(arn))))
    }

    async fn restore(
        &self,
        cx: &Aws,
        identity: &Identity,
        from: &Backup,
    ) -> Result<TableOutputs, Error> {
        self.made_from(cx, identity, from).await
    }

    async fn delete(&self, cx: &Aws, it: &TableOutputs) -> Result<(), Error> {
        self.delete_data(cx, it, &DeleteOptions::default()).await
    }

    /// DynamoDB refuses to delete a protected table.
    async fn delete_data(
        &self,
        cx: &Aws,
        it: &TableOutputs,
        options: &DeleteOptions,
    ) -> Result<(), Error> {
        let name = it.name.as_str();
        let Some(table) = found(describe(cx, name).await)? else {
            return Ok(());
        };
        if table.table_status() == Some(&TableStatus::Deleting) {
            return Ok(());
        }
        if table.deletion_protection_enabled() == Some(true) && options.lift_protection {
            let off = cx.dynamodb.client.update_table().table_name(name);
            let off = off.deletion_protection_enabled(false);
            cx.call(UNPROTECT, || off.clone().send()).await?;
        }
        let call = cx.dynamodb.client.delete_table().table_name(name);
        cx.delete(DELETE, || call.clone().send()).await
    }
}

/// ListTables answers names only: those of our kind are asked for their tags.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let call = cx.dynamodb.client.list_tables().limit(100);
    let send = |last| call.clone().set_exclusive_start_table_name(last).send();
    let names = cx.pages(LIST, send, |page| {
        let names = page.table_names.unwrap_or_default();
        (names, page.last_evaluated_table_name)
    });
    let mut out = Vec::new();
    for name in names.await? {
        if !is_conventional(&name, suffix) {
            continue;
        }
        let arn = cx.arn("dynamodb", &format!("table/{name}"));
        let tags = match cx.recent.get(&arn).await {
            Some(tags) => tags,
            None => tags_of(cx, &arn).await?,
        };
        out.extend(marked(Table::TYPE, &arn, &name, tags, suffix));
    }
    Ok(out)
}

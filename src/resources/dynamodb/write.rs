//! Changes a table.

use super::change::{self, Change};
use super::model::{READS, Table, WRITES};
use super::read::{describe, described, phase, ttl};
use crate::aws::{Api, Aws, dynamodb};
use crate::engine::{Class, Error, Leftover, Phase};
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    BillingMode, CreateGlobalSecondaryIndexAction, DeleteGlobalSecondaryIndexAction,
    GlobalSecondaryIndexUpdate, OnDemandThroughput, PointInTimeRecoverySpecification,
    SseSpecification, SseType, StreamSpecification, StreamViewType, TableClass,
    TimeToLiveSpecification,
};

impl Table {
    /// Sends the next change that the table needs. While another one is to follow (or `others`, which take an ACTIVE
    /// table too) it answers `NotReady`, and the engine calls again when the table may have settled.
    pub(super) async fn one_change(&self, cx: &Aws, name: &str, others: bool) -> Result<(), Error> {
        const ACTION: Api = dynamodb::UPDATE_TABLE.as_once();
        let table = describe(cx, name).await?;
        let later = |what: String| Error::of(Class::NotReady, ACTION.action(), what);
        if phase(&table) != Phase::Ready {
            return Err(later(format!("the table `{name}` is still being changed")));
        }
        let have = described(&table);
        let left = change::changes(self, &have);
        let Some(next) = left.first() else {
            return Ok(());
        };
        self.send(cx, name, next, have).await?;
        if left.len() > 1 || others {
            let left = left.len() - 1;
            return Err(later(format!(
                "DynamoDB takes one change of `{name}` at a time; {left} more of the table wait"
            )));
        }
        Ok(())
    }

    async fn send(&self, cx: &Aws, name: &str, change: &Change, have: Table) -> Result<(), Error> {
        const ACTION: Api = dynamodb::UPDATE_TABLE.as_once();
        let update = cx.dynamodb.client.update_table().table_name(name);
        let update = match change {
            Change::Protection(on) => update.deletion_protection_enabled(*on),
            Change::Encryption => update.sse_specification(self.encryption()),
            Change::Billing => update.billing_mode(BillingMode::from(self.billing.as_str())),
            Change::Throughput => {
                // -1 removes a limit that is set ("OnDemandThroughput" in the API reference).
                let none = |name: &str| have.others.contains_key(name).then_some(-1);
                let limits = OnDemandThroughput::builder()
                    .set_max_read_request_units(none(READS))
                    .set_max_write_request_units(none(WRITES));
                update.on_demand_throughput(limits.build())
            }
            Change::Class => update.table_class(TableClass::Standard),
            Change::Stream(view) => update.stream_specification(stream(ACTION, view.as_deref())?),
            Change::DeleteIndex(index) => {
                let delete = DeleteGlobalSecondaryIndexAction::builder()
                    .index_name(index)
                    .build();
                let one = GlobalSecondaryIndexUpdate::builder()
                    .delete(built(ACTION, delete)?)
                    .build();
                update.global_secondary_index_updates(one)
            }
            Change::CreateIndex(name) => {
                let index = self.indexes.get(name).ok_or_else(|| {
                    Error::permanent(ACTION.action(), format!("no index `{name}`"))
                })?;
                let create = CreateGlobalSecondaryIndexAction::builder()
                    .index_name(name)
                    .set_key_schema(Some(built(ACTION, change::schema(&index.key))?))
                    .projection(change::projection(index))
                    .build();
                let one = GlobalSecondaryIndexUpdate::builder()
                    .create(built(ACTION, create)?)
                    .build();
                // Of all keys that the table then has, no more and no less.
                let mut indexes = have.indexes;
                indexes.insert(name.clone(), index.clone());
                let attributes = built(ACTION, change::definitions(&self.key, &indexes))?;
                update
                    .set_attribute_definitions(Some(attributes))
                    .global_secondary_index_updates(one)
            }
        };
        let answer = cx.call(ACTION, || update.clone().send()).await;
        match answer {
            // Most changes are refused the second time. What the table is when the engine calls again decides.
            Err(error) if error.leftover == Leftover::Unknown => Err(Error {
                class: Class::NotReady,
                ..error
            }),
            other => other.map(drop),
        }
    }

    pub(super) fn encryption(&self) -> SseSpecification {
        let key = self.kms_key.as_ref().map(|k| k.as_str().to_owned());
        SseSpecification::builder()
            .enabled(key.is_some())
            .set_sse_type(key.as_ref().map(|_| SseType::Kms))
            .set_kms_master_key_id(key)
            .build()
    }

    pub(super) async fn put_recovery(&self, cx: &Aws, name: &str) -> Result<(), Error> {
        const ACTION: Api = dynamodb::UPDATE_CONTINUOUS_BACKUPS;
        let recovery = PointInTimeRecoverySpecification::builder()
            .point_in_time_recovery_enabled(self.recovery_days.is_some())
            .set_recovery_period_in_days(self.recovery_days)
            .build();
        let recovery = built(ACTION, recovery)?;
        cx.call(ACTION, || {
            cx.dynamodb
                .client
                .update_continuous_backups()
                .table_name(name)
                .point_in_time_recovery_specification(recovery.clone())
                .send()
        })
        .await?;
        Ok(())
    }

    /// Another attribute takes two changes, and DynamoDB allows one within an hour: the second is refused with a hint.
    pub(super) async fn put_ttl(&self, cx: &Aws, name: &str) -> Result<(), Error> {
        let have = ttl(cx, name).await?;
        if have == self.ttl {
            return Ok(());
        }
        if let Some(attribute) = have {
            set_ttl(cx, name, &attribute, false).await?;
        }
        if let Some(attribute) = &self.ttl {
            set_ttl(cx, name, attribute, true).await?;
        }
        Ok(())
    }
}

async fn set_ttl(cx: &Aws, name: &str, attribute: &str, on: bool) -> Result<(), Error> {
    const ACTION: Api = dynamodb::UPDATE_TIME_TO_LIVE;
    let ttl = TimeToLiveSpecification::builder()
        .enabled(on)
        .attribute_name(attribute)
        .build();
    let ttl = built(ACTION, ttl)?;
    let answer = cx
        .call(ACTION, || {
            cx.dynamodb
                .client
                .update_time_to_live()
                .table_name(name)
                .time_to_live_specification(ttl.clone())
                .send()
        })
        .await;
    match answer {
        // Sent a second time after an unclear answer.
        Err(error) if error.message.contains("TimeToLive is already") => Ok(()),
        other => other.map(drop),
    }
}

pub(super) fn stream(api: Api, view: Option<&str>) -> Result<StreamSpecification, Error> {
    let stream = StreamSpecification::builder()
        .stream_enabled(view.is_some())
        .set_stream_view_type(view.map(StreamViewType::from))
        .build();
    built(api, stream)
}

pub(super) fn built<T>(api: Api, value: Result<T, BuildError>) -> Result<T, Error> {
    value.map_err(|e| Error::permanent(api.action(), e.to_string()))
}

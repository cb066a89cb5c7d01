//! Reads a table: its description, expiry, recovery and tags.

use super::change;
use super::model::{CLASS, Index, READS, Table, TableOutputs, WRITES};
use crate::resources::prelude::*;
use aws_sdk_dynamodb::types::{
    BillingMode, GlobalSecondaryIndexDescription, IndexStatus, PointInTimeRecoveryStatus, Select,
    SseStatus, StreamViewType, TableClass, TableDescription, TableStatus, TimeToLiveStatus,
};

pub(super) const DESCRIBE: Api = dynamodb::DESCRIBE_TABLE;

pub(super) async fn describe(cx: &Aws, name: &str) -> Result<TableDescription, Error> {
    let call = cx.dynamodb.client.describe_table().table_name(name);
    let answer = cx.call(DESCRIBE, || call.clone().send()).await?;
    answer.table.ok_or_else(|| DESCRIBE.missing("Table"))
}

const SCAN: Api = dynamodb::SCAN;

/// Whether it holds items, and about how many. `ItemCount` is up to six hours old ("DynamoDB updates this value
/// approximately every six hours"), so only a read of the table itself proves that it is empty. It asks for a number, never
/// for an item.
pub(super) async fn items(cx: &Aws, name: &str) -> Result<Data, Error> {
    let call = cx.dynamodb.client.scan().table_name(name);
    let call = call.select(Select::Count).limit(1).consistent_read(true);
    let first = cx.call(SCAN, || call.clone().send()).await?;
    if first.count() == 0 && first.last_evaluated_key().is_none() {
        return Ok(Data::Empty);
    }
    let about = describe(cx, name).await?.item_count().unwrap_or_default();
    Ok(Data::Holds(match about {
        ..=0 => "items".into(),
        1 => "about 1 item".into(),
        n => format!("about {n} items"),
    }))
}

/// What DescribeTable shows of the settings.
pub(super) fn described(table: &TableDescription) -> Table {
    let kinds = table.attribute_definitions();
    let index = |i: &GlobalSecondaryIndexDescription| {
        let projection = i.projection().and_then(|p| p.projection_type());
        let index = Index {
            key: change::key_of(i.key_schema(), kinds),
            projection: projection.map_or_else(String::new, |p| p.as_str().to_owned()),
        };
        Some((i.index_name()?.to_owned(), index))
    };
    // An index that is being deleted is no longer there for us, and the table is not settled until it is gone.
    let leaving =
        |i: &&GlobalSecondaryIndexDescription| i.index_status() == Some(&IndexStatus::Deleting);
    let indexes = table
        .global_secondary_indexes()
        .iter()
        .filter(|i| !leaving(i))
        .filter_map(index)
        .collect();
    let billing = table.billing_mode_summary().and_then(|b| b.billing_mode());
    let stream = table
        .stream_specification()
        .filter(|s| s.stream_enabled())
        .and_then(|s| s.stream_view_type());
    let encryption = table
        .sse_description()
        .filter(|s| !matches!(s.status(), Some(SseStatus::Disabled | SseStatus::Disabling)));
    Table {
        key: change::key_of(table.key_schema(), kinds),
        indexes,
        // A table that was never on demand has no summary.
        billing: billing
            .unwrap_or(&BillingMode::Provisioned)
            .as_str()
            .to_owned(),
        stream: stream.map(|s: &StreamViewType| s.as_str().to_owned()),
        ttl: None,
        recovery_days: None,
        kms_key: encryption
            .and_then(|s| s.kms_master_key_arn())
            .map(Ref::from),
        deletion_protection: table.deletion_protection_enabled().unwrap_or(false),
        exposed: Exposed::new(),
        others: others(table),
        members: table
            .replicas()
            .iter()
            .filter_map(|r| Some(format!("replica in {}", r.region_name()?)))
            .collect(),
    }
}

/// What is set and no table of ours has. A limit of -1 is none ("OnDemandThroughput" in the API reference).
fn others(table: &TableDescription) -> Exposed {
    let limits = table.on_demand_throughput();
    let limit = |name: &str, units: Option<i64>| {
        let units = units.filter(|units| *units > 0)?;
        Some((name.to_owned(), units.to_string()))
    };
    let class = table.table_class_summary().and_then(|c| c.table_class());
    let class = class.filter(|class| **class != TableClass::Standard);
    let all = [
        limit(READS, limits.and_then(|l| l.max_read_request_units())),
        limit(WRITES, limits.and_then(|l| l.max_write_request_units())),
        class.map(|class| (CLASS.to_owned(), class.as_str().to_owned())),
    ];
    all.into_iter().flatten().collect()
}

/// True for a table that was restored from a backup of one with its own name in this account and region.
pub(super) fn is_restored(table: &TableDescription) -> bool {
    let from = table.restore_summary().and_then(|r| r.source_table_arn());
    from.is_some() && from == table.table_arn()
}

pub(super) fn phase(table: &TableDescription) -> Phase {
    let restoring = table
        .restore_summary()
        .is_some_and(|r| r.restore_in_progress());
    let busy = restoring
        || table
            .global_secondary_indexes()
            .iter()
            .any(|i| i.index_status() != Some(&IndexStatus::Active))
        || matches!(
            table.sse_description().and_then(|s| s.status()),
            Some(SseStatus::Enabling | SseStatus::Disabling | SseStatus::Updating)
        );
    match table.table_status() {
        Some(TableStatus::Creating | TableStatus::Updating) => Phase::Settling,
        Some(TableStatus::Deleting) => Phase::Deleting,
        Some(status @ (TableStatus::Archiving | TableStatus::Archived)) => Phase::Failed(format!(
            "it is {status}: its key could not be used for days"
        )),
        _ if busy => Phase::Settling,
        // Also when its key cannot be used just now: the key's own step tells that, and brings it back.
        _ => Phase::Ready,
    }
}

pub(super) fn outputs(api: Api, table: &TableDescription) -> Result<TableOutputs, Error> {
    let stream = table.latest_stream_arn();
    Ok(TableOutputs {
        name: api.field(table.table_name(), "TableName")?,
        arn: api.field(table.table_arn(), "TableArn")?,
        stream_arn: stream.unwrap_or_default().into(),
    })
}

pub(super) async fn recovery(cx: &Aws, name: &str) -> Result<Option<i32>, Error> {
    let answer = cx.call(dynamodb::DESCRIBE_CONTINUOUS_BACKUPS, || {
        cx.dynamodb
            .client
            .describe_continuous_backups()
            .table_name(name)
            .send()
    });
    // A table in the making has none yet.
    let Some(answer) = found(answer.await)? else {
        return Ok(None);
    };
    let recovery = answer
        .continuous_backups_description()
        .and_then(|c| c.point_in_time_recovery_description())
        .filter(|p| p.point_in_time_recovery_status() == Some(&PointInTimeRecoveryStatus::Enabled));
    Ok(recovery.map(|p| p.recovery_period_in_days().unwrap_or(35)))
}

/// The attribute that items expire by. Switching takes DynamoDB up to an hour; the new value counts at once.
pub(super) async fn ttl(cx: &Aws, name: &str) -> Result<Option<String>, Error> {
    let answer = cx.call(dynamodb::DESCRIBE_TIME_TO_LIVE, || {
        cx.dynamodb
            .client
            .describe_time_to_live()
            .table_name(name)
            .send()
    });
    let Some(answer) = found(answer.await)? else {
        return Ok(None);
    };
    let on = answer.time_to_live_description.filter(|t| {
        matches!(
            t.time_to_live_status(),
            Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
        )
    });
    Ok(on.and_then(|t| t.attribute_name))
}

/// The resource policies of a table and its stream.
pub(super) async fn exposed(cx: &Aws, of: &TableOutputs) -> Result<Exposed, Error> {
    let one = async |what: &str, arn: &str| {
        if arn.is_empty() {
            return Ok::<_, Error>(None);
        }
        let call = cx.dynamodb.client.get_resource_policy().resource_arn(arn);
        let api = dynamodb::GET_RESOURCE_POLICY;
        let answer = found(cx.call(api, || call.clone().send()).await)?;
        let policy = answer.and_then(|a| a.policy);
        Ok(policy.map(|text| (what.to_owned(), text)))
    };
    let table = one("policy", of.arn.as_str());
    let stream = one("stream policy", of.stream_arn.as_str());
    let (table, stream) = futures::try_join!(table, stream)?;
    Ok(table.into_iter().chain(stream).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::{OnDemandThroughput, TableClassSummary};

    #[test]
    fn limits_of_requests_and_another_class_are_shown_and_the_defaults_are_not() {
        let of = |reads: i64, writes: i64, class: TableClass| {
            let limits = OnDemandThroughput::builder()
                .max_read_request_units(reads)
                .max_write_request_units(writes);
            let class = TableClassSummary::builder().table_class(class);
            let table = TableDescription::builder()
                .on_demand_throughput(limits.build())
                .table_class_summary(class.build());
            others(&table.build())
        };
        assert_eq!(others(&TableDescription::builder().build()), Exposed::new());
        assert_eq!(of(-1, -1, TableClass::Standard), Exposed::new());
        let all = of(1, -1, TableClass::StandardInfrequentAccess);
        let all: Vec<(&str, &str)> = all.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(all, [(READS, "1"), (CLASS, "STANDARD_INFREQUENT_ACCESS")]);
    }
}

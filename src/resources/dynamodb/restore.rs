//! A table that vanished, and the backups that DynamoDB still has of it. A table with point-in-time recovery leaves a backup of its
//! last state when it is deleted, which is kept for 35 days ("Point-in-time recovery: how it works"); a point in time can be
//! restored of a table that exists alone.

use super::model::{Table, TableOutputs};
use super::read::outputs;
use crate::aws::stamp;
use crate::resources::prelude::*;
use crate::resources::recovery_points::restores_its_own;
use aws_sdk_dynamodb::types::{
    BackupStatus, BackupSummary, BackupType, BackupTypeFilter, BillingMode,
};

const LIST: Api = dynamodb::LIST_BACKUPS;
const RESTORE: Api = dynamodb::RESTORE_TABLE_FROM_BACKUP;

async fn list(cx: &Aws, name: &str, of: BackupTypeFilter) -> Result<Vec<BackupSummary>, Error> {
    let call = cx.dynamodb.client.list_backups().table_name(name);
    let call = call.backup_type(of).limit(100);
    let send = |last| call.clone().set_exclusive_start_backup_arn(last).send();
    let all = cx.pages(LIST, send, |page| {
        let backups = page.backup_summaries.unwrap_or_default();
        (backups, page.last_evaluated_backup_arn)
    });
    all.await
}

/// The names of the backups that somebody made of the table by hand. They are of no use without its key.
pub(super) async fn by_hand(cx: &Aws, name: &str) -> Result<Vec<String>, Error> {
    let all = list(cx, name, BackupTypeFilter::User).await?;
    Ok(all.into_iter().filter_map(|b| b.backup_name).collect())
}

/// The backups of the table with this name.
pub(super) async fn backups(cx: &Aws, name: &str) -> Result<Remains, Error> {
    let all = list(cx, name, BackupTypeFilter::All).await?;
    let all: Vec<_> = all.iter().filter_map(backup).collect();
    if all.is_empty() {
        return Ok(Remains::nothing(
            "DynamoDB has no backup of it (a table without point-in-time recovery leaves none)",
        ));
    }
    Ok(Remains::of(all))
}

/// One that can be restored from.
fn backup(one: &BackupSummary) -> Option<Backup> {
    if one.backup_status() != Some(&BackupStatus::Available) {
        return None;
    }
    let arn = one.backup_arn()?;
    let (text, unfit) = match one.backup_type()? {
        BackupType::System => ("backup that DynamoDB made at its deletion", None),
        BackupType::User => ("backup made by hand", None),
        BackupType::AwsBackup => ("recovery point of AWS Backup", Some(restores_its_own(arn))),
        _ => return None,
    };
    Some(Backup {
        name: one.backup_name()?.to_owned(),
        text: text.to_owned(),
        at: one.backup_creation_date_time().and_then(stamp)?,
        since: None,
        unfit,
        source: arn.into(),
    })
}

impl Table {
    /// RestoreTableFromBackup takes no tags: [`Mark::Restored`] tells whose the table is until it has them.
    pub(super) async fn made_from(
        &self,
        cx: &Aws,
        identity: &Identity,
        from: &Backup,
    ) -> Result<TableOutputs, Error> {
        let call = cx.dynamodb.client.restore_table_from_backup();
        let call = call
            .target_table_name(&identity.name)
            .backup_arn(RESTORE.field::<String>(from.source.as_str(), "BackupArn")?)
            .billing_mode_override(BillingMode::from(self.billing.as_str()))
            .set_sse_specification_override(self.kms_key.as_ref().map(|_| self.encryption()));
        let made = cx.call(RESTORE, || call.clone().send()).await?;
        let table = made.table_description();
        outputs(
            RESTORE,
            table.ok_or_else(|| RESTORE.missing("TableDescription"))?,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::DateTime;

    #[test]
    fn a_recovery_point_of_aws_backup_is_named_with_its_command_and_never_chosen() {
        let one = |name: &str, kind: BackupType, arn: &str| {
            let summary = BackupSummary::builder()
                .backup_name(name)
                .backup_arn(arn)
                .backup_status(BackupStatus::Available)
                .backup_type(kind)
                .backup_creation_date_time(DateTime::from_secs(1_700_000_000));
            backup(&summary.build()).unwrap()
        };
        let point = "arn:aws:backup:eu-central-1:1:recovery-point:x";
        let remains = Remains::of(vec![one("a", BackupType::AwsBackup, point)]);
        let described = remains.backups[0].unfit.clone().unwrap();
        assert!(described.contains(&format!("--recovery-point-arn {point}")));
        assert_eq!(remains.choose(None).unwrap_err(), "no backup of it fits");
        let table = "arn:aws:dynamodb:eu-central-1:1:table/t/backup/b";
        let mut all = remains.backups;
        all.push(one("b", BackupType::User, table));
        assert_eq!(Remains::of(all).choose(None).unwrap().name, "b");
    }
}

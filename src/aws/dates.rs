//! Points in time that AWS shows of keys, secrets, databases, tables and certificates, for evidence: no type keeps them, because
//! they change by themselves.

use super::{Api, Aws, acm, dynamodb, kms, rds, secretsmanager};
use crate::engine::Error;
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde_json::Value;

/// What a date says, and the date, if AWS shows one.
pub type Dates = Vec<(&'static str, Option<Timestamp>)>;

/// The actions that show the dates of a type, and the output that it is asked by; `None` for a type without any.
pub fn shown_by(kind: &str) -> Option<(&'static [Api], &'static str)> {
    Some(match kind {
        "kms/key" => (&[kms::DESCRIBE_KEY, kms::GET_KEY_ROTATION_STATUS], "id"),
        "secretsmanager/secret" | "secretsmanager/rotation" => {
            (&[secretsmanager::DESCRIBE_SECRET], "arn")
        }
        "rds/cluster" => (&[rds::DESCRIBE_DB_CLUSTERS], "id"),
        "dynamodb/table" => (&[dynamodb::DESCRIBE_CONTINUOUS_BACKUPS], "name"),
        "acm/certificate" => (&[acm::DESCRIBE_CERTIFICATE], "arn"),
        _ => return None,
    })
}

/// Reads the dates of a thing.
///
/// # Errors
/// When AWS does not show them.
pub async fn dates(aws: &Aws, kind: &str, outputs: &Value) -> Result<Dates, Error> {
    let Some(([api, ..], by)) = shown_by(kind) else {
        return Ok(Dates::new());
    };
    let api = *api;
    let id = api.field::<String>(outputs.get(by).and_then(Value::as_str), by)?;
    match kind {
        "kms/key" => {
            let call = aws.kms.client.describe_key().key_id(&id);
            let answer = aws.call(api, || call.clone().send()).await?;
            let call = aws.kms.client.get_key_rotation_status().key_id(id);
            let status = aws.call(kms::GET_KEY_ROTATION_STATUS, || call.clone().send());
            let next = status.await?.next_rotation_date().and_then(stamp);
            let about = answer.key_metadata();
            let deletion = about.and_then(|m| m.deletion_date()).and_then(stamp);
            let created = about.and_then(|m| m.creation_date()).and_then(stamp);
            let dates = [("created", created), ("next rotation", next)];
            // Only a key that waits for its deletion has a date of it.
            let deletion = deletion.map(|at| ("deletion", Some(at)));
            Ok(dates.into_iter().chain(deletion).collect())
        }
        "rds/cluster" => {
            let call = aws
                .rds
                .client
                .describe_db_clusters()
                .db_cluster_identifier(id);
            let answer = aws.call(api, || call.clone().send()).await?;
            let cluster = answer.db_clusters().first();
            Ok(vec![
                (
                    "created",
                    cluster
                        .and_then(|c| c.cluster_create_time())
                        .and_then(stamp),
                ),
                (
                    "restorable from",
                    cluster
                        .and_then(|c| c.earliest_restorable_time())
                        .and_then(stamp),
                ),
                (
                    "restorable to",
                    cluster
                        .and_then(|c| c.latest_restorable_time())
                        .and_then(stamp),
                ),
            ])
        }
        "dynamodb/table" => {
            let call = aws
                .dynamodb
                .client
                .describe_continuous_backups()
                .table_name(id);
            let answer = aws.call(api, || call.clone().send()).await?;
            let backups = answer.continuous_backups_description();
            let recovery = backups.and_then(|b| b.point_in_time_recovery_description());
            Ok(vec![
                (
                    "restorable from",
                    recovery
                        .and_then(|r| r.earliest_restorable_date_time())
                        .and_then(stamp),
                ),
                (
                    "restorable to",
                    recovery
                        .and_then(|r| r.latest_restorable_date_time())
                        .and_then(stamp),
                ),
            ])
        }
        "acm/certificate" => {
            let detail = aws.acm.certificates.get(id).await?;
            let detail = detail.ok_or_else(|| api.missing("Certificate"))?;
            Ok(vec![
                ("issued", detail.issued_at().and_then(stamp)),
                ("valid until", detail.not_after().and_then(stamp)),
            ])
        }
        _ => {
            let call = aws.secretsmanager.client.describe_secret().secret_id(id);
            let answer = aws.call(api, || call.clone().send()).await?;
            Ok(vec![
                ("created", answer.created_date().and_then(stamp)),
                ("last rotated", answer.last_rotated_date().and_then(stamp)),
                ("next rotation", answer.next_rotation_date().and_then(stamp)),
            ])
        }
    }
}

/// A time of the SDK's.
pub fn stamp(at: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(at.secs()).ok()
}

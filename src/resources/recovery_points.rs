//! What AWS Backup may have of something that vanished. It is not asked: a recovery point is restored by a job with a role and
//! settings of its own ("StartRestoreJob" in the AWS Backup API reference), which no plan here can stand for.

/// What to type to see it, for a thing with this ARN or name.
pub fn not_asked(thing: &str) -> String {
    format!(
        "AWS Backup was not asked: `aws backup list-recovery-points-by-resource --resource-arn {thing}` lists what it has, and `aws backup start-restore-job` restores it"
    )
}

/// Why a backup that AWS Backup made cannot be chosen, and what restores it.
pub fn restores_its_own(recovery_point: &str) -> String {
    format!(
        "AWS Backup made it and restores it: `aws backup start-restore-job --recovery-point-arn {recovery_point}`"
    )
}

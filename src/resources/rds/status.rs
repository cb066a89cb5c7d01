//! From RDS's statuses to phases ("Viewing DB cluster status", "Viewing DB instance status" in the Aurora User Guide).

use crate::engine::Phase;

/// The phase that a cluster's or an instance's status means. What is not listed is work in progress: creating,
/// modifying, backing-up, rebooting, upgrading, configuring-..., resetting-..., starting, stopping and others to come.
pub(super) fn phase(status: Option<&str>) -> Phase {
    match status.unwrap_or_default() {
        "available" | "storage-optimization" => Phase::Ready,
        // A stopped cluster can be read and started; `running` says that it is stopped.
        stopped if is_stopped(Some(stopped)) => Phase::Ready,
        "deleting" | "delete-precheck" => Phase::Deleting,
        broken if is_broken(broken) => Phase::Failed(format!("its status is `{broken}`")),
        _ => Phase::Settling,
    }
}

/// True for a cluster or instance that StartDBCluster brings back. Without its KMS key (disabled by somebody, say) Aurora
/// stops a cluster for seven days; with the key enabled again it can be started ("Limitations of Amazon Aurora encrypted
/// DB clusters").
pub(super) fn is_stopped(status: Option<&str>) -> bool {
    matches!(
        status,
        Some("stopped" | "inaccessible-encryption-credentials-recoverable")
    )
}

fn is_broken(status: &str) -> bool {
    status == "failed"
        || status == "restore-error"
        || status == "insufficient-capacity"
        || status == "storage-full"
        || status.ends_with("-failed")
        || status.starts_with("incompatible-")
        || status == "inaccessible-encryption-credentials"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_ready_leaving_broken_or_work_in_progress() {
        assert_eq!(phase(Some("available")), Phase::Ready);
        assert_eq!(phase(Some("delete-precheck")), Phase::Deleting);
        for busy in [
            "creating",
            "backing-up",
            "configuring-enhanced-monitoring",
            "new",
        ] {
            assert_eq!(phase(Some(busy)), Phase::Settling, "{busy}");
        }
        for broken in [
            "failed",
            "incompatible-network",
            "inaccessible-encryption-credentials",
        ] {
            assert!(matches!(phase(Some(broken)), Phase::Failed(_)), "{broken}");
        }
        let without_key = Some("inaccessible-encryption-credentials-recoverable");
        assert!(is_stopped(without_key) && is_stopped(Some("stopped")));
        assert_eq!(
            phase(without_key),
            Phase::Ready,
            "a cluster that can be started is never replaced"
        );
    }
}

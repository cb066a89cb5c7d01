//! The final snapshot of a cluster: what `destroy --keep-snapshot` leaves behind. RDS makes it while it deletes the
//! cluster, so it is never created here; it is found by its name and by the cluster's tags, which RDS copies to it.

use super::GROUP;
use crate::aws::{Aws, rds_tags_of, read, repeatable};
use crate::engine::driver::Owned;
use crate::engine::graph::NameRule;
use crate::engine::{Data, Delta, Error, Identity, Kind, Phase, Ref, Retention};
use crate::resources::kms::KeyArn;
use crate::resources::owned::marked;
use crate::resources::{Found, Lookup, Resource, found, ignore_not_found, missing_field};
use aws_sdk_rds::types::DbClusterSnapshot;
use serde::{Deserialize, Serialize};

/// What is known of a snapshot.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterSnapshot {
    /// The cluster it was made of.
    pub cluster: String,
    /// The key without which it cannot be restored.
    pub storage_key: Option<Ref<KeyArn>>,
}

/// A snapshot's identifier.
#[derive(Debug)]
pub enum ClusterSnapshotId {}

/// Its id and ARN.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClusterSnapshotOutputs {
    /// Its identifier, which is its name.
    pub id: Ref<ClusterSnapshotId>,
    /// Its ARN.
    pub arn: String,
}

impl Kind for ClusterSnapshot {
    const TYPE: &'static str = "rds/cluster_snapshot";
    const NAME: NameRule = GROUP;
}

const ACTION: &str = "rds:DescribeDBClusterSnapshots";

impl Resource for ClusterSnapshot {
    const HOLDS_DATA: bool = true;
    const RETENTION: Retention = Retention {
        protection: None,
        final_snapshot: None,
        is_snapshot: true,
    };
    type Outputs = ClusterSnapshotOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key
            .outputs
            .map_or(key.identity.name.as_str(), |o| o.id.as_str());
        let Some(one) = found(list(cx, None, Some(id)).await)?
            .into_iter()
            .flatten()
            .next()
        else {
            return Ok(None);
        };
        let arn = one
            .db_cluster_snapshot_arn()
            .ok_or_else(|| missing_field(ACTION, "DBClusterSnapshotArn"))?;
        Ok(Some(Found {
            spec: Self {
                cluster: one.db_cluster_identifier().unwrap_or_default().to_owned(),
                storage_key: one.kms_key_id().map(Ref::from),
            },
            tags: Some(rds_tags_of(one.tag_list())),
            outputs: ClusterSnapshotOutputs {
                id: id.into(),
                arn: arn.to_owned(),
            },
            phase: match one.status().unwrap_or_default() {
                "available" => Phase::Ready,
                "deleting" => Phase::Deleting,
                "failed" => Phase::Failed("RDS could not make the snapshot".into()),
                _ => Phase::Settling,
            },
        }))
    }

    /// The blueprint has none.
    async fn create(&self, _: &Aws, _: &Identity) -> Result<ClusterSnapshotOutputs, Error> {
        Err(Error::permanent(
            "create",
            "a final snapshot is made by the deletion of its cluster alone",
        ))
    }

    async fn update(&self, _: &Aws, _: &ClusterSnapshotOutputs, _: &Delta) -> Result<(), Error> {
        Ok(())
    }

    async fn data(&self, _: &Aws, _: &ClusterSnapshotOutputs) -> Result<Data, Error> {
        Ok(Data::Holds(format!("the snapshot of {}", self.cluster)))
    }

    async fn delete(&self, cx: &Aws, outputs: &ClusterSnapshotOutputs) -> Result<(), Error> {
        ignore_not_found(
            cx.call(repeatable("rds", "DeleteDBClusterSnapshot"), || {
                cx.rds
                    .client
                    .delete_db_cluster_snapshot()
                    .db_cluster_snapshot_identifier(outputs.id.as_str())
                    .send()
            })
            .await,
        )
    }

    /// Ours are those with our mark and the name that `destroy` gives. A snapshot that somebody made of our cluster has
    /// our mark too, because RDS copies tags; it is not ours to delete.
    async fn owned(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
        let all = list(cx, None, None).await?;
        let one = |s: &DbClusterSnapshot| {
            let (id, arn) = (
                s.db_cluster_snapshot_identifier()?,
                s.db_cluster_snapshot_arn()?,
            );
            let owned = marked(Self::TYPE, arn, id, rds_tags_of(s.tag_list()), suffix)?;
            is_final(id, suffix).then(|| Owned {
                step: id.to_owned(),
                tags: [owned.tags, [("Name".to_owned(), id.to_owned())].into()]
                    .into_iter()
                    .flatten()
                    .collect(),
                ..owned
            })
        };
        Ok(all.iter().filter_map(one).collect())
    }
}

/// `snapshot-{name}-{suffix}-{date}-{time}`
fn is_final(name: &str, suffix: &str) -> bool {
    let digits = |part: &str, n: usize| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = name.rsplitn(3, '-');
    let (time, date, head) = (parts.next(), parts.next(), parts.next());
    time.is_some_and(|t| digits(t, 6))
        && date.is_some_and(|d| digits(d, 8))
        && head.is_some_and(|h| h.starts_with("snapshot-") && h.ends_with(&format!("-{suffix}")))
}

/// Manual snapshots (a final one counts as manual): of one cluster, or one by its name, or all.
async fn list(
    cx: &Aws,
    cluster: Option<&str>,
    id: Option<&str>,
) -> Result<Vec<DbClusterSnapshot>, Error> {
    let mut all = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let page = cx
            .call(read("rds", "DescribeDBClusterSnapshots"), || {
                cx.rds
                    .client
                    .describe_db_cluster_snapshots()
                    .snapshot_type("manual")
                    .set_db_cluster_identifier(cluster.map(str::to_owned))
                    .set_db_cluster_snapshot_identifier(id.map(str::to_owned))
                    .max_records(100)
                    .set_marker(marker.clone())
                    .send()
            })
            .await?;
        marker = page.marker().filter(|m| !m.is_empty()).map(str::to_owned);
        all.extend(page.db_cluster_snapshots.unwrap_or_default());
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// What the deletion of a cluster loses: its rows, and the use of manual snapshots that share its key.
pub(super) async fn of_a_cluster(cx: &Aws, cluster: &str) -> Result<Data, Error> {
    let snapshots = list(cx, Some(cluster), None).await?;
    let names: Vec<&str> = snapshots
        .iter()
        .filter_map(|s| s.db_cluster_snapshot_identifier())
        .collect();
    let more = match names.as_slice() {
        [] => String::new(),
        names => format!(
            "; manual snapshots that share its key: {}",
            names.join(", ")
        ),
    };
    Ok(Data::Holds(format!(
        "a database (rows are not counted){more}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_that_destroy_gives_is_ours() {
        assert!(is_final("snapshot-aurora-green-dev-20261128-043743", "dev"));
        for name in [
            "snapshot-aurora-green-dev",
            "before-release",
            "snapshot-aurora-green-dev-20261128-0437",
            "snapshot-aurora-green-dev2-20261128-043743",
            "aurora-green-dev-20261128-043743",
        ] {
            assert!(!is_final(name, "dev"), "{name}");
        }
    }
}

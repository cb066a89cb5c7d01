//! The final snapshot of a cluster: what `destroy --keep-snapshot` leaves behind. RDS makes it while it deletes the
//! cluster, so it is never created here; it is found by its name and by the cluster's tags, which RDS copies to it.

use super::{GROUP, RdsTags};
use crate::aws::rds_tags_of;
use crate::resources::kms::Key;
use crate::resources::prelude::*;
use aws_sdk_rds::types::DbClusterSnapshot;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterSnapshot {
    /// The cluster it was made of.
    pub cluster: String,
    /// The key without which it cannot be restored.
    pub storage_key: Option<Ref<Arn<Key>>>,
}

const LIST: Api = rds::DESCRIBE_DB_CLUSTER_SNAPSHOTS;
const DELETE: Api = rds::DELETE_DB_CLUSTER_SNAPSHOT;

impl Kind for ClusterSnapshot {
    const TYPE: &'static str = "rds/cluster_snapshot";
    const NAME: NameRule = GROUP;
    type Outputs = Named<Self>;
}

impl Resource for ClusterSnapshot {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (300.0, 10.0),
        cost: |_| Cost::usage(&["snapshots"]),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: true,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    const RETENTION: Retention = Retention {
        is_snapshot: true,
        read_with: &["storage_key"],
        ..Retention::NONE
    };
    type Tags = RdsTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.name();
        let all = found(list(cx, Manual, None, Some(id)).await)?;
        let Some(one) = all.into_iter().flatten().next() else {
            return Ok(None);
        };
        let arn = one.db_cluster_snapshot_arn();
        let arn: Ref<Arn<Self>> = LIST.field(arn, "DBClusterSnapshotArn")?;
        let spec = Self {
            cluster: one.db_cluster_identifier().unwrap_or_default().to_owned(),
            storage_key: one.kms_key_id().map(Ref::from),
        };
        // RDS copied the cluster's tags; the name is the snapshot's own.
        let mut tags = rds_tags_of(one.tag_list());
        tags.insert("Name".into(), id.to_owned());
        let found = Found::tagged(spec, Named::new(id, arn), tags);
        Ok(Some(found.phase(match one.status().unwrap_or_default() {
            "available" => Phase::Ready,
            "deleting" => Phase::Deleting,
            "failed" => Phase::Failed("RDS could not make the snapshot".into()),
            _ => Phase::Settling,
        })))
    }

    /// The blueprint has none.
    async fn create(&self, _: &Aws, _: &Identity) -> Result<Named<Self>, Error> {
        let text = "a final snapshot is made by the deletion of its cluster alone";
        Err(Error::permanent("create", text))
    }

    async fn data(&self, _: &Aws, _: &Named<Self>) -> Result<Data, Error> {
        Ok(Data::Holds(format!("the snapshot of {}", self.cluster)))
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let call = cx.rds.client.delete_db_cluster_snapshot();
        let call = call.db_cluster_snapshot_identifier(&it.name);
        cx.delete(DELETE, || call.clone().send()).await
    }
}

/// Ours are those with our mark and the name that `destroy` gives. A snapshot that somebody made of our cluster has our
/// mark too, because RDS copies tags; it is not ours to delete.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.rds.manual_snapshots.now().await?;
    let one = |s: &DbClusterSnapshot| {
        let id = s.db_cluster_snapshot_identifier()?;
        let arn = s.db_cluster_snapshot_arn()?;
        let mut tags = rds_tags_of(s.tag_list());
        tags.insert("Name".into(), id.to_owned());
        let owned = marked(ClusterSnapshot::TYPE, arn, id, tags, suffix)?;
        is_final(id, suffix).then(|| Owned {
            step: id.to_owned(),
            ..owned
        })
    };
    Ok(all.iter().filter_map(one).collect())
}

/// `snapshot-{name}-{suffix}-{date}-{time}`
pub(super) fn is_final(name: &str, suffix: &str) -> bool {
    let digits = |part: &str, n: usize| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = name.rsplitn(3, '-');
    let (time, date, head) = (parts.next(), parts.next(), parts.next());
    time.is_some_and(|t| digits(t, 6))
        && date.is_some_and(|d| digits(d, 8))
        && head.is_some_and(|h| h.starts_with("snapshot-") && h.ends_with(&format!("-{suffix}")))
}

/// Which snapshots: a final one counts as manual.
pub(super) enum Which {
    /// Those that somebody made.
    Manual,
    /// Those of RDS too.
    All,
}
use Which::Manual;

/// Snapshots of one cluster, or one by its name, or all.
pub(super) async fn list(
    cx: &Aws,
    which: Which,
    cluster: Option<&str>,
    id: Option<&str>,
) -> Result<Vec<DbClusterSnapshot>, Error> {
    let call = cx.rds.client.describe_db_cluster_snapshots();
    let call = call
        .set_snapshot_type(matches!(which, Manual).then(|| "manual".to_owned()))
        .set_db_cluster_identifier(cluster.map(str::to_owned))
        .set_db_cluster_snapshot_identifier(id.map(str::to_owned))
        .max_records(100);
    let send = |marker| call.clone().set_marker(marker).send();
    let all = cx.pages(LIST, send, |page| {
        (page.db_cluster_snapshots.unwrap_or_default(), page.marker)
    });
    all.await
}

/// What the deletion of a cluster loses: its rows, and the use of manual snapshots that share its key.
pub(super) async fn of_cluster(cx: &Aws, cluster: &str) -> Result<Data, Error> {
    let snapshots = list(cx, Manual, Some(cluster), None).await?;
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

//! Who holds a group that RDS refuses to delete: its refusal names nobody.

use crate::aws::rds_tags_of;
use crate::engine::ownership::{MARK_STEP, MARK_SUFFIX};
use crate::resources::prelude::*;
use aws_sdk_rds::types as t;

/// The clusters and instances of others that have the group of this name where these say that a group is had.
pub(super) async fn by_others(
    cx: &Aws,
    group: &str,
    cluster: impl Fn(&t::DbCluster) -> Option<&str>,
    instance: impl Fn(&t::DbInstance) -> Vec<&str>,
) -> Result<Vec<String>, Error> {
    let (clusters, instances) = futures::try_join!(cx.rds.clusters.now(), cx.rds.instances.now())?;
    let is_it = |name: &str| name.eq_ignore_ascii_case(group);
    let clusters = clusters.iter().filter(|c| cluster(c).is_some_and(is_it));
    let clusters = clusters.filter(|c| is_of_others(group, c.tag_list()));
    let clusters = clusters.filter_map(|c| Some(format!("cluster {}", c.db_cluster_identifier()?)));
    let instances = instances
        .iter()
        .filter(|i| instance(i).into_iter().any(is_it));
    let instances = instances.filter(|i| is_of_others(group, i.tag_list()));
    let instances =
        instances.filter_map(|i| Some(format!("instance {}", i.db_instance_identifier()?)));
    Ok(clusters.chain(instances).collect())
}

/// True when these tags do not carry the mark of the deployment that made the group: its name ends in the suffix.
fn is_of_others(group: &str, tags: &[t::Tag]) -> bool {
    let tags = rds_tags_of(tags);
    let suffix = group.rsplit('-').next();
    !tags.contains_key(MARK_STEP) || tags.get(MARK_SUFFIX).map(String::as_str) != suffix
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::wire::answering;
    use crate::resources::holders::explain;

    /// An element of an answer, with these tags.
    fn shown(kind: &str, inner: &str, tags: &[(&str, &str)]) -> String {
        let tag = |(k, v): &(&str, &str)| format!("<Tag><Key>{k}</Key><Value>{v}</Value></Tag>");
        let tags: String = tags.iter().map(tag).collect();
        format!("<{kind}>{inner}<TagList>{tags}</TagList></{kind}>")
    }

    /// What a deletion says that was refused while these are there.
    async fn said(tags: &[(&str, &str)]) -> Error {
        let inner = "<DBClusterIdentifier>c-dev</DBClusterIdentifier><DBSubnetGroup>group-green-dev</DBSubnetGroup><DBClusterParameterGroup>other</DBClusterParameterGroup>";
        let cluster = shown("DBCluster", inner, tags);
        let inner = "<DBInstanceIdentifier>i-dev</DBInstanceIdentifier><DBSubnetGroup><DBSubnetGroupName>group-green-dev</DBSubnetGroupName></DBSubnetGroup>";
        let instance = shown("DBInstance", inner, tags);
        let aws = answering(move |asked| {
            let (what, list) = match asked.contains("DescribeDBClusters") {
                true => (
                    "DescribeDBClusters",
                    format!("<DBClusters>{cluster}</DBClusters>"),
                ),
                false => (
                    "DescribeDBInstances",
                    format!("<DBInstances>{instance}</DBInstances>"),
                ),
            };
            let body =
                format!("<{what}Response><{what}Result>{list}</{what}Result></{what}Response>");
            (200, body.into_bytes())
        });
        let refused: Result<(), Error> =
            Err(Error::of(Class::InUse, "rds:Delete", "It is in use."));
        let who = by_others(
            &aws,
            "group-green-dev",
            t::DbCluster::db_subnet_group,
            |i| {
                i.db_subnet_group()
                    .and_then(|g| g.db_subnet_group_name())
                    .into_iter()
                    .collect()
            },
        );
        explain(refused, who).await.unwrap_err()
    }

    #[tokio::test]
    async fn clusters_and_instances_of_others_are_named_and_ours_are_waited_for() {
        let ours = [(MARK_SUFFIX, "dev"), (MARK_STEP, "aurora-green")];
        let waits = said(&ours).await;
        assert_eq!(
            (waits.class, &*waits.message),
            (Class::InUse, "It is in use.")
        );
        for theirs in [
            &[][..],
            &ours[..1],
            &ours[1..],
            &[(MARK_SUFFIX, "other"), ours[1]],
        ] {
            let error = said(theirs).await;
            assert_eq!(error.class, Class::Blocked, "{theirs:?}");
            assert_eq!(
                error.message,
                "It is in use; held by cluster c-dev, instance i-dev"
            );
        }
    }
}

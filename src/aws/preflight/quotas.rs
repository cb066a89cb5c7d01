//! Quotas against what is missing: wanted, less what is ours already, against the quota less everything in use. A quota
//! is never an error here: it can be raised while the run goes on, and AWS's own refusal carries the hint. Codes are
//! those of the Service Quotas console.

use super::{Check, Clients, Level, Wanted};
use crate::aws::read;
use crate::aws::{rds_tags_of, tags_of};
use crate::engine::Error;
use crate::engine::driver::MARK_SUFFIX;
use std::collections::BTreeMap;

/// How many there are, and how many of them are ours.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Count {
    all: usize,
    ours: usize,
}

fn count(tags: impl Iterator<Item = BTreeMap<String, String>>, suffix: &str) -> Count {
    tags.fold(Count::default(), |mut count, tags| {
        count.all += 1;
        count.ours += usize::from(tags.get(MARK_SUFFIX).is_some_and(|s| s == suffix));
        count
    })
}

/// VPCs, transit gateways, endpoints.
pub(super) async fn network(clients: &Clients, wanted: &Wanted) -> Vec<Check> {
    let vpcs = async {
        let call = clients.caller.call(read("ec2", "DescribeVpcs"), || {
            clients.ec2.describe_vpcs().max_results(1000).send()
        });
        let found = call.await?;
        let tags = found.vpcs().iter().map(|v| tags_of(v.tags()));
        Ok(count(tags, &wanted.suffix))
    };
    let gateways = async {
        let call = clients
            .caller
            .call(read("ec2", "DescribeTransitGateways"), || {
                clients
                    .ec2
                    .describe_transit_gateways()
                    .max_results(1000)
                    .send()
            });
        let found = call.await?;
        let live = found
            .transit_gateways()
            .iter()
            .filter(|g| !matches!(g.state().map(|s| s.as_str()), Some("deleted" | "deleting")));
        Ok(count(live.map(|g| tags_of(g.tags())), &wanted.suffix))
    };
    let (vpc, gateway, endpoints, vpcs, gateways) = tokio::join!(
        quota(clients, "vpc", "L-F678F1CE"),
        quota(clients, "ec2", "L-A2478D36"),
        quota(clients, "vpc", "L-29B6F2EB"),
        vpcs,
        gateways
    );
    vec![
        judge("VPCs per region", vpc, vpcs, wanted.vpcs),
        judge(
            "transit gateways",
            gateway,
            gateways,
            wanted.transit_gateways,
        ),
        // They are counted per VPC, and the VPC is ours alone.
        judge(
            "interface endpoints per VPC",
            endpoints,
            Ok(Count::default()),
            wanted.interface_endpoints,
        ),
    ]
}

/// Clusters and instances. RDS tells its quotas itself ("DescribeAccountAttributes"). Also gives the number of clusters
/// that are ours already, when it could be read.
pub(super) async fn databases(clients: &Clients, wanted: &Wanted) -> (Vec<Check>, Option<usize>) {
    let limits = clients
        .caller
        .call(read("rds", "DescribeAccountAttributes"), || {
            clients.rds.describe_account_attributes().send()
        });
    let clusters = async {
        let call = clients.caller.call(read("rds", "DescribeDBClusters"), || {
            clients.rds.describe_db_clusters().max_records(100).send()
        });
        let found = call.await?;
        let tags = found.db_clusters().iter();
        Ok(count(
            tags.map(|c| rds_tags_of(c.tag_list())),
            &wanted.suffix,
        ))
    };
    let (limits, clusters) = tokio::join!(limits, clusters);
    let quota = |name: &str| -> Result<(f64, usize), Error> {
        let answer = limits.as_ref().map_err(Clone::clone)?;
        let mut all = answer.account_quotas().iter();
        let found = all.find(|q| q.account_quota_name() == Some(name));
        found
            .and_then(|q| Some((q.max()? as f64, usize::try_from(q.used()?).ok()?)))
            .ok_or_else(|| {
                let text = format!("it does not tell `{name}`");
                Error::permanent("rds:DescribeAccountAttributes", text)
            })
    };
    let ours = clusters.as_ref().ok().map(|c| c.ours);
    // Where our clusters are, their instances are taken to be: listing them is not worth a call.
    let complete = ours.is_some_and(|ours| ours >= wanted.clusters);
    let (limit, instances) = split(quota("DBInstances").map(|(limit, all)| {
        let ours = if complete { wanted.instances } else { 0 };
        (limit, Count { all, ours })
    }));
    let checks = vec![
        judge(
            "DB clusters",
            quota("DBClusters").map(|(limit, _)| limit),
            clusters,
            wanted.clusters,
        ),
        judge("DB instances", limit, instances, wanted.instances),
    ];
    (checks, ours)
}

fn split(both: Result<(f64, Count), Error>) -> (Result<f64, Error>, Result<Count, Error>) {
    match both {
        Ok((limit, count)) => (Ok(limit), Ok(count)),
        Err(error) => (Err(error.clone()), Err(error)),
    }
}

/// The applied value, or AWS's default where none was ever applied.
async fn quota(clients: &Clients, service: &str, code: &str) -> Result<f64, Error> {
    let applied = clients
        .caller
        .call(read("servicequotas", "GetServiceQuota"), || {
            clients
                .quotas
                .get_service_quota()
                .service_code(service)
                .quota_code(code)
                .send()
        });
    let value = match applied.await {
        Ok(answer) => answer.quota().and_then(|q| q.value()),
        Err(error) if error.is_not_found() => {
            let default =
                clients
                    .caller
                    .call(read("servicequotas", "GetAWSDefaultServiceQuota"), || {
                        clients
                            .quotas
                            .get_aws_default_service_quota()
                            .service_code(service)
                            .quota_code(code)
                            .send()
                    });
            default.await?.quota().and_then(|q| q.value())
        }
        Err(error) => return Err(error),
    };
    value.ok_or_else(|| Error::permanent("servicequotas:GetServiceQuota", "it tells no value"))
}

fn judge(
    what: &str,
    limit: Result<f64, Error>,
    count: Result<Count, Error>,
    wanted: usize,
) -> Check {
    let name = format!("quota: {what}");
    let (limit, count) = match (limit, count) {
        (Ok(limit), Ok(count)) => (limit, count),
        (Err(error), _) | (_, Err(error)) => return Check::not_checked(&name, &error),
    };
    let missing = wanted.saturating_sub(count.ours);
    let room = limit - count.all as f64;
    let text = format!("{} of {limit} in use, {missing} more to come", count.all);
    if missing == 0 || missing as f64 <= room {
        return Check::new(&name, Level::Ok, text);
    }
    Check::new(&name, Level::Warning, text).hint(
        "raise this quota in Service Quotas, or remove what is not needed; creating will be refused otherwise",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_already_is_not_asked_for_twice() {
        let tags = |suffix: &str| BTreeMap::from([(MARK_SUFFIX.to_owned(), suffix.to_owned())]);
        let have = count(
            [tags("dev"), tags("pr1"), BTreeMap::new()].into_iter(),
            "dev",
        );
        assert_eq!(have, Count { all: 3, ours: 1 });
        assert_eq!(judge("x", Ok(4.0), Ok(have), 2).level, Level::Ok);
        assert_eq!(judge("x", Ok(3.0), Ok(have), 2).level, Level::Warning);
        assert_eq!(judge("x", Ok(3.0), Ok(have), 1).level, Level::Ok);
    }

    #[test]
    fn a_quota_that_cannot_be_read_is_a_warning_that_says_why() {
        let denied = Error::permanent("servicequotas:GetServiceQuota", "no").code("AccessDenied");
        let check = judge("x", Err(denied), Ok(Count::default()), 2);
        assert_eq!(check.level, Level::Warning);
        assert!(
            check
                .text
                .starts_with("not checked: servicequotas:GetServiceQuota")
        );
    }
}

//! Quotas against what a plan would make, one row per quota. A quota is never an error here: it can be raised while the
//! run goes on, and AWS's own refusal carries the hint. Codes are those of the Service Quotas console.

use super::{Check, Demand, Level};
use crate::aws::{Aws, ec2, rds, servicequotas};
use crate::engine::Error;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};

/// The quota of one kind of thing.
struct Quota {
    kind: &'static str,
    name: &'static str,
    limit: Limit,
    used: Used,
}

/// Where the limit is reported.
enum Limit {
    /// By Service Quotas, under this service and code.
    Code(&'static str, &'static str),
    /// By RDS itself ("DescribeAccountAttributes"), together with how much of it is used.
    Rds(&'static str),
}

/// What counts towards it.
enum Used {
    /// Everything in account and region.
    Region(for<'a> fn(&'a Aws) -> BoxFuture<'a, Result<usize, Error>>),
    /// What is in one VPC, of which every scope has one of its own: only ours.
    Vpc,
    /// RDS tells it with the limit.
    Reported,
}

const QUOTAS: [Quota; 5] = [
    Quota {
        kind: "ec2/vpc",
        name: "VPCs per region",
        limit: Limit::Code("vpc", "L-F678F1CE"),
        used: Used::Region(vpcs),
    },
    Quota {
        kind: "ec2/transit_gateway",
        name: "transit gateways",
        limit: Limit::Code("ec2", "L-A2478D36"),
        used: Used::Region(transit_gateways),
    },
    Quota {
        kind: "ec2/interface_endpoint",
        name: "interface endpoints per VPC",
        limit: Limit::Code("vpc", "L-29B6F2EB"),
        used: Used::Vpc,
    },
    Quota {
        kind: "rds/cluster",
        name: "DB clusters",
        limit: Limit::Rds("DBClusters"),
        used: Used::Reported,
    },
    Quota {
        kind: "rds/instance",
        name: "DB instances",
        limit: Limit::Rds("DBInstances"),
        used: Used::Reported,
    },
];

fn vpcs(aws: &Aws) -> BoxFuture<'_, Result<usize, Error>> {
    let call = aws.ec2.client.describe_vpcs().max_results(1000);
    let send = move |token| call.clone().set_next_token(token).send();
    async move {
        let all = aws.pages(ec2::DESCRIBE_VPCS, send, |page| {
            (page.vpcs.unwrap_or_default(), page.next_token)
        });
        Ok(all.await?.len())
    }
    .boxed()
}

fn transit_gateways(aws: &Aws) -> BoxFuture<'_, Result<usize, Error>> {
    let call = aws.ec2.client.describe_transit_gateways();
    let call = call.max_results(1000);
    let send = move |token| call.clone().set_next_token(token).send();
    async move {
        let all = aws.pages(ec2::DESCRIBE_TRANSIT_GATEWAYS, send, |page| {
            (page.transit_gateways.unwrap_or_default(), page.next_token)
        });
        let all = all.await?;
        let live = all
            .iter()
            .filter(|g| !matches!(g.state().map(|s| s.as_str()), Some("deleted" | "deleting")));
        Ok(live.count())
    }
    .boxed()
}

/// One finding for each quota of which the plan needs something.
pub(super) async fn all(aws: &Aws, demand: &Demand) -> Vec<Check> {
    let needed = QUOTAS.iter().filter_map(|quota| {
        let scopes = demand.kinds.get(quota.kind)?;
        let new: usize = match quota.used {
            Used::Vpc => scopes.values().map(|c| c.new).max().unwrap_or(0),
            Used::Region(_) | Used::Reported => scopes.values().map(|c| c.new).sum(),
        };
        let fullest = scopes.values().max_by_key(|c| c.new + c.there);
        let there = fullest.map_or(0, |c| c.there);
        (new > 0).then_some((quota, new, there))
    });
    let needed: Vec<_> = needed.collect();
    if needed.is_empty() {
        return Vec::new();
    }
    let is_rds = |quota: &Quota| matches!(quota.limit, Limit::Rds(_));
    let asks_rds = needed.iter().any(|(quota, ..)| is_rds(quota));
    // One answer has the quotas of all that RDS reports.
    let attributes = async {
        if !asks_rds {
            return None;
        }
        let request = || aws.rds.client.describe_account_attributes().send();
        let answer = aws.call(rds::DESCRIBE_ACCOUNT_ATTRIBUTES, request);
        Some(answer.await.map(|a| a.account_quotas.unwrap_or_default()))
    };
    let attributes = &attributes.shared();
    let one = |(quota, new, there): (&'static Quota, usize, usize)| async move {
        let (limit, used) = match (&quota.limit, &quota.used) {
            (Limit::Rds(name), _) => reported(&attributes.clone().await, name),
            (Limit::Code(service, code), Used::Region(count)) => {
                tokio::join!(applied(aws, service, code), count(aws))
            }
            (Limit::Code(service, code), Used::Vpc | Used::Reported) => {
                (applied(aws, service, code).await, Ok(there))
            }
        };
        verdict(quota.name, limit, used, new)
    };
    join_all(needed.into_iter().map(one)).await
}

type Reported = Option<Result<Vec<aws_sdk_rds::types::AccountQuota>, Error>>;

fn reported(answer: &Reported, name: &str) -> (Result<f64, Error>, Result<usize, Error>) {
    let both = match answer {
        Some(Ok(all)) => all
            .iter()
            .find(|q| q.account_quota_name() == Some(name))
            .and_then(|q| Some((q.max()? as f64, usize::try_from(q.used()?).ok()?)))
            .ok_or_else(|| {
                let text = format!("the answer has no quota `{name}`");
                Error::permanent(rds::DESCRIBE_ACCOUNT_ATTRIBUTES.action(), text)
            }),
        Some(Err(error)) => Err(error.clone()),
        None => Err(Error::permanent("preflight", "it was not asked for")),
    };
    match both {
        Ok((limit, used)) => (Ok(limit), Ok(used)),
        Err(error) => (Err(error.clone()), Err(error)),
    }
}

/// The applied value, or AWS's default where none was ever applied.
async fn applied(aws: &Aws, service: &str, code: &str) -> Result<f64, Error> {
    let quotas = &aws.servicequotas.client;
    let request = || {
        let quota = quotas.get_service_quota().service_code(service);
        quota.quota_code(code).send()
    };
    let value = match aws.call(servicequotas::GET_SERVICE_QUOTA, request).await {
        Ok(answer) => answer.quota().and_then(|q| q.value()),
        Err(error) if error.is_not_found() => {
            let request = || {
                let quota = quotas.get_aws_default_service_quota().service_code(service);
                quota.quota_code(code).send()
            };
            let default = aws.call(servicequotas::GET_AWS_DEFAULT_SERVICE_QUOTA, request);
            default.await?.quota().and_then(|q| q.value())
        }
        Err(error) => return Err(error),
    };
    value.ok_or_else(|| {
        let action = servicequotas::GET_SERVICE_QUOTA.action();
        Error::permanent(action, "the answer has no value")
    })
}

fn verdict(what: &str, limit: Result<f64, Error>, used: Result<usize, Error>, new: usize) -> Check {
    let name = format!("quota: {what}");
    let (limit, used) = match (limit, used) {
        (Ok(limit), Ok(used)) => (limit, used),
        (Err(error), _) | (_, Err(error)) => return Check::not_checked(&name, &error),
    };
    let text = format!("{used} of {limit} used, {new} more needed");
    if new as f64 <= limit - used as f64 {
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
    fn what_is_missing_is_compared_with_what_is_free() {
        assert_eq!(verdict("x", Ok(5.0), Ok(3), 2).level, Level::Ok);
        let check = verdict("x", Ok(5.0), Ok(4), 2);
        assert_eq!(check.level, Level::Warning);
        assert_eq!(check.text, "4 of 5 used, 2 more needed");
    }

    #[test]
    fn a_quota_that_cannot_be_read_is_a_warning_that_says_why() {
        let denied = Error::permanent("servicequotas:GetServiceQuota", "no").code("AccessDenied");
        let check = verdict("x", Err(denied), Ok(0), 2);
        assert_eq!(check.level, Level::Warning);
        assert!(
            check
                .text
                .starts_with("not checked: servicequotas:GetServiceQuota")
        );
    }
}

//! Elastic Load Balancing: its client, batched readers, actions, limits and errors. Load balancers and target groups have
//! names and are few, so one whole listing answers everybody: a Describe of names or ARNs fails as a whole when one of them
//! does not exist. Listeners are asked for by load balancer, rules by listener, tags twenty at a time.

mod members;

use self::members::{Fetched, Members};
use super::api::Guard::LinkedTo;
use super::api::{ANY, Answer, Api, Bucket, Grant, Service, actions, bucket, guarded, named};
use super::call::Caller;
use super::listing::{Listing, Named};
use super::reader::Reader;
use crate::engine::{Class, Error};
use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types as t;
use futures::FutureExt;
use futures::future::try_join_all;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Elastic Load Balancing as a service; the prefix of its actions in IAM names no version.
pub static SERVICE: Service = Service {
    name: "elasticloadbalancing",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// "Request throttling for the ELB API": each category of actions has a bucket, and all of them share one of the account.
fn limits(api: Api) -> Bucket {
    let category = match api.operation {
        "CreateLoadBalancer" | "SetSubnets" => bucket("resource-intensive", 10.0, 0.2),
        "RegisterTargets" | "DeregisterTargets" => bucket("registration", 20.0, 4.0),
        _ if api.writes() => bucket("mutating", 20.0, 3.0),
        _ => bucket("non-mutating", 40.0, 10.0),
    };
    category.within(40.0, 10.0)
}

/// A permission on what belongs to a load balancer or target group whose name carries our suffix.
macro_rules! on {
    ($what:literal) => {
        named(concat!(
            "arn:aws:elasticloadbalancing:{region}:{account}:",
            $what
        ))
    };
}

const BALANCER: Grant = on!("loadbalancer/app/*-{suffix}/*");
const NETWORK: Grant = on!("loadbalancer/net/*-{suffix}/*");
/// Four digits behind the suffix tell a target group from its replacement.
const GROUP: Grant = on!("targetgroup/*-{suffix}-????/*");
const LISTENER: Grant = on!("listener/app/*-{suffix}/*");
const NETWORK_LISTENER: Grant = on!("listener/net/*-{suffix}/*");
const RULE: Grant = on!("listener-rule/app/*-{suffix}/*");
const ALL: [Grant; 6] = [BALANCER, NETWORK, GROUP, LISTENER, NETWORK_LISTENER, RULE];
const TAG: &str = "elasticloadbalancing:AddTags";
const LINKED_ROLE: Grant = guarded(
    "arn:aws:iam::{account}:role/aws-service-role/elasticloadbalancing.amazonaws.com/*",
    LinkedTo("elasticloadbalancing.amazonaws.com"),
)
.of("iam:CreateServiceLinkedRole");

actions! { SERVICE;
    Read DESCRIBE_LOAD_BALANCERS = "DescribeLoadBalancers", [ANY];
    Read DESCRIBE_LOAD_BALANCER_ATTRIBUTES = "DescribeLoadBalancerAttributes", [ANY];
    Read DESCRIBE_TARGET_GROUPS = "DescribeTargetGroups", [ANY];
    Read DESCRIBE_TARGET_GROUP_ATTRIBUTES = "DescribeTargetGroupAttributes", [ANY];
    Read DESCRIBE_TARGET_HEALTH = "DescribeTargetHealth", [ANY];
    Read DESCRIBE_LISTENERS = "DescribeListeners", [ANY];
    Read DESCRIBE_LISTENER_ATTRIBUTES = "DescribeListenerAttributes", [ANY];
    Read DESCRIBE_LISTENER_CERTIFICATES = "DescribeListenerCertificates", [ANY];
    Read DESCRIBE_RULES = "DescribeRules", [ANY];
    Read DESCRIBE_TAGS = "DescribeTags", [ANY];
    Repeatable ADD_TAGS = "AddTags", ALL;
    Repeatable REMOVE_TAGS = "RemoveTags", ALL;
    Once CREATE_LOAD_BALANCER = "CreateLoadBalancer", [BALANCER, NETWORK, BALANCER.of(TAG), NETWORK.of(TAG), LINKED_ROLE];
    Repeatable MODIFY_LOAD_BALANCER_ATTRIBUTES = "ModifyLoadBalancerAttributes", [BALANCER, NETWORK];
    Repeatable SET_SECURITY_GROUPS = "SetSecurityGroups", [BALANCER, NETWORK];
    Repeatable SET_SUBNETS = "SetSubnets", [BALANCER, NETWORK];
    Repeatable DELETE_LOAD_BALANCER = "DeleteLoadBalancer", [BALANCER, NETWORK];
    Once CREATE_TARGET_GROUP = "CreateTargetGroup", [GROUP, GROUP.of(TAG)];
    Repeatable MODIFY_TARGET_GROUP = "ModifyTargetGroup", [GROUP];
    Repeatable MODIFY_TARGET_GROUP_ATTRIBUTES = "ModifyTargetGroupAttributes", [GROUP];
    Repeatable DELETE_TARGET_GROUP = "DeleteTargetGroup", [GROUP];
    Repeatable REGISTER_TARGETS = "RegisterTargets", [GROUP];
    Repeatable DEREGISTER_TARGETS = "DeregisterTargets", [GROUP];
    Once CREATE_LISTENER = "CreateListener", [BALANCER, NETWORK, LISTENER.of(TAG), NETWORK_LISTENER.of(TAG)];
    Repeatable MODIFY_LISTENER = "ModifyListener", [LISTENER, NETWORK_LISTENER];
    Repeatable MODIFY_LISTENER_ATTRIBUTES = "ModifyListenerAttributes", [LISTENER, NETWORK_LISTENER];
    Repeatable REMOVE_LISTENER_CERTIFICATES = "RemoveListenerCertificates", [LISTENER];
    Repeatable DELETE_LISTENER = "DeleteListener", [LISTENER, NETWORK_LISTENER];
    Once CREATE_RULE = "CreateRule", [LISTENER, RULE.of(TAG)];
    Repeatable MODIFY_RULE = "ModifyRule", [RULE];
    Repeatable SET_RULE_PRIORITIES = "SetRulePriorities", [RULE];
    Repeatable DELETE_RULE = "DeleteRule", [RULE];
}

/// "Errors" of the actions in the API reference, version 2015-12-01.
fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    let says = |text: &str| answer.says(text);
    Some(match answer.code {
        "DuplicateLoadBalancerName"
        | "DuplicateTargetGroupName"
        | "DuplicateListener"
        | "PriorityInUse" => Class::Conflict,
        // A group that a rule still names; a balancer that is a target, or that an endpoint service has.
        "ResourceInUse" => Class::InUse,
        // The policy of the bucket for logs was put a moment ago.
        "InvalidConfigurationRequest" if says("Access Denied for bucket") => Class::Propagating,
        // A balancer that becomes a target is not active yet, or its listener was made a moment ago.
        "InvalidTarget" => Class::NotReady,
        // The internet gateway was attached a moment ago.
        "InvalidSubnet" if says("has no internet gateway") => Class::Propagating,
        // A subnet, group, target group or certificate that was made a moment ago.
        code if api.creates_or_changes() && code.ends_with("NotFound") => Class::Propagating,
        "InvalidSecurityGroup" if says("does not exist") => Class::Propagating,
        _ => return None,
    })
}

/// Tags by key.
type Tags = BTreeMap<String, String>;

/// Elastic Load Balancing: its client and readers.
pub struct ElasticLoadBalancing {
    pub client: Client,
    /// DescribeLoadBalancers.
    pub load_balancers: Listing<t::LoadBalancer>,
    /// DescribeTargetGroups.
    pub target_groups: Listing<t::TargetGroup>,
    listeners: Members<t::Listener>,
    rules: Members<t::Rule>,
    tags: Reader<String, Tags>,
}

impl Named for t::LoadBalancer {
    fn name(&self) -> Option<&str> {
        self.load_balancer_name()
    }
}

impl Named for t::TargetGroup {
    fn name(&self) -> Option<&str> {
        self.target_group_name()
    }
}

impl ElasticLoadBalancing {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        let balancers = with(&client, caller, |(client, caller), ()| {
            async move {
                let call = client.describe_load_balancers().page_size(400);
                let send = |marker| call.clone().set_marker(marker).send();
                let all = caller.pages(DESCRIBE_LOAD_BALANCERS, send, |page| {
                    (page.load_balancers.unwrap_or_default(), page.next_marker)
                });
                all.await
            }
            .boxed()
        });
        let groups = with(&client, caller, |(client, caller), ()| {
            async move {
                let call = client.describe_target_groups().page_size(400);
                let send = |marker| call.clone().set_marker(marker).send();
                let all = caller.pages(DESCRIBE_TARGET_GROUPS, send, |page| {
                    (page.target_groups.unwrap_or_default(), page.next_marker)
                });
                all.await
            }
            .boxed()
        });
        let listeners = with(&client, caller, |(client, caller), arn: String| {
            async move {
                let call = client.describe_listeners().load_balancer_arn(arn);
                let send = |marker| call.clone().page_size(400).set_marker(marker).send();
                let all = caller.pages(DESCRIBE_LISTENERS, send, |page| {
                    (page.listeners.unwrap_or_default(), page.next_marker)
                });
                all.await
            }
            .boxed()
        });
        let rules = with(&client, caller, |(client, caller), arn: String| {
            async move {
                let call = client.describe_rules().listener_arn(arn);
                let send = |marker| call.clone().page_size(400).set_marker(marker).send();
                let all = caller.pages(DESCRIBE_RULES, send, |page| {
                    (page.rules.unwrap_or_default(), page.next_marker)
                });
                all.await
            }
            .boxed()
        });
        Self {
            load_balancers: Listing::new(move || balancers(())),
            target_groups: Listing::new(move || groups(())),
            listeners: Members::new(listeners, caller),
            rules: Members::new(rules, caller),
            tags: tags(&client, caller),
            client,
        }
    }

    /// The listeners of a load balancer; `None` when it does not exist.
    pub async fn listeners(
        &self,
        load_balancer: &str,
    ) -> Result<Option<Arc<Vec<t::Listener>>>, Error> {
        self.listeners.now(load_balancer).await
    }

    /// The same as a refresh has just listed them: for the search that runs beside it.
    pub async fn listeners_as_listed(
        &self,
        load_balancer: &str,
    ) -> Result<Arc<Vec<t::Listener>>, Error> {
        self.listeners.as_listed(load_balancer).await
    }

    /// The rules of a listener but for its default one; `None` when it does not exist.
    pub async fn rules(&self, listener: &str) -> Result<Option<Vec<t::Rule>>, Error> {
        let rules = self.rules.now(listener).await?;
        let own = |r: &&t::Rule| r.is_default() != Some(true);
        Ok(rules.map(|all| all.iter().filter(own).cloned().collect()))
    }

    /// All rules of a listener as a refresh has just listed them.
    pub async fn rules_as_listed(&self, listener: &str) -> Result<Arc<Vec<t::Rule>>, Error> {
        self.rules.as_listed(listener).await
    }

    /// The tags of what has this ARN; `None` when it does not exist.
    pub async fn tags(&self, arn: &str) -> Result<Option<Tags>, Error> {
        self.tags.get(arn.to_owned()).await
    }
}

type Sender = (Client, Arc<Caller>);

/// A function of a key that sends calls.
fn with<K, V>(
    client: &Client,
    caller: &Arc<Caller>,
    send: impl Fn(Sender, K) -> Fetched<V> + Send + Sync + 'static,
) -> impl Fn(K) -> Fetched<V> + Send + Sync + 'static {
    let (client, caller) = (client.clone(), caller.clone());
    move |key| send((client.clone(), caller.clone()), key)
}

/// "DescribeTags": up to 20 ARNs, of different kinds too.
const ARNS: usize = 20;

fn tags(client: &Client, caller: &Arc<Caller>) -> Reader<String, Tags> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |arns: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let groups = arns
                .chunks(ARNS)
                .map(|some| several(&client, &caller, some));
            let all = try_join_all(groups).await?;
            Ok(all.into_iter().flatten().collect())
        }
        .boxed()
    })
}

/// One that does not exist fails the whole call: then each is asked for alone.
async fn several(
    client: &Client,
    caller: &Caller,
    arns: &[String],
) -> Result<HashMap<String, Tags>, Error> {
    match ask(client, caller, arns).await {
        Err(error) if error.is_not_found() && arns.len() > 1 => {}
        Err(error) if error.is_not_found() => return Ok(HashMap::new()),
        answer => return answer,
    }
    let alone =
        arns.iter().map(
            async |arn| match ask(client, caller, std::slice::from_ref(arn)).await {
                Err(error) if error.is_not_found() => Ok(HashMap::new()),
                answer => answer,
            },
        );
    Ok(try_join_all(alone).await?.into_iter().flatten().collect())
}

async fn ask(
    client: &Client,
    caller: &Caller,
    arns: &[String],
) -> Result<HashMap<String, Tags>, Error> {
    let request = client
        .describe_tags()
        .set_resource_arns(Some(arns.to_vec()));
    let answer = caller
        .call(DESCRIBE_TAGS, || request.clone().send())
        .await?;
    let one = |found: t::TagDescription| {
        let pair = |t: &t::Tag| {
            Some((
                t.key()?.to_owned(),
                t.value().unwrap_or_default().to_owned(),
            ))
        };
        let tags: Tags = found.tags().iter().filter_map(pair).collect();
        Some((found.resource_arn?, tags))
    };
    let found = answer.tag_descriptions.unwrap_or_default();
    Ok(found.into_iter().filter_map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_stays() {
        let class = |api: Api, code, message| {
            let status = 400;
            (api.service.classify)(
                api,
                Answer {
                    code,
                    message,
                    status,
                },
            )
        };
        let denied = "Access Denied for bucket: access-logs. Please check S3bucket permission";
        for (api, code, message, wanted) in [
            (
                MODIFY_LOAD_BALANCER_ATTRIBUTES,
                "InvalidConfigurationRequest",
                denied,
                Some(Class::Propagating),
            ),
            (
                MODIFY_LOAD_BALANCER_ATTRIBUTES,
                "InvalidConfigurationRequest",
                "x",
                None,
            ),
            (DELETE_TARGET_GROUP, "ResourceInUse", "", Some(Class::InUse)),
            (CREATE_RULE, "PriorityInUse", "", Some(Class::Conflict)),
            (
                CREATE_RULE,
                "TargetGroupNotFound",
                "",
                Some(Class::Propagating),
            ),
            (REGISTER_TARGETS, "InvalidTarget", "", Some(Class::NotReady)),
            (
                DELETE_LOAD_BALANCER,
                "ResourceInUse",
                "",
                Some(Class::InUse),
            ),
            (DELETE_RULE, "RuleNotFound", "", None),
            (DELETE_LOAD_BALANCER, "OperationNotPermitted", "", None),
        ] {
            assert_eq!(class(api, code, message), wanted, "{api:?} {code}");
        }
    }
}

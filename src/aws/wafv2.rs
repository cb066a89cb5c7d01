//! The web application firewall (WAFv2, regional): its client, actions, limits and errors.

use super::api::Guard::LinkedTo;
use super::api::{ANY, Answer, Api, Bucket, Grant, Service, actions, bucket, guarded, named};
use super::call::Caller;
use super::reader::Reader;
use crate::engine::{Class, Error};
use aws_sdk_wafv2::Client;
use aws_sdk_wafv2::types as t;
use futures::FutureExt;
use std::collections::HashMap;
use std::sync::Arc;

/// WAF as a service.
pub static SERVICE: Service = Service {
    name: "wafv2",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// "AWS WAF quotas", quotas on calls: an association in two seconds, one change of each kind a second, one question a second
/// about what guards a resource or what an ACL guards, five other reads of each kind.
fn limits(api: Api) -> Bucket {
    match api.operation {
        "AssociateWebACL" | "DisassociateWebACL" => bucket(api.operation, 1.0, 0.5),
        "GetWebACLForResource" | "ListResourcesForWebACL" => bucket(api.operation, 1.0, 1.0),
        _ if api.writes() => bucket(api.operation, 1.0, 1.0),
        _ => bucket(api.operation, 5.0, 5.0),
    }
}

const ACL: Grant = named("arn:aws:wafv2:{region}:{account}:regional/webacl/*-{suffix}/*");
const SET: Grant = named("arn:aws:wafv2:{region}:{account}:regional/ipset/*-{suffix}/*");
const GROUPS: Grant = named("arn:aws:wafv2:{region}:{account}:regional/managedruleset/*/*");
const ACLS: Grant = named("arn:aws:wafv2:{region}:{account}:regional/webacl/*");
const SETS: Grant = named("arn:aws:wafv2:{region}:{account}:regional/ipset/*");
const BALANCER: Grant =
    named("arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/*-{suffix}/*");
const ATTACH: Grant = BALANCER.of("elasticloadbalancing:SetWebACL");
const LINKED_ROLE: Grant = guarded(
    "arn:aws:iam::{account}:role/aws-service-role/wafv2.amazonaws.com/*",
    LinkedTo("wafv2.amazonaws.com"),
)
.of("iam:CreateServiceLinkedRole");

actions! { SERVICE;
    Read CHECK_CAPACITY = "CheckCapacity", [ANY];
    Read LIST_WEB_ACLS = "ListWebACLs", [ANY];
    Read GET_WEB_ACL = "GetWebACL", [ACLS];
    Read LIST_IP_SETS = "ListIPSets", [ANY];
    Read GET_IP_SET = "GetIPSet", [SETS];
    Read GET_WEB_ACL_FOR_RESOURCE = "GetWebACLForResource", [ACLS, BALANCER];
    Read LIST_RESOURCES_FOR_WEB_ACL = "ListResourcesForWebACL", [ACLS];
    Read LIST_LOGGING_CONFIGURATIONS = "ListLoggingConfigurations", [ANY];
    Read LIST_TAGS_FOR_RESOURCE = "ListTagsForResource", [ACLS, SETS];
    Repeatable TAG_RESOURCE = "TagResource", [ACL, SET];
    Repeatable UNTAG_RESOURCE = "UntagResource", [ACL, SET];
    Once CREATE_WEB_ACL = "CreateWebACL", [ACL, SET, GROUPS, ACL.of("wafv2:TagResource")];
    Repeatable UPDATE_WEB_ACL = "UpdateWebACL", [ACL, SET, GROUPS];
    Repeatable DELETE_WEB_ACL = "DeleteWebACL", [ACL];
    Once CREATE_IP_SET = "CreateIPSet", [SET, SET.of("wafv2:TagResource")];
    Repeatable UPDATE_IP_SET = "UpdateIPSet", [SET];
    Repeatable DELETE_IP_SET = "DeleteIPSet", [SET];
    Repeatable ASSOCIATE_WEB_ACL = "AssociateWebACL", [ACL, BALANCER, ATTACH];
    Repeatable DISASSOCIATE_WEB_ACL = "DisassociateWebACL", [BALANCER, ATTACH];
    Repeatable PUT_LOGGING_CONFIGURATION = "PutLoggingConfiguration", [ACL, LINKED_ROLE, ANY.of("logs:CreateLogDelivery"), ANY.of("logs:DescribeResourcePolicies"), ANY.of("logs:PutResourcePolicy")];
    Repeatable DELETE_LOGGING_CONFIGURATION = "DeleteLoggingConfiguration", [ACL, ANY.of("logs:DeleteLogDelivery")];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        "WAFDuplicateItemException" => Class::Conflict,
        // A balancer that is not active yet, a set that was made a moment ago.
        "WAFNonexistentItemException" if api.creates_or_changes() => Class::Propagating,
        "WAFNonexistentItemException" => Class::Gone,
        // A new list takes from seconds to more than five minutes until balancers can take it.
        "WAFUnavailableEntityException" => Class::NotReady,
        // Somebody changed it since it was read: it is read anew.
        "WAFOptimisticLockException" => Class::NotReady,
        "WAFAssociatedItemException" => Class::InUse,
        "WAFInternalErrorException" => Class::Unclear,
        _ => return None,
    })
}

/// WAF: its client and the listings of web ACLs and address sets by name.
pub struct Wafv2 {
    pub client: Client,
    acls: Reader<(), Arc<HashMap<String, Listed>>>,
    sets: Reader<(), Arc<HashMap<String, Listed>>>,
    /// ListLoggingConfigurations, by the ARN of the web ACL.
    pub logging: Reader<String, t::LoggingConfiguration>,
}

/// One of a listing: id and ARN.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The id, which every call needs beside the name.
    pub id: String,
    pub arn: String,
}

impl Wafv2 {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        Self {
            acls: acls(&client, caller),
            sets: sets(&client, caller),
            logging: logging(&client, caller),
            client,
        }
    }

    /// All web ACLs of the region, by name.
    pub async fn acls(&self) -> Result<Arc<HashMap<String, Listed>>, Error> {
        Ok(self.acls.get(()).await?.unwrap_or_default())
    }

    /// All address sets of the region, by name.
    pub async fn sets(&self) -> Result<Arc<HashMap<String, Listed>>, Error> {
        Ok(self.sets.get(()).await?.unwrap_or_default())
    }
}

/// A reader over a listing, all pages.
macro_rules! listing {
    ($client:expr, $caller:expr, $api:expr, $method:ident, $items:ident) => {{
        let (client, caller): (Client, Arc<Caller>) = ($client.clone(), $caller.clone());
        Reader::new(move |_| {
            let (client, caller) = (client.clone(), caller.clone());
            async move {
                let call = client.$method().scope(t::Scope::Regional).limit(100);
                let send = |marker| call.clone().set_next_marker(marker).send();
                let all = caller.pages($api, send, |page| {
                    let items = page.$items.unwrap_or_default();
                    // WAF gives a marker also with the last page.
                    let next = page.next_marker.filter(|_| !items.is_empty());
                    let named = items.into_iter().filter_map(|item| {
                        let listed = Listed {
                            id: item.id?,
                            arn: item.arn?,
                        };
                        Some((item.name?, listed))
                    });
                    (named, next)
                });
                let all = all.await?.into_iter().collect();
                Ok(HashMap::from([((), Arc::new(all))]))
            }
            .boxed()
        })
    }};
}

/// All of the region: the call takes no ACL.
fn logging(client: &Client, caller: &Arc<Caller>) -> Reader<String, t::LoggingConfiguration> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |_: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let call = client.list_logging_configurations();
            let call = call.scope(t::Scope::Regional).limit(100);
            let send = |marker| call.clone().set_next_marker(marker).send();
            let all = caller.pages(LIST_LOGGING_CONFIGURATIONS, send, |page| {
                let items = page.logging_configurations.unwrap_or_default();
                // WAF gives a marker also with the last page.
                let next = page.next_marker.filter(|_| !items.is_empty());
                (items, next)
            });
            let all = all.await?.into_iter();
            Ok(all.map(|it| (it.resource_arn.clone(), it)).collect())
        }
        .boxed()
    })
}

type Names = Reader<(), Arc<HashMap<String, Listed>>>;

fn acls(client: &Client, caller: &Arc<Caller>) -> Names {
    listing!(client, caller, LIST_WEB_ACLS, list_web_acls, web_acls)
}

fn sets(client: &Client, caller: &Arc<Caller>) -> Names {
    listing!(client, caller, LIST_IP_SETS, list_ip_sets, ip_sets)
}

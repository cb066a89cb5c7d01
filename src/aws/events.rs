//! EventBridge: its client, actions, limits and errors, and the readers of rules. Rules are those of the default bus, where AWS's
//! own services publish.

use super::api::{ANY, Answer, Api, Bucket, Grant, Service, actions, bucket, named};
use super::call::Caller;
use super::listing::{Listing, Named};
use crate::engine::{Class, Error};
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{Rule, Target};
use futures::FutureExt;
use std::collections::BTreeMap;
use std::sync::Arc;

/// EventBridge as a service.
pub static SERVICE: Service = Service {
    name: "events",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// "Amazon EventBridge quotas": 50 calls a second; targets are set at 10.
fn limits(api: Api) -> Bucket {
    let rate = if api.writes() { 10.0 } else { 50.0 };
    bucket(api.operation, rate, rate)
}

const RULE: Grant = named("arn:aws:events:{region}:{account}:rule/*-{suffix}");

actions! { SERVICE;
    Read LIST_RULES = "ListRules", [ANY];
    Read LIST_TARGETS_BY_RULE = "ListTargetsByRule", [RULE];
    Read LIST_TAGS_FOR_RESOURCE = "ListTagsForResource", [RULE];
    Repeatable PUT_RULE = "PutRule", [RULE, RULE.of("events:TagResource")];
    Repeatable PUT_TARGETS = "PutTargets", [RULE];
    Repeatable REMOVE_TARGETS = "RemoveTargets", [RULE];
    Repeatable DELETE_RULE = "DeleteRule", [RULE];
    Repeatable TAG_RESOURCE = "TagResource", [RULE];
    Repeatable UNTAG_RESOURCE = "UntagResource", [RULE];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        // Of a rule that was made a moment ago.
        "ResourceNotFoundException" if api.creates_or_changes() => Class::Propagating,
        "ResourceNotFoundException" => Class::Gone,
        // "There is concurrent modification on a rule, target, archive, or replay."
        "ConcurrentModificationException" => Class::NotReady,
        // "Rule can't be deleted since it has targets."
        "ValidationException" if answer.says("has targets") => Class::InUse,
        _ => return None,
    })
}

type Tags = BTreeMap<String, String>;

/// EventBridge: its client and the reader of rules.
pub struct Events {
    pub client: Client,
    /// ListRules: all rules of the default bus.
    pub rules: Listing<Rule>,
    caller: Arc<Caller>,
}

impl Events {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        Self {
            rules: rules(&client, caller),
            caller: caller.clone(),
            client,
        }
    }

    /// The names and ARNs of all rules that no service made for itself.
    pub async fn all_rules(&self) -> Result<Vec<(String, String)>, Error> {
        let all = self.rules.all().await?;
        let all = all.iter().filter(|r| r.managed_by().is_none());
        Ok(all
            .filter_map(|r| Some((r.name.clone()?, r.arn.clone()?)))
            .collect())
    }

    /// The tags of a rule, by its ARN.
    pub async fn tags(&self, arn: &str) -> Result<Tags, Error> {
        let call = self.client.list_tags_for_resource().resource_arn(arn);
        let api = LIST_TAGS_FOR_RESOURCE;
        let answer = self.caller.call(api, || call.clone().send()).await?;
        let tags = answer.tags.unwrap_or_default().into_iter();
        Ok(tags.map(|t| (t.key, t.value)).collect())
    }

    pub async fn targets(&self, rule: &str) -> Result<Vec<Target>, Error> {
        let call = self.client.list_targets_by_rule().rule(rule);
        let send = |token| call.clone().set_next_token(token).send();
        let all = self.caller.pages(LIST_TARGETS_BY_RULE, send, |page| {
            (page.targets.unwrap_or_default(), page.next_token)
        });
        all.await
    }
}

impl Named for Rule {
    fn name(&self) -> Option<&str> {
        self.name()
    }
    fn is(&self, name: &str) -> bool {
        self.name() == Some(name)
    }
}

fn rules(client: &Client, caller: &Arc<Caller>) -> Listing<Rule> {
    let (client, caller) = (client.clone(), caller.clone());
    Listing::new(move || {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let call = client.list_rules().limit(100);
            let send = |token| call.clone().set_next_token(token).send();
            let all = caller.pages(LIST_RULES, send, |page| {
                (page.rules.unwrap_or_default(), page.next_token)
            });
            all.await
        }
        .boxed()
    })
}

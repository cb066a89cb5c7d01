//! AWS Config: its client, actions, limits and errors, what a region has of it once, and the reader of rules.

use super::api::Guard::{PassedTo, ResourceTag};
use super::api::{ANY, Answer, Api, Bucket, Grant, Service, actions, bucket, guarded, named};
use super::call::Caller;
use super::listing::{Listing, Named};
use super::reader::Reader;
use super::recent::HandedOver;
use crate::engine::{Class, Error};
use aws_sdk_config::Client;
use aws_sdk_config::types::{ConfigRule, ConfigurationRecorder, DeliveryChannel};
use futures::FutureExt;
use futures::future::try_join3;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// AWS Config as a service.
pub static SERVICE: Service = Service {
    name: "config",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// AWS publishes no figures; rules are known to be throttled early.
fn limits(api: Api) -> Bucket {
    match api.operation {
        "PutConfigRule" | "DeleteConfigRule" => bucket("rules", 5.0, 2.0),
        _ => bucket(api.operation, 10.0, 5.0),
    }
}

/// Ids of rules are AWS's; what is asked for by an ARN or a name can be any rule.
const RULE: Grant = named("arn:aws:config:{region}:{account}:config-rule/*");
const OUR_RULE: Grant = guarded(
    "arn:aws:config:{region}:{account}:config-rule/*",
    ResourceTag,
);
const RECORDER: Grant =
    named("arn:aws:config:{region}:{account}:configuration-recorder/*-{suffix}/*");
const PASS_ROLE: Grant = guarded(
    "arn:aws:iam::{account}:role/*-{suffix}",
    PassedTo("config.amazonaws.com"),
)
.of("iam:PassRole");

// "Actions, resources, and condition keys for AWS Config": delivery channels are no resources.
actions! { SERVICE;
    Read DESCRIBE_CONFIGURATION_RECORDERS = "DescribeConfigurationRecorders", [ANY];
    Read DESCRIBE_CONFIGURATION_RECORDER_STATUS = "DescribeConfigurationRecorderStatus", [ANY];
    Read DESCRIBE_COMPLIANCE_BY_CONFIG_RULE = "DescribeComplianceByConfigRule", [ANY];
    Read DESCRIBE_DELIVERY_CHANNEL_STATUS = "DescribeDeliveryChannelStatus", [ANY];
    Read DESCRIBE_DELIVERY_CHANNELS = "DescribeDeliveryChannels", [ANY];
    Read DESCRIBE_CONFIG_RULES = "DescribeConfigRules", [ANY];
    Read LIST_TAGS_FOR_RESOURCE = "ListTagsForResource", [RULE, RECORDER];
    Repeatable PUT_CONFIGURATION_RECORDER = "PutConfigurationRecorder", [RECORDER, RECORDER.of("config:TagResource"), PASS_ROLE];
    Repeatable START_CONFIGURATION_RECORDER = "StartConfigurationRecorder", [RECORDER];
    Repeatable STOP_CONFIGURATION_RECORDER = "StopConfigurationRecorder", [RECORDER];
    Repeatable DELETE_CONFIGURATION_RECORDER = "DeleteConfigurationRecorder", [RECORDER];
    Repeatable PUT_DELIVERY_CHANNEL = "PutDeliveryChannel", [ANY];
    Repeatable DELETE_DELIVERY_CHANNEL = "DeleteDeliveryChannel", [ANY];
    Repeatable PUT_CONFIG_RULE = "PutConfigRule", [RULE, RULE.of("config:TagResource")];
    Repeatable DELETE_CONFIG_RULE = "DeleteConfigRule", [OUR_RULE];
    Repeatable TAG_RESOURCE = "TagResource", [RULE, RECORDER];
    Repeatable UNTAG_RESOURCE = "UntagResource", [RULE, RECORDER];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        "NoSuchConfigRuleException"
        | "NoSuchConfigurationRecorderException"
        | "NoSuchDeliveryChannelException" => Class::Gone,
        // Of what was made a moment ago.
        "ResourceNotFoundException" if api.creates_or_changes() => Class::Propagating,
        "ResourceNotFoundException" => Class::Gone,
        // The region has one that somebody else made since the plan.
        "MaxNumberOfConfigurationRecordersExceededException"
        | "MaxNumberOfDeliveryChannelsExceededException" => Class::Conflict,
        // A role or a bucket's policy that is not visible everywhere yet.
        "InsufficientDeliveryPolicyException" | "InvalidRoleException" => Class::Propagating,
        // "DeleteConfigRule": a rule with a remediation action, which somebody has to take away.
        "ResourceInUseException" if answer.message.to_lowercase().contains("remediation") => {
            Class::Blocked
        }
        // A rule is being evaluated or deleted; that takes up to an hour.
        "ResourceInUseException" => Class::NotReady,
        // The recorder was not stopped yet.
        "LastDeliveryChannelDeleteFailedException" => Class::InUse,
        // The recorder, the channel were made a moment ago.
        "NoAvailableConfigurationRecorderException" | "NoAvailableDeliveryChannelException" => {
            Class::Propagating
        }
        _ => return None,
    })
}

/// What a region has once.
#[derive(Debug, Clone, Default)]
pub struct Singletons {
    /// The recorder that its customer made; services have others of their own.
    pub recorder: Option<ConfigurationRecorder>,
    /// It records.
    pub recording: bool,
    /// Where its findings are delivered.
    pub channel: Option<DeliveryChannel>,
}

impl Singletons {
    /// The name of the recorder; empty when there is none.
    pub fn recorder_name(&self) -> &str {
        let recorder = self.recorder.as_ref();
        recorder.and_then(|r| r.name()).unwrap_or_default()
    }
}

/// AWS Config: its client and its readers.
pub struct AwsConfig {
    pub client: Client,
    /// What the region has once: recorder, its state and the delivery channel.
    pub singletons: Reader<(), Singletons>,
    /// DescribeConfigRules: all of the region.
    pub rules: Listing<ConfigRule>,
    /// Recorders that were read for the facts, for the read of the refresh that follows.
    handed_over: HandedOver<Vec<ConfigurationRecorder>>,
    caller: Arc<Caller>,
}

impl AwsConfig {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        let handed_over = HandedOver::default();
        Self {
            singletons: singletons(&client, caller, &handed_over),
            handed_over,
            rules: rules(&client, caller),
            caller: caller.clone(),
            client,
        }
    }

    /// All recorders of the region, for the facts.
    pub async fn recorders(&self) -> Result<Vec<ConfigurationRecorder>, Error> {
        let read = recorders(&self.client, &self.caller);
        self.handed_over.keep(&self.caller, read).await
    }

    /// The tags of a rule or a recorder, by its ARN.
    pub async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Error> {
        let call = self.client.list_tags_for_resource().resource_arn(arn);
        let api = LIST_TAGS_FOR_RESOURCE;
        let answer = self.caller.call(api, || call.clone().send()).await?;
        let tags = answer.tags.unwrap_or_default().into_iter();
        let each = tags.map(|t| (t.key.unwrap_or_default(), t.value.unwrap_or_default()));
        Ok(each.collect())
    }

    /// The names and ARNs of all rules of the region.
    pub async fn all_rules(&self) -> Result<Vec<(String, String)>, Error> {
        let rules = self.rules.all().await?;
        let pair = |r: &ConfigRule| Some((r.config_rule_name.clone()?, r.config_rule_arn.clone()?));
        Ok(rules.iter().filter_map(pair).collect())
    }
}

fn singletons(
    client: &Client,
    caller: &Arc<Caller>,
    handed_over: &HandedOver<Vec<ConfigurationRecorder>>,
) -> Reader<(), Singletons> {
    let (client, caller, known) = (client.clone(), caller.clone(), handed_over.clone());
    Reader::new(move |_: Vec<()>| {
        let (client, caller, known) = (client.clone(), caller.clone(), known.take(&caller));
        async move {
            let recorders = async {
                match known {
                    Some(all) => Ok(all),
                    None => recorders(&client, &caller).await,
                }
            };
            let states = caller.call(DESCRIBE_CONFIGURATION_RECORDER_STATUS, || {
                client.describe_configuration_recorder_status().send()
            });
            let channels = caller.call(DESCRIBE_DELIVERY_CHANNELS, || {
                client.describe_delivery_channels().send()
            });
            let (all, states, channels) = try_join3(recorders, states, channels).await?;
            let recorder = all.into_iter().find(|r| r.service_principal().is_none());
            let name = recorder.as_ref().and_then(|r| r.name());
            let states = states.configuration_recorders_status();
            let state = states.iter().find(|s| s.name() == name);
            let channels = channels.delivery_channels.unwrap_or_default();
            let found = Singletons {
                recording: name.is_some() && state.is_some_and(|s| s.recording()),
                channel: channels.into_iter().next(),
                recorder,
            };
            Ok(HashMap::from([((), found)]))
        }
        .boxed()
    })
}

impl Named for ConfigRule {
    fn name(&self) -> Option<&str> {
        self.config_rule_name()
    }
    fn is(&self, name: &str) -> bool {
        self.config_rule_name() == Some(name)
    }
}

async fn recorders(client: &Client, caller: &Caller) -> Result<Vec<ConfigurationRecorder>, Error> {
    let answer = caller.call(DESCRIBE_CONFIGURATION_RECORDERS, || {
        client.describe_configuration_recorders().send()
    });
    Ok(answer.await?.configuration_recorders.unwrap_or_default())
}

fn rules(client: &Client, caller: &Arc<Caller>) -> Listing<ConfigRule> {
    let (client, caller) = (client.clone(), caller.clone());
    Listing::new(move || {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let send = |token| client.describe_config_rules().set_next_token(token).send();
            let all = caller.pages(DESCRIBE_CONFIG_RULES, send, |page| {
                (page.config_rules.unwrap_or_default(), page.next_token)
            });
            all.await
        }
        .boxed()
    })
}

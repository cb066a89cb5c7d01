//! Application Auto Scaling: its client, actions, limits and errors, and the readers of targets and policies of ECS services.

use super::api::Guard::LinkedTo;
use super::api::{ANY, Answer, Api, Grant, Service, actions, bucket, guarded, named};
use super::call::Caller;
use super::reader::Reader;
use crate::engine::Class;
use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::types::{
    ScalableTarget, ScalingPolicy, ScheduledAction, ServiceNamespace,
};
use futures::FutureExt;
use std::collections::HashMap;
use std::sync::Arc;

/// Application Auto Scaling as a service. It publishes no figures; its SDKs are throttled at about 10 calls a second.
pub static SERVICE: Service = Service {
    name: "application-autoscaling",
    classify,
    bucket: |api| bucket(if api.writes() { "write" } else { "read" }, 10.0, 5.0),
    actions: || ACTIONS,
};

/// AWS gives a target a random id: no name to narrow it by.
const TARGETS: Grant =
    named("arn:aws:application-autoscaling:{region}:{account}:scalable-target/*");
const LINKED_ROLE: Grant = guarded(
    "arn:aws:iam::{account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/*",
    LinkedTo("ecs.application-autoscaling.amazonaws.com"),
)
.of("iam:CreateServiceLinkedRole");

actions! { SERVICE;
    Read DESCRIBE_SCALABLE_TARGETS = "DescribeScalableTargets", [ANY];
    Read DESCRIBE_SCALING_POLICIES = "DescribeScalingPolicies", [ANY];
    Read DESCRIBE_SCHEDULED_ACTIONS = "DescribeScheduledActions", [ANY];
    Repeatable REGISTER_SCALABLE_TARGET = "RegisterScalableTarget", [TARGETS, LINKED_ROLE];
    Repeatable PUT_SCALING_POLICY = "PutScalingPolicy", [TARGETS];
    Repeatable DELETE_SCALING_POLICY = "DeleteScalingPolicy", [TARGETS];
    Repeatable DELETE_SCHEDULED_ACTION = "DeleteScheduledAction", [TARGETS];
    Repeatable DEREGISTER_SCALABLE_TARGET = "DeregisterScalableTarget", [TARGETS];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        // A policy for a target that was registered a moment ago.
        "ObjectNotFoundException" if api.creates_or_changes() => Class::Propagating,
        "ObjectNotFoundException" => Class::Gone,
        "ConcurrentUpdateException" => Class::NotReady,
        // "ECS service doesn't exist", of one that was made a moment ago.
        "ValidationException" if answer.says("service doesn't exist") => Class::Propagating,
        _ => return None,
    })
}

/// Application Auto Scaling: its client and readers.
pub struct AutoScaling {
    pub client: Client,
    /// DescribeScalableTargets, by `service/CLUSTER/SERVICE`.
    pub targets: Reader<String, ScalableTarget>,
    /// DescribeScalingPolicies, by `service/CLUSTER/SERVICE`.
    pub policies: Reader<String, Vec<ScalingPolicy>>,
    /// DescribeScheduledActions, by `service/CLUSTER/SERVICE`.
    pub scheduled: Reader<String, Vec<ScheduledAction>>,
}

impl AutoScaling {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        Self {
            targets: targets(&client, caller),
            policies: policies(&client, caller),
            scheduled: scheduled(&client, caller),
            client,
        }
    }
}

/// DescribeScalableTargets takes 50 ids.
const AT_ONCE: usize = 50;

fn targets(client: &Client, caller: &Arc<Caller>) -> Reader<String, ScalableTarget> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |ids: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let mut out = HashMap::new();
            for some in ids.chunks(AT_ONCE) {
                let call = client.describe_scalable_targets();
                let call = call
                    .service_namespace(ServiceNamespace::Ecs)
                    .set_resource_ids(Some(some.to_vec()));
                let api = DESCRIBE_SCALABLE_TARGETS;
                let answer = caller.call(api, || call.clone().send()).await?;
                for target in answer.scalable_targets.unwrap_or_default() {
                    out.insert(target.resource_id.clone(), target);
                }
            }
            Ok(out)
        }
        .boxed()
    })
}

/// By what they are for: the calls take one id or none, so that everything of ECS is read.
fn by_id<V>(all: Vec<V>, id: impl Fn(&V) -> &str) -> HashMap<String, Vec<V>> {
    let mut out: HashMap<String, Vec<V>> = HashMap::new();
    for one in all {
        out.entry(id(&one).to_owned()).or_default().push(one);
    }
    out
}

fn policies(client: &Client, caller: &Arc<Caller>) -> Reader<String, Vec<ScalingPolicy>> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |_: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let call = client.describe_scaling_policies();
            let call = call.service_namespace(ServiceNamespace::Ecs);
            let send = |token| call.clone().set_next_token(token).send();
            let all = caller.pages(DESCRIBE_SCALING_POLICIES, send, |page| {
                (page.scaling_policies.unwrap_or_default(), page.next_token)
            });
            Ok(by_id(all.await?, ScalingPolicy::resource_id))
        }
        .boxed()
    })
}

fn scheduled(client: &Client, caller: &Arc<Caller>) -> Reader<String, Vec<ScheduledAction>> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |_: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let call = client.describe_scheduled_actions();
            let call = call.service_namespace(ServiceNamespace::Ecs);
            let send = |token| call.clone().set_next_token(token).send();
            let all = caller.pages(DESCRIBE_SCHEDULED_ACTIONS, send, |page| {
                (page.scheduled_actions.unwrap_or_default(), page.next_token)
            });
            Ok(by_id(all.await?, ScheduledAction::resource_id))
        }
        .boxed()
    })
}

//! The scaling of a service: its scalable target and all policies on it. They have no life without the service, and the alarms
//! that Application Auto Scaling makes for a policy are its own.
//!
//! As soon as a range is registered the count of the service is moved into it ("RegisterScalableTarget" in the API reference).

use crate::resources::ecs::{EcsTags, Scalable, tags_of};
use crate::resources::prelude::*;
use aws_sdk_applicationautoscaling::types::{
    MetricType, PolicyType, PredefinedMetricSpecification, ScalableDimension, ScalableTarget,
    ScalingPolicy, ScheduledAction, ServiceNamespace, SuspendedState,
    TargetTrackingScalingPolicyConfiguration,
};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Scaling {
    /// `service/CLUSTER/SERVICE`
    pub service: Ref<Scalable>,
    /// The fewest tasks; 0 without a target.
    pub min: i32,
    /// The most tasks; 0 without a target.
    pub max: i32,
    /// The policies by name.
    pub policies: BTreeMap<String, Tracking>,
    /// Actions that set another range at a time, by name: when, and which range. None is ours.
    #[serde(default)]
    pub scheduled: BTreeMap<String, String>,
    /// What does not scale for now, in words. Nothing should be.
    #[serde(default)]
    pub suspended: Vec<String>,
    /// The fewest tasks that the traffic command holds, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

/// A policy that keeps a metric at a value. A policy of another kind, made by somebody else, has its kind as the metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tracking {
    /// `ECSServiceAverageCPUUtilization`, ...
    pub metric: String,
    /// The value, in percent.
    pub target: f64,
    /// Seconds between two steps down.
    pub in_seconds: i32,
    /// Seconds between two steps up.
    pub out_seconds: i32,
    /// Tasks are only added, never taken away. Should not be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scale_in_disabled: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ScalingOutputs {
    pub service: Ref<Scalable>,
}

/// What is scaled.
const COUNT: ScalableDimension = ScalableDimension::EcsServiceDesiredCount;
const ECS: ServiceNamespace = ServiceNamespace::Ecs;

impl Kind for Scaling {
    const TYPE: &'static str = "autoscaling/scaling";
    type Outputs = ScalingOutputs;
}

impl SubResource for Scaling {
    const FACTS: SubFacts = SubFacts {
        parent: "service",
        seconds: (1.0, 1.0),
        interrupts: &[],
        write_only: &[],
        delegated: &[minimum::HELD],
    };
    type Parent = Scalable;

    fn parent(&self) -> &Ref<Scalable> {
        &self.service
    }

    async fn read(
        cx: &Aws,
        service: &Ref<Scalable>,
        _: Option<&ScalingOutputs>,
    ) -> Result<Option<Found<Self>>, Error> {
        let id = service.as_str();
        let Some((cluster, name)) = id.trim_start_matches("service/").split_once('/') else {
            return Ok(None);
        };
        let (parent, target, policies, scheduled) = futures::join!(
            cx.ecs.services.get((cluster.to_owned(), name.to_owned())),
            cx.autoscaling.targets.get(id.to_owned()),
            cx.autoscaling.policies.get(id.to_owned()),
            cx.autoscaling.scheduled.get(id.to_owned()),
        );
        let Some(parent) = parent?.filter(|s| s.status() == Some("ACTIVE")) else {
            return Ok(None);
        };
        let (target, policies) = (target?, policies?.unwrap_or_default());
        let scheduled = scheduled?.unwrap_or_default();
        let found = target.as_ref().map_or(0, |t| t.min_capacity);
        let (min, held) = Minimum::split(Minimum::of(&tags_of(parent.tags())), found.into());
        let spec = Self {
            service: service.clone(),
            min: tasks(min),
            max: target.as_ref().map_or(0, |t| t.max_capacity),
            policies: policies
                .iter()
                .map(|p| (p.policy_name.clone(), of(p)))
                .collect(),
            scheduled: scheduled.iter().map(action).collect(),
            suspended: target.as_ref().map(suspended).unwrap_or_default(),
            held,
        };
        let outputs = ScalingOutputs {
            service: service.clone(),
        };
        Ok(Some(Found::of_parent(spec, outputs)))
    }

    async fn set(&self, cx: &Aws, _: &ScalingOutputs, delta: &Delta) -> Result<(), Error> {
        let id = self.service.as_str();
        if delta.touches("min") || delta.touches("max") {
            let held = hold(cx, id, self.min, self.max).await?;
            let min = held.map_or(self.min, |held| tasks(held.is));
            range(cx, id, min, self.max).await?;
        }
        if delta.touches("suspended") {
            resume(cx, id).await?;
        }
        for name in delta.entries("scheduled").keys() {
            let call = cx.autoscaling.client.delete_scheduled_action();
            let call = call.service_namespace(ECS).scalable_dimension(COUNT);
            let call = call.resource_id(id).scheduled_action_name(*name);
            let api = autoscaling::DELETE_SCHEDULED_ACTION;
            cx.delete(api, || call.clone().send()).await?;
        }
        for (name, edit) in delta.entries("policies") {
            match self.policies.get(name) {
                Some(policy) if edit != Edit::Remove => put(cx, id, name, policy).await?,
                _ => drop_policy(cx, id, name).await?,
            }
        }
        Ok(())
    }

    /// Whatever policies and scheduled actions there are go with the target.
    async fn reset(&self, cx: &Aws, it: &ScalingOutputs) -> Result<(), Error> {
        let id = it.service.as_str();
        let policies = cx.autoscaling.policies.get(id.to_owned()).await?;
        for policy in policies.unwrap_or_default() {
            drop_policy(cx, id, &policy.policy_name).await?;
        }
        let call = cx.autoscaling.client.deregister_scalable_target();
        let call = call.service_namespace(ECS).scalable_dimension(COUNT);
        let call = call.resource_id(id);
        let api = autoscaling::DEREGISTER_SCALABLE_TARGET;
        cx.delete(api, || call.clone().send()).await
    }
}

/// Tasks are whole.
fn tasks(number: f64) -> i32 {
    number as i32
}

/// What the traffic command holds under another range, noted before it is set; `None` when it holds nothing.
async fn hold(cx: &Aws, id: &str, min: i32, max: i32) -> Result<Option<Minimum>, Error> {
    let Some((cluster, name)) = id.trim_start_matches("service/").split_once('/') else {
        return Ok(None);
    };
    let key = (cluster.to_owned(), name.to_owned());
    let Some(service) = cx.ecs.services.get(key).await? else {
        return Ok(None);
    };
    let Some(held) = Minimum::of(&tags_of(service.tags())) else {
        return Ok(None);
    };
    let held = held.under(min.into(), max.into());
    let arn = service.service_arn().unwrap_or_default();
    EcsTags::change_of(cx, arn, &held.tag(), &[]).await?;
    Ok(Some(held))
}

/// Registers a range: the count is moved into it.
pub async fn range(cx: &Aws, id: &str, min: i32, max: i32) -> Result<(), Error> {
    let call = cx.autoscaling.client.register_scalable_target();
    let call = call
        .service_namespace(ECS)
        .scalable_dimension(COUNT)
        .resource_id(id)
        .min_capacity(min)
        .max_capacity(max);
    let api = autoscaling::REGISTER_SCALABLE_TARGET;
    cx.call(api, || call.clone().send()).await.map(drop)
}

/// Everything scales again; the range stays as it is.
async fn resume(cx: &Aws, id: &str) -> Result<(), Error> {
    let nothing = SuspendedState::builder()
        .dynamic_scaling_in_suspended(false)
        .dynamic_scaling_out_suspended(false)
        .scheduled_scaling_suspended(false);
    let call = cx.autoscaling.client.register_scalable_target();
    let call = call.service_namespace(ECS).scalable_dimension(COUNT);
    let call = call.resource_id(id).suspended_state(nothing.build());
    let api = autoscaling::REGISTER_SCALABLE_TARGET;
    cx.call(api, || call.clone().send()).await.map(drop)
}

/// What is suspended of a target ("SuspendedState" in the API reference).
fn suspended(target: &ScalableTarget) -> Vec<String> {
    let state = target.suspended_state();
    let of = |on: fn(&SuspendedState) -> Option<bool>| state.and_then(on) == Some(true);
    let all = [
        (
            of(SuspendedState::dynamic_scaling_in_suspended),
            "fewer tasks",
        ),
        (
            of(SuspendedState::dynamic_scaling_out_suspended),
            "more tasks",
        ),
        (
            of(SuspendedState::scheduled_scaling_suspended),
            "scheduled actions",
        ),
    ];
    let on = all.into_iter().filter(|(on, _)| *on);
    on.map(|(_, what)| what.to_owned()).collect()
}

/// A scheduled action: its name, and what it does when.
fn action(of: &ScheduledAction) -> (String, String) {
    let range = of.scalable_target_action();
    let number = |n: Option<i32>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let min = number(range.and_then(|r| r.min_capacity()));
    let max = number(range.and_then(|r| r.max_capacity()));
    let name = of.scheduled_action_name.clone();
    (name, format!("{}: {min} to {max}", of.schedule))
}

fn of(policy: &ScalingPolicy) -> Tracking {
    let tracking = policy.target_tracking_scaling_policy_configuration();
    let metric = tracking.and_then(|t| t.predefined_metric_specification());
    let metric = metric.map_or(policy.policy_type.as_str(), |m| {
        m.predefined_metric_type.as_str()
    });
    // Three minutes are the default of both ("Target tracking scaling policies", cooldown period).
    Tracking {
        metric: metric.to_owned(),
        target: tracking.map_or(0.0, |t| t.target_value),
        in_seconds: tracking.and_then(|t| t.scale_in_cooldown).unwrap_or(300),
        out_seconds: tracking.and_then(|t| t.scale_out_cooldown).unwrap_or(300),
        scale_in_disabled: tracking.and_then(|t| t.disable_scale_in) == Some(true),
    }
}

async fn put(cx: &Aws, id: &str, name: &str, policy: &Tracking) -> Result<(), Error> {
    const PUT: Api = autoscaling::PUT_SCALING_POLICY;
    let wrong = |e: aws_sdk_applicationautoscaling::error::BuildError| {
        Error::permanent(PUT.action(), e.to_string())
    };
    let metric = PredefinedMetricSpecification::builder()
        .predefined_metric_type(MetricType::from(policy.metric.as_str()))
        .build()
        .map_err(wrong)?;
    let tracking = TargetTrackingScalingPolicyConfiguration::builder()
        .predefined_metric_specification(metric)
        .target_value(policy.target)
        .scale_in_cooldown(policy.in_seconds)
        .scale_out_cooldown(policy.out_seconds)
        .disable_scale_in(policy.scale_in_disabled)
        .build()
        .map_err(wrong)?;
    let call = cx.autoscaling.client.put_scaling_policy();
    let call = call
        .policy_name(name)
        .policy_type(PolicyType::TargetTrackingScaling)
        .service_namespace(ECS)
        .scalable_dimension(COUNT)
        .resource_id(id)
        .target_tracking_scaling_policy_configuration(tracking);
    cx.call(PUT, || call.clone().send()).await.map(drop)
}

async fn drop_policy(cx: &Aws, id: &str, name: &str) -> Result<(), Error> {
    let call = cx.autoscaling.client.delete_scaling_policy();
    let call = call
        .policy_name(name)
        .service_namespace(ECS)
        .scalable_dimension(COUNT)
        .resource_id(id);
    let api = autoscaling::DELETE_SCALING_POLICY;
    cx.delete(api, || call.clone().send()).await
}

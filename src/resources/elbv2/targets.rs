//! The targets of a group, as one set: of a group whose targets nobody else registers. ECS does that for those of its services.

use super::TargetGroup;
use crate::engine::List;
use crate::resources::prelude::*;
use aws_sdk_elasticloadbalancingv2::types as t;
use std::collections::BTreeSet;
use t::TargetHealthStateEnum as State;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Targets {
    pub group: Ref<Arn<TargetGroup>>,
    /// Addresses in the group's VPC, or the ARN of one Application Load Balancer; each with the group's port. A set.
    pub targets: List,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TargetsOutputs {
    pub group: Ref<Arn<TargetGroup>>,
}

const READ: Api = elbv2::DESCRIBE_TARGET_HEALTH;

impl Kind for Targets {
    const TYPE: &'static str = "elbv2/targets";
    type Outputs = TargetsOutputs;
}

impl SubResource for Targets {
    const FACTS: SubFacts = SubFacts {
        parent: "group",
        seconds: (1.0, 1.0),
        interrupts: &[(
            "targets",
            "a new target gets requests once it is healthy, about 30 s",
        )],
        write_only: &[],
        delegated: &[],
    };
    type Parent = Arn<TargetGroup>;

    fn parent(&self) -> &Ref<Arn<TargetGroup>> {
        &self.group
    }

    async fn read(
        cx: &Aws,
        group: &Ref<Arn<TargetGroup>>,
        known: Option<&TargetsOutputs>,
    ) -> Result<Option<Found<Self>>, Error> {
        let group = known.map_or(group, |it| &it.group);
        let Some(there) = registered(cx, group.as_str()).await? else {
            return Ok(None);
        };
        let ids = there.into_iter().filter_map(|target| target.id).collect();
        let spec = Self {
            group: group.clone(),
            targets: List::These(ids),
        };
        let outputs = TargetsOutputs {
            group: group.clone(),
        };
        Ok(Some(Found::of_parent(spec, outputs)))
    }

    /// New ones are registered before others go.
    async fn set(&self, cx: &Aws, it: &TargetsOutputs, _: &Delta) -> Result<(), Error> {
        let group = it.group.as_str();
        let there = registered(cx, group).await?.unwrap_or_default();
        let wanted: BTreeSet<&str> = self.targets.elements().iter().map(String::as_str).collect();
        let known: BTreeSet<&str> = there.iter().filter_map(|t| t.id()).collect();
        let missing: Vec<t::TargetDescription> =
            wanted.difference(&known).map(|id| target(id)).collect();
        if !missing.is_empty() {
            let call = cx.elbv2.client.register_targets().target_group_arn(group);
            let call = call.set_targets(Some(missing));
            let api = elbv2::REGISTER_TARGETS;
            cx.call(api, || call.clone().send()).await?;
        }
        let extra = there
            .iter()
            .filter(|t| !t.id().is_some_and(|id| wanted.contains(id)));
        deregister(cx, group, extra.cloned().collect()).await
    }

    /// A load balancer that is registered cannot be deleted.
    async fn reset(&self, cx: &Aws, it: &TargetsOutputs) -> Result<(), Error> {
        let group = it.group.as_str();
        let there = registered(cx, group).await?.unwrap_or_default();
        deregister(cx, group, there).await
    }
}

fn target(id: &str) -> t::TargetDescription {
    t::TargetDescription::builder().id(id).build()
}

async fn deregister(
    cx: &Aws,
    group: &str,
    targets: Vec<t::TargetDescription>,
) -> Result<(), Error> {
    if targets.is_empty() {
        return Ok(());
    }
    let call = cx.elbv2.client.deregister_targets();
    let call = call.target_group_arn(group).set_targets(Some(targets));
    let api = elbv2::DEREGISTER_TARGETS;
    cx.delete(api, || call.clone().send()).await
}

/// The targets that are not on their way out; `None` when the group does not exist.
async fn registered(cx: &Aws, group: &str) -> Result<Option<Vec<t::TargetDescription>>, Error> {
    let call = cx.elbv2.client.describe_target_health();
    let call = call.target_group_arn(group);
    let answer = found(cx.call(READ, || call.clone().send()).await)?;
    Ok(answer.map(|shown| staying(shown.target_health_descriptions())))
}

fn staying(shown: &[t::TargetHealthDescription]) -> Vec<t::TargetDescription> {
    let leaving = |one: &&t::TargetHealthDescription| {
        let state = one.target_health().and_then(|h| h.state());
        state == Some(&State::Draining)
    };
    let shown = shown.iter().filter(|one| !leaving(one));
    shown.filter_map(|one| one.target().cloned()).collect()
}

/// Takes the targets with such an address out of a group.
pub(super) async fn remove(
    cx: &Aws,
    group: &str,
    which: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let there = registered(cx, group).await?.unwrap_or_default();
    let extra = there.into_iter().filter(|t| t.id().is_some_and(&which));
    deregister(cx, group, extra.collect()).await
}

/// The targets of a group in a VPC that are no task of ECS; `None` when the group does not exist. The interface of a task has
/// the ARN of its attachment as its description (`arn:aws:ecs:REGION:ACCOUNT:attachment/UUID`: what EC2 answers for tasks of Fargate;
/// the ARN also in aws/amazon-ecs-agent#4825); it goes when the task has ended, and by then ECS has taken the task out of the group.
pub(super) async fn no_tasks(
    cx: &Aws,
    group: &str,
    vpc: &str,
) -> Result<Option<Vec<String>>, Error> {
    let interfaces = cx.ec2.network_interfaces.by("vpc-id", vpc);
    let (there, interfaces) = futures::try_join!(registered(cx, group), interfaces)?;
    let ecs = cx.arn("ecs", "attachment/");
    let of_tasks: BTreeSet<&str> = interfaces
        .iter()
        .filter(|i| i.description().is_some_and(|text| text.starts_with(&ecs)))
        .flat_map(|i| i.private_ip_addresses())
        .filter_map(|address| address.private_ip_address())
        .collect();
    let ids = |there: Vec<t::TargetDescription>| {
        let ids = there.into_iter().filter_map(|target| target.id);
        ids.filter(|id| !of_tasks.contains(id.as_str())).collect()
    };
    Ok(there.map(ids))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_drains_is_no_longer_registered() {
        let shown = |id: &str, state: State| {
            let health = t::TargetHealth::builder().state(state).build();
            t::TargetHealthDescription::builder()
                .target(target(id))
                .target_health(health)
                .build()
        };
        let all = [
            shown("10.10.64.4", State::Healthy),
            shown("10.10.64.5", State::Draining),
            shown("10.10.64.6", State::Unused),
        ];
        let ids: Vec<_> = staying(&all).into_iter().filter_map(|t| t.id).collect();
        assert_eq!(ids, ["10.10.64.4", "10.10.64.6"]);
    }
}

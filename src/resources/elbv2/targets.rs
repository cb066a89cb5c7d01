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
    /// Addresses in the group's VPC, or the ARN of one Application Load Balancer; `TARGET:PORT` for one with another port than the
    /// group's. A set.
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
        let (there, port) =
            futures::try_join!(registered(cx, group.as_str()), port(cx, group.as_str()))?;
        let Some(there) = there else {
            return Ok(None);
        };
        let names = there.iter().map(|target| name(target, port)).collect();
        let spec = Self {
            group: group.clone(),
            targets: List::These(names),
        };
        let outputs = TargetsOutputs {
            group: group.clone(),
        };
        Ok(Some(Found::of_parent(spec, outputs)))
    }

    /// New ones are registered before others go.
    async fn set(&self, cx: &Aws, it: &TargetsOutputs, _: &Delta) -> Result<(), Error> {
        let group = it.group.as_str();
        let (there, port) = futures::try_join!(registered(cx, group), port(cx, group))?;
        let there = there.unwrap_or_default();
        let wanted: BTreeSet<String> = self.targets.elements().iter().cloned().collect();
        let known: BTreeSet<String> = there.iter().map(|t| name(t, port)).collect();
        let missing: Vec<t::TargetDescription> =
            wanted.difference(&known).map(|id| target(id)).collect();
        if !missing.is_empty() {
            let call = cx.elbv2.client.register_targets().target_group_arn(group);
            let call = call.set_targets(Some(missing));
            let api = elbv2::REGISTER_TARGETS;
            cx.call(api, || call.clone().send()).await?;
        }
        let extra = there.iter().filter(|t| !wanted.contains(&name(t, port)));
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

/// What tells a target from others: AWS registers one and the same once for each port. The port of the group is left out.
fn name(target: &t::TargetDescription, of_group: Option<i32>) -> String {
    let id = target.id().unwrap_or_default();
    match target.port() {
        Some(port) if of_group.is_some_and(|own| own != port) => format!("{id}:{port}"),
        _ => id.to_owned(),
    }
}

/// The port of a group; `None` when it is not listed.
async fn port(cx: &Aws, group: &str) -> Result<Option<i32>, Error> {
    let all = cx.elbv2.target_groups.all().await?;
    let it = all.iter().find(|g| g.target_group_arn() == Some(group));
    Ok(it.and_then(|g| g.port()))
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

/// A group whose targets ECS registers, each with the group's port.
pub(super) struct OfTasks<'a> {
    pub(super) group: &'a str,
    pub(super) vpc: &'a str,
    pub(super) port: i32,
}

/// Takes the targets with these names out of a group, as far as they are no tasks now either.
pub(super) async fn remove_others(
    cx: &Aws,
    at: &OfTasks<'_>,
    which: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let mut others = no_tasks(cx, at).await?.unwrap_or_default();
    others.retain(|one| which(&name(one, Some(at.port))));
    deregister(cx, at.group, others).await
}

/// The names of targets that are no task; `None` when the group does not exist.
pub(super) async fn others(cx: &Aws, at: &OfTasks<'_>) -> Result<Option<Vec<String>>, Error> {
    let others = no_tasks(cx, at).await?;
    let names = |all: Vec<_>| all.iter().map(|one| name(one, Some(at.port))).collect();
    Ok(others.map(names))
}

/// The targets of a group in a VPC that are no task of ECS; `None` when the group does not exist. A task that came or went while
/// targets and interfaces were read is none of them: what seems to be no task is looked at again, in the order in which ECS works.
async fn no_tasks(cx: &Aws, at: &OfTasks<'_>) -> Result<Option<Vec<t::TargetDescription>>, Error> {
    let OfTasks { group, vpc, port } = *at;
    let (there, tasks) = futures::try_join!(registered(cx, group), of_tasks(cx, vpc))?;
    let Some(mut others) = there else {
        return Ok(None);
    };
    others.retain(|one| !is_in(&tasks, one, port));
    if others.is_empty() {
        return Ok(Some(Vec::new()));
    }
    // A task has its interface before it becomes a target, and is on its way out of the group before it loses the interface.
    let tasks = of_tasks(cx, vpc).await?;
    let there = registered(cx, group).await?.unwrap_or_default();
    let same = |one: &t::TargetDescription| name(one, Some(port));
    let stays = |one: &t::TargetDescription| there.iter().any(|now| same(now) == same(one));
    others.retain(|one| !is_in(&tasks, one, port) && stays(one));
    Ok(Some(others))
}

/// True for a target with one of these addresses and the group's port: an address of a task with another port is registered by
/// somebody else.
fn is_in(addresses: &BTreeSet<String>, target: &t::TargetDescription, port: i32) -> bool {
    target.port().is_none_or(|p| p == port) && target.id().is_some_and(|id| addresses.contains(id))
}

/// The addresses of the tasks of ECS in a VPC: a task's interface has the ARN of its attachment as its description
/// (`arn:aws:ecs:REGION:ACCOUNT:attachment/UUID`: what EC2 answers for tasks of Fargate; the ARN also in aws/amazon-ecs-agent#4825).
async fn of_tasks(cx: &Aws, vpc: &str) -> Result<BTreeSet<String>, Error> {
    let ecs = cx.arn("ecs", "attachment/");
    let interfaces = cx.ec2.network_interfaces.by("vpc-id", vpc).await?;
    let tasks = interfaces
        .iter()
        .filter(|i| i.description().is_some_and(|text| text.starts_with(&ecs)));
    let addresses = tasks.flat_map(|i| i.private_ip_addresses());
    Ok(addresses
        .filter_map(|address| address.private_ip_address.clone())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

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

    /// Targets as DescribeTargetHealth shows them, by address and state.
    fn targets(shown: &[(&str, &str)]) -> Vec<u8> {
        let one = |(id, state): &(&str, &str)| {
            format!(
                "<member><Target><Id>{id}</Id></Target><TargetHealth><State>{state}</State></TargetHealth></member>"
            )
        };
        let all: String = shown.iter().map(one).collect();
        format!("<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions>{all}</TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>").into_bytes()
    }

    /// Interfaces of tasks as DescribeNetworkInterfaces shows them, by address.
    fn interfaces(tasks: &[&str]) -> Vec<u8> {
        let one = |address: &&str| {
            format!(
                "<item><networkInterfaceId>eni-{address}</networkInterfaceId><vpcId>vpc-1</vpcId><description>arn:aws:ecs:eu-central-1:123456789012:attachment/1</description><privateIpAddressesSet><item><privateIpAddress>{address}</privateIpAddress></item></privateIpAddressesSet></item>"
            )
        };
        let all: String = tasks.iter().map(one).collect();
        format!("<DescribeNetworkInterfacesResponse><networkInterfaceSet>{all}</networkInterfaceSet></DescribeNetworkInterfacesResponse>").into_bytes()
    }

    #[test]
    fn a_target_with_another_port_is_another_one() {
        let at = |port| {
            let target = t::TargetDescription::builder().id("10.10.64.4");
            target.set_port(port).build()
        };
        let named = [None, Some(443), Some(8080)].map(|port| name(&at(port), Some(443)));
        assert_eq!(named, ["10.10.64.4", "10.10.64.4", "10.10.64.4:8080"]);
        let tasks = BTreeSet::from(["10.10.64.4".to_owned()]);
        let is = [443, 8080].map(|port| is_in(&tasks, &at(Some(port)), 443));
        assert_eq!(is, [true, false]);
    }

    /// What `others` finds, and how many reads of each kind it made, when the reads answer these one after the other.
    async fn seen(targets: [Vec<u8>; 2], interfaces: [Vec<u8>; 2]) -> (Vec<String>, [usize; 2]) {
        let reads = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let counted = reads.clone();
        let mut aws = crate::aws::wire::answering(move |asked| {
            let (of, answers) = match asked.contains("DescribeTargetHealth") {
                true => (0, &targets),
                false => (1, &interfaces),
            };
            let turn = counted[of].fetch_add(1, Ordering::Relaxed);
            (200, answers[turn.min(1)].clone())
        });
        aws.account = "123456789012".to_owned();
        let at = OfTasks {
            group: "arn:tg",
            vpc: "vpc-1",
            port: 8080,
        };
        let others = others(&aws, &at).await.unwrap().unwrap();
        let reads = [0, 1].map(|of| reads[of].load(Ordering::Relaxed));
        (others, reads)
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_comes_or_goes_in_between_is_no_target_of_others() {
        let (one, two) = ("10.10.64.4", "10.10.64.5");
        let both = || targets(&[(one, "healthy"), (two, "initial")]);
        let quiet = seen([both(), both()], [interfaces(&[one, two]), Vec::new()]).await;
        assert_eq!(quiet, (Vec::new(), [1, 1]), "one look is enough");
        let came = seen(
            [both(), both()],
            [interfaces(&[one]), interfaces(&[one, two])],
        )
        .await;
        assert_eq!(came, (Vec::new(), [2, 2]), "its interface is there by now");
        let leaving = targets(&[(one, "healthy"), (two, "draining")]);
        let went = seen([both(), leaving], [interfaces(&[one]), interfaces(&[one])]).await;
        assert_eq!(went, (Vec::new(), [2, 2]), "it is on its way out by now");
        let other = seen([both(), both()], [interfaces(&[one]), interfaces(&[one])]).await;
        assert_eq!(
            other,
            (vec![two.to_owned()], [2, 2]),
            "it is of somebody else"
        );
    }
}

//! Network interfaces that a service makes for a load balancer, a database instance, a function or a task: whose these are.

use crate::aws::{Aws, OwnThing};
use aws_sdk_ec2::types::NetworkInterface;

/// Interfaces of endpoints, NAT gateways and attachments: these are found by themselves.
const WITH_A_LIST: [&str; 3] = [
    "VPC Endpoint Interface",
    "NAT Gateway",
    "Transit Gateway Attachment",
];

/// True for the interface of a load balancer, a database instance, a function or a task of somebody else. That of a load balancer
/// names it, whatever groups it has; of the others it has none of our groups. Functions and instances that have one are found by their
/// own lists (`vpc_members.rs`).
pub(super) fn of_others(
    cx: &Aws,
    interface: &NetworkInterface,
    is_ours: impl Fn(&str) -> bool,
) -> bool {
    let of = interface.description().unwrap_or_default();
    // "Find the network interfaces that your load balancer uses": `ELB app/NAME/ID`, `ELB net/NAME/ID`.
    let balancer = of.strip_prefix("ELB ");
    let balancer = balancer.and_then(|path| path.split('/').nth(1));
    let is_balancer = |name: &str| {
        let is_it = |it: &OwnThing| it.kind == "elbv2/load_balancer" && it.name == name;
        cx.own.any(is_it)
    };
    let mut groups = interface.groups().iter().filter_map(|g| g.group_id());
    match balancer {
        Some(name) => !is_balancer(name),
        None => !WITH_A_LIST.iter().any(|listed| of.contains(listed)) && !groups.any(is_ours),
    }
}

/// The same where the groups of the deployment are those that are recorded; without a record nobody knows.
pub(super) fn of_others_as_recorded(cx: &Aws, interface: &NetworkInterface) -> bool {
    let recorded = |it: &OwnThing| it.kind == "ec2/security_group" && it.outputs["id"].is_string();
    cx.own.any(recorded)
        && of_others(cx, interface, |group| {
            cx.own.any(|it| recorded(it) && it.outputs["id"] == group)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::GroupIdentifier;
    use serde_json::json;

    #[test]
    fn an_interface_is_of_others_unless_a_group_or_a_load_balancer_of_ours_has_it() {
        let mut cx = crate::aws::wire::answering(|_| (500, Vec::new()));
        let own = |kind: &str, name: &str| OwnThing {
            kind: kind.into(),
            step: name.into(),
            name: name.into(),
            spec: json!({}),
            outputs: json!({"id": name}),
        };
        let theirs = |cx: &Aws, of: &str, group: Option<&str>| {
            let groups = group.map(|id| GroupIdentifier::builder().group_id(id).build());
            let interface = NetworkInterface::builder()
                .description(of)
                .set_groups(Some(groups.into_iter().collect()));
            of_others_as_recorded(cx, &interface.build())
        };
        assert!(
            !theirs(&cx, "RDSNetworkInterface", Some("sg-2")),
            "nothing is recorded"
        );
        let all = [
            own("ec2/security_group", "sg-1"),
            own("elbv2/load_balancer", "nlb-dev"),
        ];
        cx.own = all.into_iter().collect();
        for (of, group) in [
            ("RDSNetworkInterface", Some("sg-2")),
            ("ELB net/theirs/1", None),
            ("ELB app/theirs/1", Some("sg-1")),
            ("AWS Lambda VPC ENI-theirs-1", Some("sg-2")),
        ] {
            assert!(theirs(&cx, of, group), "{of}");
        }
        for (of, group) in [
            ("RDSNetworkInterface", Some("sg-1")),
            ("ELB net/nlb-dev/1", None),
            ("VPC Endpoint Interface vpce-1", Some("sg-2")),
        ] {
            assert!(!theirs(&cx, of, group), "{of}");
        }
    }
}

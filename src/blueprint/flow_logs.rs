//! The record of an environment's network traffic.

use super::EnvironmentBuilder;
use crate::engine::Handle;
use crate::resources::ec2::{FlowLog, Vpc};
use crate::resources::iam::Role;
use crate::resources::logs::LogGroup;

/// Who talked to whom from where to where, and whether it was let through: the default fields, and those that tell
/// addresses behind a NAT, the direction, the subnet and the way out ("Flow log records", Amazon VPC).
const FORMAT: &str = "${version} ${account-id} ${vpc-id} ${subnet-id} ${interface-id} ${srcaddr} ${dstaddr} \
    ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status} ${tcp-flags} \
    ${pkt-srcaddr} ${pkt-dstaddr} ${flow-direction} ${traffic-path}";

/// Declares the flow log of a VPC into a log group, written by a role.
pub fn declare(
    here: &mut EnvironmentBuilder<'_>,
    vpc: &Handle<Vpc>,
    group: &Handle<LogGroup>,
    role: &Handle<Role>,
) -> Handle<FlowLog> {
    let spec = FlowLog {
        vpc: vpc.id(),
        traffic: "ALL".into(),
        group: group.name(),
        // Without its policy the role exists and can't write.
        role: role.arn().ready(),
        interval_seconds: 60,
        format: FORMAT.into(),
    };
    here.add("flow-log", spec)
}

//! Rules of security groups: how they are read, compared and set. Shared by our own groups and the VPC's default one.

use crate::aws::{Aws, ec2};
use crate::engine::Error;
use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, ReferencedSecurityGroup, SecurityGroupRule,
    SecurityGroupRuleRequest, SecurityGroupRuleUpdate, UserIdGroupPair,
};
use std::collections::BTreeMap;
use std::fmt;

/// Rules of one direction: what is let through ([`Traffic`] as text) to why (the description, perhaps empty).
pub type Rules = BTreeMap<String, String>;

/// What a rule lets through, and from or to whom. As text `tcp/443 from sg-1`, `tcp/1024-65535 to 10.0.0.0/8`,
/// `icmp/3:4 from 0.0.0.0/0`, `all to pl-1`: the identity of a rule within its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `all`, or another protocol's number.
    pub protocol: String,
    /// First and last port; for ICMP type and code.
    pub ports: Option<(i32, i32)>,
    /// True for what may leave.
    pub egress: bool,
    /// A group, a prefix list or an address block.
    pub peer: String,
}

impl Traffic {
    /// TCP to one port.
    pub fn tcp(egress: bool, port: u16, peer: impl fmt::Display) -> Self {
        Self {
            protocol: "tcp".into(),
            ports: Some((port.into(), port.into())),
            egress,
            peer: peer.to_string(),
        }
    }

    fn of(rule: &SecurityGroupRule) -> Self {
        let number = rule.ip_protocol().unwrap_or("-1");
        let protocol = if number == "-1" { "all" } else { number };
        let ports = match (protocol, rule.from_port(), rule.to_port()) {
            ("all", ..) | (_, None, _) | (_, _, None) | (_, Some(-1), Some(-1)) => None,
            ("tcp" | "udp", Some(0), Some(65535)) => None,
            (_, Some(from), Some(to)) => Some((from, to)),
        };
        let group = rule.referenced_group_info();
        let peer = group
            .and_then(ReferencedSecurityGroup::group_id)
            .or(rule.prefix_list_id())
            .or(rule.cidr_ipv4())
            .or(rule.cidr_ipv6());
        Self {
            protocol: protocol.to_owned(),
            ports,
            egress: rule.is_egress() == Some(true),
            peer: peer.unwrap_or("nobody").to_owned(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (what, way, peer) = (words.next()?, words.next()?, words.next()?);
        let (protocol, ports) = match what.split_once('/') {
            None => (what, None),
            Some((protocol, ports)) => {
                let (from, to) = ports.split_once(['-', ':']).unwrap_or((ports, ports));
                (protocol, Some((from.parse().ok()?, to.parse().ok()?)))
            }
        };
        Some(Self {
            protocol: protocol.to_owned(),
            ports,
            egress: way == "to",
            peer: peer.to_owned(),
        })
    }

    /// Protocol, first and last port as the API takes them.
    fn numbers(&self) -> (&str, Option<(i32, i32)>) {
        match self.protocol.as_str() {
            "all" => ("-1", None),
            "tcp" | "udp" => (&self.protocol, Some(self.ports.unwrap_or((0, 65535)))),
            "icmp" | "icmpv6" => (&self.protocol, Some(self.ports.unwrap_or((-1, -1)))),
            other => (other, self.ports),
        }
    }

    fn permission(&self, why: &str) -> IpPermission {
        let why = (!why.is_empty()).then(|| why.to_owned());
        let (protocol, ports) = self.numbers();
        let permission = IpPermission::builder()
            .ip_protocol(protocol)
            .set_from_port(ports.map(|p| p.0))
            .set_to_port(ports.map(|p| p.1));
        let peer = self.peer.as_str();
        match Peer::of(peer) {
            Peer::Group => {
                let pair = UserIdGroupPair::builder().group_id(peer);
                permission.user_id_group_pairs(pair.set_description(why).build())
            }
            Peer::List => {
                let list = PrefixListId::builder().prefix_list_id(peer);
                permission.prefix_list_ids(list.set_description(why).build())
            }
            Peer::Six => {
                let range = Ipv6Range::builder().cidr_ipv6(peer);
                permission.ipv6_ranges(range.set_description(why).build())
            }
            Peer::Four => {
                let range = IpRange::builder().cidr_ip(peer);
                permission.ip_ranges(range.set_description(why).build())
            }
        }
        .build()
    }

    fn request(&self, why: &str) -> SecurityGroupRuleRequest {
        let (protocol, ports) = self.numbers();
        let request = SecurityGroupRuleRequest::builder()
            .ip_protocol(protocol)
            .set_from_port(ports.map(|p| p.0))
            .set_to_port(ports.map(|p| p.1))
            .description(why);
        let peer = self.peer.as_str();
        match Peer::of(peer) {
            Peer::Group => request.referenced_group_id(peer),
            Peer::List => request.prefix_list_id(peer),
            Peer::Six => request.cidr_ipv6(peer),
            Peer::Four => request.cidr_ipv4(peer),
        }
        .build()
    }
}

enum Peer {
    Group,
    List,
    Six,
    Four,
}

impl Peer {
    fn of(text: &str) -> Self {
        match text {
            group if group.starts_with("sg-") => Self::Group,
            list if list.starts_with("pl-") => Self::List,
            six if six.contains(':') => Self::Six,
            _ => Self::Four,
        }
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol)?;
        match self.ports {
            None => {}
            Some((kind, code)) if self.protocol.starts_with("icmp") => write!(f, "/{kind}:{code}")?,
            Some((from, to)) if from == to => write!(f, "/{from}")?,
            Some((from, to)) => write!(f, "/{from}-{to}")?,
        }
        let way = if self.egress { "to" } else { "from" };
        write!(f, " {way} {}", self.peer)
    }
}

/// The rules of a group: (ingress, egress).
pub(super) async fn read(cx: &Aws, group: &str) -> Result<(Rules, Rules), Error> {
    let (mut ingress, mut egress) = (Rules::new(), Rules::new());
    for rule in cx.ec2.security_group_rules.by("group-id", group).await? {
        let traffic = Traffic::of(&rule);
        let side = if traffic.egress {
            &mut egress
        } else {
            &mut ingress
        };
        let why = rule.description().unwrap_or_default().to_owned();
        side.insert(traffic.to_string(), why);
    }
    Ok((ingress, egress))
}

/// Brings a group's rules to what is wanted, from whatever they are now: missing ones are added before extra ones go.
pub(super) async fn reconcile(
    cx: &Aws,
    group: &str,
    ingress: &Rules,
    egress: &Rules,
) -> Result<(), Error> {
    let live = cx.ec2.security_group_rules.by("group-id", group).await?;
    let mut texts = Vec::new();
    for (out, want) in [(false, ingress), (true, egress)] {
        let there: BTreeMap<String, &SecurityGroupRule> = live
            .iter()
            .filter(|r| (r.is_egress() == Some(true)) == out)
            .map(|r| (Traffic::of(r).to_string(), r))
            .collect();
        let mut missing = Vec::new();
        for (key, why) in want {
            let traffic = parsed(key)?;
            match there.get(key) {
                None => missing.push(traffic.permission(why)),
                Some(rule) if rule.description().unwrap_or_default() != why => texts.push(
                    SecurityGroupRuleUpdate::builder()
                        .set_security_group_rule_id(rule.security_group_rule_id.clone())
                        .security_group_rule(traffic.request(why))
                        .build(),
                ),
                Some(_) => {}
            }
        }
        authorize(cx, group, out, missing).await?;
        let extra = there.iter().filter(|(key, _)| !want.contains_key(*key));
        revoke(cx, group, out, extra.map(|(_, rule)| *rule)).await?;
    }
    if texts.is_empty() {
        return Ok(());
    }
    cx.call(ec2::MODIFY_SECURITY_GROUP_RULES, || {
        cx.ec2
            .client
            .modify_security_group_rules()
            .group_id(group)
            .set_security_group_rules(Some(texts.clone()))
            .send()
    })
    .await
    .map(drop)
}

/// Takes all rules away.
pub(super) async fn strip(cx: &Aws, group: &str) -> Result<(), Error> {
    match reconcile(cx, group, &Rules::new(), &Rules::new()).await {
        Err(error) if error.code.starts_with("InvalidGroup") && error.is_not_found() => Ok(()),
        answer => answer,
    }
}

fn parsed(key: &str) -> Result<Traffic, Error> {
    Traffic::parse(key)
        .ok_or_else(|| Error::permanent("plan", format!("`{key}` is not a security-group rule")))
}

/// Adds rules in one call. AWS adds all of a call or none, so after a lost answer (or a read that lagged) the rules that
/// are there by now must not keep out the others.
async fn authorize(
    cx: &Aws,
    group: &str,
    egress: bool,
    permissions: Vec<IpPermission>,
) -> Result<(), Error> {
    if permissions.is_empty() {
        return Ok(());
    }
    match authorize_once(cx, group, egress, &permissions).await {
        Err(error) if error.code == DUPLICATE => {
            for permission in permissions {
                match authorize_once(cx, group, egress, &[permission]).await {
                    Err(error) if error.code == DUPLICATE => {}
                    answer => answer?,
                }
            }
            Ok(())
        }
        answer => answer,
    }
}

const DUPLICATE: &str = "InvalidPermission.Duplicate";

async fn authorize_once(
    cx: &Aws,
    group: &str,
    egress: bool,
    permissions: &[IpPermission],
) -> Result<(), Error> {
    let permissions = Some(permissions.to_vec());
    if egress {
        cx.call(ec2::AUTHORIZE_SECURITY_GROUP_EGRESS, || {
            cx.ec2
                .client
                .authorize_security_group_egress()
                .group_id(group)
                .set_ip_permissions(permissions.clone())
                .send()
        })
        .await
        .map(drop)
    } else {
        cx.call(ec2::AUTHORIZE_SECURITY_GROUP_INGRESS, || {
            cx.ec2
                .client
                .authorize_security_group_ingress()
                .group_id(group)
                .set_ip_permissions(permissions.clone())
                .send()
        })
        .await
        .map(drop)
    }
}

/// Takes rules away by their ids, in one call. When one of them is gone already, AWS takes none away and answers "not
/// found", which reads as propagating: the step looks again and sends what is left.
async fn revoke(
    cx: &Aws,
    group: &str,
    egress: bool,
    rules: impl Iterator<Item = &SecurityGroupRule>,
) -> Result<(), Error> {
    let ids: Vec<String> = rules
        .filter_map(|r| r.security_group_rule_id.clone())
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    if egress {
        cx.call(ec2::REVOKE_SECURITY_GROUP_EGRESS, || {
            cx.ec2
                .client
                .revoke_security_group_egress()
                .group_id(group)
                .set_security_group_rule_ids(Some(ids.clone()))
                .send()
        })
        .await
        .map(drop)
    } else {
        cx.call(ec2::REVOKE_SECURITY_GROUP_INGRESS, || {
            cx.ec2
                .client
                .revoke_security_group_ingress()
                .group_id(group)
                .set_security_group_rule_ids(Some(ids.clone()))
                .send()
        })
        .await
        .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_back_as_it_was_written() {
        let texts = [
            "tcp/443 from sg-1",
            "tcp/1024-65535 to 10.0.0.0/8",
            "tcp to pl-1",
            "icmp/3:4 from 0.0.0.0/0",
            "icmp/8:-1 from 0.0.0.0/0",
            "all from fd00::/8",
            "50 to 10.0.0.0/8",
        ];
        for text in texts {
            let traffic = Traffic::parse(text).unwrap();
            assert_eq!(traffic.to_string(), text);
            let (protocol, ports) = traffic.numbers();
            let peer = traffic.peer.as_str();
            let live = SecurityGroupRule::builder()
                .is_egress(traffic.egress)
                .ip_protocol(protocol)
                .from_port(ports.map_or(-1, |p| p.0))
                .to_port(ports.map_or(-1, |p| p.1));
            let live = match Peer::of(peer) {
                Peer::Group => live.referenced_group_info(
                    ReferencedSecurityGroup::builder().group_id(peer).build(),
                ),
                Peer::List => live.prefix_list_id(peer),
                Peer::Six => live.cidr_ipv6(peer),
                Peer::Four => live.cidr_ipv4(peer),
            };
            assert_eq!(Traffic::of(&live.build()).to_string(), text);
        }
    }
}

//! Entries of network ACLs: how they are read, compared and set. Shared by our own ACLs and the VPC's default one.

use crate::aws::{Api, Aws, ec2};
use crate::engine::{Delta, Edit, Error};
use aws_sdk_ec2::types::{self as t, IcmpTypeCode, NetworkAclEntry, PortRange, RuleAction};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Entries of one direction by rule number, `1` to `32766`; the lowest that matches decides.
pub type Entries = BTreeMap<String, Entry>;

/// What an entry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Lets it through.
    Allow,
    /// Drops it.
    Deny,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Allow or deny.
    pub action: Action,
    /// `tcp`, `udp`, `icmp`, `all`, or another protocol's number.
    pub protocol: String,
    /// `443`, `1024-65535`, for ICMP `type:code` (`-1` is any); empty for all.
    pub ports: String,
    /// The other side's address block.
    pub cidr: String,
}

/// The entries that every ACL ends with and nobody can change: `32767`, and `32768` for IPv6 ("Network ACL rules").
const LAST: i32 = 32767;

/// The numbers of protocols that have a name here (IANA, "Protocol Numbers").
const PROTOCOLS: [(&str, &str); 5] = [
    ("all", "-1"),
    ("icmp", "1"),
    ("tcp", "6"),
    ("udp", "17"),
    ("icmpv6", "58"),
];

/// The entries of an ACL that somebody made: (ingress, egress).
pub(super) fn entries(acl: &t::NetworkAcl) -> (Entries, Entries) {
    let (mut ingress, mut egress) = (Entries::new(), Entries::new());
    for entry in acl.entries() {
        let Some(number) = entry.rule_number().filter(|n| *n < LAST) else {
            continue;
        };
        let side = if entry.egress() == Some(true) {
            &mut egress
        } else {
            &mut ingress
        };
        side.insert(number.to_string(), Entry::of(entry));
    }
    (ingress, egress)
}

impl Entry {
    fn of(entry: &NetworkAclEntry) -> Self {
        let number = entry.protocol().unwrap_or("-1");
        let named = PROTOCOLS.iter().find(|(_, n)| *n == number);
        let icmp = entry
            .icmp_type_code()
            .filter(|_| matches!(number, "1" | "58"));
        let ports = match (icmp, entry.port_range()) {
            (Some(i), _) => pair(i.r#type().unwrap_or(-1), i.code().unwrap_or(-1), ':'),
            (None, Some(p)) => pair(p.from().unwrap_or(0), p.to().unwrap_or(65535), '-'),
            (None, None) => String::new(),
        };
        Self {
            action: if entry.rule_action() == Some(&RuleAction::Allow) {
                Action::Allow
            } else {
                Action::Deny
            },
            protocol: named.map_or(number, |(name, _)| name).to_owned(),
            ports: if matches!(ports.as_str(), "0-65535" | "-1:-1") {
                String::new()
            } else {
                ports
            },
            cidr: entry
                .cidr_block()
                .or(entry.ipv6_cidr_block())
                .unwrap_or_default()
                .to_owned(),
        }
    }

    fn number(&self) -> &str {
        let named = PROTOCOLS.iter().find(|(name, _)| *name == self.protocol);
        named.map_or(self.protocol.as_str(), |(_, number)| number)
    }

    /// TCP and UDP need a port range in the call, even for all ports.
    fn range(&self) -> Option<PortRange> {
        let (from, to) = match self.protocol.as_str() {
            "tcp" | "udp" if self.ports.is_empty() => (0, 65535),
            "tcp" | "udp" => split(&self.ports, '-')?,
            _ => return None,
        };
        Some(PortRange::builder().from(from).to(to).build())
    }

    /// ICMP needs type and code in the call, even for all of them.
    fn icmp(&self) -> Option<IcmpTypeCode> {
        let (kind, code) = match self.protocol.as_str() {
            "icmp" | "icmpv6" if self.ports.is_empty() => (-1, -1),
            "icmp" | "icmpv6" => split(&self.ports, ':')?,
            _ => return None,
        };
        Some(IcmpTypeCode::builder().r#type(kind).code(code).build())
    }
}

fn pair(from: i32, to: i32, between: char) -> String {
    if from == to && between == '-' {
        from.to_string()
    } else {
        format!("{from}{between}{to}")
    }
}

fn split(text: &str, between: char) -> Option<(i32, i32)> {
    match text.split_once(between) {
        Some((from, to)) => Some((from.parse().ok()?, to.parse().ok()?)),
        None => text.parse().ok().map(|n| (n, n)),
    }
}

/// Sets number, protocol, action, addresses and ports of a CreateNetworkAclEntry or ReplaceNetworkAclEntry.
macro_rules! entry {
    ($call:expr, $acl:expr, $egress:expr, $number:expr, $entry:expr) => {{
        let entry: &Entry = $entry;
        let call = $call
            .network_acl_id($acl)
            .egress($egress)
            .rule_number($number)
            .protocol(entry.number())
            .rule_action(match entry.action {
                Action::Allow => RuleAction::Allow,
                Action::Deny => RuleAction::Deny,
            })
            .set_port_range(entry.range())
            .set_icmp_type_code(entry.icmp());
        if entry.cidr.contains(':') {
            call.ipv6_cidr_block(&entry.cidr)
        } else {
            call.cidr_block(&entry.cidr)
        }
    }};
}

/// Sets what `delta` names in both directions: new and changed entries first, extra ones last.
pub(super) async fn set(
    cx: &Aws,
    acl: &str,
    delta: &Delta,
    ingress: &Entries,
    egress: &Entries,
) -> Result<(), Error> {
    for (field, out, want) in [("ingress", false, ingress), ("egress", true, egress)] {
        let edits = delta.entries(field);
        for (number, edit) in &edits {
            match (want.get(*number), edit) {
                (Some(entry), Edit::Add) => create(cx, acl, out, number, entry).await?,
                (Some(entry), _) => replace(cx, acl, out, number, entry).await?,
                (None, _) => {}
            }
        }
        for number in edits.keys().filter(|n| !want.contains_key(**n)) {
            let call = cx.ec2.client.delete_network_acl_entry();
            let call = call.network_acl_id(acl).egress(out);
            let call = call.rule_number(rule_number(number)?);
            cx.delete(DELETE, || call.clone().send()).await?;
        }
    }
    Ok(())
}

const CREATE: Api = ec2::CREATE_NETWORK_ACL_ENTRY;
const REPLACE: Api = ec2::REPLACE_NETWORK_ACL_ENTRY;
const DELETE: Api = ec2::DELETE_NETWORK_ACL_ENTRY;

async fn create(
    cx: &Aws,
    acl: &str,
    egress: bool,
    number: &str,
    entry: &Entry,
) -> Result<(), Error> {
    let call = cx.ec2.client.create_network_acl_entry();
    let call = entry!(call, acl, egress, rule_number(number)?, entry);
    match cx.call(CREATE, || call.clone().send()).await {
        // There by now: an earlier attempt whose answer was lost, or a read that lagged.
        Err(error) if error.code == "NetworkAclEntryAlreadyExists" => {
            send_replace(cx, acl, egress, number, entry).await
        }
        answer => answer.map(drop),
    }
}

async fn replace(
    cx: &Aws,
    acl: &str,
    egress: bool,
    number: &str,
    entry: &Entry,
) -> Result<(), Error> {
    let answer = send_replace(cx, acl, egress, number, entry).await;
    match answer {
        // Somebody took it away since it was read.
        Err(error) if error.is_not_found() => {
            let call = cx.ec2.client.create_network_acl_entry();
            let call = entry!(call, acl, egress, rule_number(number)?, entry);
            cx.call(CREATE, || call.clone().send()).await.map(drop)
        }
        answer => answer,
    }
}

async fn send_replace(
    cx: &Aws,
    acl: &str,
    egress: bool,
    number: &str,
    entry: &Entry,
) -> Result<(), Error> {
    let call = cx.ec2.client.replace_network_acl_entry();
    let call = entry!(call, acl, egress, rule_number(number)?, entry);
    cx.call(REPLACE, || call.clone().send()).await.map(drop)
}

fn rule_number(text: &str) -> Result<i32, Error> {
    text.parse()
        .map_err(|_| Error::permanent("plan", format!("`{text}` is not a rule number of an ACL")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_as_it_was_written() {
        let written = |protocol: &str, ports: &str| Entry {
            action: Action::Allow,
            protocol: protocol.into(),
            ports: ports.into(),
            cidr: "10.0.0.0/8".into(),
        };
        let cases = [
            ("tcp", "443"),
            ("tcp", ""),
            ("udp", "1024-65535"),
            ("icmp", "3:4"),
            ("icmp", ""),
            ("all", ""),
            ("47", ""),
        ];
        for (protocol, ports) in cases {
            let entry = written(protocol, ports);
            let live = NetworkAclEntry::builder()
                .protocol(entry.number())
                .rule_action(RuleAction::Allow)
                .set_port_range(entry.range())
                .set_icmp_type_code(entry.icmp())
                .cidr_block(&entry.cidr)
                .build();
            assert_eq!(Entry::of(&live), entry);
        }
    }

    #[test]
    fn the_last_entries_are_nobodys() {
        let entry = |number| {
            NetworkAclEntry::builder()
                .rule_number(number)
                .egress(true)
                .build()
        };
        let acl = t::NetworkAcl::builder()
            .entries(entry(32767))
            .entries(entry(32768))
            .entries(entry(101))
            .build();
        let (ingress, egress) = entries(&acl);
        assert!(ingress.is_empty());
        assert_eq!(egress.keys().collect::<Vec<_>>(), ["101"]);
    }
}

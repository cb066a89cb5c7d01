//! What judges a packet where it leaves and where it comes in: security groups and network ACLs.

use super::{Host, Net};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

impl Net {
    /// Does a group let a connection through?
    pub(super) fn group_allows(
        &self,
        whose: &Host,
        egress: bool,
        port: u16,
        other: &Host,
    ) -> Option<bool> {
        let Some(group) = whose.group else {
            return Some(true);
        };
        let step = format!("security-group-{group}-rules-{}", whose.env);
        let side = if egress { "egress" } else { "ingress" };
        let rules = self.map(&step, side)?;
        Some(
            rules
                .keys()
                .any(|rule| self.rule_allows(rule, whose, port, other)),
        )
    }

    /// `tcp/443 from sg-1`, `tcp/1024-65535 to 10.0.0.0/8`, `all from pl-1`.
    fn rule_allows(&self, rule: &str, whose: &Host, port: u16, other: &Host) -> bool {
        let mut words = rule.split(' ');
        let (Some(what), Some(_), Some(peer)) = (words.next(), words.next(), words.next()) else {
            return false;
        };
        let ports = match what.split_once('/') {
            None => ["all", "tcp"].contains(&what),
            Some((protocol, ports)) => protocol == "tcp" && within(ports, port),
        };
        if !ports {
            return false;
        }
        let group = peer.strip_prefix("@{security-group-");
        match group.and_then(|p| p.split_once('.')) {
            // A group is only known in its own VPC.
            Some((peer, _)) => {
                let is_it = |g: &str| peer == format!("{g}-{}", other.env);
                other.group.is_some_and(is_it) && other.env == whose.env
            }
            None if peer.starts_with("pl-") => {
                let mut lists = self.lists.iter();
                lists.any(|(name, id)| *name == other.list && id == peer)
            }
            // What is no IPv4 block covers none of these addresses.
            None => {
                let block = peer.parse::<Ipv4Net>();
                block.is_ok_and(|b| b.contains(&other.address))
            }
        }
    }

    /// The first entry of a tier's ACL that matches decides. `far` is the address outside the subnet.
    pub(super) fn acl_allows(
        &self,
        at: &Host,
        egress: bool,
        far: Ipv4Addr,
        port: u16,
    ) -> Option<bool> {
        let step = format!("acl-{}-entries-{}", at.tier, at.env);
        let side = if egress { "egress" } else { "ingress" };
        let entries = self.map(&step, side)?.iter();
        let mut entries: Vec<_> = entries
            .filter_map(|(number, entry)| Some((number.parse::<u16>().ok()?, entry)))
            .collect();
        entries.sort_by_key(|(number, _)| *number);
        let hit = entries.into_iter().find(|(_, entry)| {
            let text = |key: &str| entry[key].as_str().unwrap_or_default();
            let protocol = text("protocol");
            let fits = protocol == "all"
                || (protocol == "tcp" && (text("ports").is_empty() || within(text("ports"), port)));
            let cidr = text("cidr").parse::<Ipv4Net>();
            cidr.is_ok_and(|c| c.contains(&far)) && fits
        });
        Some(hit.is_some_and(|(_, entry)| entry["action"] == "allow"))
    }
}

/// True when ports like `443` or `1024-65535` hold this one.
pub fn within(ports: &str, port: u16) -> bool {
    let (low, high) = ports.split_once('-').unwrap_or((ports, ports));
    match (low.parse::<u16>(), high.parse::<u16>()) {
        (Ok(low), Ok(high)) => (low..=high).contains(&port),
        _ => false,
    }
}

//! The way of a packet between two hosts: route tables, gateways, the Transit Gateway.

use super::{Host, Net};
use ipnet::Ipv4Net;
use serde_json::Value;

impl Net {
    /// Where a tier's routes lead for an address: the longest prefix counts.
    fn route(&self, from: &Host, to: &Host) -> Option<String> {
        let vpc = self.spec(&format!("vpc-{}", from.env))?;
        let vpc: Ipv4Net = vpc["cidr"].as_str()?.parse().ok()?;
        if vpc.contains(&to.address) {
            return Some("local".into());
        }
        if !to.list.is_empty() && self.has_gateway(from, to.list)? {
            return Some(format!("list {}", to.list));
        }
        let routes = self.map(&format!("rtb-{}-routes-{}", from.tier, from.env), "routes")?;
        let best = routes
            .iter()
            .filter_map(|(block, target)| Some((block.parse::<Ipv4Net>().ok()?, target)))
            .filter(|(block, _)| block.contains(&to.address))
            .max_by_key(|(block, _)| block.prefix_len());
        let target = best.and_then(|(_, target)| target.as_str());
        Some(target.unwrap_or_default().to_owned())
    }

    fn has_gateway(&self, from: &Host, list: &str) -> Option<bool> {
        let spec = self.spec(&format!("vpce-{list}-{}", from.env))?;
        let table = format!("@{{rtb-{}-{}.id}}", from.tier, from.env);
        let tables = spec["route_tables"].as_array()?;
        Some(tables.iter().any(|t| is(t, &table)))
    }

    /// Does the Transit Gateway carry what comes from one environment to an address of the other?
    fn carries(&self, from: &Host, to: &Host) -> Option<bool> {
        let table = format!("@{{tgw-rt-{}-shared.id}}", from.env);
        let association = self.spec(&format!("tgw-assoc-{}", from.env))?;
        let propagations = self.spec(&format!("tgw-propagations-{}", to.env))?;
        let routes = self.spec(&format!("tgw-routes-{}", to.env))?;
        let same = [association, propagations, routes];
        if !same.iter().all(|spec| is(&spec["table"], &table)) {
            return None;
        }
        let closed = routes["routes"].as_object()?;
        let block = |block: &String| block.parse::<Ipv4Net>();
        Some(
            !closed
                .keys()
                .any(|b| block(b).is_ok_and(|b| b.contains(&to.address))),
        )
    }

    /// One packet on its way, without groups.
    pub(super) fn packet(&self, from: &Host, to: &Host, port: u16) -> Option<bool> {
        if (from.env, from.tier, from.zone) == (to.env, to.tier, to.zone) {
            return Some(!from.env.is_empty());
        }
        let leaves = || match from.env {
            "" => Some(true),
            _ => self.acl_allows(from, true, to.address, port),
        };
        let enters = || match to.env {
            "" => Some(true),
            _ => self.acl_allows(to, false, from.address, port),
        };
        if from.env.is_empty() || to.env.is_empty() {
            // From outside it comes the way that the answer goes.
            let (inner, outer) = if from.env.is_empty() {
                (to, from)
            } else {
                (from, to)
            };
            let way = self.route(inner, outer)?;
            let way = way.contains("igw") || way.starts_with("list ");
            return Some(way && leaves()? && enters()?);
        }
        if from.env == to.env {
            return Some(leaves()? && enters()?);
        }
        // "How network ACLs work with transit gateways": beside the two ends' own subnets, the gateway's subnet judges what
        // comes in from another subnet of its VPC, and what goes out to one. Any zone's interface may be the one.
        let way = self.route(from, to)?;
        if !(way.contains("tgw") && self.carries(from, to)? && leaves()? && enters()?) {
            return Some(false);
        }
        for zone in ['a', 'b', 'c'] {
            let near = self.host(from.env, "app", zone)?;
            let far = self.host(to.env, "app", zone)?;
            let apart = |a: &Host, b: &Host| (a.tier, a.zone) != (b.tier, b.zone);
            if apart(from, &near) && !self.acl_allows(&near, false, from.address, port)? {
                return Some(false);
            }
            if apart(to, &far) && !self.acl_allows(&far, true, to.address, port)? {
                return Some(false);
            }
        }
        Some(true)
    }

    /// A connection: the call passes all groups and ACLs, and its answers pass the ACLs.
    pub(super) fn connects(&self, from: &Host, to: &Host, port: u16, source: u16) -> Option<bool> {
        Some(
            self.group_allows(from, true, port, to)?
                && self.group_allows(to, false, port, from)?
                && self.packet(from, to, port)?
                && self.packet(to, from, source)?,
        )
    }
}

/// The same reference, however long it waits.
fn is(value: &Value, reference: &str) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.replace("!}", "}") == reference)
}

//! The network of one environment: VPC and subnets.

use super::{Env, Site, Tier, Tiers};
use crate::engine::Handle;
use crate::resources::ec2::{Subnet, Vpc};

/// What other sections refer to.
pub struct Network {
    /// The VPC.
    pub vpc: Handle<Vpc>,
    /// Subnets by tier, in the order of the zones.
    pub subnets: [Vec<Handle<Subnet>>; 3],
}

impl Network {
    /// The subnets of a tier.
    pub fn tier(&self, tier: Tier) -> &[Handle<Subnet>] {
        &self.subnets[tier as usize]
    }
}

/// Declares it.
pub fn declare(site: &mut Site<'_>, env: Env) -> Network {
    let plan = Tiers::of(site, env);
    let cidr = plan.all().to_string();
    let vpc = site.graph.add(
        site.head("vpc", env),
        Vpc {
            cidr,
            dns_support: true,
            dns_hostnames: true,
        },
    );
    let subnets = Tier::ALL.map(|tier| {
        let zones = site.facts.zones.clone();
        let subnet = |(at, zone): (usize, &String)| {
            let letter = zone.chars().last().unwrap_or('x');
            let head = site.head(&format!("subnet-{}-{letter}", tier.name()), env);
            let spec = Subnet {
                vpc: vpc.id(),
                zone: zone.clone(),
                cidr: plan.zone(tier, at).to_string(),
                public_addresses: false,
            };
            site.graph.add(head, spec)
        };
        zones.iter().enumerate().map(subnet).collect()
    });
    Network { vpc, subnets }
}

//! The address plan: a /16 per environment, a quarter of it per tier, a quarter of that per zone.

use super::Env;
use crate::config::Config;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// A tier of subnets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Load balancers; the only tier with a route to the internet.
    Public,
    /// Services, functions, endpoints.
    App,
    /// Databases.
    Db,
}

impl Tier {
    /// All tiers.
    pub const ALL: [Self; 3] = [Self::Public, Self::App, Self::Db];

    /// `public`, `app`, `db`
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::App => "app",
            Self::Db => "db",
        }
    }
}

/// The address plan of one environment.
#[derive(Debug, Clone, Copy)]
pub struct Tiers(Ipv4Net);

impl Tiers {
    /// The plan of an environment.
    pub fn of(config: &Config, env: Env) -> Self {
        let network = &config.network;
        Self(if env == Env::Blue {
            network.blue_cidr
        } else {
            network.green_cidr
        })
    }

    /// The environment's block.
    pub fn all(&self) -> Ipv4Net {
        self.0
    }

    /// A tier's block: a quarter of the environment's.
    pub fn tier(&self, tier: Tier) -> Ipv4Net {
        quarter(self.0, tier as u32)
    }

    /// The quarter that no tier uses.
    pub fn spare(&self) -> Ipv4Net {
        quarter(self.0, 3)
    }

    /// A zone's block in a tier: a quarter of the tier's, so that there is room for four zones.
    pub fn zone(&self, tier: Tier, zone: usize) -> Ipv4Net {
        quarter(self.tier(tier), u32::try_from(zone).unwrap_or(u32::MAX))
    }
}

fn quarter(net: Ipv4Net, nth: u32) -> Ipv4Net {
    let prefix = (net.prefix_len() + 2).min(32);
    let size = 1_u32 << (32 - prefix);
    let start = u32::from(net.network()).wrapping_add(size.wrapping_mul(nth));
    Ipv4Net::new_assert(Ipv4Addr::from(start), prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_and_zones_do_not_overlap() {
        let plan = Tiers("10.20.0.0/16".parse().unwrap());
        let mut all: Vec<Ipv4Net> = Tier::ALL
            .iter()
            .flat_map(|t| (0..4).map(|z| plan.zone(*t, z)))
            .collect();
        all.sort();
        assert_eq!(all[0].to_string(), "10.20.0.0/20");
        assert!(
            all.windows(2)
                .all(|w| u32::from(w[0].broadcast()) < u32::from(w[1].network()))
        );
        assert!(all.iter().all(|net| plan.all().contains(net)));
    }
}

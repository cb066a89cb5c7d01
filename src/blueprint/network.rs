//! The network of one environment: VPC, subnets, internet gateway, route tables. Only the public tier has a way to the
//! internet; what app and db reach outside the VPC, they reach through endpoints and the transit gateway.

use super::acls;
use super::{EnvironmentBuilder, Tier};
use crate::engine::{Handle, Ref};
use crate::resources::Exposed;
use crate::resources::ec2::{
    InternetGateway, InternetGatewayAttachment, MainRouteTable, RouteTable, RouteTableSubnets,
    Routes, Subnet, Target, TransitGateway, Vpc,
};
use std::collections::BTreeMap;

/// What other sections refer to.
pub struct Network {
    pub vpc: Handle<Vpc>,
    /// Subnets by tier, in the order of the zones.
    pub subnets: [Vec<Handle<Subnet>>; 3],
    /// Route tables by tier.
    pub tables: [Handle<RouteTable>; 3],
    /// The internet gateway, attached.
    pub internet: Handle<InternetGatewayAttachment>,
}

impl Network {
    /// The subnets of a tier.
    pub fn tier(&self, tier: Tier) -> &[Handle<Subnet>] {
        &self.subnets[tier as usize]
    }

    /// The route table of a tier.
    pub fn table(&self, tier: Tier) -> &Handle<RouteTable> {
        &self.tables[tier as usize]
    }
}

/// Declares it, but for the routes: those wait for the transit gateway, see [`routes`].
pub fn declare(here: &mut EnvironmentBuilder<'_>) -> Network {
    let plan = here.tiers();
    let cidr = plan.all().to_string();
    let vpc = here.add(
        "vpc",
        Vpc {
            cidr,
            dns_support: true,
            dns_hostnames: true,
            extra_cidrs: Vec::new(),
            exposed: Exposed::new(),
            members: Vec::new(),
        },
    );
    let main = MainRouteTable {
        vpc: vpc.id(),
        own: true,
        routes: BTreeMap::new(),
    };
    here.add("rtb-main", main);
    let subnets = Tier::ALL.map(|tier| subnets(here, &vpc, tier));
    let gateway = here.add("igw", InternetGateway {});
    let internet = here.add(
        "igw-attachment",
        InternetGatewayAttachment {
            gateway: gateway.id(),
            vpc: vpc.id(),
        },
    );
    let tables = Tier::ALL.map(|tier| {
        let name = format!("rtb-{}", tier.name());
        let table = RouteTable { vpc: vpc.id() };
        let table = here.add(&name, table);
        let used = RouteTableSubnets {
            table: table.id(),
            subnets: subnets[tier as usize]
                .iter()
                .map(|subnet| subnet.id())
                .collect(),
            gateways: Vec::new(),
        };
        here.add(&format!("{name}-subnets"), used);
        table
    });
    acls::declare(here, &vpc, &subnets);
    Network {
        vpc,
        subnets,
        tables,
        internet,
    }
}

/// Declares the routes of all tables: the public one leads to the internet, app and db have `transit` (destination to
/// transit gateway, as a reference that is ready when this VPC's attachment is) and nothing else.
pub fn routes(
    here: &mut EnvironmentBuilder<'_>,
    network: &Network,
    transit: Vec<(String, Ref<TransitGateway>)>,
) {
    let transit: BTreeMap<String, Target> = transit
        .into_iter()
        .map(|(cidr, gateway)| (cidr, gateway.into()))
        .collect();
    for tier in Tier::ALL {
        let routes = match tier {
            Tier::Public => BTreeMap::from([(
                super::ANYWHERE.to_owned(),
                network.internet.gateway.clone().into(),
            )]),
            Tier::App | Tier::Db => transit.clone(),
        };
        let table = network.table(tier).id();
        here.add(
            &format!("rtb-{}-routes", tier.name()),
            Routes { table, routes },
        );
    }
}

fn subnets(
    here: &mut EnvironmentBuilder<'_>,
    vpc: &Handle<Vpc>,
    tier: Tier,
) -> Vec<Handle<Subnet>> {
    let plan = here.tiers();
    let zones = here.facts.zones.clone();
    let subnet = |(at, zone): (usize, &String)| {
        let letter = zone.chars().last().unwrap_or('x');
        let spec = Subnet {
            vpc: vpc.id(),
            zone: zone.clone(),
            cidr: plan.zone(tier, at).to_string(),
            public_addresses: false,
        };
        here.add(&format!("subnet-{}-{letter}", tier.name()), spec)
    };
    zones.iter().enumerate().map(subnet).collect()
}

//! The network of one environment: VPC, subnets, internet gateway, route tables. Only the public tier has a way to the
//! internet; what app and db reach outside the VPC, they reach through endpoints and the transit gateway.

use super::acls;
use super::{Env, EnvironmentBuilder, Tier, Tiers};
use crate::engine::{Handle, Ref};
use crate::resources::ec2::{
    InternetGateway, InternetGatewayAttachment, RouteTable, RouteTableSubnets, Routes, Subnet,
    Target, TransitGateway, Vpc,
};
use std::collections::BTreeMap;

/// What other sections refer to.
pub struct Network {
    /// The VPC.
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
pub fn declare(builder: &mut EnvironmentBuilder<'_>, env: Env) -> Network {
    let plan = Tiers::of(builder, env);
    let cidr = plan.all().to_string();
    let vpc = builder.graph.add(
        builder.meta("vpc", env),
        Vpc {
            cidr,
            dns_support: true,
            dns_hostnames: true,
            extra_cidrs: Vec::new(),
        },
    );
    let subnets = Tier::ALL.map(|tier| subnets(builder, env, &vpc, tier));
    let gateway = builder
        .graph
        .add(builder.meta("igw", env), InternetGateway {});
    let internet = builder.graph.add(
        builder.meta("igw-attachment", env),
        InternetGatewayAttachment {
            gateway: gateway.id(),
            vpc: vpc.id(),
        },
    );
    let tables = Tier::ALL.map(|tier| {
        let name = format!("rtb-{}", tier.name());
        let table = RouteTable { vpc: vpc.id() };
        let table = builder.graph.add(builder.meta(&name, env), table);
        let used = RouteTableSubnets {
            table: table.id(),
            subnets: subnets[tier as usize]
                .iter()
                .map(|subnet| subnet.id())
                .collect(),
        };
        let meta = builder.meta(&format!("{name}-subnets"), env);
        builder.graph.add(meta, used);
        table
    });
    acls::declare(builder, env, &vpc, &subnets);
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
    builder: &mut EnvironmentBuilder<'_>,
    env: Env,
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
        let meta = builder.meta(&format!("rtb-{}-routes", tier.name()), env);
        let table = network.table(tier).id();
        builder.graph.add(meta, Routes { table, routes });
    }
}

fn subnets(
    builder: &mut EnvironmentBuilder<'_>,
    env: Env,
    vpc: &Handle<Vpc>,
    tier: Tier,
) -> Vec<Handle<Subnet>> {
    let plan = Tiers::of(builder, env);
    let zones = builder.facts.zones.clone();
    let subnet = |(at, zone): (usize, &String)| {
        let letter = zone.chars().last().unwrap_or('x');
        let meta = builder.meta(&format!("subnet-{}-{letter}", tier.name()), env);
        let spec = Subnet {
            vpc: vpc.id(),
            zone: zone.clone(),
            cidr: plan.zone(tier, at).to_string(),
            public_addresses: false,
        };
        builder.graph.add(meta, spec)
    };
    zones.iter().enumerate().map(subnet).collect()
}

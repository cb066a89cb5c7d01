//! The Transit Gateway between the environments. Each environment's attachment is associated with the environment's own
//! route table, and each environment writes the ways to itself into the *other's* table: the propagation of its VPC,
//! and black holes for what must not be reached, its public tier and its spare quarter. So app and db tiers reach each
//! other and nothing else does, and every step of an environment depends on shared steps only.

use super::{Env, EnvironmentBuilder, ScopeBuilder, Shared, Tier};
use crate::engine::{Handle, Ref};
use crate::resources::ec2::{
    Subnet, TransitGateway, TransitGatewayAssociation, TransitGatewayAttachment,
    TransitGatewayPropagations, TransitGatewayRouteTable, TransitGatewayRoutes,
    TransitGatewayTarget, Vpc,
};

/// The shared part.
pub struct Transit {
    pub gateway: Handle<TransitGateway>,
    blue: Handle<TransitGatewayRouteTable>,
    green: Handle<TransitGatewayRouteTable>,
}

impl Transit {
    /// The table that routes what comes from an environment.
    fn table(&self, env: Env) -> &Handle<TransitGatewayRouteTable> {
        if env == Env::Blue {
            &self.blue
        } else {
            &self.green
        }
    }
}

/// Declares the gateway and a route table per environment.
pub fn gateway(here: &mut ScopeBuilder<'_, Shared>) -> Transit {
    let spec = TransitGateway {
        description: "Between the blue and the green environment".into(),
        // AWS's own default; no VPN speaks BGP with it.
        asn: 64512,
        default_association: false,
        default_propagation: false,
        dns_support: true,
        vpn_ecmp: false,
        auto_accept: false,
        group_references: false,
        multicast: false,
        members: Vec::new(),
    };
    let gateway = here.add("tgw", spec);
    here.output("transit-gateway", gateway.id());
    let [blue, green] = [Env::Blue, Env::Green].map(|env| {
        let transit_gateway = gateway.id().ready();
        let table = TransitGatewayRouteTable { transit_gateway };
        here.add(&format!("tgw-rt-{env}"), table)
    });
    Transit {
        gateway,
        blue,
        green,
    }
}

/// What the VPC's own route tables need.
pub struct Attached {
    /// The blocks on the other side that may be reached.
    pub destinations: Vec<String>,
    /// Where routes to them lead: the gateway, once the attachment is available.
    pub target: Ref<TransitGateway>,
}

impl Attached {
    /// Destinations with their target.
    pub fn routes(&self) -> Vec<(String, Ref<TransitGateway>)> {
        self.destinations
            .iter()
            .map(|cidr| (cidr.clone(), self.target.clone()))
            .collect()
    }
}

/// Attaches an environment's VPC by its app subnets.
pub fn attach(
    here: &mut EnvironmentBuilder<'_>,
    transit: &Transit,
    vpc: &Handle<Vpc>,
    app_subnets: &[Handle<Subnet>],
) -> Attached {
    let spec = TransitGatewayAttachment {
        transit_gateway: transit.gateway.id().ready(),
        vpc: vpc.id(),
        subnets: app_subnets.iter().map(|subnet| subnet.id()).collect(),
        dns_support: true,
        ipv6: false,
        appliance_mode: false,
        group_references: false,
    };
    let attachment = here.add("tgw-attach", spec);
    here.output("transit-gateway-attachment", &attachment.id);

    let spec = TransitGatewayAssociation {
        attachment: attachment.id.ready(),
        table: transit.table(here.env).id().ready(),
        others: Vec::new(),
    };
    here.add("tgw-assoc", spec);

    let others_table = transit.table(here.env.other()).id().ready();
    let spec = TransitGatewayPropagations {
        table: others_table.clone(),
        attachments: vec![attachment.id.ready()],
    };
    here.add("tgw-propagations", spec);

    let plan = here.tiers();
    let closed = [plan.tier(Tier::Public), plan.spare()];
    let spec = TransitGatewayRoutes {
        table: others_table,
        routes: closed
            .iter()
            .map(|block| (block.to_string(), TransitGatewayTarget::Blackhole))
            .collect(),
    };
    here.add("tgw-routes", spec);

    let other = here.other_tiers();
    Attached {
        target: attachment.transit_gateway.ready(),
        destinations: [Tier::App, Tier::Db]
            .map(|tier| other.tier(tier).to_string())
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Facts, network};
    use crate::config::Config;
    use crate::engine::{Builder, Graph};

    fn graph() -> Graph {
        let config = Config::default();
        let facts = Facts::sample();
        let mut graph = Builder::new();
        let transit = gateway(&mut ScopeBuilder::new(&config, &facts, Shared, &mut graph));
        for env in [Env::Blue, Env::Green] {
            let here = &mut ScopeBuilder::new(&config, &facts, env, &mut graph);
            let network = network::declare(here);
            let app = network.tier(Tier::App);
            let attached = attach(here, &transit, &network.vpc, app);
            assert_eq!(attached.destinations.len(), 2);
        }
        graph.build().unwrap()
    }

    #[test]
    fn an_environment_pulls_in_shared_steps_and_none_of_the_other() {
        let graph = graph();
        for (env, other) in [("green", "blue"), ("blue", "green")] {
            let chosen = graph.select(Some(env));
            let scopes: Vec<&str> = graph
                .steps
                .iter()
                .zip(&chosen)
                .filter(|(_, chosen)| **chosen)
                .map(|(step, _)| step.scope.as_str())
                .collect();
            assert!(scopes.contains(&"shared"));
            assert!(!scopes.contains(&other));
        }
    }

    #[test]
    fn what_is_closed_lies_in_the_environments_block_and_beside_the_open_tiers() {
        let graph = graph();
        let routes = graph.get("tgw-routes-green").unwrap();
        assert_eq!(routes.spec["table"], "@{tgw-rt-blue-shared.id!}");
        let blocks: Vec<&String> = routes.spec["routes"].as_object().unwrap().keys().collect();
        assert_eq!(blocks, ["10.20.0.0/18", "10.20.192.0/18"]);
    }
}

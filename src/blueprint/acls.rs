//! Network ACLs: one per tier, and the VPC's default one stripped.
//!
//! ACLs keep no state, so every answer needs an entry of its own: to the ports from which clients call, 1024 to 65535
//! ("Ephemeral ports": load balancers and Lambda use that whole range). They don't filter the VPC's resolver, instance
//! and task metadata, DHCP and the time service ("Control subnet traffic with network access control lists"), and
//! nothing within one subnet.
//!
//! The transit gateway's interfaces lie in the app subnets. What passes through them from and to the db subnets is
//! judged by the app tier's ACL as well ("How network ACLs work with transit gateways").
//!
//! S3 and DynamoDB are reached through gateway endpoints at public addresses that an ACL can't name by prefix list, so the
//! app tier may call port 443 anywhere; its route table has no way to the internet, and its security groups name the
//! two prefix lists. Before that both environments' blocks are closed but for what is listed. The db tier calls nobody
//! outside the two environments.
//!
//! Port 3389 is left out of the answers from anywhere: auditors count an ACL that lets the internet reach it as a finding
//! whatever stands before ("nacl-no-unrestricted-ssh-rdp", AWS Config; "EC2.21" of Security Hub's PCI DSS standard). A call
//! that happens to leave from that port, one in 64,000, is sent again by its SDK.

use super::functions::HOME;
use super::security::{HTTP, HTTPS};
use super::services::SERVICE_PORT;
use super::{ANYWHERE, EnvironmentBuilder, Tier};
use crate::engine::Handle;
use crate::resources::ec2::{
    Action, DefaultNetworkAcl, Entries, Entry, NetworkAcl, NetworkAclEntries, NetworkAclSubnets,
    Subnet, Vpc,
};

/// The ports from which clients call.
const CALLERS: &str = "1024-65535";
/// The same without 3389.
const CALLERS_BUT_RDP: [&str; 2] = ["1024-3388", "3390-65535"];

/// Declares them, with entries and subnets.
pub fn declare(
    here: &mut EnvironmentBuilder<'_>,
    vpc: &Handle<Vpc>,
    subnets: &[Vec<Handle<Subnet>>; 3],
) {
    let default = DefaultNetworkAcl {
        vpc: vpc.id(),
        ingress: Entries::new(),
        egress: Entries::new(),
    };
    here.add("acl-default", default);
    for tier in Tier::ALL {
        let name = format!("acl-{}", tier.name());
        let acl = NetworkAcl { vpc: vpc.id() };
        let acl = here.add(&name, acl);
        let (ingress, egress) = entries(here, tier);
        let entries = NetworkAclEntries {
            acl: acl.id(),
            ingress,
            egress,
        };
        let entries = here.add(&format!("{name}-entries"), entries);
        // Not before the entries are there: until then the ACL denies everything.
        let guarded = NetworkAclSubnets {
            acl: entries.id.ready(),
            subnets: subnets[tier as usize]
                .iter()
                .map(|subnet| subnet.id())
                .collect(),
        };
        here.add(&format!("{name}-subnets"), guarded);
    }
}

/// (ingress, egress) of a tier.
fn entries(here: &EnvironmentBuilder<'_>, tier: Tier) -> (Entries, Entries) {
    let (mut ingress, mut egress) = of_both(here, tier);
    let (own, there) = (here.tiers(), here.other_tiers());
    let database = || here.config.database.port.to_string();
    // Calls of the migration's functions to the other environment's database, and its answers.
    match (tier, here.env == HOME) {
        (Tier::App, true) => {
            let theirs = there.tier(Tier::Db).to_string();
            egress.extend(numbered([(110, tcp(&database(), theirs.clone()))]));
            ingress.extend(numbered([(140, tcp(CALLERS, theirs))]));
        }
        (Tier::Db, false) => {
            let theirs = there.tier(Tier::App).to_string();
            ingress.extend(numbered([(110, tcp(&database(), theirs.clone()))]));
            egress.extend(numbered([(110, tcp(CALLERS, theirs))]));
        }
        _ => {}
    }
    if here.config.traffic.bridge {
        // The load balancer calls the endpoint of the bridge. Its answers pass as those of the services do.
        let to = |tier| tcp(&HTTPS.to_string(), own.tier(tier).to_string());
        match tier {
            Tier::Public => egress.extend(numbered([(105, to(Tier::App))])),
            Tier::App => ingress.extend(numbered([(105, to(Tier::Public))])),
            Tier::Db => {}
        }
    }
    (ingress, egress)
}

/// What both environments have, whatever is configured.
fn of_both(here: &EnvironmentBuilder<'_>, tier: Tier) -> (Entries, Entries) {
    let (own, there) = (here.tiers(), here.other_tiers());
    let ours = |tier| own.tier(tier).to_string();
    let theirs = |tier| there.tier(tier).to_string();
    let all_of_ours = || own.all().to_string();
    let all_of_theirs = || there.all().to_string();
    let anywhere = || ANYWHERE.to_owned();
    let database = here.config.database.port.to_string();
    let database = || database.as_str();
    let (https, http, service) = (
        HTTPS.to_string(),
        HTTP.to_string(),
        SERVICE_PORT.to_string(),
    );
    match tier {
        Tier::Public => (
            numbered([
                (100, tcp(&https, anywhere())),
                (110, tcp(&http, anywhere())),
                // Answers of the services to the load balancer.
                (120, tcp(CALLERS, ours(Tier::App))),
            ]),
            numbered([
                (100, tcp(&service, ours(Tier::App))),
                (110, deny(all_of_ours())),
                (120, deny(all_of_theirs())),
                // Answers to clients on the internet.
                (130, tcp(CALLERS, anywhere())),
            ]),
        ),
        Tier::App => (
            numbered([
                (100, tcp(&service, ours(Tier::Public))),
                // Interface endpoints, and their answers to other zones.
                (110, tcp(&https, ours(Tier::App))),
                (120, tcp(CALLERS, ours(Tier::App))),
                // Answers of our database; what our databases send to the transit gateway.
                (130, tcp(CALLERS, ours(Tier::Db))),
                // The other environment's services, calls (to the service port, which is in the range) and answers.
                (150, tcp(CALLERS, theirs(Tier::App))),
                (200, deny(all_of_ours())),
                (210, deny(all_of_theirs())),
                // Answers of S3 and DynamoDB.
                (300, tcp(CALLERS_BUT_RDP[0], anywhere())),
                (310, tcp(CALLERS_BUT_RDP[1], anywhere())),
            ]),
            numbered([
                (100, tcp(database(), ours(Tier::Db))),
                (120, tcp(&https, ours(Tier::App))),
                // Answers to the load balancer, of endpoints to other zones, and through the transit gateway's
                // interfaces to our databases.
                (130, tcp(CALLERS, ours(Tier::Public))),
                (140, tcp(CALLERS, ours(Tier::App))),
                (150, tcp(CALLERS, ours(Tier::Db))),
                (160, tcp(CALLERS, theirs(Tier::App))),
                (200, deny(all_of_ours())),
                (210, deny(all_of_theirs())),
                (300, tcp(&https, anywhere())),
            ]),
        ),
        Tier::Db => (
            numbered([
                (100, tcp(database(), ours(Tier::App))),
                (120, tcp(database(), theirs(Tier::Db))),
                (130, tcp(CALLERS, theirs(Tier::Db))),
            ]),
            numbered([
                (100, tcp(CALLERS, ours(Tier::App))),
                (120, tcp(CALLERS, theirs(Tier::Db))),
                (130, tcp(database(), theirs(Tier::Db))),
            ]),
        ),
    }
}

fn numbered<const N: usize>(entries: [(u16, Entry); N]) -> Entries {
    entries
        .into_iter()
        .map(|(number, entry)| (number.to_string(), entry))
        .collect()
}

fn tcp(ports: &str, cidr: String) -> Entry {
    Entry {
        action: Action::Allow,
        protocol: "tcp".into(),
        ports: ports.to_owned(),
        cidr,
    }
}

fn deny(cidr: String) -> Entry {
    Entry {
        action: Action::Deny,
        protocol: "all".into(),
        ports: String::new(),
        cidr,
    }
}

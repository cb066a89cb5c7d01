//! A VPC with its DNS attributes.

use super::prelude::*;
use super::vpc_members::strangers;
use super::{owned, vpc_members};
use crate::resources::facts::EC2;
use aws_sdk_ec2::types::{AttributeBooleanValue, VpcAttributeName, VpcState};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Vpc {
    /// The IPv4 block, `10.10.0.0/16`.
    pub cidr: String,
    /// Resolution through the Amazon DNS server.
    pub dns_support: bool,
    /// Public DNS names, and private DNS of interface endpoints.
    pub dns_hostnames: bool,
    /// Further blocks, IPv4 and IPv6, that somebody added: a set. Subnets in them and routes to them would pass by our
    /// address plan, so none is ours, and what is here is taken away.
    #[serde(default)]
    pub extra_cidrs: Vec<String>,
    /// DHCP options that send its names to somebody's server.
    #[serde(default)]
    pub exposed: Exposed,
    /// What others put into it.
    #[serde(default)]
    pub members: Vec<String>,
}

const READ: Api = ec2::DESCRIBE_VPCS;
const READ_ATTRIBUTE: Api = ec2::DESCRIBE_VPC_ATTRIBUTE;
const CREATE: Api = ec2::CREATE_VPC;
const MODIFY: Api = ec2::MODIFY_VPC_ATTRIBUTE;
const PART: Api = ec2::DISASSOCIATE_VPC_CIDR_BLOCK;
const ASSOCIATE_DHCP: Api = ec2::ASSOCIATE_DHCP_OPTIONS;
const DELETE: Api = ec2::DELETE_VPC;
/// The entry of `exposed`.
const DHCP: &str = "DHCP options";

impl Kind for Vpc {
    const TYPE: &'static str = "ec2/vpc";
    type Outputs = Id<Self>;
}

impl Resource for Vpc {
    const FACTS: Facts<Self> = Facts {
        global: false,
        // One DescribeTags shows everything of EC2.
        listed: Listed::Service(EC2, |cx, suffix| Box::pin(owned::owned(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &["cidr"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[
            (
                "dns_support",
                "names do not resolve in the network while it is off",
            ),
            (
                "dns_hostnames",
                "private names of endpoints do not resolve while it is off",
            ),
        ],
        write_only: &[],
        watched: &["members"],
        delegated: &[],
    };
    type Tags = Ec2Tags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        // What is in a recorded one is read with it, and with what is recorded there.
        let early = async {
            let it = key.outputs?;
            Some(strangers(cx, it.as_str(), key.identity).await)
        };
        let (vpc, early) = futures::join!(find(&cx.ec2.vpcs, "vpc-id", &key), early);
        let Some(vpc) = vpc? else {
            return Ok(None);
        };
        let id: Id<Self> = READ.field(vpc.vpc_id(), "VpcId")?;
        let attribute = async |name: VpcAttributeName| {
            let call = cx
                .ec2
                .client
                .describe_vpc_attribute()
                .vpc_id(&id.id)
                .attribute(name);
            found(cx.call(READ_ATTRIBUTE, || call.clone().send()).await)
        };
        let support = attribute(VpcAttributeName::EnableDnsSupport);
        let hostnames = attribute(VpcAttributeName::EnableDnsHostnames);
        let dhcp = vpc_members::foreign_dhcp(cx, vpc.dhcp_options_id());
        let members = async {
            match early {
                Some(members) => members,
                None => strangers(cx, id.as_str(), key.identity).await,
            }
        };
        let settings = futures::future::try_join3(support, hostnames, dhcp);
        let (settings, members) = futures::join!(settings, members);
        let (support, hostnames, dhcp) = settings?;
        let (Some(support), Some(hostnames)) = (support, hostnames) else {
            return Ok(None);
        };
        let on =
            |value: Option<&AttributeBooleanValue>| value.and_then(|v| v.value()) == Some(true);
        let spec = Self {
            cidr: vpc.cidr_block().unwrap_or_default().to_owned(),
            dns_support: on(support.enable_dns_support()),
            dns_hostnames: on(hostnames.enable_dns_hostnames()),
            extra_cidrs: extra_cidrs(&vpc).into_iter().map(|(c, _)| c).collect(),
            exposed: dhcp.map(|to| (DHCP.to_owned(), to)).into_iter().collect(),
            members,
        };
        let ready = vpc.state() == Some(&VpcState::Available);
        let found = Found::tagged(spec, id, tags_of(vpc.tags()));
        Ok(Some(found.ready_when(ready)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Id<Self>, Error> {
        let tags = tags::at_creation(ResourceType::Vpc, identity);
        let call = cx.ec2.client.create_vpc().cidr_block(&self.cidr);
        let call = call.tag_specifications(tags);
        let made = cx.call(CREATE, || call.clone().send()).await?.vpc;
        CREATE.field(made.and_then(|v| v.vpc_id).as_deref(), "VpcId")
    }

    async fn update(&self, cx: &Aws, it: &Id<Self>, delta: &Delta) -> Result<(), Error> {
        let value = |on| AttributeBooleanValue::builder().value(on).build();
        let call = || cx.ec2.client.modify_vpc_attribute().vpc_id(&it.id);
        if delta.touches("exposed") {
            let back = cx.ec2.client.associate_dhcp_options().vpc_id(&it.id);
            let back = back.dhcp_options_id("default");
            cx.call(ASSOCIATE_DHCP, || back.clone().send()).await?;
        }
        // One attribute per call; hostnames need support to be on.
        if delta.touches("dns_support") {
            let set = call().enable_dns_support(value(self.dns_support));
            cx.call(MODIFY, || set.clone().send()).await?;
        }
        if delta.touches("dns_hostnames") {
            let set = call().enable_dns_hostnames(value(self.dns_hostnames));
            cx.call(MODIFY, || set.clone().send()).await?;
        }
        if let Some(gone) = members(delta, "extra_cidrs").remove {
            for vpc in cx.ec2.vpcs.by("vpc-id", it.as_str()).await? {
                let there = extra_cidrs(&vpc);
                for (_, association) in there.iter().filter(|(cidr, _)| gone.contains(cidr)) {
                    let call = cx.ec2.client.disassociate_vpc_cidr_block();
                    let call = call.association_id(association);
                    cx.delete(PART, || call.clone().send()).await?;
                }
            }
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, it: &Id<Self>) -> Result<(), Error> {
        let call = cx.ec2.client.delete_vpc().vpc_id(&it.id);
        let answer = cx.delete(DELETE, || call.clone().send()).await;
        held::explain(cx, answer, Holder::InVpc(it.as_str())).await
    }
}

/// The blocks of a VPC beside its first one, each with the id of its association.
fn extra_cidrs(vpc: &t::Vpc) -> Vec<(String, String)> {
    use t::VpcCidrBlockStateCode::{Associated, Associating};
    let stands = |state: Option<&t::VpcCidrBlockState>| {
        matches!(
            state.and_then(|s| s.state()),
            Some(Associated | Associating)
        )
    };
    let four = vpc.cidr_block_association_set().iter();
    let four = four.filter(|a| stands(a.cidr_block_state()) && a.cidr_block() != vpc.cidr_block());
    let six = vpc.ipv6_cidr_block_association_set().iter();
    let six = six.filter(|a| stands(a.ipv6_cidr_block_state()));
    let pair = |cidr: Option<&str>, id: Option<&str>| Some((cidr?.to_owned(), id?.to_owned()));
    four.filter_map(|a| pair(a.cidr_block(), a.association_id()))
        .chain(six.filter_map(|a| pair(a.ipv6_cidr_block(), a.association_id())))
        .collect()
}

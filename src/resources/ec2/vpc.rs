//! A VPC with its DNS attributes.

use super::held::{self, Holder};
use super::members::members;
use super::{owned, tags};
use crate::aws::{Aws, find, once, read, repeatable, tags_of};
use crate::engine::driver::Owned;
use crate::engine::{Delta, Error, Handle, Identity, Kind, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, found, ignore_not_found, missing_field};
use aws_sdk_ec2::types::{
    self as t, AttributeBooleanValue, ResourceType, VpcAttributeName, VpcState,
};
use serde::{Deserialize, Serialize};

/// The settings of a VPC.
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

/// A VPC id.
#[derive(Debug)]
pub enum VpcId {}

/// What is known of a VPC once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VpcOutputs {
    /// `vpc-...`
    pub id: Ref<VpcId>,
}

impl Handle<Vpc> {
    /// The VPC's id.
    pub fn id(&self) -> Ref<VpcId> {
        self.output("id")
    }
}

impl Kind for Vpc {
    const TYPE: &'static str = "ec2/vpc";
}

impl Resource for Vpc {
    const FIXED: &'static [&'static str] = &["cidr"];
    type Outputs = VpcOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map(|o| o.id.as_str());
        let Some(vpc) = find(&cx.ec2.vpcs, id, "vpc-id", key.identity).await? else {
            return Ok(None);
        };
        let id = vpc
            .vpc_id()
            .ok_or_else(|| missing_field("ec2:DescribeVpcs", "VpcId"))?;
        let attribute = async |name: VpcAttributeName| {
            let answer = cx.call(read("ec2", "DescribeVpcAttribute"), || {
                cx.ec2
                    .client
                    .describe_vpc_attribute()
                    .vpc_id(id)
                    .attribute(name.clone())
                    .send()
            });
            found(answer.await)
        };
        let support = attribute(VpcAttributeName::EnableDnsSupport);
        let hostnames = attribute(VpcAttributeName::EnableDnsHostnames);
        let (support, hostnames) = futures::future::try_join(support, hostnames).await?;
        let (Some(support), Some(hostnames)) = (support, hostnames) else {
            return Ok(None);
        };
        let on = |value: Option<&AttributeBooleanValue>| {
            value
                .and_then(AttributeBooleanValue::value)
                .unwrap_or(false)
        };
        Ok(Some(Found {
            spec: Self {
                cidr: vpc.cidr_block().unwrap_or_default().to_owned(),
                dns_support: on(support.enable_dns_support()),
                dns_hostnames: on(hostnames.enable_dns_hostnames()),
                extra_cidrs: extra_cidrs(&vpc).into_iter().map(|(c, _)| c).collect(),
            },
            tags: Some(tags_of(vpc.tags())),
            outputs: VpcOutputs { id: id.into() },
            phase: if vpc.state() == Some(&VpcState::Available) {
                Phase::Ready
            } else {
                Phase::Settling
            },
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<VpcOutputs, Error> {
        let answer = cx
            .call(once("ec2", "CreateVpc"), || {
                cx.ec2
                    .client
                    .create_vpc()
                    .cidr_block(&self.cidr)
                    .tag_specifications(tags::at_creation(ResourceType::Vpc, identity))
                    .send()
            })
            .await?;
        let id = answer
            .vpc()
            .and_then(|v| v.vpc_id())
            .ok_or_else(|| missing_field("ec2:CreateVpc", "VpcId"))?;
        Ok(VpcOutputs { id: id.into() })
    }

    async fn update(&self, cx: &Aws, outputs: &VpcOutputs, delta: &Delta) -> Result<(), Error> {
        let id = outputs.id.as_str();
        let value = |on| AttributeBooleanValue::builder().value(on).build();
        const MODIFY: crate::aws::Api = repeatable("ec2", "ModifyVpcAttribute");
        // One attribute per call; hostnames need support to be on.
        if delta.touches("dns_support") {
            let set = || {
                cx.ec2
                    .client
                    .modify_vpc_attribute()
                    .vpc_id(id)
                    .enable_dns_support(value(self.dns_support))
                    .send()
            };
            cx.call(MODIFY, set).await?;
        }
        if delta.touches("dns_hostnames") {
            let set = || {
                cx.ec2
                    .client
                    .modify_vpc_attribute()
                    .vpc_id(id)
                    .enable_dns_hostnames(value(self.dns_hostnames))
                    .send()
            };
            cx.call(MODIFY, set).await?;
        }
        if let Some(gone) = members(delta, "extra_cidrs").remove {
            for vpc in cx.ec2.vpcs.by("vpc-id", id).await? {
                let there = extra_cidrs(&vpc);
                for (_, association) in there.iter().filter(|(cidr, _)| gone.contains(cidr)) {
                    let part = cx.call(repeatable("ec2", "DisassociateVpcCidrBlock"), || {
                        cx.ec2
                            .client
                            .disassociate_vpc_cidr_block()
                            .association_id(association)
                            .send()
                    });
                    ignore_not_found(part.await)?;
                }
            }
        }
        tags::update(cx, id, delta).await
    }

    async fn delete(&self, cx: &Aws, outputs: &VpcOutputs) -> Result<(), Error> {
        let id = outputs.id.as_str();
        let answer = cx
            .call(repeatable("ec2", "DeleteVpc"), || {
                cx.ec2.client.delete_vpc().vpc_id(id).send()
            })
            .await;
        ignore_not_found(held::explain(cx, answer, Holder::InVpc(id)).await)
    }

    /// For all types of EC2: one DescribeTags shows them all.
    async fn owned(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
        owned::owned(cx, suffix).await
    }
}

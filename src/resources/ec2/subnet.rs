//! A subnet in one availability zone.

use super::Vpc;
use super::prelude::*;
use aws_sdk_ec2::types::{AttributeBooleanValue, SubnetState};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subnet {
    pub vpc: Ref<Vpc>,
    /// The availability zone's name, `eu-central-1a`.
    pub zone: String,
    /// The IPv4 block.
    pub cidr: String,
    /// Gives public addresses to what starts in it.
    pub public_addresses: bool,
}

const READ: Api = ec2::DESCRIBE_SUBNETS;
const CREATE: Api = ec2::CREATE_SUBNET;
const MODIFY: Api = ec2::MODIFY_SUBNET_ATTRIBUTE;
const DELETE: Api = ec2::DELETE_SUBNET;

impl Kind for Subnet {
    const TYPE: &'static str = "ec2/subnet";
    type Outputs = Id<Self>;
}

impl Resource for Subnet {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Ec2Tags,
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &["vpc", "zone", "cidr"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = Ec2Tags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let Some(subnet) = find(&cx.ec2.subnets, "subnet-id", &key).await? else {
            return Ok(None);
        };
        let spec = Self {
            vpc: READ.field(subnet.vpc_id(), "VpcId")?,
            zone: READ.field(subnet.availability_zone(), "AvailabilityZone")?,
            cidr: subnet.cidr_block().unwrap_or_default().to_owned(),
            public_addresses: subnet.map_public_ip_on_launch().unwrap_or(false),
        };
        let id = READ.field(subnet.subnet_id(), "SubnetId")?;
        let ready = subnet.state() == Some(&SubnetState::Available);
        let found = Found::tagged(spec, id, tags_of(subnet.tags()));
        Ok(Some(found.ready_when(ready)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Id<Self>, Error> {
        let tags = tags::at_creation(ResourceType::Subnet, identity);
        let call = cx.ec2.client.create_subnet().tag_specifications(tags);
        let call = call
            .vpc_id(&self.vpc)
            .availability_zone(&self.zone)
            .cidr_block(&self.cidr);
        let made = match cx.call(CREATE, || call.clone().send()).await {
            Err(error) if error.class == Class::Conflict => Err(self.rival(cx, error).await),
            answer => answer,
        }?
        .subnet;
        CREATE.field(made.and_then(|s| s.subnet_id).as_deref(), "SubnetId")
    }

    async fn update(&self, cx: &Aws, it: &Id<Self>, _: &Delta) -> Result<(), Error> {
        let on = AttributeBooleanValue::builder().value(self.public_addresses);
        let call = cx.ec2.client.modify_subnet_attribute().subnet_id(&it.id);
        let call = call.map_public_ip_on_launch(on.build());
        cx.call(MODIFY, || call.clone().send()).await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &Id<Self>) -> Result<(), Error> {
        let call = cx.ec2.client.delete_subnet().subnet_id(&it.id);
        let answer = cx.delete(DELETE, || call.clone().send()).await;
        held::explain(cx, answer, Holder::InSubnet(it.as_str())).await
    }
}

impl Subnet {
    /// Which subnet of the VPC has addresses of this block.
    async fn rival(&self, cx: &Aws, error: Error) -> Error {
        // What cannot be read is left out: the refusal itself is the news.
        let there = cx.ec2.subnets.by("vpc-id", self.vpc.as_str()).await;
        let there = there.unwrap_or_default();
        let overlaps = |s: &&t::Subnet| s.cidr_block().is_some_and(|c| overlap(c, &self.cidr));
        match there.iter().find(overlaps) {
            Some(rival) => taken_by(error, "subnet", rival.subnet_id(), rival.tags()),
            None => error,
        }
    }
}

/// True when two IPv4 blocks have an address in common.
fn overlap(a: &str, b: &str) -> bool {
    let range = |text: &str| {
        let (address, bits) = text.split_once('/')?;
        let address: std::net::Ipv4Addr = address.parse().ok()?;
        let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        let first = u32::from(address) & mask;
        Some((first, first | !mask))
    };
    let (Some(a), Some(b)) = (range(a), range(b)) else {
        return false;
    };
    a.0 <= b.1 && b.0 <= a.1
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn blocks_overlap_when_they_share_an_address() {
        assert!(overlap("10.20.0.0/18", "10.20.63.0/24"));
        assert!(overlap("10.20.63.0/24", "10.20.0.0/18"));
        assert!(!overlap("10.20.0.0/18", "10.20.64.0/18"));
        assert!(overlap("0.0.0.0/0", "10.0.0.0/8") && !overlap("nonsense", "10.0.0.0/8"));
    }
}

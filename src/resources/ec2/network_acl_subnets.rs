//! The subnets that a network ACL guards, as one set. Every subnet has exactly one ACL, so leaving ours is moving to the
//! VPC's default one.

use super::prelude::*;
use super::{NetworkAcl, Subnet};
use aws_sdk_ec2::types::NetworkAclAssociation;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NetworkAclSubnets {
    pub acl: Ref<NetworkAcl>,
    pub subnets: Vec<Ref<Subnet>>,
}

impl Kind for NetworkAclSubnets {
    const TYPE: &'static str = "ec2/network_acl_subnets";
    type Outputs = Id<NetworkAcl>;
}

impl SubResource for NetworkAclSubnets {
    const FACTS: SubFacts = SubFacts {
        parent: "acl",
        seconds: (1.0, 1.0),
        interrupts: &[(
            "subnets",
            "connections that the other network ACL does not allow stop at once",
        )],
        write_only: &[],
        delegated: &[],
    };
    type Parent = NetworkAcl;

    fn parent(&self) -> &Ref<NetworkAcl> {
        &self.acl
    }

    async fn read(
        cx: &Aws,
        acl: &Ref<NetworkAcl>,
        known: Option<&Id<NetworkAcl>>,
    ) -> Result<Option<Found<Self>>, Error> {
        let id = known.map_or(acl, |it| &it.id);
        let found = cx.ec2.network_acls.by("network-acl-id", id.as_str());
        let Some(found) = found.await?.pop() else {
            return Ok(None);
        };
        let subnets = found.associations().iter().filter_map(|a| a.subnet_id());
        let spec = Self {
            acl: id.clone(),
            subnets: subnets.map(Into::into).collect(),
        };
        Ok(Some(Found::of_parent(spec, id.into())))
    }

    async fn set(&self, cx: &Aws, acl: &Id<NetworkAcl>, _: &Delta) -> Result<(), Error> {
        let acl = acl.as_str();
        let moves = self.subnets.iter().map(async |subnet| {
            let now = associations(cx, "association.subnet-id", subnet.as_str()).await?;
            match now.iter().find(|a| a.subnet_id() == Some(subnet.as_str())) {
                Some(now) if now.network_acl_id() == Some(acl) => Ok(()),
                Some(now) => assign(cx, now, acl).await,
                // A new subnet gets its default ACL within a moment.
                None => Err(Error::of(
                    Class::Propagating,
                    "read",
                    format!("subnet {subnet} has no network ACL yet"),
                )),
            }
        });
        futures::future::join_all(moves)
            .await
            .into_iter()
            .collect::<Result<(), Error>>()?;
        let guarded = associations(cx, "network-acl-id", acl).await?;
        let extra = |a: &&NetworkAclAssociation| {
            a.subnet_id()
                .is_some_and(|s| !self.subnets.iter().any(|w| w.as_str() == s))
        };
        release(cx, acl, guarded.iter().filter(extra)).await
    }

    async fn reset(&self, cx: &Aws, acl: &Id<NetworkAcl>) -> Result<(), Error> {
        let guarded = associations(cx, "network-acl-id", acl.as_str()).await?;
        release(cx, acl.as_str(), guarded.iter()).await
    }
}

/// All associations of the ACLs with this value of this filter.
async fn associations(
    cx: &Aws,
    filter: &'static str,
    value: &str,
) -> Result<Vec<NetworkAclAssociation>, Error> {
    let acls = cx.ec2.network_acls.by(filter, value).await?;
    Ok(acls
        .iter()
        .flat_map(|a| a.associations())
        .cloned()
        .collect())
}

/// The association gets a new id by this, so a repetition answers "not found", which reads as propagating: the step
/// looks again and finds the subnet where it should be.
async fn assign(cx: &Aws, now: &NetworkAclAssociation, acl: &str) -> Result<(), Error> {
    let id = now.network_acl_association_id().unwrap_or_default();
    cx.call(ec2::REPLACE_NETWORK_ACL_ASSOCIATION, || {
        cx.ec2
            .client
            .replace_network_acl_association()
            .association_id(id)
            .network_acl_id(acl)
            .send()
    })
    .await
    .map(drop)
}

/// Moves subnets to the VPC's default ACL.
async fn release(
    cx: &Aws,
    acl: &str,
    subnets: impl Iterator<Item = &NetworkAclAssociation>,
) -> Result<(), Error> {
    let mut default = None;
    for now in subnets {
        let default = match &default {
            Some(id) => id,
            None => default.insert(default_of(cx, acl).await?),
        };
        // Gone in the meantime: with its subnet, or moved by an attempt whose answer was lost.
        ignore_not_found(assign(cx, now, default).await)?;
    }
    Ok(())
}

/// The default ACL of the VPC that an ACL belongs to.
async fn default_of(cx: &Aws, acl: &str) -> Result<String, Error> {
    let acls = &cx.ec2.network_acls;
    let ours = acls.by("network-acl-id", acl).await?;
    let vpc = ours.first().and_then(|a| a.vpc_id()).unwrap_or_default();
    let all = acls.by("vpc-id", vpc).await?;
    all.iter()
        .find(|a| a.is_default() == Some(true))
        .and_then(|a| a.network_acl_id())
        .map(str::to_owned)
        .ok_or_else(|| {
            Error::permanent(
                "read",
                format!("the VPC {vpc} shows no default network ACL"),
            )
        })
}

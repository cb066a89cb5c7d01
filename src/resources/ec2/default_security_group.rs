//! The default security group of a VPC, stripped: what is started without a group gets it, and its rules would let its
//! members talk to each other and to everybody.

use super::prelude::*;
use super::rules::{self, Rules};
use super::{SecurityGroup, Vpc};

/// What the default group of a VPC lets through; nothing, when both are empty.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DefaultSecurityGroup {
    pub vpc: Ref<Vpc>,
    /// What may come in.
    pub ingress: Rules,
    /// What may go out.
    pub egress: Rules,
}

const READ: Api = ec2::DESCRIBE_SECURITY_GROUPS;

impl Kind for DefaultSecurityGroup {
    const TYPE: &'static str = "ec2/default_security_group";
    type Outputs = Id<SecurityGroup>;
}

impl SubResource for DefaultSecurityGroup {
    const FACTS: SubFacts = SubFacts {
        parent: "vpc",
        seconds: (1.0, 1.0),
        interrupts: &[],
        write_only: &[],
        delegated: &[],
    };
    type Parent = Vpc;

    fn parent(&self) -> &Ref<Vpc> {
        &self.vpc
    }

    async fn read(
        cx: &Aws,
        vpc: &Ref<Vpc>,
        known: Option<&Id<SecurityGroup>>,
    ) -> Result<Option<Found<Self>>, Error> {
        let groups = &cx.ec2.security_groups;
        // By its id it is asked together with all other groups, and its rules with theirs.
        let (found, rules) = match known {
            Some(group) => {
                let id = group.as_str();
                let both =
                    futures::future::try_join(groups.by("group-id", id), rules::read(cx, id));
                let (found, rules) = both.await?;
                (found, Some(rules))
            }
            None => (groups.by("vpc-id", vpc.as_str()).await?, None),
        };
        let Some(group) = found.iter().find(|g| g.group_name() == Some("default")) else {
            return Ok(None);
        };
        let id: Id<SecurityGroup> = READ.field(group.group_id(), "GroupId")?;
        let (ingress, egress) = match rules {
            Some(rules) => rules,
            None => rules::read(cx, id.as_str()).await?,
        };
        let spec = Self {
            vpc: READ.field(group.vpc_id(), "VpcId")?,
            ingress,
            egress,
        };
        Ok(Some(Found::of_parent(spec, id)))
    }

    async fn set(&self, cx: &Aws, group: &Id<SecurityGroup>, _: &Delta) -> Result<(), Error> {
        rules::reconcile(cx, group.as_str(), &self.ingress, &self.egress).await
    }

    /// It goes with the VPC, and opening it again before that helps nobody.
    async fn reset(&self, _: &Aws, _: &Id<SecurityGroup>) -> Result<(), Error> {
        Ok(())
    }
}

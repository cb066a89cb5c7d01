//! The rules of one of our security groups, as one set. A step apart from the group: groups may name each other, and a
//! group that another one's rules name cannot be deleted.

use super::SecurityGroup;
use super::prelude::*;
use super::rules::{self, Rules};

/// All rules of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecurityGroupRules {
    pub group: Ref<SecurityGroup>,
    /// What may come in.
    pub ingress: Rules,
    /// What may go out.
    pub egress: Rules,
}

impl Kind for SecurityGroupRules {
    const TYPE: &'static str = "ec2/security_group_rules";
    /// The group: take it with `.ready()` for what must not start without its rules.
    type Outputs = Id<SecurityGroup>;
}

impl SubResource for SecurityGroupRules {
    const FACTS: SubFacts = SubFacts {
        parent: "group",
        seconds: (1.0, 1.0),
        interrupts: &[
            ("ingress", "connections that are no longer allowed may stop"),
            ("egress", "connections that are no longer allowed may stop"),
        ],
        write_only: &[],
        delegated: &[],
    };
    type Parent = SecurityGroup;

    fn parent(&self) -> &Ref<SecurityGroup> {
        &self.group
    }

    async fn read(
        cx: &Aws,
        group: &Ref<SecurityGroup>,
        known: Option<&Id<SecurityGroup>>,
    ) -> Result<Option<Found<Self>>, Error> {
        let id = known.map_or(group, |it| &it.id);
        let found = cx.ec2.security_groups.by("group-id", id.as_str());
        let (found, (ingress, egress)) =
            futures::future::try_join(found, rules::read(cx, id.as_str())).await?;
        if found.is_empty() {
            return Ok(None);
        }
        let spec = Self {
            group: id.clone(),
            ingress,
            egress,
        };
        Ok(Some(Found::of_parent(spec, id.into())))
    }

    async fn set(&self, cx: &Aws, group: &Id<SecurityGroup>, _: &Delta) -> Result<(), Error> {
        rules::reconcile(cx, group.as_str(), &self.ingress, &self.egress).await
    }

    /// Groups that name each other can only be deleted when nothing names them any more.
    async fn reset(&self, cx: &Aws, group: &Id<SecurityGroup>) -> Result<(), Error> {
        rules::strip(cx, group.as_str()).await
    }
}

//! A security group. AWS gives a new one a rule that lets everything out; [`super::SecurityGroupRules`] is the step that
//! takes it away and sets what is wanted. Two steps, so that groups may name each other.

use super::Vpc;
use super::prelude::*;

/// Its name is the step's; names are unique in a VPC and must not begin with `sg-`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecurityGroup {
    pub vpc: Ref<Vpc>,
    /// What it is for; the same characters as in the name.
    pub description: String,
}

const READ: Api = ec2::DESCRIBE_SECURITY_GROUPS;
const CREATE: Api = ec2::CREATE_SECURITY_GROUP;
const DELETE: Api = ec2::DELETE_SECURITY_GROUP;

impl Kind for SecurityGroup {
    const TYPE: &'static str = "ec2/security_group";
    /// Names and descriptions: up to 255 of these ("CreateSecurityGroup", VPC groups).
    const NAME: NameRule = NameRule {
        min: 1,
        max: 255,
        legal: |c| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c),
        charset: "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*",
    };
    type Outputs = Id<Self>;
}

impl Resource for SecurityGroup {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Ec2Tags,
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &["vpc", "description"],
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
        let Some(group) = find(&cx.ec2.security_groups, "group-id", &key).await? else {
            return Ok(None);
        };
        let spec = Self {
            vpc: READ.field(group.vpc_id(), "VpcId")?,
            description: group.description().unwrap_or_default().to_owned(),
        };
        let id = READ.field(group.group_id(), "GroupId")?;
        Ok(Some(Found::tagged(spec, id, tags_of(group.tags()))))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Id<Self>, Error> {
        let tags = tags::at_creation(ResourceType::SecurityGroup, identity);
        let call = cx
            .ec2
            .client
            .create_security_group()
            .tag_specifications(tags);
        let call = call
            .group_name(&identity.name)
            .description(&self.description)
            .vpc_id(&self.vpc);
        let made = match cx.call(CREATE, || call.clone().send()).await {
            Err(error) if error.class == Class::Conflict => {
                Err(self.rival(cx, &identity.name, error).await)
            }
            answer => answer,
        }?;
        CREATE.field(made.group_id(), "GroupId")
    }

    async fn delete(&self, cx: &Aws, it: &Id<Self>) -> Result<(), Error> {
        let call = cx.ec2.client.delete_security_group().group_id(&it.id);
        let answer = cx.delete(DELETE, || call.clone().send()).await;
        held::explain(cx, answer, Holder::OfGroup(it.as_str())).await
    }
}

impl SecurityGroup {
    /// Which group of the VPC has the name.
    async fn rival(&self, cx: &Aws, name: &str, error: Error) -> Error {
        // What cannot be read is left out: the refusal itself is the news.
        let there = cx.ec2.security_groups.by("vpc-id", self.vpc.as_str()).await;
        let there = there.unwrap_or_default();
        match there.iter().find(|g| g.group_name() == Some(name)) {
            Some(rival) => taken_by(error, "security group", rival.group_id(), rival.tags()),
            None => error,
        }
    }
}

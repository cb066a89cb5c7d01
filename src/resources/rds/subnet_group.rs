//! A DB subnet group: the subnets in which RDS may place instances. It needs two zones at least.

use super::{DESCRIPTION, GROUP, RdsTags, held, tags};
use crate::resources::ec2::{Subnet, Vpc};
use crate::resources::holders::explain;
use crate::resources::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubnetGroup {
    /// The VPC of its subnets. A group stays in it as long as it lives ("Working with a DB instance in a VPC"), and so
    /// does the cluster that uses the group.
    pub vpc: Ref<Vpc>,
    pub subnets: Vec<Ref<Subnet>>,
}

const READ: Api = rds::DESCRIBE_DB_SUBNET_GROUPS;
const CREATE: Api = rds::CREATE_DB_SUBNET_GROUP;
const MODIFY: Api = rds::MODIFY_DB_SUBNET_GROUP;
const DELETE: Api = rds::DELETE_DB_SUBNET_GROUP;

impl Kind for SubnetGroup {
    const TYPE: &'static str = "rds/subnet_group";
    const NAME: NameRule = GROUP;
    type Outputs = Named<Self>;
}

impl Resource for SubnetGroup {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.5, 1.0),
        cost: |_| Cost::NONE,
        fixed: &["vpc"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = RdsTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let Some(group) = cx.rds.subnet_groups.named(key.name()).await? else {
            return Ok(None);
        };
        let arn: Ref<Arn<Self>> = READ.field(group.db_subnet_group_arn(), "DBSubnetGroupArn")?;
        let Some(tags) = tags::of_group(cx, arn.as_str(), key.identity).await? else {
            return Ok(None);
        };
        let subnets = group.subnets().iter().filter_map(|s| s.subnet_identifier());
        let spec = Self {
            vpc: READ.field(group.vpc_id(), "VpcId")?,
            subnets: subnets.map(Ref::from).collect(),
        };
        Ok(Some(Found::tagged(spec, Named::new(key.name(), arn), tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let call = cx.rds.client.create_db_subnet_group();
        let call = call
            .db_subnet_group_name(&identity.name)
            .db_subnet_group_description(DESCRIPTION)
            .set_subnet_ids(Some(texts(&self.subnets)))
            .set_tags(tags::at_creation(identity));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let arn = made.db_subnet_group.and_then(|g| g.db_subnet_group_arn);
        let arn: Ref<_> = CREATE.field(arn.as_deref(), "DBSubnetGroupArn")?;
        Ok(Named::new(&identity.name, arn))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, _: &Delta) -> Result<(), Error> {
        let call = cx.rds.client.modify_db_subnet_group();
        let call = call
            .db_subnet_group_name(&it.name)
            .set_subnet_ids(Some(texts(&self.subnets)));
        cx.call(MODIFY, || call.clone().send()).await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let call = cx.rds.client.delete_db_subnet_group();
        let call = call.db_subnet_group_name(&it.name);
        let answer = cx.delete(DELETE, || call.clone().send()).await;
        let others = held::by_others(
            cx,
            it.name.as_str(),
            |cluster| cluster.db_subnet_group(),
            |instance| {
                let group = instance.db_subnet_group();
                let name = group.and_then(|g| g.db_subnet_group_name());
                name.into_iter().collect()
            },
        );
        explain(answer, others).await
    }
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let groups = cx.rds.subnet_groups.all().await?;
    let groups = groups.iter().map(|g| {
        (
            g.db_subnet_group_name.clone(),
            g.db_subnet_group_arn.clone(),
        )
    });
    tags::owned_groups(cx, SubnetGroup::TYPE, suffix, groups.collect()).await
}

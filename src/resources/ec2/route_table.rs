//! A route table. [`super::Routes`] and [`super::RouteTableSubnets`] are steps of their own: they wait for others, and fail alone.

use super::Vpc;
use super::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteTable {
    pub vpc: Ref<Vpc>,
}

const READ: Api = ec2::DESCRIBE_ROUTE_TABLES;
const CREATE: Api = ec2::CREATE_ROUTE_TABLE;
const DELETE: Api = ec2::DELETE_ROUTE_TABLE;

impl Kind for RouteTable {
    const TYPE: &'static str = "ec2/route_table";
    type Outputs = Id<Self>;
}

impl Resource for RouteTable {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Ec2Tags,
        seconds: (1.0, 1.0),
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
    type Tags = Ec2Tags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let Some(table) = find(&cx.ec2.route_tables, "route-table-id", &key).await? else {
            return Ok(None);
        };
        let vpc = READ.field(table.vpc_id(), "VpcId")?;
        let id = READ.field(table.route_table_id(), "RouteTableId")?;
        Ok(Some(Found::tagged(Self { vpc }, id, tags_of(table.tags()))))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Id<Self>, Error> {
        let tags = tags::at_creation(ResourceType::RouteTable, identity);
        let call = cx.ec2.client.create_route_table().tag_specifications(tags);
        let call = call.vpc_id(&self.vpc).client_token(&identity.token);
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let id = made.route_table.and_then(|table| table.route_table_id);
        CREATE.field(id.as_deref(), "RouteTableId")
    }

    async fn delete(&self, cx: &Aws, it: &Id<Self>) -> Result<(), Error> {
        let call = cx.ec2.client.delete_route_table().route_table_id(&it.id);
        let answer = cx.delete(DELETE, || call.clone().send()).await;
        held::explain(cx, answer, Holder::OfRouteTable(it.id.as_str())).await
    }
}

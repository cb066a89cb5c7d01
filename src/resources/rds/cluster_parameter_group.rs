//! A DB cluster parameter group: settings of the database engine by name.

use super::parameters::{self, Edits, Parameters, of_cluster_group};
use super::{DESCRIPTION, GROUP, RdsTags, held, tags};
use crate::resources::holders::explain;
use crate::resources::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClusterParameterGroup {
    /// The engine's family, `aurora-postgresql14`.
    pub family: String,
    /// Parameters that differ from the engine's defaults.
    pub parameters: Parameters,
}

const READ: Api = rds::DESCRIBE_DB_CLUSTER_PARAMETER_GROUPS;
const CREATE: Api = rds::CREATE_DB_CLUSTER_PARAMETER_GROUP;
const MODIFY: Api = rds::MODIFY_DB_CLUSTER_PARAMETER_GROUP;
const RESET: Api = rds::RESET_DB_CLUSTER_PARAMETER_GROUP;
const DELETE: Api = rds::DELETE_DB_CLUSTER_PARAMETER_GROUP;

impl Kind for ClusterParameterGroup {
    const TYPE: &'static str = "rds/cluster_parameter_group";
    const NAME: NameRule = GROUP;
    /// What uses the group should wait until it is ready, that is, until its parameters are set: static ones would need a
    /// reboot otherwise.
    type Outputs = Named<Self>;
}

impl Resource for ClusterParameterGroup {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (2.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &["family"],
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
        let name = key.name();
        let Some(group) = cx.rds.cluster_parameter_groups.named(name).await? else {
            return Ok(None);
        };
        let arn = group.db_cluster_parameter_group_arn();
        let arn: Ref<Arn<Self>> = READ.field(arn, "DBClusterParameterGroupArn")?;
        let values = of_cluster_group(cx, name, Some("user"));
        let (tags, values) = futures::join!(tags::of_group(cx, arn.as_str(), key.identity), values);
        let (Some(tags), Some(values)) = (tags?, found(values)?) else {
            return Ok(None);
        };
        let family = group.db_parameter_group_family();
        let spec = Self {
            family: family.unwrap_or_default().to_owned(),
            parameters: parameters::map(values),
        };
        Ok(Some(Found::tagged(spec, Named::new(name, arn), tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let call = cx.rds.client.create_db_cluster_parameter_group();
        let call = call
            .db_cluster_parameter_group_name(&identity.name)
            .db_parameter_group_family(&self.family)
            .description(DESCRIPTION)
            .set_tags(tags::at_creation(identity));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let arn = made
            .db_cluster_parameter_group
            .and_then(|g| g.db_cluster_parameter_group_arn);
        let arn: Ref<_> = CREATE.field(arn.as_deref(), "DBClusterParameterGroupArn")?;
        Ok(Named::new(&identity.name, arn))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, delta: &Delta) -> Result<(), Error> {
        let name = it.name.as_str();
        let known = of_cluster_group(cx, name, None).await?;
        let edits = Edits::of(&self.parameters, &parameters::touched(delta), &known);
        for some in edits.to_set() {
            let call = cx.rds.client.modify_db_cluster_parameter_group();
            let call = call
                .db_cluster_parameter_group_name(name)
                .set_parameters(Some(some.to_vec()));
            cx.call(MODIFY, || call.clone().send()).await?;
        }
        for some in edits.to_reset() {
            let call = cx.rds.client.reset_db_cluster_parameter_group();
            let call = call
                .db_cluster_parameter_group_name(name)
                .reset_all_parameters(false)
                .set_parameters(Some(some.to_vec()));
            cx.call(RESET, || call.clone().send()).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let call = cx.rds.client.delete_db_cluster_parameter_group();
        let call = call.db_cluster_parameter_group_name(&it.name);
        let answer = cx.delete(DELETE, || call.clone().send()).await;
        let others = held::by_others(
            cx,
            it.name.as_str(),
            |cluster| cluster.db_cluster_parameter_group(),
            |_| Vec::new(),
        );
        explain(answer, others).await
    }
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let groups = cx.rds.cluster_parameter_groups.all().await?;
    let groups = groups.iter().map(|g| {
        (
            g.db_cluster_parameter_group_name.clone(),
            g.db_cluster_parameter_group_arn.clone(),
        )
    });
    tags::owned_groups(cx, ClusterParameterGroup::TYPE, suffix, groups.collect()).await
}

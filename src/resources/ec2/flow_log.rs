//! The flow log of a VPC into a CloudWatch log group. AWS can't change a flow log: every setting is fixed
//! ("Flow logs limitations", Amazon VPC).

use super::Vpc;
use super::endpoint::all_done;
use super::prelude::*;
use crate::resources::iam::Role;
use crate::resources::logs::LogGroup;
use aws_sdk_ec2::types::{FlowLog as FlowLogs, FlowLogsResourceType, LogDestinationType};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowLog {
    /// The VPC whose interfaces are recorded.
    pub vpc: Ref<Vpc>,
    /// `ALL`, `ACCEPT` or `REJECT`.
    pub traffic: String,
    /// The name of the log group.
    pub group: Ref<LogGroup>,
    /// The ARN of the role that writes into it.
    pub role: Ref<Arn<Role>>,
    /// Seconds that a record covers at most: 60 or 600.
    pub interval_seconds: i32,
    /// The fields of a record, `${version} ${account-id} ...`; their order is the order in the record.
    pub format: String,
}

const READ: Api = ec2::DESCRIBE_FLOW_LOGS;
/// With its client token a repeated call answers the same flow log.
const CREATE: Api = ec2::CREATE_FLOW_LOGS;
const DELETE: Api = ec2::DELETE_FLOW_LOGS;

impl Kind for FlowLog {
    const TYPE: &'static str = "ec2/flow_log";
    type Outputs = Id<Self>;
}

impl Resource for FlowLog {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Ec2Tags,
        seconds: (1.0, 1.0),
        cost: |_| Cost::usage(&["flow_logs"]),
        fixed: &[
            "vpc",
            "traffic",
            "group",
            "role",
            "interval_seconds",
            "format",
        ],
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
        let log = match key.outputs {
            // The VPC asks for all of them too.
            Some(it) => {
                let all = cx.ec2.all_flow_logs.get(()).await?.unwrap_or_default();
                let is_it = |log: &&FlowLogs| log.flow_log_id() == Some(it.as_str());
                all.iter().find(is_it).cloned()
            }
            None => find(&cx.ec2.flow_logs, "flow-log-id", &key).await?,
        };
        let Some(log) = log else {
            return Ok(None);
        };
        let traffic = log.traffic_type().map(|t| t.as_str());
        let spec = Self {
            vpc: log.resource_id().unwrap_or_default().into(),
            traffic: traffic.unwrap_or_default().to_owned(),
            group: log.log_group_name().unwrap_or_default().into(),
            role: log.deliver_logs_permission_arn().unwrap_or_default().into(),
            interval_seconds: log.max_aggregation_interval().unwrap_or_default(),
            format: log.log_format().unwrap_or_default().to_owned(),
        };
        let id = READ.field(log.flow_log_id(), "FlowLogId")?;
        // Its only state; whether deliveries succeed is another matter, and passes when the role can be assumed.
        let ready = log.flow_log_status() == Some("ACTIVE");
        let found = Found::tagged(spec, id, tags_of(log.tags()));
        Ok(Some(found.ready_when(ready)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Id<Self>, Error> {
        let call = cx.ec2.client.create_flow_logs();
        let call = call
            .resource_type(FlowLogsResourceType::Vpc)
            .resource_ids(&self.vpc)
            .traffic_type(self.traffic.as_str().into())
            .log_destination_type(LogDestinationType::CloudWatchLogs)
            .log_group_name(&self.group)
            .deliver_logs_permission_arn(&self.role)
            .max_aggregation_interval(self.interval_seconds)
            .log_format(&self.format)
            .client_token(&identity.token)
            .tag_specifications(tags::at_creation(ResourceType::VpcFlowLog, identity));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        all_done(CREATE, made.unsuccessful())?;
        let id = made.flow_log_ids().first();
        CREATE.field(id.map(String::as_str), "FlowLogIds")
    }

    async fn delete(&self, cx: &Aws, it: &Id<Self>) -> Result<(), Error> {
        let call = cx.ec2.client.delete_flow_logs().flow_log_ids(&it.id);
        let answer = cx.call(DELETE, || call.clone().send()).await;
        ignore_not_found(answer.and_then(|a| all_done(DELETE, a.unsuccessful())))
    }
}

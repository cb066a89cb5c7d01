//! The flow log of a VPC into a CloudWatch log group. AWS can't change a flow log: every setting is fixed
//! ("Flow logs limitations", Amazon VPC).

use super::endpoint::all_done;
use super::ids::FlowLogId;
use super::{VpcId, tags};
use crate::aws::{Api, Aws, find, repeatable, tags_of};
use crate::engine::{Delta, Error, Handle, Identity, Kind, Phase, Ref};
use crate::resources::iam::RoleArn;
use crate::resources::logs::LogGroupName;
use crate::resources::{Found, Lookup, Resource, ignore_not_found, missing_field};
use aws_sdk_ec2::types::{FlowLogsResourceType, LogDestinationType, ResourceType};
use serde::{Deserialize, Serialize};

/// The settings of a flow log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowLog {
    /// The VPC whose interfaces are recorded.
    pub vpc: Ref<VpcId>,
    /// `ALL`, `ACCEPT` or `REJECT`.
    pub traffic: String,
    /// The name of the log group.
    pub group: Ref<LogGroupName>,
    /// The ARN of the role that writes into it.
    pub role: Ref<RoleArn>,
    /// Seconds that a record covers at most: 60 or 600.
    pub interval_seconds: i32,
    /// The fields of a record, `${version} ${account-id} ...`; their order is the order in the record.
    pub format: String,
}

/// What is known of a flow log once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowLogOutputs {
    /// `fl-...`
    pub id: Ref<FlowLogId>,
}

impl Handle<FlowLog> {
    /// The flow log's id.
    pub fn id(&self) -> Ref<FlowLogId> {
        self.output("id")
    }
}

impl Kind for FlowLog {
    const TYPE: &'static str = "ec2/flow_log";
}

/// With its client token a repeated call answers the same flow log.
const CREATE: Api = repeatable("ec2", "CreateFlowLogs");
const DELETE: Api = repeatable("ec2", "DeleteFlowLogs");

impl Resource for FlowLog {
    const FIXED: &'static [&'static str] = &[
        "vpc",
        "traffic",
        "group",
        "role",
        "interval_seconds",
        "format",
    ];
    type Outputs = FlowLogOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map(|o| o.id.as_str());
        let Some(log) = find(&cx.ec2.flow_logs, id, "flow-log-id", key.identity).await? else {
            return Ok(None);
        };
        let id = log
            .flow_log_id()
            .ok_or_else(|| missing_field("ec2:DescribeFlowLogs", "FlowLogId"))?;
        Ok(Some(Found {
            spec: Self {
                vpc: log.resource_id().unwrap_or_default().into(),
                traffic: log
                    .traffic_type()
                    .map(|t| t.as_str().to_owned())
                    .unwrap_or_default(),
                group: log.log_group_name().unwrap_or_default().into(),
                role: log.deliver_logs_permission_arn().unwrap_or_default().into(),
                interval_seconds: log.max_aggregation_interval().unwrap_or_default(),
                format: log.log_format().unwrap_or_default().to_owned(),
            },
            tags: Some(tags_of(log.tags())),
            outputs: FlowLogOutputs { id: id.into() },
            // Its only state; whether deliveries succeed is another matter, and passes when the role can be assumed.
            phase: if log.flow_log_status() == Some("ACTIVE") {
                Phase::Ready
            } else {
                Phase::Settling
            },
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Self::Outputs, Error> {
        let answer = cx
            .call(CREATE, || {
                cx.ec2
                    .client
                    .create_flow_logs()
                    .resource_type(FlowLogsResourceType::Vpc)
                    .resource_ids(self.vpc.as_str())
                    .traffic_type(self.traffic.as_str().into())
                    .log_destination_type(LogDestinationType::CloudWatchLogs)
                    .log_group_name(self.group.as_str())
                    .deliver_logs_permission_arn(self.role.as_str())
                    .max_aggregation_interval(self.interval_seconds)
                    .log_format(&self.format)
                    .client_token(&identity.token)
                    .tag_specifications(tags::at_creation(ResourceType::VpcFlowLog, identity))
                    .send()
            })
            .await?;
        all_done(CREATE, answer.unsuccessful())?;
        let id = answer
            .flow_log_ids()
            .first()
            .ok_or_else(|| missing_field("ec2:CreateFlowLogs", "FlowLogIds"))?;
        Ok(FlowLogOutputs {
            id: id.as_str().into(),
        })
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        tags::update(cx, outputs.id.as_str(), delta).await
    }

    async fn delete(&self, cx: &Aws, outputs: &Self::Outputs) -> Result<(), Error> {
        let id = outputs.id.as_str();
        let answer = cx
            .call(DELETE, || {
                cx.ec2.client.delete_flow_logs().flow_log_ids(id).send()
            })
            .await;
        ignore_not_found(answer.and_then(|a| all_done(DELETE, a.unsuccessful())))
    }
}

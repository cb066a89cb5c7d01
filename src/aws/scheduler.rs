//! EventBridge Scheduler: its client, actions, limits and errors, and its listings.

use super::api::Guard::PassedTo;
use super::api::{ANY, Answer, Api, Grant, Service, actions, bucket, guarded, named};
use super::call::Caller;
use super::kms::through;
use super::reader::Reader;
use crate::engine::{Class, Error};
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::types::ScheduleGroupState;
use futures::FutureExt;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// EventBridge Scheduler as a service. Calls about groups and tags are the slowest ("Quotas for Amazon EventBridge Scheduler");
/// nothing here calls more often.
pub static SERVICE: Service = Service {
    name: "scheduler",
    classify,
    bucket: |api| bucket(api.operation, 10.0, 10.0),
    actions: || ACTIONS,
};

const GROUP: Grant = named("arn:aws:scheduler:{region}:{account}:schedule-group/*-{suffix}");
const SCHEDULE: Grant = named("arn:aws:scheduler:{region}:{account}:schedule/*-{suffix}/*");
const PASS_ROLE: Grant = guarded(
    "arn:aws:iam::{account}:role/*-{suffix}",
    PassedTo("scheduler.amazonaws.com"),
)
.of("iam:PassRole");

// "Encryption at rest" of EventBridge Scheduler: whoever makes or reads a schedule uses its key through the service.
actions! { SERVICE;
    Read LIST_SCHEDULE_GROUPS = "ListScheduleGroups", [ANY];
    Read GET_SCHEDULE_GROUP = "GetScheduleGroup", [GROUP];
    Read LIST_TAGS_FOR_RESOURCE = "ListTagsForResource", [GROUP];
    Read LIST_SCHEDULES = "ListSchedules", [ANY];
    Read GET_SCHEDULE = "GetSchedule", [SCHEDULE, through("kms:Decrypt")];
    Repeatable CREATE_SCHEDULE_GROUP = "CreateScheduleGroup", [GROUP, GROUP.of("scheduler:TagResource")];
    Repeatable TAG_RESOURCE = "TagResource", [GROUP];
    Repeatable UNTAG_RESOURCE = "UntagResource", [GROUP];
    Repeatable DELETE_SCHEDULE_GROUP = "DeleteScheduleGroup", [GROUP];
    Repeatable CREATE_SCHEDULE = "CreateSchedule", [SCHEDULE, PASS_ROLE, through("kms:DescribeKey"), through("kms:GenerateDataKey")];
    Repeatable UPDATE_SCHEDULE = "UpdateSchedule", [SCHEDULE, PASS_ROLE, through("kms:DescribeKey"), through("kms:GenerateDataKey")];
    Repeatable DELETE_SCHEDULE = "DeleteSchedule", [SCHEDULE];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    let creates = api.operation.starts_with("Create");
    Some(match answer.code {
        // Of a group that was made a moment ago.
        "ResourceNotFoundException" if api.creates_or_changes() => Class::Propagating,
        "ResourceNotFoundException" => Class::Gone,
        // The name is taken, perhaps by a group whose deletion is under way: the step looks.
        "ConflictException" if creates => Class::Conflict,
        // "Updating or deleting a resource can cause an inconsistent state": another change is under way.
        "ConflictException" => Class::NotReady,
        // "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        "ValidationException" if answer.says("execution role") => Class::Propagating,
        _ => return None,
    })
}

/// A group, as it is read.
pub struct GroupState {
    pub arn: String,
    /// It is on its way out, with all its schedules.
    pub deleting: bool,
}

/// EventBridge Scheduler: its client and its listings.
pub struct Scheduler {
    pub client: Client,
    listed: Reader<(), Groups>,
    caller: Arc<Caller>,
}

/// Names and ARNs.
type Groups = Arc<Vec<(String, String)>>;

impl Scheduler {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        Self {
            listed: listed(&client, caller),
            caller: caller.clone(),
            client,
        }
    }

    /// The same as [`Scheduler::group`] of one that should be there: read with the list that is asked for at the same time.
    pub async fn known_group(&self, name: &str) -> Result<GroupState, Error> {
        let all = self.groups().await?;
        match all.iter().find(|(known, _)| known == name) {
            Some((_, arn)) => Ok(GroupState {
                arn: arn.clone(),
                deleting: false,
            }),
            None => self.group(name).await,
        }
    }

    pub async fn group(&self, name: &str) -> Result<GroupState, Error> {
        const GET: Api = GET_SCHEDULE_GROUP;
        let call = self.client.get_schedule_group().name(name);
        let answer = self.caller.call(GET, || call.clone().send()).await?;
        Ok(GroupState {
            arn: GET.field(answer.arn(), "Arn")?,
            deleting: answer.state() == Some(&ScheduleGroupState::Deleting),
        })
    }

    /// The tags of a group, by its ARN.
    pub async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Error> {
        let call = self.client.list_tags_for_resource().resource_arn(arn);
        let api = LIST_TAGS_FOR_RESOURCE;
        let answer = self.caller.call(api, || call.clone().send()).await?;
        let tags = answer.tags.unwrap_or_default().into_iter();
        Ok(tags.map(|tag| (tag.key, tag.value)).collect())
    }

    /// The names and ARNs of all groups that are not being deleted.
    pub async fn groups(&self) -> Result<Groups, Error> {
        Ok(self.listed.get(()).await?.unwrap_or_default())
    }

    /// The names of the schedules in a group.
    pub async fn schedules(&self, group: &str) -> Result<Vec<String>, Error> {
        let call = self.client.list_schedules().group_name(group);
        let call = call.max_results(100);
        let send = |token| call.clone().set_next_token(token).send();
        let all = self.caller.pages(LIST_SCHEDULES, send, |page| {
            let schedules = page.schedules.into_iter();
            (schedules.filter_map(|s| s.name), page.next_token)
        });
        all.await
    }
}

fn listed(client: &Client, caller: &Arc<Caller>) -> Reader<(), Groups> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |_: Vec<()>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let call = client.list_schedule_groups().max_results(100);
            let send = |token| call.clone().set_next_token(token).send();
            let all = caller.pages(LIST_SCHEDULE_GROUPS, send, |page| {
                let there = page.schedule_groups.into_iter();
                let there = there.filter(|g| g.state() != Some(&ScheduleGroupState::Deleting));
                (
                    there.filter_map(|g| Some((g.name?, g.arn?))),
                    page.next_token,
                )
            });
            Ok(HashMap::from([((), Arc::new(all.await?))]))
        }
        .boxed()
    })
}

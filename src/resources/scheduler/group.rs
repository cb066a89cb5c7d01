//! A group of schedules. Its tags say whose the schedules in it are, which have none, and AWS deletes them with it.

use super::Schedule;
use crate::aws::OwnThing;
use crate::resources::holders::{self, held_by};
use crate::resources::owned::marked_of;
use crate::resources::prelude::*;
use aws_sdk_scheduler::types::Tag;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Group {
    /// Schedules of others in it: those that no step of this deployment has there. They keep it from being deleted.
    #[serde(default)]
    pub members: Vec<String>,
}

/// EventBridge Scheduler's way to change tags: by ARN. Only groups have some.
pub enum SchedulerTags {}

impl Kind for Group {
    const TYPE: &'static str = "scheduler/group";
    const KNOWN_BY_NAME: bool = true;
    /// "CreateScheduleGroup" in the EventBridge Scheduler API reference.
    const NAME: NameRule = super::schedule::NAME;
    type Outputs = Named<Self>;
}

impl Resource for Group {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 5.0),
        cost: |_| Cost::NONE,
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &["members"],
        delegated: &[],
    };
    type Tags = SchedulerTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let group = match key.outputs {
            Some(_) => cx.scheduler.known_group(name).await,
            None => cx.scheduler.group(name).await,
        };
        let Some(group) = found(group)? else {
            return Ok(None);
        };
        if group.deleting && key.outputs.is_none() {
            return Ok(None);
        }
        let tags = cx.scheduler.tags(&group.arn);
        let tags = cx.tagged(&group.arn, &key.identity.tags, tags);
        let (tags, schedules) = futures::join!(tags, cx.scheduler.schedules(name));
        let (Some(tags), Some(schedules)) = (found(tags)?, found(schedules)?) else {
            return Ok(None);
        };
        cx.recent.note(&group.arn, &tags);
        let spec = Self {
            members: others(cx, name, &schedules),
        };
        let found = Found::tagged(spec, Named::new(name, group.arn.as_str()), tags);
        Ok(Some(if group.deleting {
            found.phase(Phase::Deleting)
        } else {
            found
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        const CREATE: Api = scheduler::CREATE_SCHEDULE_GROUP;
        let name = identity.name.as_str();
        let call = cx.scheduler.client.create_schedule_group().name(name);
        let call = call.client_token(&identity.token);
        let call = call.set_tags(Some(tags(CREATE, &identity.tags)?));
        match cx.call(CREATE, || call.clone().send()).await {
            Ok(made) => {
                let arn: String =
                    CREATE.field(Some(made.schedule_group_arn()), "ScheduleGroupArn")?;
                Ok(Named::new(name, arn))
            }
            Err(mut error) => {
                if error.class == Class::Conflict && is_leaving(cx, name).await {
                    error.class = Class::NotReady;
                }
                Err(error)
            }
        }
    }

    /// AWS would take every schedule along. Ours went before it, so what others have in it keeps it.
    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        const DELETE: Api = scheduler::DELETE_SCHEDULE_GROUP;
        let name = it.name.as_str();
        let Some(schedules) = found(cx.scheduler.schedules(name).await)? else {
            return Ok(());
        };
        let others = others(cx, name, &schedules);
        if !others.is_empty() {
            let text = format!("the group {name} holds schedules that would go with it");
            let held = others.into_iter().map(holders::Named::stays);
            let error = Error::of(Class::InUse, DELETE.action(), text);
            return Err(held_by(error, held.collect()));
        }
        let call = cx.scheduler.client.delete_schedule_group().name(name);
        match cx.delete(DELETE, || call.clone().send()).await {
            // A second call for what is being deleted.
            Err(error) if error.class == Class::NotReady && is_leaving(cx, name).await => Ok(()),
            other => other,
        }
    }
}

/// The schedules in a group that no step has there.
fn others(cx: &Aws, group: &str, schedules: &[String]) -> Vec<String> {
    let own = |name: &str| {
        let it =
            |it: &OwnThing| it.kind == Schedule::TYPE && it.name == name && it.has("group", group);
        cx.own.any(it)
    };
    let others = schedules.iter().filter(|s| !own(s));
    others.map(|s| format!("schedule {s}")).collect()
}

/// True while the group of this name is being deleted, or when it is gone by now.
pub(super) async fn is_leaving(cx: &Aws, name: &str) -> bool {
    match cx.scheduler.group(name).await {
        Ok(group) => group.deleting,
        Err(error) => error.is_not_found(),
    }
}

fn tags(api: Api, tags: &Tags) -> Result<Vec<Tag>, Error> {
    tags.iter()
        .map(|(k, v)| Tag::builder().key(k).value(v).build())
        .collect::<Result<_, _>>()
        .map_err(|e| Error::permanent(api.action(), e.to_string()))
}

impl TagCalls<Named<Group>> for SchedulerTags {
    async fn change(
        cx: &Aws,
        it: &Named<Group>,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        if !set.is_empty() {
            const TAG: Api = scheduler::TAG_RESOURCE;
            let call = cx.scheduler.client.tag_resource().resource_arn(&it.arn);
            let call = call.set_tags(Some(tags(TAG, set)?));
            cx.call(TAG, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.scheduler.client.untag_resource().resource_arn(&it.arn);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = scheduler::UNTAG_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

/// ListScheduleGroups answers without tags: those whose name can be ours are asked for them.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.scheduler.groups().await?.to_vec();
    marked_of(cx, Group::TYPE, suffix, all, |cx, arn| {
        Box::pin(async move { found(cx.scheduler.tags(arn).await) })
    })
    .await
}

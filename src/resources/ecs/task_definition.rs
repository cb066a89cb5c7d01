//! A task definition: a family of revisions, of which one is ours and runs.
//!
//! A revision never changes: another content is another revision. Ours is the recorded one, unless a newer one that has this
//! deployment's mark is as wanted: an answer that was lost may have made it. A newer one with our mark that differs is a copy that
//! somebody else registered. It is shown and taken back, and nothing runs it. The revision before ours stays active, because ECS
//! goes back to it when a deployment fails; older ones are deregistered and deleted. Revisions of other tools in the family are
//! theirs.

use super::EcsTags;
use super::tags::{tags, tags_of};
use super::task_definition_form::{Container, more_of_task};
use crate::engine::diff::diff;
use crate::engine::ownership::{MARK_STEP, MARK_SUFFIX};
use crate::engine::reference::has_placeholder;
use crate::resources::iam::Role;
use crate::resources::prelude::*;
use aws_sdk_ecs::types::{
    Compatibility, NetworkMode, SortOrder, TaskDefinition as Revision, TaskDefinitionField,
    TaskDefinitionStatus as Status,
};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskDefinition {
    /// CPU units; 1,024 are one vCPU.
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
    /// What its programs may do.
    pub task_role: Ref<Arn<Role>>,
    /// What starts a task: pulls the image, reads parameters, writes logs.
    pub execution_role: Ref<Arn<Role>>,
    /// Its containers by name.
    pub containers: BTreeMap<String, Container>,
    /// All other settings that ECS knows of a task, as in [`Container::more`].
    #[serde(default)]
    pub more: Exposed,
    /// Revisions that have our mark and are not ours: `FAMILY:REVISION`, and in what they differ.
    #[serde(default)]
    pub exposed: Exposed,
}

/// A new revision has another ARN.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Definition {
    /// The family.
    pub name: Ref<TaskDefinition>,
    /// The ARN of the revision.
    pub arn: Ref<Arn<TaskDefinition>>,
    /// Which image is missing.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub attention: Ref<Sentences>,
}

impl HasName for Definition {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl HasArn for Definition {
    fn arn(&self) -> &str {
        self.arn.as_str()
    }
}

const REGISTER: Api = ecs::REGISTER_TASK_DEFINITION;
const DESCRIBE: Api = ecs::DESCRIBE_TASK_DEFINITION;
/// Revisions of ours that stay active: the one that runs, and the one that ECS goes back to.
const KEPT: usize = 2;

impl Kind for TaskDefinition {
    const TYPE: &'static str = "ecs/task_definition";
    /// "RegisterTaskDefinition" in the ECS API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 255,
        legal: |c| c.is_ascii_alphanumeric() || "-_".contains(c),
        charset: "letters, digits, `-` and `_`",
    };
    type Outputs = Definition;
}

impl Resource for TaskDefinition {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &[],
        changing: &[(
            "arn",
            &[
                "cpu",
                "memory",
                "task_role",
                "execution_role",
                "containers",
                "more",
            ],
        )],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = EcsTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let mut newest = described(cx, key.name()).await?;
        if newest.is_none() {
            let recorded = match key.outputs {
                Some(it) => left(cx, it.arn()).await?,
                None => None,
            };
            match recorded {
                None => return Ok(None),
                // That of the family was no answer.
                Some(it) if it.0.status() == Some(&Status::Active) => newest = Some(it),
                // One whose removal ended half way is still there, and goes.
                Some((revision, tags)) => {
                    let why = "its revision is inactive".to_owned();
                    let found = of(&revision, key.name(), tags)?;
                    return Ok(Some(found.phase(Phase::Failed(why))));
                }
            }
        }
        let Some((newest, tags)) = newest else {
            return Ok(None);
        };
        let own = &key.identity.tags;
        let recorded = key.outputs.map(HasArn::arn);
        let is_it = match recorded {
            Some(recorded) => arn(&newest) == recorded,
            None => key.spec.is(&newest),
        };
        let mut ours = vec![(newest, tags)];
        if !(is_it && same_step(own, &ours[0].1)) {
            let marked = revisions(cx, key.name(), own, recorded, Status::Active).await?;
            if !marked.is_empty() {
                ours = marked;
            }
        }
        let known = ours.iter().position(|(it, _)| Some(arn(it)) == recorded);
        let equal = ours.iter().position(|(it, _)| key.spec.is(it));
        let at = equal.or(known).unwrap_or(0);
        // Those behind ours are kept, unless they are newer than what is recorded.
        let others = match known {
            Some(_) => &ours[..],
            None => &ours[..at],
        };
        let others = others.iter().enumerate();
        let others = others.filter(|(place, _)| *place != at && Some(*place) != known);
        let exposed = others.map(|(_, (it, _))| (short(it), key.spec.differs(it)));
        let exposed = exposed.collect();
        let (revision, tags) = ours.swap_remove(at);
        cx.recent
            .note_as(&of_family(cx, key.name()), arn(&revision), &tags);
        let mut found = of(&revision, key.name(), tags)?;
        found.spec.exposed = exposed;
        Ok(Some(found))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Definition, Error> {
        let arn = self.register(cx, &identity.name, &identity.tags).await?;
        Ok(Definition {
            name: identity.name.as_str().into(),
            arn: arn.into(),
            attention: Ref::default(),
        })
    }

    async fn update(&self, cx: &Aws, it: &Definition, delta: &Delta) -> Result<(), Error> {
        let Some((_, tags)) = described(cx, it.arn()).await? else {
            return Err(Error::of(
                Class::NotReady,
                DESCRIBE.action(),
                "its revision is gone",
            ));
        };
        let others = delta.entries("exposed");
        if delta.changes.iter().any(|c| c.field() != "exposed") {
            self.register(cx, it.name(), &tags).await?;
        }
        let all = revisions(cx, it.name(), &tags, None, Status::Active).await?;
        let is_other = |revision: &Revision| others.contains_key(short(revision).as_str());
        let (others, ours): (Vec<_>, Vec<_>) = all.iter().partition(|(it, _)| is_other(it));
        for (revision, _) in others.into_iter().chain(ours.into_iter().skip(KEPT)) {
            remove(cx, arn(revision)).await?;
        }
        Ok(())
    }

    /// Also those that an earlier removal left inactive; the recorded one is the last, so that a later run finds the others by it.
    async fn delete(&self, cx: &Aws, it: &Definition) -> Result<(), Error> {
        let Some((_, tags)) = left(cx, it.arn()).await? else {
            return Ok(());
        };
        for status in [Status::Active, Status::Inactive] {
            for (revision, _) in revisions(cx, it.name(), &tags, None, status).await? {
                if arn(&revision) != it.arn() {
                    remove(cx, arn(&revision)).await?;
                }
            }
        }
        remove(cx, it.arn()).await
    }
}

impl TaskDefinition {
    async fn register(&self, cx: &Aws, family: &str, own: &Tags) -> Result<String, Error> {
        let containers = self.containers.iter();
        let containers = containers.map(|(name, container)| container.definition(name));
        let containers: Vec<_> = containers
            .collect::<Result<_, _>>()
            .map_err(|e| Error::permanent(REGISTER.action(), e.to_string()))?;
        let call = cx.ecs.client.register_task_definition().family(family);
        let call = call
            .requires_compatibilities(Compatibility::Fargate)
            .network_mode(NetworkMode::Awsvpc)
            .cpu(self.cpu.to_string())
            .memory(self.memory.to_string())
            .task_role_arn(&self.task_role)
            .execution_role_arn(&self.execution_role)
            .set_container_definitions(Some(containers))
            .set_tags(Some(tags(own)));
        let made = cx.call(REGISTER, || call.clone().send()).await?;
        let made = made.task_definition();
        REGISTER.field(
            made.and_then(Revision::task_definition_arn),
            "taskDefinitionArn",
        )
    }
}

/// A revision by its ARN, or the newest active one of a family. One that is no longer active counts as gone.
async fn described(cx: &Aws, name: &str) -> Result<Option<(Revision, Tags)>, Error> {
    let found = left(cx, name).await?;
    Ok(found.filter(|(revision, _)| revision.status() == Some(&Status::Active)))
}

/// The same, also when it is inactive; not while it is being deleted.
async fn left(cx: &Aws, name: &str) -> Result<Option<(Revision, Tags)>, Error> {
    let call = cx.ecs.client.describe_task_definition();
    let call = call
        .task_definition(name)
        .include(TaskDefinitionField::Tags);
    let answer = found(cx.call(DESCRIBE, || call.clone().send()).await)?;
    let Some((revision, tags)) = answer.and_then(|a| Some((a.task_definition?, a.tags))) else {
        return Ok(None);
    };
    let tags = tags_of(&tags.unwrap_or_default());
    let is_there = [Some(&Status::Active), Some(&Status::Inactive)].contains(&revision.status());
    Ok(is_there.then_some((revision, tags)))
}

/// True when both carry the mark of the same step.
fn same_step(own: &Tags, tags: &Tags) -> bool {
    let same = |key: &&str| own.get(*key).is_some() && own.get(*key) == tags.get(*key);
    [MARK_SUFFIX, MARK_STEP].iter().all(same)
}

fn arn(revision: &Revision) -> &str {
    revision.task_definition_arn().unwrap_or_default()
}

/// `FAMILY:REVISION`.
fn short(revision: &Revision) -> String {
    let name = arn(revision).rsplit('/').next();
    name.unwrap_or_default().to_owned()
}

/// The revisions of a family in a state that carry the mark of `own`, the newest first, down to the one with an ARN.
async fn revisions(
    cx: &Aws,
    family: &str,
    own: &Tags,
    down_to: Option<&str>,
    status: Status,
) -> Result<Vec<(Revision, Tags)>, Error> {
    let mut out = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let call = cx.ecs.client.list_task_definitions().family_prefix(family);
        let call = call.status(status.clone()).sort(SortOrder::Desc);
        let call = call.set_next_token(token);
        let api = ecs::LIST_TASK_DEFINITIONS;
        let page = cx.call(api, || call.clone().send()).await?;
        // The prefix is of the whole name: `a` lists the family `a-b` too.
        let of_family = format!("/{family}:");
        let all = page.task_definition_arns();
        for arn in all.iter().filter(|arn| arn.contains(&of_family)) {
            let found = left(cx, arn).await?;
            out.extend(found.filter(|(_, tags)| same_step(own, tags)));
            if Some(arn.as_str()) == down_to {
                return Ok(out);
            }
        }
        token = page.next_token;
        if token.is_none() {
            return Ok(out);
        }
    }
}

/// Only a revision that is inactive can be deleted.
async fn remove(cx: &Aws, arn: &str) -> Result<(), Error> {
    let call = cx.ecs.client.deregister_task_definition();
    let call = call.task_definition(arn);
    let api = ecs::DEREGISTER_TASK_DEFINITION;
    cx.delete(api, || call.clone().send()).await?;
    let call = cx
        .ecs
        .client
        .delete_task_definitions()
        .task_definitions(arn);
    let api = ecs::DELETE_TASK_DEFINITIONS;
    cx.delete(api, || call.clone().send()).await
}

impl TaskDefinition {
    /// What somebody has to push before a task can run; empty when every image is known by its digest.
    pub fn to_push(&self) -> String {
        let missing = self
            .containers
            .values()
            .filter_map(Container::missing_image);
        let each = missing.map(|image| {
            format!("push the image {image} and run `deployer apply`: until then no task runs")
        });
        each.collect::<Vec<_>>().join("; ")
    }
}

impl TaskDefinition {
    /// What a revision says.
    fn said_by(revision: &Revision) -> Self {
        let number = |text: Option<&str>| text.and_then(|t| t.parse().ok()).unwrap_or(0);
        let containers = revision.container_definitions().iter();
        Self {
            cpu: number(revision.cpu()),
            memory: number(revision.memory()),
            task_role: revision.task_role_arn().unwrap_or_default().into(),
            execution_role: revision.execution_role_arn().unwrap_or_default().into(),
            containers: containers
                .map(|c| (c.name().unwrap_or_default().to_owned(), Container::of(c)))
                .collect(),
            more: more_of_task(revision),
            exposed: Exposed::new(),
        }
    }

    /// Where a revision differs, as paths; empty where it does not. What is not known yet is no difference.
    fn differs(&self, revision: &Revision) -> String {
        let form = |it: &Self| serde_json::to_value(it).unwrap_or_default();
        let mut all = diff(&form(self), &form(&Self::said_by(revision)));
        let open = |want: &Option<_>| want.as_ref().is_some_and(has_placeholder);
        all.retain(|change| change.field() != "exposed" && !open(&change.want));
        let paths: Vec<String> = all.iter().map(|c| c.path.to_string()).collect();
        paths.join(", ")
    }

    fn is(&self, revision: &Revision) -> bool {
        self.differs(revision).is_empty()
    }
}

fn of(revision: &Revision, family: &str, tags: Tags) -> Result<Found<TaskDefinition>, Error> {
    let spec = TaskDefinition::said_by(revision);
    let outputs = Definition {
        name: family.into(),
        arn: DESCRIBE.field(revision.task_definition_arn(), "taskDefinitionArn")?,
        attention: spec.to_push().into(),
    };
    Ok(Found::tagged(spec, outputs, tags))
}

/// A family, of which a listing tells the name alone: the newest revision is remembered by it.
fn of_family(cx: &Aws, name: &str) -> String {
    cx.arn("ecs", &format!("task-definition/{name}"))
}

/// The families whose name can be ours.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let call = cx.ecs.client.list_task_definition_families();
    let call = call.status(aws_sdk_ecs::types::TaskDefinitionFamilyStatus::Active);
    let send = |token| call.clone().set_next_token(token).send();
    let families = cx.pages(ecs::LIST_TASK_DEFINITION_FAMILIES, send, |page| {
        (page.families.unwrap_or_default(), page.next_token)
    });
    let families = families.await?.into_iter();
    let mut out = Vec::new();
    for family in families.filter(|name| is_conventional(name, suffix)) {
        if let Some((arn, tags)) = cx.recent.get_as(&of_family(cx, &family)).await {
            out.extend(marked(TaskDefinition::TYPE, &arn, &family, tags, suffix));
        } else if let Some((revision, tags)) = described(cx, &family).await? {
            let arn = revision.task_definition_arn().unwrap_or_default();
            out.extend(marked(TaskDefinition::TYPE, arn, &family, tags, suffix));
        }
    }
    Ok(out)
}

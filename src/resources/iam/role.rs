//! A role with its trust policy, inline policies and attached managed policies.

use super::IamTags;
use super::policies::{delete_inline, detach};
use super::tags::{tags, tags_of};
use crate::resources::between;
use crate::resources::holders::{self, held_by};
use crate::resources::policy::Policy;
use crate::resources::prelude::*;
use futures::future::{try_join, try_join_all};
use std::collections::BTreeMap;

/// Its path is `/`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    /// What it is for.
    pub description: String,
    /// Who may take it on; at most 2,048 characters.
    pub trust: Policy,
    /// What it may do, by policy name; at most 10,240 characters in all.
    pub inline: BTreeMap<String, Policy>,
    /// ARNs of managed policies, at most 10.
    pub managed: Vec<String>,
    /// The longest session in seconds, 3600 to 43200.
    pub max_session_seconds: i32,
    /// The ARN of a policy that bounds it.
    pub permissions_boundary: Option<String>,
    /// Instance profiles that somebody put it into: machines take it on, and it cannot be deleted.
    #[serde(default)]
    pub members: Vec<String>,
}

const CREATE: Api = iam::CREATE_ROLE;
const DELETE: Api = iam::DELETE_ROLE;

impl Kind for Role {
    const TYPE: &'static str = "iam/role";
    /// "CreateRole" in the IAM API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 64,
        legal: |c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c),
        charset: "letters, digits and `_+=,.@-`",
    };
    /// Take the ARN with `.ready()` where a service takes the role on at once: its policies come after it.
    type Outputs = Named<Self>;
}

impl Resource for Role {
    const FACTS: Facts<Self> = Facts {
        global: true,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 1.0),
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
    const BETWEEN: Option<Between> = Some(between::role);
    type Tags = IamTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let Some(role) = cx.iam.roles.get(name.to_owned()).await? else {
            return Ok(None);
        };
        cx.recent.note(&role.arn, &role.tags);
        let inline = role.inline.iter();
        let profiles = role.profiles.iter();
        let spec = Self {
            description: role.description.clone(),
            trust: Policy::parse(&role.trust),
            inline: inline
                .map(|(name, document)| (name.clone(), Policy::parse(document)))
                .collect(),
            managed: role.attached.clone(),
            max_session_seconds: role.max_session_seconds.unwrap_or(3600),
            permissions_boundary: role.boundary.clone(),
            members: profiles.map(|p| profile(p)).collect(),
        };
        Ok(Some(Found::tagged(
            spec,
            Named::new(name, role.arn),
            role.tags,
        )))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let call = cx.iam.client.create_role().path("/");
        let call = call
            .role_name(&identity.name)
            .description(&self.description)
            .assume_role_policy_document(self.trust.document())
            .max_session_duration(self.max_session_seconds)
            .set_permissions_boundary(self.permissions_boundary.clone())
            .set_tags(Some(tags(CREATE, &identity.tags)?));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let role = made.role().ok_or_else(|| CREATE.missing("Role"))?;
        Ok(Named::new(role.role_name(), role.arn()))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, delta: &Delta) -> Result<(), Error> {
        let name = it.name.as_str();
        if delta.touches("description") || delta.touches("max_session_seconds") {
            let set = || {
                cx.iam
                    .client
                    .update_role()
                    .role_name(name)
                    .description(&self.description)
                    .max_session_duration(self.max_session_seconds)
                    .send()
            };
            cx.call(iam::UPDATE_ROLE, set).await?;
        }
        if delta.touches("trust") {
            let put = || {
                cx.iam
                    .client
                    .update_assume_role_policy()
                    .role_name(name)
                    .policy_document(self.trust.document())
                    .send()
            };
            cx.call(iam::UPDATE_ASSUME_ROLE_POLICY, put).await?;
        }
        if delta.touches("permissions_boundary") {
            self.bound(cx, name).await?;
        }
        if delta.touches("inline") {
            self.put_inline(cx, name, delta).await?;
        }
        if delta.touches("managed") {
            self.attach(cx, name).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let name = it.name.as_str();
        // A role with policies is refused ("DeleteRole" in the IAM API reference). What it has now counts, not what it
        // had when the plan was made.
        let parts = &cx.iam.parts;
        let now = try_join(parts.inline_names(name), parts.attached(name)).await;
        let Some((inline, managed)) = found(now)? else {
            return Ok(());
        };
        let emptied = try_join(
            try_join_all(inline.iter().map(|policy| delete_inline(cx, name, policy))),
            try_join_all(managed.iter().map(|arn| detach(cx, name, arn))),
        );
        emptied.await?;
        let call = cx.iam.client.delete_role().role_name(name);
        match cx.delete(DELETE, || call.clone().send()).await {
            Err(error) if error.class == Class::InUse => {
                // What cannot be read is left out: the refusal itself is the news.
                let profiles = parts.profiles(name).await.unwrap_or_default();
                let text = |p: String| format!("{}, which deployer did not make", profile(&p));
                let named = profiles.into_iter().map(|p| holders::Named::stays(text(p)));
                Err(held_by(error, named.collect()))
            }
            other => other,
        }
    }
}

/// ListRoles answers no tags: only roles with our kind of name are asked for theirs.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let mut out = Vec::new();
    cx.recent.refreshed().await;
    let all = match cx.iam.parts.just_listed() {
        Some(all) => all,
        None => cx.iam.parts.listed().await?,
    };
    let suspects = all
        .into_iter()
        .filter(|r| r.path == "/" && is_conventional(&r.role_name, suffix));
    for role in suspects {
        let tags = match cx.recent.get(&role.arn).await {
            Some(tags) => tags,
            None => match found(cx.iam.parts.get(&role.role_name).await)? {
                Some(role) => tags_of(role.tags()),
                None => continue,
            },
        };
        let name = &role.role_name;
        out.extend(marked(Role::TYPE, &role.arn, name, tags, suffix));
    }
    Ok(out)
}

/// An instance profile in words.
fn profile(name: &str) -> String {
    format!("instance profile {name}")
}

impl Role {
    async fn bound(&self, cx: &Aws, name: &str) -> Result<(), Error> {
        match &self.permissions_boundary {
            Some(arn) => {
                let put = || {
                    cx.iam
                        .client
                        .put_role_permissions_boundary()
                        .role_name(name)
                        .permissions_boundary(arn)
                        .send()
                };
                cx.call(iam::PUT_ROLE_PERMISSIONS_BOUNDARY, put).await?;
                Ok(())
            }
            None => ignore_not_found(
                cx.call(iam::DELETE_ROLE_PERMISSIONS_BOUNDARY, || {
                    cx.iam
                        .client
                        .delete_role_permissions_boundary()
                        .role_name(name)
                        .send()
                })
                .await,
            ),
        }
    }

    /// Puts the policies that differ and deletes those that nobody wants.
    async fn put_inline(&self, cx: &Aws, name: &str, delta: &Delta) -> Result<(), Error> {
        let edits = delta.entries("inline");
        for (policy, document) in &self.inline {
            if !edits.contains_key(policy.as_str()) {
                continue;
            }
            let put = || {
                cx.iam
                    .client
                    .put_role_policy()
                    .role_name(name)
                    .policy_name(policy)
                    .policy_document(document.document())
                    .send()
            };
            cx.call(iam::PUT_ROLE_POLICY, put).await?;
        }
        for policy in cx.iam.parts.inline_names(name).await? {
            if !self.inline.contains_key(&policy) {
                delete_inline(cx, name, &policy).await?;
            }
        }
        Ok(())
    }

    /// Attaches what is missing, then detaches what nobody wants.
    async fn attach(&self, cx: &Aws, name: &str) -> Result<(), Error> {
        let have = cx.iam.parts.attached(name).await?;
        for arn in self.managed.iter().filter(|a| !have.contains(a)) {
            let attach = || {
                cx.iam
                    .client
                    .attach_role_policy()
                    .role_name(name)
                    .policy_arn(arn)
                    .send()
            };
            cx.call(iam::ATTACH_ROLE_POLICY, attach).await?;
        }
        for arn in have.iter().filter(|a| !self.managed.contains(a)) {
            detach(cx, name, arn).await?;
        }
        Ok(())
    }
}

//! A role with its trust policy, inline policies and attached managed policies.

use super::policies::{attached, delete_inline, detach, inline_names, inline_policies};
use crate::aws::{Aws, once, read, repeatable};
use crate::engine::{Delta, Error, Handle, Identity, Kind, NameRule, Owned, Phase, Ref};
use crate::resources::owned::{is_conventional, marked};
use crate::resources::policy::Policy;
use crate::resources::{Found, Lookup, Resource, found, ignore_not_found, missing_field};
use aws_sdk_iam::types::{self as t, Tag};
use futures::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The settings of a role. Its path is `/`.
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
}

/// A role's ARN.
#[derive(Debug)]
pub enum RoleArn {}

/// A role's name.
#[derive(Debug)]
pub enum RoleName {}

/// What is known of a role once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoleOutputs {
    /// Its name.
    pub name: Ref<RoleName>,
    /// `arn:aws:iam::...:role/...`
    pub arn: Ref<RoleArn>,
}

impl Handle<Role> {
    /// The role's ARN. Take `.ready()` where a service takes the role on at once: its policies come after it.
    pub fn arn(&self) -> Ref<RoleArn> {
        self.output("arn")
    }

    /// The role's name.
    pub fn name(&self) -> Ref<RoleName> {
        self.output("name")
    }
}

impl Kind for Role {
    const TYPE: &'static str = "iam/role";
    /// "CreateRole" in the IAM API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 64,
        legal: |c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c),
        charset: "letters, digits and `_+=,.@-`",
    };
}

impl Resource for Role {
    type Outputs = RoleOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key
            .outputs
            .map_or(key.identity.name.as_str(), |o| o.name.as_str());
        let Some(role) = found(get(cx, name).await)? else {
            return Ok(None);
        };
        let policies = try_join(inline_policies(cx, name), attached(cx, name)).await;
        let Some((inline, managed)) = found(policies)? else {
            return Ok(None);
        };
        let tags = tags_of(role.tags());
        cx.recent.note(role.arn(), &tags);
        Ok(Some(Found {
            spec: Self {
                description: role.description().unwrap_or_default().to_owned(),
                trust: Policy::parse(role.assume_role_policy_document().unwrap_or_default()),
                inline,
                managed,
                max_session_seconds: role.max_session_duration().unwrap_or(3600),
                permissions_boundary: role
                    .permissions_boundary()
                    .and_then(|b| b.permissions_boundary_arn())
                    .map(str::to_owned),
            },
            tags: Some(tags),
            outputs: RoleOutputs {
                name: role.role_name().into(),
                arn: role.arn().into(),
            },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<RoleOutputs, Error> {
        let tags = tags("iam:CreateRole", &identity.tags)?;
        let answer = cx
            .call(once("iam", "CreateRole"), || {
                cx.iam
                    .client
                    .create_role()
                    .path("/")
                    .role_name(&identity.name)
                    .description(&self.description)
                    .assume_role_policy_document(self.trust.document())
                    .max_session_duration(self.max_session_seconds)
                    .set_permissions_boundary(self.permissions_boundary.clone())
                    .set_tags(Some(tags.clone()))
                    .send()
            })
            .await?;
        let role = answer
            .role()
            .ok_or_else(|| missing_field("iam:CreateRole", "Role"))?;
        Ok(RoleOutputs {
            name: role.role_name().into(),
            arn: role.arn().into(),
        })
    }

    async fn update(&self, cx: &Aws, outputs: &RoleOutputs, delta: &Delta) -> Result<(), Error> {
        let name = outputs.name.as_str();
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
            cx.call(repeatable("iam", "UpdateRole"), set).await?;
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
            cx.call(repeatable("iam", "UpdateAssumeRolePolicy"), put)
                .await?;
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
        update_tags(cx, name, delta).await
    }

    async fn delete(&self, cx: &Aws, outputs: &RoleOutputs) -> Result<(), Error> {
        let name = outputs.name.as_str();
        // A role with policies is refused ("DeleteRole" in the IAM API reference). What it has now counts, not what it
        // had when the plan was made.
        let now = try_join(inline_names(cx, name), attached(cx, name)).await;
        let Some((inline, managed)) = found(now)? else {
            return Ok(());
        };
        let emptied = try_join(
            try_join_all(inline.iter().map(|policy| delete_inline(cx, name, policy))),
            try_join_all(managed.iter().map(|arn| detach(cx, name, arn))),
        );
        emptied.await?;
        ignore_not_found(
            cx.call(repeatable("iam", "DeleteRole"), || {
                cx.iam.client.delete_role().role_name(name).send()
            })
            .await,
        )
    }

    /// ListRoles answers no tags: only roles with our kind of name are asked for theirs.
    async fn owned(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
        let mut out = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let page = cx
                .call(read("iam", "ListRoles"), || {
                    cx.iam
                        .client
                        .list_roles()
                        .path_prefix("/")
                        .max_items(1000)
                        .set_marker(marker.clone())
                        .send()
                })
                .await?;
            let suspects = page
                .roles
                .iter()
                .filter(|r| r.path == "/" && is_conventional(&r.role_name, suffix));
            for role in suspects {
                let tags = match cx.recent.get(&role.arn).await {
                    Some(tags) => tags,
                    None => match found(get(cx, &role.role_name).await)? {
                        Some(role) => tags_of(role.tags()),
                        None => continue,
                    },
                };
                let name = &role.role_name;
                out.extend(marked(Self::TYPE, &role.arn, name, tags, suffix));
            }
            marker = page.marker.filter(|_| page.is_truncated);
            if marker.is_none() {
                return Ok(out);
            }
        }
    }
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
                cx.call(repeatable("iam", "PutRolePermissionsBoundary"), put)
                    .await?;
                Ok(())
            }
            None => ignore_not_found(
                cx.call(repeatable("iam", "DeleteRolePermissionsBoundary"), || {
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
            cx.call(repeatable("iam", "PutRolePolicy"), put).await?;
        }
        for policy in inline_names(cx, name).await? {
            if !self.inline.contains_key(&policy) {
                delete_inline(cx, name, &policy).await?;
            }
        }
        Ok(())
    }

    /// Attaches what is missing, then detaches what nobody wants.
    async fn attach(&self, cx: &Aws, name: &str) -> Result<(), Error> {
        let have = attached(cx, name).await?;
        for arn in self.managed.iter().filter(|a| !have.contains(a)) {
            let attach = || {
                cx.iam
                    .client
                    .attach_role_policy()
                    .role_name(name)
                    .policy_arn(arn)
                    .send()
            };
            cx.call(repeatable("iam", "AttachRolePolicy"), attach)
                .await?;
        }
        for arn in have.iter().filter(|a| !self.managed.contains(a)) {
            detach(cx, name, arn).await?;
        }
        Ok(())
    }
}

async fn get(cx: &Aws, name: &str) -> Result<t::Role, Error> {
    let answer = cx
        .call(read("iam", "GetRole"), || {
            cx.iam.client.get_role().role_name(name).send()
        })
        .await?;
    answer
        .role
        .ok_or_else(|| missing_field("iam:GetRole", "Role"))
}

fn tags_of(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .map(|t| (t.key.clone(), t.value.clone()))
        .collect()
}

fn tags<'a>(
    action: &str,
    tags: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<Vec<Tag>, Error> {
    tags.into_iter()
        .map(|(k, v)| Tag::builder().key(k).value(v).build())
        .collect::<Result<_, _>>()
        .map_err(|e| Error::permanent(action, e.to_string()))
}

async fn update_tags(cx: &Aws, name: &str, delta: &Delta) -> Result<(), Error> {
    if !delta.set_tags.is_empty() {
        let tags = tags("iam:TagRole", &delta.set_tags)?;
        cx.call(repeatable("iam", "TagRole"), || {
            cx.iam
                .client
                .tag_role()
                .role_name(name)
                .set_tags(Some(tags.clone()))
                .send()
        })
        .await?;
    }
    if !delta.remove_tags.is_empty() {
        cx.call(repeatable("iam", "UntagRole"), || {
            cx.iam
                .client
                .untag_role()
                .role_name(name)
                .set_tag_keys(Some(delta.remove_tags.clone()))
                .send()
        })
        .await?;
    }
    Ok(())
}

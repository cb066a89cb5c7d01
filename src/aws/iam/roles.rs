//! Roles with everything that belongs to them. One by one that is five calls a role; GetAccountAuthorizationDetails and ListRoles
//! together show all roles of the account in two, and that is what many at once are read with.

use super::{
    GET_ACCOUNT_AUTHORIZATION_DETAILS, GET_ROLE, GET_ROLE_POLICY, LIST_ATTACHED_ROLE_POLICIES,
    LIST_INSTANCE_PROFILES_FOR_ROLE, LIST_ROLE_POLICIES, LIST_ROLES,
};
use crate::aws::call::Caller;
use crate::aws::reader::Reader;
use crate::aws::recent::HandedOver;
use crate::engine::Error;
use aws_sdk_iam::Client;
use aws_sdk_iam::types::{EntityType, Role, RoleDetail, Tag};
use futures::FutureExt;
use futures::future::{try_join, try_join_all, try_join3};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A role with its policies.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    pub arn: String,
    /// What it is for.
    pub description: String,
    /// Who may take it on, percent-encoded JSON.
    pub trust: String,
    /// The longest session in seconds.
    pub max_session_seconds: Option<i32>,
    /// The ARN of the policy that bounds it.
    pub boundary: Option<String>,
    /// Its inline policies, percent-encoded JSON.
    pub inline: BTreeMap<String, String>,
    /// ARNs of attached policies.
    pub attached: Vec<String>,
    /// Names of instance profiles that it is in.
    pub profiles: Vec<String>,
    pub tags: BTreeMap<String, String>,
}

/// So many roles are read one by one: each of them is five calls.
const FEW: usize = 2;

/// How the names of roles begin that AWS makes for its services.
const LINKED: &str = "AWSServiceRole";

/// Client and caller.
#[derive(Clone)]
pub struct Roles {
    client: Client,
    caller: Arc<Caller>,
    last: HandedOver<Vec<Role>>,
}

impl Roles {
    pub fn new(client: &Client, caller: &Arc<Caller>) -> Self {
        Self {
            client: client.clone(),
            caller: caller.clone(),
            last: HandedOver::default(),
        }
    }

    /// Reads roles by name, many at once.
    pub fn reader(&self) -> Reader<String, Whole> {
        let roles = self.clone();
        Reader::new(move |names: Vec<String>| {
            let roles = roles.clone();
            async move {
                if names.len() > FEW {
                    match roles.account().await {
                        // A permission of its own, that nobody need have.
                        Err(error) if error.is_denied() => {}
                        answer => return answer,
                    }
                }
                let each = names.into_iter().map(|name| roles.of(name));
                let all = try_join_all(each).await?;
                Ok(all.into_iter().flatten().collect())
            }
            .boxed()
        })
    }

    /// All roles of the account.
    async fn account(&self) -> Result<HashMap<String, Whole>, Error> {
        let listed = self.last.keep(&self.caller, self.listed());
        let (details, listed) = try_join(self.details(), listed).await?;
        let mut listed: HashMap<String, Role> = listed
            .into_iter()
            .map(|role| (role.role_name.clone(), role))
            .collect();
        let mut out = HashMap::with_capacity(details.len());
        for detail in details {
            let name = detail.role_name.clone().unwrap_or_default();
            // What one of the two does not show yet is not there yet.
            if let Some(role) = listed.remove(&name) {
                out.insert(name, of(detail, &role));
            }
        }
        Ok(out)
    }

    async fn details(&self) -> Result<Vec<RoleDetail>, Error> {
        let call = self.client.get_account_authorization_details();
        let call = call.filter(EntityType::Role).max_items(1000);
        let send = |marker| call.clone().set_marker(marker).send();
        let api = GET_ACCOUNT_AUTHORIZATION_DETAILS;
        let all = self.caller.pages(api, send, |page| {
            let next = page.marker.filter(|_| page.is_truncated);
            (page.role_detail_list.unwrap_or_default(), next)
        });
        all.await
    }

    /// What a refresh has just listed: for the search that runs beside it.
    pub fn just_listed(&self) -> Option<Vec<Role>> {
        self.last.take(&self.caller)
    }

    /// The roles of the account, without their tags and policies.
    pub async fn listed(&self) -> Result<Vec<Role>, Error> {
        let call = self.client.list_roles().path_prefix("/").max_items(1000);
        let send = |marker| call.clone().set_marker(marker).send();
        let all = self.caller.pages(LIST_ROLES, send, |page| {
            let next = page.marker.filter(|_| page.is_truncated);
            (page.roles, next)
        });
        all.await
    }

    /// The role itself.
    pub async fn get(&self, name: &str) -> Result<Role, Error> {
        let call = self.client.get_role().role_name(name);
        let answer = self.caller.call(GET_ROLE, || call.clone().send()).await?;
        answer.role.ok_or_else(|| GET_ROLE.missing("Role"))
    }

    /// One that AWS made for a service only by whether it is there: nothing else of it is anybody's to set.
    async fn of(&self, name: String) -> Result<Option<(String, Whole)>, Error> {
        if !name.starts_with(LINKED) {
            return self.one(name).await;
        }
        match self.get(&name).await {
            Ok(role) => Ok(Some((name, Whole::head(&role)))),
            Err(error) if error.is_not_found() => Ok(None),
            // It may be there.
            Err(error) if error.is_denied() => Ok(Some((name, Whole::default()))),
            Err(error) => Err(error),
        }
    }

    async fn one(&self, name: String) -> Result<Option<(String, Whole)>, Error> {
        // Most that are asked for one by one are not there yet.
        let read = async {
            let role = self.get(&name).await?;
            let rest = try_join3(
                self.inline(&name),
                self.attached(&name),
                self.profiles(&name),
            );
            Ok((role, rest.await?))
        };
        let (role, (inline, attached, profiles)) = match read.await {
            Err(error) if Error::is_not_found(&error) => return Ok(None),
            answer => answer?,
        };
        let boundary = role.permissions_boundary.as_ref();
        let whole = Whole {
            boundary: boundary.and_then(|b| b.permissions_boundary_arn.clone()),
            trust: role.assume_role_policy_document.clone().unwrap_or_default(),
            tags: tags(role.tags()),
            inline,
            attached,
            profiles,
            ..Whole::head(&role)
        };
        Ok(Some((name, whole)))
    }

    async fn inline(&self, name: &str) -> Result<BTreeMap<String, String>, Error> {
        let one = async |policy: String| {
            let call = self.client.get_role_policy().role_name(name);
            let call = call.policy_name(&policy);
            let answer = self.caller.call(GET_ROLE_POLICY, || call.clone().send());
            Ok::<_, Error>((policy, answer.await?.policy_document))
        };
        let names = self.inline_names(name).await?;
        let all = try_join_all(names.into_iter().map(one)).await?;
        Ok(all.into_iter().collect())
    }

    /// The names of a role's inline policies.
    pub async fn inline_names(&self, name: &str) -> Result<Vec<String>, Error> {
        let call = self.client.list_role_policies().role_name(name);
        let send = |marker| call.clone().set_marker(marker).send();
        let all = self.caller.pages(LIST_ROLE_POLICIES, send, |page| {
            let next = page.marker.filter(|_| page.is_truncated);
            (page.policy_names, next)
        });
        all.await
    }

    /// The ARNs of the policies that are attached to a role.
    pub async fn attached(&self, name: &str) -> Result<Vec<String>, Error> {
        let call = self.client.list_attached_role_policies().role_name(name);
        let send = |marker| call.clone().set_marker(marker).send();
        let api = LIST_ATTACHED_ROLE_POLICIES;
        let all = self.caller.pages(api, send, |page| {
            let next = page.marker.filter(|_| page.is_truncated);
            let policies = page.attached_policies.unwrap_or_default().into_iter();
            (policies.filter_map(|p| p.policy_arn), next)
        });
        all.await
    }

    /// The names of the instance profiles that a role is in.
    pub async fn profiles(&self, name: &str) -> Result<Vec<String>, Error> {
        let call = self.client.list_instance_profiles_for_role();
        let call = call.role_name(name);
        let send = |marker| call.clone().set_marker(marker).send();
        let api = LIST_INSTANCE_PROFILES_FOR_ROLE;
        let all = self.caller.pages(api, send, |page| {
            let next = page.marker.filter(|_| page.is_truncated);
            let profiles = page.instance_profiles.into_iter();
            (profiles.map(|p| p.instance_profile_name), next)
        });
        all.await
    }
}

impl Whole {
    /// What ListRoles and GetRole show alike.
    fn head(role: &Role) -> Self {
        Self {
            arn: role.arn.clone(),
            description: role.description.clone().unwrap_or_default(),
            max_session_seconds: role.max_session_duration,
            ..Self::default()
        }
    }
}

fn of(detail: RoleDetail, role: &Role) -> Whole {
    let inline = detail.role_policy_list.unwrap_or_default().into_iter();
    let attached = detail.attached_managed_policies.unwrap_or_default();
    let profiles = detail.instance_profile_list.unwrap_or_default();
    let boundary = detail.permissions_boundary;
    Whole {
        trust: detail.assume_role_policy_document.unwrap_or_default(),
        boundary: boundary.and_then(|b| b.permissions_boundary_arn),
        inline: inline
            .filter_map(|p| Some((p.policy_name?, p.policy_document.unwrap_or_default())))
            .collect(),
        attached: attached.into_iter().filter_map(|p| p.policy_arn).collect(),
        profiles: profiles
            .into_iter()
            .map(|p| p.instance_profile_name)
            .collect(),
        tags: tags(detail.tags.as_deref().unwrap_or_default()),
        ..Whole::head(role)
    }
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    let each = tags.iter().map(|t| (t.key.clone(), t.value.clone()));
    each.collect()
}

//! IAM: its client, actions, limits and errors, and the reader of roles.

mod roles;

pub use roles::{Roles, Whole};

use super::api::{ANY, Answer, Api, Bucket, Grant, Service, actions, bucket, named};
use super::call::Caller;
use super::reader::Reader;
use crate::engine::Class;
use aws_sdk_iam::Client;
use std::sync::Arc;

/// IAM as a service.
pub static SERVICE: Service = Service {
    name: "iam",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// IAM counts the calls of the whole account, over all actions; it publishes no figures.
fn limits(api: Api) -> Bucket {
    if api.writes() {
        bucket("write", 30.0, 10.0)
    } else {
        bucket("read", 60.0, 20.0)
    }
}

const ROLE: Grant = named("arn:aws:iam::{account}:role/*-{suffix}");
const USERS: Grant = named("arn:aws:iam::{account}:user/*");
const ALL: Grant = named("arn:aws:iam::{account}:role/*");

actions! { SERVICE;
    Read GET_ACCOUNT_AUTHORIZATION_DETAILS = "GetAccountAuthorizationDetails", [ANY];
    Read LIST_ROLES = "ListRoles", [ANY];
    Read GET_ROLE = "GetRole", [ALL];
    Read SIMULATE_PRINCIPAL_POLICY = "SimulatePrincipalPolicy", [ALL, USERS];
    Read GET_ROLE_POLICY = "GetRolePolicy", [ROLE];
    Read LIST_ROLE_POLICIES = "ListRolePolicies", [ROLE];
    Read LIST_ATTACHED_ROLE_POLICIES = "ListAttachedRolePolicies", [ROLE];
    Read LIST_INSTANCE_PROFILES_FOR_ROLE = "ListInstanceProfilesForRole", [ROLE];
    Once CREATE_ROLE = "CreateRole", [ROLE, ROLE.of("iam:TagRole")];
    Repeatable UPDATE_ROLE = "UpdateRole", [ROLE];
    Repeatable UPDATE_ASSUME_ROLE_POLICY = "UpdateAssumeRolePolicy", [ROLE];
    Repeatable PUT_ROLE_POLICY = "PutRolePolicy", [ROLE];
    Repeatable DELETE_ROLE_POLICY = "DeleteRolePolicy", [ROLE];
    Repeatable ATTACH_ROLE_POLICY = "AttachRolePolicy", [ROLE];
    Repeatable DETACH_ROLE_POLICY = "DetachRolePolicy", [ROLE];
    Repeatable PUT_ROLE_PERMISSIONS_BOUNDARY = "PutRolePermissionsBoundary", [ROLE];
    Repeatable DELETE_ROLE_PERMISSIONS_BOUNDARY = "DeleteRolePermissionsBoundary", [ROLE];
    Repeatable TAG_ROLE = "TagRole", [ROLE];
    Repeatable UNTAG_ROLE = "UntagRole", [ROLE];
    Repeatable DELETE_ROLE = "DeleteRole", [ROLE];
}

/// "Changes that I make are not always immediately visible" (IAM user guide).
fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        // "The role with name x cannot be found", of a role that was made a moment ago.
        "NoSuchEntity" if api.creates_or_changes() && answer.says("role with name") => {
            Class::Propagating
        }
        "EntityTemporarilyUnmodifiable" => Class::NotReady,
        // A fresh principal that is not visible everywhere yet.
        "MalformedPolicyDocument" if answer.says("nvalid principal") => Class::Propagating,
        "DeleteConflict" => Class::InUse,
        "EntityAlreadyExists" => Class::Conflict,
        _ => return None,
    })
}

/// IAM: its client and the reader of roles.
pub struct Iam {
    pub client: Client,
    /// Roles with their policies, by name.
    pub roles: Reader<String, Whole>,
    /// Parts of roles, one by one.
    pub parts: Roles,
}

impl Iam {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        let parts = Roles::new(&client, caller);
        Self {
            roles: parts.reader(),
            parts,
            client,
        }
    }
}

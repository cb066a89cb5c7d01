//! Batched KMS reads: all aliases in one listing, and the keys that carry a mark in one pass over all keys.
//!
//! KMS assigns key ids and cannot search by tag, so finding an unrecorded key takes one ListResourceTags per customer
//! key of the region. That pass runs once for all keys that are looked for in the same tick, and only when there is no
//! record of a key or an open intent.

use super::api::Guard::{RequestTag, ResourceTag, Via};
use super::api::{ANY, Answer, Api, Bucket, Grant, Service, actions, bucket, guarded, named};
use super::call::Caller;
use super::reader::Reader;
use crate::engine::ownership::{MARK_STEP, MARK_SUFFIX};
use crate::engine::{Class, Error, Identity, Ownership};
use aws_sdk_kms::Client;
use aws_sdk_kms::types::{AliasListEntry, KeyState};
use futures::FutureExt;
use futures::future::try_join_all;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// KMS as a service.
pub static SERVICE: Service = Service {
    name: "kms",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

const KEYS: &str = "arn:aws:kms:{region}:{account}:key/*";
const OURS: Grant = guarded(KEYS, ResourceTag);
const ALIAS: Grant = named("arn:aws:kms:{region}:{account}:alias/*-{suffix}");

/// Services that use the data key in the name of whoever makes something of theirs, that is of the deployer too.
pub const DATA_SERVICES: [&str; 6] = [
    "dynamodb",
    "ecr",
    "lambda",
    "rds",
    "scheduler",
    "secretsmanager",
];

/// What a service does with our keys in the caller's name.
pub(super) const fn through(action: &'static str) -> Grant {
    guarded(KEYS, Via(&DATA_SERVICES)).of(action)
}

actions! { SERVICE;
    Read DESCRIBE_KEY = "DescribeKey", [named(KEYS)];
    Read GET_KEY_POLICY = "GetKeyPolicy", [OURS];
    Read GET_KEY_ROTATION_STATUS = "GetKeyRotationStatus", [OURS];
    Read LIST_GRANTS = "ListGrants", [OURS];
    Read LIST_ALIASES = "ListAliases", [ANY];
    Read LIST_KEYS = "ListKeys", [ANY];
    Read LIST_RESOURCE_TAGS = "ListResourceTags", [named(KEYS)];
    Once CREATE_KEY = "CreateKey", [guarded("*", RequestTag), guarded(KEYS, RequestTag).of("kms:TagResource")];
    Repeatable ENABLE_KEY = "EnableKey", [OURS];
    Repeatable DISABLE_KEY = "DisableKey", [OURS];
    Repeatable UPDATE_KEY_DESCRIPTION = "UpdateKeyDescription", [OURS];
    Repeatable PUT_KEY_POLICY = "PutKeyPolicy", [OURS];
    Repeatable REVOKE_GRANT = "RevokeGrant", [OURS];
    Repeatable ENABLE_KEY_ROTATION = "EnableKeyRotation", [OURS];
    Repeatable DISABLE_KEY_ROTATION = "DisableKeyRotation", [OURS];
    Repeatable TAG_RESOURCE = "TagResource", [OURS];
    Repeatable UNTAG_RESOURCE = "UntagResource", [OURS];
    Repeatable SCHEDULE_KEY_DELETION = "ScheduleKeyDeletion", [OURS];
    Once CREATE_ALIAS = "CreateAlias", [ALIAS, OURS];
    Repeatable UPDATE_ALIAS = "UpdateAlias", [ALIAS, guarded(KEYS, super::api::Guard::NotOfOthers)];
    Repeatable DELETE_ALIAS = "DeleteAlias", [ALIAS, guarded(KEYS, super::api::Guard::NotOfOthers)];
}

/// "Request quotas for AWS KMS": per account and region, one for each action.
fn limits(api: Api) -> Bucket {
    let rate = match api.operation {
        "CreateKey"
        | "CreateAlias"
        | "UpdateAlias"
        | "UpdateKeyDescription"
        | "EnableKey"
        | "DisableKey"
        | "DisableKeyRotation"
        | "UntagResource" => 5.0,
        "TagResource" => 10.0,
        "PutKeyPolicy" | "ScheduleKeyDeletion" | "EnableKeyRotation" | "DeleteAlias" => 15.0,
        _ => 50.0,
    };
    bucket(api.operation, rate, rate)
}

/// "AWS KMS eventual consistency": a key that was made a moment ago is not visible everywhere.
fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        "NotFoundException" if api.creates_or_changes() => Class::Propagating,
        // A fresh role or principal that is not visible everywhere yet.
        "MalformedPolicyDocumentException" if answer.says("nvalid principal") => Class::Propagating,
        _ => return None,
    })
}

/// Suffix and step.
type Mark = (String, String);
type Tags = BTreeMap<String, String>;

/// ListResourceTags calls that are under way at once.
const AT_ONCE: usize = 16;

/// KMS: its client and the readers of keys and aliases.
pub struct Kms {
    pub client: Client,
    aliases: Reader<(), Vec<AliasListEntry>>,
    marked: Reader<Mark, Vec<(String, Tags)>>,
    calls: Calls,
}

#[derive(Clone)]
struct Calls {
    client: Client,
    caller: Arc<Caller>,
}

impl Kms {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        let kms = Calls {
            client: client.clone(),
            caller: caller.clone(),
        };
        let (one, two) = (kms.clone(), kms.clone());
        let aliases = move |_: Vec<()>| {
            let kms = one.clone();
            async move { Ok(HashMap::from([((), kms.all_aliases().await?)])) }.boxed()
        };
        let marked = move |wanted: Vec<Mark>| {
            let kms = two.clone();
            async move { kms.all_marked(wanted.into_iter().collect()).await }.boxed()
        };
        Self {
            aliases: Reader::new(aliases),
            marked: Reader::new(marked),
            calls: kms,
            client,
        }
    }

    /// The alias with this name (`alias/...`).
    pub async fn alias(&self, name: &str) -> Result<Option<AliasListEntry>, Error> {
        let all = self.all_aliases().await?;
        Ok(all.into_iter().find(|a| a.alias_name() == Some(name)))
    }

    /// All aliases of the region.
    pub async fn all_aliases(&self) -> Result<Vec<AliasListEntry>, Error> {
        Ok(self.aliases.get(()).await?.unwrap_or_default())
    }

    /// The id of the key that carries the mark of this identity and is not pending deletion. Two are an error.
    pub async fn marked(&self, identity: &Identity) -> Result<Option<String>, Error> {
        let Some(suffix) = identity.tags.get(MARK_SUFFIX) else {
            return Ok(None);
        };
        let mark = (suffix.clone(), identity.step.clone());
        let mut keys = self.marked.get(mark).await?.unwrap_or_default();
        keys.retain(|(_, tags)| identity.ownership(tags, false, false) == Ownership::Ours);
        let mut ids: Vec<String> = keys.into_iter().map(|(id, _)| id).collect();
        if ids.len() > 1 {
            return Err(Error::marked_twice(&identity.step, &ids));
        }
        Ok(ids.pop())
    }

    /// The tags of a key; `None` when it does not exist.
    pub async fn tags(&self, id: &str) -> Result<Option<Tags>, Error> {
        match self.calls.tags(id).await {
            Ok(tags) => Ok(Some(tags)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Calls {
    async fn all_aliases(&self) -> Result<Vec<AliasListEntry>, Error> {
        let call = self.client.list_aliases().limit(100);
        let send = |marker| call.clone().set_marker(marker).send();
        let all = self.caller.pages(LIST_ALIASES, send, |page| {
            let next = page.next_marker.filter(|_| page.truncated);
            (page.aliases.unwrap_or_default(), next)
        });
        all.await
    }

    async fn all_marked(
        &self,
        wanted: HashSet<Mark>,
    ) -> Result<HashMap<Mark, Vec<(String, Tags)>>, Error> {
        // AWS's own keys are recognised by their aliases; their tags are none of our business.
        let managed: HashSet<String> = self
            .all_aliases()
            .await?
            .into_iter()
            .filter(|a| a.alias_name().is_some_and(|n| n.starts_with("alias/aws/")))
            .filter_map(|a| a.target_key_id)
            .collect();
        let mut ids = self.all_keys().await?;
        ids.retain(|id| !managed.contains(id));
        let mut out: HashMap<Mark, Vec<(String, Tags)>> = HashMap::new();
        for chunk in ids.chunks(AT_ONCE) {
            let looks = chunk.iter().map(|id| self.readable_tags(id));
            for (id, tags) in chunk.iter().zip(try_join_all(looks).await?) {
                let tag = |key: &str| tags.get(key).cloned();
                if let Some(mark) = tag(MARK_SUFFIX).zip(tag(MARK_STEP))
                    && wanted.contains(&mark)
                    && !self.is_leaving(id).await?
                {
                    out.entry(mark).or_default().push((id.clone(), tags));
                }
            }
        }
        Ok(out)
    }

    async fn all_keys(&self) -> Result<Vec<String>, Error> {
        let call = self.client.list_keys().limit(1000);
        let send = |marker| call.clone().set_marker(marker).send();
        let all = self.caller.pages(LIST_KEYS, send, |page| {
            let next = page.next_marker.filter(|_| page.truncated);
            let keys = page.keys.unwrap_or_default().into_iter();
            (keys.filter_map(|k| k.key_id), next)
        });
        all.await
    }

    /// The tags of a key; none for one that cannot be ours.
    async fn readable_tags(&self, id: &str) -> Result<Tags, Error> {
        match self.tags(id).await {
            Ok(tags) => Ok(tags),
            Err(error) if error.is_not_found() => Ok(Tags::new()),
            // A key whose policy shuts out the account's IAM policies is not ours: ours is created with one that lets
            // them in. The wording: IAM user guide, "Troubleshoot access denied error messages".
            Err(error)
                if error.is_denied() && error.message.contains("no resource-based policy") =>
            {
                Ok(Tags::new())
            }
            Err(error) => Err(error),
        }
    }

    async fn tags(&self, id: &str) -> Result<Tags, Error> {
        let call = self.client.list_resource_tags().key_id(id).limit(50);
        let send = |marker| call.clone().set_marker(marker).send();
        let all = self.caller.pages(LIST_RESOURCE_TAGS, send, |page| {
            let next = page.next_marker.filter(|_| page.truncated);
            let tags = page.tags.unwrap_or_default().into_iter();
            (tags.map(|t| (t.tag_key, t.tag_value)), next)
        });
        Ok(all.await?.into_iter().collect())
    }

    async fn is_leaving(&self, id: &str) -> Result<bool, Error> {
        let answer = self
            .caller
            .call(DESCRIBE_KEY, || {
                self.client.describe_key().key_id(id).send()
            })
            .await?;
        let state = answer.key_metadata().and_then(|m| m.key_state());
        Ok(matches!(
            state,
            Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
        ))
    }
}

//! A symmetric customer key.
//!
//! A key can't be deleted, only scheduled for deletion (7 to 30 days). One that is pending deletion is gone for us:
//! creating it again makes a new key, and the alias moves to it.

use super::tags::tags;
use super::{Alias, KmsTags, grants};
use crate::resources::policy::Policy;
use crate::resources::prelude::*;
use aws_sdk_kms::types::KeyState;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Key {
    /// What it is for.
    pub description: String,
    /// The key policy. It must let the account change it, or KMS refuses it.
    pub policy: Policy,
    /// A disabled key encrypts and decrypts nothing.
    pub enabled: bool,
    /// Days between rotations of the key material, 90 to 2560; `None` switches rotation off.
    pub rotation_days: Option<i32>,
    /// Days that AWS keeps the key after its deletion was asked for, 7 to 30. AWS learns it then and not before.
    pub deletion_days: i32,
    /// Grants to others than AWS's services, which need theirs to use the key for us.
    #[serde(default)]
    pub exposed: Exposed,
    /// Aliases of others.
    #[serde(default)]
    pub members: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct KeyOutputs {
    /// `1234abcd-12ab-...`
    pub id: Ref<Key>,
    /// `arn:aws:kms:...:key/1234abcd-12ab-...`. Its policy is there from the first moment, so the weak edge is enough to use
    /// it.
    pub arn: Ref<Arn<Key>>,
}

const DESCRIBE: Api = kms::DESCRIBE_KEY;
const CREATE: Api = kms::CREATE_KEY;

impl Kind for Key {
    const TYPE: &'static str = "kms/key";
    type Outputs = KeyOutputs;
}

impl Resource for Key {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |_| Cost::fixed("kms_key_month", 1).used(&["kms_requests"]),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: true,
        interrupts: &[(
            "enabled",
            "what the key encrypts cannot be read while it is disabled",
        )],
        write_only: &["deletion_days"],
        watched: &["members"],
        delegated: &[],
    };
    type Tags = KmsTags;

    async fn data(&self, _: &Aws, _: &Self::Outputs) -> Result<Data, Error> {
        Ok(Data::Unlocks("everything encrypted with it".into()))
    }

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = match key.outputs {
            Some(it) => it.id.to_string(),
            None => match cx.kms.marked(key.identity).await? {
                Some(id) => id,
                None => return Ok(None),
            },
        };
        let id = id.as_str();
        let arn = cx.arn("kms", &format!("key/{id}"));
        let described = cx.call(DESCRIBE, || cx.kms.client.describe_key().key_id(id).send());
        let policy = cx.call(kms::GET_KEY_POLICY, || {
            cx.kms
                .client
                .get_key_policy()
                .key_id(id)
                .policy_name("default")
                .send()
        });
        let rotation = cx.call(kms::GET_KEY_ROTATION_STATUS, || {
            cx.kms.client.get_key_rotation_status().key_id(id).send()
        });
        let (described, policy, rotation, tags, grants, aliases) = futures::join!(
            described,
            policy,
            rotation,
            cx.tagged(&arn, &key.identity.tags, cx.kms.tags(id)),
            grants::list(cx, id),
            others(cx, id)
        );
        let Some(described) = found(described)? else {
            return Ok(None);
        };
        let metadata = described
            .key_metadata()
            .ok_or_else(|| DESCRIBE.missing("KeyMetadata"))?;
        let state = metadata.key_state().cloned();
        // A key that is on its way out answers some of the calls no more.
        if matches!(
            state,
            Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
        ) {
            return Ok(None);
        }
        let (Some(policy), Some(rotation), Some(tags), Some(exposed)) =
            (found(policy)?, found(rotation)?, tags?, found(grants)?)
        else {
            return Ok(None);
        };
        let outputs = KeyOutputs {
            id: DESCRIBE.field(Some(metadata.key_id()), "KeyId")?,
            arn: DESCRIBE.field(metadata.arn(), "Arn")?,
        };
        cx.recent.note(outputs.arn.as_str(), &tags);
        let days = rotation.rotation_period_in_days().unwrap_or(365);
        let spec = Self {
            description: metadata.description().unwrap_or_default().to_owned(),
            policy: Policy::parse(policy.policy().unwrap_or_default()),
            enabled: metadata.enabled(),
            rotation_days: rotation.key_rotation_enabled().then_some(days),
            deletion_days: key.spec.deletion_days,
            exposed,
            members: aliases?,
        };
        let ready = !matches!(state, Some(KeyState::Creating | KeyState::Updating));
        Ok(Some(Found::tagged(spec, outputs, tags).ready_when(ready)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<KeyOutputs, Error> {
        let call = cx.kms.client.create_key().description(&self.description);
        let call = call
            .policy(self.policy.document())
            .set_tags(Some(tags(CREATE, &identity.tags)?));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let made = made.key_metadata();
        Ok(KeyOutputs {
            id: CREATE.field(made.map(|m| m.key_id()), "KeyId")?,
            arn: CREATE.field(made.and_then(|m| m.arn()), "Arn")?,
        })
    }

    async fn update(&self, cx: &Aws, it: &KeyOutputs, delta: &Delta) -> Result<(), Error> {
        let id = it.id.as_str();
        for grant in delta.entries("exposed").keys() {
            grants::revoke(cx, id, grant).await?;
        }
        // First of all: a disabled key refuses a change of its rotation.
        if delta.touches("enabled") && self.enabled {
            cx.call(kms::ENABLE_KEY, || {
                cx.kms.client.enable_key().key_id(id).send()
            })
            .await?;
        }
        if delta.touches("policy") {
            let put = || {
                cx.kms
                    .client
                    .put_key_policy()
                    .key_id(id)
                    .policy_name("default")
                    .policy(self.policy.document())
                    .send()
            };
            cx.call(kms::PUT_KEY_POLICY, put).await?;
        }
        if delta.touches("description") {
            let set = || {
                cx.kms
                    .client
                    .update_key_description()
                    .key_id(id)
                    .description(&self.description)
                    .send()
            };
            cx.call(kms::UPDATE_KEY_DESCRIPTION, set).await?;
        }
        match self.rotation_days {
            Some(days) if delta.touches("rotation_days") => {
                let on = || {
                    cx.kms
                        .client
                        .enable_key_rotation()
                        .key_id(id)
                        .rotation_period_in_days(days)
                        .send()
                };
                cx.call(kms::ENABLE_KEY_ROTATION, on).await?;
            }
            None if delta.touches("rotation_days") => {
                let off = || cx.kms.client.disable_key_rotation().key_id(id).send();
                cx.call(kms::DISABLE_KEY_ROTATION, off).await?;
            }
            _ => {}
        }
        if delta.touches("enabled") && !self.enabled {
            cx.call(kms::DISABLE_KEY, || {
                cx.kms.client.disable_key().key_id(id).send()
            })
            .await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, it: &KeyOutputs) -> Result<(), Error> {
        let id = it.id.as_str();
        let answer = cx
            .call(kms::SCHEDULE_KEY_DELETION, || {
                cx.kms
                    .client
                    .schedule_key_deletion()
                    .key_id(id)
                    .pending_window_in_days(self.deletion_days)
                    .send()
            })
            .await;
        match answer {
            Err(f) if f.code == "KMSInvalidStateException" && f.message.contains("pending") => {
                Ok(())
            }
            other => ignore_not_found(other),
        }
    }
}

/// Aliases of others on a key. A policy of somebody may allow what it says by alias ("kms:ResourceAliases" in the AWS KMS Developer
/// Guide), so one alias more may be a right more.
async fn others(cx: &Aws, id: &str) -> Result<Vec<String>, Error> {
    let all = cx.kms.all_aliases().await?;
    let here = all.iter().filter(|a| a.target_key_id() == Some(id));
    let names = here.filter_map(|a| a.alias_name());
    let own = |name: &str| cx.own.any(|it| it.kind == Alias::TYPE && it.name == name);
    let others = names.filter(|name| !own(name));
    Ok(others.map(str::to_owned).collect())
}

/// Looks at the keys behind aliases with our kind of name: one ListAliases, not one call per key of the account.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let mut out = Vec::new();
    for alias in cx.kms.all_aliases().await? {
        let name = alias.alias_name().unwrap_or_default();
        let Some(id) = alias
            .target_key_id()
            .filter(|_| is_conventional(name, suffix))
        else {
            continue;
        };
        let tags = match cx.recent.get(&cx.arn("kms", &format!("key/{id}"))).await {
            Some(tags) => Some(tags),
            None => cx.kms.tags(id).await?,
        };
        let name = name.trim_start_matches("alias/");
        out.extend(tags.and_then(|tags| marked(Key::TYPE, id, name, tags, suffix)));
    }
    Ok(out)
}

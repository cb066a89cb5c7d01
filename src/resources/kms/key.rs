//! A symmetric customer key.
//!
//! A key can't be deleted, only scheduled for deletion (7 to 30 days). One that is pending deletion is gone for us:
//! creating it again makes a new key, and the alias moves to it.

use crate::aws::{Aws, once, read, repeatable};
use crate::engine::{Data, Delta, Error, Handle, Identity, Kind, Owned, Phase, Ref};
use crate::resources::owned::{is_conventional, marked};
use crate::resources::policy::Policy;
use crate::resources::{Found, Lookup, Resource, found, ignore_not_found, missing_field};
use aws_sdk_kms::types::{KeyState, Tag};
use serde::{Deserialize, Serialize};

/// The settings of a key.
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
}

/// A key id, `1234abcd-...`.
#[derive(Debug)]
pub enum KeyId {}

/// A key's ARN.
#[derive(Debug)]
pub enum KeyArn {}

/// What is known of a key once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyOutputs {
    /// `1234abcd-12ab-...`
    pub id: Ref<KeyId>,
    /// `arn:aws:kms:...:key/1234abcd-12ab-...`
    pub arn: Ref<KeyArn>,
}

impl Handle<Key> {
    /// The key's id.
    pub fn id(&self) -> Ref<KeyId> {
        self.output("id")
    }

    /// The key's ARN. Its policy is there from the first moment, so the weak edge is enough to use it.
    pub fn arn(&self) -> Ref<KeyArn> {
        self.output("arn")
    }
}

impl Kind for Key {
    const TYPE: &'static str = "kms/key";
}

impl Resource for Key {
    const HOLDS_DATA: bool = true;
    type Outputs = KeyOutputs;

    async fn data(&self, _cx: &Aws, _outputs: &KeyOutputs) -> Result<Data, Error> {
        Ok(Data::Unlocks("everything encrypted with it".into()))
    }

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = match key.outputs {
            Some(outputs) => outputs.id.as_str().to_owned(),
            None => match cx.kms.marked(key.identity).await? {
                Some(id) => id,
                None => return Ok(None),
            },
        };
        let id = id.as_str();
        let described = cx.call(read("kms", "DescribeKey"), || {
            cx.kms.client.describe_key().key_id(id).send()
        });
        let policy = cx.call(read("kms", "GetKeyPolicy"), || {
            cx.kms
                .client
                .get_key_policy()
                .key_id(id)
                .policy_name("default")
                .send()
        });
        let rotation = cx.call(read("kms", "GetKeyRotationStatus"), || {
            cx.kms.client.get_key_rotation_status().key_id(id).send()
        });
        let (described, policy, rotation, tags) =
            futures::join!(described, policy, rotation, cx.kms.tags(id));
        let Some(described) = found(described)? else {
            return Ok(None);
        };
        let metadata = described
            .key_metadata()
            .ok_or_else(|| missing_field("kms:DescribeKey", "KeyMetadata"))?;
        let state = metadata.key_state().cloned();
        // A key that is on its way out answers some of the calls no more.
        if matches!(
            state,
            Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
        ) {
            return Ok(None);
        }
        let (Some(policy), Some(rotation), Some(tags)) = (found(policy)?, found(rotation)?, tags?)
        else {
            return Ok(None);
        };
        let arn = metadata
            .arn()
            .ok_or_else(|| missing_field("kms:DescribeKey", "Arn"))?;
        cx.recent.note(arn, &tags);
        let days = rotation.rotation_period_in_days().unwrap_or(365);
        Ok(Some(Found {
            spec: Self {
                description: metadata.description().unwrap_or_default().to_owned(),
                policy: Policy::parse(policy.policy().unwrap_or_default()),
                enabled: metadata.enabled(),
                rotation_days: rotation.key_rotation_enabled().then_some(days),
                // Nothing on AWS's side to compare with.
                deletion_days: key.spec.deletion_days,
            },
            tags: Some(tags),
            outputs: KeyOutputs {
                id: metadata.key_id().into(),
                arn: arn.into(),
            },
            phase: match state {
                Some(KeyState::Creating | KeyState::Updating) => Phase::Settling,
                _ => Phase::Ready,
            },
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<KeyOutputs, Error> {
        let tags = tags("kms:CreateKey", &identity.tags)?;
        let answer = cx
            .call(once("kms", "CreateKey"), || {
                cx.kms
                    .client
                    .create_key()
                    .description(&self.description)
                    .policy(self.policy.document())
                    .set_tags(Some(tags.clone()))
                    .send()
            })
            .await?;
        let metadata = answer
            .key_metadata()
            .ok_or_else(|| missing_field("kms:CreateKey", "KeyMetadata"))?;
        let arn = metadata
            .arn()
            .ok_or_else(|| missing_field("kms:CreateKey", "Arn"))?;
        Ok(KeyOutputs {
            id: metadata.key_id().into(),
            arn: arn.into(),
        })
    }

    async fn update(&self, cx: &Aws, outputs: &KeyOutputs, delta: &Delta) -> Result<(), Error> {
        let id = outputs.id.as_str();
        // First of all: a disabled key refuses a change of its rotation.
        if delta.touches("enabled") && self.enabled {
            cx.call(repeatable("kms", "EnableKey"), || {
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
            cx.call(repeatable("kms", "PutKeyPolicy"), put).await?;
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
            cx.call(repeatable("kms", "UpdateKeyDescription"), set)
                .await?;
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
                cx.call(repeatable("kms", "EnableKeyRotation"), on).await?;
            }
            None if delta.touches("rotation_days") => {
                let off = || cx.kms.client.disable_key_rotation().key_id(id).send();
                cx.call(repeatable("kms", "DisableKeyRotation"), off)
                    .await?;
            }
            _ => {}
        }
        update_tags(cx, id, delta).await?;
        if delta.touches("enabled") && !self.enabled {
            cx.call(repeatable("kms", "DisableKey"), || {
                cx.kms.client.disable_key().key_id(id).send()
            })
            .await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, outputs: &KeyOutputs) -> Result<(), Error> {
        let id = outputs.id.as_str();
        let answer = cx
            .call(repeatable("kms", "ScheduleKeyDeletion"), || {
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

    /// Looks at the keys behind aliases with our kind of name: one ListAliases, not one call per key of the account.
    async fn owned(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
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
            out.extend(tags.and_then(|tags| marked(Self::TYPE, id, name, tags, suffix)));
        }
        Ok(out)
    }
}

fn tags<'a>(
    action: &str,
    tags: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<Vec<Tag>, Error> {
    tags.into_iter()
        .map(|(k, v)| Tag::builder().tag_key(k).tag_value(v).build())
        .collect::<Result<_, _>>()
        .map_err(|e| Error::permanent(action, e.to_string()))
}

async fn update_tags(cx: &Aws, id: &str, delta: &Delta) -> Result<(), Error> {
    if !delta.set_tags.is_empty() {
        let tags = tags("kms:TagResource", &delta.set_tags)?;
        cx.call(repeatable("kms", "TagResource"), || {
            cx.kms
                .client
                .tag_resource()
                .key_id(id)
                .set_tags(Some(tags.clone()))
                .send()
        })
        .await?;
    }
    if !delta.remove_tags.is_empty() {
        cx.call(repeatable("kms", "UntagResource"), || {
            cx.kms
                .client
                .untag_resource()
                .key_id(id)
                .set_tag_keys(Some(delta.remove_tags.clone()))
                .send()
        })
        .await?;
    }
    Ok(())
}

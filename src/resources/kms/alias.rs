//! The name of a key. It has no tags of its own: it is ours when the key it points to is.

use super::KeyId;
use crate::aws::{Aws, once, repeatable};
use crate::engine::driver::MARK_SUFFIX;
use crate::engine::{Delta, Error, Handle, Identity, Kind, NameRule, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, ignore_not_found};
use serde::{Deserialize, Serialize};

/// The settings of an alias. Its step's name is its name in AWS, `alias/...`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alias {
    /// The key it points to.
    pub key: Ref<KeyId>,
}

/// What is known of an alias once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AliasOutputs {
    /// `alias/data-green-dev`
    pub name: String,
}

/// An alias.
#[derive(Debug)]
pub enum AliasName {}

impl Handle<Alias> {
    /// The alias with its `alias/`.
    pub fn name(&self) -> Ref<AliasName> {
        self.output("name")
    }
}

impl Kind for Alias {
    const TYPE: &'static str = "kms/alias";
    /// "CreateAlias" in the KMS API reference.
    const NAME: NameRule = NameRule {
        min: 7,
        max: 256,
        legal: |c| c.is_ascii_alphanumeric() || "/_-".contains(c),
        charset: "letters, digits, `/`, `_` and `-`",
    };
}

impl Resource for Alias {
    type Outputs = AliasOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.outputs.map_or(&key.identity.name, |o| &o.name);
        let Some(alias) = cx.kms.alias(name).await? else {
            return Ok(None);
        };
        let target = alias.target_key_id().unwrap_or_default();
        let mut tags = None;
        if key.outputs.is_none() && target != key.spec.key.as_str() {
            // The alias of an earlier key of ours (pending deletion, say) is moved; anybody else's is shown with the
            // marks of its key, and so it is foreign.
            let mut marks = cx.kms.tags(target).await?.unwrap_or_default();
            if !key.identity.same_deployment(&marks) {
                marks.entry(MARK_SUFFIX.into()).or_default();
                tags = Some(marks);
            }
        }
        Ok(Some(Found {
            spec: Self { key: target.into() },
            tags,
            outputs: AliasOutputs { name: name.clone() },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<AliasOutputs, Error> {
        cx.call(once("kms", "CreateAlias"), || {
            cx.kms
                .client
                .create_alias()
                .alias_name(&identity.name)
                .target_key_id(self.key.as_str())
                .send()
        })
        .await?;
        Ok(AliasOutputs {
            name: identity.name.clone(),
        })
    }

    async fn update(&self, cx: &Aws, outputs: &AliasOutputs, delta: &Delta) -> Result<(), Error> {
        if delta.touches("key") {
            let point = || {
                cx.kms
                    .client
                    .update_alias()
                    .alias_name(&outputs.name)
                    .target_key_id(self.key.as_str())
                    .send()
            };
            cx.call(repeatable("kms", "UpdateAlias"), point).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, outputs: &AliasOutputs) -> Result<(), Error> {
        ignore_not_found(
            cx.call(repeatable("kms", "DeleteAlias"), || {
                cx.kms
                    .client
                    .delete_alias()
                    .alias_name(&outputs.name)
                    .send()
            })
            .await,
        )
    }
}

//! The name of a key. It has no tags of its own: it is ours when the key it points to is.

use super::Key;
use crate::resources::prelude::*;

/// Its step's name is its name in AWS, `alias/...`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alias {
    /// The key it points to.
    pub key: Ref<Key>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AliasOutputs {
    /// `alias/data-green-dev`
    pub name: Ref<Alias>,
}

impl HasName for AliasOutputs {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

const CREATE: Api = kms::CREATE_ALIAS;
const UPDATE: Api = kms::UPDATE_ALIAS;
const DELETE: Api = kms::DELETE_ALIAS;

impl Kind for Alias {
    const TYPE: &'static str = "kms/alias";
    /// "CreateAlias" in the KMS API reference.
    const NAME: NameRule = NameRule {
        min: 7,
        max: 256,
        legal: |c| c.is_ascii_alphanumeric() || "/_-".contains(c),
        charset: "letters, digits, `/`, `_` and `-`",
    };
    type Outputs = AliasOutputs;
}

impl Resource for Alias {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::ByName,
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = NoTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let Some(alias) = cx.kms.alias(name).await? else {
            return Ok(None);
        };
        let target = alias.target_key_id().unwrap_or_default();
        let outputs = AliasOutputs { name: name.into() };
        let mut found = Found::of_parent(Self { key: target.into() }, outputs);
        if key.outputs.is_none() && target != key.spec.key.as_str() {
            // The alias of an earlier key of ours (pending deletion, say) is moved; anybody else's is foreign.
            let marks = cx.kms.tags(target).await?.unwrap_or_default();
            if !key.identity.same_deployment(&marks) {
                found.mark =
                    Mark::Foreign(format!("it points to the key {target}, which is not ours"));
            }
        }
        Ok(Some(found))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<AliasOutputs, Error> {
        let name = identity.name.as_str();
        let call = cx.kms.client.create_alias().alias_name(name);
        let call = call.target_key_id(&self.key);
        cx.call(CREATE, || call.clone().send()).await?;
        Ok(AliasOutputs { name: name.into() })
    }

    async fn update(&self, cx: &Aws, it: &AliasOutputs, _: &Delta) -> Result<(), Error> {
        let call = cx.kms.client.update_alias().alias_name(&it.name);
        let call = call.target_key_id(&self.key);
        cx.call(UPDATE, || call.clone().send()).await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &AliasOutputs) -> Result<(), Error> {
        let call = cx.kms.client.delete_alias().alias_name(&it.name);
        cx.delete(DELETE, || call.clone().send()).await
    }
}

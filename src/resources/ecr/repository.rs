//! A repository of images. Images are data: programs that run now may need them, and nothing makes them again.

use super::EcrTags;
use super::tags::tags;
use crate::resources::kms::Key;
use crate::resources::owned::marked_of;
use crate::resources::policy::Policy;
use crate::resources::prelude::*;
use aws_sdk_ecr::types as t;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Repository {
    /// The key that encrypts its images.
    pub kms_key: Option<Ref<Arn<Key>>>,
    /// A tag names the same image for ever.
    pub immutable: bool,
    /// Images are scanned when they are pushed.
    pub scan: bool,
    /// How many images are kept; 0 is read where another rule decides, or none does.
    pub keep: u32,
    /// Its policy, which lets others pull and push.
    #[serde(default)]
    pub exposed: Exposed,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RepositoryOutputs {
    pub name: Ref<Repository>,
    pub arn: Ref<Arn<Repository>>,
    /// Where to push: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME`.
    pub uri: Ref<String>,
}

impl HasName for RepositoryOutputs {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

const CREATE: Api = ecr::CREATE_REPOSITORY;
const READ: Api = ecr::DESCRIBE_REPOSITORIES;
/// The entry of `exposed`.
const POLICY: &str = "policy";

impl Kind for Repository {
    const TYPE: &'static str = "ecr/repository";
    const KNOWN_BY_NAME: bool = true;
    /// "CreateRepository" in the ECR API reference.
    const NAME: NameRule = NameRule {
        min: 2,
        max: 256,
        legal: |c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_./".contains(c),
        charset: "lower-case letters, digits and `-_./`",
    };
    type Outputs = RepositoryOutputs;
}

impl Resource for Repository {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |_| Cost::usage(&["images"]),
        fixed: &["kms_key"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: true,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    const EXPIRES: &'static [(&'static str, &'static str)] = &[(
        "keep",
        "the oldest images above that number are deleted for good",
    )];
    type Tags = EcrTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let Some(one) = cx.ecr.repositories.named(name).await? else {
            return Ok(None);
        };
        let arn: String = READ.field(one.repository_arn(), "repositoryArn")?;
        let more = futures::future::try_join3(
            cx.tagged(&arn, &key.identity.tags, cx.ecr.tags(&arn)),
            async { Ok(found(lifecycle(cx, name).await)?.flatten()) },
            async { Ok(found(policy(cx, name).await)?.unwrap_or_default()) },
        );
        let Some((tags, keep, exposed)) = found(more.await)? else {
            return Ok(None);
        };
        cx.recent.note(&arn, &tags);
        let encryption = one.encryption_configuration();
        let scanning = one.image_scanning_configuration();
        let spec = Self {
            kms_key: encryption.and_then(|e| e.kms_key()).map(Ref::from),
            immutable: one.image_tag_mutability() == Some(&t::ImageTagMutability::Immutable),
            scan: scanning.is_some_and(|s| s.scan_on_push()),
            keep: keep.unwrap_or(0),
            exposed,
        };
        let outputs = RepositoryOutputs {
            name: name.into(),
            arn: arn.into(),
            uri: READ.field(one.repository_uri(), "repositoryUri")?,
        };
        Ok(Some(Found::tagged(spec, outputs, tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<RepositoryOutputs, Error> {
        let encryption = t::EncryptionConfiguration::builder();
        let encryption = match &self.kms_key {
            Some(key) => encryption
                .encryption_type(t::EncryptionType::Kms)
                .kms_key(key),
            None => encryption.encryption_type(t::EncryptionType::Aes256),
        };
        let encryption = encryption
            .build()
            .map_err(|e| Error::permanent(CREATE.action(), e.to_string()))?;
        let call = cx.ecr.client.create_repository();
        let call = call
            .repository_name(&identity.name)
            .image_tag_mutability(self.mutability())
            .image_scanning_configuration(self.scanning())
            .encryption_configuration(encryption)
            .set_tags(Some(tags(CREATE, &identity.tags)?));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let made = made
            .repository()
            .ok_or_else(|| CREATE.missing("repository"))?;
        Ok(RepositoryOutputs {
            name: identity.name.as_str().into(),
            arn: CREATE.field(made.repository_arn(), "repositoryArn")?,
            uri: CREATE.field(made.repository_uri(), "repositoryUri")?,
        })
    }

    async fn update(&self, cx: &Aws, it: &RepositoryOutputs, delta: &Delta) -> Result<(), Error> {
        let client = &cx.ecr.client;
        if delta.touches("exposed") {
            let call = client.delete_repository_policy().repository_name(&it.name);
            let api = ecr::DELETE_REPOSITORY_POLICY;
            cx.delete(api, || call.clone().send()).await?;
        }
        if delta.touches("immutable") {
            let call = client.put_image_tag_mutability().repository_name(&it.name);
            let call = call.image_tag_mutability(self.mutability());
            let api = ecr::PUT_IMAGE_TAG_MUTABILITY;
            cx.call(api, || call.clone().send()).await?;
        }
        if delta.touches("scan") {
            let call = client.put_image_scanning_configuration();
            let call = call.repository_name(&it.name);
            let call = call.image_scanning_configuration(self.scanning());
            let api = ecr::PUT_IMAGE_SCANNING_CONFIGURATION;
            cx.call(api, || call.clone().send()).await?;
        }
        if delta.touches("keep") {
            let call = client.put_lifecycle_policy().repository_name(&it.name);
            let call = call.lifecycle_policy_text(rule(self.keep).to_string());
            let api = ecr::PUT_LIFECYCLE_POLICY;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }

    /// Refused when it has images; with them, `delete_data` is asked.
    async fn delete(&self, cx: &Aws, it: &RepositoryOutputs) -> Result<(), Error> {
        remove(cx, it, false).await
    }

    async fn delete_data(
        &self,
        cx: &Aws,
        it: &RepositoryOutputs,
        _: &DeleteOptions,
    ) -> Result<(), Error> {
        remove(cx, it, true).await
    }

    async fn data(&self, cx: &Aws, it: &RepositoryOutputs) -> Result<Data, Error> {
        let call = cx.ecr.client.describe_images().repository_name(&it.name);
        let call = call.max_results(1000);
        let api = ecr::DESCRIBE_IMAGES;
        let answer = found(cx.call(api, || call.clone().send()).await)?;
        let more = answer.as_ref().is_some_and(|a| a.next_token().is_some());
        let images = answer.map_or(0, |a| a.image_details().len());
        Ok(match images {
            0 => Data::Empty,
            _ if more => Data::Holds(format!("more than {images} images")),
            1 => Data::Holds("1 image".into()),
            _ => Data::Holds(format!("{images} images")),
        })
    }
}

impl Repository {
    fn mutability(&self) -> t::ImageTagMutability {
        if self.immutable {
            t::ImageTagMutability::Immutable
        } else {
            t::ImageTagMutability::Mutable
        }
    }

    fn scanning(&self) -> t::ImageScanningConfiguration {
        let scanning = t::ImageScanningConfiguration::builder();
        scanning.scan_on_push(self.scan).build()
    }
}

/// The one rule that we write: so many images, the oldest go.
fn rule(keep: u32) -> serde_json::Value {
    serde_json::json!({"rules": [{
        "rulePriority": 1,
        "description": "Keep the newest images",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": keep},
        "action": {"type": "expire"},
    }]})
}

/// How many images are kept.
async fn lifecycle(cx: &Aws, name: &str) -> Result<Option<u32>, Error> {
    let call = cx.ecr.client.get_lifecycle_policy().repository_name(name);
    let api = ecr::GET_LIFECYCLE_POLICY;
    let answer = cx.call(api, || call.clone().send()).await?;
    let text = answer.lifecycle_policy_text().unwrap_or_default();
    Ok(Some(kept(text)))
}

/// The same by the text of the rules. Other rules than ours read as 0, which nobody wants; the number and the description of an
/// only rule change nothing that it does.
fn kept(text: &str) -> u32 {
    let mut have: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let keep = have["rules"][0]["selection"]["countNumber"].as_u64();
    let keep = keep.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let want = rule(keep);
    let only = have.pointer_mut("/rules/0");
    if let Some(only) = only.and_then(serde_json::Value::as_object_mut) {
        for name in ["rulePriority", "description"] {
            only.insert(name.to_owned(), want["rules"][0][name].clone());
        }
    }
    if have == want { keep } else { 0 }
}

async fn policy(cx: &Aws, name: &str) -> Result<Exposed, Error> {
    let call = cx.ecr.client.get_repository_policy().repository_name(name);
    let api = ecr::GET_REPOSITORY_POLICY;
    let answer = cx.call(api, || call.clone().send()).await?;
    let text = answer.policy_text().map(Policy::parse);
    let entry = text.map(|policy| (POLICY.to_owned(), policy.document()));
    Ok(entry.into_iter().collect())
}

async fn remove(cx: &Aws, it: &RepositoryOutputs, force: bool) -> Result<(), Error> {
    let call = cx.ecr.client.delete_repository().repository_name(&it.name);
    let call = call.force(force);
    let api = ecr::DELETE_REPOSITORY;
    cx.delete(api, || call.clone().send()).await
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.ecr.repositories.all().await?;
    let all = all.iter();
    let all = all.filter_map(|r| Some((r.repository_name.clone()?, r.repository_arn.clone()?)));
    marked_of(cx, Repository::TYPE, suffix, all.collect(), |cx, arn| {
        Box::pin(async move { found(cx.ecr.tags(arn).await) })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_read_by_what_it_does() {
        let ours = rule(30);
        assert_eq!(kept(&ours.to_string()), 30);
        let mut renamed = ours.clone();
        renamed["rules"][0]["description"] = "Other words".into();
        renamed["rules"][0]["rulePriority"] = 7.into();
        assert_eq!(kept(&renamed.to_string()), 30);
        let mut unnamed = ours.clone();
        unnamed["rules"][0]
            .as_object_mut()
            .unwrap()
            .remove("description");
        assert_eq!(kept(&unnamed.to_string()), 30);
        let mut two = ours.clone();
        two["rules"]
            .as_array_mut()
            .unwrap()
            .push(ours["rules"][0].clone());
        assert_eq!(kept(&two.to_string()), 0);
        let mut younger = ours.clone();
        younger["rules"][0]["selection"]["tagStatus"] = "untagged".into();
        assert_eq!(kept(&younger.to_string()), 0);
        assert_eq!(kept(""), 0);
    }
}

//! A secret. It is made without a value, and no type has a place for one: whoever uses it puts it in.
//!
//! Its deletion is scheduled and its value can be brought back until then, unless the user chose that nothing remains. The name
//! is taken until the deletion is done, so one of ours that is scheduled for deletion is restored instead of made.

use super::exposed;
use super::tags::{SecretTags, search, tags, tags_of};
use crate::engine::Ownership;
use crate::resources::kms::{self as keys, Key};
use crate::resources::prelude::*;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Secret {
    /// What it is for.
    pub description: String,
    /// The key that encrypts its value; `None` for the service's own.
    pub kms_key: Option<Ref<Arn<Key>>>,
    /// Days for which its value can be brought back after its deletion was asked for, 7 to 30. AWS learns it then and not before.
    pub recovery_days: i64,
    /// Its resource policy, which lets others read it, its copies in other regions, and a function that changes its value.
    #[serde(default)]
    pub exposed: Exposed,
}

/// The key that counts when none is named ("CreateSecret" in the API reference).
const SERVICE_KEY: &str = "alias/aws/secretsmanager";
/// In `exposed`: the function that changes the value.
const ROTATION: &str = "rotation";

impl Kind for Secret {
    const TYPE: &'static str = "secretsmanager/secret";
    /// "CreateSecret" in the API reference. A name that ends like the six characters of an ARN confuses searches by it.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 512,
        legal: |c| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c),
        charset: "letters, digits and `/_+=.@-`",
    };
    type Outputs = Named<Self>;
}

impl Resource for Secret {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 2.0),
        cost: |_| Cost::fixed("secret_month", 1).used(&["secret_calls"]),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: true,
        interrupts: &[],
        write_only: &["recovery_days"],
        watched: &[],
        delegated: &[],
    };
    type Tags = SecretTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key
            .outputs
            .map_or(key.identity.name.as_str(), |it| it.arn.as_str());
        let Some(shown) = found(cx.secretsmanager.describe(id).await)? else {
            return Ok(None);
        };
        let tags = tags_of(shown.tags());
        if shown.deleted_date().is_some() {
            return match key.outputs {
                None if !is_ours(key.identity, &tags) => Err(scheduled(&shown)),
                _ => Ok(None),
            };
        }
        let Some(mut exposed) = exposed::of(cx, id, &shown).await? else {
            return Ok(None);
        };
        if shown.rotation_enabled() == Some(true) {
            let function = shown.rotation_lambda_arn().unwrap_or_default();
            exposed.insert(ROTATION.to_owned(), function.to_owned());
        }
        let outputs = outputs(secretsmanager::DESCRIBE_SECRET, shown.name(), shown.arn())?;
        cx.recent.note(outputs.arn.as_str(), &tags);
        let kms_key = shown.kms_key_id().filter(|k| *k != SERVICE_KEY);
        let spec = Self {
            description: shown.description().unwrap_or_default().to_owned(),
            kms_key: kms_key.map(|k| keys::by_arn(cx, k)),
            recovery_days: key.spec.recovery_days,
            exposed,
        };
        Ok(Some(Found::tagged(spec, outputs, tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        const CREATE: Api = secretsmanager::CREATE_SECRET;
        let call = cx.secretsmanager.client.create_secret();
        let call = call
            .name(&identity.name)
            .description(&self.description)
            .set_kms_key_id(self.kms_key.as_ref().map(String::from))
            .set_tags(Some(tags(&identity.tags)));
        match cx.call(CREATE, || call.clone().send()).await {
            Ok(made) => outputs(CREATE, made.name(), made.arn()),
            Err(error)
                if error.code == "InvalidRequestException" && error.class == Class::NotReady =>
            {
                restore(cx, identity, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, delta: &Delta) -> Result<(), Error> {
        let id = it.arn.as_str();
        for what in delta.entries("exposed").keys() {
            if *what == ROTATION {
                let call = cx.secretsmanager.client.cancel_rotate_secret();
                let call = call.secret_id(id);
                let api = secretsmanager::CANCEL_ROTATE_SECRET;
                cx.call(api, || call.clone().send()).await?;
            } else {
                exposed::close(cx, id, what).await?;
            }
        }
        if delta.touches("description") || delta.touches("kms_key") {
            let key = self.kms_key.as_ref().map(String::from);
            let call = cx.secretsmanager.client.update_secret().secret_id(id);
            let call = call
                .description(&self.description)
                .kms_key_id(key.unwrap_or_else(|| SERVICE_KEY.to_owned()));
            let api = secretsmanager::UPDATE_SECRET;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }

    /// Versions, none of which is read.
    async fn data(&self, cx: &Aws, it: &Named<Self>) -> Result<Data, Error> {
        let shown = found(cx.secretsmanager.describe(it.arn.as_str()).await)?;
        Ok(match shown.map_or(0, |shown| versions(&shown)) {
            0 => Data::Empty,
            1 => Data::Holds("a value".into()),
            more => Data::Holds(format!("a value in {more} versions")),
        })
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        self.delete_data(cx, it, &DeleteOptions::default()).await
    }

    /// One without a value goes at once: there is nothing to bring back, and its name is free.
    async fn delete_data(
        &self,
        cx: &Aws,
        it: &Named<Self>,
        options: &DeleteOptions,
    ) -> Result<(), Error> {
        let id = it.arn.as_str();
        let Some(shown) = found(cx.secretsmanager.describe(id).await)? else {
            return Ok(());
        };
        if shown.deleted_date().is_some() {
            return Ok(());
        }
        exposed::remove_copies(cx, id, &shown).await?;
        let call = cx.secretsmanager.client.delete_secret().secret_id(id);
        let call = if options.at_once || versions(&shown) == 0 {
            call.force_delete_without_recovery(true)
        } else {
            call.recovery_window_in_days(self.recovery_days)
        };
        let api = secretsmanager::DELETE_SECRET;
        cx.delete(api, || call.clone().send()).await
    }
}

/// How many versions of its value there are.
fn versions(shown: &DescribeSecretOutput) -> usize {
    shown.version_ids_to_stages().map_or(0, |all| all.len())
}

fn outputs(api: Api, name: Option<&str>, arn: Option<&str>) -> Result<Named<Secret>, Error> {
    let name: String = api.field(name, "Name")?;
    let arn: String = api.field(arn, "ARN")?;
    Ok(Named::new(&name, arn))
}

fn is_ours(identity: &Identity, tags: &Tags) -> bool {
    identity.ownership(tags, false, false) == Ownership::Ours
}

/// Brings back the one of ours that has the name. `refusal` stands when it is about to be gone.
async fn restore(cx: &Aws, identity: &Identity, refusal: Error) -> Result<Named<Secret>, Error> {
    const RESTORE: Api = secretsmanager::RESTORE_SECRET;
    let Some(shown) = found(cx.secretsmanager.describe(&identity.name).await)? else {
        return Err(refusal);
    };
    if !is_ours(identity, &tags_of(shown.tags())) {
        return Err(scheduled(&shown));
    }
    let outputs = outputs(RESTORE, shown.name(), shown.arn())?;
    let call = cx.secretsmanager.client.restore_secret();
    let call = call.secret_id(&outputs.arn);
    match cx.call(RESTORE, || call.clone().send()).await {
        Ok(_) => Ok(outputs),
        // Deleted at once: its deletion is under way, and the name is free after it.
        Err(error) if error.code == "ResourceNotFoundException" => Err(refusal),
        Err(error) => Err(error),
    }
}

/// The name belongs to a secret of somebody else until its deletion is done.
fn scheduled(shown: &DescribeSecretOutput) -> Error {
    let name = shown.name().unwrap_or_default();
    let when = shown.deleted_date().map(ToString::to_string);
    let text = format!(
        "the secret `{name}` is not this deployment's and keeps its name until its deletion on {}",
        when.unwrap_or_default()
    );
    Error::of(Class::Conflict, secretsmanager::DESCRIBE_SECRET.action(), text).hint(format!(
        "if nobody needs it, run `aws secretsmanager delete-secret --force-delete-without-recovery --secret-id {name}`, or choose another --suffix"
    ))
}

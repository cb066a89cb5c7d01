//! A parameter: a setting in clear text that programs read when they start. Never a secret: the type knows one kind of
//! parameter, `String`.

use crate::resources::owned::marked_of;
use crate::resources::prelude::*;
use aws_sdk_ssm::types::{ParameterType, ResourceTypeForTagging, Tag};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parameter {
    /// Its type, `String`.
    pub kind: String,
    /// Up to 4 KB; may refer to other steps.
    pub value: String,
}

/// Systems Manager's way to change tags of a parameter: by name.
pub enum SsmTags {}

const PUT: Api = ssm::PUT_PARAMETER;

impl Kind for Parameter {
    const TYPE: &'static str = "ssm/parameter";
    const KNOWN_BY_NAME: bool = true;
    /// "PutParameter" in the API reference: 1,011 characters with the ARN before it.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 900,
        legal: |c| c.is_ascii_alphanumeric() || "_.-/".contains(c),
        charset: "letters, digits and `_.-/`",
    };
    type Outputs = Named<Self>;
}

/// Where all of ours are, so that one listing shows them.
pub const PATH: &str = "/payment-processing";

impl Resource for Parameter {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &["kind"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = SsmTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let arn = cx.arn("ssm", &format!("parameter{name}"));
        let tags = cx.tagged(&arn, &key.identity.tags, cx.ssm.tags(name));
        // The tags of a recorded parameter are asked for at once; of another one only when it exists.
        let (parameter, tags) = match key.outputs {
            Some(_) => futures::join!(cx.ssm.parameters.get(name.to_owned()), tags),
            None => match cx.ssm.parameters.get(name.to_owned()).await? {
                Some(parameter) => (Ok(Some(parameter)), tags.await),
                None => return Ok(None),
            },
        };
        let (Some(parameter), Some(tags)) = (parameter?, found(tags)?) else {
            return Ok(None);
        };
        cx.recent.note(&arn, &tags);
        let kind = parameter.r#type().map(|t| t.as_str());
        let spec = Self {
            kind: kind.unwrap_or_default().to_owned(),
            value: parameter.value().unwrap_or_default().to_owned(),
        };
        Ok(Some(Found::tagged(spec, Named::new(name, arn), tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let name = identity.name.as_str();
        let call = cx.ssm.client.put_parameter().name(name);
        let call = call
            .r#type(ParameterType::from(self.kind.as_str()))
            .value(&self.value)
            .set_tags(Some(tags(PUT, &identity.tags)?));
        cx.call(PUT, || call.clone().send()).await?;
        Ok(Named::new(name, cx.arn("ssm", &format!("parameter{name}"))))
    }

    /// Tags and `Overwrite` exclude each other.
    async fn update(&self, cx: &Aws, it: &Named<Self>, _: &Delta) -> Result<(), Error> {
        let call = cx.ssm.client.put_parameter().name(&it.name);
        let call = call.value(&self.value).overwrite(true);
        let api = PUT.as_repeatable();
        cx.call(api, || call.clone().send()).await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let call = cx.ssm.client.delete_parameter().name(&it.name);
        let api = ssm::DELETE_PARAMETER;
        cx.delete(api, || call.clone().send()).await
    }
}

fn tags(api: Api, tags: &Tags) -> Result<Vec<Tag>, Error> {
    tags.iter()
        .map(|(k, v)| Tag::builder().key(k).value(v).build())
        .collect::<Result<_, _>>()
        .map_err(|e| Error::permanent(api.action(), e.to_string()))
}

impl TagCalls<Named<Parameter>> for SsmTags {
    async fn change(
        cx: &Aws,
        it: &Named<Parameter>,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        const ADD: Api = ssm::ADD_TAGS_TO_RESOURCE;
        let kind = ResourceTypeForTagging::Parameter;
        if !set.is_empty() {
            let call = cx.ssm.client.add_tags_to_resource();
            let call = call.resource_type(kind.clone()).resource_id(&it.name);
            let call = call.set_tags(Some(tags(ADD, set)?));
            cx.call(ADD, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.ssm.client.remove_tags_from_resource();
            let call = call.resource_type(kind).resource_id(&it.name);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            let api = ssm::REMOVE_TAGS_FROM_RESOURCE;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.ssm.marked(PATH, suffix).await?;
    let all = all.into_iter().filter_map(|p| p.name);
    let all = all.map(|name| {
        let arn = cx.arn("ssm", &format!("parameter{name}"));
        (name, arn)
    });
    marked_of(cx, Parameter::TYPE, suffix, all.collect(), |cx, arn| {
        Box::pin(async move {
            let name = arn.split_once(":parameter").map_or(arn, |(_, name)| name);
            found(cx.ssm.tags(name).await)
        })
    })
    .await
}

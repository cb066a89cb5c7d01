//! A parameter: a setting in clear text that programs read when they start. Never a secret: the type knows one kind of
//! parameter, `String`.

use crate::resources::owned::marked_of;
use crate::resources::prelude::*;
use aws_sdk_ssm::types::{
    ParameterMetadata, ParameterTier, ParameterType, ResourceTypeForTagging, Tag,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parameter {
    /// Its type, `String`.
    pub kind: String,
    /// Up to 4 KB; may refer to other steps.
    pub value: String,
    /// Settings beside these that somebody gave it: a policy that deletes it, say.
    #[serde(default)]
    pub others: Exposed,
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
        // "Managing parameter tiers" in the user guide: an advanced one becomes no standard one again.
        fixed: &["kind", "others"],
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
        let more = async || futures::join!(tags, cx.ssm.metadata.get(name.to_owned()));
        let (parameter, (tags, metadata)) = match key.outputs {
            Some(_) => futures::join!(cx.ssm.parameters.get(name.to_owned()), more()),
            None => match cx.ssm.parameters.get(name.to_owned()).await? {
                Some(parameter) => (Ok(Some(parameter)), more().await),
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
            // A listing may lag behind: of one that was made a moment ago it knows nothing, and nobody has changed it.
            others: metadata?.map(|it| others(&it)).unwrap_or_default(),
        };
        Ok(Some(Found::tagged(spec, Named::new(name, arn), tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let name = identity.name.as_str();
        let call = cx.ssm.client.put_parameter().name(name);
        let call = call
            .r#type(ParameterType::from(self.kind.as_str()))
            .value(&self.value)
            // Without it the tier is what the account has chosen for all.
            .tier(ParameterTier::Standard)
            .set_tags(Some(tags(PUT, &identity.tags)?));
        cx.call(PUT, || call.clone().send()).await?;
        Ok(Named::new(name, cx.arn("ssm", &format!("parameter{name}"))))
    }

    /// Tags and `Overwrite` exclude each other.
    async fn update(&self, cx: &Aws, it: &Named<Self>, _: &Delta) -> Result<(), Error> {
        let call = cx.ssm.client.put_parameter().name(&it.name);
        let call = call.value(&self.value).overwrite(true);
        let call = call.tier(ParameterTier::Standard);
        let api = PUT.as_repeatable();
        cx.call(api, || call.clone().send()).await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let call = cx.ssm.client.delete_parameter().name(&it.name);
        let api = ssm::DELETE_PARAMETER;
        cx.delete(api, || call.clone().send()).await
    }
}

impl Parameter {
    /// One with this value.
    pub fn of(value: String) -> Self {
        Self {
            kind: ParameterType::String.as_str().to_owned(),
            value,
            others: Exposed::new(),
        }
    }
}

/// What is set of a parameter that we leave as AWS makes it.
fn others(it: &ParameterMetadata) -> Exposed {
    let text = |value: Option<&str>, default: &str| {
        let value = value.filter(|v| !v.is_empty() && *v != default);
        value.map(str::to_owned)
    };
    let policies = it.policies().iter().filter_map(|p| p.policy_type());
    let policies = policies.collect::<Vec<_>>().join(", ");
    let standard = ParameterTier::Standard;
    let all = [
        (
            "tier",
            text(it.tier().map(ParameterTier::as_str), standard.as_str()),
        ),
        ("policies", text(Some(&policies), "")),
        ("data_type", text(it.data_type(), "text")),
        ("allowed_pattern", text(it.allowed_pattern(), "")),
        ("description", text(it.description(), "")),
        ("key", text(it.key_id(), "")),
    ];
    let set = all.into_iter();
    set.filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::tests::members;
    use aws_sdk_ssm::types::ParameterInlinePolicy;

    #[test]
    fn every_setting_that_is_not_ours_shows_and_those_of_a_new_parameter_do_not() {
        let fresh = ParameterMetadata::builder()
            .tier(ParameterTier::Standard)
            .data_type("text");
        assert_eq!(others(&fresh.clone().build()), Exposed::new());
        let policy = ParameterInlinePolicy::builder().policy_type("Expiration");
        let cases = [
            ("tier", fresh.clone().tier(ParameterTier::Advanced)),
            ("policies", fresh.clone().policies(policy.build())),
            ("data_type", fresh.clone().data_type("aws:ec2:image")),
            ("allowed_pattern", fresh.clone().allowed_pattern("x")),
            ("description", fresh.clone().description("theirs")),
            ("key", fresh.clone().key_id("alias/theirs")),
        ];
        for (name, it) in cases {
            let shown = others(&it.build());
            assert_eq!(shown.keys().collect::<Vec<_>>(), [name]);
        }
        // Whoever, what, where and when; a new member of AWS's answer belongs above.
        let known = "name arn type key_id last_modified_date last_modified_user description allowed_pattern version tier policies data_type";
        let known: Vec<&str> = known.split(' ').collect();
        assert_eq!(members(&fresh.build()), known);
    }
}

//! Systems Manager: its client, actions, limits and errors, and the reader of parameters.

use super::api::{ANY, Answer, Api, Bucket, Grant, Service, actions, bucket, named};
use super::call::Caller;
use super::reader::Reader;
use crate::engine::ownership::MARK_SUFFIX;
use crate::engine::{Class, Error};
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{Parameter, ParameterMetadata, ParameterStringFilter};
use futures::FutureExt;
use futures::future::try_join_all;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Systems Manager as a service.
pub static SERVICE: Service = Service {
    name: "ssm",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// "AWS Systems Manager endpoints and quotas": 40 reads of parameters a second, 3 writes, 10 of most others.
fn limits(api: Api) -> Bucket {
    let rate = match api.operation {
        "GetParameters" => 40.0,
        "PutParameter" => 3.0,
        "DeleteParameter" | "DescribeParameters" => 5.0,
        _ => 10.0,
    };
    bucket(api.operation, rate, rate)
}

const OURS: Grant = named("arn:aws:ssm:{region}:{account}:parameter/*-{suffix}/*");

actions! { SERVICE;
    Read GET_PARAMETERS = "GetParameters", [OURS];
    Read DESCRIBE_PARAMETERS = "DescribeParameters", [ANY];
    Read LIST_TAGS_FOR_RESOURCE = "ListTagsForResource", [OURS];
    Once PUT_PARAMETER = "PutParameter", [OURS, OURS.of("ssm:AddTagsToResource")];
    Repeatable ADD_TAGS_TO_RESOURCE = "AddTagsToResource", [OURS];
    Repeatable REMOVE_TAGS_FROM_RESOURCE = "RemoveTagsFromResource", [OURS];
    Repeatable DELETE_PARAMETER = "DeleteParameter", [OURS];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        // Tags of what was made a moment ago.
        "InvalidResourceId" if api.creates_or_changes() => Class::Propagating,
        "InvalidResourceId" | "ParameterNotFound" => Class::Gone,
        "ParameterAlreadyExists" => Class::Conflict,
        // A name is free again 30 seconds after its deletion ("DeleteParameter" in the API reference).
        "TooManyUpdates" => Class::NotReady,
        _ => return None,
    })
}

/// GetParameters takes ten names.
const AT_ONCE: usize = 10;
/// A filter of DescribeParameters takes fifty values ("ParameterStringFilter"), and a page holds as many.
const VALUES: usize = 50;
const DESCRIBED: i32 = 50;

/// Systems Manager: its client and the reader of parameters.
pub struct Ssm {
    pub client: Client,
    /// GetParameters, by name.
    pub parameters: Reader<String, Parameter>,
    /// DescribeParameters, by name: what GetParameters leaves out.
    pub metadata: Reader<String, ParameterMetadata>,
    caller: Arc<Caller>,
}

impl Ssm {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        Self {
            parameters: parameters(&client, caller),
            metadata: metadata(&client, caller),
            caller: caller.clone(),
            client,
        }
    }

    /// The tags of a parameter.
    pub async fn tags(&self, name: &str) -> Result<BTreeMap<String, String>, Error> {
        let call = self.client.list_tags_for_resource();
        let call = call
            .resource_type(aws_sdk_ssm::types::ResourceTypeForTagging::Parameter)
            .resource_id(name);
        let api = LIST_TAGS_FOR_RESOURCE;
        let answer = self.caller.call(api, || call.clone().send()).await?;
        let tags = answer.tag_list.unwrap_or_default().into_iter();
        Ok(tags.map(|t| (t.key, t.value)).collect())
    }

    /// The parameters below a path that carry this deployment's suffix, without their values: other deployments have theirs there, too.
    pub async fn marked(&self, path: &str, suffix: &str) -> Result<Vec<ParameterMetadata>, Error> {
        let tag = format!("tag:{MARK_SUFFIX}");
        let filters = [
            filter("Path", "Recursive", vec![path.to_owned()])?,
            filter(&tag, "Equals", vec![suffix.to_owned()])?,
        ];
        describe(&self.client, &self.caller, filters.into()).await
    }
}

fn filter(key: &str, option: &str, values: Vec<String>) -> Result<ParameterStringFilter, Error> {
    let filter = ParameterStringFilter::builder().key(key).option(option);
    let filter = filter.set_values(Some(values)).build();
    filter.map_err(|e| Error::permanent(DESCRIBE_PARAMETERS.action(), e.to_string()))
}

async fn describe(
    client: &Client,
    caller: &Caller,
    filters: Vec<ParameterStringFilter>,
) -> Result<Vec<ParameterMetadata>, Error> {
    let call = client.describe_parameters().max_results(DESCRIBED);
    let call = call.set_parameter_filters(Some(filters));
    let send = |token| call.clone().set_next_token(token).send();
    let all = caller.pages(DESCRIBE_PARAMETERS, send, |page| {
        (page.parameters.unwrap_or_default(), page.next_token)
    });
    all.await
}

fn metadata(client: &Client, caller: &Arc<Caller>) -> Reader<String, ParameterMetadata> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |names: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let asks = names.chunks(VALUES).map(async |some| {
                let filters = vec![filter("Name", "Equals", some.to_vec())?];
                describe(&client, &caller, filters).await
            });
            let all = try_join_all(asks).await?.into_iter().flatten();
            Ok(all.filter_map(|it| Some((it.name.clone()?, it))).collect())
        }
        .boxed()
    })
}

fn parameters(client: &Client, caller: &Arc<Caller>) -> Reader<String, Parameter> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |names: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let mut out = HashMap::new();
            let asks = names.chunks(AT_ONCE).map(async |some| {
                let call = client.get_parameters().set_names(Some(some.to_vec()));
                caller.call(GET_PARAMETERS, || call.clone().send()).await
            });
            for answer in try_join_all(asks).await? {
                for parameter in answer.parameters.unwrap_or_default() {
                    let name = parameter.name.clone().unwrap_or_default();
                    out.insert(name, parameter);
                }
            }
            Ok(out)
        }
        .boxed()
    })
}

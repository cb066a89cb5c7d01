//! Lambda: its client, actions, limits and errors, its listings, and where the zips of functions come from.

use super::api::Guard::{PassedTo, RequestTag, ResourceTag};
use super::api::{ANY, Answer, Api, Bucket, Grant, Service, actions, bucket, guarded, named};
use super::call::Caller;
use super::kms::through;
use super::reader::Reader;
use super::recent::HandedOver;
use super::redact::redact;
use crate::engine::{Class, Error};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::error::SdkError;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::operation::invoke::{InvokeError, InvokeOutput};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    EventSourceMappingConfiguration, FunctionConfiguration, ThrottleReason,
};
use aws_smithy_types::timeout::TimeoutConfig;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Lambda as a service.
pub static SERVICE: Service = Service {
    name: "lambda",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// "Lambda quotas", API requests: 100 a second of GetFunction, 15 of GetPolicy, 15 of all others together.
fn limits(api: Api) -> Bucket {
    match api.operation {
        "GetFunction" => bucket("functions", 100.0, 100.0),
        "GetPolicy" => bucket("policies", 15.0, 15.0),
        _ => bucket("control", 15.0, 15.0),
    }
}

const FUNCTION: Grant = named("arn:aws:lambda:{region}:{account}:function:*-{suffix}");
/// AWS gives a mapping a random id: tags narrow it.
const MAPPING: &str = "arn:aws:lambda:{region}:{account}:event-source-mapping:*";
const PASS_ROLE: Grant = guarded(
    "arn:aws:iam::{account}:role/*-{suffix}",
    PassedTo("lambda.amazonaws.com"),
)
.of("iam:PassRole");

actions! { SERVICE;
    Read GET_ACCOUNT_SETTINGS = "GetAccountSettings", [ANY];
    Read GET_FUNCTION = "GetFunction", [FUNCTION, through("kms:Decrypt")];
    Read GET_POLICY = "GetPolicy", [FUNCTION];
    Read LIST_FUNCTIONS = "ListFunctions", [ANY];
    Read LIST_EVENT_SOURCE_MAPPINGS = "ListEventSourceMappings", [ANY];
    Read LIST_FUNCTION_URL_CONFIGS = "ListFunctionUrlConfigs", [FUNCTION];
    Read LIST_FUNCTION_EVENT_INVOKE_CONFIGS = "ListFunctionEventInvokeConfigs", [FUNCTION];
    Read LIST_TAGS = "ListTags", [FUNCTION, guarded(MAPPING, ResourceTag)];
    Once CREATE_FUNCTION = "CreateFunction", [FUNCTION, FUNCTION.of("lambda:TagResource"), PASS_ROLE, through("kms:CreateGrant"), through("kms:Encrypt")];
    Repeatable INVOKE = "Invoke", [FUNCTION.of("lambda:InvokeFunction")];
    Repeatable UPDATE_FUNCTION_CODE = "UpdateFunctionCode", [FUNCTION];
    Repeatable UPDATE_FUNCTION_CONFIGURATION = "UpdateFunctionConfiguration", [FUNCTION, PASS_ROLE, through("kms:CreateGrant"), through("kms:Encrypt")];
    Repeatable PUT_FUNCTION_CONCURRENCY = "PutFunctionConcurrency", [FUNCTION];
    Repeatable DELETE_FUNCTION_CONCURRENCY = "DeleteFunctionConcurrency", [FUNCTION];
    Repeatable REMOVE_PERMISSION = "RemovePermission", [FUNCTION];
    Repeatable DELETE_FUNCTION_URL_CONFIG = "DeleteFunctionUrlConfig", [FUNCTION];
    Repeatable DELETE_FUNCTION_EVENT_INVOKE_CONFIG = "DeleteFunctionEventInvokeConfig", [FUNCTION];
    Repeatable DELETE_FUNCTION = "DeleteFunction", [FUNCTION];
    Once CREATE_EVENT_SOURCE_MAPPING = "CreateEventSourceMapping", [guarded("*", RequestTag), guarded(MAPPING, RequestTag).of("lambda:TagResource")];
    Repeatable UPDATE_EVENT_SOURCE_MAPPING = "UpdateEventSourceMapping", [guarded(MAPPING, ResourceTag)];
    Repeatable DELETE_EVENT_SOURCE_MAPPING = "DeleteEventSourceMapping", [guarded(MAPPING, ResourceTag)];
    Repeatable TAG_RESOURCE = "TagResource", [FUNCTION, guarded(MAPPING, ResourceTag)];
    Repeatable UNTAG_RESOURCE = "UntagResource", [FUNCTION, guarded(MAPPING, ResourceTag)];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    let says = |text: &str| answer.says(text);
    Some(match answer.code {
        // A function that was made a moment ago.
        "ResourceNotFoundException" if api.creates_or_changes() => Class::Propagating,
        "ResourceNotFoundException" => Class::Gone,
        // "The operation cannot be performed at this time. An update is in progress for resource", "The function is currently
        // in the following state: Pending".
        "ResourceConflictException"
            if says("in progress")
                || says("cannot be performed at this time")
                || says("Pending") =>
        {
            Class::NotReady
        }
        "ResourceConflictException" => Class::Conflict,
        // Of a mapping that is being created, changed or deleted.
        "ResourceInUseException" => Class::NotReady,
        // "The role defined for the function cannot be assumed by Lambda.", "The provided execution role does not have
        // permissions to call CreateNetworkInterface on EC2": of a role that was made a moment ago. "... PutFunctionConcurrency
        // decreases account's UnreservedConcurrentExecution below its minimum value" and others stay.
        "InvalidParameterValueException"
            if says("cannot be assumed by Lambda")
                || says("role does not have permissions")
                || says("KMS key is invalid")
                || says("Cannot access stream") =>
        {
            Class::Propagating
        }
        "TooManyRequestsException" => Class::Throttled,
        "ServiceException" | "EC2ThrottledException" => Class::Unclear,
        _ => return None,
    })
}

type Tags = BTreeMap<String, String>;

/// Gives the zip of a function's handler (`sync.handler` is in the zip `sync`) that has this SHA-256, in base64.
pub type Zips =
    Arc<dyn Fn(String, String) -> BoxFuture<'static, Result<Vec<u8>, Error>> + Send + Sync>;

/// Lambda: its client, its listings and the zips.
pub struct Lambda {
    pub client: Client,
    /// Where the zips of functions come from; a command that makes none has none.
    pub zips: Option<Zips>,
    /// ListEventSourceMappings: all of the region.
    listed: Reader<(), Vec<EventSourceMappingConfiguration>>,
    /// ListFunctions: all of the region.
    all: Reader<(), Vec<FunctionConfiguration>>,
    /// The same, handed over to the search that runs beside a refresh.
    last: HandedOver<Vec<FunctionConfiguration>>,
    caller: Arc<Caller>,
}

impl Lambda {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        Self {
            zips: None,
            all: all(&client, caller),
            last: HandedOver::default(),
            listed: listed(&client, caller),
            caller: caller.clone(),
            client,
        }
    }

    /// The bytes of a handler's zip.
    pub async fn zip(&self, handler: &str, sha256: &str) -> Result<Vec<u8>, Error> {
        match &self.zips {
            Some(zips) => zips(handler.to_owned(), sha256.to_owned()).await,
            None => Err(Error::permanent(
                CREATE_FUNCTION.action(),
                "this command has no zips of functions",
            )),
        }
    }

    /// A function with its tags and its reserved concurrency.
    pub async fn function(&self, name: &str) -> Result<GetFunctionOutput, Error> {
        let call = self.client.get_function().function_name(name);
        self.caller.call(GET_FUNCTION, || call.clone().send()).await
    }

    /// Its resource policy, which says who may call it.
    pub async fn policy(&self, name: &str) -> Result<String, Error> {
        let call = self.client.get_policy().function_name(name);
        let answer = self.caller.call(GET_POLICY, || call.clone().send());
        Ok(answer.await?.policy.unwrap_or_default())
    }

    /// Calls a function and waits for its end, at most so long; gives what it answered. That it failed is an answer too: its
    /// text names no value of a row.
    pub async fn invoke(
        &self,
        name: &str,
        event: &serde_json::Value,
        limit: Duration,
    ) -> Result<serde_json::Value, Error> {
        let timeouts = TimeoutConfig::builder()
            .read_timeout(limit)
            .operation_attempt_timeout(limit)
            .operation_timeout(limit)
            .build();
        let call = || {
            let request = self.client.invoke().function_name(name);
            let request = request.payload(Blob::new(event.to_string()));
            let patient = Builder::new().timeout_config(timeouts.clone());
            let sent = request.customize().config_override(patient).send();
            async move { sent.await.or_else(|refused| taken(&refused).ok_or(refused)) }
        };
        let answer = self.caller.call(INVOKE, call).await?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let value: serde_json::Value = serde_json::from_slice(&payload).unwrap_or_default();
        match answer.function_error {
            None => Ok(value),
            Some(kind) => {
                let why = value["errorMessage"].as_str().unwrap_or("no message");
                let text = format!("{name} ended with an error ({kind}): {}", redact(why));
                Err(Error::permanent(INVOKE.action(), text)
                    .hint(format!("look at the log group /aws/lambda/{name}")))
            }
        }
    }

    /// The functions of the region, as of a moment ago.
    pub async fn functions(&self) -> Result<Vec<FunctionConfiguration>, Error> {
        let read = async { Ok(self.all.get(()).await?.unwrap_or_default()) };
        self.last.keep(&self.caller, read).await
    }

    /// What [`Lambda::functions`] has just listed.
    pub fn just_listed(&self) -> Option<Vec<FunctionConfiguration>> {
        self.last.take(&self.caller)
    }

    /// The event source mappings of the region.
    pub async fn mappings(&self) -> Result<Vec<EventSourceMappingConfiguration>, Error> {
        Ok(self.listed.get(()).await?.unwrap_or_default())
    }

    /// The tags of a function or mapping.
    pub async fn tags(&self, arn: &str) -> Result<Tags, Error> {
        let call = self.client.list_tags().resource(arn);
        let answer = self.caller.call(LIST_TAGS, || call.clone().send());
        Ok(answer.await?.tags.unwrap_or_default().into_iter().collect())
    }
}

/// A function with one reserved execution refuses a second run while one is at work. That passes when the run ends, up to a quarter
/// of an hour later, and says nothing of the rate of calls: so it is an answer ("Invoke", `TooManyRequestsException` with its reason).
fn taken(refused: &SdkError<InvokeError>) -> Option<InvokeOutput> {
    let Some(InvokeError::TooManyRequestsException(error)) = refused.as_service_error() else {
        return None;
    };
    let of_function = ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded;
    if error.reason() != Some(&of_function) {
        return None;
    }
    let busy = json!({"status": "busy", "error": {"message": "another run of it is at work"}});
    let payload = Blob::new(busy.to_string());
    Some(InvokeOutput::builder().payload(payload).build())
}

fn all(client: &Client, caller: &Arc<Caller>) -> Reader<(), Vec<FunctionConfiguration>> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |_| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let send = |marker| client.list_functions().set_marker(marker).send();
            let all = caller.pages(LIST_FUNCTIONS, send, |page| {
                (page.functions.unwrap_or_default(), page.next_marker)
            });
            Ok(HashMap::from([((), all.await?)]))
        }
        .boxed()
    })
}

fn listed(
    client: &Client,
    caller: &Arc<Caller>,
) -> Reader<(), Vec<EventSourceMappingConfiguration>> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |_| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let call = client.list_event_source_mappings();
            let send = |marker| call.clone().set_marker(marker).send();
            let all = caller.pages(LIST_EVENT_SOURCE_MAPPINGS, send, |page| {
                let mappings = page.event_source_mappings.unwrap_or_default();
                (mappings, page.next_marker)
            });
            Ok(HashMap::from([((), all.await?)]))
        }
        .boxed()
    })
}

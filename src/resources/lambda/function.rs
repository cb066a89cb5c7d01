//! A function. What AWS shows of its code is a hash, so that is what is declared; the zip is asked for when it is sent.

use super::{LambdaTags, exposed, rest};
use crate::resources::iam::Role;
use crate::resources::kms::Key;
use crate::resources::owned::marked_of;
use crate::resources::prelude::*;
use crate::resources::sqs::Queue;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types as t;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Function {
    pub role: Ref<Arn<Role>>,
    /// `nodejs18.x`
    pub runtime: String,
    /// `sync.handler`: in the zip `sync`.
    pub handler: String,
    /// SHA-256 of the zip, in base64.
    pub code_sha256: String,
    pub memory_mib: i32,
    pub timeout_seconds: i32,
    /// `None` outside of a VPC.
    pub network: Option<Network>,
    /// May refer to other steps; never a secret.
    pub environment: BTreeMap<String, String>,
    /// Encrypts the environment.
    pub kms_key: Ref<Arn<Key>>,
    /// The log group, made before the function: Lambda would make an unencrypted one that keeps everything for ever.
    pub log_group: Ref<crate::resources::logs::LogGroup>,
    /// Takes the events of asynchronous calls that failed.
    pub dead_letters: Ref<Arn<Queue>>,
    /// How many of it run at once; `None` shares what the account has.
    pub concurrency: Option<i32>,
    /// Code of others that is loaded beside its own: none.
    pub layers: Vec<String>,
    /// Who may call it besides the account, by the names of statements; its URLs; and what becomes of asynchronous calls besides
    /// what `dead_letters` says.
    pub exposed: Exposed,
    /// Settings beside these that somebody set.
    #[serde(default)]
    pub others: Exposed,
    /// Event source mappings of others, which call it.
    #[serde(default)]
    pub members: Vec<String>,
}

/// Where a function stands in a VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Network {
    pub subnets: Vec<Ref<crate::resources::ec2::Subnet>>,
    pub security_groups: Vec<Ref<crate::resources::ec2::SecurityGroup>>,
}

const CREATE: Api = lambda::CREATE_FUNCTION;
const READ: Api = lambda::GET_FUNCTION;
const CONFIGURE: Api = lambda::UPDATE_FUNCTION_CONFIGURATION;

impl Kind for Function {
    const TYPE: &'static str = "lambda/function";
    const KNOWN_BY_NAME: bool = true;
    /// "CreateFunction" in the Lambda API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 64,
        legal: |c| c.is_ascii_alphanumeric() || "-_".contains(c),
        charset: "letters, digits, `-` and `_`",
    };
    type Outputs = Named<Self>;
}

impl Resource for Function {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        // In a VPC; the deletion waits until the function has left its subnets.
        seconds: (60.0, 90.0),
        cost: |_| Cost::usage(&["lambda", "lambda_requests"]),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &["members"],
        delegated: &[],
    };
    const STANDS_IN: &'static [&'static str] = &["network"];
    type Tags = LambdaTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let more = async || futures::join!(exposed::of(cx, name), cx.lambda.mappings());
        let (function, (exposed, mappings)) = match key.outputs {
            Some(_) => futures::join!(cx.lambda.function(name), more()),
            // Most that are looked for by name are not there yet.
            None => match found(cx.lambda.function(name).await)? {
                Some(function) => (Ok(function), more().await),
                None => return Ok(None),
            },
        };
        let (Some(function), Some(exposed)) = (found(function)?, found(exposed)?) else {
            return Ok(None);
        };
        let live = function.configuration();
        let live = live.ok_or_else(|| READ.missing("Configuration"))?;
        if let Some(error) = live.environment().and_then(|e| e.error()) {
            return Err(unreadable(error));
        }
        let arn: String = READ.field(live.function_arn(), "FunctionArn")?;
        let tags: Tags = function
            .tags()
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .collect();
        cx.recent.note(&arn, &tags);
        let reserved = function.concurrency();
        let spec = Self {
            concurrency: reserved.and_then(|c| c.reserved_concurrent_executions()),
            exposed,
            members: exposed::callers(cx, &mappings?, &arn, key.identity).await?,
            ..of(live)
        };
        let found = Found::tagged(spec, Named::new(name, arn), tags);
        Ok(Some(found.phase(phase(live))))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let zip = cx.lambda.zip(&self.handler, &self.code_sha256).await?;
        let code = t::FunctionCode::builder().zip_file(Blob::new(zip));
        let call = cx.lambda.client.create_function();
        let call = call
            .function_name(&identity.name)
            .package_type(t::PackageType::Zip)
            .code(code.build())
            .role(&self.role)
            .runtime(t::Runtime::from(self.runtime.as_str()))
            .handler(&self.handler)
            .memory_size(self.memory_mib)
            .timeout(self.timeout_seconds)
            .vpc_config(self.vpc())
            .environment(self.variables())
            .kms_key_arn(&self.kms_key)
            .logging_config(self.logging())
            .dead_letter_config(self.failures())
            .set_layers(Some(self.layers.clone()))
            .set_tags(Some(identity.tags.clone().into_iter().collect()));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let arn: String = CREATE.field(made.function_arn(), "FunctionArn")?;
        Ok(Named::new(&identity.name, arn))
    }

    /// Lambda changes code and configuration one after the other: each call is refused while the former is in progress.
    async fn update(&self, cx: &Aws, it: &Named<Self>, delta: &Delta) -> Result<(), Error> {
        let client = &cx.lambda.client;
        for what in delta.entries("exposed").keys() {
            exposed::close(cx, it.name.as_str(), what).await?;
        }
        if delta.touches("concurrency") {
            self.reserve(cx, it).await?;
        }
        let again = rest::with_code(delta);
        // When this is repeated, the code may be there already.
        let differs = delta.touches("code_sha256") && !self.has_code(cx, it).await?;
        if differs || again.is_some() {
            let zip = cx.lambda.zip(&self.handler, &self.code_sha256).await?;
            let call = client.update_function_code().function_name(&it.name);
            let call = call.zip_file(Blob::new(zip)).set_architectures(again);
            let api = lambda::UPDATE_FUNCTION_CODE;
            cx.call(api, || call.clone().send()).await?;
        }
        const APART: [&str; 3] = ["exposed", "concurrency", "code_sha256"];
        if delta.changes.iter().all(|c| APART.contains(&c.field())) {
            return Ok(());
        }
        let call = client.update_function_configuration();
        let call = call
            .function_name(&it.name)
            .role(&self.role)
            .runtime(t::Runtime::from(self.runtime.as_str()))
            .handler(&self.handler)
            .memory_size(self.memory_mib)
            .timeout(self.timeout_seconds)
            .vpc_config(self.vpc())
            .environment(self.variables())
            .kms_key_arn(&self.kms_key)
            .logging_config(self.logging())
            .dead_letter_config(self.failures())
            .set_layers(Some(self.layers.clone()));
        let call = rest::configure(call, delta)?;
        cx.call(CONFIGURE, || call.clone().send()).await.map(drop)
    }

    /// Its interfaces go within minutes when it leaves its subnets first, and up to 45 minutes after it otherwise ("Giving
    /// Lambda functions access to resources in an Amazon VPC"): so it is deleted only when it stands in no subnet.
    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let Some(live) = found(cx.lambda.function(it.name.as_str()).await)? else {
            return Ok(());
        };
        let live = live.configuration();
        if live.and_then(|l| l.last_update_status()) == Some(&t::LastUpdateStatus::InProgress) {
            return Err(leaving(it));
        }
        if live.is_some_and(|live| network(live).is_some()) {
            let nowhere = t::VpcConfig::builder()
                .set_subnet_ids(Some(Vec::new()))
                .set_security_group_ids(Some(Vec::new()));
            let call = cx.lambda.client.update_function_configuration();
            let call = call.function_name(&it.name).vpc_config(nowhere.build());
            match cx.call(CONFIGURE, || call.clone().send()).await {
                Ok(_) => return Err(leaving(it)),
                // "Lambda runtimes", deprecation: what runs on a runtime that is blocked can be deleted and not changed. Its interfaces
                // go later then.
                Err(refused) if refused.class == Class::Permanent && !refused.is_denied() => {}
                Err(failed) => return Err(failed),
            }
        }
        let call = cx.lambda.client.delete_function().function_name(&it.name);
        cx.delete(lambda::DELETE_FUNCTION, || call.clone().send())
            .await
    }
}

/// It is on its way out of its subnets.
fn leaving(it: &Named<Function>) -> Error {
    let text = format!("{} is leaving its subnets", it.name);
    Error::of(Class::NotReady, lambda::DELETE_FUNCTION.action(), text)
}

impl Function {
    /// Empty lists outside of a VPC: leaving them out would change nothing.
    fn vpc(&self) -> t::VpcConfig {
        let network = self.network.as_ref();
        let subnets = network.map(|n| texts(&n.subnets)).unwrap_or_default();
        let groups = network
            .map(|n| texts(&n.security_groups))
            .unwrap_or_default();
        t::VpcConfig::builder()
            .set_subnet_ids(Some(subnets))
            .set_security_group_ids(Some(groups))
            .build()
    }

    fn variables(&self) -> t::Environment {
        let variables = self.environment.clone().into_iter().collect();
        t::Environment::builder()
            .set_variables(Some(variables))
            .build()
    }

    fn logging(&self) -> t::LoggingConfig {
        t::LoggingConfig::builder()
            .log_format(t::LogFormat::Text)
            .log_group(&self.log_group)
            .build()
    }

    fn failures(&self) -> t::DeadLetterConfig {
        t::DeadLetterConfig::builder()
            .target_arn(&self.dead_letters)
            .build()
    }

    async fn has_code(&self, cx: &Aws, it: &Named<Self>) -> Result<bool, Error> {
        let live = cx.lambda.function(it.name.as_str()).await?;
        let live = live.configuration().and_then(|l| l.code_sha256());
        Ok(live == Some(self.code_sha256.as_str()))
    }

    async fn reserve(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let Some(count) = self.concurrency else {
            let call = cx.lambda.client.delete_function_concurrency();
            let call = call.function_name(&it.name);
            let api = lambda::DELETE_FUNCTION_CONCURRENCY;
            return cx.delete(api, || call.clone().send()).await;
        };
        let call = cx.lambda.client.put_function_concurrency();
        let call = call
            .function_name(&it.name)
            .reserved_concurrent_executions(count);
        let api = lambda::PUT_FUNCTION_CONCURRENCY;
        let answer = cx.call(api, || call.clone().send()).await;
        answer.map(drop).map_err(|error| {
            if error.message.contains("UnreservedConcurrentExecution") {
                error.hint("ask for a higher quota of concurrent executions (Service Quotas, Lambda), or set `migration.reserve_concurrency = false`: then only the functions' own locks keep two runs apart")
            } else {
                error
            }
        })
    }
}

fn network(live: &t::FunctionConfiguration) -> Option<Network> {
    let vpc = live.vpc_config().filter(|v| !v.subnet_ids().is_empty())?;
    let refs = |ids: &[String]| ids.to_vec();
    Some(Network {
        subnets: refs(vpc.subnet_ids()).into_iter().map(Ref::from).collect(),
        security_groups: refs(vpc.security_group_ids())
            .into_iter()
            .map(Ref::from)
            .collect(),
    })
}

/// Whoever may not decrypt with the function's key gets everything but the variables ("Working with Lambda environment variables").
fn unreadable(error: &t::EnvironmentError) -> Error {
    let why = error.message().unwrap_or_default();
    let text = format!("the variables cannot be read: {why}");
    Error {
        code: error.error_code().unwrap_or_default().to_owned(),
        ..Error::permanent(READ.action(), text)
    }
    .hint("allow `kms:Decrypt` with the key of the function through Lambda, as `deployer permissions --read-only` does")
}

fn of(live: &t::FunctionConfiguration) -> Function {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let variables = live.environment().and_then(|e| e.variables());
    let logging = live.logging_config();
    let failures = live.dead_letter_config();
    let layers = live.layers().iter();
    Function {
        role: live.role().unwrap_or_default().into(),
        runtime: text(live.runtime().map(t::Runtime::as_str)),
        handler: text(live.handler()),
        code_sha256: text(live.code_sha256()),
        memory_mib: live.memory_size().unwrap_or_default(),
        timeout_seconds: live.timeout().unwrap_or_default(),
        network: network(live),
        environment: variables.cloned().unwrap_or_default().into_iter().collect(),
        kms_key: live.kms_key_arn().unwrap_or_default().into(),
        log_group: logging
            .and_then(|l| l.log_group())
            .unwrap_or_default()
            .into(),
        dead_letters: failures
            .and_then(|f| f.target_arn())
            .unwrap_or_default()
            .into(),
        concurrency: None,
        layers: layers.map(|l| text(l.arn())).collect(),
        exposed: Exposed::new(),
        others: rest::of_function(live),
        members: Vec::new(),
    }
}

fn phase(live: &t::FunctionConfiguration) -> Phase {
    let why = |reason: Option<&str>| Phase::Failed(reason.unwrap_or("no reason given").to_owned());
    match (live.state(), live.last_update_status()) {
        (Some(t::State::Failed), _) => why(live.state_reason()),
        (Some(t::State::Deleting), _) => Phase::Deleting,
        (Some(t::State::Pending), _) | (_, Some(t::LastUpdateStatus::InProgress)) => {
            Phase::Settling
        }
        (_, Some(t::LastUpdateStatus::Failed)) => why(live.last_update_status_reason()),
        _ => Phase::Ready,
    }
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    // The refresh beside it has listed them for the VPCs.
    cx.recent.refreshed().await;
    let all = match cx.lambda.just_listed() {
        Some(all) => all,
        None => cx.lambda.functions().await?,
    };
    let all = all.into_iter();
    let all = all.filter_map(|f| Some((f.function_name?, f.function_arn?)));
    marked_of(cx, Function::TYPE, suffix, all.collect(), |cx, arn| {
        Box::pin(async move { found(cx.lambda.tags(arn).await) })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn variables_that_cannot_be_decrypted_are_a_denial_and_no_difference() {
        let denied = t::EnvironmentError::builder()
            .error_code("AccessDeniedException")
            .message("Lambda was unable to decrypt");
        let error = unreadable(&denied.build());
        assert!(error.is_denied(), "{error:?}");
        assert!(error.hint.unwrap().contains("kms:Decrypt"));
    }

    /// What a delete ends with when the function stands in a subnet and its change is answered so; an answer too much is a panic.
    async fn deleted(change: (u16, Value), then: Vec<u16>) -> Result<(), Error> {
        let stands = json!({"Configuration": {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}});
        let answers = [(200, stands), change].into_iter();
        let answers = answers.chain(then.into_iter().map(|status| (status, json!({}))));
        let answers = std::sync::Mutex::new(answers);
        let aws = crate::aws::wire::answering(move |_| {
            let (status, body) = answers.lock().unwrap().next().unwrap();
            (status, body.to_string().into_bytes())
        });
        let spec: Function = serde_json::from_value(json!({
            "role": "arn", "runtime": "nodejs18.x", "handler": "sync.handler", "code_sha256": "", "memory_mib": 128,
            "timeout_seconds": 3, "network": null, "environment": {}, "kms_key": "arn", "log_group": "g", "dead_letters": "arn",
            "concurrency": null, "layers": [], "exposed": {},
        }))
        .unwrap();
        let it = Named::new("sync", "arn:aws:lambda:eu-central-1:1:function:sync");
        spec.delete(&aws, &it).await
    }

    #[tokio::test]
    async fn what_runs_on_a_blocked_runtime_is_deleted_although_it_cannot_leave_its_subnets() {
        let refused = |code: &str| {
            (
                400,
                json!({"__type": code, "message": "The runtime parameter of nodejs18.x is no longer supported for creating or updating AWS Lambda functions."}),
            )
        };
        let blocked = refused("InvalidParameterValueException");
        assert_eq!(deleted(blocked, vec![204]).await, Ok(()));
        let denied = deleted(refused("AccessDeniedException"), Vec::new()).await;
        assert!(denied.unwrap_err().is_denied());
        let leaving = deleted((200, json!({})), Vec::new()).await.unwrap_err();
        assert_eq!(leaving.class, Class::NotReady);
    }
}

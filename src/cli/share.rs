//! `deployer state init`, `push` and `pull`: a state that is shared through a bucket.

use super::Context;
use super::connection::{check_account, local_store, store, to_bucket};
use super::error::Failure;
use super::exit::Exit;
use super::run;
use super::session::configuration;
use crate::aws::{Aws, sts};
use crate::config::Config;
use crate::engine::diff::diff;
use crate::engine::{Delta, Driver, Error, Identity, Key, Live};
use crate::report::{StateInitDocument, TransferDocument};
use crate::resources::policy::Policy;
use crate::resources::s3::{Bucket, Encryption, PublicAccess, Rule};
use crate::resources::{self, Exposed, policy};
use crate::state::{Store, Transferred, transfer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The tag of a bucket that `state init` made. It carries no ownership mark: it belongs to no deployment.
const PURPOSE: (&str, &str) = ("Purpose", "deployer-state");

/// Days that replaced and deleted versions are kept.
const VERSIONS_DAYS: i32 = 90;

/// The bucket of the configured state, or how to configure one.
fn shared(config: &Config) -> Result<(&str, &str), Failure> {
    config.shared_state().ok_or_else(|| {
        Failure::usage("the state is in local files: there is no bucket to share it through")
            .hint("set `state = \"s3://BUCKET/PREFIX\"` in the configuration, or pass --state")
    })
}

/// Makes the bucket, or checks the one that is there. What `state init` made once is completed; a bucket of somebody else is
/// never changed.
pub async fn init(cx: &Context<'_>, yes: bool) -> Result<Exit, Failure> {
    let config = configuration(cx)?;
    let (bucket, _) = shared(&config)?;
    let (connection, caller) = to_bucket(cx, &config, bucket).await?;
    let mut aws = Aws::new(&connection, caller);
    aws.account = account(&aws, &config).await?;
    let (region, account) = (aws.region.clone(), aws.account.clone());
    let registry = resources::registry(&Arc::new(aws));
    let driver = registry.get("s3/bucket")?;
    let mut tags = config.tags.set.clone();
    tags.insert(PURPOSE.0.into(), PURPOSE.1.into());
    let identity = Identity {
        step: "state".into(),
        name: bucket.to_owned(),
        tags,
        token: String::new(),
    };
    let spec = serde_json::to_value(wanted(bucket)).map_err(std::io::Error::from)?;
    let before = read(driver, &spec, &identity).await?;
    let created = before.is_none();
    if created {
        let place = format!("Make the bucket {bucket} in account {account}, region {region}");
        run::can_ask(yes)?;
        if !yes {
            cx.console
                .note(&format!("{place}? Only 'yes' will be accepted:"))?;
            if run::answer().await? != "yes" {
                return Err(run::cancelled());
            }
        }
        driver.create(&spec, &identity).await?;
    }
    let live = match before {
        Some(live) => live,
        None => read(driver, &spec, &identity).await?.ok_or_else(|| {
            let text = "the bucket that was just made is not visible yet";
            Failure::from(Error::permanent("s3:CreateBucket", text)).hint("run the command again")
        })?,
    };
    let ours = live
        .tags()
        .and_then(|t| t.get(PURPOSE.0))
        .map(String::as_str)
        == Some(PURPOSE.1);
    let changed = if ours {
        complete(driver, bucket, &spec, &live).await?
    } else {
        accept(bucket, &live.spec)?;
        Vec::new()
    };
    let text = match (created, ours, changed.is_empty()) {
        (true, ..) => format!("made the bucket {bucket} in {region}"),
        (_, true, false) => format!("completed the bucket {bucket}: {}", changed.join(", ")),
        _ => format!("the bucket {bucket} in {region} can be used as it is"),
    };
    let document = StateInitDocument {
        bucket: bucket.to_owned(),
        region,
        created,
        changed,
    };
    cx.console.answer(&format!("{text}\n"), &document)?;
    Ok(Exit::Done)
}

/// The account of the credentials, which must be the pinned one.
async fn account(aws: &Aws, config: &Config) -> Result<String, Failure> {
    let api = sts::GET_CALLER_IDENTITY;
    let who = aws.call(api, || aws.sts.client.get_caller_identity().send());
    let account: String = api.field(who.await?.account(), "Account")?;
    check_account(config, &account)?;
    Ok(account)
}

async fn read(
    driver: &Arc<dyn Driver>,
    spec: &Value,
    identity: &Identity,
) -> Result<Option<Live>, Failure> {
    let key = Key {
        spec,
        outputs: None,
        identity,
    };
    Ok(driver.read(key).await?)
}

/// Versions, encryption, nothing public, TLS alone.
fn wanted(bucket: &str) -> Bucket {
    let rule = |id: &str, rule| (id.to_owned(), rule);
    Bucket {
        ownership: "BucketOwnerEnforced".into(),
        versioning: true,
        encryption: Encryption {
            algorithm: "AES256".into(),
            kms_key: None,
        },
        public_access: PublicAccess {
            block_acls: true,
            ignore_acls: true,
            block_policy: true,
            restrict: true,
        },
        policy: Some(Policy::of(policy::encrypted_transport(bucket).to_vec())),
        logging: None,
        lifecycle: BTreeMap::from([
            rule(
                "expire-noncurrent",
                Rule {
                    noncurrent_days: Some(VERSIONS_DAYS),
                    ..Rule::default()
                },
            ),
            rule(
                "abort-uploads",
                Rule {
                    abort_upload_days: Some(7),
                    ..Rule::default()
                },
            ),
        ]),
        exposed: Exposed::new(),
    }
}

/// What a bucket needs for a state and does not have: the field, and in words.
fn lacking(bucket: &str, found: &Bucket) -> Vec<(&'static str, &'static str)> {
    let public = &found.public_access;
    let closed = public.block_acls && public.ignore_acls && public.block_policy && public.restrict;
    let policy = found.policy.as_ref().map(Policy::document);
    let checks = [
        (found.versioning, "versioning", "versioning"),
        (
            found.encryption.algorithm != "none",
            "encryption",
            "default encryption",
        ),
        (
            closed,
            "public_access",
            "complete public access block (all four settings)",
        ),
        (
            policy.is_some_and(|text| demands_tls(&text, bucket)),
            "policy",
            "policy that denies `s3:*` to everybody where `aws:SecureTransport` is false",
        ),
    ];
    let missing = checks.into_iter().filter(|c| !c.0);
    missing.map(|(_, field, words)| (field, words)).collect()
}

/// Sets what is lacking on a bucket of ours: what somebody made stronger or added stays. Gives the fields.
async fn complete(
    driver: &Arc<dyn Driver>,
    bucket: &str,
    spec: &Value,
    live: &Live,
) -> Result<Vec<String>, Failure> {
    let found: Bucket = serde_json::from_value(live.spec.clone()).map_err(std::io::Error::from)?;
    let mut fields: Vec<&str> = lacking(bucket, &found).iter().map(|l| l.0).collect();
    if found.policy.is_some() && fields.contains(&"policy") {
        // A policy that somebody wrote is not replaced.
        return Err(unfit(bucket, &found));
    }
    if found.lifecycle.is_empty() {
        fields.push("lifecycle");
    }
    let mut changes = diff(spec, &live.spec);
    changes.retain(|change| fields.contains(&change.field()));
    let delta = Delta::of(changes);
    if !delta.is_empty() {
        driver.update(spec, &live.outputs, &delta).await?;
    }
    fields.retain(|field| delta.touches(field));
    Ok(fields.into_iter().map(str::to_owned).collect())
}

/// Refuses a bucket of somebody else that is not fit for a state, with all that it needs.
fn accept(bucket: &str, live: &Value) -> Result<(), Failure> {
    let found: Bucket = serde_json::from_value(live.clone()).map_err(std::io::Error::from)?;
    if lacking(bucket, &found).is_empty() {
        return Ok(());
    }
    Err(unfit(bucket, &found))
}

fn unfit(bucket: &str, found: &Bucket) -> Failure {
    let words: Vec<&str> = lacking(bucket, found).iter().map(|l| l.1).collect();
    Failure::new(
        Exit::Failed,
        format!(
            "the bucket {bucket} exists and has no {}; nothing was changed",
            words.join(", no ")
        ),
    )
    .hint("set these on the bucket and run the command again, or choose another bucket")
}

/// True for a policy with a statement that denies everything on bucket and objects in clear text, whatever else it says.
fn demands_tls(text: &str, bucket: &str) -> bool {
    let policy: Value = serde_json::from_str(text).unwrap_or_default();
    let all = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        other => vec![other.clone()],
    };
    let has = |value: &Value, texts: &[&str]| {
        let items = all(value);
        texts.iter().any(|t| items.iter().any(|i| i == t))
    };
    let arn = format!("arn:aws:s3:::{bucket}");
    all(&policy["Statement"]).iter().any(|statement| {
        let whom = &statement["Principal"];
        let resource = &statement["Resource"];
        statement["Effect"] == "Deny"
            && (has(whom, &["*"]) || has(&whom["AWS"], &["*"]))
            && has(&statement["Action"], &["s3:*", "*"])
            && (has(resource, &["*"])
                || has(resource, &[&format!("{arn}*")])
                || (has(resource, &[&arn]) && has(resource, &[&format!("{arn}/*")])))
            && [json!("false"), json!(["false"]), json!(false)]
                .iter()
                .any(|no| statement["Condition"] == json!({"Bool": {"aws:SecureTransport": no}}))
    })
}

/// The local state files become the shared state.
pub async fn push(cx: &Context<'_>) -> Result<Exit, Failure> {
    let config = configuration(cx)?;
    shared(&config)?;
    let there = store(cx, &config).await?;
    let here = local_store(cx.common, &config);
    moved(cx, &config, &here, there.as_ref()).await
}

/// The shared state becomes the local state files.
pub async fn pull(cx: &Context<'_>) -> Result<Exit, Failure> {
    let config = configuration(cx)?;
    shared(&config)?;
    let there = store(cx, &config).await?;
    let here = local_store(cx.common, &config);
    moved(cx, &config, there.as_ref(), &here).await
}

async fn moved(
    cx: &Context<'_>,
    config: &Config,
    from: &dyn Store,
    to: &dyn Store,
) -> Result<Exit, Failure> {
    let command = run::command_line();
    let (done, state) = transfer(from, to, &config.region, &command).await?;
    let name = |store: &dyn Store| store.state_name().display().to_string();
    let document = TransferDocument {
        from: name(from),
        to: name(to),
        written: done == Transferred::Written,
        serial: state.serial,
        steps: state.steps.len(),
    };
    let text = match done {
        Transferred::Written => format!(
            "{} is what {} is: serial {}, {} steps\n",
            document.to, document.from, document.serial, document.steps
        ),
        Transferred::Same => format!("{} and {} are the same\n", document.from, document.to),
    };
    cx.console.answer(&text, &document)?;
    Ok(Exit::Done)
}

//! What must be known of an account before the graph can be made, and the one maker of it.

use super::functions::{FUNCTIONS, RESERVED};
use super::images::{self, Images};
use super::{compliance, zone};
use crate::aws::lambda::GET_ACCOUNT_SETTINGS;
use crate::aws::{Aws, Preflight, ec2, survey};
use crate::config::Config;
use crate::engine::Error;
use aws_sdk_ec2::types::Filter;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What must be known of the account before the graph can be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The account id.
    pub account: String,
    /// The availability zones that are used, sorted by name.
    pub zones: Vec<String>,
    /// The region's address blocks of S3 and DynamoDB.
    pub prefix_lists: ServicePrefixLists,
    /// The images that there are, by service.
    #[serde(default)]
    pub images: Images,
    /// The public zone that the domain is in.
    #[serde(default)]
    pub zone: Option<Zone>,
    /// The code of the migration's functions.
    #[serde(default)]
    pub code: Code,
    /// The recorder of AWS Config that the region has and that is not this deployment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorder: Option<String>,
    /// The domain can be resolved by everybody: false for a zone that was made and is not delegated yet.
    #[serde(default = "yes")]
    pub delegated: bool,
    /// The account allows that each function has a concurrent execution reserved.
    #[serde(default = "yes")]
    pub concurrency: bool,
}

fn yes() -> bool {
    true
}

/// The code of the migration's functions, as zips. The same sources give the same zips, so what is recorded is true as long as
/// the sources are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The digest of their sources; empty when no zip is known.
    pub sources: String,
    /// SHA-256 of each in base64, by name.
    pub zips: BTreeMap<String, String>,
}

impl Code {
    /// The hash of a zip; empty when it is not known.
    pub fn of(&self, zip: &str) -> String {
        self.zips.get(zip).cloned().unwrap_or_default()
    }
}

/// A public hosted zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Its name, without a dot at its end.
    pub name: String,
}

/// Ids of AWS-managed prefix lists, `pl-...`: what security groups name to let traffic reach a gateway endpoint ("Gateway
/// endpoints", "Security").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePrefixLists {
    /// Of S3.
    pub s3: String,
    /// Of DynamoDB.
    pub dynamodb: String,
}

impl Facts {
    /// Reads them: all calls at once, and then the images, whose repositories are the account's. The findings say what is wrong
    /// where there are none.
    pub async fn read(aws: &Aws, config: &Config) -> (Preflight, Result<Self, Error>) {
        let (mut found, lists, zone, recorder, unreserved, delegated) = tokio::join!(
            survey(aws, config.network.zones),
            prefix_lists(aws),
            zone::find(aws, config),
            recorder(aws, config),
            unreserved(aws, config),
            zone::is_delegated(aws, config)
        );
        let images = match found.error() {
            None => images::read(aws, config, &found.account).await,
            Some(_) => Ok(Images::new()),
        };
        let read = async { Ok((lists?, zone?, recorder?, unreserved?, delegated?, images?)) };
        let facts = match (found.error(), read.await) {
            (Some(error), _) | (None, Err(error)) => Err(error),
            (None, Ok((prefix_lists, zone, recorder, unreserved, delegated, images))) => Ok(Self {
                images,
                recorder,
                delegated,
                concurrency: unreserved.is_none_or(|left| {
                    left >= FUNCTIONS.len() * RESERVED as usize + LEAST_UNRESERVED
                }),
                code: Code::default(),
                zone: zone.unwrap_or_else(|check| {
                    found.checks.push(check);
                    None
                }),
                account: found.account.clone(),
                zones: found
                    .zones
                    .iter()
                    .take(config.network.zones)
                    .cloned()
                    .collect(),
                prefix_lists,
            }),
        };
        (found, facts)
    }

    /// The facts that a state records, if it records any that this program understands.
    pub fn recorded(value: &serde_json::Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }

    /// What stands in for facts before the first run.
    pub fn assumed(config: &Config) -> Self {
        let zones = ["a", "b", "c", "d"].iter().take(config.network.zones);
        Self {
            account: "000000000000".into(),
            zones: zones.map(|z| format!("{}{z}", config.region)).collect(),
            prefix_lists: ServicePrefixLists {
                s3: "pl-s3".into(),
                dynamodb: "pl-dynamodb".into(),
            },
            images: Images::new(),
            recorder: None,
            concurrency: true,
            delegated: true,
            code: Code::default(),
            zone: Some(Zone {
                id: "Z00000000000000000000".into(),
                name: "example.com".into(),
            }),
        }
    }
}

/// What all functions without a reservation share at least ("Configuring reserved concurrency for a function").
const LEAST_UNRESERVED: usize = 100;

/// The concurrent executions of the account that nobody has reserved; `None` when nobody wants any.
async fn unreserved(aws: &Aws, config: &Config) -> Result<Option<usize>, Error> {
    if !config.migration.reserve_concurrency {
        return Ok(None);
    }
    let answer = aws
        .call(GET_ACCOUNT_SETTINGS, || {
            aws.lambda.client.get_account_settings().send()
        })
        .await?;
    let limit = answer.account_limit();
    let left = limit.and_then(|l| l.unreserved_concurrent_executions());
    Ok(left.and_then(|left| usize::try_from(left).ok()))
}

/// The recorder that somebody else made in this region.
async fn recorder(aws: &Aws, config: &Config) -> Result<Option<String>, Error> {
    if !config.compliance.rules {
        return Ok(None);
    }
    let all = aws.config.recorders().await?;
    // Services have recorders of their own beside that of the account.
    let mut names = all
        .iter()
        .filter(|r| r.service_principal().is_none())
        .filter_map(|r| r.name());
    let ours = compliance::recorder_name(&config.suffix);
    Ok(names.find(|name| *name != ours).map(str::to_owned))
}

async fn prefix_lists(aws: &Aws) -> Result<ServicePrefixLists, Error> {
    let region = &aws.region;
    let name = |service: &str| format!("com.amazonaws.{region}.{service}");
    let names = Filter::builder()
        .name("prefix-list-name")
        .values(name("s3"))
        .values(name("dynamodb"))
        .build();
    let call = aws.ec2.client.describe_managed_prefix_lists();
    let call = call.filters(names);
    let send = |token| call.clone().set_next_token(token).send();
    let lists = aws.pages(ec2::DESCRIBE_MANAGED_PREFIX_LISTS, send, |page| {
        (page.prefix_lists.unwrap_or_default(), page.next_token)
    });
    let lists = lists.await?;
    let id = |service: &str| {
        let wanted = name(service);
        let list = lists.iter().find(|l| l.prefix_list_name() == Some(&wanted));
        list.and_then(|l| l.prefix_list_id())
            .map(str::to_owned)
            .ok_or_else(|| {
                Error::permanent(
                    ec2::DESCRIBE_MANAGED_PREFIX_LISTS.action(),
                    format!("the region {region} shows no prefix list `{wanted}`"),
                )
            })
    };
    Ok(ServicePrefixLists {
        s3: id("s3")?,
        dynamodb: id("dynamodb")?,
    })
}

//! What must be known of an account before the graph can be made, and the one maker of it.

use super::functions::{FUNCTIONS, RESERVED};
use super::images::{self, Images};
use super::{compliance, zone};
use crate::aws::lambda::GET_ACCOUNT_SETTINGS;
use crate::aws::{Aws, Preflight, ec2, survey};
use crate::config::Config;
use crate::engine::{Check, Error};
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
    /// The account allows that each function has a concurrent execution reserved; `None` when nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<bool>,
    /// What of these could not be read.
    #[serde(skip)]
    pub(super) unread: Unread,
}

/// Facts that could not be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Unread {
    recorder: bool,
    delegated: bool,
    zone: bool,
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
    /// where there are none. With `functions` those of the migration are meant.
    ///
    /// What only some steps need is a finding when it cannot be read: those steps fail by themselves.
    pub async fn read(
        aws: &Aws,
        config: &Config,
        functions: bool,
    ) -> (Preflight, Result<Self, Error>) {
        let (mut found, lists, zone, recorder, unreserved, delegated) = tokio::join!(
            survey(aws, config.network.zones),
            prefix_lists(aws),
            zone::find(aws, config),
            recorder(aws, config),
            unreserved(aws, functions && config.migration.reserve_concurrency),
            zone::is_delegated(aws, config)
        );
        let images = match found.error() {
            None => images::read(aws, config, &found.account).await,
            Some(_) => Ok(Images::new()),
        };
        let read = async { Ok((lists?, zone?, images?)) };
        let facts = match (found.error(), read.await) {
            (Some(error), _) | (None, Err(error)) => Err(error),
            (None, Ok((prefix_lists, zone, images))) => {
                let recorder = or_unread("recorder", recorder, &mut found);
                let delegated = or_unread("delegation", delegated, &mut found);
                Ok(Self {
                    images,
                    unread: Unread {
                        recorder: recorder.is_none(),
                        delegated: delegated.is_none(),
                        zone: zone.is_err(),
                    },
                    recorder: recorder.flatten(),
                    delegated: delegated.unwrap_or(true),
                    concurrency: suffices(unreserved, &mut found),
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
                })
            }
        };
        (found, facts)
    }

    /// What was not read is as an earlier run recorded it.
    pub fn keep(&mut self, recorded: &Self) {
        if self.unread.recorder {
            self.recorder.clone_from(&recorded.recorder);
        }
        if self.unread.delegated {
            self.delegated = recorded.delegated;
        }
        // What is there is compared with what was declared when it was clear; nothing is made.
        if self.unread.zone {
            self.zone.clone_from(&recorded.zone);
        }
        // What the functions have reserved is no longer among what is free.
        let reserved = recorded.concurrency == Some(true) && !recorded.code.zips.is_empty();
        self.concurrency = match self.concurrency {
            Some(enough) => Some(enough || reserved),
            None => recorded.concurrency,
        };
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
            concurrency: None,
            delegated: true,
            unread: Unread::default(),
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

/// The answer; without one, a finding that says why.
fn or_unread<T>(name: &str, answer: Result<T, Error>, found: &mut Preflight) -> Option<T> {
    answer
        .inspect_err(|error| found.checks.push(Check::not_checked(name, error)))
        .ok()
}

/// Whether what nobody has reserved is enough for the functions; `None` when it is not known.
fn suffices(unreserved: Result<Option<usize>, Error>, found: &mut Preflight) -> Option<bool> {
    let error = match unreserved {
        Ok(left) => {
            let least = FUNCTIONS.len() * RESERVED as usize + LEAST_UNRESERVED;
            return left.map(|left| left >= least);
        }
        Err(error) => error,
    };
    let check = Check::not_checked("concurrency", &error);
    let without = "`migration.reserve_concurrency = false` does without";
    let hint = match &check.hint {
        Some(hint) => format!("{hint}; {without}"),
        None => without.to_owned(),
    };
    found.checks.push(check.hint(hint));
    None
}

/// The concurrent executions of the account that nobody has reserved; `None` when nobody wants any.
async fn unreserved(aws: &Aws, wanted: bool) -> Result<Option<usize>, Error> {
    if !wanted {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_read_is_as_it_was_recorded_and_what_was_read_is_not() {
        let recorded = Facts {
            recorder: Some("theirs".into()),
            delegated: false,
            concurrency: Some(false),
            ..Facts::sample()
        };
        let kept = |mut facts: Facts, recorded: &Facts| {
            facts.keep(recorded);
            (facts.recorder, facts.delegated, facts.concurrency)
        };
        let unread = Facts {
            unread: Unread {
                recorder: true,
                delegated: true,
                zone: false,
            },
            ..Facts::sample()
        };
        let unclear = Facts {
            zone: None,
            unread: Unread {
                zone: true,
                ..Unread::default()
            },
            ..Facts::sample()
        };
        let mut compared = unclear.clone();
        compared.keep(&recorded);
        assert_eq!(compared.zone, recorded.zone);
        assert!(recorded.zone.is_some());
        let theirs = Some("theirs".to_owned());
        assert_eq!(kept(unread, &recorded), (theirs, false, Some(false)));
        let read = |enough| Facts {
            concurrency: Some(enough),
            ..Facts::sample()
        };
        assert_eq!(kept(read(true), &recorded), (None, true, Some(true)));
        assert_eq!(kept(read(false), &recorded), (None, true, Some(false)));
        // What the functions have is taken from what is free.
        let zips = [("sync".to_owned(), "hash".to_owned())].into();
        let made = Facts {
            concurrency: Some(true),
            code: Code {
                sources: "digest".into(),
                zips,
            },
            ..Facts::sample()
        };
        assert_eq!(kept(read(false), &made), (None, true, Some(true)));
    }

    #[test]
    fn executions_that_cannot_be_counted_are_a_finding_that_names_the_key() {
        let mut found = Preflight::default();
        assert_eq!(suffices(Ok(Some(1000)), &mut found), Some(true));
        assert_eq!(suffices(Ok(Some(100)), &mut found), Some(false));
        assert_eq!(suffices(Ok(None), &mut found), None);
        assert_eq!(found.checks, []);
        let denied = Error::permanent("lambda:GetAccountSettings", "no")
            .code("AccessDeniedException")
            .hint("allow `lambda:GetAccountSettings`");
        assert_eq!(suffices(Err(denied), &mut found), None);
        assert!(found.error().is_none());
        let check = &found.checks[0];
        assert!(
            check
                .text
                .starts_with("not checked: lambda:GetAccountSettings")
        );
        let hint = check.hint.as_deref().unwrap();
        assert!(
            hint.starts_with(
                "allow `lambda:GetAccountSettings`; `migration.reserve_concurrency = false`"
            ),
            "{hint}"
        );
    }
}

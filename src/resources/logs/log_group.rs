//! A log group.

use crate::aws::{Aws, once, read, repeatable};
use crate::engine::{Delta, Error, Handle, Identity, Kind, NameRule, Owned, Phase, Ref};
use crate::resources::kms::KeyArn;
use crate::resources::owned::{is_conventional, marked};
use crate::resources::{Found, Lookup, Resource, found, ignore_not_found};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// The retentions that CloudWatch Logs takes, in days ("PutRetentionPolicy" in its API reference).
pub const RETENTION_DAYS: [i32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// The settings of a log group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogGroup {
    /// Days that events are kept, one of [`RETENTION_DAYS`]; `None` keeps them for ever.
    pub retention_days: Option<i32>,
    /// The key that encrypts it. Its policy must let CloudWatch Logs use it for this group.
    pub kms_key: Option<Ref<KeyArn>>,
}

/// A log group's name.
#[derive(Debug)]
pub enum LogGroupName {}

/// A log group's ARN.
#[derive(Debug)]
pub enum LogGroupArn {}

/// What is known of a log group once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogGroupOutputs {
    /// Its name.
    pub name: Ref<LogGroupName>,
    /// `arn:aws:logs:...:log-group:NAME`, without the `:*` that some answers append.
    pub arn: Ref<LogGroupArn>,
}

impl Handle<LogGroup> {
    /// The group's name.
    pub fn name(&self) -> Ref<LogGroupName> {
        self.output("name")
    }

    /// The group's ARN without `:*`.
    pub fn arn(&self) -> Ref<LogGroupArn> {
        self.output("arn")
    }
}

impl Kind for LogGroup {
    const TYPE: &'static str = "logs/log_group";
    /// "CreateLogGroup" in the CloudWatch Logs API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 512,
        legal: |c| c.is_ascii_alphanumeric() || "_-/.#".contains(c),
        charset: "letters, digits and `_-/.#`",
    };
}

/// How often a group that came back after its deletion is deleted again, and the pause before each look.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

impl Resource for LogGroup {
    type Outputs = LogGroupOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key
            .outputs
            .map_or(key.identity.name.as_str(), |o| o.name.as_str());
        let arn = arn(cx, name);
        // The tags of a recorded group are asked for at once; of another one only when it exists.
        let (group, tags) = match key.outputs {
            Some(_) => futures::join!(cx.logs.groups.get(name.to_owned()), tags_of(cx, &arn)),
            None => match cx.logs.groups.get(name.to_owned()).await? {
                Some(group) => (Ok(Some(group)), tags_of(cx, &arn).await),
                None => return Ok(None),
            },
        };
        let (Some(group), Some(tags)) = (group?, found(tags)?) else {
            return Ok(None);
        };
        cx.recent.note(&arn, &tags);
        Ok(Some(Found {
            spec: Self {
                retention_days: group.retention_in_days(),
                kms_key: group.kms_key_id().map(Ref::from),
            },
            tags: Some(tags),
            outputs: LogGroupOutputs {
                name: name.into(),
                arn: arn.into(),
            },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<LogGroupOutputs, Error> {
        let name = identity.name.as_str();
        let tags: HashMap<String, String> = identity.tags.clone().into_iter().collect();
        let key = self.kms_key.as_ref().map(|k| k.as_str().to_owned());
        cx.call(once("logs", "CreateLogGroup"), || {
            cx.logs
                .client
                .create_log_group()
                .log_group_name(name)
                .set_kms_key_id(key.clone())
                .set_tags(Some(tags.clone()))
                .send()
        })
        .await?;
        Ok(LogGroupOutputs {
            name: name.into(),
            arn: arn(cx, name).into(),
        })
    }

    async fn update(
        &self,
        cx: &Aws,
        outputs: &LogGroupOutputs,
        delta: &Delta,
    ) -> Result<(), Error> {
        let name = outputs.name.as_str();
        if delta.touches("kms_key") {
            self.encrypt(cx, name).await?;
        }
        if delta.touches("retention_days") {
            self.retain(cx, name).await?;
        }
        let arn = outputs.arn.as_str();
        if !delta.set_tags.is_empty() {
            let tags: HashMap<String, String> = delta.set_tags.clone().into_iter().collect();
            cx.call(repeatable("logs", "TagResource"), || {
                cx.logs
                    .client
                    .tag_resource()
                    .resource_arn(arn)
                    .set_tags(Some(tags.clone()))
                    .send()
            })
            .await?;
        }
        if !delta.remove_tags.is_empty() {
            cx.call(repeatable("logs", "UntagResource"), || {
                cx.logs
                    .client
                    .untag_resource()
                    .resource_arn(arn)
                    .set_tag_keys(Some(delta.remove_tags.clone()))
                    .send()
            })
            .await?;
        }
        Ok(())
    }

    /// A service that still writes makes the group again just after it is deleted (without key and retention): looks
    /// again, and deletes what came back.
    async fn delete(&self, cx: &Aws, outputs: &LogGroupOutputs) -> Result<(), Error> {
        let name = outputs.name.as_str();
        for _ in 0..LOOKS {
            ignore_not_found(
                cx.call(repeatable("logs", "DeleteLogGroup"), || {
                    cx.logs
                        .client
                        .delete_log_group()
                        .log_group_name(name)
                        .send()
                })
                .await,
            )?;
            crate::engine::progress::sleep(PAUSE).await;
            if cx.logs.groups.get(name.to_owned()).await?.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// One listing by substring, which answers names only; tags of those with our kind of name.
    async fn owned(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
        let mut out = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = cx
                .call(read("logs", "DescribeLogGroups"), || {
                    cx.logs
                        .client
                        .describe_log_groups()
                        .log_group_name_pattern(format!("-{suffix}"))
                        .limit(50)
                        .set_next_token(token.clone())
                        .send()
                })
                .await?;
            for group in page.log_groups() {
                let name = group.log_group_name().unwrap_or_default();
                if !is_conventional(name, suffix) {
                    continue;
                }
                let arn = arn(cx, name);
                let tags = match cx.recent.get(&arn).await {
                    Some(tags) => Some(tags),
                    None => found(tags_of(cx, &arn).await)?,
                };
                out.extend(tags.and_then(|tags| marked(Self::TYPE, &arn, name, tags, suffix)));
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(out);
            }
        }
    }
}

impl LogGroup {
    async fn encrypt(&self, cx: &Aws, name: &str) -> Result<(), Error> {
        match &self.kms_key {
            Some(key) => {
                let associate = || {
                    cx.logs
                        .client
                        .associate_kms_key()
                        .log_group_name(name)
                        .kms_key_id(key.as_str())
                        .send()
                };
                cx.call(repeatable("logs", "AssociateKmsKey"), associate)
                    .await?;
            }
            None => {
                let off = || {
                    cx.logs
                        .client
                        .disassociate_kms_key()
                        .log_group_name(name)
                        .send()
                };
                cx.call(repeatable("logs", "DisassociateKmsKey"), off)
                    .await?;
            }
        }
        Ok(())
    }

    async fn retain(&self, cx: &Aws, name: &str) -> Result<(), Error> {
        match self.retention_days {
            Some(days) if !RETENTION_DAYS.contains(&days) => {
                let listed = RETENTION_DAYS.map(|d| d.to_string()).join(", ");
                Err(Error::permanent(
                    "logs:PutRetentionPolicy",
                    format!("a log group cannot keep events for {days} days"),
                )
                .hint(format!("choose one of {listed}")))
            }
            Some(days) => {
                let put = || {
                    cx.logs
                        .client
                        .put_retention_policy()
                        .log_group_name(name)
                        .retention_in_days(days)
                        .send()
                };
                cx.call(repeatable("logs", "PutRetentionPolicy"), put)
                    .await?;
                Ok(())
            }
            None => ignore_not_found(
                cx.call(repeatable("logs", "DeleteRetentionPolicy"), || {
                    cx.logs
                        .client
                        .delete_retention_policy()
                        .log_group_name(name)
                        .send()
                })
                .await,
            ),
        }
    }
}

fn arn(cx: &Aws, name: &str) -> String {
    cx.arn("logs", &format!("log-group:{name}"))
}

async fn tags_of(cx: &Aws, arn: &str) -> Result<BTreeMap<String, String>, Error> {
    let answer = cx
        .call(read("logs", "ListTagsForResource"), || {
            cx.logs
                .client
                .list_tags_for_resource()
                .resource_arn(arn)
                .send()
        })
        .await?;
    Ok(answer.tags.unwrap_or_default().into_iter().collect())
}

//! A log group.

use super::{LogsTags, exposed};
use crate::resources::kms::Key;
use crate::resources::prelude::*;
use std::collections::HashMap;
use std::time::Duration;

/// The retentions that CloudWatch Logs takes, in days ("PutRetentionPolicy" in its API reference).
pub const RETENTION_DAYS: [i32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogGroup {
    /// Days that events are kept, one of [`RETENTION_DAYS`]; `None` keeps them for ever.
    pub retention_days: Option<i32>,
    /// The key that encrypts it. Its policy must let CloudWatch Logs use it for this group.
    pub kms_key: Option<Ref<Arn<Key>>>,
    /// Subscriptions that send its events elsewhere, and filters that make metrics of them.
    #[serde(default)]
    pub exposed: Exposed,
}

const CREATE: Api = logs::CREATE_LOG_GROUP;
const DELETE: Api = logs::DELETE_LOG_GROUP;

impl Kind for LogGroup {
    const TYPE: &'static str = "logs/log_group";
    const KNOWN_BY_NAME: bool = true;
    /// "CreateLogGroup" in the CloudWatch Logs API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 512,
        legal: |c| c.is_ascii_alphanumeric() || "_-/.#".contains(c),
        charset: "letters, digits and `_-/.#`",
    };
    /// The ARN is without the `:*` that some answers append.
    type Outputs = Named<Self>;
}

/// How often a group that came back after its deletion is deleted again, and the pause before each look.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

impl Resource for LogGroup {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |_| Cost::usage(&["logs_kept"]),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        // Events are neither rows nor objects: their retention deletes them anyway. A destroy says how much of them goes ([`events`]).
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    const EXPIRES: &'static [(&'static str, &'static str)] = &[(
        "retention_days",
        "events that are older are deleted for good",
    )];
    type Tags = LogsTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let arn = arn(cx, name);
        let tags = cx.tagged(&arn, &key.identity.tags, tags_of(cx, &arn));
        // The tags of a recorded group are asked for at once; of another one only when it exists.
        let (group, tags) = match key.outputs {
            Some(_) => futures::join!(cx.logs.groups.get(name.to_owned()), tags),
            None => match cx.logs.groups.get(name.to_owned()).await? {
                Some(group) => (Ok(Some(group)), tags.await),
                None => return Ok(None),
            },
        };
        let (Some(group), Some(tags)) = (group?, found(tags)?) else {
            return Ok(None);
        };
        cx.recent.note(&arn, &tags);
        let Some(exposed) = found(exposed::of(cx, name, &group).await)? else {
            return Ok(None);
        };
        let spec = Self {
            retention_days: group.retention_in_days(),
            kms_key: group.kms_key_id().map(Ref::from),
            exposed,
        };
        Ok(Some(Found::tagged(spec, Named::new(name, arn), tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let name = identity.name.as_str();
        let tags: HashMap<String, String> = identity.tags.clone().into_iter().collect();
        let call = cx.logs.client.create_log_group().log_group_name(name);
        let call = call
            .set_kms_key_id(self.kms_key.as_ref().map(String::from))
            .set_tags(Some(tags));
        cx.call(CREATE, || call.clone().send()).await?;
        Ok(Named::new(name, arn(cx, name)))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, delta: &Delta) -> Result<(), Error> {
        let name = it.name.as_str();
        for what in delta.entries("exposed").keys() {
            exposed::close(cx, name, what).await?;
        }
        if delta.touches("kms_key") {
            self.encrypt(cx, name).await?;
        }
        if delta.touches("retention_days") {
            self.retain(cx, name).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        deleted(cx, it.name.as_str()).await.map(drop)
    }
}

/// A service that still writes makes a group again just after it is deleted (without key, retention and tags): looks again, and
/// deletes what came back. False when it is there even then.
async fn deleted(cx: &Aws, name: &str) -> Result<bool, Error> {
    let call = cx.logs.client.delete_log_group().log_group_name(name);
    for _ in 0..LOOKS {
        cx.delete(DELETE, || call.clone().send()).await?;
        crate::engine::progress::sleep(PAUSE).await;
        if cx.logs.groups.get(name.to_owned()).await?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The same for a group that was deleted a while ago: a service may make it again minutes later. True when it is gone.
///
/// # Errors
/// When it cannot be read, or not be deleted.
pub async fn still_gone(cx: &Aws, name: &str) -> Result<bool, Error> {
    match cx.logs.groups.get(name.to_owned()).await? {
        Some(_) => deleted(cx, name).await,
        None => Ok(true),
    }
}

/// How many bytes of events go with the groups of these names, in a sentence; `None` when there are none. AWS counts them with a delay.
pub async fn events(cx: &Aws, names: Vec<String>) -> Option<String> {
    let looks = names.into_iter().map(|name| cx.logs.groups.get(name));
    let (mut held, mut bytes, mut unread) = (0, 0, 0);
    for group in futures::future::join_all(looks).await {
        match group.map(|group| group.and_then(|g| g.stored_bytes()).unwrap_or_default()) {
            Ok(0) => {}
            Ok(some) => {
                held += 1;
                bytes += some;
            }
            Err(_) => unread += 1,
        }
    }
    let mut parts = Vec::new();
    if held > 0 {
        let bytes = size(bytes);
        parts.push(format!(
            "events go with the log groups: {bytes} in {held} of them"
        ));
    }
    if unread > 0 {
        parts.push(format!(
            "what {unread} of the log groups hold could not be read"
        ));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Bytes in a unit in which they have four digits at most.
fn size(mut bytes: i64) -> String {
    let mut units = ["bytes", "KB", "MB", "GB"].into_iter();
    let mut unit = units.next();
    while bytes >= 10_000
        && let Some(larger) = units.next()
    {
        bytes /= 1000;
        unit = Some(larger);
    }
    format!("{bytes} {}", unit.unwrap_or_default())
}

/// One listing by substring, which answers names only; tags of those with our kind of name.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let call = cx.logs.client.describe_log_groups();
    let call = call.log_group_name_pattern(format!("-{suffix}")).limit(50);
    let send = |token| call.clone().set_next_token(token).send();
    let names = cx.pages(logs::DESCRIBE_LOG_GROUPS, send, |page| {
        let groups = page.log_groups.unwrap_or_default().into_iter();
        (groups.filter_map(|g| g.log_group_name), page.next_token)
    });
    let mut out = Vec::new();
    for name in names.await? {
        if !is_conventional(&name, suffix) {
            continue;
        }
        let arn = arn(cx, &name);
        let tags = match cx.recent.get(&arn).await {
            Some(tags) => Some(tags),
            None => found(tags_of(cx, &arn).await)?,
        };
        out.extend(tags.and_then(|tags| marked(LogGroup::TYPE, &arn, &name, tags, suffix)));
    }
    Ok(out)
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
                cx.call(logs::ASSOCIATE_KMS_KEY, associate).await?;
            }
            None => {
                let off = || {
                    cx.logs
                        .client
                        .disassociate_kms_key()
                        .log_group_name(name)
                        .send()
                };
                cx.call(logs::DISASSOCIATE_KMS_KEY, off).await?;
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
                cx.call(logs::PUT_RETENTION_POLICY, put).await?;
                Ok(())
            }
            None => ignore_not_found(
                cx.call(logs::DELETE_RETENTION_POLICY, || {
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

async fn tags_of(cx: &Aws, arn: &str) -> Result<Tags, Error> {
    let answer = cx
        .call(logs::LIST_TAGS_FOR_RESOURCE, || {
            cx.logs
                .client
                .list_tags_for_resource()
                .resource_arn(arn)
                .send()
        })
        .await?;
    Ok(answer.tags.unwrap_or_default().into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::wire::aws;

    #[tokio::test]
    async fn a_deletion_says_how_much_goes_and_what_was_not_counted() {
        let said = async |status, body: &str| {
            let aws = aws(status, body);
            events(&aws, vec!["a-dev".into(), "b-dev".into()]).await
        };
        let two = |bytes: i64| {
            format!(
                r#"{{"logGroups": [{{"logGroupName": "a-dev", "storedBytes": {bytes}}}, {{"logGroupName": "b-dev", "storedBytes": {bytes}}}]}}"#
            )
        };
        let held = "events go with the log groups: 24 MB in 2 of them";
        assert_eq!(said(200, &two(12_345_678)).await.as_deref(), Some(held));
        assert_eq!(said(200, &two(0)).await, None);
        assert_eq!(said(200, r#"{"logGroups": []}"#).await, None);
        let denied = r#"{"__type": "AccessDeniedException", "message": "no"}"#;
        let unread = "what 2 of the log groups hold could not be read";
        assert_eq!(said(400, denied).await.as_deref(), Some(unread));
        assert_eq!(size(9_999), "9999 bytes");
        assert_eq!(size(7_000_000_000_000_000), "7000000 GB");
    }
}

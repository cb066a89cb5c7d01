//! The objects of a shared state: S3 as [`Objects`]. Every call is one of the Caller's, so that throttling and unclear answers are
//! repeated there; whether a write that was repeated had been done before is decided by whoever reads the object.

use super::Caller;
use super::api::Api;
use super::connect::Connection;
use super::s3::{self, S3};
use crate::engine::{Class, Error};
use crate::state::{Condition, Object, Objects, PutError, Trouble};
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::body::SdkBody;
use std::sync::{Arc, Mutex, PoisonError};

/// "Each request can contain a list of up to 1,000 keys" (DeleteObjects).
const KEYS_PER_DELETION: usize = 1_000;

/// The header in which S3 names a bucket's region, also in refusals ("HeadBucket").
const REGION: &str = "x-amz-bucket-region";

/// The connection as it reaches this bucket, whose region need not be the deployment's. A bucket that does not exist, or whose
/// region S3 does not tell, is looked for in the connection's.
pub async fn in_region_of(
    bucket: &str,
    connection: &Connection,
    caller: &Arc<Caller>,
) -> Result<Connection, Error> {
    let client = S3::new(&connection.config, caller).client;
    let told = Arc::new(Mutex::new(None));
    let answer = caller
        .call(s3::HEAD_BUCKET, || {
            let (call, told) = (client.head_bucket().bucket(bucket), told.clone());
            async move {
                let answer = call.send().await;
                let region = match &answer {
                    Ok(found) => found.bucket_region.clone(),
                    Err(error) => error
                        .raw_response()
                        .and_then(|r| r.headers().get(REGION))
                        .map(str::to_owned),
                };
                *told.lock().unwrap_or_else(PoisonError::into_inner) = region;
                answer
            }
        })
        .await;
    let region = told.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (region, answer) {
        (Some(region), _) => {
            let region = aws_config::Region::new(region);
            let config = connection.config.to_builder().region(region).build();
            Ok(Connection {
                config,
                ..connection.clone()
            })
        }
        (None, Err(error)) if !error.is_not_found() && error.class != Class::Permanent => {
            Err(error)
        }
        // What is wrong is said by the first call that needs the bucket.
        (None, _) => Ok(connection.clone()),
    }
}

/// The objects of one deployment's state.
pub struct StateObjects {
    client: Client,
    caller: Arc<Caller>,
    bucket: String,
    prefix: String,
    home: String,
}

impl StateObjects {
    /// Those under `prefix/`, or in the whole bucket, that belong to `suffix`. The connection is one to the bucket's region.
    pub fn new(
        connection: &Connection,
        caller: Arc<Caller>,
        (bucket, prefix): (&str, &str),
        suffix: &str,
    ) -> Self {
        let above = if prefix.is_empty() {
            String::new()
        } else {
            format!("{prefix}/")
        };
        Self {
            client: S3::new(&connection.config, &caller).client,
            caller,
            bucket: bucket.to_owned(),
            home: format!("s3://{bucket}/{above}{suffix}"),
            prefix: format!("{above}{suffix}/"),
        }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

fn trouble(error: Error) -> Trouble {
    let hint = match error.code.as_str() {
        "NoSuchBucket" => Some(
            "make the bucket with `deployer state init`, or correct `state` in the configuration"
                .to_owned(),
        ),
        _ => error.hint.clone(),
    };
    Trouble {
        text: error.to_string(),
        hint,
    }
}

/// The error of an answer that cannot be used.
fn bad(api: Api, why: impl std::fmt::Display) -> Error {
    Error::of(Class::Unclear, api.action(), why.to_string())
}

#[async_trait]
impl Objects for StateObjects {
    fn home(&self) -> &str {
        &self.home
    }

    async fn get(&self, key: &str) -> Result<Option<Object>, Trouble> {
        let call = self.client.get_object().bucket(&self.bucket);
        let call = call.key(self.key(key));
        let api = s3::GET_OBJECT;
        // An answer that breaks off in its content has not come: the call is made again.
        let send = || {
            let call = call.clone();
            async move {
                let mut found = call.send().await?;
                let content = std::mem::take(&mut found.body).collect().await;
                let broken = |error| SdkError::dispatch_failure(ConnectorError::io(error));
                let content = content.map_err(|e| broken(e.into()))?;
                Ok((found, content.to_vec()))
            }
        };
        let (found, bytes) = match self.caller.call(api, send).await {
            Ok(answer) => answer,
            Err(error) if error.code == "NoSuchKey" => return Ok(None),
            Err(error) => return Err(trouble(error)),
        };
        let etag = api
            .field::<String>(found.e_tag(), "ETag")
            .map_err(trouble)?;
        Ok(Some(Object { bytes, etag }))
    }

    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: &Condition,
    ) -> Result<String, PutError> {
        let api = s3::PUT_OBJECT;
        let send = || {
            let body = ByteStream::new(SdkBody::from(bytes.clone()));
            let call = self.client.put_object().bucket(&self.bucket);
            let call = call.key(self.key(key)).content_type("application/json");
            let call = match condition {
                Condition::New => call.if_none_match("*"),
                Condition::Version(etag) => call.if_match(etag),
            };
            call.body(body).send()
        };
        match self.caller.call(api, send).await {
            Ok(put) => api
                .field(put.e_tag(), "ETag")
                .map_err(|error| PutError::Unclear(trouble(error))),
            Err(error) => Err(match (error.code.as_str(), error.class) {
                // A version that is to be replaced and is not there.
                ("PreconditionFailed" | "NoSuchKey", _) => PutError::Refused,
                ("ConditionalRequestConflict", _) => PutError::Busy,
                (_, Class::Unclear) => PutError::Unclear(trouble(error)),
                _ => PutError::Failed(trouble(error)),
            }),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Trouble> {
        let call = self.client.list_objects_v2().bucket(&self.bucket);
        let call = call.prefix(self.key(prefix));
        let send = |token| call.clone().set_continuation_token(token).send();
        let keys = self.caller.pages(s3::LIST_OBJECTS_V2, send, |page| {
            let keys = page.contents.unwrap_or_default().into_iter();
            let keys = keys.filter_map(|o| Some(o.key?.strip_prefix(&self.prefix)?.to_owned()));
            (keys, page.next_continuation_token)
        });
        keys.await.map_err(trouble)
    }

    async fn delete(&self, keys: &[String]) -> Result<(), Trouble> {
        let api = s3::DELETE_OBJECTS;
        for some in keys.chunks(KEYS_PER_DELETION) {
            let some = some
                .iter()
                .map(|key| ObjectIdentifier::builder().key(self.key(key)).build());
            let some: Result<Vec<_>, _> = some.collect();
            let delete = some.and_then(|some| {
                let delete = Delete::builder().set_objects(Some(some)).quiet(true);
                delete.build()
            });
            let delete = delete.map_err(|e| trouble(bad(api, e)))?;
            let call = self.client.delete_objects().bucket(&self.bucket);
            let call = call.delete(delete);
            let gone = self.caller.call(api, || call.clone().send()).await;
            let gone = gone.map_err(trouble)?;
            if let Some(error) = gone.errors().first() {
                let text = format!(
                    "{}: {}",
                    error.key().unwrap_or_default(),
                    error.message().or(error.code()).unwrap_or_default()
                );
                return Err(trouble(Error::permanent(api.action(), text)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::StateObjects;
    use crate::aws::wire;
    use crate::state::Objects;
    use aws_smithy_types::body::SdkBody;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn an_object_whose_download_breaks_off_is_asked_for_again() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let (connection, caller) = wire::connection(Arc::new(|_| {
            let body = match ASKED.fetch_add(1, Ordering::Relaxed) {
                0 => SdkBody::taken(),
                _ => SdkBody::from("whole"),
            };
            (200, body)
        }));
        let objects = StateObjects::new(&connection, caller, ("bucket", ""), "dev");
        let found = objects
            .get("state.json")
            .await
            .unwrap_or_else(|e| panic!("{}", e.text));
        assert_eq!(found.map(|o| o.bytes), Some(b"whole".to_vec()));
        assert_eq!(ASKED.load(Ordering::Relaxed), 2);
    }
}

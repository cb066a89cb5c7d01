//! Answers as they come over the wire, in each service's own protocol, through the SDK's parser: what the deployer makes
//! of them. A service without a row fails the test.

use super::whole::{Asked, whole};
use super::{Api, Aws, Caller, Connection, SERVICES, s3};
use crate::engine::{Class, Error, Events};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Answers a request, of which it gets the body, with a status and a body.
type Answer = dyn Fn(&str) -> (u16, SdkBody) + Send + Sync;

#[derive(Clone)]
struct Canned(Arc<Answer>);

impl std::fmt::Debug for Canned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Canned")
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked = request.body().bytes().unwrap_or_default();
        let (status, body) = (self.0)(&String::from_utf8_lossy(asked));
        let status = StatusCode::try_from(status).unwrap();
        let mut answer = HttpResponse::new(status, body);
        answer.headers_mut().insert("x-amzn-requestid", "req-1");
        answer.headers_mut().insert("etag", "\"1\"");
        whole(Asked::of(&request), HttpConnectorFuture::ready(Ok(answer)))
    }
}

impl HttpClient for Canned {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// Every request is answered alike.
pub(crate) fn aws(status: u16, body: impl Into<Vec<u8>>) -> Aws {
    let body = body.into();
    answering(move |_| (status, body.clone()))
}

/// Every answer has this status and breaks off in its body.
fn cut(status: u16) -> Aws {
    connected(Arc::new(move |_| (status, SdkBody::taken())))
}

/// Requests are answered by their bodies.
pub(crate) fn answering(answer: impl Fn(&str) -> (u16, Vec<u8>) + Send + Sync + 'static) -> Aws {
    connected(Arc::new(move |asked| {
        let (status, body) = answer(asked);
        (status, SdkBody::from(body))
    }))
}

fn connected(answer: Arc<Answer>) -> Aws {
    let (connection, caller) = connection(answer);
    Aws::new(&connection, caller)
}

/// A connection on which requests are answered so.
pub(super) fn connection(answer: Arc<Answer>) -> (Connection, Arc<Caller>) {
    let keys = Credentials::builder()
        .access_key_id("ASIAABCDEFGHIJKLMNOP")
        .secret_access_key("secret")
        .session_token("token")
        .provider_name("test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys.build()))
        .http_client(SharedHttpClient::new(Canned(answer)))
        .retry_config(aws_smithy_types::retry::RetryConfig::disabled())
        .build();
    let caller = Arc::new(Caller::new(Events::to(Vec::new()), false, 8));
    (Connection { config, pace: None }, caller)
}

/// A text in CBOR (RFC 8949), with a length of two bytes.
fn cbor(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    [&[0x79], &length[..], text.as_bytes()].concat()
}

/// An error in the service's protocol.
fn body(service: &str, code: &str, message: &str) -> Vec<u8> {
    let text = match service {
        // rpc-v2-cbor: a map of two.
        "cloudwatch" => {
            let texts = ["__type", code, "message", message].map(cbor);
            return [vec![0xa2], texts.concat()].concat();
        }
        "ec2" => format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>req-1</RequestID></Response>"
        ),
        "iam" | "rds" | "sns" | "sts" | "elasticloadbalancing" | "route53" => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>req-1</RequestId></ErrorResponse>"
        ),
        "s3" => format!(
            "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>req-1</RequestId></Error>"
        ),
        _ => serde_json::json!({"__type": format!("com.amazonaws#{code}"), "message": message})
            .to_string(),
    };
    text.into_bytes()
}

type Sender = for<'a> fn(&'a Aws) -> BoxFuture<'a, Result<(), Error>>;

/// A call that is sent for its error.
macro_rules! send {
    ($api:expr, $field:ident, $method:ident $(, $set:ident = $value:expr)*) => {{
        fn send(aws: &Aws) -> BoxFuture<'_, Result<(), Error>> {
            let request = || aws.$field.client.$method()$(.$set($value))*.send();
            aws.call($api, request).map(|answer| answer.map(drop)).boxed()
        }
        ($api, send as Sender)
    }};
}

type Row = ((Api, Sender), u16, &'static str, &'static str, Class);

mod broken;
mod rows;
use rows::rows;

/// A read and a write of each service, as far as it has both: enough for what all actions have in common.
fn samples() -> Vec<(Api, Sender)> {
    let mut seen = BTreeSet::new();
    let calls = rows().into_iter().map(|row| row.0);
    calls
        .filter(|(api, _)| seen.insert((api.service.name, api.writes())))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn every_service_tells_its_errors_apart_on_the_wire() {
    let mut seen = BTreeSet::new();
    for ((api, send), status, code, message, class) in rows() {
        let service = api.service.name;
        seen.insert(service);
        let aws = aws(status, body(service, code, message));
        let error = send(&aws).await.unwrap_err();
        let about = format!("{api:?} {code}: {error}");
        assert_eq!((error.class, error.code.as_str()), (class, code), "{about}");
        assert_eq!(error.request_id.as_deref(), Some("req-1"), "{about}");
    }
    let all: BTreeSet<&str> = SERVICES.iter().map(|s| s.name).collect();
    assert_eq!(seen, all, "a service without a row");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_none_is_unclear_and_may_have_had_an_effect() {
    let page = "<html>log in</html>".to_owned();
    for (api, send) in samples() {
        let error = send(&aws(200, page.clone())).await;
        // A read whose answer has only optional fields cannot tell the page from an empty answer.
        if let Err(error) = error {
            assert_eq!(error.class, Class::Unclear, "{api:?} {error}");
        }
        for body in [page.as_str(), "", "Not Found"] {
            for status in [403, 404] {
                let error = send(&aws(status, body)).await.unwrap_err();
                assert_eq!(error.class, Class::Permanent, "{api:?} {error}");
                let text = format!("HTTP status {status}, not an answer of AWS");
                assert_eq!(error.message, text, "{api:?}");
                assert_eq!(error.topic.as_deref(), Some("not-aws"), "{api:?}");
            }
        }
        let error = send(&aws(502, page.clone())).await.unwrap_err();
        assert_eq!(error.class, Class::Unclear, "{api:?} {error}");
        let unknown = error.leftover == crate::engine::Leftover::Unknown;
        assert_eq!(unknown, api.writes(), "{api:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off_is_unclear_whatever_its_status() {
    for (api, send) in samples() {
        for status in [200, 400, 403, 404, 500] {
            let error = send(&cut(status)).await.unwrap_err();
            assert_eq!(error.class, Class::Unclear, "{api:?} {status} {error}");
            let unknown = error.leftover == crate::engine::Leftover::Unknown;
            assert_eq!(unknown, api.writes(), "{api:?} {status}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_code_only_an_answer_to_head_says_that_something_does_not_exist() {
    let (_, head) = send!(s3::HEAD_BUCKET, s3, head_bucket, bucket = "abc");
    let error = head(&aws(404, "")).await.unwrap_err();
    assert_eq!(error.class, Class::Gone, "{error}");
    let (_, list) = send!(
        s3::LIST_OBJECT_VERSIONS,
        s3,
        list_object_versions,
        bucket = "abc"
    );
    let error = list(&aws(404, "")).await.unwrap_err();
    assert_eq!(error.class, Class::Permanent, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_quoted_request_loses_its_secrets_whatever_the_service() {
    let quoted = "The request signature we calculated does not match the signature you provided. \
         The Canonical String for this request should have been\n'POST\n/\n\nhost:ec2\n\
         x-amz-security-token:CANARY-TOKEN-1\n\nAuthorization: AWS4-HMAC-SHA256 \
         Credential=ASIAABCDEFGHIJKLMNOP/x, Signature=CANARY2'";
    let headers = "{'x-amz-security-token': 'CANARY-TOKEN-1', 'authorization': 'AWS4-HMAC-SHA256 \
         Credential=ASIAABCDEFGHIJKLMNOP/x, Signature=CANARY2', 'host': 'x'}";
    for (api, send) in samples() {
        for message in [quoted, headers] {
            for code in [
                "SignatureDoesNotMatch",
                "InvalidSignatureException",
                "Other",
            ] {
                let aws = aws(403, body(api.service.name, code, message));
                let error = send(&aws).await.unwrap_err();
                let all = format!(
                    "{error} {error:?} {}",
                    serde_json::to_string(&error).unwrap()
                );
                assert!(!all.contains("CANARY") && !all.contains("ASIA"), "{all}");
            }
        }
    }
}

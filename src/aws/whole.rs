//! Answers that break off. Where no length is announced (a proxy frames them anew, a connection is closed at their end), the
//! HTTP client takes the beginning of an answer for all of it, the SDK's XML reader takes the lists in it for ended ones, and
//! its readers of JSON and CBOR take no bytes for `{}`: what is there would be missing. So every answer is looked at before
//! the SDK reads it, and one that is not whole is a lost one.

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde::de::IgnoredAny;

/// What a request says about its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nothing but a status and headers: HEAD.
    Status,
    /// The content of an object, which may be anything.
    Object,
    /// A document in JSON: the policy of a bucket.
    Policy,
    /// A read in JSON or CBOR. Every service answers it with a document, be it `{}`.
    Read,
    /// Anything else.
    Other,
}

/// How the names of operations begin that only read.
const READS: [&str; 9] = [
    "Describe", "Get", "List", "BatchGet", "Query", "Scan", "Lookup", "Filter", "Search",
];

impl Asked {
    /// What a signed request asks for.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let header = |name: &str| request.headers().get(name).unwrap_or_default();
        let uri = request.uri();
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let asks = |pair: &str| query.split('&').any(|one| one == pair);
        let service = signed_for(header("authorization"));
        match request.method() {
            "HEAD" => return Self::Status,
            "GET" if asks("x-id=GetObject") => return Self::Object,
            "GET" if service == "s3" && asks("policy") => return Self::Policy,
            "GET" if matches!(service, "lambda" | "scheduler") => return Self::Read,
            _ => {}
        }
        let target = match header("x-amz-target") {
            "" if header("smithy-protocol").is_empty() => "",
            "" => path.rsplit('/').next().unwrap_or_default(),
            target => target.rsplit('.').next().unwrap_or_default(),
        };
        if READS.iter().any(|head| target.starts_with(head)) {
            Self::Read
        } else {
            Self::Other
        }
    }
}

/// The service in the scope of a signature: `Credential=KEY/DATE/REGION/SERVICE/aws4_request, `.
fn signed_for(authorization: &str) -> &str {
    let scope = authorization.split_once("Credential=");
    let scope = scope.and_then(|(_, rest)| rest.split(',').next());
    let service = scope.and_then(|scope| scope.split('/').nth(3));
    service.unwrap_or_default()
}

/// The answer, if all of it has come.
pub(super) fn whole(asked: Asked, answer: HttpConnectorFuture) -> HttpConnectorFuture {
    HttpConnectorFuture::new(async move { read(asked, answer.await?).await })
}

async fn read(asked: Asked, mut answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let done = answer.status().is_success();
    if asked == Asked::Status || (asked == Asked::Object && done) {
        return Ok(answer);
    }
    let body = ByteStream::new(answer.take_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?;
    let body = body.into_bytes();
    if let Some(why) = fault(asked, done, &body) {
        return Err(ConnectorError::io(why.into()));
    }
    *answer.body_mut() = SdkBody::from(body);
    Ok(answer)
}

/// Why this cannot be a whole answer.
fn fault(asked: Asked, done: bool, body: &[u8]) -> Option<&'static str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let body = body.trim_ascii();
    if body.is_empty() {
        let due = done && matches!(asked, Asked::Read | Asked::Policy);
        return due.then_some("the answer to a read is empty");
    }
    let cut = if body.starts_with(b"<") {
        is_cut(body)
    } else {
        done && asked == Asked::Policy && serde_json::from_slice::<IgnoredAny>(body).is_err()
    };
    cut.then_some("the answer breaks off before its end")
}

/// True for the beginning of an XML document: it does not end with the end of its root element. Pages in HTML are none of AWS's
/// documents, and often have no end.
fn is_cut(text: &[u8]) -> bool {
    let mut rest = text;
    let start = loop {
        rest = rest.trim_ascii_start();
        let end: &[u8] = if rest.starts_with(b"<?") {
            b"?>"
        } else if rest.starts_with(b"<!--") {
            b"-->"
        } else {
            break rest;
        };
        match rest.windows(end.len()).position(|some| some == end) {
            Some(at) => rest = &rest[at + end.len()..],
            None => return true,
        }
    };
    let Some(start) = start.strip_prefix(b"<") else {
        // No root element: after a prolog it is yet to come. What is no XML at all the SDK refuses.
        return start.is_empty();
    };
    if let Some(kind) = start.strip_prefix(b"!") {
        let kind = kind.get(..7).unwrap_or_default();
        return !kind.eq_ignore_ascii_case(b"doctype");
    }
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>');
    let length = start.iter().position(ends).unwrap_or(start.len());
    let (name, attributes) = start.split_at(length);
    let Some(end) = end_of_tag(attributes) else {
        return true;
    };
    if is_page(name) {
        return false;
    }
    if attributes[..end].ends_with(b"/") {
        return false;
    }
    let closing = text.trim_ascii_end().strip_suffix(b">");
    let closing = closing.and_then(|text| text.trim_ascii_end().strip_suffix(name));
    !closing.is_some_and(|text| text.ends_with(b"</"))
}

/// True for an element of HTML: AWS's root elements begin with a capital.
fn is_page(name: &[u8]) -> bool {
    let local = name.rsplit(|b| *b == b':').next().unwrap_or_default();
    let html: [&[u8]; 3] = [b"html", b"head", b"body"];
    local.first().is_some_and(u8::is_ascii_lowercase)
        || html.iter().any(|one| local.eq_ignore_ascii_case(one))
}

/// Where the `>` of a tag is; one within quotes is part of a value.
fn end_of_tag(text: &[u8]) -> Option<usize> {
    let mut quote = None;
    text.iter().position(|b| match quote {
        Some(mark) => {
            if *b == mark {
                quote = None;
            }
            false
        }
        None => {
            if matches!(b, b'"' | b'\'') {
                quote = Some(*b);
            }
            *b == b'>'
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::http::StatusCode;

    fn cut(text: &str) -> bool {
        fault(Asked::Other, true, text.as_bytes()).is_some()
    }

    #[test]
    fn no_beginning_of_a_document_passes_for_the_whole() {
        for document in [
            "<A><b/></A>",
            "<?xml version=\"1.0\"?>\n<!-- a -->\n<ListBucketResult xmlns='x'><Name>b</Name></ListBucketResult>",
            "<ns2:List x:y=\"a > b\"><ns2:Item>1</ns2:Item></ns2:List >",
            "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>",
        ] {
            for framed in [document.to_owned(), format!("\u{feff} {document}\r\n")] {
                assert!(!cut(&framed), "{framed}");
            }
            for end in 1..document.len() {
                assert!(cut(&document[..end]), "{}", &document[..end]);
            }
        }
    }

    #[test]
    fn a_page_and_other_texts_are_left_to_the_sdk() {
        for text in [
            "",
            "<html>log in",
            "<!DOCTYPE html><p>x",
            "<?xml version=\"1.0\"?><!doctype html><HTML>",
            "<HTML><BODY>",
            "<h1>Bad Gateway</h1><p>x</p>",
            "{\"a\":",
            "Not Found",
        ] {
            assert!(!cut(text), "{text}");
        }
    }

    #[test]
    fn a_request_says_what_its_answer_is() {
        let asked = |method: &str, uri: &str, headers: &[(&'static str, &'static str)]| {
            let mut request = HttpRequest::empty();
            request.set_method(method).unwrap();
            request.set_uri(uri.to_owned()).unwrap();
            for (name, value) in headers {
                request.headers_mut().insert(*name, *value);
            }
            Asked::of(&request)
        };
        let object = "https://b.s3.amazonaws.com/state.json?x-id=GetObject";
        assert_eq!(asked("GET", object, &[]), Asked::Object);
        assert_eq!(asked("HEAD", object, &[]), Asked::Status);
        let json = |target| asked("POST", "https://x.com/", &[("x-amz-target", target)]);
        assert_eq!(json("TrentService.DescribeKey"), Asked::Read);
        assert_eq!(json("DynamoDB_20120810.Scan"), Asked::Read);
        assert_eq!(json("TrentService.CreateAlias"), Asked::Other);
        let cbor = |operation: &str| {
            let uri = format!("https://x.com/service/Granite/operation/{operation}");
            asked("POST", &uri, &[("smithy-protocol", "rpc-v2-cbor")])
        };
        assert_eq!(cbor("DescribeAlarms"), Asked::Read);
        assert_eq!(cbor("PutMetricAlarm"), Asked::Other);
        let signed =
            |method, uri, authorization| asked(method, uri, &[("authorization", authorization)]);
        let lambda = "AWS4-HMAC-SHA256 Credential=K/20260101/eu-central-1/lambda/aws4_request, SignedHeaders=host, Signature=a";
        let s3 = "AWS4-HMAC-SHA256 Credential=K/20260101/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=a";
        let function = "https://x.com/2015-03-31/functions/f";
        assert_eq!(signed("GET", function, lambda), Asked::Read);
        assert_eq!(signed("DELETE", function, lambda), Asked::Other);
        let policy = "https://b.s3.amazonaws.com/?policy";
        assert_eq!(signed("GET", policy, s3), Asked::Policy);
        assert_eq!(signed("PUT", policy, s3), Asked::Other);
        assert_eq!(signed("GET", "https://x.com/?tagging", s3), Asked::Other);
    }

    #[tokio::test]
    async fn an_object_is_not_read_here_and_its_refusal_is() {
        let answer =
            |status: u16, body| HttpResponse::new(StatusCode::try_from(status).unwrap(), body);
        // A body that was taken cannot be read.
        let unread = read(Asked::Object, answer(200, SdkBody::taken())).await;
        assert!(unread.is_ok());
        let other = read(Asked::Other, answer(200, SdkBody::taken())).await;
        assert!(other.is_err());
        let half = "<Error><Code>NoSuchKey</Code>";
        let refused = read(Asked::Object, answer(404, SdkBody::from(half))).await;
        assert!(refused.is_err());
        let all = "<Error><Code>NoSuchKey</Code></Error>";
        let refused = read(Asked::Object, answer(404, SdkBody::from(all))).await;
        assert_eq!(refused.unwrap().body().bytes(), Some(all.as_bytes()));
    }
}

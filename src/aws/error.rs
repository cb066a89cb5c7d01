//! From what the SDK returns to an [`Error`]: its class, what it leaves behind, and a hint. Texts of AWS and of whatever
//! stands between us pass [`redact`] first.

use super::api::{Answer, Api};
use super::class::classify;
use super::hints;
use super::redact::{redact, word};
use crate::engine::{Class, Error, Leftover};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Classifies one failed attempt.
pub(super) fn error<E>(api: Api, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let (status, meta) = match error {
        SdkError::ServiceError(it) => (it.raw().status(), it.err().meta().clone()),
        // Some of the SDK's clients do not take a proxy's page for a refusal of the service. A body that broke off is
        // neither: half an answer has no meaning, whatever its status.
        SdkError::ResponseError(it) if it.raw().body().bytes().is_some() => {
            (it.raw().status(), ErrorMetadata::default())
        }
        _ => return unanswered(api, error),
    };
    let status = status.as_u16();
    let code = meta.code().filter(|code| !is_made_up(api, code));
    let code = word(code.unwrap_or_default());
    let message = meta.message().unwrap_or_default();
    // A proxy's page in place of the answer: AWS may well have done what it was asked for. Half a document does not come this
    // far: the SDK would read it as a whole one, so `whole` makes a lost answer of it.
    let unreadable = code.is_empty() && (200..300).contains(&status);
    let answer = Answer {
        code: &code,
        message,
        status,
    };
    let class = if unreadable {
        Class::Unclear
    } else {
        classify(api, answer)
    };
    let text = if unreadable {
        format!("{}: {}", hints::NOT_UNDERSTOOD, chain(error))
    } else if code.is_empty() && class == Class::Permanent && !is_head(api) {
        let text = format!("HTTP status {status}, {}", hints::NOT_AWS);
        match first_sentence(message) {
            more if more.is_empty() => text,
            more => format!("{text}: {more}"),
        }
    } else if message.is_empty() {
        format!("HTTP status {status}")
    } else if hints::is_about_credentials(&code) {
        // Such answers quote the request, headers and all.
        first_sentence(message)
    } else {
        message.to_owned()
    };
    let mut out = Error::of(class, api.action(), redact(&text)).code(code);
    out.request_id = meta
        .extra("aws_request_id")
        .map(word)
        .filter(|id| !id.is_empty());
    if class == Class::Unclear {
        out.leftover = left(api);
    }
    hints::add(api, out)
}

/// The error of a call that got no answer, or only the beginning of one.
fn unanswered<E>(api: Api, error: &SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let text = redact(&chain(error));
    if let SdkError::ConstructionFailure(_) = error {
        return Error::permanent(api.action(), text);
    }
    if lacks_credentials(&text) {
        // The instance's metadata are asked last: this only says that nothing else had any.
        let text = if text.contains("IMDS") {
            "there are no credentials: none in the environment, a profile, a container or the instance's metadata".into()
        } else {
            text
        };
        let out = Error::permanent(api.action(), text);
        return hints::CREDENTIALS.on(out);
    }
    let out = Error::of(Class::Unclear, api.action(), text).leftover(left(api));
    hints::add(api, out)
}

/// What a call without a clear answer may have left.
fn left(api: Api) -> Leftover {
    if api.writes() {
        Leftover::Unknown
    } else {
        Leftover::Nothing
    }
}

/// The one kind of call whose errors have no code: an answer to HEAD has no body.
fn is_head(api: Api) -> bool {
    api.operation.starts_with("Head")
}

/// S3's client makes up a code for each 404 without a body. S3 answers so to HEAD; to anything else something else did.
fn is_made_up(api: Api, code: &str) -> bool {
    api.service.name == "s3" && code == "NotFound" && !is_head(api)
}

/// An item that an otherwise good answer lists as refused (`Unsuccessful` of EC2's DeleteVpcEndpoints): the error that
/// its code would be as the answer to the whole call.
pub fn refused(api: Api, code: &str, message: &str) -> Error {
    let code = word(code);
    let answer = Answer {
        code: &code,
        message,
        status: 400,
    };
    let out = Error::of(classify(api, answer), api.action(), redact(message)).code(code);
    hints::add(api, out)
}

/// The first sentence or line, at most 300 characters.
fn first_sentence(text: &str) -> String {
    let line = text.trim_start().lines().next().unwrap_or_default();
    let end = line.find(". ").map_or(line.len(), |at| at + 1);
    line[..end].chars().take(300).collect()
}

fn lacks_credentials(text: &str) -> bool {
    text.contains("credentials") || text.contains("CredentialsError")
}

/// An error with its causes; a cause that the text holds already is not said again.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !out.contains(&text) {
            out = format!("{out}: {text}");
        }
        next = cause.source();
    }
    out
}

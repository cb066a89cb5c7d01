//! From an SDK error to an [`Error`]: the class decides about retries, so the tables here are the doctrine.
//! Codes are those of the services' API references ("Common errors", and the errors of each action).

mod hints;
mod table;

use super::call::Api;
use crate::engine::{Class, Error, Leftover};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use hints::hint;
use table::classify;

/// Classifies one failed attempt.
pub(super) fn error<E>(api: Api, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let unclear = if api.writes() {
        Leftover::Unknown
    } else {
        Leftover::Nothing
    };
    let SdkError::ServiceError(service) = error else {
        let text = chain(error);
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
            return Error::permanent(api.action(), text).hint(CREDENTIALS);
        }
        return Error::of(Class::Unclear, api.action(), text).leftover(unclear);
    };
    let status = service.raw().status().as_u16();
    let code = service.err().code().unwrap_or_default();
    let message = service.err().message().unwrap_or_default();
    // A proxy's page or half a document in place of the answer: AWS may well have done what it was asked for.
    let unreadable = code.is_empty() && (200..300).contains(&status);
    let class = if unreadable {
        Class::Unclear
    } else {
        classify(api, code, message, status)
    };
    let mut out = Error::of(
        class,
        api.action(),
        if unreadable {
            format!("the answer cannot be understood: {}", chain(error))
        } else if message.is_empty() {
            format!("HTTP status {status}")
        } else {
            message.to_owned()
        },
    )
    .code(if code.is_empty() && status == 404 {
        "NotFound"
    } else {
        code
    });
    out.request_id = service
        .err()
        .meta()
        .extra("aws_request_id")
        .map(ToOwned::to_owned);
    if class == Class::Unclear {
        out.leftover = unclear;
    }
    out.hint = hint(api, &out);
    out
}

/// An item that an otherwise good answer lists as refused (`Unsuccessful` of EC2's DeleteVpcEndpoints): the error that
/// its code would be as the answer to the whole call.
pub fn refused(api: Api, code: &str, message: &str) -> Error {
    let class = classify(api, code, message, 400);
    let mut out = Error::of(class, api.action(), message).code(code);
    out.hint = hint(api, &out);
    out
}

pub(super) const CREDENTIALS: &str =
    "log in again (`aws sso login`, new keys, or --profile NAME) and repeat the command";

const CLOCK: &str = "the clock of this machine differs from AWS's by minutes: set it (`timedatectl` shows it), then repeat the command";

fn lacks_credentials(text: &str) -> bool {
    text.contains("credentials") || text.contains("CredentialsError")
}

pub(super) fn chain(error: &dyn std::error::Error) -> String {
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

#[cfg(test)]
mod tests {
    use super::super::call::once;
    use super::*;

    #[test]
    fn an_answer_of_success_that_cannot_be_read_leaves_the_outcome_open() {
        use aws_sdk_ec2::operation::create_vpc::CreateVpcError;
        use aws_smithy_runtime_api::http::StatusCode;
        use aws_smithy_types::body::SdkBody;
        let answer = |status: u16| {
            let status = StatusCode::try_from(status).unwrap();
            let page = HttpResponse::new(status, SdkBody::from("<html>log in</html>"));
            let answer = SdkError::service_error(CreateVpcError::unhandled("no XML we know"), page);
            error(once("ec2", "CreateVpc"), &answer)
        };
        let open = answer(200);
        assert_eq!(
            (open.class, &open.leftover),
            (Class::Unclear, &Leftover::Unknown)
        );
        assert!(open.message.contains("cannot be understood"), "{open}");
        assert_eq!(answer(403).class, Class::Permanent);
    }
}

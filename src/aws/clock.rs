//! How far this machine's clock is from AWS's, by the `Date` header of an answer. AWS refuses signatures that are more than five
//! minutes off; the header is there in a refusal too.

use super::{Aws, sts};
use crate::engine::Error;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

/// Takes the header and the time at which it came.
#[derive(Debug, Clone, Default)]
struct Header(Arc<Mutex<Option<(String, Timestamp)>>>);

impl Intercept for Header {
    fn name(&self) -> &'static str {
        "date header"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *kept = Some((date.to_owned(), Timestamp::now()));
        }
        Ok(())
    }
}

/// Seconds that this machine is ahead of AWS, to about a second; negative when it is behind.
///
/// # Errors
/// When there was no answer, or none with a date.
pub async fn ahead(aws: &Aws) -> Result<i64, Error> {
    let header = Header::default();
    let answer = aws
        .call(sts::GET_CALLER_IDENTITY, || {
            let call = aws.sts.client.get_caller_identity().customize();
            call.interceptor(header.clone()).send()
        })
        .await;
    let kept = header.0.lock().unwrap_or_else(PoisonError::into_inner);
    match (kept.as_ref(), answer) {
        (Some((date, at)), _) => between(date, *at),
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => Err(sts::GET_CALLER_IDENTITY.missing("Date")),
    }
}

fn between(date: &str, at: Timestamp) -> Result<i64, Error> {
    let theirs = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date);
    let theirs = theirs.map_err(|_| sts::GET_CALLER_IDENTITY.missing("Date"))?;
    Ok(at.as_second() - theirs.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_and_the_difference_has_a_sign() {
        let at: Timestamp = "2026-11-28T22:37:35Z".parse().unwrap();
        assert_eq!(between("Sat, 28 Nov 2026 22:37:30 GMT", at).unwrap(), 5);
        assert_eq!(between("Sat, 28 Nov 2026 22:47:35 GMT", at).unwrap(), -600);
        assert!(between("yesterday", at).is_err());
    }
}

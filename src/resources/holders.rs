//! Who keeps AWS from deleting something, and whether waiting for it is of any use.

use super::Tags;
use super::owned::same_deployment;
use crate::aws::Aws;
use crate::engine::{Class, Error};
use futures::future::try_join_all;

/// Holders that are named; the rest is counted.
const SHOWN: usize = 5;

/// Somebody who holds something.
pub(super) struct Named {
    /// Who it is, in words.
    pub text: String,
    /// It does not go by itself.
    pub stays: bool,
}

impl Named {
    /// A holder that stays until somebody removes it.
    pub(super) fn stays(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            stays: true,
        }
    }
}

/// A refusal with the names of those who hold the thing. One of them that does not go by itself makes waiting useless.
pub(super) fn held_by(mut error: Error, mut all: Vec<Named>) -> Error {
    if all.is_empty() {
        return error;
    }
    all.sort_by_key(|n| !n.stays);
    let stay = all.iter().filter(|n| n.stays).count();
    let more = all.len().saturating_sub(SHOWN);
    let mut names: Vec<String> = all.into_iter().take(SHOWN).map(|n| n.text).collect();
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    let text = error.message.trim_end().trim_end_matches('.');
    error.message = format!("{text}; held by {}", names.join(", "));
    let hint = if stay > 0 {
        error.class = Class::Blocked;
        "what deployer did not make does not go by itself: remove it, then run the same command again"
    } else {
        "what belongs to AWS goes by itself in the time given; deployer waits for it"
    };
    error.hint.get_or_insert_with(|| hint.into());
    error
}

/// The same answer; a refusal because others hold the thing says who they are, as far as that can be read. `others` gives those that
/// are not of the deployment: what is goes with the same run.
pub(super) async fn explain<T>(
    answer: Result<T, Error>,
    others: impl Future<Output = Result<Vec<String>, Error>>,
) -> Result<T, Error> {
    match answer {
        // What cannot be read is left out: the refusal itself is the news.
        Err(error) if error.class == Class::InUse => {
            let others = others.await.unwrap_or_default();
            let named = others.into_iter().map(Named::stays);
            Err(held_by(error, named.collect()))
        }
        answer => answer,
    }
}

/// Those of these users, known by ARN, that are there and not of the deployment whose tags `own` are. We give such things to load
/// balancers alone, and AWS goes on naming one for some minutes after it is gone.
pub(super) async fn not_beside(
    cx: &Aws,
    own: &Tags,
    arns: Vec<String>,
) -> Result<Vec<String>, Error> {
    let asks = arns.into_iter().map(|arn| async move {
        let theirs = if arn.contains(":elasticloadbalancing:") {
            let tags = cx.elbv2.tags(&arn).await?;
            tags.is_some_and(|tags| !same_deployment(own, &tags))
        } else {
            true
        };
        Ok::<_, Error>(theirs.then_some(arn))
    });
    let all = try_join_all(asks).await?;
    Ok(all.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::wire::answering;
    use crate::engine::ownership::{MARK_STEP, MARK_SUFFIX};

    #[test]
    fn one_holder_that_stays_makes_waiting_useless() {
        let refusal = || Error::of(Class::InUse, "ec2:DeleteVpc", "The vpc has dependencies.");
        let goes = || Named {
            text: "eni-1".into(),
            stays: false,
        };
        let passes = held_by(refusal(), vec![goes()]);
        assert_eq!(passes.class, Class::InUse);
        let blocked = held_by(refusal(), vec![goes(), Named::stays("subnet subnet-1")]);
        assert_eq!(blocked.class, Class::Blocked);
        assert_eq!(
            blocked.message,
            "The vpc has dependencies; held by subnet subnet-1, eni-1"
        );
        assert_eq!(held_by(refusal(), vec![]), refusal());
    }

    #[tokio::test]
    async fn load_balancers_of_others_hold_and_ours_and_those_that_are_gone_do_not() {
        let ours = "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/ours/1";
        let gone = "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/gone/1";
        let theirs = "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/theirs/1";
        let other = "arn:aws:cloudfront::1:distribution/E1";
        let tag = |key: &str, value: &str| {
            format!("<member><Key>{key}</Key><Value>{value}</Value></member>")
        };
        let mark = tag(MARK_SUFFIX, "dev") + &tag(MARK_STEP, "alb-green");
        let aws = answering(move |_| {
            let shown = |arn, tags: &str| {
                format!("<member><ResourceArn>{arn}</ResourceArn><Tags>{tags}</Tags></member>")
            };
            let all = shown(ours, &mark) + &shown(theirs, "");
            let body = format!(
                "<DescribeTagsResponse><DescribeTagsResult><TagDescriptions>{all}</TagDescriptions></DescribeTagsResult></DescribeTagsResponse>"
            );
            (200, body.into_bytes())
        });
        let own = [(MARK_SUFFIX, "dev"), (MARK_STEP, "certificate-green")];
        let own: Tags = own.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let users = [ours, gone, theirs, other].map(str::to_owned);
        let held = not_beside(&aws, &own, users.into()).await.unwrap();
        assert_eq!(held, [theirs, other]);
    }
}

//! What the levers at a load balancer share: its rules, and the tag that says who has pulled one and when. The tag is the trace
//! of a rollback that Route 53 has not taken.

use super::names::Side;
use crate::aws::Aws;
use crate::engine::Error;
use crate::resources::Tags;
use crate::resources::elbv2::ElbTags;
use crate::resources::traffic_tags::MARK_PULLED;
use aws_sdk_elasticloadbalancingv2::types as t;
use jiff::Timestamp;
use std::fmt;

/// Who has pulled a lever, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// User and host.
    pub by: String,
    /// The time.
    pub at: Timestamp,
}

impl fmt::Display for Pulled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:.0}", self.by, self.at)
    }
}

impl Pulled {
    /// The value of the tag: "AddTags" takes letters, digits, spaces and + - = . _ : / @.
    fn tag(&self) -> String {
        let allowed = |c: char| {
            if c.is_alphanumeric() || " +-=._:/@".contains(c) {
                c
            } else {
                '_'
            }
        };
        let by: String = self.by.chars().take(200).map(allowed).collect();
        format!("{by} at {:.0}", self.at)
    }

    fn parse(tag: &str) -> Option<Self> {
        let (by, at) = tag.rsplit_once(" at ")?;
        let (by, at) = (by.to_owned(), at.parse().ok()?);
        Some(Self { by, at })
    }
}

/// Writes the tag of a rule, or takes it away.
///
/// # Errors
/// When AWS refuses.
pub async fn mark(aws: &Aws, rule: &str, pulled: Option<&Pulled>) -> Result<(), Error> {
    let mark = MARK_PULLED.to_owned();
    match pulled {
        Some(pulled) => {
            let set = Tags::from([(mark, pulled.tag())]);
            ElbTags::change_of(aws, rule, &set, &[]).await
        }
        None => ElbTags::change_of(aws, rule, &Tags::new(), &[mark]).await,
    }
}

/// Who has pulled the lever of a rule; nobody known when the rule has no such tag.
///
/// # Errors
/// When AWS refuses.
pub async fn marked(aws: &Aws, rule: &str) -> Result<Option<Pulled>, Error> {
    let tags = aws.elbv2.tags(rule).await?.unwrap_or_default();
    Ok(tags.get(MARK_PULLED).and_then(|tag| Pulled::parse(tag)))
}

/// The first rule of a side's load balancer that is the wanted one.
///
/// # Errors
/// When it cannot be read.
pub async fn rule(
    aws: &Aws,
    side: &Side,
    is_it: impl Fn(&t::Rule) -> bool,
) -> Result<Option<t::Rule>, Error> {
    let balancer = aws.elbv2.load_balancers.named(&side.balancer).await?;
    let Some(balancer) = balancer.and_then(|b| b.load_balancer_arn) else {
        return Ok(None);
    };
    let listeners = aws.elbv2.listeners(&balancer).await?.unwrap_or_default();
    for listener in listeners.iter() {
        let arn = listener.listener_arn().unwrap_or_default();
        let rules = aws.elbv2.rules(arn).await?.unwrap_or_default();
        if let Some(rule) = rules.into_iter().find(&is_it) {
            return Ok(Some(rule));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_says_who_and_when_in_characters_that_aws_takes() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let one = |by: &str| Pulled { by: by.into(), at };
        let tag = one("Zoë <z@x> at work@host").tag();
        assert_eq!(tag, "Zoë _z@x_ at work@host at 2027-01-15T08:00:00Z");
        assert_eq!(Pulled::parse(&tag), Some(one("Zoë _z@x_ at work@host")));
        for bad in ["", "me", "me at noon"] {
            assert_eq!(Pulled::parse(bad), None);
        }
        assert!(one(&"x".repeat(400)).tag().chars().count() <= 256);
    }
}

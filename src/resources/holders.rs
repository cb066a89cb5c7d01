//! Who keeps AWS from deleting something, and whether waiting for it is of any use.

use crate::engine::{Class, Error};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}

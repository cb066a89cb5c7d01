//! A minimum that the traffic command holds above the configured one while traffic may have to come back: the tasks of a
//! service, the capacity of a database. A tag on the thing says so, with the value that it comes back to. It survives the
//! machine, needs no read of its own, and goes with the thing.
//!
//! To plan and drift such a minimum is the configured one, and the held one is a field of its own that belongs to the traffic
//! command ([`Held`]); so a change of the configuration takes effect, and the held value stays until it is given back.

use super::Tags;
use super::traffic_tags::MARK_MINIMUM;
use crate::engine::Delegated;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The field of a type that has such a minimum.
pub const HELD: Delegated = Delegated {
    field: "held",
    owner: "the traffic command",
    record: None,
    legal: |owner| match Held::deserialize(owner.found) {
        Ok(Held { is, found, .. }) if is == found => Ok(()),
        Ok(Held { is, found, .. }) => Err(format!(
            "it is {found}, and the traffic command has set {is}: `deployer traffic status` shows more"
        )),
        Err(_) => Err("it cannot be read".into()),
    },
};

/// What the tag says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Minimum {
    /// What it was raised to.
    pub is: f64,
    /// What it was, and comes back to.
    pub was: f64,
}

/// The same beside what was found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// What it was raised to.
    pub is: f64,
    /// What it comes back to.
    pub was: f64,
    /// What it is now.
    pub found: f64,
}

/// The value of the tag.
impl fmt::Display for Minimum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} instead of {}", self.is, self.was)
    }
}

impl Minimum {
    /// Of a thing with these tags; `None` when nothing holds it up.
    pub fn of(tags: &Tags) -> Option<Self> {
        let (is, was) = tags.get(MARK_MINIMUM)?.split_once(" instead of ")?;
        let number = |text: &str| text.parse().ok().filter(|n: &f64| n.is_finite());
        Some(Self {
            is: number(is)?,
            was: number(was)?,
        })
    }

    /// The minimum as the configuration knows it, and what is held, from what was found.
    pub fn split(held: Option<Self>, found: f64) -> (f64, Option<Held>) {
        match held {
            None => (found, None),
            Some(Self { is, was }) => {
                let minimum = if found == is { was } else { found };
                (minimum, Some(Held { is, was, found }))
            }
        }
    }

    /// What stands for a configured minimum and maximum while this is held.
    #[must_use]
    pub fn under(self, min: f64, max: f64) -> Self {
        Self {
            is: self.is.max(min).min(max),
            was: min,
        }
    }

    pub fn tag(&self) -> Tags {
        Tags::from([(MARK_MINIMUM.to_owned(), self.to_string())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_minimum_reads_as_the_configured_one_until_somebody_else_changes_it() {
        let held = Minimum { is: 4.0, was: 0.5 };
        assert_eq!(held.to_string(), "4 instead of 0.5");
        assert_eq!(Minimum::of(&held.tag()), Some(held));
        let found = |found| Minimum::split(Some(held), found);
        assert_eq!(found(4.0).0, 0.5);
        assert_eq!(found(3.0).0, 3.0);
        assert_eq!(Minimum::split(None, 3.0), (3.0, None));
        let legal = |found: f64| {
            let value = serde_json::to_value(Minimum::split(Some(held), found).1).unwrap();
            let owner = crate::engine::Owner {
                wanted: &serde_json::Value::Null,
                found: &value,
                record: None,
            };
            (HELD.legal)(&owner).is_ok()
        };
        assert!(legal(4.0) && !legal(3.0));
        // Another configuration: what is held stays within its maximum.
        assert_eq!(held.under(1.0, 8.0), Minimum { is: 4.0, was: 1.0 });
        assert_eq!(held.under(6.0, 8.0), Minimum { is: 6.0, was: 6.0 });
        assert_eq!(held.under(1.0, 2.0), Minimum { is: 2.0, was: 1.0 });
        for bad in ["", "4", "x instead of 1", "4 instead of NaN"] {
            let tags = Tags::from([(MARK_MINIMUM.to_owned(), bad.to_owned())]);
            assert_eq!(Minimum::of(&tags), None, "{bad}");
        }
    }
}

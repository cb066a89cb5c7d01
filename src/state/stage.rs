//! Which stage may follow which: one table, used by the writer of the journal and by whoever replays it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a recorded resource stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The intent: a create call is about to leave or has left, its answer is not recorded.
    Creating,
    /// It exists, its outputs are known; it may still be settling or lack settings.
    Created,
    /// It was seen ready with every setting in place.
    Ready,
    /// A delete call is about to leave or has left.
    Deleting,
}

/// A record that cannot follow the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IllegalTransition {
    from: Option<Stage>,
    to: Option<Stage>,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Creating, Self::Created, Self::Ready, Self::Deleting];

    /// Whether a step may go from one stage to another; `None` is "not recorded".
    ///
    /// * Nothing becomes `Ready` without having been `Created`: its outputs would not be known.
    /// * Nothing that exists leaves the state without having been `Deleting`.
    /// * What is deleted may be seen again (the call did not take effect) or be created again.
    pub fn next(from: Option<Self>, to: Option<Self>) -> Result<(), IllegalTransition> {
        use Stage::{Created, Creating, Deleting, Ready};
        let legal = match (from, to) {
            // Created, adopted, or deleted without a record (the state was lost).
            (None, Some(to)) => to != Ready,
            (None, None) => true,
            // Found after all, tried again with a new token, or given up because nothing was made.
            (Some(Creating), to) => to != Some(Ready),
            // Gone by another hand (then created again), changed, or deleted.
            (Some(Created | Ready), to) => to.is_some(),
            (Some(Deleting), to) => to != Some(Ready),
        };
        if legal {
            Ok(())
        } else {
            Err(IllegalTransition { from, to })
        }
    }
}

/// The word for a stage, or for its absence.
fn word(stage: Option<Stage>) -> &'static str {
    match stage {
        None => "not recorded",
        Some(Stage::Creating) => "creating",
        Some(Stage::Created) => "created",
        Some(Stage::Ready) => "ready",
        Some(Stage::Deleting) => "deleting",
    }
}

impl fmt::Display for IllegalTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a step cannot go from `{}` to `{}`",
            word(self.from),
            word(self.to)
        )
    }
}

impl std::error::Error for IllegalTransition {}

#[cfg(test)]
mod tests {
    use super::*;
    use Stage::{Created, Creating, Deleting, Ready};

    #[test]
    fn the_table_is_total_and_these_are_the_illegal_transitions() {
        let all = || std::iter::once(None).chain(Stage::ALL.map(Some));
        let illegal: Vec<_> = all()
            .flat_map(|from| all().map(move |to| (from, to)))
            .filter(|(from, to)| Stage::next(*from, *to).is_err())
            .collect();
        assert_eq!(
            illegal,
            [
                (None, Some(Ready)),
                (Some(Creating), Some(Ready)),
                (Some(Created), None),
                (Some(Ready), None),
                (Some(Deleting), Some(Ready)),
            ]
        );
    }
}

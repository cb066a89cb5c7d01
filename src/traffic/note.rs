//! What the traffic command writes beside the weights, in the same change: a number that grows with each step, what was done,
//! by whom and when. It stands in a text record of the zone, so a step of any machine sees that of any other, and Route 53
//! refuses whoever wants to replace a note that is no longer there.

use super::weights::{Live, Weights};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Nothing yet: the weights are those of `apply`.
    None,
    /// A shift raised green's weight, or is about to.
    Shift,
    /// Somebody wants the shift to wait.
    Pause,
    /// It goes on.
    Resume,
    /// Somebody allows a step that needs approval.
    Approve,
    /// The shift has come to its end.
    Done,
    /// All traffic went back to blue.
    Rollback,
    /// The writes were given to green, and all traffic with them; or they are about to be.
    Cutover,
}

impl Act {
    const ALL: [(Self, &'static str); 8] = [
        (Self::None, "none"),
        (Self::Shift, "shift"),
        (Self::Pause, "pause"),
        (Self::Resume, "resume"),
        (Self::Approve, "approve"),
        (Self::Done, "done"),
        (Self::Rollback, "rollback"),
        (Self::Cutover, "cutover"),
    ];

    fn word(self) -> &'static str {
        let named = Self::ALL.iter().find(|(act, _)| *act == self);
        named.map_or("none", |(_, word)| word)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Grows by one with each step.
    pub epoch: u64,
    /// What was done.
    pub act: Act,
    /// The weights that were set with it; `None` before the first step.
    pub weights: Option<Weights>,
    /// The shift that it belongs to; empty for none.
    pub run: String,
    /// Who did it, `user@host`.
    pub by: String,
    /// When.
    pub at: Option<Timestamp>,
    /// The weight of green that is approved, and until when.
    pub approved: Option<(u8, Timestamp)>,
    /// Somebody wants the shift to wait, and nobody has let it go on since: an approval does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Green alone takes writes, or a cutover that gives them to it has begun: the traffic goes back only with them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub green_writes: bool,
}

/// More steps than anybody takes: what is above was written by another hand, and leaves no room to count on.
const MOST_EPOCHS: u64 = 1 << 53;

impl Note {
    /// Before the first step.
    pub const FIRST: Self = Self {
        epoch: 0,
        act: Act::None,
        weights: None,
        run: String::new(),
        by: String::new(),
        at: None,
        approved: None,
        paused: false,
        green_writes: false,
    };

    /// The next note.
    #[must_use]
    pub fn next(&self, act: Act, weights: Weights, run: &str, by: &str, at: Timestamp) -> Self {
        Self {
            epoch: self.epoch + 1,
            act,
            weights: Some(weights),
            run: run.to_owned(),
            by: word(by),
            at: Some(Timestamp::from_second(at.as_second()).unwrap_or(at)),
            // What was approved stays so to the end of the shift, or until its time is over.
            approved: self
                .approved
                .filter(|_| matches!(act, Act::Shift | Act::Pause | Act::Resume)),
            paused: match act {
                Act::Pause => true,
                Act::Shift | Act::Approve => self.paused,
                _ => false,
            },
            green_writes: self.green_writes,
        }
    }

    /// True while a shift has begun and has not come to its end.
    pub fn in_progress(&self) -> bool {
        matches!(
            self.act,
            Act::Shift | Act::Pause | Act::Resume | Act::Approve
        )
    }

    /// Who to ask about a shift that is in progress.
    pub fn going_on(&self) -> String {
        format!(
            "a shift is going on, which {} began or changed last",
            self.by
        )
    }

    /// True when these weights are those that were set with it; before the first step any that `apply` sets are.
    pub fn explains(&self, live: Live) -> bool {
        self.weights.is_none_or(|weights| live.are(weights))
    }

    /// Reads the value of the record.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(value: &str) -> Result<Self, String> {
        let mut note = Self::FIRST;
        let (mut epoch, mut blue, mut green) = (None, None, None);
        let (mut approved, mut until) = (None, None);
        for pair in value.split_ascii_whitespace() {
            let bad = || format!("`{pair}` cannot be read");
            let (key, text) = pair.split_once('=').ok_or_else(bad)?;
            let number = || text.parse::<u8>().map_err(|_| bad());
            let instant = || text.parse::<Timestamp>().map_err(|_| bad());
            match key {
                "epoch" => epoch = Some(text.parse().map_err(|_| bad())?),
                "act" => {
                    let known = Act::ALL.iter().find(|(_, word)| *word == text);
                    note.act = known.ok_or_else(bad)?.0;
                }
                "blue" => blue = Some(number()?),
                "green" => green = Some(number()?),
                "run" => note.run = text.to_owned(),
                "by" => note.by = text.to_owned(),
                "at" => note.at = Some(instant()?),
                "approved" => approved = Some(number()?),
                "until" => until = Some(instant()?),
                "paused" => note.paused = text == "1",
                "writer" => note.green_writes = text == "green",
                // Of a newer version: what it says is not needed to stop.
                _ => {}
            }
        }
        note.epoch = epoch.ok_or("it has no `epoch`")?;
        if note.epoch > MOST_EPOCHS {
            return Err("its `epoch` is no number of steps".into());
        }
        // Of a version that had no word of its own for it.
        note.paused |= note.act == Act::Pause;
        note.weights = match (blue, green) {
            (None, None) => None,
            (Some(blue), Some(green)) if u16::from(blue) + u16::from(green) == 100 => {
                Some(Weights { blue, green })
            }
            _ => return Err("its weights are not 100 together".into()),
        };
        note.approved = approved.zip(until);
        Ok(note)
    }
}

/// A word without blanks and quotes, short enough that the note fits into 255 characters.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@._-".contains(c);
    let word: String = text.chars().filter(|c| plain(*c)).take(80).collect();
    if word.is_empty() {
        "unknown".into()
    } else {
        word
    }
}

/// The value of the record.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch={}", self.epoch)?;
        if self.act != Act::None {
            write!(f, " act={}", self.act.word())?;
        }
        if let Some(Weights { blue, green }) = self.weights {
            write!(f, " blue={blue} green={green}")?;
        }
        for (key, value) in [("run", &self.run), ("by", &self.by)] {
            if !value.is_empty() {
                write!(f, " {key}={value}")?;
            }
        }
        if let Some(at) = self.at {
            write!(f, " at={at}")?;
        }
        if let Some((weight, until)) = self.approved {
            write!(f, " approved={weight} until={until}")?;
        }
        // Its own act says it.
        if self.paused && self.act != Act::Pause {
            write!(f, " paused=1")?;
        }
        if self.green_writes {
            write!(f, " writer=green")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_note_is_read_as_it_was_written_and_fits(
            epoch in 0..MOST_EPOCHS,
            act in 0..Act::ALL.len(),
            green in 0_u8..=100,
            run in "[a-f0-9]{0,12}",
            by in ".{0,120}",
            at in 0_i64..4_000_000_000,
            approved in proptest::option::of((0_u8..=100, 0_i64..4_000_000_000)),
            green_writes in proptest::bool::ANY,
            paused in proptest::bool::ANY,
        ) {
            let at = Timestamp::from_second(at).unwrap();
            let before = Note { epoch, green_writes, paused, ..Note::FIRST };
            let weights = Weights::green(green).unwrap();
            let mut note = before.next(Act::ALL[act].0, weights, &run, &by, at);
            note.approved = approved.map(|(w, s)| (w, Timestamp::from_second(s).unwrap()));
            let text = note.to_string();
            prop_assert!(text.len() <= 255 && !text.contains('"'), "{text}");
            prop_assert_eq!(Note::parse(&text), Ok(note));
        }
    }

    #[test]
    fn an_approval_lasts_to_the_end_of_a_shift() {
        let at = Timestamp::from_second(1).unwrap();
        let next = |note: &Note, act| note.next(act, Weights::BLUE, "a1", "me", at);
        let mut approved = next(&Note::FIRST, Act::Approve);
        approved.approved = Some((100, at));
        for (act, kept) in [
            (Act::Shift, true),
            (Act::Pause, true),
            (Act::Resume, true),
            (Act::Done, false),
            (Act::Rollback, false),
        ] {
            assert_eq!(next(&approved, act).approved.is_some(), kept, "{act:?}");
        }
    }

    #[test]
    fn a_pause_lasts_until_somebody_ends_it() {
        let at = Timestamp::from_second(1).unwrap();
        let next = |note: &Note, act| note.next(act, Weights::BLUE, "a1", "me", at);
        let paused = next(&Note::FIRST, Act::Pause);
        for (act, kept) in [
            (Act::Shift, true),
            (Act::Approve, true),
            (Act::Resume, false),
            (Act::Done, false),
            (Act::Rollback, false),
            (Act::Cutover, false),
        ] {
            assert_eq!(next(&paused, act).paused, kept, "{act:?}");
        }
        assert_eq!(Note::parse(&paused.to_string()), Ok(paused));
    }

    #[test]
    fn what_cannot_be_a_note_is_refused_and_more_is_not() {
        assert_eq!(Note::parse("epoch=0"), Ok(Note::FIRST));
        assert_eq!(Note::parse("epoch=3 later=x").map(|n| n.epoch), Ok(3));
        for bad in [
            "",
            "epoch",
            "epoch=x",
            "blue=90 green=10",
            "epoch=1 blue=0 green=0",
            "epoch=1 act=dance",
            "epoch=1 blue=90",
            "epoch=18446744073709551615 act=shift blue=90 green=10",
        ] {
            assert!(Note::parse(bad).is_err(), "{bad}");
        }
    }
}

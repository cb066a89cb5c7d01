//! How the answers for the domain are shared between both environments.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The weights of the two records, in percent: together 100, so never both 0 (Route 53 would answer both alike).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weights {
    pub blue: u8,
    pub green: u8,
}

impl Weights {
    /// Everything to blue.
    pub const BLUE: Self = Self {
        blue: 100,
        green: 0,
    };

    /// Everything to green.
    pub const GREEN: Self = Self {
        blue: 0,
        green: 100,
    };

    /// Green gets so many percent, blue the rest. `None` above 100.
    pub fn green(percent: u8) -> Option<Self> {
        let blue = 100_u8.checked_sub(percent)?;
        Some(Self {
            blue,
            green: percent,
        })
    }
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blue {}, green {}", self.blue, self.green)
    }
}

/// The weights as Route 53 has them: `None` where an environment has no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Live {
    /// Of blue, 0 to 255.
    pub blue: Option<i64>,
    /// Of green, 0 to 255.
    pub green: Option<i64>,
}

impl Live {
    /// Green's share of the answers, in percent. Without a weight above 0 nobody has a share.
    pub fn green_percent(&self) -> f64 {
        let [blue, green] = [self.blue, self.green].map(Option::unwrap_or_default);
        match (blue + green, self.blue, self.green) {
            (_, _, None) => 0.0,
            (_, None, _) => 100.0,
            // Equal shares.
            (0, ..) => 50.0,
            (all, ..) => 100.0 * green as f64 / all as f64,
        }
    }

    /// The same in percent, when both are there and they are 100 together.
    pub fn weights(&self) -> Option<Weights> {
        let green = u8::try_from(self.green?).ok()?;
        Weights::green(green).filter(|weights| self.are(*weights))
    }

    /// True when they are these.
    pub fn are(&self, weights: Weights) -> bool {
        let is = |have: Option<i64>, want: u8| have == Some(i64::from(want));
        is(self.blue, weights.blue) && is(self.green, weights.green)
    }

    /// True when green gets nothing.
    pub fn all_blue(&self) -> bool {
        self.green.unwrap_or_default() == 0 && self.blue.is_some_and(|blue| blue > 0)
    }
}

impl fmt::Display for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |weight: Option<i64>| weight.map_or("no record".to_owned(), |w| w.to_string());
        write!(f, "blue {}, green {}", one(self.blue), one(self.green))
    }
}

impl From<Weights> for Live {
    fn from(weights: Weights) -> Self {
        Self {
            blue: Some(weights.blue.into()),
            green: Some(weights.green.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_zero_cannot_be_written_and_a_share_counts_both() {
        for percent in 0..=u8::MAX {
            let weights = Weights::green(percent);
            assert_eq!(weights.is_some(), percent <= 100);
            assert!(weights.is_none_or(|w| w.blue + w.green == 100));
        }
        let live = |blue, green| Live { blue, green };
        assert_eq!(live(Some(90), Some(10)).green_percent(), 10.0);
        assert_eq!(live(Some(0), Some(0)).green_percent(), 50.0);
        assert_eq!(live(None, Some(0)).green_percent(), 100.0);
        assert_eq!(live(Some(0), None).green_percent(), 0.0);
        assert_eq!(live(None, Some(100)).green_percent(), 100.0);
        assert!(live(Some(90), Some(0)).all_blue());
        // All weights 0: equal shares, so green gets requests.
        assert!(!live(Some(0), Some(0)).all_blue());
        assert!(live(Some(100), None).all_blue());
    }
}

//! Parsers that are values: each parses one kind of value and prints what it takes, so that the words cannot lie.

use super::check::text_like;
use std::time::Duration;
use toml::de::DeValue;

/// A value of a file or a flag.
pub(super) type Given<'a> = DeValue<'a>;
/// A value, or why it is refused (empty: what the key takes says it all).
pub(super) type Checked<T> = Result<T, String>;

/// The same refusal for everything that needs no further word.
pub(super) fn refused<T>() -> Checked<T> {
    Err(String::new())
}

pub(super) fn integer(given: &Given<'_>) -> Option<i64> {
    let number = given.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// A number with or without a decimal point.
pub(super) fn number(given: &Given<'_>) -> Option<f64> {
    match given {
        // TOML lets digits be parted.
        DeValue::Float(float) => float.as_str().replace('_', "").parse().ok(),
        _ => integer(given).map(|n| n as f64),
    }
}

/// A parser that says what it takes, in words that follow "it takes": the bounds stand once.
pub(super) trait Takes {
    /// What it takes.
    fn takes(&self) -> String;
    /// True for a table of the user's own keys.
    fn is_table(&self) -> bool {
        false
    }
}

/// A parser of one kind of value.
pub(super) trait Parser<T>: Takes {
    /// The value, or why it is refused.
    fn parse(&self, given: &Given<'_>) -> Checked<T>;
}

/// A whole number within bounds.
pub(super) struct Within(pub i64, pub i64);

impl Takes for Within {
    fn takes(&self) -> String {
        if self.1 == self.0 + 1 {
            format!("{} or {}", self.0, self.1)
        } else {
            format!("{} to {}", self.0, self.1)
        }
    }
}

impl<T: TryFrom<i64>> Parser<T> for Within {
    fn parse(&self, given: &Given<'_>) -> Checked<T> {
        match integer(given) {
            Some(number) if (self.0..=self.1).contains(&number) => {
                T::try_from(number).map_err(|_| String::new())
            }
            _ => refused(),
        }
    }
}

/// One of the listed whole numbers; names the nearest otherwise.
pub(super) struct OneOf(pub &'static [i32]);

impl Takes for OneOf {
    fn takes(&self) -> String {
        let words: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => words.concat(),
        }
    }
}

impl Parser<i32> for OneOf {
    fn parse(&self, given: &Given<'_>) -> Checked<i32> {
        let Some(number) = integer(given) else {
            return refused();
        };
        let distance = |n: &&i32| i64::from(**n).abs_diff(number);
        match self.0.iter().min_by_key(distance) {
            Some(found) if i64::from(*found) == number => Ok(*found),
            Some(nearest) => Err(format!("the nearest is {nearest}")),
            None => refused(),
        }
    }
}

/// Whole seconds within bounds.
pub(super) struct Seconds(pub i64, pub i64);

impl Takes for Seconds {
    fn takes(&self) -> String {
        Within(self.0, self.1).takes()
    }
}

impl Parser<Duration> for Seconds {
    fn parse(&self, given: &Given<'_>) -> Checked<Duration> {
        let seconds: u64 = Within(self.0, self.1).parse(given)?;
        Ok(Duration::from_secs(seconds))
    }
}

/// A text that a rule accepts.
pub(super) struct Like(pub fn(&str) -> bool, pub &'static str);

impl Takes for Like {
    fn takes(&self) -> String {
        self.1.to_owned()
    }
}

impl Parser<String> for Like {
    fn parse(&self, given: &Given<'_>) -> Checked<String> {
        text_like(self.0)(given)
    }
}

/// Whatever a function takes.
pub(super) struct By<T>(pub fn(&Given<'_>) -> Checked<T>, pub &'static str);

impl<T> Takes for By<T> {
    fn takes(&self) -> String {
        self.1.to_owned()
    }
}

impl<T> Parser<T> for By<T> {
    fn parse(&self, given: &Given<'_>) -> Checked<T> {
        (self.0)(given)
    }
}

/// A table of the user's own keys.
pub(super) struct Table<T>(pub fn(&Given<'_>) -> Checked<T>, pub &'static str);

impl<T> Takes for Table<T> {
    fn takes(&self) -> String {
        self.1.to_owned()
    }
    fn is_table(&self) -> bool {
        true
    }
}

impl<T> Parser<T> for Table<T> {
    fn parse(&self, given: &Given<'_>) -> Checked<T> {
        (self.0)(given)
    }
}

/// A parser with a rule more, which is judged together with other keys.
pub(super) struct Also<P>(pub P, pub &'static str);

impl<P: Takes> Takes for Also<P> {
    fn takes(&self) -> String {
        format!("{}{}", self.0.takes(), self.1)
    }
}

impl<T, P: Parser<T>> Parser<T> for Also<P> {
    fn parse(&self, given: &Given<'_>) -> Checked<T> {
        self.0.parse(given)
    }
}

/// A capacity in ACU: steps of 0.5 within bounds.
pub(super) struct Capacity(pub f64, pub f64);

impl Takes for Capacity {
    fn takes(&self) -> String {
        format!("{} to {} in steps of 0.5", self.0, self.1)
    }
}

impl Parser<f64> for Capacity {
    fn parse(&self, given: &Given<'_>) -> Checked<f64> {
        match number(given) {
            Some(n) if n.is_finite() && n >= self.0 && n <= self.1 && (n * 2.0).fract() == 0.0 => {
                Ok(n)
            }
            _ => refused(),
        }
    }
}

/// A number within bounds, with or without a decimal point.
pub(super) struct Number(pub f64, pub f64);

impl Takes for Number {
    fn takes(&self) -> String {
        format!("a number from {} to {}", self.0, self.1)
    }
}

impl Parser<f64> for Number {
    fn parse(&self, given: &Given<'_>) -> Checked<f64> {
        match number(given) {
            Some(n) if n.is_finite() && n >= self.0 && n <= self.1 => Ok(n),
            _ => refused(),
        }
    }
}

//! Colour, when there is someone to see it.

use std::io::IsTerminal;

/// What `--color` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set (to anything but nothing) or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint(bool);

impl Paint {
    /// No colour.
    pub const PLAIN: Self = Self(false);
    /// Colour.
    pub const COLOR: Self = Self(true);

    /// Decides for a stream.
    pub fn of(choice: ColorChoice, stream: &impl IsTerminal) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        Self(decide(
            choice,
            stream.is_terminal(),
            set("NO_COLOR") || dumb,
        ))
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// Bold.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }
    /// Less important.
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }
    /// New or well.
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }
    /// Changed or to be watched.
    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }
    /// Gone or failed.
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }
    /// Replaced.
    pub fn magenta(self, text: &str) -> String {
        self.with("35", text)
    }
    /// Help.
    pub fn cyan(self, text: &str) -> String {
        self.with("36", text)
    }
}

fn decide(choice: ColorChoice, terminal: bool, refused: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => terminal && !refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_that_did_not_refuse_it() {
        assert!(decide(ColorChoice::Auto, true, false));
        assert!(!decide(ColorChoice::Auto, true, true));
        assert!(!decide(ColorChoice::Auto, false, false));
        assert!(decide(ColorChoice::Always, false, true));
        assert!(!decide(ColorChoice::Never, true, false));
        assert_eq!(Paint::COLOR.red("x"), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Paint::PLAIN.red("x"), "x");
    }
}

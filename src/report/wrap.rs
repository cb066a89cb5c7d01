//! Long lines on a terminal: broken between words, and continued under where they begin. A terminal by itself breaks words. What is
//! not a terminal gets lines whole, so that tools can read them.

use std::io::IsTerminal;
use std::os::fd::AsFd;

/// Columns by which the rest of a line stands further to the right than its beginning.
const HANGING: usize = 4;

/// Columns below which nothing is broken: there would be little but breaks.
const NARROWEST: usize = 40;

/// The columns of a terminal; `None` for what is none.
pub fn columns(stream: &(impl AsFd + IsTerminal)) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns >= NARROWEST)
}

/// The text with no line longer than the columns, as far as its words are not. What stands between backticks and a command to
/// type stay whole, so that they can be copied.
pub fn wrap(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns else {
        return text.to_owned();
    };
    text.split_inclusive('\n')
        .map(|line| one(line, columns))
        .collect()
}

fn one(line: &str, columns: usize) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    // Text that begins far to the right goes on from the middle: it would be a column of single words.
    let hanging = (indent + HANGING).min(columns / 2);
    if shown(line.trim_end_matches('\n')) <= columns {
        return line.to_owned();
    }
    let mut out = String::new();
    let mut at = 0;
    for unit in units(line) {
        let width = shown(unit.trim_end());
        if at > hanging && at + width > columns {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', hanging));
            at = hanging;
        }
        out.push_str(unit);
        at += shown(unit);
    }
    out
}

/// The line in pieces that are not broken, each with the spaces behind it.
fn units(line: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut quoted, mut command, mut begin) = (false, false, 0);
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        // A word begins here.
        if before == ' ' && c != ' ' {
            if at > begin && !quoted && !command {
                out.push(&line[begin..at]);
                begin = at;
            }
            let word = line[at..].split([' ', '\n']).next().unwrap_or_default();
            command |= word == "deployer";
        }
        quoted ^= c == '`';
        before = c;
    }
    out.push(&line[begin..]);
    out
}

/// The line as far as it fits: a terminal that has to break it would leave a part behind when the view is drawn again.
pub fn fit(line: &str, columns: usize) -> String {
    if shown(line) <= columns {
        return line.to_owned();
    }
    let (mut out, mut room, mut code) = (String::new(), columns.saturating_sub(1), false);
    for c in line.chars() {
        if code || c == '\u{1b}' {
            code = c != 'm';
            out.push(c);
        } else if room > 0 {
            room -= 1;
            out.push(c);
        }
    }
    out.push('…');
    out
}

/// Columns that a text takes: colour codes take none.
fn shown(text: &str) -> usize {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().map_or(0, |p| p.chars().count());
    let coloured = parts.map(|part| {
        part.split_once('m')
            .map_or(0, |(_, rest)| rest.chars().count())
    });
    first + coloured.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Paint;

    #[test]
    fn a_long_line_breaks_between_words_and_hangs() {
        let text = "short\n  - one two three four five six seven eight nine ten eleven\nend";
        assert_eq!(
            wrap(text, Some(40)),
            "short\n  - one two three four five six seven\n      eight nine ten eleven\nend"
        );
        assert_eq!(wrap(text, None), text);
    }

    #[test]
    fn what_begins_far_to_the_right_is_broken_too() {
        let hint = " ".repeat(30) + "hint: set it to a later version before that day\n";
        let middle = " ".repeat(20);
        let first = " ".repeat(30) + "hint: set";
        assert_eq!(
            wrap(&hint, Some(40)),
            format!("{first}\n{middle}it to a later\n{middle}version before that\n{middle}day\n")
        );
    }

    #[test]
    fn what_can_be_copied_stays_whole() {
        let command = "next: deployer drift --suffix pr42 --config a/b.toml --region eu-central-1";
        assert_eq!(wrap(command, Some(40)), command.replacen(' ', "\n    ", 1));
        let word = "x".repeat(60);
        assert_eq!(wrap(&word, Some(40)), word);
        let quoted =
            "this is said: `aws kms cancel-key-deletion --key-id ID` and that is it, all of it";
        assert_eq!(
            wrap(quoted, Some(44)),
            "this is said:\n    `aws kms cancel-key-deletion --key-id ID`\n    and that is it, all of it"
        );
    }

    #[test]
    fn a_line_that_is_cut_ends_its_colours() {
        let line = "12 ".to_owned() + &Paint::COLOR.red("failed") + " and more";
        assert_eq!(fit(&line, 18), line);
        assert_eq!(fit(&line, 6), format!("12 {}…", Paint::COLOR.red("fa")));
        assert_eq!(shown(&fit(&line, 12)), 12);
    }

    #[test]
    fn colours_take_no_columns_and_nothing_is_lost() {
        let words = Paint::COLOR.red("one") + " two " + &Paint::COLOR.dim(&"word ".repeat(30));
        let wrapped = wrap(&words, Some(50));
        assert!(wrapped.lines().count() > 2);
        assert!(wrapped.lines().all(|line| shown(line) <= 50), "{wrapped}");
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(flat(&wrapped), flat(&words));
    }
}

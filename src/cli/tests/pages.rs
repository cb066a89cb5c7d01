//! The pages of this repository against the program and the folder: links lead somewhere, and commands are taken.

use super::super::args::Cli;
use clap::Parser;
use clap::error::ErrorKind;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Characters of a line of code that GitHub's column shows without a scroll bar.
const CODE_COLUMNS: usize = 108;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Markdown file of this repository, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().to_owned()];
    let mut out = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && !name.starts_with('.') && name != "node_modules" && name != "target"
            {
                folders.push(path);
            } else if kind.is_file() && name.ends_with(".md") {
                let text = std::fs::read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    assert!(out.len() >= 10, "{out:?}");
    out
}

/// A line with its number.
type Line<'a> = (usize, &'a str);

/// The lines of code blocks, indented or fenced, and the other lines, each with its number. A picture is neither.
fn lines(text: &str) -> (Vec<Line<'_>>, Vec<Line<'_>>) {
    let (mut code, mut prose) = (Vec::new(), Vec::new());
    let (mut fenced, mut drawn) = (false, false);
    for (at, line) in text.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fenced = !fenced;
            drawn = language == "mermaid";
        } else if drawn {
            continue;
        } else if fenced {
            code.push((at + 1, line));
        } else if let Some(line) = line.strip_prefix("    ") {
            code.push((at + 1, line));
        } else {
            prose.push((at + 1, line));
        }
    }
    (code, prose)
}

/// The parts of a line between backticks.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The anchors that GitHub gives the headings of a page.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = lines(text)
        .1
        .into_iter()
        .filter_map(|(_, l)| l.strip_prefix('#'));
    let anchor = |heading: &str| -> String {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_of_a_page_leads_to_a_file_and_a_heading() {
    let mut links = 0;
    for (path, text) in pages() {
        for (at, line) in lines(&text).1 {
            for link in line.split("](").skip(1) {
                let (link, _) = link.split_once(')').unwrap();
                if link.contains("://") {
                    continue;
                }
                links += 1;
                let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
                let here = format!("{}:{at}: {link}", path.display());
                let target = if file.is_empty() {
                    path.clone()
                } else {
                    path.parent().unwrap().join(file)
                };
                assert!(target.exists(), "{here}");
                if !anchor.is_empty() {
                    let text = std::fs::read_to_string(&target).unwrap();
                    assert!(anchors(&text).contains(anchor), "{here}");
                }
            }
        }
    }
    assert!(links > 20, "{links}");
}

/// The command lines of `deployer` in a line of a shell, with values for what stands between `<` and `>`.
fn commands(line: &str) -> Vec<Vec<String>> {
    let line = line.split(" # ").next().unwrap_or(line).trim();
    let line = line.replace("cargo run -- ", "deployer ");
    // What a person puts in, and the end of a line that a picture cuts.
    let mut filled = String::new();
    let mut rest = line.as_str();
    while let Some((before, inside)) = rest.split_once('<') {
        let Some((_, after)) = inside.split_once('>') else {
            break;
        };
        filled.push_str(before);
        filled.push('5');
        rest = after;
    }
    filled.push_str(rest);
    let simple = filled.split("&&").flat_map(|part| part.split(['|', '>']));
    let words = simple.filter_map(|part| shlex::split(part.trim()));
    words
        .filter(|words| words.first().is_some_and(|word| word == "deployer"))
        .map(|words| {
            words
                .into_iter()
                .map(|w| if w == "COMMAND" { "plan".into() } else { w })
                .collect()
        })
        .collect()
}

#[test]
fn every_command_of_a_page_is_one_that_the_program_takes() {
    let mut seen = 0;
    for (path, text) in pages() {
        let (code, prose) = lines(&text);
        let named = prose
            .iter()
            .flat_map(|(at, line)| spans(line).map(|s| (*at, s, false)));
        let typed = code.iter().map(|(at, line)| (*at, *line, true));
        for (at, line, whole) in typed.chain(named) {
            for words in commands(line) {
                seen += 1;
                let Err(error) = Cli::try_parse_from(&words) else {
                    continue;
                };
                let part = [
                    ErrorKind::MissingRequiredArgument,
                    ErrorKind::MissingSubcommand,
                    ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
                ];
                let fine = match error.kind() {
                    ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
                    // In a sentence a command is named, not typed.
                    kind => !whole && part.contains(&kind),
                };
                assert!(fine, "{}:{at}: {words:?}: {error}", path.display());
            }
        }
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn code_of_the_first_page_needs_no_scroll_bar() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    for (at, line) in lines(&text).0 {
        assert!(
            line.chars().count() <= CODE_COLUMNS,
            "README.md:{at}: {line}"
        );
    }
}

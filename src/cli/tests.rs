//! What people read before a command runs.

mod pages;

use super::args::Cli;
use clap::{Command, CommandFactory};

fn help(command: &Command, name: &str, out: &mut String) {
    // A command by itself: without the options that all of them share.
    let mut alone = command.clone().bin_name(name).term_width(100);
    let text = alone.render_long_help().to_string();
    out.push_str(&format!("==== {name}\n{text}\n"));
    for inner in command.get_subcommands().filter(|c| c.get_name() != "help") {
        help(inner, &format!("{name} {}", inner.get_name()), out);
    }
}

#[test]
fn the_help_of_every_command() {
    // The values of the variables are those of whoever runs the tests.
    let hidden = |root: Command, name| root.mut_arg(name, |a| a.hide_env_values(true));
    let root = ["suffix", "state", "config", "region", "state_dir"]
        .into_iter()
        .fold(Cli::command(), hidden);
    let mut out = String::new();
    help(&root, "deployer", &mut out);
    insta::assert_snapshot!(out);
}

#[test]
fn a_command_line_to_type_is_quoted_for_a_shell() {
    for (word, quoted) in [
        ("state", "state"),
        ("/srv/a-b_c.toml", "/srv/a-b_c.toml"),
        ("", "''"),
        ("a b", "'a b'"),
        ("it's $HOME", "'it'\\''s $HOME'"),
    ] {
        assert_eq!(super::quoted(word), quoted);
    }
}

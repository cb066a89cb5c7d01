//! Completion in a shell: the script that `deployer completions` prints asks this program at each TAB. Values that depend on the
//! folder come from the configuration and the local files of the state that the words typed so far mean; nothing is called, nothing
//! is written, and whatever cannot be read has no candidates.

use super::args::{Cli, Common};
use super::connection::{local_store, state_folder};
use super::error::Failure;
use super::inspect::suffixes as recorded_suffixes;
use super::session::overrides;
use crate::aws;
use crate::blueprint::{self, Facts};
use crate::config::Config;
use crate::engine::Graph;
use crate::state::{self, State};
use clap::{CommandFactory, FromArgMatches};
use clap_complete::Shell;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};
use std::ffi::OsString;

/// The variable with which the script says that it asks, and for which shell.
const VARIABLE: &str = "DEPLOYER_COMPLETE";

/// Answers a script that asks, and ends the process; returns when none does.
pub fn answer() {
    CompleteEnv::with_factory(Cli::command)
        .var(VARIABLE)
        .complete();
}

/// The script for a shell, which calls this program by its whole path.
pub fn script(shell: Shell) -> Result<String, Failure> {
    let program = std::env::current_exe()?;
    let shells = Shells::builtins();
    let Some(adapter) = shells.completer(&shell.to_string()) else {
        return Err(Failure::usage(format!(
            "there is no completion for {shell}"
        )));
    };
    let mut script = Vec::new();
    let program = program.to_string_lossy();
    adapter.write_registration(VARIABLE, "deployer", "deployer", &program, &mut script)?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// All steps of the blueprint.
pub fn steps() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        candidates(|common| {
            let (config, state) = local(common)?;
            let steps = graph(&config, &state)?.steps;
            Some(steps.into_iter().map(|step| step.id).collect())
        })
    })
}

/// The recorded steps.
pub fn recorded() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        candidates(|common| {
            let (_, state) = local(common)?;
            Some(state.steps.into_keys().collect())
        })
    })
}

/// The names of outputs.
pub fn outputs() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        candidates(|common| {
            let (config, state) = local(common)?;
            let outputs = graph(&config, &state)?.outputs;
            Some(outputs.into_keys().collect())
        })
    })
}

/// The suffixes of which there is a local state.
pub fn suffixes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        candidates(|common| {
            Some(
                recorded_suffixes(&state_folder(common))
                    .into_iter()
                    .collect(),
            )
        })
    })
}

/// The profiles of the AWS configuration.
pub fn profiles() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(|_| Some(aws::profiles().into_iter().collect())))
}

fn candidates(of: impl Fn(&Common) -> Option<Vec<String>>) -> Vec<CompletionCandidate> {
    let names = typed(std::env::args_os()).and_then(|common| of(&common));
    let names = names.unwrap_or_default().into_iter();
    names.map(CompletionCandidate::new).collect()
}

/// The common options among the words typed so far: those behind the `--` of the call. An unfinished line is no error.
fn typed(words: impl Iterator<Item = OsString>) -> Option<Common> {
    let words = words.skip_while(|word| word != "--").skip(1);
    let matches = Cli::command()
        .ignore_errors(true)
        .try_get_matches_from(words)
        .ok()?;
    let mut last = &matches;
    while let Some((_, next)) = last.subcommand() {
        last = next;
    }
    Common::from_arg_matches(last).ok()
}

/// Configuration and local state.
fn local(common: &Common) -> Option<(Config, State)> {
    let config = Config::load(common.config.as_deref(), overrides(common)).ok()?;
    let store = local_store(common, &config);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    let state = runtime.block_on(state::read(&store, &config.region)).ok()?;
    Some((config, state))
}

fn graph(config: &Config, state: &State) -> Option<Graph> {
    let facts = Facts::recorded(&state.facts).unwrap_or_else(|| Facts::assumed(config));
    blueprint::build(config, &facts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(line: &str) -> Option<Common> {
        typed(
            format!("deployer -- deployer {line}")
                .split(' ')
                .map(OsString::from),
        )
    }

    #[test]
    fn common_options_are_found_wherever_they_stand_in_an_unfinished_line() {
        for line in [
            "state show --suffix pr42 --sandbox vp",
            "--suffix pr42 --sandbox state show",
            "--sandbox state --suffix=pr42 show x --no-such",
            "plan --suffix pr42 --sandbox --step",
            "--suffix pr42 --sandbox --profile",
        ] {
            let common = common(line).expect(line);
            assert_eq!(common.suffix.as_deref(), Some("pr42"), "{line}");
            assert!(common.sandbox, "{line}");
        }
    }

    #[test]
    fn there_is_a_script_for_every_shell_that_calls_this_program() {
        let program = std::env::current_exe().unwrap();
        for shell in <Shell as clap::ValueEnum>::value_variants() {
            let script = script(*shell).unwrap();
            assert!(script.contains(&*program.to_string_lossy()), "{script}");
            assert!(script.contains(VARIABLE), "{script}");
        }
    }
}

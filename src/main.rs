//! The `deployer` command: parse, dispatch, turn the outcome into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(deployer::cli::main().code())
}

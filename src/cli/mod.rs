//! The command line: arguments in, engine call, rendering out. One file per subcommand.

mod apply;
mod args;
mod destroy;
mod drift;
mod error;
mod exit;
mod inspect;
mod run;
mod sandbox;
mod session;
mod state;

pub use args::Cli;
pub use exit::{Exit, TABLE};

use args::{Command, LogFormat};
use clap::{CommandFactory, Parser};
use error::Failure;

/// Parses the arguments, runs the command and gives the exit code.
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
        }
    };
    logging(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return Failure::from(error).show(&cli.common),
    };
    match runtime.block_on(dispatch(&cli)) {
        Ok(exit) => exit,
        Err(failure) => failure.show(&cli.common),
    }
}

async fn dispatch(cli: &Cli) -> Result<Exit, Failure> {
    let common = &cli.common;
    match &cli.command {
        Command::Plan {
            scope,
            replace_data,
        } => apply::plan(common, scope, *replace_data).await,
        Command::Apply {
            scope,
            yes,
            dry_run,
            replace_data,
            timings,
        } => {
            let asked = run::Asked {
                scope,
                yes: *yes,
                timings: timings.as_deref(),
            };
            if *dry_run {
                apply::plan(common, scope, *replace_data).await
            } else {
                apply::apply(common, &asked, *replace_data).await
            }
        }
        Command::Destroy {
            scope,
            yes,
            dry_run,
            timings,
        } => {
            let asked = run::Asked {
                scope,
                yes: *yes,
                timings: timings.as_deref(),
            };
            destroy::destroy(common, &asked, *dry_run).await
        }
        Command::Drift { scope } => drift::drift(common, scope).await,
        Command::Status { scope } => inspect::status(common, scope),
        Command::Outputs { name } => inspect::outputs(common, name.as_deref()),
        Command::Graph { scope, format } => inspect::graph(common, scope, *format),
        Command::State { command } => state::run(common, command).await,
        Command::Sandbox { command } => sandbox::run(common, command).await,
        Command::Config => inspect::config(),
        Command::Completions { shell } => {
            clap_complete::generate(
                *shell,
                &mut Cli::command(),
                "deployer",
                &mut std::io::stdout(),
            );
            Ok(Exit::Done)
        }
    }
}

/// Diagnostic logs of our own code go to standard error; never the SDK's, whose traces hold requests.
fn logging(cli: &Cli) {
    let level = match cli.common.verbose {
        0 => "off",
        1 => "deployer=debug",
        _ => "deployer=trace",
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_writer(std::io::stderr);
    let _ = match cli.common.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

//! The command line: arguments in, engine call, rendering out. One file per subcommand.

mod apply;
mod args;
mod authors;
mod code;
mod complete;
mod connection;
mod cost;
mod demand;
mod destroy;
mod doctor;
mod drift;
mod error;
mod evidence;
mod exit;
mod inspect;
mod mark;
mod migrate;
mod nightly;
mod notify;
mod outputs;
mod permissions;
mod plan;
mod rehearse;
mod run;
mod sandbox;
mod session;
mod share;
mod signals;
mod split;
mod state;
mod suggest;
#[cfg(test)]
mod tests;
mod traffic;
mod under_way;
mod version;

use args::Cli;
pub use exit::Exit;

use crate::aws::{Caller, Connection};
use crate::config::Config;
use crate::report::{ColorChoice, Console, ErrorDocument, Settings, TextDocument};
use crate::state::Store;
use args::{Color, Command, Common, LogFormat};
use clap::Parser;
use error::Failure;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The arguments that every command takes, and where its output goes.
pub(crate) struct Context<'a> {
    common: &'a Common,
    console: &'a Console,
    /// Where the state is, once somebody asked.
    store: OnceCell<Arc<dyn Store>>,
    /// The connection to AWS, once there is one.
    connection: OnceCell<Connection>,
    /// The same to the bucket of a shared state.
    bucket: OnceCell<(Connection, Arc<Caller>)>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(common: &'a Common, console: &'a Console) -> Self {
        Self {
            common,
            console,
            store: OnceCell::new(),
            connection: OnceCell::new(),
            bucket: OnceCell::new(),
        }
    }

    /// Gives back the lock of a shared state, however the command ended. That this failed does not change how it ended.
    async fn release(&self) -> Result<(), Failure> {
        let Some(store) = self.store.get() else {
            return Ok(());
        };
        if let Err(error) = store.release().await {
            self.console.note(&format!(
                "warning: the lock was not given back: {error}; `deployer state unlock` removes it"
            ))?;
        }
        Ok(())
    }

    /// What to type for another command on the same deployment, with the options of this one that say where it is.
    fn command_line(&self, command: &str, scope: Option<&str>, config: &Config) -> String {
        let words = self.command_words(command, scope, config);
        let words = words.iter().map(|word| quoted(word));
        std::iter::once("deployer".to_owned())
            .chain(words)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The words behind the program's name.
    fn command_words(&self, command: &str, scope: Option<&str>, config: &Config) -> Vec<String> {
        let Common {
            config: file,
            region,
            profile,
            state,
            state_dir,
            sandbox,
            ..
        } = self.common;
        let path = |path: &std::path::Path| path.display().to_string();
        let state_dir = path(state_dir);
        let options = [
            ("--env", scope.map(str::to_owned)),
            ("--suffix", Some(config.suffix.clone())),
            ("--config", file.as_deref().map(path)),
            ("--region", region.clone()),
            ("--profile", profile.clone()),
            ("--state", state.clone()),
            ("--state-dir", Some(state_dir).filter(|d| d != "state")),
        ];
        let mut words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        for (option, value) in options {
            words.extend(value.into_iter().flat_map(|v| [option.to_owned(), v]));
        }
        if *sandbox {
            words.push("--sandbox".to_owned());
        }
        words
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=+,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Answers a shell that asks for completions; else parses the arguments, runs the command and gives the exit code.
pub fn main() -> Exit {
    complete::answer();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error),
    };
    let console = Console::new(settings(&cli.common));
    logging(&cli, console.colours_errors());
    // One thread: the work is waiting for AWS, and on one thread everything that a refresh wants to read is asked for
    // before a batch can leave, however busy the machine is.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(async {
            let _limit = file_size_limit();
            dispatch(&cli, &console).await
        }),
        Err(error) => Err(error.into()),
    };
    outcome.unwrap_or_else(|failure| failure.show(&console))
}

/// A limit on the size of files (`ulimit -f`) kills by default; held, the write fails with an error that says so.
fn file_size_limit() -> std::io::Result<tokio::signal::unix::Signal> {
    const SIGXFSZ: i32 = 25;
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(SIGXFSZ))
}

/// Help or a version that was asked for, or a command line that cannot be read: with `--json` on it also as a document.
fn unparsed(error: &clap::Error) -> Exit {
    let _ = error.print();
    if !error.use_stderr() {
        return Exit::Done;
    }
    let json = std::env::args_os()
        .skip(1)
        .take_while(|word| word != "--")
        .any(|word| word == "--json");
    let console = Console::new(Settings {
        json,
        ..Settings::default()
    });
    let text = error.to_string();
    let mut lines = text.lines().map(|line| line.trim_start_matches("error: "));
    let first = lines.next().unwrap_or_default();
    // A reader of standard output that has gone away is no second failure.
    let _ = console.document(&ErrorDocument {
        exit_code: Exit::Usage.code(),
        message: first.to_owned(),
        hint: Some("`deployer --help` and `deployer COMMAND --help` tell what there is".to_owned()),
    });
    Exit::Usage
}

fn settings(common: &Common) -> Settings {
    Settings {
        json: common.json,
        quiet: common.quiet,
        color: match common.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        },
        json_lines: common.log_format == LogFormat::Json,
    }
}

async fn dispatch(cli: &Cli, console: &Console) -> Result<Exit, Failure> {
    let cx = Context::new(&cli.common, console);
    let outcome = command(cli, &cx).await;
    cx.release().await?;
    outcome
}

async fn command(cli: &Cli, cx: &Context<'_>) -> Result<Exit, Failure> {
    let console = cx.console;
    match &cli.command {
        Command::Plan {
            scope,
            chosen,
            view,
            allow,
            data,
        } => {
            let wanted = plan::Wanted::of(chosen, allow, data.choice());
            plan::plan(cx, scope, wanted, view).await
        }
        Command::Apply {
            scope,
            chosen,
            dry_run: true,
            allow,
            data,
            ..
        } => {
            let wanted = plan::Wanted::of(chosen, allow, data.choice());
            plan::plan(cx, scope, wanted, &Default::default()).await
        }
        Command::Apply {
            saved,
            scope,
            chosen,
            yes,
            ignore_migration,
            allow,
            data,
            timings,
            ..
        } => {
            let saved = saved.plan.as_deref().map(plan::saved::Saved::read);
            let saved = saved.transpose()?;
            let wanted = plan::Wanted::of(chosen, allow, data.choice());
            let timings = timings.as_deref();
            let asked = run::Asked {
                scope,
                yes: *yes,
                ignore_migration: *ignore_migration,
                timings,
            };
            let (saved, wanted) = (saved.as_ref(), &wanted);
            let apply =
                async |notice: &mut _| apply::apply(cx, &asked, wanted, saved, notice).await;
            notify::notified(cx, "apply", scope, apply).await
        }
        Command::Destroy {
            destroyed,
            dry_run: true,
            data,
            ..
        } => destroy::plan(cx, &destroyed.into(), data.choice()).await,
        Command::Destroy {
            destroyed,
            yes,
            ignore_migration,
            data,
            timings,
            ..
        } => {
            let scope = &destroyed.into();
            let asked = run::Asked {
                scope,
                yes: *yes,
                ignore_migration: *ignore_migration,
                timings: timings.as_deref(),
            };
            let destroy =
                async |notice: &mut _| destroy::destroy(cx, &asked, data.choice(), notice).await;
            notify::notified(cx, "destroy", scope, destroy).await
        }
        Command::Drift { scope, drift } => {
            let drift = async |notice: &mut _| drift::drift(cx, scope, *drift, notice).await;
            notify::notified(cx, "drift", scope, drift).await
        }
        Command::Status { all: true, .. } => inspect::overview(cx).await,
        Command::Status { scope, .. } => inspect::status(cx, scope).await,
        Command::Outputs { name, form } => outputs::outputs(cx, name.as_deref(), *form).await,
        Command::Graph { scope, format } => inspect::graph(cx, scope, *format).await,
        Command::State { command } => state::run(cx, command).await,
        Command::Sandbox { command } => sandbox::run(cx, command).await,
        Command::Rehearse(asked) => rehearse::run(cx, asked).await,
        Command::Nightly { command } => nightly::run(cx, command),
        Command::Migrate { command } => migrate::run(cx, command).await,
        Command::Traffic { command } => traffic::run(cx, command).await,
        Command::Doctor { asked } => doctor::doctor(cx, asked).await,
        Command::Report { asked } => evidence::report(cx, asked).await,
        Command::Cost { asked } => cost::cost(cx, asked),
        Command::Permissions { asked } => permissions::permissions(cx, asked).await,
        Command::Config => {
            console.file(
                &crate::config::documented(),
                &TextDocument::new(&crate::config::documented()),
            )?;
            Ok(Exit::Done)
        }
        Command::Completions { shell } => {
            let script = complete::script(*shell)?;
            console.file(&script, &TextDocument::new(&script))?;
            Ok(Exit::Done)
        }
    }
}

/// Diagnostic logs of our own code go to standard error; never the SDK's, whose traces hold requests.
fn logging(cli: &Cli, colour: bool) {
    let level = match cli.common.verbose {
        0 => "off",
        1 => "deployer=debug",
        _ => "deployer=trace",
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_ansi(colour)
        .with_writer(std::io::stderr);
    let _ = match cli.common.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

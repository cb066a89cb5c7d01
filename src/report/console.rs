//! Where everything goes: text and documents to standard output, progress and errors to standard error.

use super::calls::Calls;
use super::error::failure;
use super::json::{Document, ErrorDocument};
use super::lines::{Plain, json_line};
use super::paint::{ColorChoice, Paint};
use super::terminal::Terminal;
use super::value::clean;
use super::wrap::{columns, wrap};
use super::{Sink, Timings};
use crate::engine::{Event, Events};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// What the command line says about output.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// `--json`: one document on standard output; text for people goes to standard error.
    pub json: bool,
    /// `--quiet`: no progress, and no text but what has to be said.
    pub quiet: bool,
    /// `--color`.
    pub color: ColorChoice,
    /// `--log-format json`: events as JSON lines on standard error.
    pub json_lines: bool,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// A live view on standard error.
    Terminal,
    /// Plain lines: on standard output, or with `--json` on standard error.
    Plain,
    /// JSON lines on standard error.
    JsonLines,
    /// Failures alone, on standard error.
    Quiet,
}

/// The one writer of a command.
#[derive(Debug, Clone)]
pub struct Console {
    json: bool,
    quiet: bool,
    view: View,
    out: Paint,
    err: Paint,
    calls: Calls,
    /// The digest of the configuration, once it was read.
    configuration: Arc<OnceLock<String>>,
}

impl Console {
    /// Looks at the terminal once.
    pub fn new(settings: Settings) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        let view = if settings.json_lines {
            View::JsonLines
        } else if settings.quiet {
            View::Quiet
        } else if io::stderr().is_terminal() && !dumb {
            View::Terminal
        } else {
            View::Plain
        };
        let err = Paint::of(settings.color, &io::stderr());
        Self {
            json: settings.json,
            quiet: settings.quiet,
            view,
            // With --json text for people goes to standard error, so that stream decides about its colour.
            out: if settings.json {
                err
            } else {
                Paint::of(settings.color, &io::stdout())
            },
            err,
            calls: Calls::new(),
            configuration: Arc::default(),
        }
    }

    /// Has every document from now on carry the digest of the configuration that was read. A command has one configuration.
    pub fn configured(&self, digest: &str) {
        self.configuration.get_or_init(|| digest.to_owned());
    }

    /// True with `--json`.
    pub fn json(&self) -> bool {
        self.json
    }

    /// The colours of [`Self::text`].
    pub fn paint(&self) -> Paint {
        self.out
    }

    /// The counts of API calls so far.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// True with `--quiet`.
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Text for people that `--quiet` leaves out: standard output, or standard error with `--json`. A reader that went away is
    /// no error.
    pub fn text(&self, text: &str) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.say(text) }
    }

    /// The same for what has to be said.
    pub fn say(&self, text: &str) -> io::Result<()> {
        if self.json {
            write(
                &mut io::stderr().lock(),
                &wrap(text, columns(&io::stderr())),
            )
        } else {
            output(&wrap(text, columns(&io::stdout())))
        }
    }

    /// A line for people on standard error: progress of something that is not a run, a question.
    pub fn note(&self, text: &str) -> io::Result<()> {
        let text = wrap(text, columns(&io::stderr()));
        write(&mut io::stderr().lock(), &format!("{text}\n"))
    }

    /// Something that went wrong and changes nothing about how the command ends.
    pub fn warning(&self, text: &str) -> io::Result<()> {
        self.note(&format!("{} {}", self.err.yellow("warning:"), clean(text)))
    }

    /// The answer of a command that only looks: text for people, or with `--json` the document instead.
    pub fn answer<D: Document>(&self, text: &str, document: &D) -> io::Result<()> {
        if self.json {
            self.document(document)
        } else {
            self.say(text)
        }
    }

    /// The same for a text that is for a program, or for a file: a script, a policy, a configuration. Its lines stay whole.
    pub fn file<D: Document>(&self, text: &str, document: &D) -> io::Result<()> {
        if self.json {
            self.document(document)
        } else {
            output(text)
        }
    }

    /// True when standard error takes colour.
    pub fn colours_errors(&self) -> bool {
        self.err != Paint::PLAIN
    }

    /// Text that is the result itself (a graph, a configuration, a script): standard output always.
    pub fn result(&self, text: &str) -> io::Result<()> {
        output(text)
    }

    /// With `--json` the document on standard output, on one line's worth of pretty JSON; nothing otherwise.
    pub fn document<D: Document>(&self, document: &D) -> io::Result<()> {
        if !self.json {
            return Ok(());
        }
        let text = super::json::text(document, self.configuration.get().map(String::as_str))
            .map_err(io::Error::other)?;
        output(&text)
    }

    /// A failure of the command as a whole; with `--json` also as a document, unless one was written already.
    pub fn error(&self, message: &str, hint: Option<&str>, exit_code: u8) {
        let text = wrap(&failure(message, hint, self.err), columns(&io::stderr()));
        // Nobody is left to read it when standard error is gone.
        let _ = write(&mut io::stderr().lock(), &format!("{text}\n"));
        let _ = self.document(&ErrorDocument {
            exit_code,
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
        });
    }

    /// Why a command that has shown all of it does not go on, in a line of standard error. With `--json` the text is there already, and
    /// the document has it.
    pub fn stopped(&self, message: &str) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        self.note(&failure(message, None, self.err))
    }

    /// The events of this command: progress, counts of calls, and timings when they are asked for.
    pub fn events(&self, timings: Option<&Timings>) -> Events {
        let mut sinks: Vec<Sink> = vec![self.calls.sink()];
        sinks.extend(timings.map(Timings::sink));
        sinks.push(self.progress());
        Events::to(sinks)
    }

    fn progress(&self) -> Sink {
        let (json, paint) = (self.json, self.out);
        match self.view {
            View::Terminal => {
                let terminal = Terminal::new(self.err);
                Box::new(move |event| terminal.take(event))
            }
            View::Plain | View::Quiet => {
                let quiet = self.view == View::Quiet;
                let plain = Mutex::new(Plain::default());
                let clock = Instant::now();
                Box::new(move |event| {
                    let mut plain = plain.lock().unwrap_or_else(PoisonError::into_inner);
                    let Some(line) = plain.line(event, clock.elapsed().as_secs_f64(), paint) else {
                        return;
                    };
                    let line = format!("{line}\n");
                    // Errors go where errors go, and nowhere else: each is reported once, whatever is redirected.
                    let failed = matches!(event, Event::StepFailed { .. });
                    if quiet && !failed {
                        return;
                    }
                    // A run goes on when nobody reads its log any more.
                    let _ = if json || failed {
                        write(&mut io::stderr().lock(), &line)
                    } else {
                        output(&line)
                    };
                })
            }
            View::JsonLines => Box::new(|event| {
                let _ = write(&mut io::stderr().lock(), &format!("{}\n", json_line(event)));
            }),
        }
    }
}

fn output(text: &str) -> io::Result<()> {
    write(&mut io::stdout().lock(), text)
        .map_err(|e| io::Error::new(e.kind(), format!("writing standard output: {e}")))
}

fn write(to: &mut impl Write, text: &str) -> io::Result<()> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

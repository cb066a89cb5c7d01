//! The live view: a bar and the running steps, redrawn in place; what must not be missed is printed above it.

use super::error::error;
use super::paint::Paint;
use super::progress::Progress;
use super::value::{clean, seconds};
use super::wrap::{columns, wrap};
use crate::engine::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often the view is redrawn.
const REDRAW: Duration = Duration::from_millis(120);
/// Columns that a line of the view has at most, also on a wider terminal.
const WIDTH: usize = 79;

/// Columns of the terminal now, less one: a line that fills the last one would wrap.
fn width() -> usize {
    let columns = rustix::termios::tcgetwinsize(std::io::stderr()).map_or(0, |size| size.ws_col);
    match usize::from(columns) {
        0 => WIDTH,
        columns => WIDTH.min(columns - 1),
    }
}

/// The live view on standard error.
pub struct Terminal {
    shared: Arc<Shared>,
    paint: Paint,
}

struct Shared {
    bar: ProgressBar,
    model: Mutex<Model>,
    clock: Instant,
    over: AtomicBool,
}

#[derive(Default)]
struct Model {
    progress: Progress,
    reported: HashSet<String>,
}

impl Shared {
    fn now(&self) -> f64 {
        self.clock.elapsed().as_secs_f64()
    }
    fn model(&self) -> MutexGuard<'_, Model> {
        // A panic elsewhere must not take the view with it.
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Terminal {
    /// A view that shows nothing until a run begins.
    pub fn new(paint: Paint) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        let shared = Shared {
            bar,
            model: Mutex::default(),
            clock: Instant::now(),
            over: AtomicBool::new(true),
        };
        Self {
            shared: Arc::new(shared),
            paint,
        }
    }

    /// Takes one event.
    pub fn take(&self, event: &Event) {
        let now = self.shared.now();
        self.shared.model().progress.take(event, now);
        match event {
            Event::RunStarted { .. } => self.start(),
            Event::RunFinished { .. } => self.end(),
            _ => {}
        }
        if let Some(text) = self.above(event) {
            let text = wrap(&text, columns(&std::io::stderr()));
            self.shared.bar.println(text);
        }
    }

    fn end(&self) {
        let _model = self.shared.model();
        if !self.shared.over.swap(true, Ordering::SeqCst) {
            self.shared.bar.finish_and_clear();
        }
    }

    fn start(&self) {
        self.shared.over.store(false, Ordering::SeqCst);
        let shared = self.shared.clone();
        let paint = self.paint;
        // A thread of its own: drawing never waits for the run and the run never waits for drawing.
        std::thread::spawn(move || {
            loop {
                {
                    // Drawn under the lock that ends the view, so nothing is drawn after its end.
                    let model = shared.model();
                    if shared.over.load(Ordering::SeqCst) {
                        return;
                    }
                    let frame = model.progress.frame(shared.now(), width(), paint);
                    shared.bar.set_message(frame.join("\n"));
                    shared.bar.tick();
                }
                std::thread::sleep(REDRAW);
            }
        });
    }

    /// What is printed above the bar and stays.
    fn above(&self, event: &Event) -> Option<String> {
        let first = |step: &str| self.shared.model().reported.insert(step.to_owned());
        match event {
            Event::StepFailed {
                step, error: why, ..
            } => {
                let mut why = why.clone();
                why.hint = why.hint.filter(|hint| first(hint));
                Some(error(Some(step), &why, self.paint))
            }
            Event::StepBlocked { step, by, .. } => Some(format!(
                "{} {step} is blocked by {by}",
                self.paint.yellow("note:")
            )),
            Event::StepDone {
                step,
                verb,
                seconds: took,
            } => Some(format!(
                "{} {step}  {}",
                verb.participle(),
                self.paint.dim(&seconds(*took))
            )),
            Event::StepInUse { step, error: why } if first(&format!("{step} {}", why.message)) => {
                Some(format!(
                    "{} {step} is in use: {}",
                    self.paint.yellow("note:"),
                    clean(&why.message)
                ))
            }
            Event::StepUnclear { step, error: why } => Some(format!(
                "{} {step}: no clear answer to {}; looking for it",
                self.paint.yellow("note:"),
                why.action
            )),
            Event::Note { text } => Some(format!("note: {}", clean(text))),
            _ => None,
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.end();
    }
}

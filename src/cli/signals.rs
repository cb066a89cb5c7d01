//! What Ctrl-C, SIGTERM and SIGHUP do. Once there is work, they stop it in an orderly way; before that they give the lock back, which
//! in a bucket would outlive the process.

use super::exit::Exit;
use crate::state::Store;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Who handles a signal at the moment in another way than [`give_back_on_signals`].
static HANDLERS: AtomicUsize = AtomicUsize::new(0);

/// How long giving the lock back may take: who asks for the end waits for it.
const GIVE_BACK: Duration = Duration::from_secs(5);

/// While it lives, somebody else answers a signal.
struct Handled(());

impl Handled {
    fn new() -> Self {
        HANDLERS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }

    /// Until the process ends.
    fn for_good(self) {
        std::mem::forget(self);
    }
}

impl Drop for Handled {
    fn drop(&mut self) {
        HANDLERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits for a signal, which is the caller's alone then.
pub async fn caught() {
    let handled = Handled::new();
    match Signals::new() {
        Some(mut signals) => signals.next().await,
        None => std::future::pending().await,
    }
    handled.for_good();
}

/// The three signals that ask for an end; SIGHUP: the terminal is gone.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> Option<Self> {
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        let [a, b, c] = kinds.map(signal);
        Some(Self([a.ok()?, b.ok()?, c.ok()?]))
    }

    async fn next(&mut self) {
        let [a, b, c] = &mut self.0;
        tokio::select! {
            _ = a.recv() => {}
            _ = b.recv() => {}
            _ = c.recv() => {}
        }
    }
}

/// A signal before the work has begun ends the command, and the lock with it.
pub fn give_back_on_signals(store: Arc<dyn Store>) {
    let Some(mut signals) = Signals::new() else {
        return;
    };
    tokio::spawn(async move {
        loop {
            signals.next().await;
            if HANDLERS.load(Ordering::Relaxed) == 0 {
                break;
            }
        }
        let _ = tokio::time::timeout(GIVE_BACK, store.release()).await;
        leave("interrupted; the lock was given back: run the same command again");
    });
}

/// Becomes true with the first signal. The second leaves at once: every record is already on disk, so the
/// next run continues.
pub fn stop_on_signals() -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    let Some(mut signals) = Signals::new() else {
        return stopped;
    };
    Handled::new().for_good();
    tokio::spawn(async move {
        loop {
            signals.next().await;
            if stop.send_replace(true) {
                leave("stopped at once; the same command resumes from here");
            }
        }
    });
    stopped
}

fn leave(text: &str) -> ! {
    let line = format!("\n{text}\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    std::process::exit(i32::from(Exit::Interrupted.code()));
}

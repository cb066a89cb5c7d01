//! The end of a simulated process: killed or asked to stop at one of the points at which it waits for something.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::sync::watch;

/// Counts the points that a process passes.
pub struct Switch {
    passed: AtomicU64,
    kill_at: u64,
    stop_at: u64,
    dead: watch::Sender<bool>,
    stop: watch::Sender<bool>,
}

impl Switch {
    /// Never, where a number is missing.
    pub fn new(kill_at: Option<u64>, stop_at: Option<u64>) -> Self {
        Self {
            passed: AtomicU64::new(0),
            kill_at: kill_at.unwrap_or(u64::MAX),
            stop_at: stop_at.unwrap_or(u64::MAX),
            dead: watch::channel(false).0,
            stop: watch::channel(false).0,
        }
    }

    /// Passes a point; true when the process is dead.
    pub fn hit(&self) -> bool {
        let passed = self.passed.fetch_add(1, Relaxed);
        if passed == self.stop_at {
            self.stop.send_replace(true);
        }
        if passed >= self.kill_at {
            self.dead.send_replace(true);
        }
        self.is_dead()
    }

    /// Passes a point; a dead process never comes out of it.
    pub async fn point(&self) {
        if self.hit() {
            std::future::pending().await
        }
    }

    pub fn is_dead(&self) -> bool {
        *self.dead.borrow()
    }

    /// Returns when the process is dead.
    pub async fn died(&self) {
        let mut dead = self.dead.subscribe();
        let _ = dead.wait_for(|dead| *dead).await;
    }

    /// Becomes true when a stop is asked for.
    pub fn stopped(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }
}

//! What a resource type can tell and hear while one of its calls goes on for long: how far it is, and whether a stop was asked for.
//! The step that runs is known by its task, so nothing has to be handed through; outside a step nothing is reported and nothing stops.

use super::error::Error;
use super::event::{Event, Events};
use std::time::Duration;
use tokio::sync::watch;

/// The step that a task runs.
#[derive(Clone)]
pub(super) struct Running {
    pub step: String,
    pub events: Events,
    pub stop: watch::Receiver<bool>,
}

tokio::task_local! {
    static RUNNING: Running;
}

/// Runs a step's work.
pub(super) async fn within<T>(running: Running, work: impl Future<Output = T>) -> T {
    RUNNING.scope(running, work).await
}

/// True when a stop was asked for.
pub fn stopping() -> bool {
    RUNNING.try_with(|r| *r.stop.borrow()).unwrap_or(false)
}

/// An error when a stop was asked for. The one way to AWS asks it before every call; a loop whose calls are batched asks it itself.
pub fn go_on(action: &str) -> Result<(), Error> {
    if stopping() {
        Err(Error::interrupted(action))
    } else {
        Ok(())
    }
}

/// Sleeps, but not on when a stop is asked for.
pub async fn sleep(time: Duration) {
    let stop = RUNNING.try_with(|r| r.stop.clone()).ok();
    tokio::select! {
        biased;
        () = tokio::time::sleep(time) => {}
        () = stopped(stop) => {}
    }
}

/// Returns when a stop is asked for; never without anybody who could.
pub(super) async fn stopped(stop: Option<watch::Receiver<bool>>) {
    if let Some(mut stop) = stop
        && stop.wait_for(|stop| *stop).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// Says how far the step is: `done` of about `total` of what `what` names, e.g. "objects deleted".
pub fn report(done: u64, total: Option<u64>, what: &'static str) {
    let _ = RUNNING.try_with(|r| {
        r.events.send(Event::StepProgress {
            step: r.step.clone(),
            done,
            total,
            what,
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_sleep_ends_with_a_stop_and_outside_a_step_nothing_stops() {
        let (stop, stopped) = watch::channel(false);
        let running = Running {
            step: "a".into(),
            events: Events::default(),
            stop: stopped,
        };
        let began = Instant::now();
        let work = within(running, async {
            assert!(go_on("x").is_ok());
            sleep(Duration::from_secs(60)).await;
            assert_eq!(go_on("x").unwrap_err(), Error::interrupted("x"));
        });
        tokio::join!(work, async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            stop.send_replace(true);
        });
        assert_eq!(began.elapsed(), Duration::from_secs(2));
        assert!(go_on("x").is_ok());
        report(1, None, "objects deleted");
    }
}

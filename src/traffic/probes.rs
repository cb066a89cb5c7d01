//! Requests to every address of both load balancers, once a second: the fastest way to see that green is gone.
//!
//! A round in which blue fails too says nothing of green: this machine may have lost its own way out.

use super::gate::instant::Probes;
use crate::blueprint::READY_PATH;
use crate::edge::Edge;
use futures::future::join_all;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// From one round to the next; no round lasts longer.
const INTERVAL: Duration = Duration::from_secs(1);
/// Addresses of a load balancer change: they are looked up again.
const LOOK_UP_INTERVAL: Duration = Duration::from_secs(30);

/// A side, as it is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The name that its certificate has.
    pub host: String,
    /// The name of its load balancer, which has its addresses.
    pub balancer: String,
}

/// What is known.
#[derive(Debug, Default)]
struct Known {
    rounds: u32,
    failed: BTreeMap<IpAddr, Failed>,
}

/// How an address did up to the newest round.
#[derive(Debug, Default)]
struct Failed {
    /// Rounds without an answer up to the newest; 0 for an address that answers.
    in_a_row: u32,
    /// What went wrong last.
    why: String,
}

impl Known {
    /// Counts a round: what each of green's addresses said, and whether one of blue's answered.
    fn count(&mut self, green: Vec<(IpAddr, Result<(), String>)>, blue_answers: bool) {
        if green.iter().any(|(_, said)| said.is_err()) && !blue_answers {
            return;
        }
        self.rounds = self.rounds.saturating_add(1);
        // An address that is gone from the name is nobody's concern.
        self.failed
            .retain(|address, _| green.iter().any(|(a, _)| a == address));
        for (address, said) in green {
            let failed = self.failed.entry(address).or_default();
            match said {
                Ok(()) => *failed = Failed::default(),
                Err(why) => {
                    failed.in_a_row += 1;
                    failed.why = why;
                }
            }
        }
    }

    fn seen(&self) -> Probes {
        Probes {
            done: self.rounds,
            failed_in_a_row: self.worst().map_or(0, |failed| failed.in_a_row),
        }
    }

    fn why(&self) -> Option<String> {
        let worst = self.worst().filter(|failed| failed.in_a_row > 0)?;
        Some(worst.why.clone())
    }

    fn worst(&self) -> Option<&Failed> {
        self.failed.values().max_by_key(|failed| failed.in_a_row)
    }
}

/// Asks until it is dropped.
#[derive(Debug)]
pub struct Prober {
    known: Arc<Mutex<Known>>,
    task: JoinHandle<()>,
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Prober {
    /// Begins to ask blue and green.
    ///
    /// # Errors
    /// When an address of green does not answer now: from here nothing can be said of it.
    pub async fn start(edge: Edge, [blue, green]: [Asked; 2]) -> Result<Self, String> {
        let addresses = edge.names.addresses(&green.balancer).await?;
        for (_, said) in round(&edge, &green.host, &addresses).await {
            said?;
        }
        let known = Arc::new(Mutex::new(Known::default()));
        let task = tokio::spawn(ask(edge, blue, green, known.clone()));
        Ok(Self { known, task })
    }

    /// What the last rounds said.
    pub fn seen(&self) -> Probes {
        self.known().seen()
    }

    /// Why the worst address does not answer; `None` when all of them do.
    pub fn why(&self) -> Option<String> {
        self.known().why()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(edge: Edge, blue: Asked, green: Asked, known: Arc<Mutex<Known>>) {
    let mut addresses: [Vec<IpAddr>; 2] = Default::default();
    let mut looked_up: Option<Instant> = None;
    loop {
        let began = Instant::now();
        if looked_up.is_none_or(|at| at.elapsed() >= LOOK_UP_INTERVAL) {
            let both = [&blue, &green].map(|side| edge.names.addresses(&side.balancer));
            for (kept, found) in addresses.iter_mut().zip(join_all(both).await) {
                // A name that cannot be looked up leaves what was known.
                if let Ok(found) = found {
                    *kept = found;
                }
            }
            looked_up = Some(began);
        }
        let [of_blue, of_green] = &addresses;
        let (of_blue, of_green) = tokio::join!(
            round(&edge, &blue.host, of_blue),
            round(&edge, &green.host, of_green)
        );
        let blue_answers = of_blue.iter().any(|(_, said)| said.is_ok());
        known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .count(of_green, blue_answers);
        tokio::time::sleep_until(began + INTERVAL).await;
    }
}

async fn round(edge: &Edge, host: &str, addresses: &[IpAddr]) -> Vec<(IpAddr, Result<(), String>)> {
    let one = async |address: IpAddr| {
        let said = edge.requests.get(host, address, READY_PATH, INTERVAL).await;
        let said = said.and_then(|answer| match answer.status {
            200..500 => Ok(()),
            status => Err(format!("{address} answers {status} to {READY_PATH}")),
        });
        (address, said)
    };
    join_all(addresses.iter().copied().map(one)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_address_counts_and_a_round_without_blue_does_not() {
        let [a, b]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|a| a.parse().unwrap());
        let bad = || Err("503".to_owned());
        let mut known = Known::default();
        let seen = |known: &Known| (known.seen().done, known.seen().failed_in_a_row);
        known.count(vec![(a, Ok(())), (b, bad())], true);
        known.count(vec![(a, Ok(())), (b, bad())], true);
        assert_eq!(seen(&known), (2, 2));
        // The way out of this machine is gone.
        known.count(vec![(a, bad()), (b, bad())], false);
        assert_eq!(seen(&known), (2, 2));
        known.count(vec![(a, bad()), (b, bad())], true);
        assert_eq!(seen(&known), (3, 3));
        assert_eq!(known.why().as_deref(), Some("503"));
        // The second one is no longer an address of green.
        known.count(vec![(a, bad())], true);
        assert_eq!(seen(&known), (4, 2));
        known.count(vec![(a, Ok(()))], true);
        assert_eq!((seen(&known), known.why()), ((5, 0), None));
    }
}

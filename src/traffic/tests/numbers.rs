//! A world of numbers.

use super::super::bridge::{Bridge, Env};
use super::super::cutover::Cut;
use super::super::gate::instant::{Guard, Parity, Probes, Stream, Targets, Verify};
use super::super::gate::{Counts, Instant, Minute, Pair};
use super::super::history::{Entry, History};
use super::super::levers::Pulled;
use super::super::note::{Act, Note};
use super::super::weights::{Live, Weights};
use super::super::world::{Seen, Standing, World};
use crate::engine::{Class, Error};
use async_trait::async_trait;
use jiff::Timestamp;
use std::cell::{Cell, RefCell};
use std::ops::RangeInclusive;

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// The process is killed before it.
    Before,
    /// It has its effect, and the process is killed.
    After,
    /// It has its effect, and the answer is lost.
    Lost,
    /// It never arrives, and the caller does not know.
    Vanished,
}

/// What Route 53 does with the change of a rollback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route53 {
    Takes,
    Hangs,
    Fails,
    /// No call is answered, reads neither.
    Silent,
}

/// The world.
pub struct Numbers {
    pub now: Cell<i64>,
    pub live: RefCell<Live>,
    pub note: RefCell<Option<Result<Note, String>>>,
    lines: RefCell<History>,
    /// Green's share from each second on.
    shares: RefCell<Vec<(i64, f64)>>,
    /// Requests a minute, of both sides.
    pub rate: f64,
    /// One of so many of green's requests is bad; 0 for none.
    pub bad_one_in: Cell<u64>,
    /// What green runs.
    pub runs: RefCell<String>,
    pub targets: Cell<u32>,
    /// Green's addresses answer nothing since then; `i64::MAX` is never.
    pub dead_since: Cell<i64>,
    /// Green's bridge to blue is on.
    pub bridge: Cell<bool>,
    /// Since when.
    pub bridged_at: Cell<i64>,
    /// Green says that it is ready.
    pub is_ready: Cell<bool>,
    /// Blue's bridge to green is on.
    pub forth: Cell<bool>,
    /// Green alone takes the writes.
    pub green_writes: Cell<bool>,
    /// Green's database does not answer.
    pub green_gone: Cell<bool>,
    /// What Route 53 does with a change that a rollback sends.
    pub route53: Cell<Route53>,
    /// Seconds until all its servers know a change.
    pub known_after: Cell<i64>,
    changed_at: Cell<i64>,
    /// Nobody may switch a bridge.
    pub bridges_denied: Cell<bool>,
    /// The history cannot be written from this second on.
    pub unwritable_since: Cell<i64>,
    /// Why `control` says no.
    pub no: RefCell<Option<Error>>,
    /// Calls that change something or read the records, so far.
    pub calls: Cell<usize>,
    pub strike: Cell<Option<(usize, Strike)>>,
    /// What somebody else does before the call with this number.
    #[expect(clippy::type_complexity, reason = "one use")]
    pub hand: RefCell<Option<(usize, Box<dyn FnOnce(&Numbers)>)>>,
}

const START: i64 = 1_800_000_000;

impl Numbers {
    pub fn new() -> Self {
        let live = Live::from(Weights::BLUE);
        Self {
            now: Cell::new(START),
            live: RefCell::new(live),
            note: RefCell::new(Some(Ok(Note::FIRST))),
            lines: RefCell::default(),
            shares: RefCell::new(vec![(0, 0.0)]),
            rate: 210.0,
            bad_one_in: Cell::new(0),
            runs: RefCell::new("1".into()),
            targets: Cell::new(3),
            dead_since: Cell::new(i64::MAX),
            bridge: Cell::new(true),
            bridged_at: Cell::new(0),
            is_ready: Cell::new(true),
            forth: Cell::new(false),
            green_writes: Cell::new(false),
            green_gone: Cell::new(false),
            route53: Cell::new(Route53::Takes),
            known_after: Cell::new(0),
            changed_at: Cell::new(0),
            bridges_denied: Cell::new(false),
            unwritable_since: Cell::new(i64::MAX),
            no: RefCell::new(None),
            calls: Cell::new(0),
            strike: Cell::new(None),
            hand: RefCell::new(None),
        }
    }

    pub fn history(&self) -> History {
        self.lines.borrow().clone()
    }

    pub fn note(&self) -> Note {
        match &*self.note.borrow() {
            Some(Ok(note)) => note.clone(),
            _ => Note::FIRST,
        }
    }

    /// Sets weights and note as Route 53 would.
    pub fn set(&self, live: Live, note: Note) {
        *self.live.borrow_mut() = live;
        *self.note.borrow_mut() = Some(Ok(note));
        self.changed_at.set(self.now.get());
        let share = live.green_percent() / 100.0;
        self.shares.borrow_mut().push((self.now.get(), share));
    }

    /// Somebody on another machine writes a note.
    pub fn write_note(&self, act: Act, change: impl FnOnce(&mut Note)) {
        let last = self.note();
        let weights = last.weights.unwrap_or(Weights::BLUE);
        let at = Timestamp::from_second(self.now.get()).unwrap();
        let run = last.run.clone();
        let mut next = last.next(act, weights, &run, "other@there", at);
        change(&mut next);
        let live = next.weights.map_or(*self.live.borrow(), Live::from);
        self.set(live, next);
    }

    /// Counts a call; says what happens to it.
    async fn call(&self) -> Option<Strike> {
        let n = self.calls.get() + 1;
        self.calls.set(n);
        let due = matches!(&*self.hand.borrow(), Some((at, _)) if *at <= n);
        if due && let Some((_, act)) = self.hand.take() {
            act(self);
        }
        let struck = self.strike.get().filter(|(at, _)| *at == n).map(|(_, s)| s);
        if struck == Some(Strike::Before) {
            std::future::pending::<()>().await;
        }
        struck
    }

    /// What becomes of an effect.
    async fn effect<T>(&self, act: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        match self.call().await {
            Some(Strike::Vanished) => Err(Self::unclear()),
            struck => {
                let answer = act();
                match struck {
                    Some(Strike::After) => std::future::pending().await,
                    Some(Strike::Lost) => answer.and_then(|_| Err(Self::unclear())),
                    _ => answer,
                }
            }
        }
    }

    fn share(&self, second: i64) -> f64 {
        let shares = self.shares.borrow();
        let at = shares.iter().rev().find(|(from, _)| *from <= second);
        at.map_or(0.0, |(_, share)| *share)
    }

    fn pair(&self, minute: Minute) -> Pair {
        let share = self.share(minute * 60);
        let green = (self.rate * share).round() as u64;
        let blue = self.rate.round() as u64 - green;
        let bad = match self.bad_one_in.get() {
            0 => 0,
            n => green / n,
        };
        // Of twenty requests one is slow, on both sides.
        let slow = |n: u64| n / 20;
        Pair {
            green: Counts::of(green, bad, slow(green)),
            blue: Counts::of(blue, 0, slow(blue)),
        }
    }

    fn unclear() -> Error {
        let action = "route53:ChangeResourceRecordSets";
        Error::of(Class::Unclear, action, "no answer")
    }

    fn refused() -> Error {
        let text = "the values provided do not match the current values";
        Error::of(Class::NotReady, "route53:ChangeResourceRecordSets", text)
    }
}

#[async_trait(?Send)]
impl World for Numbers {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now.get()).unwrap()
    }

    async fn sleep(&self, seconds: u32) {
        self.now.set(self.now.get() + i64::from(seconds));
    }

    fn stopping(&self) -> bool {
        false
    }

    async fn standing(&self) -> Result<Standing, Error> {
        if self.route53.get() == Route53::Silent {
            std::future::pending().await
        }
        self.effect(|| {
            Ok(Standing {
                live: *self.live.borrow(),
                note: self.note.borrow().clone(),
                ..Standing::default()
            })
        })
        .await
    }

    async fn write(
        &self,
        from: &Standing,
        to: Option<Weights>,
        note: &Note,
    ) -> Result<String, Error> {
        self.effect(|| {
            if *self.live.borrow() != from.live || *self.note.borrow() != from.note {
                return Err(Self::refused());
            }
            self.set(to.map_or(from.live, Live::from), note.clone());
            Ok("C1".into())
        })
        .await
    }

    async fn force(&self, from: &Standing, note: &Note) -> Result<String, Error> {
        match self.route53.get() {
            Route53::Takes => {}
            Route53::Hangs | Route53::Silent => std::future::pending().await,
            Route53::Fails => return Err(Self::unclear()),
        }
        self.effect(|| {
            let green = from.live.green.map(|_| 0);
            let live = Live {
                blue: Some(100),
                green,
            };
            self.set(live, note.clone());
            Ok("C2".into())
        })
        .await
    }

    async fn bridge(&self, from: Env, on: bool) -> Result<(Bridge, bool), Error> {
        if self.bridges_denied.get() {
            let action = "elasticloadbalancing:ModifyRule";
            return Err(Error::permanent(action, "denied").code("AccessDenied"));
        }
        self.effect(|| {
            let before = match from {
                Env::Blue => self.forth.replace(on),
                Env::Green => self.bridge.replace(on),
            };
            Ok((if on { Bridge::On } else { Bridge::Off }, before != on))
        })
        .await
    }

    async fn bridged(&self) -> Result<Option<Pulled>, Error> {
        let by = "other@there".to_owned();
        let at = Timestamp::from_second(self.bridged_at.get()).unwrap();
        Ok(self.bridge.get().then_some(Pulled { by, at }))
    }

    async fn ready(&self, yes: bool) -> Result<(), Error> {
        self.effect(|| {
            self.is_ready.set(yes);
            Ok(())
        })
        .await
    }

    async fn cut(&self, to_green: bool) -> Result<Cut, Error> {
        if let Some(error) = self.no.borrow().clone() {
            return Err(error);
        }
        let gone = self.green_gone.get();
        if gone {
            self.sleep(5).await;
        }
        if gone && to_green {
            let text = "green: could not connect";
            return Err(Error::permanent("control", text).code("ETIMEDOUT"));
        }
        self.effect(|| {
            Ok(Cut {
                already: self.green_writes.replace(to_green) == to_green,
                refused_ms: (!gone).then_some(300.0),
                blue_has_until: gone.then(|| "2027-01-15 08:00:00+00".into()),
                ..Cut::default()
            })
        })
        .await
    }

    async fn blue_is_closed(&self) -> Result<bool, Error> {
        Ok(self.green_writes.get())
    }

    async fn in_sync(&self, _: &str) -> Result<bool, Error> {
        Ok(self.now.get() >= self.changed_at.get() + self.known_after.get())
    }

    async fn minutes(&self, wanted: RangeInclusive<Minute>, _: Option<f64>) -> Vec<(Minute, Pair)> {
        // CloudWatch publishes after two minutes.
        let newest = (self.now.get() - 120).div_euclid(60) - 1;
        let known = wanted.filter(|m| *m <= newest);
        known.map(|m| (m, self.pair(m))).collect()
    }

    fn probes(&self) -> Option<Probes> {
        let dead = self.now.get().saturating_sub(self.dead_since.get());
        Some(Probes {
            done: 3,
            failed_in_a_row: u32::try_from(dead).unwrap_or_default(),
        })
    }

    fn failed_probe(&self) -> Option<String> {
        let probes = self.probes().filter(|p| p.failed_in_a_row > 0);
        probes.map(|_| "192.0.2.2 answers 503 to /ready".into())
    }

    async fn observe(&self, _: bool) -> Seen {
        let healthy = self.targets.get();
        let target = |service: &str| Targets {
            service: service.into(),
            healthy,
            desired: 3,
        };
        let instant = Instant {
            parity_mismatches: Some(0),
            conflicts: Some(0),
            counters: Vec::new(),
            reverse_stream: Some(Stream::Running),
            targets: Some(vec![target("payment-api")]),
            probes: self.probes(),
            guard: Some(Guard::Quiet),
            lag_forward: Some(0.5),
            lag_reverse: Some(0.5),
            verify: Some(Verify {
                result: Parity::Equal,
                at: self.now.get() - 60,
            }),
        };
        Seen {
            instant,
            fingerprint: Some(self.runs.borrow().clone()),
        }
    }

    fn record(&self, entry: Entry) -> Result<(), Error> {
        if self.now.get() >= self.unwritable_since.get() {
            return Err(Error::permanent("traffic history", "no space is left"));
        }
        let line = History::default().line(entry.clone(), self.now());
        let read = History::parse(&line).map_err(|e| Error::permanent("history", e.why))?;
        // Shares lose their last digit in JSON; what a shift goes on from does not.
        assert!(read.lines[0].entry.gate == entry.gate && read.lines[0].entry.plan == entry.plan);
        self.lines.borrow_mut().line(entry, self.now());
        Ok(())
    }

    fn show(&self, _: &str) {}
}

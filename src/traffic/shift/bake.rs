//! Watching a step until the gate lets it pass, or something else decides.

use super::super::gate::{Action, Decision, Gate, Rule, Verdict};
use super::super::history::Event;
use super::super::rollback::turn_back;
use super::super::world::World;
use super::{End, Shift};
use crate::engine::Error;

/// Seconds between two looks at metrics and everything else.
const LOOK_SECONDS: i64 = 15;

impl<W: World> Shift<'_, W> {
    /// Watches a step until it passes.
    pub(super) async fn bake(&mut self, mut gate: Gate) -> Result<Result<Gate, End>, Error> {
        let mut next = self.seconds();
        let mut said: Option<(Verdict, Vec<Rule>)> = None;
        let mut shown = i64::MIN;
        let mut runs: Option<String> = None;
        let (mut shared, mut failing) = (false, false);
        loop {
            if let Some(end) = self.decided().await {
                return Ok(Err(end));
            }
            let now = self.seconds();
            let failed = self.world.probes().map_or(0, |p| p.failed_in_a_row);
            if failing != (failed > 0) {
                failing = failed > 0;
                let text = probe(failed, self.world.failed_probe());
                self.note_down(self.entry(Event::Probe, text));
            }
            // A green that is gone is judged at once.
            if now >= next || failed >= self.plan.limits.probes_in_a_row {
                next = now + LOOK_SECONDS;
                let wanted = gate.wanted(&self.plan.limits, now);
                let slow = self.plan.slow_over_seconds;
                for (minute, pair) in self.world.minutes(wanted, slow).await {
                    gate.observe(minute, pair);
                }
                let (bridged, seen) = tokio::join!(self.world.bridged(), self.world.observe(false));
                match bridged {
                    Ok(Some(pulled)) => return Ok(Err(self.bridged_by(&pulled))),
                    Ok(None) => {}
                    Err(error) => self.unreadable(&error),
                }
                if let Some(now_runs) = seen.fingerprint.clone() {
                    if runs.as_ref().is_some_and(|before| *before != now_runs) {
                        gate = gate.restart(now);
                        let text = "a side runs something else than before: the step begins anew";
                        self.note_down(self.entry(Event::StepRestarted, text));
                    }
                    runs = Some(now_runs);
                }
                let decision = gate.evaluate(&self.plan.limits, now, &seen.instant);
                let share = decision.of(Rule::ObservedShare);
                if let Some(share) = share.filter(|s| s.verdict == Verdict::Pass && !shared) {
                    shared = true;
                    let entry = self.entry(Event::ShareObserved, &share.sentence);
                    self.note_down(entry);
                }
                let deciding = decision.deciding().map(|f| f.rule).collect();
                let says = (decision.verdict, deciding);
                if said.as_ref() != Some(&says) || decision.action != Action::Wait {
                    said = Some(says);
                    self.record_decision(&gate, &decision);
                    shown = now;
                } else if now - shown >= 60 {
                    shown = now;
                    self.world.show(&format!(
                        "weight {}: {}",
                        decision.weight, decision.sentence
                    ));
                }
                match decision.action {
                    Action::RollBack => return self.roll_back(&decision).await.map(Err),
                    Action::PageAndHold => {
                        let held = self.entry(Event::Held, &decision.sentence);
                        self.note_down(held);
                        return Ok(Err(End::Held(decision.sentence)));
                    }
                    Action::Advance if !self.is_paused() => {
                        let text = format!("weight {} has passed", decision.weight);
                        let passed = self.world.record(self.entry(Event::StepPassed, text));
                        return Ok(match passed {
                            Ok(()) => Ok(gate),
                            Err(error) => Err(self.unwritten(&error)),
                        });
                    }
                    Action::Advance | Action::Wait => {}
                }
            }
            self.world.sleep(1).await;
        }
    }

    fn record_decision(&self, gate: &Gate, decision: &Decision) {
        let mut entry = self.entry(
            Event::Gate,
            format!("weight {}: {}", decision.weight, decision.sentence),
        );
        entry.gate = Some(gate.clone());
        entry.decision = Some(decision.clone());
        self.note_down(entry);
    }

    async fn roll_back(&self, decision: &Decision) -> Result<End, Error> {
        let why = &decision.sentence;
        turn_back(self.world, self.by, &format!("the gate: {why}")).await?;
        Ok(End::RolledBack(why.clone()))
    }
}

fn probe(failed: u32, why: Option<String>) -> String {
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    match failed {
        0 => "every address of green answers its probe again".into(),
        1 => format!("the last probe of green failed{why}"),
        n => format!("the last {n} probes of green failed{why}"),
    }
}

//! What must be so before a shift begins, and its plan.

use super::super::error::Failure;
use super::super::exit::Exit;
use super::args::ShiftArgs;
use super::open::refused;
use crate::traffic::account::{Account, green_targets};
use crate::traffic::bridge;
use crate::traffic::gate::{self, DataMode, Limits, Totals, can_start, self_test};
use crate::traffic::note::Note;
use crate::traffic::plan::Plan;
use crate::traffic::world::{Standing, World};

/// The records are as a traffic command has left them, and answer alone.
pub fn as_noted(standing: &Standing) -> Result<Note, Failure> {
    if let Some(other) = standing.foreign.first() {
        return Err(refused(
            format!("{other} answers for the same name and is not this deployment's"),
            "remove it if nobody needs it, or set `routing.domain` to a name of this deployment alone",
        ));
    }
    let live = standing.live;
    let note = match &standing.note {
        Some(Ok(note)) => note.clone(),
        Some(Err(why)) => {
            return Err(refused(
                format!("the record of the traffic command is damaged: {why}"),
                "`deployer traffic rollback` gives everything to blue and writes it anew",
            ));
        }
        None => {
            return Err(refused(
                "the record of the traffic command is not there",
                "run `deployer apply`: it makes it",
            ));
        }
    };
    if !note.explains(live) {
        let hint = match note.weights {
            Some(weights) if note.in_progress() => format!(
                "set them back to {weights}, and `deployer traffic resume` goes on; or `deployer traffic rollback` gives everything to blue"
            ),
            _ => "`deployer traffic rollback` gives everything to blue; then begin again".into(),
        };
        return Err(refused(
            format!("the weights are {live}, which no traffic command has set"),
            hint,
        ));
    }
    Ok(note)
}

/// What must be so before a shift begins.
pub fn check(standing: &Standing, steps: &[u8]) -> Result<Note, Failure> {
    let note = as_noted(standing)?;
    let live = standing.live;
    for (env, weight) in [("blue", live.blue), ("green", live.green)] {
        if weight.is_none() {
            let hint = format!("make it with `deployer apply --env {env}`");
            return Err(refused(format!("{env} has no record of the domain"), hint));
        }
    }
    if note.in_progress() {
        return Err(refused(
            note.going_on(),
            "`deployer traffic resume` goes on with it, `deployer traffic rollback` ends it",
        ));
    }
    let share = live.green_percent();
    if steps
        .first()
        .is_some_and(|first| f64::from(*first) < share.floor())
    {
        return Err(refused(
            format!("green has {share:.0} % already, more than the first step"),
            "name steps from there on, or go back first with `deployer traffic rollback`",
        ));
    }
    Ok(note)
}

/// The plan, from blue's requests of the last hour. The gate itself is tested first.
pub async fn planned(
    account: &Account,
    asked: &ShiftArgs,
    steps: Vec<u8>,
    standing: &Standing,
) -> Result<Plan, Failure> {
    let limits = Limits::default();
    if !self_test(&limits).holds {
        return Err(refused(
            "the gate does not pass its own test",
            "see `deployer traffic gate --self-test`",
        ));
    }
    let slow = account.slow_over().await?;
    let now = account.now().as_second();
    let newest = now.div_euclid(60) - 1;
    let minutes = account.read_minutes(newest - 59..=newest, slow).await?;
    let blue: Vec<_> = minutes.iter().map(|(m, pair)| (*m, pair.blue)).collect();
    let finding = can_start(&blue, now);
    if finding.verdict != gate::Verdict::Pass {
        return Err(refused(
            finding.sentence,
            "send requests through blue first, and look at its metrics (AWS/ApplicationELB) in CloudWatch",
        ));
    }
    let mut past = Totals::default();
    for (_, counts) in blue {
        past.add(counts.of_kind(gate::Kind::Bad).unwrap_or_default());
    }
    Ok(Plan {
        run: format!("{:08x}", fastrand::u32(..)),
        steps,
        bake_minutes: asked.bake,
        approve_at: asked.approve_at,
        mode: account.mode,
        slow_over_seconds: slow,
        past,
        limits,
        from: standing.live,
        probes: account.prober.is_some(),
    })
}

/// Whether green can take requests, and the data is safe.
pub async fn ready(account: &Account) -> Result<(), Failure> {
    healthy(account).await?;
    let [_, green] = &account.names.sides;
    if account.mode == DataMode::ReadOnly && !bridge::answers(&account.aws, green).await? {
        return Err(refused(
            "green only reads in this split, and blue does not answer through green's bridge: payments would be refused",
            "`deployer apply` makes the bridge and its rules; its target group says which targets are not healthy",
        ));
    }
    proven(account).await
}

/// Whether all of green's tasks take requests.
pub async fn healthy(account: &Account) -> Result<(), Failure> {
    let [_, green] = &account.names.sides;
    for targets in green_targets(account).await {
        if targets.healthy == 0 || targets.healthy < targets.desired {
            return Err(refused(
                format!(
                    "{} of {}: {} of {} targets are healthy",
                    targets.service, green.env, targets.healthy, targets.desired
                ),
                "look at the events of the service in ECS, and at its log group",
            ));
        }
    }
    Ok(())
}

async fn proven(account: &Account) -> Result<(), Failure> {
    match account.unproven().await {
        None => Ok(()),
        Some(why) => Err(refused(
            format!("the data is not safe in a split: {why}"),
            "lambda/README.md, \"The way back\", says what the mode of a split needs",
        )),
    }
}

/// An error before anything was changed.
pub fn refused_by(error: crate::engine::Error) -> Failure {
    Failure {
        exit: Exit::Refused,
        ..error.into()
    }
}

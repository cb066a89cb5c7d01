//! `deployer traffic rollback`.

use super::super::Context;
use super::super::error::Failure;
use super::super::exit::Exit;
use super::open::{account, account_for_rollback, me};
use super::shared::carried;
use crate::report::{DeploymentRef, First, Notice, TextDocument, TrafficRollbackDocument};
use crate::traffic::account::Account;
use crate::traffic::bridge::{Bridge, Env};
use crate::traffic::callers::{self, Callers};
use crate::traffic::gate::DataMode;
use crate::traffic::history::{Entry, Event};
use crate::traffic::note::{Act, Note};
use crate::traffic::outside;
use crate::traffic::rollback::{Outcome, kept, turn_back};
use crate::traffic::weights::Weights;
use crate::traffic::world::World;

/// Sends all traffic back to blue.
pub async fn rollback(
    cx: &Context<'_>,
    reason: &str,
    until_over: bool,
    notice: &mut Notice,
) -> Result<Exit, Failure> {
    let (config, mut account) = account_for_rollback(cx).await?;
    notice.home = DeploymentRef {
        suffix: config.suffix.clone(),
        account: config.account.clone(),
        region: config.region.clone(),
        scope: None,
    };
    let outcome = turn_back(&account, &me(), reason).await?;
    let mut exit = Exit::Done;
    let (mut text, mut document) = match outcome {
        Outcome::Nothing {
            live,
            bridge,
            switched,
        } => (
            {
                let done = match (switched, bridge) {
                    (true, _) => {
                        notice.outcome = "changed";
                        bridge.text(Env::Green)
                    }
                    (false, Bridge::Failed) => {
                        exit = Exit::Differs;
                        bridge.text(Env::Green)
                    }
                    _ => "nothing was changed".to_owned(),
                };
                format!("blue has all traffic already ({live}), and no shift is going on: {done}")
            },
            TrafficRollbackDocument {
                changed: switched,
                before: live,
                note: None,
                in_sync: true,
                bridge: (switched || bridge == Bridge::Failed).then_some(bridge),
                cut: None,
                over: None,
                callers: None,
                problems: Vec::new(),
                exit_code: 0,
            },
        ),
        Outcome::Done {
            before,
            note,
            in_sync,
            bridge,
            cut,
        } => {
            let writes = cut
                .as_ref()
                .map(|cut| format!(" {}.", upper(&cut.text(Env::Blue))));
            if until_over {
                // What is not there is said below.
                let _ = account.open_eyes().await;
            }
            let over = outside::over(&account, &note, bridge, until_over).await;
            if over.is_contradicted() || bridge == Bridge::Failed {
                exit = Exit::Differs;
            }
            let (still, callers) = match until_over {
                true => still(&account, &note).await,
                false => (String::new(), None),
            };
            notice.outcome = "changed";
            notice.first = Some(First {
                step: None,
                message: format!("all traffic went back to blue, from {before}: {reason}"),
                hint: None,
            });
            notice.next = Some(cx.command_line("traffic status", None, &config));
            (
                format!(
                    "All traffic goes to blue; it was {before}.{} {}. Seen from outside:\n{}{still}`deployer traffic status` counts the requests of both sides, and names who still calls green.",
                    writes.unwrap_or_default(),
                    upper(&bridge.text(Env::Green)),
                    over.text()
                ),
                TrafficRollbackDocument {
                    changed: true,
                    before,
                    note: Some(note),
                    in_sync,
                    bridge: Some(bridge),
                    cut,
                    over: Some(over),
                    callers,
                    problems: Vec::new(),
                    exit_code: 0,
                },
            )
        }
    };
    // What others have put beside the records has its share of the answers, whatever ours say.
    let foreign = account.standing().await.map(|standing| standing.foreign);
    for other in foreign.unwrap_or_default() {
        let problem = format!(
            "{other} answers for the same name and is not this deployment's: it has its share of the customers until somebody removes it"
        );
        text += &format!("\n{problem}");
        document.problems.push(problem);
        exit = Exit::Differs;
    }
    document.exit_code = exit.code();
    cx.console.answer(&format!("{text}\n"), &document)?;
    carried(cx, &config, &account.log).await;
    Ok(exit)
}

/// Who still calls green, as a line and as it was read; how many is recorded.
async fn still(account: &Account, note: &Note) -> (String, Option<Callers>) {
    let now = account.now();
    let since = callers::since(note, now).unwrap_or(now);
    let callers = match callers::callers(account, since).await {
        Ok(callers) => callers,
        Err(error) => {
            return (
                format!("  who still calls green is not known: {error}\n"),
                None,
            );
        }
    };
    let text = callers
        .text()
        .unwrap_or_else(|| "nobody calls green's load balancer any more".to_owned());
    let count = format!(
        "{} clients still call green's load balancer",
        callers.clients
    );
    kept(account, Entry::new(Event::Stragglers, note, &me(), count));
    (format!("  {text}\n"), Some(callers))
}

/// A clause as a sentence.
fn upper(text: &str) -> String {
    let (first, rest) = text.split_at(text.len().min(1));
    format!("{}{rest}", first.to_uppercase())
}

/// Prints the same as commands of the AWS CLI.
pub async fn print_aws(cx: &Context<'_>) -> Result<Exit, Failure> {
    let (_, account) = account(cx, true, DataMode::TwoWay).await?;
    let standing = account.standing().await?;
    let last = standing.readable().cloned().unwrap_or(Note::FIRST);
    let mut note = last.next(
        Act::Rollback,
        Weights::BLUE,
        &last.run,
        &me(),
        account.now(),
    );
    note.green_writes = false;
    let place = account.place().await?;
    let changes = place.back(&standing, &note)?;
    let mut text = crate::traffic::records::commands(place, &changes);
    if last.green_writes {
        text = format!(
            "# Green takes the writes: blue must have them first. Go on when the answer says \"writer\": \"blue\".\n\
             aws lambda invoke --function-name {} --cli-binary-format raw-in-base64-out --payload '{{\"action\": \"cutover\", \"reverse\": true}}' /dev/stdout\n{text}",
            account.names.control
        );
    }
    cx.console.answer(&text, &TextDocument::new(&text))?;
    Ok(Exit::Done)
}

//! What the account says: credentials, clock, permissions, quotas, names, domain, images, certificates, subscriptions.

use super::recorded::to_do;
use super::{domain, machine};
use crate::aws::logs::OS_METRICS;
use crate::aws::permissions::Holder;
use crate::aws::{self, Aws, Caller, Count, Demand, Preflight, Version, simulate};
use crate::blueprint::{self, Facts, SERVICES};
use crate::cli::Context;
use crate::cli::connection::{check_account, connection};
use crate::config::Config;
use crate::engine::observe::{Observed, observe, requests};
use crate::engine::{self, Error, Events, Graph, Level, Limits, Phase};
use crate::report::{Finding, Verdict};
use crate::resources;
use crate::resources::rds::ENGINE;
use crate::state::State;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Seconds of difference from AWS's clock: from here on a warning, and from here on refused.
const CLOCK: (i64, i64) = (60, 300);
/// A session that ends sooner than this may end in the middle of a first run.
const SESSION: Duration = Duration::from_secs(45 * 60);

/// Types that doctor reads: what others may have taken, what somebody has to confirm, what expires.
const READ: [&str; 6] = [
    "s3/bucket",
    "acm/certificate",
    "acm/validation",
    "sns/topic",
    "rds/cluster",
    "ecs/task_definition",
];

/// All of it. Calls go through a caller that refuses to write. `read` gets the steps that were read: what the state says of them
/// is older.
pub async fn check(
    cx: &Context<'_>,
    config: &Config,
    state: Option<&State>,
    read: &mut BTreeSet<String>,
) -> Vec<Finding> {
    let mut out = Vec::new();
    let connection = match connection(cx, config).await {
        Ok(connection) => connection,
        Err(failure) => {
            let finding = Finding::new("credentials", Verdict::Error, failure.message);
            let end = failure.hint;
            out.push(Finding { end, ..finding });
            out.push(not_looked_at());
            return out;
        }
    };
    let events = cx.console.events(None);
    let caller = Caller::new(events.clone(), true, config.run.parallelism);
    let caller = caller.with_limits(connection.limits(config.run.api_limits));
    let mut aws = Aws::new(&connection, Arc::new(caller));
    let functions = config.only_environment() != Some("blue");
    let facts = Facts::read(&aws, config, functions);
    let ((preflight, facts), ahead) = tokio::join!(facts, aws::ahead(&aws));
    let reached = !preflight.account.is_empty();
    out.extend(preflight.checks.iter().cloned().map(Finding::from));
    out.push(clock(ahead));
    if !reached {
        out.push(not_looked_at());
        return out;
    }
    if let Err(failure) = check_account(config, &preflight.account) {
        let finding = Finding::new("account", Verdict::Error, failure.message);
        let end = failure.hint;
        out.push(Finding { end, ..finding });
    }
    if let Some(state) = state.filter(|s| !s.account.is_empty() && s.account != preflight.account) {
        let text = format!(
            "the state belongs to account {}, the credentials to {}",
            state.account, preflight.account
        );
        out.push(
            Finding::new("account", Verdict::Error, text)
                .end("--profile NAME, or another --suffix"),
        );
    }
    out.extend(connection.expiry().await.map(session_end));
    aws.account.clone_from(&preflight.account);
    out.extend(permissions(&aws, config, &preflight).await);
    out.extend(os_metrics(&aws, config).await);
    let recorded = state.and_then(|s| Facts::recorded(&s.facts));
    let facts = match (facts, recorded) {
        (Ok(mut facts), recorded) => {
            if let Some(recorded) = &recorded {
                facts.keep(recorded);
            }
            out.extend(images(config, &facts));
            facts
        }
        (Err(error), recorded) => {
            out.extend(unread(&preflight, &error));
            let Some(recorded) = recorded else {
                out.push(machine::names(config, state));
                return out;
            };
            recorded
        }
    };
    let mut failed = preflight.checks.iter();
    out.push(
        match failed.find(|c| c.name == "domain" && c.level == Level::Error) {
            Some(check) => domain::no_zone(&check.text),
            None => domain::delegation(cx, &aws, facts.zone.as_ref()).await,
        },
    );
    let given = &config.routing.certificate_arn;
    if !given.is_empty() {
        out.push(domain::certificate(&aws, "routing.certificate_arn", given).await);
    }
    match blueprint::build(config, &facts) {
        Ok(graph) => out.extend(things(aws, config, state, (&graph, events), read).await),
        Err(_) => out.push(machine::names(config, state)),
    }
    out
}

/// Why the facts are not known: what is wrong with the account stands among the findings already, what else could not be read does
/// not.
pub(super) fn unread(preflight: &Preflight, error: &Error) -> Option<Finding> {
    let is_said = preflight.error().is_some();
    (!is_said).then(|| unknown("facts of the region", error))
}

/// What is not known as long as the account is not reached.
fn not_looked_at() -> Finding {
    let text = "not looked at, because the account was not reached: permissions, quotas, names in use, domain, images, certificates, subscriptions, the engine's version";
    Finding::new("account", Verdict::Unknown, text)
        .end("end what is wrong with the credentials, then `deployer doctor`")
}

pub(super) fn clock(ahead: Result<i64, Error>) -> Finding {
    let ahead = match ahead {
        Ok(ahead) => ahead,
        Err(error) => return unknown("clock", &error),
    };
    let by = ahead.unsigned_abs();
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    let text = format!("{by} seconds {side} AWS's");
    let end = "set the clock: `timedatectl set-ntp true`";
    if by >= CLOCK.1.unsigned_abs() {
        Finding::new("clock", Verdict::Error, text).end(end)
    } else if by >= CLOCK.0.unsigned_abs() {
        Finding::new("clock", Verdict::Warning, text).end(end)
    } else {
        Finding::new("clock", Verdict::Ok, text)
    }
}

fn session_end(expiry: SystemTime) -> Finding {
    let left = expiry.duration_since(SystemTime::now()).unwrap_or_default();
    let text = format!("the session ends in {} minutes", left.as_secs() / 60);
    if left < SESSION {
        Finding::new("session", Verdict::Warning, text)
            .end("log in again before a long run: `aws sso login`")
    } else {
        Finding::new("session", Verdict::Ok, text)
    }
}

pub(super) fn unknown(about: &str, error: &Error) -> Finding {
    let finding = Finding::new(about, Verdict::Unknown, format!("not checked: {error}"));
    let end = error.hint.clone();
    Finding { end, ..finding }
}

/// What IAM says about the policy that `deployer permissions` prints.
async fn permissions(aws: &Aws, config: &Config, found: &Preflight) -> Option<Finding> {
    let about = "permissions";
    let holder = Holder {
        account: &found.account,
        region: &config.region,
        suffix: &config.suffix,
        read_only: false,
        only: None,
        topic: Some(config.notify.topic.as_str()).filter(|t| !t.is_empty()),
        state: None,
    };
    let statements = holder.statements();
    let actions: usize = statements
        .iter()
        .filter_map(|s| s["Action"].as_array().map(Vec::len))
        .sum();
    let Some(principal) = simulate::principal(&found.caller) else {
        let text = format!(
            "not checked: IAM simulates users and roles only; none of {actions} permissions is known"
        );
        let end = format!(
            "use a role with the policy of `deployer permissions --suffix {}`",
            config.suffix
        );
        return Some(Finding::new(about, Verdict::Unknown, text).end(end));
    };
    let end = format!(
        "attach the policy that `deployer permissions --suffix {}` prints to {principal}",
        config.suffix
    );
    Some(match simulate::denied(aws, &principal, &statements).await {
        Ok(denied) if denied.is_empty() => {
            let text = format!("IAM allows all {actions} (policies of sessions are not seen)");
            Finding::new(about, Verdict::Ok, text)
        }
        Ok(denied) => {
            let list: Vec<&str> = denied.iter().map(String::as_str).collect();
            let text = format!(
                "IAM refuses {} of {actions}: {}",
                denied.len(),
                list.join(", ")
            );
            Finding::new(about, Verdict::Error, text).end(end)
        }
        Err(error) => {
            let text = format!("not checked, so none of {actions} is known to be allowed: {error}");
            Finding::new(about, Verdict::Unknown, text).end(end)
        }
    })
}

fn images(config: &Config, facts: &Facts) -> Vec<Finding> {
    let each = SERVICES
        .iter()
        .map(|service| match facts.images.get(service.name) {
            Some(image) => Finding::new("image", Verdict::Ok, format!("{}: {image}", service.name)),
            None => {
                let image = blueprint::image_uri(config, &facts.account, service);
                let text = format!("{}: {image} is not there, so it has no tasks", service.name);
                Finding::new("image", Verdict::Warning, text)
                    .end(format!("docker push {image}, then `deployer apply`"))
            }
        });
    each.collect()
}

/// How long the account keeps what Enhanced Monitoring writes; nothing while nobody has it.
async fn os_metrics(aws: &Aws, config: &Config) -> Option<Finding> {
    let watched = config.database.monitoring_seconds > 0;
    let found = aws.logs.groups.get(OS_METRICS.to_owned());
    let about = format!("log group {OS_METRICS}");
    match found.await {
        Ok(group) => Some(kept(&about, group.filter(|_| watched)?.retention_in_days)),
        Err(error) if watched => Some(unknown(&about, &error)),
        Err(_) => None,
    }
}

pub(super) fn kept(about: &str, days: Option<i32>) -> Finding {
    let whose = "it is the account's, since every database with Enhanced Monitoring writes there, and is never changed by deployer";
    match days {
        Some(days) => Finding::new(about, Verdict::Ok, format!("kept for {days} days: {whose}")),
        None => {
            Finding::new(about, Verdict::Warning, format!("never expires: {whose}")).end(format!(
                "aws logs put-retention-policy --log-group-name {OS_METRICS} --retention-in-days 90"
            ))
        }
    }
}

/// Quotas and versions of what is still to be made, and the things that are worth a read.
async fn things(
    aws: Aws,
    config: &Config,
    state: Option<&State>,
    (graph, events): (&Graph, Events),
    read: &mut BTreeSet<String>,
) -> Vec<Finding> {
    let empty = State::empty(&config.suffix, &config.region);
    let state = state.unwrap_or(&empty);
    let mut out = vec![Finding::new(
        "names",
        Verdict::Ok,
        format!("the names of all {} steps are legal", graph.steps.len()),
    )];
    let aws = Arc::new(aws);
    let checks = aws::check_demand(&aws, &demand(config, graph, state)).await;
    out.extend(checks.into_iter().map(Finding::from));
    let limits = Limits {
        parallelism: config.run.parallelism,
        consistency_timeout: Duration::ZERO,
        ..Limits::default()
    };
    let context = engine::Context::new(resources::registry(&aws), events, limits);
    let all = vec![true; graph.steps.len()];
    let mut asked = requests(graph, &all, state, |_, _| true);
    asked.retain(|r| READ.contains(&r.kind));
    let seen = observe(&context, &asked).await;
    for request in &asked {
        let Some(found) = seen.get(request.step) else {
            continue;
        };
        if !matches!(found, Observed::Unreadable(_)) {
            read.insert(request.step.to_owned());
        }
        out.extend(thing(
            request.step,
            request.kind,
            request.record.is_some(),
            found,
        ));
        let arn = found.live().and_then(|l| l.outputs["arn"].as_str());
        if let ("acm/certificate", Some(arn)) = (request.kind, arn) {
            out.push(domain::certificate(&aws, request.step, arn).await);
        }
    }
    out
}

/// What one thing says.
pub(super) fn thing(step: &str, kind: &str, recorded: bool, found: &Observed) -> Vec<Finding> {
    let about = match kind {
        "s3/bucket" => "name",
        "acm/certificate" | "acm/validation" => "certificate",
        "sns/topic" => "subscriptions",
        "rds/cluster" => "database",
        _ => "image",
    };
    match found {
        Observed::Absent if recorded => {
            let text = format!("{step} is recorded and not there");
            vec![Finding::new(about, Verdict::Warning, text).end("deployer drift")]
        }
        Observed::Absent => Vec::new(),
        Observed::Foreign(_, error) => {
            let text = format!("{step}: {error}");
            let end = error.hint.clone();
            let end = end.unwrap_or_else(|| "choose another --suffix".into());
            vec![Finding::new(about, Verdict::Error, text).end(end)]
        }
        Observed::Unreadable(error) => vec![unknown(&format!("{about} {step}"), error)],
        Observed::Found(live) => {
            let mut out = Vec::new();
            match &live.phase {
                Phase::Ready => {}
                Phase::Failed(why) => {
                    let text = format!("{step} has failed: {why}");
                    out.push(Finding::new(about, Verdict::Error, text).end("deployer apply"));
                }
                Phase::Settling | Phase::Deleting => {
                    let text = format!("{step} is not ready yet");
                    out.push(Finding::new(about, Verdict::Warning, text).end("deployer doctor"));
                }
            }
            if let Some(text) = live.outputs.get("attention").and_then(Value::as_str) {
                out.push(to_do(about, step, text, "do it, then `deployer apply`"));
            }
            if out.is_empty() {
                out.push(Finding::new(
                    about,
                    Verdict::Ok,
                    format!("{step} is ours and ready"),
                ));
            }
            out
        }
    }
}

/// What is still to be made of the whole platform.
fn demand(config: &Config, graph: &Graph, state: &State) -> Demand {
    let mut kinds: BTreeMap<String, BTreeMap<String, Count>> = BTreeMap::new();
    for step in &graph.steps {
        let scopes = kinds.entry(step.kind.clone()).or_default();
        let count = scopes.entry(step.scope.clone()).or_default();
        if state.steps.contains_key(&step.id) {
            count.there += 1;
        } else {
            count.new += 1;
        }
    }
    let clusters = state.steps.values().filter(|r| r.kind == "rds/cluster");
    let running = clusters.filter_map(|r| r.inputs["engine_version"].as_str());
    // What runs as it is wanted needs no way to get there.
    let running = running.filter(|v| *v != config.database.engine_version);
    let version = Version {
        engine: ENGINE.to_owned(),
        wanted: config.database.engine_version.clone(),
        running: running.max().map(str::to_owned),
    };
    Demand {
        kinds,
        versions: vec![version],
    }
}

//! What the commands about traffic share: the connection, the records, the history, and how entries are shown.

use super::super::Context;
use super::super::connection::{check_account, connection, state_folder};
use super::super::error::Failure;
use super::super::exit::Exit;
use super::super::session::configuration;
use super::super::signals::stop_on_signals;
use crate::aws::sts::GET_CALLER_IDENTITY;
use crate::aws::{Aws, Caller};
use crate::config::Config;
use crate::edge::Edge;
use crate::engine::{Class, Error};
use crate::report::Traffic;
use crate::state::Holder;
use crate::traffic::account::{Account, Show};
use crate::traffic::gate::DataMode;
use crate::traffic::history::Log;
use crate::traffic::names::Names;
use crate::traffic::rollback::LOOK;
use crate::traffic::time::{Time, VARIABLE};
use std::sync::Arc;
use tokio::sync::{OnceCell, watch};

/// Connects and finds the records. Nothing is written.
pub async fn account(
    cx: &Context<'_>,
    read_only: bool,
    mode: DataMode,
) -> Result<(Config, Account), Failure> {
    let (config, account) = connected(cx, read_only, mode).await?;
    tokio::try_join!(
        async { Ok(account.place().await.map(drop)?) },
        pinned(&account.aws, &config)
    )?;
    Ok((config, account))
}

/// The same for the way back: what does not answer is said and keeps nobody from the levers at the load balancers, which need
/// neither Route 53 nor STS.
pub async fn account_for_rollback(cx: &Context<'_>) -> Result<(Config, Account), Failure> {
    let (config, account) = connected(cx, false, DataMode::TwoWay).await?;
    let silent = || Error::of(Class::Unclear, "traffic rollback", "no answer yet");
    let (place, whose) = tokio::join!(
        tokio::time::timeout(LOOK, account.place()),
        tokio::time::timeout(LOOK, whose(&account.aws, &config))
    );
    match place.unwrap_or_else(|_| Err(silent())) {
        Ok(_) => {}
        // It is not clear which records are meant.
        Err(error) if error.class == Class::Permanent && !error.is_denied() => {
            return Err(error.into());
        }
        Err(error) => cx
            .console
            .warning(&format!("where the records are is not known: {error}"))?,
    }
    match whose.unwrap_or_else(|_| Err(silent())) {
        Ok(Some(found)) => check_account(&config, &found)?,
        Ok(None) => {}
        Err(error) => cx.console.warning(&format!(
            "whether these are credentials of account {} is not known: {error}",
            config.account
        ))?,
    }
    Ok((config, account))
}

async fn connected(
    cx: &Context<'_>,
    read_only: bool,
    mode: DataMode,
) -> Result<(Config, Account), Failure> {
    let config = configuration(cx)?;
    let time = time(cx)?;
    let connection = connection(cx, &config).await?;
    let events = cx.console.events(None);
    let caller = Caller::new(events, read_only, config.run.parallelism);
    let caller = caller.with_limits(connection.limits(config.run.api_limits));
    let aws = Aws::new(&connection, Arc::new(caller));
    let account = Account {
        aws: Arc::new(aws),
        config: config.clone(),
        found: OnceCell::new(),
        names: Names::of(&config)?,
        log: Log::new(&state_folder(cx.common), &config.suffix),
        by: me(),
        time,
        edge: edge(cx)?,
        stop: if read_only {
            watch::channel(false).1
        } else {
            stop_on_signals()
        },
        show: show(cx),
        mode,
        graph: None,
        sight: None,
        prober: None,
    };
    Ok((config, account))
}

/// Refuses credentials of another account than the configuration pins. Without a pinned one nobody is asked.
pub async fn pinned(aws: &Aws, config: &Config) -> Result<(), Failure> {
    match whose(aws, config).await? {
        Some(found) => check_account(config, &found),
        None => Ok(()),
    }
}

/// The account of the credentials, when the configuration pins one.
async fn whose(aws: &Aws, config: &Config) -> Result<Option<String>, Error> {
    if config.account.is_empty() {
        return Ok(None);
    }
    let call = aws.sts.client.get_caller_identity();
    let answer = aws
        .call(GET_CALLER_IDENTITY, || call.clone().send())
        .await?;
    Ok(Some(answer.account().unwrap_or_default().to_owned()))
}

/// True when calls go to an endpoint on this machine.
fn is_local(cx: &Context<'_>) -> bool {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").unwrap_or_default();
    let rest = endpoint.split_once("://").map_or("", |(_, rest)| rest);
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let is_loopback = ["localhost", "127.0.0.1"].contains(&host) || rest.starts_with("[::1]");
    cx.common.sandbox || is_loopback
}

/// How customers see both sides.
pub fn edge(cx: &Context<'_>) -> Result<Option<Edge>, Failure> {
    let text = std::env::var(crate::edge::VARIABLE).ok();
    Edge::of(text.as_deref(), is_local(cx)).map_err(Failure::usage)
}

/// The time; a faster one only for an emulator on this machine.
pub fn time(cx: &Context<'_>) -> Result<Time, Failure> {
    let Some(text) = std::env::var(VARIABLE).ok().filter(|t| !t.is_empty()) else {
        return Ok(Time::real());
    };
    if !is_local(cx) {
        return Err(Failure::usage(format!(
            "{VARIABLE} is set, and the endpoint is not on this machine: with AWS, minutes are minutes"
        ))
        .hint(format!("unset {VARIABLE}, or pass --sandbox")));
    }
    Time::parse(&text).map_err(Failure::usage)
}

/// Entries and progress: lines for people, or JSON lines on standard error.
fn show(cx: &Context<'_>) -> Show {
    let console = cx.console.clone();
    Box::new(move |shown| {
        // A shift goes on when nobody reads its lines any more.
        let _ = console.note(&Traffic::line(&shown, console.json()));
    })
}

/// This user and host.
pub fn me() -> String {
    let me = Holder::this("");
    format!("{}@{}", me.who, me.host)
}

/// Something must be so before, and is not.
pub fn refused(text: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure::new(Exit::Refused, text).hint(hint)
}

//! Where a command goes: the account that it is connected to, and the store of its state.

use super::Context;
use super::args::Common;
use super::error::Failure;
use crate::aws::{Caller, Connection, Settings, StateObjects, connect, in_region_of};
use crate::config::Config;
use crate::engine::Events;
use crate::resources;
use crate::sandbox;
use crate::state::{LocalStore, ObjectStore, OwnProcess, Store};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The folder of state files: the sandbox has one of its own, so it can never mix with a real account's state.
pub fn state_folder(common: &Common) -> PathBuf {
    if common.sandbox {
        common.state_dir.join("sandbox")
    } else {
        common.state_dir.clone()
    }
}

/// The local state files of the configured deployment.
pub fn local_store(common: &Common, config: &Config) -> LocalStore {
    LocalStore::new(&state_folder(common), &config.suffix)
}

/// Where the state of the configured deployment is: the same store for the whole command.
pub async fn store(cx: &Context<'_>, config: &Config) -> Result<Arc<dyn Store>, Failure> {
    let store = cx.store.get_or_try_init(async || {
        let Some((bucket, prefix)) = config.shared_state() else {
            let files: Arc<dyn Store> = Arc::new(local_store(cx.common, config));
            return Ok::<_, Failure>(files);
        };
        let (connection, caller) = to_bucket(cx, config, bucket).await?;
        let place = (bucket, prefix);
        let objects = StateObjects::new(&connection, caller, place, &config.suffix);
        let store = ObjectStore::new(Arc::new(objects), Arc::new(OwnProcess), &config.suffix);
        Ok(Arc::new(store) as Arc<dyn Store>)
    });
    store.await.cloned()
}

/// A connection to the region of the bucket of a shared state, and the one caller for it. It is not the session's:
///
/// * The lock is taken and given back with it, before there is a session and after, and by commands that otherwise only read.
/// * What must be recorded never waits for a place behind calls of steps that hang.
/// * Its calls belong to no step, so no report counts them. A budget is of one operation of S3, and the session sends others, but for deletions.
pub async fn to_bucket(
    cx: &Context<'_>,
    config: &Config,
    bucket: &str,
) -> Result<(Connection, Arc<Caller>), Failure> {
    let made = cx.bucket.get_or_try_init(async || {
        let connection = connection(cx, config).await?;
        let caller = Caller::new(Events::default(), false, config.run.parallelism);
        let caller = Arc::new(caller.with_limits(connection.limits(config.run.api_limits)));
        let connection = in_region_of(bucket, &connection, &caller).await?;
        Ok::<_, Failure>((connection, caller))
    });
    made.await.cloned()
}

/// Refuses credentials of another account than the configuration pins.
pub fn check_account(config: &Config, account: &str) -> Result<(), Failure> {
    if config.account.is_empty() || config.account == account {
        return Ok(());
    }
    Err(Failure::from(crate::engine::Error::permanent(
        "preflight",
        format!(
            "the configuration pins account {}, but the credentials belong to {account}; nothing was changed",
            config.account
        ),
    ))
    .hint("use the right --profile, or correct `account` in the configuration"))
}

/// A connection to AWS in the region of this configuration, or to the sandbox, which is started when it does not run. It is
/// made once; one to another region (a topic's) beside it.
pub async fn connection(cx: &Context<'_>, config: &Config) -> Result<Connection, Failure> {
    let first = cx.connection.get_or_try_init(|| connected(cx, config));
    let first = first.await?;
    match first.config.region() {
        Some(region) if region.as_ref() == config.region => Ok(first.clone()),
        _ => connected(cx, config).await,
    }
}

async fn connected(cx: &Context<'_>, config: &Config) -> Result<Connection, Failure> {
    let common = cx.common;
    let mut pace = None;
    let mut settings = Settings {
        region: config.region.clone(),
        profile: common.profile.clone(),
        endpoint: None,
        call_timeout: config.run.call_timeout,
        keys: None,
    };
    if common.sandbox {
        let options = sandbox::UpOptions {
            folder: state_folder(common),
            port: None,
            latency: None,
            seconds: resources::typical_seconds(),
            data_plane: None,
        };
        let info = sandbox::up(&options, &|line| drop(cx.console.note(line))).await?;
        pace = sandbox::pace(&info.latency);
        settings.endpoint = Some(info.endpoint);
        settings.profile = None;
        // The sandbox never sees a real credential.
        settings.keys = Some(("sandbox".into(), "sandbox".into()));
    }
    if !common.sandbox {
        let set = std::env::vars_os().filter_map(|(name, value)| {
            Some((
                name.into_string().ok()?,
                value.to_string_lossy().into_owned(),
            ))
        });
        check_endpoints(set)?;
    }
    settings.call_timeout = settings.call_timeout.max(Duration::from_millis(100));
    Ok(Connection {
        pace,
        ..connect(&settings).await?
    })
}

/// Refuses an endpoint that is no URL, of all services or of one: the SDK would say so at every call, in words of its own.
fn check_endpoints(set: impl Iterator<Item = (String, String)>) -> Result<(), Failure> {
    let mut endpoints = set.filter(|(name, _)| name.starts_with("AWS_ENDPOINT_URL"));
    let wrong = endpoints.find(|(_, value)| !value.is_empty() && !is_url(value));
    match wrong {
        Some((name, value)) => Err(Failure::usage(format!("{name} is no URL: `{value}`"))
            .hint("set it to http://HOST:PORT or https://HOST, or unset it")),
        None => Ok(()),
    }
}

fn is_url(text: &str) -> bool {
    let rest = ["http://", "https://"].into_iter();
    let mut rest = rest.filter_map(|scheme| text.strip_prefix(scheme));
    rest.any(|rest| {
        let named = !rest.is_empty() && !rest.starts_with(['/', ':', '?', '#']);
        named && rest.chars().all(|c| c.is_ascii_graphic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Exit;

    #[test]
    fn an_endpoint_that_is_no_url_is_refused_as_configuration() {
        let check = |name: &str, value: &str| {
            let set = [(name.to_owned(), value.to_owned())];
            check_endpoints(set.into_iter())
        };
        for good in [
            "http://127.0.0.1:4566",
            "https://aws.example",
            "http://[::1]:80/x",
            "",
        ] {
            assert!(check("AWS_ENDPOINT_URL", good).is_ok(), "{good}");
        }
        for bad in [
            "not-a-url",
            "127.0.0.1:4566",
            "http://",
            "http:///x",
            "http://a b",
            "ftp://a",
        ] {
            let failure = check("AWS_ENDPOINT_URL_S3", bad).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage, "{bad}");
            assert!(failure.message.contains("AWS_ENDPOINT_URL_S3"));
        }
        assert!(check("AWS_PROFILE", "not-a-url").is_ok());
    }
}

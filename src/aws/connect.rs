//! One connection to AWS from the usual environment: variables, profiles, SSO, assume-role, `AWS_ENDPOINT_URL`.

use super::environment;
use super::error::chain;
use super::hints;
use super::redact::redact;
use crate::engine::Error;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::config::Credentials;
use aws_sdk_ec2::config::ProvideCredentials;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use std::error::Error as StdError;
use std::time::{Duration, SystemTime};

/// What the command line and the configuration say about the connection.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The region of everything.
    pub region: String,
    /// A profile of the shared configuration.
    pub profile: Option<String>,
    /// An endpoint instead of AWS's; `None` leaves it to `AWS_ENDPOINT_URL` and the profile.
    pub endpoint: Option<String>,
    /// The time for one attempt of one call. An answer that takes longer is an unclear one.
    pub call_timeout: Duration,
    /// An access key and its secret instead of what the environment gives.
    pub keys: Option<(String, String)>,
}

/// Credentials, region, endpoint, HTTP client: what all clients are made of.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The SDK's shared configuration.
    pub config: SdkConfig,
    /// The part of AWS's typical durations that things take at this endpoint (0.01: a hundredth), where it is known.
    pub pace: Option<f64>,
}

impl Connection {
    /// The part of AWS's documented limits that calls may use, where an account may use `part`: in a place where all is a hundred
    /// times as fast as in AWS, that holds for calls, too.
    pub fn limits(&self, part: f64) -> f64 {
        part / self.pace.unwrap_or(1.0).clamp(0.001, 1.0)
    }

    /// When the credentials end, if they do.
    pub async fn expiry(&self) -> Option<SystemTime> {
        let provider = self.config.credentials_provider()?;
        provider.provide_credentials().await.ok()?.expiry()
    }
}

/// Loads the configuration. Makes no call yet, except for the credentials of a profile that is named.
///
/// # Errors
/// When the profile is not there or gives no credentials.
pub async fn connect(settings: &Settings) -> Result<Connection, Error> {
    let http = environment::http_client()?;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(settings.call_timeout.min(Duration::from_secs(5)))
        .read_timeout(settings.call_timeout)
        .operation_attempt_timeout(settings.call_timeout)
        .operation_timeout(settings.call_timeout)
        .build();
    let region = Region::new(settings.region.clone());
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region.clone())
        .http_client(http.clone())
        // One attempt: `Caller` decides what may be sent again.
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts.clone());
    if let Some(profile) = &settings.profile {
        // A profile that is named takes precedence over all other sources, as in the AWS CLI: keys in the environment, or the
        // instance's role in place of a misspelt profile, could be those of another account.
        let from = ProviderConfig::without_region()
            .with_region(Some(region))
            .with_http_client(http)
            .with_timeout_config(timeouts);
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&from)
            .profile_name(profile)
            .build();
        // Once here: the provider tells only the first who asks what is wrong with the profile.
        if let Err(error) = provider.provide_credentials().await {
            return Err(no_credentials(profile, &error));
        }
        loader = loader.profile_name(profile).credentials_provider(provider);
    }
    if settings.profile.is_none()
        && settings.keys.is_none()
        && let Some(profile) = misspelt()
    {
        return Err(unknown(&profile));
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some((key, secret)) = &settings.keys {
        let credentials = Credentials::builder()
            .access_key_id(key)
            .secret_access_key(secret)
            .provider_name("settings");
        loader = loader.credentials_provider(credentials.build());
    }
    Ok(Connection {
        config: loader.load().await,
        pace: None,
    })
}

/// Why a profile gives no credentials: it may not be there at all.
fn no_credentials(profile: &str, error: &(dyn StdError + 'static)) -> Error {
    let known = environment::profiles();
    if known.contains(profile) {
        let text = format!(
            "the profile `{profile}` gives none: {}",
            redact(&chain(error))
        );
        return hints::CREDENTIALS.on(Error::permanent("credentials", text));
    }
    unknown(profile)
}

/// The profile that `AWS_PROFILE` names, when it is not there and no keys stand before it: what comes after it, as the instance's role,
/// could be those of another account.
fn misspelt() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
    let profile = set("AWS_PROFILE").filter(|_| set("AWS_ACCESS_KEY_ID").is_none())?;
    let known = profile == "default" || environment::profiles().contains(&profile);
    (!known).then_some(profile)
}

/// The error of a profile that no file has.
fn unknown(profile: &str) -> Error {
    let known = environment::profiles();
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let names = match names.as_slice() {
        [] => "they have none".to_owned(),
        names => format!("they have {}", names.join(", ")),
    };
    let text = format!("no profile `{profile}` is in the AWS configuration files; {names}");
    Error::permanent("credentials", text).hint(
        "name one of these with --profile or AWS_PROFILE, or add it with `aws configure --profile NAME`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_as_fast_as_everything_else_there() {
        let limits = |pace, part| {
            let config = SdkConfig::builder().build();
            Connection { config, pace }.limits(part)
        };
        assert_eq!(limits(None, 0.5), 0.5);
        assert_eq!(limits(Some(0.01), 1.0), 100.0);
        assert_eq!(limits(Some(0.0), 1.0), 1000.0);
    }
}

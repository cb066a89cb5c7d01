//! What the environment says about the way to AWS, as with AWS's other tools: the region of variables and profiles,
//! proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in either case of letters) and the certificates that are
//! trusted (`AWS_CA_BUNDLE`, in place of the system's).

use super::redact::redact;
use super::whole::{Asked, whole};
use crate::engine::Error;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;
use aws_sdk_ec2::config::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The region of the environment and who names it: `AWS_REGION`, `AWS_DEFAULT_REGION`, or the profile.
pub fn region(profile: Option<&str>) -> Option<(String, String)> {
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        if let Ok(region) = std::env::var(name)
            && !region.trim().is_empty()
        {
            return Some((region, name.to_owned()));
        }
    }
    let mut provider = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        provider = provider.profile_name(profile);
    }
    // It reads two files and waits for nothing else.
    let found = futures::executor::block_on(provider.build().region())?;
    let named = profile.map(str::to_owned);
    let named = named.or_else(|| std::env::var("AWS_PROFILE").ok());
    let name = named.unwrap_or_else(|| "default".to_owned());
    Some((found.to_string(), format!("profile `{name}`")))
}

/// The profiles of the shared configuration and credentials files ("Configuration and credential file settings": `[profile NAME]`
/// in the one, `[NAME]` in the other, `[default]` in both).
pub fn profiles() -> BTreeSet<String> {
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .unwrap_or_default();
    let file = |variable: &str, usual: &str| {
        let named = std::env::var_os(variable).map(PathBuf::from);
        let path = named.unwrap_or_else(|| home.join(".aws").join(usual));
        std::fs::read_to_string(path).unwrap_or_default()
    };
    let config = file("AWS_CONFIG_FILE", "config");
    let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    named(&config, true)
        .chain(named(&credentials, false))
        .collect()
}

/// The names in the section headings of a file.
fn named(text: &str, config: bool) -> impl Iterator<Item = String> {
    let headings = text.lines().filter_map(|line| {
        let (name, _) = line.trim().strip_prefix('[')?.split_once(']')?;
        Some(name.trim())
    });
    headings.filter_map(move |name| match name.strip_prefix("profile ") {
        Some(name) if config => Some(name.trim().to_owned()),
        _ if name == "default" || !config => Some(name.to_owned()),
        _ => None,
    })
}

/// The HTTP client of all services: through the proxies of the environment, except for this machine's own addresses.
pub(super) fn http_client() -> Result<SharedHttpClient, Error> {
    let trusted = trusted()?;
    Ok(SharedHttpClient::new(Routes {
        direct: client(trusted.clone(), ProxyConfig::disabled()),
        proxied: client(trusted, ProxyConfig::from_env()),
    }))
}

fn client(trusted: TlsContext, proxies: ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(proxies.clone());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        connector
            .tls_provider(provider)
            .tls_context(trusted.clone())
            .build()
    })
}

/// A way to one address, whatever name a request has: past proxies, with a connection of its own for every request.
pub fn connector_to(trusted: &TlsContext, address: IpAddr, timeout: Duration) -> Connector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(timeout)
        .read_timeout(timeout);
    let mut connector = Connector::builder()
        .proxy_config(ProxyConfig::disabled())
        .pool_max_idle_per_host(0);
    connector.set_connector_settings(Some(settings.build()));
    connector.set_sleep_impl(Some(SharedAsyncSleep::new(Timer)));
    connector
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .tls_context(trusted.clone())
        .build_with_resolver(Pinned(address))
}

/// What timeouts are measured with.
#[derive(Debug)]
struct Timer;

impl AsyncSleep for Timer {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration))
    }
}

/// Every name has this address.
#[derive(Debug, Clone)]
struct Pinned(IpAddr);

impl ResolveDns for Pinned {
    fn resolve_dns<'a>(&'a self, _: &'a str) -> DnsFuture<'a> {
        DnsFuture::ready(Ok(vec![self.0]))
    }
}

/// The certificates that are trusted. They are read here, because the client takes unreadable ones for a defect.
///
/// # Errors
/// When those of `AWS_CA_BUNDLE` cannot be read.
pub fn trusted() -> Result<TlsContext, Error> {
    let store = match std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        None => TrustStore::default(),
        Some(path) => {
            let shown = path.to_string_lossy();
            let wrong = |why: String| {
                Error::permanent(
                    "connect",
                    format!("AWS_CA_BUNDLE names `{shown}`, which {why}"),
                )
                .hint("it takes a file of certificates in PEM form; unset it to trust the system's")
            };
            let bytes = std::fs::read(&path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
            certificates(&bytes).map_err(|e| wrong(redact(&e)))?;
            TrustStore::empty().with_pem_certificate(bytes)
        }
    };
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|e| Error::permanent("connect", e.to_string()))
}

/// Says what is wrong with a bundle of certificates.
fn certificates(bytes: &[u8]) -> Result<(), String> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bytes) {
        let certificate = certificate.map_err(|e| format!("is not PEM: {e}"))?;
        store
            .add(certificate)
            .map_err(|e| format!("holds a certificate that cannot be used: {e}"))?;
    }
    if store.is_empty() {
        return Err("holds no certificate".to_owned());
    }
    Ok(())
}

/// Two ways to a server.
#[derive(Debug)]
struct Routes {
    direct: SharedHttpClient,
    proxied: SharedHttpClient,
}

impl HttpClient for Routes {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(RoutedConnector {
            direct: self.direct.http_connector(settings, components),
            proxied: self.proxied.http_connector(settings, components),
        })
    }
}

#[derive(Debug)]
struct RoutedConnector {
    direct: SharedHttpConnector,
    proxied: SharedHttpConnector,
}

impl HttpConnector for RoutedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked = Asked::of(&request);
        let way = if is_near(request.uri()) {
            &self.direct
        } else {
            &self.proxied
        };
        whole(asked, way.call(request))
    }
}

/// True for this machine: the emulator, and the addresses at which an instance or a container finds its credentials. No
/// proxy reaches them.
fn is_near(uri: &str) -> bool {
    let Ok(uri) = uri.parse::<http::Uri>() else {
        return false;
    };
    let Some(host) = uri.host() else {
        return false;
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        Ok(IpAddr::V6(ip)) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unicast_link_local()
                || ip.segments()[..2] == [0xfd00, 0xec2]
        }
        Err(_) => {
            host.eq_ignore_ascii_case("localhost")
                || host.to_ascii_lowercase().ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_named_in_the_two_files_each_in_its_own_way() {
        let text = "[default]\n[profile a b]\nregion = x\n[c]\n[sso-session s]\n";
        let all = |config| named(text, config).collect::<Vec<_>>();
        assert_eq!(all(true), ["default", "a b"]);
        assert_eq!(all(false), ["default", "profile a b", "c", "sso-session s"]);
    }

    #[test]
    fn this_machine_and_the_sources_of_credentials_are_reached_directly() {
        for near in [
            "http://127.0.0.1:5000/",
            "http://localhost:5000/x",
            "http://bucket.localhost:1/",
            "http://[::1]:5000/",
            "http://169.254.169.254/latest",
            "http://169.254.170.2/v2",
            "http://[fd00:ec2::254]/latest",
        ] {
            assert!(is_near(near), "{near}");
        }
        for far in [
            "https://ec2.eu-central-1.amazonaws.com/",
            "http://10.0.0.1/",
            "http://localhost.example.com/",
            "http://[fd00::1]/",
        ] {
            assert!(!is_near(far), "{far}");
        }
    }

    #[test]
    fn a_bundle_without_a_usable_certificate_is_refused_with_the_reason() {
        assert!(certificates(b"").unwrap_err().contains("no certificate"));
        assert!(certificates(b"no PEM at all").is_err());
        let junk = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(certificates(junk).unwrap_err().contains("cannot be used"));
    }
}

//! One request to one address of a load balancer: the name in the request is that of its certificate.

use crate::aws::{chain, connector_to, trusted};
use aws_smithy_http_client::tls::TlsContext;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;
use std::net::IpAddr;
use std::time::Duration;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    pub body: String,
}

/// A way to send requests.
#[derive(Debug, Clone)]
pub struct Requests {
    port: u16,
    trusted: TlsContext,
}

impl Requests {
    /// To this port.
    ///
    /// # Errors
    /// When the certificates to trust cannot be read.
    pub fn new(port: u16) -> Result<Self, String> {
        let trusted = trusted().map_err(|e| e.to_string())?;
        Ok(Self { port, trusted })
    }

    /// `GET https://host/path` at one address, with a new connection.
    ///
    /// # Errors
    /// When it does not answer in time, or its certificate is not good for the name.
    pub async fn get(
        &self,
        host: &str,
        address: IpAddr,
        path: &str,
        timeout: Duration,
    ) -> Result<Answer, String> {
        let uri = match self.port {
            super::HTTPS => format!("https://{host}{path}"),
            port => format!("https://{host}:{port}{path}"),
        };
        let failed = |what: String| format!("{address}: {what}");
        let request = http::Request::get(&uri)
            .header("connection", "close")
            .header(
                "user-agent",
                concat!("deployer/", env!("CARGO_PKG_VERSION")),
            )
            .body(aws_smithy_types::body::SdkBody::empty())
            .map_err(|e| failed(e.to_string()))?;
        let request = HttpRequest::try_from(request).map_err(|e| failed(e.to_string()))?;
        let connector = connector_to(&self.trusted, address, timeout);
        let exchange = async {
            let answer = connector.call(request).await.map_err(|e| chain(&e))?;
            let status = answer.status().as_u16();
            let body = ByteStream::new(answer.into_body()).collect().await;
            let body = body.map_err(|e| chain(&e))?.into_bytes();
            Ok(Answer {
                status,
                body: String::from_utf8_lossy(&body).into_owned(),
            })
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(answer) => answer.map_err(failed),
            Err(_) => Err(failed(format!(
                "no answer within {} ms",
                timeout.as_millis()
            ))),
        }
    }
}

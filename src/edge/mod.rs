//! The platform as its customers see it: what the servers of its zone answer, and what each address of a load balancer says.
//!
//! For AWS the names are those of the public DNS. With an endpoint on this machine they are asked of the server that
//! `DEPLOYER_EDGE=127.77.0.1:8053/8443` names, behind which HTTPS is at that port; without it nobody is asked.

mod names;
mod requests;

pub use names::Names;
pub use requests::Requests;
use std::net::SocketAddr;

pub const VARIABLE: &str = "DEPLOYER_EDGE";
/// The port of HTTPS.
const HTTPS: u16 = 443;

/// Names and requests.
#[derive(Debug, Clone)]
pub struct Edge {
    pub names: Names,
    pub requests: Requests,
}

impl Edge {
    /// What the variable says; `is_local` is true when the calls of AWS go to this machine. `None` when nobody can be asked.
    ///
    /// # Errors
    /// When the variable cannot be read, or is set although calls go to AWS.
    pub fn of(text: Option<&str>, is_local: bool) -> Result<Option<Self>, String> {
        let (server, port) = match (text.filter(|text| !text.is_empty()), is_local) {
            (None, true) => return Ok(None),
            (None, false) => (None, HTTPS),
            (Some(_), false) => {
                return Err(format!(
                    "{VARIABLE} is set, and the endpoint is not on this machine: names of AWS are asked of the public DNS"
                ));
            }
            (Some(text), true) => {
                let (server, port) = parse(text).ok_or_else(|| {
                    format!(
                        "{VARIABLE} is {text:?}; it takes a DNS server and the port of HTTPS, `127.77.0.1:8053/8443`"
                    )
                })?;
                (Some(server), port)
            }
        };
        Ok(Some(Self {
            names: Names::new(server),
            requests: Requests::new(port)?,
        }))
    }
}

fn parse(text: &str) -> Option<(SocketAddr, u16)> {
    let (server, port) = text.split_once('/')?;
    let server: SocketAddr = server.parse().ok()?;
    let port = port.parse().ok()?;
    server.ip().is_loopback().then_some((server, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_an_endpoint_on_this_machine_takes_a_server_of_this_machine() {
        assert!(Edge::of(None, true).unwrap().is_none());
        assert!(Edge::of(Some(""), true).unwrap().is_none());
        assert!(
            Edge::of(Some("127.77.0.1:8053/8443"), true)
                .unwrap()
                .is_some()
        );
        assert!(Edge::of(Some("127.77.0.1:8053/8443"), false).is_err());
        for bad in ["127.0.0.1/8443", "192.0.2.1:53/443", "127.0.0.1:53/x", "x"] {
            assert!(
                Edge::of(Some(bad), true).unwrap_err().contains("takes"),
                "{bad}"
            );
        }
    }
}

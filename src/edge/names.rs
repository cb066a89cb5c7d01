//! Names, past every cache.

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// For one question to one server: it is asked twice.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The port of DNS.
const PORT: u16 = 53;
/// The longest answer over UDP without an agreement on more (RFC 1035).
const LONGEST: usize = 512;

/// A way to ask for names.
#[derive(Debug, Clone)]
pub struct Names {
    /// The one server that knows all names; else the system's.
    server: Option<SocketAddr>,
}

impl Names {
    /// Asks this server, or those of the system.
    pub fn new(server: Option<SocketAddr>) -> Self {
        Self { server }
    }

    /// The IPv4 addresses of a name.
    ///
    /// # Errors
    /// When there is none, or nobody answers.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let found = match self.server {
            Some(server) => self.addresses_at(server, name).await?,
            None => {
                let lookup = tokio::net::lookup_host((name.trim_end_matches('.'), PORT));
                let found = lookup.await.map_err(|e| format!("{name}: {e}"))?;
                found.map(|a| a.ip()).filter(IpAddr::is_ipv4).collect()
            }
        };
        match found.is_empty() {
            true => Err(format!("{name} has no address")),
            false => Ok(found),
        }
    }

    /// The address of a server of a zone.
    ///
    /// # Errors
    /// As [`Self::addresses`].
    pub async fn server(&self, name: &str) -> Result<SocketAddr, String> {
        if let Some(server) = self.server {
            return Ok(server);
        }
        let found = self.addresses(name).await?.into_iter().next();
        let found = found.ok_or_else(|| format!("{name} has no address"))?;
        Ok(SocketAddr::new(found, PORT))
    }

    /// The text record of a name, as this server has it; `None` when it has none.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn text_at(&self, server: SocketAddr, name: &str) -> Result<Option<String>, String> {
        let text = |data: &RData<'_>| match data {
            RData::TXT(text) => String::try_from(text.clone()).ok(),
            _ => None,
        };
        Ok(ask(server, name, TYPE::TXT, text).await?.into_iter().next())
    }

    /// The IPv4 addresses of a name, as this server has them.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn addresses_at(
        &self,
        server: SocketAddr,
        name: &str,
    ) -> Result<Vec<IpAddr>, String> {
        let address = |data: &RData<'_>| match data {
            RData::A(address) => Some(IpAddr::V4(Ipv4Addr::from(address.address))),
            _ => None,
        };
        ask(server, name, TYPE::A, address).await
    }
}

impl Names {
    /// The servers that the zone above names for a zone, as that zone's own servers answer: in small letters, in order. None when it is
    /// not delegated.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn delegation(&self, zone: &str) -> Result<Vec<String>, String> {
        let resolver = match self.server {
            Some(server) => server,
            None => resolver(&std::fs::read_to_string(RESOLVERS).unwrap_or_default())
                .ok_or_else(|| format!("{RESOLVERS} names no DNS server"))?,
        };
        let mut above = zone.trim_end_matches('.');
        let servers = loop {
            // The root is above everything.
            above = above.split_once('.').map_or("", |(_, above)| above);
            let servers = ask_all(resolver, above, TYPE::NS, |p| servers_of(p, above)).await?;
            if !servers.is_empty() {
                break servers;
            }
            if above.is_empty() {
                return Err(format!(
                    "the DNS server {resolver} knows no zone above {zone}"
                ));
            }
        };
        let mut last = String::new();
        for server in servers.iter().take(SERVERS_ASKED) {
            let asked = async {
                let at = self.server(server).await?;
                ask_all(at, zone, TYPE::NS, |p| servers_of(p, zone)).await
            };
            match asked.await {
                Ok(found) => return Ok(found),
                Err(why) => last = why,
            }
        }
        Err(last)
    }
}

/// Where the system's DNS servers stand.
const RESOLVERS: &str = "/etc/resolv.conf";
/// Servers of the zone above that are asked until one answers.
const SERVERS_ASKED: usize = 3;

/// The first DNS server of the system.
fn resolver(file: &str) -> Option<SocketAddr> {
    let mut words = file.lines().map(str::split_whitespace);
    words.find_map(|mut line| {
        let address = (line.next()? == "nameserver").then(|| line.next())??;
        Some(SocketAddr::new(address.parse().ok()?, PORT))
    })
}

/// The servers of a zone that an answer names: in the answer itself, or where it refers to another server.
fn servers_of(answer: &Packet<'_>, zone: &str) -> Vec<String> {
    let same = |name: &Name<'_>| {
        name.to_string()
            .eq_ignore_ascii_case(zone.trim_end_matches('.'))
    };
    let all = answer.answers.iter().chain(&answer.name_servers);
    let mut servers: Vec<String> = all
        .filter(|record| same(&record.name))
        .filter_map(|record| match &record.rdata {
            RData::NS(server) => Some(server.0.to_string().to_lowercase()),
            _ => None,
        })
        .collect();
    servers.sort_unstable();
    servers.dedup();
    servers
}

/// What a server answers, of the kind that is asked for.
async fn ask<T>(
    server: SocketAddr,
    name: &str,
    kind: TYPE,
    of: impl Fn(&RData<'_>) -> Option<T>,
) -> Result<Vec<T>, String> {
    let answers =
        |answer: &Packet<'_>| answer.answers.iter().filter_map(|a| of(&a.rdata)).collect();
    ask_all(server, name, kind, answers).await
}

/// The same, of the whole answer.
async fn ask_all<T>(
    server: SocketAddr,
    name: &str,
    kind: TYPE,
    of: impl Fn(&Packet<'_>) -> Vec<T>,
) -> Result<Vec<T>, String> {
    let failed = |what: String| format!("the DNS server {server} on {name}: {what}");
    let mut last = String::new();
    for _ in 0..2 {
        match tokio::time::timeout(TIMEOUT, exchange(server, name, kind)).await {
            Ok(Ok(bytes)) => {
                let answer = Packet::parse(&bytes).map_err(|e| failed(e.to_string()))?;
                return match answer.rcode() {
                    RCODE::NoError | RCODE::NameError => Ok(of(&answer)),
                    other => Err(failed(format!("{other:?}"))),
                };
            }
            Ok(Err(what)) => last = what,
            Err(_) => last = "no answer".to_owned(),
        }
    }
    Err(failed(last))
}

/// One question: over UDP, and over TCP when the answer does not fit.
async fn exchange(server: SocketAddr, name: &str, kind: TYPE) -> Result<Vec<u8>, String> {
    let id = fastrand::u16(..);
    let question = question(id, name, kind).map_err(|e| e.to_string())?;
    let bytes = over_udp(server, id, &question)
        .await
        .map_err(|e| e.to_string())?;
    let is_short =
        Packet::parse(&bytes).is_ok_and(|answer| answer.has_flags(PacketFlag::TRUNCATION));
    if is_short {
        return over_tcp(server, &question).await.map_err(|e| e.to_string());
    }
    Ok(bytes)
}

fn question(id: u16, name: &str, kind: TYPE) -> Result<Vec<u8>, simple_dns::SimpleDnsError> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name.trim_end_matches('.'))?;
    let (kind, class) = (QTYPE::TYPE(kind), QCLASS::CLASS(CLASS::IN));
    packet
        .questions
        .push(Question::new(name, kind, class, false));
    packet.build_bytes_vec()
}

async fn over_udp(server: SocketAddr, id: u16, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut bytes = vec![0; LONGEST * 8];
    loop {
        let length = socket.recv(&mut bytes).await?;
        // The answer to this question, not to one before it.
        if bytes.get(..2) == Some(&id.to_be_bytes()[..]) {
            bytes.truncate(length);
            return Ok(bytes);
        }
    }
}

async fn over_tcp(server: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).unwrap_or(u16::MAX);
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(question).await?;
    let length = stream.read_u16().await?;
    let mut bytes = vec![0; length.into()];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use simple_dns::ResourceRecord;
    use simple_dns::rdata::{A, TXT};

    /// A server that answers one question over UDP, and says that it does not fit; then one over TCP.
    async fn server(text: &'static str) -> SocketAddr {
        let (udp, tcp) = loop {
            let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let reply = move |question: &[u8], is_short: bool| {
            let mut packet = Packet::parse(question).unwrap().into_reply();
            let name = packet.questions[0].qname.clone();
            let is_text = packet.questions[0].qtype == QTYPE::TYPE(TYPE::TXT);
            if is_short {
                packet.set_flags(PacketFlag::TRUNCATION);
            } else if is_text {
                let text = RData::TXT(TXT::new().with_string(text).unwrap());
                packet
                    .answers
                    .push(ResourceRecord::new(name, CLASS::IN, 60, text));
            } else {
                let a = RData::A(A {
                    address: 0x7f4d_0002,
                });
                packet
                    .answers
                    .push(ResourceRecord::new(name, CLASS::IN, 60, a));
            }
            packet.build_bytes_vec().unwrap()
        };
        tokio::spawn(async move {
            let mut bytes = vec![0; 512];
            let (length, from) = udp.recv_from(&mut bytes).await.unwrap();
            udp.send_to(&reply(&bytes[..length], true), from)
                .await
                .unwrap();
            let (mut stream, _) = tcp.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap();
            let mut question = vec![0; length.into()];
            stream.read_exact(&mut question).await.unwrap();
            let answer = reply(&question, false);
            stream
                .write_u16(answer.len().try_into().unwrap())
                .await
                .unwrap();
            stream.write_all(&answer).await.unwrap();
            let (length, from) = udp.recv_from(&mut bytes).await.unwrap();
            udp.send_to(&reply(&bytes[..length], false), from)
                .await
                .unwrap();
        });
        address
    }

    #[tokio::test]
    async fn an_answer_that_does_not_fit_is_asked_for_again_over_tcp() {
        let at = server("epoch=7").await;
        let names = Names::new(Some(at));
        let text = names.text_at(at, "_traffic.pay.example.").await;
        assert_eq!(text, Ok(Some("epoch=7".to_owned())));
        let address = names.addresses("pay.example").await;
        assert_eq!(address, Ok(vec!["127.77.0.2".parse().unwrap()]));
    }

    /// A server that plays all servers: it knows `example`, and refers to others for `pay.example` alone.
    async fn above() -> SocketAddr {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = udp.local_addr().unwrap();
        tokio::spawn(async move {
            let mut bytes = vec![0; 512];
            while let Ok((length, from)) = udp.recv_from(&mut bytes).await {
                let mut packet = Packet::parse(&bytes[..length]).unwrap().into_reply();
                let asked = packet.questions[0].qname.to_string();
                let record = |zone: &'static str, server: &'static str| {
                    let server = RData::NS(simple_dns::rdata::NS(Name::new(server).unwrap()));
                    ResourceRecord::new(Name::new(zone).unwrap(), CLASS::IN, 60, server)
                };
                match asked.as_str() {
                    "example" => packet.answers.push(record("example", "ns.example")),
                    "pay.example" => {
                        packet
                            .name_servers
                            .push(record("pay.example", "NS-2.aws.example"));
                        packet
                            .name_servers
                            .push(record("pay.example", "ns-1.aws.example"));
                    }
                    // Not delegated: the zone above answers for itself.
                    _ => packet.name_servers.push(record("example", "ns.example")),
                }
                let answer = packet.build_bytes_vec().unwrap();
                udp.send_to(&answer, from).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn a_delegation_is_what_the_zone_above_says() {
        let names = Names::new(Some(above().await));
        let of = |zone: &'static str| names.delegation(zone);
        let servers = ["ns-1.aws.example", "ns-2.aws.example"].map(str::to_owned);
        assert_eq!(of("pay.example.").await, Ok(servers.to_vec()));
        assert_eq!(of("other.example").await, Ok(Vec::new()));
    }

    #[test]
    fn the_first_server_of_the_system_is_asked() {
        let file = "# made by hand\nsearch example\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n";
        assert_eq!(resolver(file), Some("192.0.2.53:53".parse().unwrap()));
        assert_eq!(resolver("options edns0"), None);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = nobody.local_addr().unwrap();
        drop(nobody);
        let error = Names::new(Some(at))
            .addresses("pay.example")
            .await
            .unwrap_err();
        assert!(
            error.contains(&at.to_string()) && error.contains("pay.example"),
            "{error}"
        );
    }
}

//! Whether a rollback is over, seen from outside: every address of green's load balancer answers as blue, every server of the zone
//! has the change, and green's own target groups count no request any more.

use super::account::{Account, recent};
use super::bridge::Bridge;
use super::gate::Kind;
use super::history::{Entry, Event};
use super::note::Note;
use super::world::World;
use crate::blueprint::SIDE_PATH;
use crate::edge::Edge;
use crate::engine::Error;
use crate::resources::route53::text;
use aws_sdk_route53::types::RrType;
use futures::future::join_all;
use serde::Serialize;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// For one request.
const TIMEOUT: Duration = Duration::from_secs(2);
/// A rule of a load balancer takes effect within seconds; nothing is published.
const RULE_TIMEOUT: Duration = Duration::from_secs(15);
/// The servers of Route 53 have it before the change is said to be in sync.
const SERVERS_SECONDS: u32 = 60;
/// Resolvers keep an answer for as long as its TTL says, and CloudWatch counts two to three minutes later.
const REQUESTS_SECONDS: u32 = 600;
/// A minute without any count has had none after so many seconds.
const PUBLISHED_SECONDS: i64 = 180;

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "seen", rename_all = "snake_case")]
pub enum Sign {
    /// It is so, since so many seconds after the change.
    Yes { seconds: f64 },
    /// It is not so: what is there instead.
    No {
        /// In words.
        text: String,
    },
    /// Nobody could look, or it does not apply.
    Unknown {
        /// In words.
        text: String,
    },
}

impl Sign {
    fn unknown(text: impl Into<String>) -> Self {
        Self::Unknown { text: text.into() }
    }
}

/// All signs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Over {
    /// Every address of green's load balancer answers as blue.
    pub addresses: Sign,
    /// Every server of the zone has the change.
    pub servers: Sign,
    /// Green's own target groups count no request; null when it was not waited for.
    pub requests: Option<Sign>,
}

impl Over {
    /// True when something was seen that is not as it should be.
    pub fn is_contradicted(&self) -> bool {
        let all = [
            Some(&self.addresses),
            Some(&self.servers),
            self.requests.as_ref(),
        ];
        all.into_iter()
            .flatten()
            .any(|sign| matches!(sign, Sign::No { .. }))
    }

    /// A line for each sign.
    pub fn text(&self) -> String {
        let one = |what: &str, sign: &Sign| match sign {
            Sign::Yes { seconds } => format!("  {what}: seen after {seconds:.1} s\n"),
            Sign::No { text } => format!("  {what}: NOT SO: {text}\n"),
            Sign::Unknown { text } => format!("  {what}: not seen: {text}\n"),
        };
        let mut out = one("every address of green answers as blue", &self.addresses);
        out += &one("every DNS server of the zone has the change", &self.servers);
        if let Some(requests) = &self.requests {
            out += &one("green's services get no request", requests);
        }
        out
    }
}

/// Looks until all signs are there, or for as long as they may take. Green's requests are waited for only when asked to.
pub async fn over(account: &Account, note: &Note, bridge: Bridge, requests: bool) -> Over {
    let began = Instant::now();
    let (addresses, servers) = match &account.edge {
        Some(edge) => tokio::join!(
            addresses(account, edge, bridge, began),
            servers(account, edge, note, began)
        ),
        None => {
            let text = format!(
                "the endpoint is on this machine, and {} names no DNS server for its names",
                crate::edge::VARIABLE
            );
            (Sign::unknown(&text), Sign::unknown(text))
        }
    };
    if let Sign::Yes { seconds } = &addresses {
        let text = format!("every address of green answers as blue, after {seconds:.1} s");
        let entry = Entry::new(Event::LeverAcked, note, &account.by, text);
        if let Err(error) = account.record(entry) {
            account.show(&format!("warning: the history: {error}"));
        }
    }
    let requests = match requests {
        true => Some(quiet(account, began).await),
        false => None,
    };
    Over {
        addresses,
        servers,
        requests,
    }
}

fn seconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64()
}

/// Who answers at each address of green's load balancer.
async fn addresses(account: &Account, edge: &Edge, bridge: Bridge, began: Instant) -> Sign {
    if bridge != Bridge::On {
        return Sign::unknown("green's bridge to blue is not on");
    }
    let asked = match account.asked().await {
        Ok([_, green]) => green,
        Err(error) => return Sign::unknown(error.to_string()),
    };
    let all = match edge.names.addresses(&asked.balancer).await {
        Ok(all) => all,
        Err(why) => return Sign::unknown(why),
    };
    loop {
        let one = async |address| {
            let answer = edge
                .requests
                .get(&asked.host, address, SIDE_PATH, TIMEOUT)
                .await;
            match answer {
                Ok(answer) if answer.body.contains("\"blue\"") => None,
                Ok(answer) => Some(format!(
                    "{address} answers {} {}",
                    answer.status,
                    answer.body.trim()
                )),
                Err(why) => Some(why),
            }
        };
        let wrong = join_all(all.iter().copied().map(one)).await;
        match wrong.into_iter().flatten().next() {
            None => {
                return Sign::Yes {
                    seconds: seconds(began),
                };
            }
            Some(text) if began.elapsed() >= RULE_TIMEOUT => return Sign::No { text },
            Some(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// What each server of the zone says of the note: the weights were changed with it, in one change.
async fn servers(account: &Account, edge: &Edge, note: &Note, began: Instant) -> Sign {
    let servers = match name_servers(account, edge).await {
        Ok(servers) => servers,
        Err(why) => return Sign::unknown(why),
    };
    let name = match account.place().await {
        Ok(place) => text::name(&place.domain),
        Err(error) => return Sign::unknown(error.to_string()),
    };
    let mut waited = 0;
    loop {
        let one = async |server: SocketAddr| {
            let there = edge.names.text_at(server, &name).await;
            let there = there.map(|text| text.map(|text| Note::parse(&text)));
            match there {
                Ok(Some(Ok(there))) if there.epoch >= note.epoch => None,
                Ok(Some(Ok(there))) => Some(format!(
                    "{server} has number {}, not {}",
                    there.epoch, note.epoch
                )),
                Ok(Some(Err(why))) => Some(format!("{server}: {why}")),
                Ok(None) => Some(format!("{server} has no {name}")),
                Err(why) => Some(why),
            }
        };
        let wrong = join_all(servers.iter().copied().map(one)).await;
        match wrong.into_iter().flatten().next() {
            None => {
                return Sign::Yes {
                    seconds: seconds(began),
                };
            }
            Some(text) if waited >= SERVERS_SECONDS || account.stopping() => {
                return Sign::No { text };
            }
            Some(_) => account.sleep(2).await,
        }
        waited += 2;
    }
}

async fn name_servers(account: &Account, edge: &Edge) -> Result<Vec<SocketAddr>, String> {
    let place = account.place().await.map_err(|error| error.to_string())?;
    let sets = account
        .aws
        .route53
        .records(&place.zone, &place.zone_name)
        .await;
    let sets = sets.map_err(|error: Error| error.to_string())?;
    let names = sets
        .iter()
        .filter(|set| set.r#type == RrType::Ns)
        .flat_map(|set| set.resource_records())
        .map(|record| record.value().to_owned());
    let found = join_all(names.map(async |name| edge.names.server(&name).await)).await;
    let mut found: Vec<SocketAddr> = found.into_iter().collect::<Result<_, _>>()?;
    found.sort_unstable();
    found.dedup();
    match found.is_empty() {
        true => Err(format!("the zone {} has no name servers", place.zone_name)),
        false => Ok(found),
    }
}

/// Waits until a whole minute has passed in which green's own target groups counted nothing.
async fn quiet(account: &Account, began: Instant) -> Sign {
    if account.sight.is_none() {
        return Sign::unknown("green's load balancer or target groups are not there");
    }
    // The first minute that lies wholly after the change.
    let first = account.now().as_second().div_euclid(60) + 1;
    let mut waited = 0;
    loop {
        let published = (account.now().as_second() - PUBLISHED_SECONDS).div_euclid(60) - 1;
        let mut text = "no minute after the change is published yet".to_owned();
        if published >= first {
            match recent(account, 5).await {
                Err(error) => return Sign::unknown(error.to_string()),
                Ok(minutes) => {
                    let counted = minutes.iter().find(|(minute, _)| *minute == published);
                    let of_kind = counted.and_then(|(_, pair)| pair.green.of_kind(Kind::Bad));
                    // Nothing is published of a minute without a request.
                    match of_kind.map_or(0, |totals| totals.requests) {
                        0 => {
                            return Sign::Yes {
                                seconds: seconds(began),
                            };
                        }
                        n => text = format!("{n} requests in the last published minute"),
                    }
                }
            }
        }
        if waited >= REQUESTS_SECONDS || account.stopping() {
            return Sign::No { text };
        }
        account.sleep(15).await;
        waited += 15;
    }
}

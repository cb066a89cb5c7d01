//! Who still calls green after a rollback: the clients in the log of green's firewall, which has every request to its load
//! balancer, also those that the bridge passes on to blue.

use super::account::Account;
use super::note::{Act, Note};
use super::world::World;
use crate::blueprint::{READY_PATH, SIDE_PATH};
use crate::engine::Error;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The log is looked at for the last minutes: who called before has the new address by now, or calls again.
const MINUTES: i64 = 3;
/// So many clients are named.
const NAMED: usize = 10;
/// What Route 53's health checks call themselves ("Health checks and request headers").
const CHECKER: &str = "Amazon-Route53-Health-Check-Service";

/// Who calls green.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Callers {
    /// From this moment on.
    pub since: Timestamp,
    /// All their requests.
    pub requests: u64,
    /// How many clients there are.
    pub clients: usize,
    /// Those with the most requests.
    pub most: Vec<Caller>,
    /// False when the log was longer than what was read of it.
    pub complete: bool,
}

/// One client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caller {
    pub address: String,
    pub requests: u64,
    pub last: Timestamp,
}

impl Callers {
    /// In words; none when nobody called.
    pub fn text(&self) -> Option<String> {
        let named = |c: &Caller| {
            format!(
                "{} ({} times, last at {:.0})",
                c.address, c.requests, c.last
            )
        };
        let most: Vec<String> = self.most.iter().map(named).collect();
        let more = match self.clients - most.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let least = if self.complete { "" } else { "at least " };
        let call = match self.clients {
            1 => "client still calls",
            _ => "clients still call",
        };
        (self.clients > 0).then(|| {
            format!(
                "{least}{} {call} green's load balancer: {}{more}",
                self.clients,
                most.join(", ")
            )
        })
    }

    fn count(since: Timestamp, lines: &[String], complete: bool) -> Self {
        let mut of: BTreeMap<String, (u64, Timestamp)> = BTreeMap::new();
        for (address, at) in lines.iter().filter_map(|line| client(line)) {
            let one = of.entry(address).or_default();
            *one = (one.0 + 1, one.1.max(at));
        }
        let requests = of.values().map(|(requests, _)| requests).sum();
        let clients = of.len();
        let one = |(address, (requests, last))| Caller {
            address,
            requests,
            last,
        };
        let mut most: Vec<Caller> = of.into_iter().map(one).collect();
        most.sort_by_key(|caller| std::cmp::Reverse(caller.requests));
        most.truncate(NAMED);
        Self {
            since,
            requests,
            clients,
            most,
            complete,
        }
    }
}

/// The client of a line of the log and when it called; none for a probe, a health check, or what comes over the bridge, which
/// has a private address ("Log fields for protection pack (web ACL) traffic").
fn client(line: &str) -> Option<(String, Timestamp)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let request = &line["httpRequest"];
    let address = request["clientIp"].as_str()?;
    let own = match address.parse() {
        Ok(IpAddr::V4(address)) => address.is_private(),
        Ok(IpAddr::V6(_)) => false,
        Err(_) => return None,
    };
    let checks = || {
        let mut all = request["headers"].as_array().into_iter().flatten();
        all.any(|header| {
            let is = |key: &str| header[key].as_str().unwrap_or_default();
            is("name").eq_ignore_ascii_case("user-agent") && is("value").contains(CHECKER)
        })
    };
    let uri = request["uri"].as_str().unwrap_or_default();
    if own || uri == READY_PATH || uri == SIDE_PATH || checks() {
        return None;
    }
    let at = Timestamp::from_millisecond(line["timestamp"].as_i64()?).ok()?;
    Some((address.to_owned(), at))
}

/// From when on nobody should call green: after a rollback. None when green has its share, or nothing was given back.
pub fn since(note: &Note, now: Timestamp) -> Option<Timestamp> {
    let at = note.at.filter(|_| note.act == Act::Rollback)?;
    let oldest = now.checked_sub(SignedDuration::from_mins(MINUTES)).ok()?;
    Some(at.max(oldest))
}

/// Reads who calls green's load balancer.
///
/// # Errors
/// When the log cannot be read.
pub async fn callers(account: &Account, since: Timestamp) -> Result<Callers, Error> {
    let [_, green] = &account.names.sides;
    let between = since.as_millisecond()..=account.now().as_millisecond();
    let (lines, complete) = account
        .aws
        .logs
        .between(&green.firewall_log, between)
        .await?;
    Ok(Callers::count(since, &lines, complete))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(address: &str, uri: &str, agent: &str, second: i64) -> String {
        let headers = json!([{"name": "User-Agent", "value": agent}]);
        let request =
            json!({"clientIp": address, "uri": uri, "headers": headers, "httpMethod": "GET"});
        json!({"timestamp": second * 1000, "action": "ALLOW", "httpRequest": request}).to_string()
    }

    #[test]
    fn clients_are_counted_and_checks_are_not() {
        let pay = "/api/payments";
        let lines = [
            line("198.51.100.7", pay, "shop/1", 60),
            line("203.0.113.9", pay, "shop/2", 61),
            line("203.0.113.9", pay, "shop/2", 59),
            line("2001:db8::1", pay, "shop/2", 58),
            // The bridge, a probe, who asks for the side, and Route 53.
            line("10.1.0.8", pay, "shop/3", 60),
            line("192.0.2.1", READY_PATH, "deployer", 60),
            line("192.0.2.1", SIDE_PATH, "deployer", 60),
            line("192.0.2.2", "/", &format!("{CHECKER} (ref x)"), 60),
            "no JSON".to_owned(),
        ];
        let seen = Callers::count(Timestamp::UNIX_EPOCH, &lines, true);
        assert_eq!((seen.requests, seen.clients), (4, 3));
        assert_eq!(seen.most[0].address, "203.0.113.9");
        assert_eq!(
            (seen.most[0].requests, seen.most[0].last.as_second()),
            (2, 61)
        );
        let text = seen.text().unwrap_or_default();
        assert!(
            text.starts_with("3 clients still call green's load balancer: 203.0.113.9 (2 times, last at 1970-01-01T00:01:01Z), "),
            "{text}"
        );
        assert_eq!(
            Callers::count(Timestamp::UNIX_EPOCH, &[], true).text(),
            None
        );
    }

    #[test]
    fn many_clients_are_counted_and_ten_are_named() {
        let lines: Vec<String> = (0..12)
            .map(|n| line(&format!("203.0.113.{n}"), "/", "shop", n))
            .collect();
        let seen = Callers::count(Timestamp::UNIX_EPOCH, &lines, false);
        let text = seen.text().unwrap_or_default();
        assert!(
            text.starts_with("at least 12 clients still call ") && text.ends_with(" and 2 more"),
            "{text}"
        );
    }

    #[test]
    fn only_after_a_rollback_and_for_the_last_minutes() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut note = Note {
            act: Act::Rollback,
            at: Some(at(1000)),
            ..Note::FIRST
        };
        assert_eq!(since(&note, at(1100)), Some(at(1000)));
        assert_eq!(since(&note, at(5000)), Some(at(4820)));
        note.act = Act::Shift;
        assert_eq!(since(&note, at(1100)), None);
    }
}

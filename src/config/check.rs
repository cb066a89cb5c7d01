//! What single keys take beyond numbers and lists. Each answers the value, or why not in words beyond "what it takes".

mod database;
mod drift;
mod mapping;
mod tags;

pub(super) use database::{database, master_user, version};
pub(super) use drift::{accept, environments};
pub(super) use mapping::mapping;
pub(super) use tags::{patterns, tags};

use super::parse::{Checked, Given, Parser, Takes, integer, number, refused};
use super::words::is_near;
use crate::support;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Days that Performance Insights keeps: 7, months of 31 days up to 23 of them, or 731.
///
/// RDS API, `PerformanceInsightsRetentionPeriod`: "7; month * 31, where month is a number of months from 1-23; 731".
pub(super) fn insights(given: &Given<'_>) -> Checked<i32> {
    match integer(given) {
        Some(days) if days == 7 || days == 731 => Ok(if days == 7 { 7 } else { 731 }),
        Some(days) if days % 31 == 0 && (31..=23 * 31).contains(&days) => {
            i32::try_from(days).map_err(|_| String::new())
        }
        _ => refused(),
    }
}

/// Any text that cannot be taken for a reference between steps.
pub(super) fn text(given: &Given<'_>) -> Checked<String> {
    match given.as_str() {
        Some(text) if text.contains("@{") => {
            Err("`@{` is how steps refer to each other and may not stand in a value".into())
        }
        Some(text) => Ok(text.to_owned()),
        None if matches!(given, Given::Integer(_) | Given::Float(_)) => {
            Err("a number; put it in quotes".into())
        }
        None => refused(),
    }
}

/// A text that a rule accepts.
pub(super) fn text_like(legal: fn(&str) -> bool) -> impl Fn(&Given<'_>) -> Checked<String> {
    move |given| text(given).and_then(|t| if legal(&t) { Ok(t) } else { refused() })
}

/// `^[a-z][a-z0-9]{0,11}$`: keeps every derived name within AWS's rules.
pub(super) fn suffix(text: &str) -> bool {
    text.len() <= 12
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// `local`, or a place in S3. "General purpose bucket naming rules"; keys of the "safe characters" ("Naming Amazon S3 objects").
pub(super) fn state(given: &Given<'_>) -> Checked<String> {
    let text = text(given)?;
    let place = match text.strip_prefix("s3://") {
        Some(place) => place.trim_end_matches('/'),
        None if text == "local" => return Ok(text),
        None => return refused(),
    };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let named = (3..=63).contains(&bucket.len())
        && bucket.chars().all(|c| letter(c) || c == '-')
        && bucket.starts_with(letter)
        && bucket.ends_with(letter);
    let safe = |part: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.=+@".contains(c);
        !part.is_empty() && part != "." && part != ".." && part.chars().all(plain)
    };
    if named && prefix.len() <= 512 && (prefix.is_empty() || prefix.split('/').all(safe)) {
        Ok(format!("s3://{place}"))
    } else {
        refused()
    }
}

/// A runtime of Lambda for Node.js: one of the dated table, or a later one, which has an even number.
pub(super) struct Runtime;

impl Runtime {
    fn all() -> impl Iterator<Item = &'static str> {
        let known = support::ENDS.iter().filter(|e| e.key == support::RUNTIME);
        known.map(|e| e.version)
    }

    fn number(version: &str) -> Option<u32> {
        let number = version.strip_prefix("nodejs")?.strip_suffix(".x")?;
        let plain = |n: &u32| n.to_string() == number;
        number.parse().ok().filter(plain)
    }

    fn is_later(version: &str) -> bool {
        let newest = Self::all().filter_map(Self::number).max();
        Self::number(version).is_some_and(|n| Some(n) > newest && n.is_multiple_of(2))
    }
}

impl Takes for Runtime {
    fn takes(&self) -> String {
        let all: Vec<String> = Self::all().map(|version| format!("{version:?}")).collect();
        format!("{} or a later one with an even number", all.join(", "))
    }
}

impl Parser<String> for Runtime {
    fn parse(&self, given: &Given<'_>) -> Checked<String> {
        match text(given)? {
            version if Self::all().any(|known| known == version) => Ok(version),
            version if Self::is_later(&version) => Ok(version),
            _ => refused(),
        }
    }
}

/// Prices by their keys.
pub(super) fn prices(given: &Given<'_>) -> Checked<BTreeMap<String, f64>> {
    let Some(table) = given.as_table() else {
        return refused();
    };
    let mut all = BTreeMap::new();
    for (key, value) in table {
        let key = key.get_ref().as_ref();
        if !crate::prices::keys().any(|k| k == key) {
            let distance = |known: &str| strsim::damerau_levenshtein(known, key);
            let near = crate::prices::keys().min_by_key(|k| distance(k));
            let near = near.filter(|k| is_near(key, distance(k)));
            let near = near.map_or_else(String::new, |k| format!("; the nearest is `{k}`"));
            return Err(format!("`{key}` is no price{near}"));
        }
        match number(value.get_ref()) {
            Some(usd) if usd.is_finite() && (0.0..=1_000_000.0).contains(&usd) => {
                all.insert(key.to_owned(), usd);
            }
            _ => return Err(format!("`{key}` is not an amount of US dollars")),
        }
    }
    Ok(all)
}

/// How services log in to the database.
pub(super) fn database_auth(text: &str) -> bool {
    ["secret", "iam"].contains(&text)
}

/// `true` or `false`.
pub(super) fn yes_or_no(given: &Given<'_>) -> Checked<bool> {
    given.as_bool().map_or_else(refused, Ok)
}

/// An account id, or nothing.
pub(super) fn account(text: &str) -> bool {
    text.is_empty() || (text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()))
}

/// Account ids, each once. A trust policy holds 2,048 characters ("IAM and AWS STS quotas").
pub(super) fn accounts(given: &Given<'_>) -> Checked<Vec<String>> {
    let all = texts(given)?;
    for (at, id) in all.iter().enumerate() {
        if id.is_empty() || !account(id) {
            return Err(format!("`{id}` is none"));
        }
        if all[..at].contains(id) {
            return Err(format!("`{id}` stands there twice"));
        }
    }
    if all.len() > 10 { refused() } else { Ok(all) }
}

/// An external ID, or nothing ("AssumeRole" in the STS API reference).
pub(super) fn external_id(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    text.is_empty() || ((2..=256).contains(&text.len()) && text.chars().all(legal))
}

/// A domain name of two labels at least, or nothing. A certificate takes 64 characters, and the environment comes before it.
pub(super) fn domain(text: &str) -> bool {
    let label = |label: &str| {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=63).contains(&label.len())
            && label.chars().all(legal)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.is_empty() || (text.len() <= 58 && text.contains('.') && text.split('.').all(label))
}

/// The ARN of a certificate of ACM, or nothing.
pub(super) fn certificate(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let [arn, partition, service, region, owner, what] = parts[..] else {
        return text.is_empty();
    };
    let id = what.strip_prefix("certificate/").unwrap_or_default();
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (arn, partition, service) == ("arn", "aws", "acm")
        && !region.is_empty()
        && !owner.is_empty()
        && account(owner)
        && !id.is_empty()
        && id.chars().all(legal)
}

/// The ARN of an SNS topic, or nothing. Names of FIFO topics have a dot.
pub(super) fn topic(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        [""] => true,
        ["arn", "aws", "sns", at, owner, name] => {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            region(&Given::String(at.into())).is_ok()
                && !owner.is_empty()
                && account(owner)
                && (1..=256).contains(&name.len())
                && name.chars().all(word)
        }
        _ => false,
    }
}

fn texts(given: &Given<'_>) -> Checked<Vec<String>> {
    match given.as_array() {
        Some(items) => items.iter().map(|item| text(item.get_ref())).collect(),
        None => refused(),
    }
}

/// A program and its arguments, or nothing.
pub(super) fn command(given: &Given<'_>) -> Checked<Vec<String>> {
    match texts(given)? {
        words if words.first().is_some_and(String::is_empty) => {
            Err("the program has no name".into())
        }
        words if words.iter().any(|w| w.contains('\0')) => refused(),
        words => Ok(words),
    }
}

/// Outcomes of runs.
pub(super) fn outcomes(given: &Given<'_>) -> Checked<Vec<String>> {
    let words = texts(given)?;
    match words
        .iter()
        .find(|w| !super::OUTCOMES.contains(&w.as_str()))
    {
        Some(word) => Err(format!("`{word}` is none")),
        None => Ok(words),
    }
}

/// The words before the number of a region ("Regions and zones", AWS General Reference).
const DIRECTIONS: [&str; 9] = [
    "central",
    "east",
    "north",
    "northeast",
    "northwest",
    "south",
    "southeast",
    "southwest",
    "west",
];

/// `eu-central-1`: lower-case words and a number. Regions of other partitions have other ARNs and are refused.
pub(super) fn region(given: &Given<'_>) -> Checked<String> {
    let text = text(given)?;
    let parts: Vec<&str> = text.split('-').collect();
    let (Some((last, words)), true) = (parts.split_last(), text.len() <= 25) else {
        return refused();
    };
    let word = |w: &&str| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase());
    let number = !last.is_empty() && last.len() <= 2 && last.chars().all(|c| c.is_ascii_digit());
    if words.len() < 2 || !words.iter().all(word) || !number {
        return refused();
    }
    // New regions come with new first words, not with new directions.
    if words[0] != "cn" && !DIRECTIONS.contains(&words[words.len() - 1]) {
        let direction = words[words.len() - 1];
        return Err(format!("no region lies `{direction}`"));
    }
    if words[0] == "cn" || words[0] == "eusc" || words[1] == "gov" || words[1].starts_with("iso") {
        return Err(
            "it is in another AWS partition, whose ARNs deployer does not write (it writes `arn:aws:`)".into(),
        );
    }
    Ok(text)
}

/// A /16 inside a private block of RFC 1918, without host bits.
pub(super) fn private_16(given: &Given<'_>) -> Checked<Ipv4Net> {
    let text = text(given)?;
    let Ok(net) = text.parse::<Ipv4Net>() else {
        return refused();
    };
    if net.prefix_len() != 16 {
        let right = Ipv4Net::new_assert(net.addr(), 16).trunc();
        let private = private(right);
        return Err(if private {
            format!("the /16 around it is {right}")
        } else {
            String::new()
        });
    }
    if !private(net) {
        return Err("it is not private".into());
    }
    if net.addr() != net.network() {
        return Err(format!(
            "bits of the host part are set; the block is {}",
            net.trunc()
        ));
    }
    // Some programs read them as octal numbers.
    if net.to_string() != text {
        return Err(format!("write it without leading zeros: {net}"));
    }
    Ok(net)
}

fn private(net: Ipv4Net) -> bool {
    let blocks = [
        (Ipv4Addr::new(10, 0, 0, 0), 8),
        (Ipv4Addr::new(172, 16, 0, 0), 12),
        (Ipv4Addr::new(192, 168, 0, 0), 16),
    ];
    blocks
        .iter()
        .any(|(address, prefix)| Ipv4Net::new_assert(*address, *prefix).contains(&net))
}

/// Addresses that SNS can send to: e-mail and HTTPS. A URL with a user name would hold a password.
pub(super) fn addresses(given: &Given<'_>) -> Checked<Vec<String>> {
    let Some(items) = given.as_array() else {
        return refused();
    };
    let mut all: Vec<String> = Vec::new();
    for item in items {
        let address = text(item.get_ref())?;
        if !(email(&address) || https(&address)) {
            return Err(format!("`{address}` is none"));
        }
        if all.contains(&address) {
            return Err(format!("`{address}` stands there twice"));
        }
        all.push(address);
    }
    Ok(all)
}

fn email(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_graphic() && !"@,;:<>()[]\"\\/".contains(c))
    };
    text.len() <= 254
        && text
            .split_once('@')
            .is_some_and(|(name, host)| plain(name) && plain(host) && host.contains('.'))
}

fn https(text: &str) -> bool {
    text.len() <= 2048
        && text.strip_prefix("https://").is_some_and(|rest| {
            let host = rest.split(['/', '?']).next().unwrap_or_default();
            !host.is_empty() && !host.contains('@') && rest.chars().all(|c| c.is_ascii_graphic())
        })
}

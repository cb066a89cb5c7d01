//! The estimate: lines of amounts and prices, by environment and service.

use super::later::{self, Later};
use super::usage::{self, Amount, Environment, Row};
use super::{Item, Loads};
use crate::config::Config;
use crate::engine::graph::SHARED;
use crate::prices::{self, Book, Confidence, Price};
use crate::resources;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One line of the bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    pub service: String,
    /// What is charged.
    pub what: String,
    /// The key of its price.
    pub price: String,
    /// US dollars for one unit.
    pub usd: f64,
    pub unit: String,
    /// How well the price is known.
    pub confidence: Confidence,
    /// Units a month; of what is charged by the hour, how many there are.
    pub amount: Loads,
    /// US dollars a month.
    pub monthly: Loads,
}

/// What one environment, or what both share, costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScopeCost {
    /// `blue`, `green` or `shared`.
    pub scope: String,
    /// US dollars a month.
    pub monthly: Loads,
    /// The same by service.
    pub services: BTreeMap<String, Loads>,
    /// Line by line.
    pub lines: Vec<Line>,
}

/// US dollars a month for everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Totals {
    /// All of it idle.
    pub idle: f64,
    /// One environment takes all payments, and the other one is fed.
    pub expected: f64,
    /// As if each took all payments.
    pub all_loaded: f64,
    /// And with every database instance and every service at its most.
    pub at_most: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Always true: a bill is something else.
    pub estimate: bool,
    /// Always `USD`.
    pub currency: &'static str,
    /// When the shipped prices were collected.
    pub prices_of: jiff::civil::Date,
    pub region: String,
    /// What is assumed of its use.
    pub payments_per_day: f64,
    /// By environment.
    pub scopes: Vec<ScopeCost>,
    /// Everything.
    pub totals: Totals,
    /// What comes on a date that is known.
    pub later: Vec<Later>,
    /// What costs and is not in the sums.
    pub unknown: Vec<String>,
}

/// What these things cost, on a date.
///
/// # Errors
/// When the shipped prices cannot be read, which a test excludes.
pub fn estimate(
    config: &Config,
    items: &[Item<'_>],
    today: jiff::civil::Date,
) -> Result<Estimate, String> {
    let book = Book::of(&config.region, &config.prices)?;
    let shipped = prices::shipped()?;
    let hours = shipped.hours_per_month;
    let mut unknown = BTreeSet::new();
    let mut scopes = Vec::new();
    let mut later = Vec::new();
    for scope in ["blue", "green", SHARED] {
        if !items.iter().any(|i| i.scope == scope) {
            continue;
        }
        let environment = Environment::of(config, scope, items);
        let mut bill = Bill {
            book: &book,
            hours,
            scope,
            lines: Vec::new(),
            unknown: &mut unknown,
        };
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for item in items.iter().filter(|i| i.scope == scope) {
            let Some(cost) = resources::cost(item.kind, item.spec) else {
                let text = format!("{}: what {} costs is not known", item.step, item.kind);
                bill.unknown.insert(text);
                continue;
            };
            for (price, amount) in cost.amounts.iter().filter(|(_, n)| *n > 0.0) {
                let service = item.kind.split('/').next().unwrap_or(item.kind);
                bill.add(service, price, None, Loads::all(*amount));
            }
            used.extend(cost.usage.iter().copied());
        }
        for row in usage::ROWS.iter().filter(|r| used.contains(r.key)) {
            bill.used(row, &environment);
        }
        for key in used.iter().filter(|k| usage::row(k).is_none()) {
            bill.unknown.insert(format!("{scope}: {key}"));
        }
        later.extend(later::extended_support(
            config,
            &mut bill,
            &environment,
            today,
        ));
        scopes.push(scope_cost(scope, bill.lines));
    }
    unknown.extend(NEVER_IN.iter().map(|text| (*text).to_owned()));
    Ok(Estimate {
        estimate: true,
        currency: "USD",
        prices_of: shipped.date,
        region: config.region.clone(),
        payments_per_day: config.cost.payments_per_day,
        totals: totals(&scopes),
        scopes,
        later,
        unknown: unknown.into_iter().collect(),
    })
}

/// What no estimate before use can hold.
const NEVER_IN: [&str; 5] = [
    "attack traffic: blocked requests are charged too",
    "retrieval of archived objects, restores and exports",
    "tax, the support plan, and what the account has beside this deployment (CloudTrail, GuardDuty, a recorder of AWS Config of its own)",
    "free allowances of the account, which would lower the sums",
    "KMS keys cost their price again after each of their first two rotations",
];

fn scope_cost(scope: &str, lines: Vec<Line>) -> ScopeCost {
    let mut services: BTreeMap<String, Loads> = BTreeMap::new();
    let mut monthly = Loads::default();
    for line in &lines {
        monthly += line.monthly;
        *services.entry(line.service.clone()).or_default() += line.monthly;
    }
    ScopeCost {
        scope: scope.to_owned(),
        monthly,
        services,
        lines,
    }
}

fn totals(scopes: &[ScopeCost]) -> Totals {
    let all = scopes
        .iter()
        .fold(Loads::default(), |sum, s| sum + s.monthly);
    let environments = scopes.iter().filter(|s| s.scope != SHARED);
    // The one that takes the payments: the dearer one, so that the figure is not too low.
    let more = environments.map(|s| s.monthly.load - s.monthly.standby);
    let more = more.fold(0.0, f64::max);
    Totals {
        idle: all.idle,
        expected: all.standby + more,
        all_loaded: all.load,
        at_most: all.at_most,
    }
}

/// The lines of one scope in the making.
pub(super) struct Bill<'a> {
    book: &'a Book,
    hours: f64,
    scope: &'a str,
    lines: Vec<Line>,
    pub unknown: &'a mut BTreeSet<String>,
}

impl Bill<'_> {
    fn used(&mut self, row: &Row, environment: &Environment<'_>) {
        match row.amount {
            Amount::Of(amount) if environment.own => {
                let amount = amount(environment);
                self.add(row.service, row.price, Some(row.what), amount);
            }
            Amount::Once(amount) => {
                let amount = amount(environment);
                self.add(row.service, row.price, Some(row.what), amount);
            }
            // What is shared is used by the environments, which pay for it.
            Amount::Of(_) => {}
            Amount::Unknown => {
                let price = self.book.get(row.price);
                let price = price.map_or_else(
                    || "no price".to_owned(),
                    |p| format!("{} USD per {}", p.usd, p.unit),
                );
                let (scope, service, what) = (self.scope, row.service, row.what);
                let text = format!("{scope}: {service}, {what}: the amount ({price})");
                self.unknown.insert(text);
            }
        }
    }

    pub(super) fn scope(&self) -> &str {
        self.scope
    }

    /// A line, or that its price is not known.
    pub(super) fn add(&mut self, service: &str, key: &str, what: Option<&str>, amount: Loads) {
        let Some(price) = self.book.get(key) else {
            let text = format!(
                "{}: {service}, no price for `{key}` in this region",
                self.scope
            );
            self.unknown.insert(text);
            return;
        };
        let monthly = amount * monthly(price, self.hours);
        let what = what.unwrap_or(&price.what);
        let known = self
            .lines
            .iter_mut()
            .find(|l| l.service == service && l.price == key && l.what == what);
        if let Some(line) = known {
            line.amount += amount;
            line.monthly += monthly;
            return;
        }
        self.lines.push(Line {
            service: service.to_owned(),
            what: what.to_owned(),
            price: key.to_owned(),
            usd: price.usd,
            unit: price.unit.clone(),
            confidence: price.confidence,
            amount,
            monthly,
        });
    }

    /// What an amount would cost a month, without a line.
    pub(super) fn would(&self, key: &str, amount: Loads) -> Option<Loads> {
        let price = self.book.get(key)?;
        Some(amount * monthly(price, self.hours))
    }
}

/// US dollars a month for one: what is charged by the hour runs all month.
fn monthly(price: &Price, hours: f64) -> f64 {
    let hourly = price.unit.ends_with("hour");
    if hourly { price.usd * hours } else { price.usd }
}

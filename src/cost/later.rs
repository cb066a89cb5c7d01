//! What a known date adds to the bill.

use super::Loads;
use super::estimate::Bill;
use super::usage::{Amount, Environment, row};
use crate::config::Config;
use jiff::civil::{Date, date};
use serde::Serialize;

/// Something that costs from a date on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Later {
    /// From then on.
    pub from: Date,
    /// `blue` or `green`.
    pub scope: String,
    pub what: String,
    /// US dollars a month more.
    pub monthly: Loads,
}

/// Extended support of a major version of Aurora PostgreSQL: from when it is charged, and from when more. "Amazon Aurora
/// PostgreSQL release calendar", read 2026-11-28.
const EXTENDED: [(&str, Date, Date); 1] = [("14", date(2027, 3, 1), date(2029, 3, 1))];

const PRICES: [&str; 2] = [
    "aurora_extended_support_acu_hour",
    "aurora_extended_support_year_3_acu_hour",
];

/// Adds what is due today as a line, and gives what comes later.
pub(super) fn extended_support(
    config: &Config,
    bill: &mut Bill<'_>,
    of: &Environment<'_>,
    today: Date,
) -> Vec<Later> {
    let major = config.database.engine_version.split('.').next();
    let Some((major, first, third)) = EXTENDED.iter().find(|(m, ..)| Some(*m) == major) else {
        return Vec::new();
    };
    let Some(Amount::Of(acu)) = row("aurora_acu").map(|r| r.amount) else {
        return Vec::new();
    };
    let amount = acu(of);
    if amount.at_most == 0.0 {
        return Vec::new();
    }
    let what = format!("extended support of Aurora PostgreSQL {major}");
    if today >= *third {
        bill.add("rds", PRICES[1], Some(&what), amount);
        return Vec::new();
    }
    if today >= *first {
        bill.add("rds", PRICES[0], Some(&what), amount);
    }
    let (from, price) = if today < *first {
        (*first, PRICES[0])
    } else {
        (*third, PRICES[1])
    };
    let Some(mut monthly) = bill.would(price, amount) else {
        bill.unknown.insert(format!("{what}: no price"));
        return Vec::new();
    };
    if today >= *first
        && let Some(now) = bill.would(PRICES[0], amount)
    {
        monthly = monthly - now;
    }
    vec![Later {
        from,
        scope: bill.scope().to_owned(),
        what,
        monthly,
    }]
}

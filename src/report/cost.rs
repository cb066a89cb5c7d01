//! The estimate of costs for people, and as documents.

use super::json::{DeploymentRef, Document};
use super::lines::grouped;
use super::paint::Paint;
use crate::cost::{Difference, Estimate, Later, Line, Loads, ScopeCost};
use crate::engine::graph::SHARED;
use crate::prices::Confidence;
use serde::Serialize;
use std::fmt::Write;

/// Less than this is no difference.
const CENT: f64 = 0.005;

/// `deployer cost --json`.
#[derive(Debug, Clone, Serialize)]
pub struct CostDocument {
    /// Which deployment.
    #[serde(flatten)]
    pub home: DeploymentRef,
    #[serde(flatten)]
    pub estimate: Estimate,
}

impl Document for CostDocument {
    const SCHEMA: &'static str = "deployer.cost/1";
}

/// By environment and service; with `lines` every line of it.
pub fn cost(of: &Estimate, lines: bool, paint: Paint) -> String {
    let mut out = format!(
        "Estimate of a month in US dollars, not a bill: list prices of {} collected on {}, without tax,\nat {} payments a day; images pushed. ~ marks prices that are derived or remembered.\n\n",
        of.region,
        of.prices_of,
        payments(of.payments_per_day)
    );
    if of.scopes.iter().all(|s| s.lines.is_empty()) {
        let _ = writeln!(out, "No price of {} is known.\n", of.region);
    }
    for scope in of.scopes.iter().filter(|s| !s.lines.is_empty()) {
        let heads = ["idle", "fed", "all payments", "at most"];
        let heads: String = heads.iter().map(|h| format!("{h:>14}")).collect();
        let title = format!("{:<34}", scope.scope);
        let _ = writeln!(out, "{}{}", paint.bold(&title), paint.dim(&heads));
        for (service, loads) in &scope.services {
            let mut own = scope.lines.iter().filter(|l| l.service == *service);
            let low = own.any(|l| l.confidence == Confidence::Low);
            row(&mut out, &format!("  {service}"), *loads, low);
            if lines {
                detail(&mut out, scope, service, paint);
            }
        }
        row(&mut out, "  sum", scope.monthly, false);
        out.push('\n');
    }
    let totals = of.totals;
    let sums = [
        ("everything idle", totals.idle),
        ("one takes all payments, the other is fed", totals.expected),
        ("as if each took all payments", totals.all_loaded),
        (
            "the same with databases and services at their most",
            totals.at_most,
        ),
    ];
    for (what, usd) in sums {
        let _ = writeln!(
            out,
            "{}",
            paint.bold(&format!("{what:<52}{:>12}", money(usd)))
        );
    }
    let environments = of.scopes.iter().filter(|s| s.scope != SHARED);
    for scope in environments {
        let day = scope.monthly.idle / 730.0 * 8.0;
        let _ = writeln!(out, "{} idle for 8 hours: {}", scope.scope, money(day));
    }
    out.push('\n');
    for one in &of.later {
        later(&mut out, one);
    }
    if !of.unknown.is_empty() {
        let _ = writeln!(out, "Not in the sums:");
        for text in &of.unknown {
            let _ = writeln!(out, "  - {text}");
        }
    }
    out
}

fn row(out: &mut String, name: &str, of: Loads, low: bool) {
    let sign = if low { "~" } else { "" };
    let _ = write!(out, "{name:<34}");
    for usd in [of.idle, of.standby, of.load, of.at_most] {
        let _ = write!(out, "{:>14}", format!("{sign}{}", money(usd)));
    }
    out.push('\n');
}

fn detail(out: &mut String, scope: &ScopeCost, service: &str, paint: Paint) {
    let lines = scope.lines.iter().filter(|l| l.service == service);
    for Line {
        what,
        unit,
        usd,
        confidence,
        amount,
        monthly,
        ..
    } in lines
    {
        let sign = if *confidence == Confidence::Low {
            "~"
        } else {
            ""
        };
        let text = format!(
            "      {what}: {} to {} x {sign}{usd} per {unit}: {} to {}",
            short(amount.idle),
            short(amount.load),
            money(monthly.idle),
            money(monthly.load)
        );
        let _ = writeln!(out, "{}", paint.dim(&text));
    }
}

fn later(out: &mut String, of: &Later) {
    let _ = writeln!(
        out,
        "From {} on, {}: {} more when idle, {} with all payments: {}",
        of.from,
        of.scope,
        money(of.monthly.idle),
        money(of.monthly.load),
        of.what
    );
}

/// What a plan changes in a month's bill; nothing for a plan that changes nothing of it.
pub fn difference(of: &Difference, paint: Paint) -> String {
    let mut out = String::new();
    let zero = Loads::default();
    if of.before == zero && of.after == zero {
        if of.unknown.iter().any(|u| u.contains("no price")) {
            let _ = writeln!(
                out,
                "Cost: not known, there are no prices of {} (`[prices]` takes them)",
                of.region
            );
        }
        return out;
    }
    let changed = of.scopes.iter().filter(|(_, by)| {
        [by.idle, by.load, by.at_most]
            .iter()
            .any(|d| d.abs() >= CENT)
    });
    for (scope, by) in changed {
        let text = if scope == SHARED {
            format!("{} USD a month", signed(by.idle))
        } else {
            format!(
                "{} USD a month idle, {} with {} payments a day",
                signed(by.idle),
                signed(by.load),
                payments(of.payments_per_day)
            )
        };
        let _ = writeln!(out, "{} {scope} {text}", paint.bold("Cost:"));
    }
    if out.is_empty() {
        return out;
    }
    let _ = writeln!(
        out,
        "      estimate with list prices of {}; {} things that cost are not in it (`deployer cost` lists them)",
        of.prices_of,
        of.unknown.len()
    );
    let more = of.scopes.iter().filter(|(_, by)| by.idle > CENT);
    let more: Vec<&str> = more.map(|(scope, _)| scope.as_str()).collect();
    for one in of.later.iter().filter(|l| more.contains(&l.scope.as_str())) {
        out.push_str("      ");
        later(&mut out, one);
    }
    out
}

/// Payments a day: whole ones with their thousands apart.
fn payments(number: f64) -> String {
    if number.fract() == 0.0 {
        grouped(number as u64)
    } else {
        number.to_string()
    }
}

/// `1,234.56`
pub(super) fn money(usd: f64) -> String {
    let text = format!("{:.2}", usd.abs());
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if usd <= -CENT { "-" } else { "" };
    format!("{sign}{grouped}.{cents}")
}

fn signed(usd: f64) -> String {
    let plus = if usd <= -CENT { "" } else { "+" };
    format!("{plus}{}", money(usd))
}

/// An amount, as many digits as matter.
fn short(amount: f64) -> String {
    let text = format!("{amount:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payments_are_grouped_as_money_is() {
        assert_eq!(payments(50_000.0), "50,000");
        assert_eq!(payments(0.5), "0.5");
    }

    #[test]
    fn money_is_grouped_and_zero_has_no_sign() {
        assert_eq!(money(1_234_567.891), "1,234,567.89");
        assert_eq!(money(999.0), "999.00");
        assert_eq!(money(-0.001), "0.00");
        assert_eq!(signed(-1234.5), "-1,234.50");
        assert_eq!(signed(0.0), "+0.00");
    }
}

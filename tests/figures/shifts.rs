//! `cargo run --release --example simulate -- [shifts] [seed] [figures]`: the stated figures alone, or all scenarios.

use gate::gate::{Limits, self_test, simulate};
use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    let number = |n: usize, default: u64| {
        let given = std::env::args().nth(n);
        given.and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let limits = Limits::default();
    writeln!(out, "{}", self_test(&limits))?;
    let mut scenarios = simulate::figures();
    if std::env::args().nth(3).is_none() {
        scenarios.extend(simulate::others());
    }
    let shifts = u32::try_from(number(1, 1000)).unwrap_or(1000);
    let report = simulate::run(&scenarios, shifts, number(2, 1), &limits);
    write!(out, "{report}")
}

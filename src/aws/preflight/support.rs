//! How long AWS supports what is asked for, by the dated table of `support.rs`, so that a warning comes ahead of AWS's own refusals.
//! No call is made.
//!
//! AWS has moved dates before: a date that is past is a warning too, and AWS has the last word.

use super::{Check, Level};
use crate::support;
use jiff::civil::Date;

/// Days ahead of a date from which on it is a warning.
const AHEAD: i64 = 180;

/// What follows on the runtimes that end first.
const RUNTIME_AFTER: &str = "nodejs24.x";

/// What there is to say of the runtime of the functions and of the version of the database, on a day.
pub fn supported(runtime: &str, engine_version: &str, today: Date) -> Vec<Check> {
    let soon = |day: Date| days(today, day) <= AHEAD;
    let mut out = Vec::new();
    let known = support::end(support::RUNTIME, runtime);
    if let Some(known) = known.filter(|r| soon(r.last)) {
        let mut text = format!("{runtime} {}", ends(known.last, today, "is deprecated"));
        if let Some((create, update)) = known.refused {
            text = format!(
                "{text}; Lambda makes no new function with it from {create} on, and changes none from {update} on"
            );
        }
        out.push(Check::new("runtime", Level::Warning, text).hint(format!(
            "set `migration.runtime` to {RUNTIME_AFTER} before; `deployer apply` changes the functions in place"
        )));
    }
    let major = engine_version.split('.').next().unwrap_or_default();
    let known = support::end(support::DATABASE, engine_version);
    if let Some(known) = known.filter(|e| soon(e.last)) {
        let text = format!(
            "Aurora PostgreSQL {major} {}; after that Extended Support is charged",
            ends(known.last, today, "ends its standard support")
        );
        out.push(Check::new("engine support", Level::Warning, text).hint(
            "plan the move to a later major version (16.8 and 17.7 are supported for long): `database.engine_version`",
        ));
    }
    out
}

fn ends(day: Date, today: Date, what: &str) -> String {
    match days(today, day) {
        left if left > 0 => format!("{what} on {day}, in {left} days"),
        _ => format!("{what} since {day}"),
    }
}

fn days(from: Date, to: Date) -> i64 {
    (to - from).get_days().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn texts(runtime: &str, version: &str, today: Date) -> Vec<String> {
        let all = supported(runtime, version, today).into_iter();
        all.map(|c| c.text).collect()
    }

    #[test]
    fn a_warning_comes_half_a_year_ahead_and_stays() {
        let today = date(2026, 11, 28);
        let all = texts("nodejs18.x", "14.6", today);
        assert_eq!(
            all,
            [
                "nodejs18.x is deprecated since 2025-09-01; Lambda makes no new function with it from 2027-02-01 on, and changes none from 2027-03-03 on",
                "Aurora PostgreSQL 14 ends its standard support on 2027-02-28, in 92 days; after that Extended Support is charged",
            ]
        );
        assert_eq!(texts("nodejs24.x", "17.7", today), Vec::<String>::new());
        // 180 days ahead, and the day before.
        let of = |day| texts("nodejs22.x", "17.7", day).len();
        assert_eq!((of(date(2026, 10, 31)), of(date(2026, 11, 1))), (0, 1));
        assert_eq!(
            texts("nodejs26.x", "99.1", date(2035, 1, 1)),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_successor_that_is_named_is_in_the_table_and_ends_last() {
        let runtimes = || support::ENDS.iter().filter(|e| e.key == support::RUNTIME);
        let last = runtimes().max_by_key(|r| r.last).unwrap();
        assert_eq!(last.version, RUNTIME_AFTER);
        for one in runtimes() {
            let (create, update) = one.refused.unwrap();
            assert!(create < update && one.last < update);
        }
    }
}

//! How long AWS supports what is asked for: a dated table, so that a warning comes ahead of AWS's own refusals. No call is made.
//!
//! State of 2026-11-28. AWS has moved dates before: a date that is past is a warning too, and AWS has the last word.

use super::{Check, Level};
use jiff::civil::{Date, date};

/// Days ahead of a date from which on it is a warning.
const AHEAD: i64 = 180;

/// The ends of one version.
struct Support {
    version: &'static str,
    /// From then on it gets no corrections.
    end: Date,
    /// From then on AWS makes no new one; for runtimes only.
    create: Option<Date>,
    /// From then on AWS changes none.
    update: Option<Date>,
}

const fn runtime(version: &'static str, end: Date, create: Date, update: Date) -> Support {
    Support {
        version,
        end,
        create: Some(create),
        update: Some(update),
    }
}

const fn engine(version: &'static str, end: Date) -> Support {
    Support {
        version,
        end,
        create: None,
        update: None,
    }
}

/// "Lambda runtimes", "Supported runtimes" and "Deprecated runtimes".
const RUNTIMES: [Support; 4] = [
    runtime(
        "nodejs18.x",
        date(2025, 9, 1),
        date(2027, 2, 1),
        date(2027, 3, 3),
    ),
    runtime(
        "nodejs20.x",
        date(2026, 4, 30),
        date(2027, 2, 1),
        date(2027, 3, 3),
    ),
    runtime(
        "nodejs22.x",
        date(2027, 4, 30),
        date(2027, 6, 1),
        date(2027, 7, 1),
    ),
    runtime(
        "nodejs24.x",
        date(2028, 4, 30),
        date(2028, 6, 1),
        date(2028, 7, 1),
    ),
];

/// What follows on the runtimes that end first.
const RUNTIME_AFTER: &str = "nodejs24.x";

/// "Aurora PostgreSQL release calendar for major versions": the end of standard support. Extended Support goes on for up to three
/// years and is paid.
const ENGINES: [Support; 5] = [
    engine("13", date(2026, 2, 28)),
    engine("14", date(2027, 2, 28)),
    engine("15", date(2028, 2, 29)),
    engine("16", date(2029, 2, 28)),
    engine("17", date(2030, 2, 28)),
];

/// What there is to say of the runtime of the functions and of the version of the database, on a day.
pub fn supported(runtime: &str, engine_version: &str, today: Date) -> Vec<Check> {
    let soon = |day: Date| days(today, day) <= AHEAD;
    let mut out = Vec::new();
    let known = RUNTIMES.iter().find(|r| r.version == runtime);
    if let Some(known) = known.filter(|r| soon(r.end)) {
        let mut text = format!("{runtime} {}", ends(known.end, today, "is deprecated"));
        if let (Some(create), Some(update)) = (known.create, known.update) {
            text = format!(
                "{text}; Lambda makes no new function with it from {create} on, and changes none from {update} on"
            );
        }
        out.push(Check::new("runtime", Level::Warning, text).hint(format!(
            "set `migration.runtime` to {RUNTIME_AFTER} before; `deployer apply` changes the functions in place"
        )));
    }
    let major = engine_version.split('.').next().unwrap_or_default();
    let known = ENGINES.iter().find(|e| e.version == major);
    if let Some(known) = known.filter(|e| soon(e.end)) {
        let text = format!(
            "Aurora PostgreSQL {major} {}; after that Extended Support is charged",
            ends(known.end, today, "ends its standard support")
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
        let last = RUNTIMES.iter().max_by_key(|r| r.end).unwrap();
        assert_eq!(last.version, RUNTIME_AFTER);
        for one in RUNTIMES {
            assert!(one.create < one.update && Some(one.end) < one.create.max(one.update));
        }
    }
}

//! Until when AWS supports what the platform runs on, as dated data.

use jiff::civil::{Date, date};

/// When these dates were looked up.
pub const AS_OF: Date = date(2026, 11, 29);

/// The end of support of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// `database.engine_version` or `migration.runtime`: the key that ends it.
    pub key: &'static str,
    /// The version: a major one, or a runtime.
    pub version: &'static str,
    /// The last day of standard support.
    pub last: Date,
    /// From then on AWS makes no new one, and from then on it changes none; for runtimes.
    pub refused: Option<(Date, Date)>,
    /// What comes then.
    pub then: &'static str,
}

const fn engine(version: &'static str, last: Date) -> End {
    End {
        key: DATABASE,
        version,
        last,
        refused: None,
        then: "extended support is charged from the next day on",
    }
}

const fn runtime(version: &'static str, last: Date, create: Date, update: Date) -> End {
    End {
        key: RUNTIME,
        version,
        last,
        refused: Some((create, update)),
        then: "AWS corrects it no more, and later refuses new functions and changes of functions with it",
    }
}

/// "Aurora PostgreSQL release calendar for major versions" (end of standard support; extended support goes on for up to three years
/// and is charged; compared with the table that endoflife.date takes from that page, of 2026-08-22), "Lambda runtimes", "Supported runtimes" and "Deprecated runtimes".
pub const ENDS: [End; 12] = [
    engine("11", date(2024, 2, 29)),
    engine("12", date(2025, 2, 28)),
    engine("13", date(2026, 2, 28)),
    engine("14", date(2027, 2, 28)),
    engine("15", date(2028, 2, 29)),
    engine("16", date(2029, 2, 28)),
    engine("17", date(2030, 2, 28)),
    engine("18", date(2031, 2, 28)),
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

/// The key of the database's version.
pub const DATABASE: &str = "database.engine_version";
/// The key of the functions' runtime.
pub const RUNTIME: &str = "migration.runtime";

/// What is known of a version; `None` for one that is not in the table.
pub fn end(key: &str, version: &str) -> Option<End> {
    let fits = |end: &&End| {
        let rest = version.strip_prefix(end.version);
        end.key == key && rest.is_some_and(|r| r.is_empty() || r.starts_with('.'))
    };
    ENDS.iter().find(fits).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minor_version_ends_with_its_major_one_and_others_are_not_known() {
        assert_eq!(end(DATABASE, "14.6").unwrap().last, date(2027, 2, 28));
        assert_eq!(end(DATABASE, "140.6"), None);
        assert_eq!(end(DATABASE, "99.1"), None);
        assert_eq!(end(RUNTIME, "nodejs18.x").unwrap().last, date(2025, 9, 1));
        assert_eq!(end(RUNTIME, "14.6"), None);
    }
}

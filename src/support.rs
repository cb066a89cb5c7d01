//! Until when AWS supports what the platform runs on, as dated data.

use jiff::civil::{Date, date};

/// When these dates were looked up.
pub const AS_OF: Date = date(2026, 11, 28);

/// The end of support of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// `database.engine_version` or `migration.runtime`: the key that ends it.
    pub key: &'static str,
    /// The version: a major one, or a runtime.
    pub version: &'static str,
    /// The last day of standard support.
    pub last: Date,
    /// What comes then.
    pub then: &'static str,
}

const EXTENDED: &str = "extended support is charged from the next day on";
const DEPRECATED: &str =
    "AWS patches it no more, and refuses new functions and later changes of functions with it";

/// "Aurora PostgreSQL release calendar" (end of standard support), "Lambda runtimes" (deprecation).
const ENDS: [End; 8] = [
    End {
        key: DATABASE,
        version: "13",
        last: date(2026, 2, 28),
        then: EXTENDED,
    },
    End {
        key: DATABASE,
        version: "14",
        last: date(2027, 2, 28),
        then: EXTENDED,
    },
    End {
        key: DATABASE,
        version: "15",
        last: date(2028, 2, 29),
        then: EXTENDED,
    },
    End {
        key: DATABASE,
        version: "16",
        last: date(2029, 2, 28),
        then: EXTENDED,
    },
    End {
        key: RUNTIME,
        version: "nodejs18.x",
        last: date(2025, 9, 1),
        then: DEPRECATED,
    },
    End {
        key: RUNTIME,
        version: "nodejs20.x",
        last: date(2026, 4, 30),
        then: DEPRECATED,
    },
    End {
        key: RUNTIME,
        version: "nodejs22.x",
        last: date(2027, 4, 30),
        then: DEPRECATED,
    },
    End {
        key: RUNTIME,
        version: "nodejs24.x",
        last: date(2028, 4, 30),
        then: DEPRECATED,
    },
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

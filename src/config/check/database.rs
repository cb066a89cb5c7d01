//! Names and versions that a database takes.

use super::text_like;
use crate::config::parse::{Checked, Given};

/// `14.6`
pub(in crate::config) fn version(text: &str) -> bool {
    let number =
        |part: &str| (1..=4).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit());
    text.split_once('.')
        .is_some_and(|(major, minor)| number(major) && number(minor))
}

/// Words that neither a database nor its master user may be called: key words that PostgreSQL 14 reserves (appendix C of
/// its manual, "reserved" without "can be function or type") and names that Aurora itself uses.
const RESERVED: &[&str] = &[
    "admin",
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "localtime",
    "localtimestamp",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "placing",
    "postgres",
    "primary",
    "public",
    "rdsadmin",
    "references",
    "returning",
    "select",
    "session_user",
    "some",
    "symmetric",
    "table",
    "template0",
    "template1",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];

fn identifier(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn unreserved(text: String) -> Checked<String> {
    let lower = text.to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) || lower.starts_with("pg_") || lower.starts_with("rds") {
        return Err("this name is reserved by PostgreSQL or by RDS".into());
    }
    Ok(text)
}

/// RDS API, `CreateDBCluster` and `CreateDBInstance` (Aurora PostgreSQL): 1 to 63 characters, first a letter, then letters, digits and
/// underscores, not reserved.
pub(in crate::config) fn database(given: &Given<'_>) -> Checked<String> {
    text_like(|t| identifier(t, 63))(given).and_then(unreserved)
}

/// RDS API, `CreateDBCluster.MasterUsername`: 1 to 16 letters or numbers, first a letter, not reserved; PostgreSQL engines take underscores.
pub(in crate::config) fn master_user(given: &Given<'_>) -> Checked<String> {
    text_like(|t| identifier(t, 16))(given).and_then(unreserved)
}

//! The tables of one environment: sessions and rate limits.

use super::EnvironmentBuilder;
use super::keys::Keys;
use crate::resources::Exposed;
use crate::resources::dynamodb::{Attribute, Index, KeySchema, Table};
use std::collections::BTreeMap;

/// Sessions of signed-in customers.
pub const SESSIONS: &str = "sessions";
/// How often each client has called of late.
pub const RATE_LIMITS: &str = "rate-limits";
/// All tables.
pub const TABLE_NAMES: [&str; 2] = [SESSIONS, RATE_LIMITS];

/// The longest that point-in-time recovery reaches back, in days.
const RECOVERY_DAYS: i32 = 35;

/// Declares them.
pub fn declare(here: &mut EnvironmentBuilder<'_>, keys: &Keys) {
    let protect = here.config.protect;
    let table = |key| Table {
        key,
        indexes: BTreeMap::new(),
        billing: "PAY_PER_REQUEST".into(),
        stream: None,
        ttl: Some("expires_at".into()),
        recovery_days: Some(RECOVERY_DAYS),
        kms_key: Some(keys.data.arn.clone()),
        deletion_protection: protect,
        exposed: Exposed::new(),
        members: Vec::new(),
    };
    let index = |hash: &str, range: &str| Index {
        key: sorted(hash, range),
        projection: "ALL".into(),
    };
    let sessions = Table {
        indexes: BTreeMap::from([
            ("by-user".into(), index("user_id", "created_at")),
            ("by-status".into(), index("status", "expires_at")),
        ]),
        stream: Some("NEW_AND_OLD_IMAGES".into()),
        ..table(KeySchema {
            hash: Attribute::text("session_id"),
            range: None,
        })
    };
    let sessions = here.add(SESSIONS, sessions);
    let limits = table(sorted("client_id", "window"));
    let rate_limits = here.add(RATE_LIMITS, limits);
    for (thing, table) in TABLE_NAMES.into_iter().zip([&sessions, &rate_limits]) {
        here.output(&format!("table.{thing}"), &table.name);
    }
}

/// Text, then seconds since 1970: `created_at` and `window` are compared with `expires_at`, which must be a number to
/// expire items by.
fn sorted(hash: &str, range: &str) -> KeySchema {
    KeySchema {
        hash: Attribute::text(hash),
        range: Some(Attribute::number(range)),
    }
}

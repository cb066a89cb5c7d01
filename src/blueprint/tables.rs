//! The tables of one environment: sessions and rate limits, and what the migration of sessions keeps.

use super::EnvironmentBuilder;
use super::keys::Keys;
use crate::engine::Handle;
use crate::resources::Exposed;
use crate::resources::dynamodb::{Attribute, Index, KeySchema, Table};
use std::collections::BTreeMap;

/// Sessions of signed-in customers.
pub const SESSIONS: &str = "sessions";
/// How often each client has called of late.
pub const RATE_LIMITS: &str = "rate-limits";
/// What the migration of sessions knows of each: one table for each direction.
pub const SESSIONS_MIGRATION: [&str; 2] = ["sessions-migration", "sessions-reverse-migration"];
/// The tables of the services.
pub const TABLE_NAMES: [&str; 2] = [SESSIONS, RATE_LIMITS];

/// The longest that point-in-time recovery reaches back, in days.
const RECOVERY_DAYS: i32 = 35;

/// Declares them, and gives the one of sessions.
pub fn declare(here: &mut EnvironmentBuilder<'_>, keys: &Keys) -> Handle<Table> {
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
        ..table(here, keys, by("session_id"))
    };
    let sessions = here.add(SESSIONS, sessions);
    let limits = table(here, keys, sorted("client_id", "window"));
    let rate_limits = here.add(RATE_LIMITS, limits);
    for (thing, table) in TABLE_NAMES.into_iter().zip([&sessions, &rate_limits]) {
        here.output(&format!("table.{thing}"), &table.name);
    }
    sessions
}

/// Where the functions `sessions` and `sessions-reverse` keep their place in the stream of each session (`STATE_TABLE` in
/// `lambda/README.md`).
pub fn migration(here: &mut EnvironmentBuilder<'_>, keys: &Keys) -> [Handle<Table>; 2] {
    SESSIONS_MIGRATION.map(|thing| {
        let spec = table(here, keys, by("id"));
        let table = here.add(thing, spec);
        here.output(&format!("table.{thing}"), &table.name);
        table
    })
}

fn table(here: &EnvironmentBuilder<'_>, keys: &Keys, key: KeySchema) -> Table {
    Table {
        key,
        indexes: BTreeMap::new(),
        billing: "PAY_PER_REQUEST".into(),
        stream: None,
        ttl: Some("expires_at".into()),
        recovery_days: Some(RECOVERY_DAYS),
        kms_key: Some(keys.data.arn.clone()),
        deletion_protection: here.config.protect,
        exposed: Exposed::new(),
        others: Exposed::new(),
        members: Vec::new(),
    }
}

/// One text.
fn by(hash: &str) -> KeySchema {
    KeySchema {
        hash: Attribute::text(hash),
        range: None,
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

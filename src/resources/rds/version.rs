//! Versions of Aurora PostgreSQL: `major.minor`, such as `14.6` ("Aurora PostgreSQL versions").

use crate::engine::{Error, Owner};
use serde_json::Value;

/// The engine of the platform's database.
pub const ENGINE: &str = "aurora-postgresql";

/// The major version: `14` of `14.6`.
pub fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// The family of parameter groups of a version: `aurora-postgresql14`.
pub fn family(version: &str) -> String {
    format!("{ENGINE}{}", major(version))
}

/// Numbers of a version for comparison; `14.6` is before `14.10`.
pub(super) fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|p| p.parse().ok()).collect()
}

/// True when `have` is `want` or a later minor version of the same major one: where automatic upgrades may lead.
pub(super) fn covers(have: &str, want: &str) -> bool {
    major(have) == major(want) && numbers(have) >= numbers(want)
}

/// The legal range of the version that runs.
pub(super) fn legal(owner: &Owner<'_>) -> Result<(), String> {
    let (want, have) = (
        owner.wanted.as_str().unwrap_or_default(),
        owner.found.as_str().unwrap_or_default(),
    );
    if covers(have, want) {
        Ok(())
    } else {
        Err(format!(
            "{have} runs; automatic upgrades only lead from {want} to later versions of {}",
            major(want)
        ))
    }
}

/// What an upgrade to another major version does, and what to test first ("Performing a major version upgrade" in the Aurora user
/// guide). There is no way back.
pub(super) fn upgrade(found: &Value, wanted: &Value) -> Result<Vec<String>, Error> {
    let text = |of: &Value, field: &str| of[field].as_str().unwrap_or_default().to_owned();
    let (from, to) = (
        text(found, "running_version"),
        text(wanted, "engine_version"),
    );
    if numbers(&to) < numbers(&from) {
        let error = format!("{from} runs, and AWS cannot go back to {to}");
        return Err(Error::permanent("plan", error).hint(format!(
            "set `database.engine_version` to {from}; only a snapshot of before the upgrade brings {} back, as another cluster",
            major(&to)
        )));
    }
    let mut notes = vec![
        format!("{from} -> {to} in place, which cannot be taken back; RDS makes a snapshot before it"),
        format!(
            "parameter groups of {} give way to new ones of {}, with the same parameters",
            family(&from),
            family(&to)
        ),
        "test first: restore a snapshot into a deployment with another suffix, upgrade it there, run the application's tests and compare the time of its queries".to_owned(),
        "afterwards: ANALYZE in every database, and ALTER EXTENSION .. UPDATE of pgaudit and pg_stat_statements".to_owned(),
    ];
    if numbers(&from) < vec![17] {
        // "For source versions earlier than 17 .. you must drop the replication slots".
        let slots = "RDS refuses it while there are logical replication slots: end a migration before (`deployer migrate stop`)";
        notes.insert(2, slots.to_owned());
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_major_upgrade_goes_up_alone_and_names_slots_before_version_17() {
        let judge = |from: &str, to: &str| {
            let found = serde_json::json!({"running_version": from});
            upgrade(&found, &serde_json::json!({"engine_version": to}))
        };
        let notes = judge("14.9", "15.8").unwrap().join("; ");
        for word in [
            "14.9 -> 15.8",
            "aurora-postgresql15",
            "test first",
            "replication slots",
        ] {
            assert!(notes.contains(word), "{word}: {notes}");
        }
        let notes = judge("17.4", "18.1").unwrap().join("; ");
        assert!(!notes.contains("replication slots"));
        let back = judge("15.8", "14.9").unwrap_err();
        assert!(back.hint.unwrap().contains("to 15.8"));
    }

    #[test]
    fn automatic_upgrades_lead_up_within_the_major_version() {
        assert!(covers("14.6", "14.6") && covers("14.10", "14.6"));
        assert!(!covers("14.5", "14.6") && !covers("15.2", "14.6"));
        let judge = |found: &str| {
            legal(&Owner {
                wanted: &"14.6".into(),
                found: &found.into(),
                record: None,
            })
        };
        assert!(judge("14.9").is_ok());
        assert!(judge("13.9").unwrap_err().contains("13.9 runs"));
        assert_eq!(family("14.6"), "aurora-postgresql14");
    }
}

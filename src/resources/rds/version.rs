//! Versions of Aurora PostgreSQL: `major.minor`, such as `14.6` ("Aurora PostgreSQL versions").

use crate::engine::Owner;

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

#[cfg(test)]
mod tests {
    use super::*;

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

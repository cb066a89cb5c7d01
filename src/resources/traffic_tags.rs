//! Tags that the traffic command writes beside those that a thing is made with, and takes away again. They are no part of what
//! is wanted: neither plan nor drift sees them, and no apply removes them. Like all of them their names begin with `Deployer`, which
//! the configuration keeps free of tags of others (`config/check/tags.rs`).

/// On a thing whose minimum is held above the configured one for a while. It belongs to whoever holds it.
pub const MARK_MINIMUM: &str = "DeployerMinimum";

/// On a rule of a load balancer that somebody has switched for a rollback or a cutover: who and when.
pub const MARK_PULLED: &str = "DeployerPulled";

/// All tags that others own: these, and those of other tools that the configuration names.
pub fn and_of_others(configured: &[String]) -> Vec<String> {
    let ours = [MARK_MINIMUM, MARK_PULLED].map(str::to_owned);
    ours.into_iter().chain(configured.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::diff::diff_tags;
    use std::collections::BTreeMap;

    #[test]
    fn what_the_traffic_command_writes_beside_differs_in_nothing() {
        let tags = |keys: &[&str]| -> BTreeMap<String, String> {
            keys.iter().map(|key| ((*key).into(), "x".into())).collect()
        };
        let (want, have) = (
            tags(&["Name"]),
            tags(&["Name", "DeployerMinimum", "DeployerPulled", "map-1", "Own"]),
        );
        let left = |configured: &[String]| -> Vec<String> {
            let changes = diff_tags(&want, &have, &and_of_others(configured));
            changes.iter().map(|c| c.path.to_string()).collect()
        };
        assert_eq!(left(&[]), ["tags.Own", "tags.map-1"]);
        assert_eq!(left(&["map-*".into()]), ["tags.Own"]);
    }
}

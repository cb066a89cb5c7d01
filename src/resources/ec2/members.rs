//! Sets of ids: which members a delta adds and which it removes.

use crate::engine::{Delta, Edit};

/// What is to be added to a set and what is to be removed from it; `None` instead of an empty list, since EC2 refuses
/// empty lists.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Members {
    pub(super) add: Option<Vec<String>>,
    pub(super) remove: Option<Vec<String>>,
}

/// The members of the set `field` that differ.
pub(super) fn members(delta: &Delta, field: &str) -> Members {
    let mut out = Members::default();
    for (id, edit) in delta.entries(field) {
        let list = match edit {
            Edit::Add => &mut out.add,
            Edit::Remove => &mut out.remove,
            Edit::Change => continue,
        };
        list.get_or_insert_default().push(id.to_owned());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::diff;
    use serde_json::json;

    #[test]
    fn a_set_that_differs_says_what_comes_and_what_goes() {
        let want = json!({"subnets": ["a", "b"], "groups": ["g"]});
        let have = json!({"subnets": ["c", "b"], "groups": ["g"]});
        let delta = Delta::of(diff(&want, &have));
        let subnets = members(&delta, "subnets");
        assert_eq!(subnets.add, Some(vec!["a".to_owned()]));
        assert_eq!(subnets.remove, Some(vec!["c".to_owned()]));
        assert_eq!(members(&delta, "groups"), Members::default());
    }
}

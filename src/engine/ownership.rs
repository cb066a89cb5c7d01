//! Whose a resource is, judged from its tags.
//!
//! A deployment is account, region and suffix. Everything it creates carries the whole mark from the create call on:
//!
//! * [`MARK_SUFFIX`]: the suffix,
//! * [`MARK_STEP`]: the step that made it,
//! * [`MARK_DEPLOYMENT`]: `account/region/suffix`. Names of roles and buckets reach beyond a region, so the suffix alone does not
//!   say whose they are.
//!
//! | what is known                                   | whole mark | a part of it | nothing  | another's mark |
//! |-------------------------------------------------|------------|--------------|----------|----------------|
//! | recorded, and found by what is recorded         | ours       | ours         | unmarked | foreign        |
//! | not recorded, or only an intent to create it    | ours       | unmarked     | unmarked | foreign        |
//!
//! Deployers before [`MARK_DEPLOYMENT`] set only the first two tags. For what lives in one region these two count as the whole
//! mark: it was found with this account's credentials in this region. For what is global they are a part.

use super::identity::{Identity, Owned};
use std::collections::BTreeMap;
use std::fmt;

/// The tag that holds the suffix.
pub const MARK_SUFFIX: &str = "EnvironmentSuffix";
/// The tag that names the step.
pub const MARK_STEP: &str = "DeployerStep";
/// The tag that names the deployment, `account/region/suffix`.
pub const MARK_DEPLOYMENT: &str = "DeployerDeployment";

/// The tag that names the scope of a thing, for people and for a search by scope; no part of the mark.
pub const TAG_OF_SCOPE: &str = "Environment";

/// The tag that names a thing, as AWS's console shows it.
pub const TAG_OF_NAME: &str = "Name";

/// All tags of the mark.
pub const MARK: [&str; 3] = [MARK_SUFFIX, MARK_STEP, MARK_DEPLOYMENT];

/// The tags of a resource.
pub type Tags = BTreeMap<String, String>;

/// One deployment. Shown as `account/region/suffix`, the value of [`MARK_DEPLOYMENT`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The account id.
    pub account: String,
    pub region: String,
    pub suffix: String,
}

impl fmt::Display for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.account, self.region, self.suffix)
    }
}

impl Deployment {
    /// What the tags of something that says which step it belongs to mean for this deployment.
    fn mark(&self, tags: &Tags, global: bool) -> Extent {
        let Some(step) = tags.get(MARK_STEP) else {
            return Extent::None;
        };
        let whole = [
            (MARK_SUFFIX, &self.suffix),
            (MARK_STEP, step),
            (MARK_DEPLOYMENT, &self.to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value.clone()));
        mark(&whole.into(), tags, global)
    }

    /// Splits what was listed by its mark into what is ours and what may be: things of global types whose mark does not say which
    /// account and region they belong to. What is neither is left out.
    pub fn split(
        &self,
        listed: Vec<Owned>,
        is_global: impl Fn(&str) -> bool,
    ) -> (Vec<Owned>, Vec<Owned>) {
        let (mut ours, mut undecided) = (Vec::new(), Vec::new());
        for owned in listed {
            match self.mark(&owned.tags, is_global(&owned.kind)) {
                Extent::Whole => ours.push(owned),
                Extent::Part if owned.tags.contains_key(MARK_SUFFIX) => undecided.push(owned),
                _ => {}
            }
        }
        (ours, undecided)
    }
}

/// How much of a mark is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
    None,
    /// Of another deployment or step.
    Other,
}

/// Compares tags with the whole mark that `ours` holds.
fn mark(ours: &Tags, tags: &Tags, global: bool) -> Extent {
    let mut there = 0;
    let mut missing = Vec::new();
    for key in MARK {
        match (ours.get(key), tags.get(key)) {
            (Some(want), Some(have)) if want == have => there += 1,
            (Some(_), None) => missing.push(key),
            // An identity of an older deployer's record names no deployment; the state it comes from does.
            (None, _) if key == MARK_DEPLOYMENT => {}
            (_, Some(_)) => return Extent::Other,
            (None, None) => {}
        }
    }
    if there == 0 {
        Extent::None
    } else if missing.is_empty() || (!global && missing == [MARK_DEPLOYMENT]) {
        Extent::Whole
    } else {
        Extent::Part
    }
}

/// Whose a thing is, as its type can tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// What its tags say, which is judged in the same way for all types.
    Tags(Tags),
    /// What its tags say. It was restored from a backup of one with its name in this account and region, and a restore sets no tags: the
    /// one that is recorded is this deployment's, unless a tag says otherwise.
    Restored(Tags),
    /// It has no tags and is whose its parent is.
    Parent,
    /// Somebody else's; says whose.
    Foreign(String),
    /// The account's own: used, never changed, never deleted.
    Account,
}

/// Who owns a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// This deployment.
    Ours,
    /// It carries too little of a mark to tell.
    Unmarked,
    /// Another deployment or step, or somebody else.
    Other,
    /// The account, which has it once.
    Account,
}

impl Identity {
    /// Judges whose a resource is: see [`Identity::ownership`].
    pub fn owner(&self, mark: &Mark, recorded: bool, global: bool) -> Ownership {
        match mark {
            Mark::Tags(tags) => self.ownership(tags, recorded, global),
            Mark::Restored(tags) => match self.ownership(tags, recorded, global) {
                Ownership::Unmarked if recorded => Ownership::Ours,
                other => other,
            },
            Mark::Parent => Ownership::Ours,
            Mark::Foreign(_) => Ownership::Other,
            Mark::Account => Ownership::Account,
        }
    }

    /// Judges the tags of a resource. `recorded`: it is the one that the state recorded, so a part of the mark is enough.
    /// `global`: its name or id reaches beyond one region.
    pub fn ownership(&self, tags: &Tags, recorded: bool, global: bool) -> Ownership {
        match mark(&self.tags, tags, global) {
            Extent::Whole => Ownership::Ours,
            Extent::Part if recorded => Ownership::Ours,
            Extent::Part | Extent::None => Ownership::Unmarked,
            Extent::Other => Ownership::Other,
        }
    }

    /// True for a regional thing that a step of the same deployment made, whichever step that is.
    pub fn same_deployment(&self, tags: &Tags) -> bool {
        let mut ours = self.tags.clone();
        match tags.get(MARK_STEP) {
            Some(step) => ours.insert(MARK_STEP.to_owned(), step.clone()),
            None => return false,
        };
        mark(&ours, tags, false) == Extent::Whole
    }

    /// The tags of the mark, as `key=value`.
    pub fn mark_text(&self) -> String {
        let pair = |key: &&str| Some(format!("{key}={}", self.tags.get(*key)?));
        MARK.iter().filter_map(pair).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn identity() -> Identity {
        Identity {
            step: "role-green".into(),
            name: "role-green-dev".into(),
            tags: tags(&[
                (MARK_SUFFIX, "dev"),
                (MARK_STEP, "role-green"),
                (MARK_DEPLOYMENT, "1/eu/dev"),
                ("Name", "role-green-dev"),
            ]),
            token: String::new(),
        }
    }

    const SUFFIX: (&str, &str) = (MARK_SUFFIX, "dev");
    const STEP: (&str, &str) = (MARK_STEP, "role-green");
    const DEPLOYMENT: (&str, &str) = (MARK_DEPLOYMENT, "1/eu/dev");

    #[test]
    fn without_a_record_only_the_whole_mark_makes_a_thing_ours() {
        use Ownership::{Other, Ours, Unmarked};
        // tags, then: unrecorded regional, unrecorded global, recorded (regional and global alike)
        type Case<'a> = (&'a [(&'a str, &'a str)], [Ownership; 3]);
        let cases: &[Case<'_>] = &[
            (&[SUFFIX, STEP, DEPLOYMENT], [Ours, Ours, Ours]),
            (&[SUFFIX, STEP], [Ours, Unmarked, Ours]),
            (&[SUFFIX, DEPLOYMENT], [Unmarked, Unmarked, Ours]),
            (&[STEP, DEPLOYMENT], [Unmarked, Unmarked, Ours]),
            (&[SUFFIX], [Unmarked, Unmarked, Ours]),
            (&[STEP], [Unmarked, Unmarked, Ours]),
            (
                &[("Name", "role-green-dev")],
                [Unmarked, Unmarked, Unmarked],
            ),
            (&[(MARK_SUFFIX, "x"), STEP, DEPLOYMENT], [Other; 3]),
            (&[SUFFIX, (MARK_STEP, "x"), DEPLOYMENT], [Other; 3]),
            (&[SUFFIX, STEP, (MARK_DEPLOYMENT, "1/us/dev")], [Other; 3]),
            (&[SUFFIX, STEP, (MARK_DEPLOYMENT, "2/eu/dev")], [Other; 3]),
        ];
        let me = identity();
        for (pairs, expected) in cases {
            let tags = tags(pairs);
            let judged = [(false, false), (false, true), (true, false)]
                .map(|(recorded, global)| me.ownership(&tags, recorded, global));
            assert_eq!(judged, *expected, "{pairs:?}");
            assert_eq!(me.ownership(&tags, true, true), expected[2], "{pairs:?}");
        }
    }

    #[test]
    fn a_listing_leaves_out_what_carries_half_a_mark() {
        let me = Deployment {
            account: "1".into(),
            region: "eu".into(),
            suffix: "dev".into(),
        };
        let owned = |pairs: &[(&str, &str)]| Owned {
            kind: "test/regional".into(),
            step: String::new(),
            id: String::new(),
            name: String::new(),
            tags: tags(pairs),
        };
        let split = |pairs: &[(&str, &str)]| {
            let (ours, undecided) = me.split(vec![owned(pairs)], |_| false);
            (ours.len(), undecided.len())
        };
        assert_eq!(split(&[SUFFIX, STEP, DEPLOYMENT]), (1, 0));
        assert_eq!(split(&[SUFFIX, STEP]), (1, 0));
        assert_eq!(split(&[SUFFIX]), (0, 0));
        assert_eq!(
            split(&[SUFFIX, STEP, (MARK_DEPLOYMENT, "1/us/dev")]),
            (0, 0)
        );
        assert_eq!(me.mark(&tags(&[SUFFIX, STEP]), true), Extent::Part);
    }

    #[test]
    fn another_step_of_the_same_deployment_is_told_from_another_deployment() {
        let me = identity();
        assert!(me.same_deployment(&tags(&[SUFFIX, (MARK_STEP, "key"), DEPLOYMENT])));
        assert!(me.same_deployment(&tags(&[SUFFIX, (MARK_STEP, "key")])));
        assert!(!me.same_deployment(&tags(&[SUFFIX])));
        let other = (MARK_DEPLOYMENT, "1/us/dev");
        assert!(!me.same_deployment(&tags(&[SUFFIX, (MARK_STEP, "key"), other])));
    }
}

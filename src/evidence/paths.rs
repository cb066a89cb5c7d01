//! What the network lets through, as it was read, beside what the configuration asks for.

use super::Sources;
use crate::blueprint::reachability::{Net, Path, matters};
use crate::engine::observe::Observed;
use serde::Serialize;
use std::collections::BTreeSet;

/// Open ways.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Paths {
    /// Open, and asked for.
    pub open: BTreeSet<Path>,
    /// Open, and not asked for.
    pub extra: BTreeSet<Path>,
    /// Asked for, and closed.
    pub closed: BTreeSet<Path>,
    /// Nothing can be said: something on the way was not read.
    pub unknown: BTreeSet<Path>,
}

impl Paths {
    /// From what was read. Only environments that are recorded count as asked for.
    pub fn of(from: &Sources<'_>) -> Self {
        let recorded = |env: &str| from.state.steps.values().any(|r| r.scope == env);
        let there = |path: &Path| {
            ["blue", "green"].into_iter().all(|env| {
                let end = format!(" of {env}");
                recorded(env) || !(path.from.ends_with(&end) || path.to.ends_with(&end))
            })
        };
        let wanted = Net::wanted(from.graph, from.lists).open().paths;
        let wanted: BTreeSet<Path> = wanted.into_iter().filter(there).collect();
        let found = from.seen.iter().filter_map(|(step, found)| match found {
            // A thing that lost its mark lets packets through all the same.
            Observed::Found(live) | Observed::Foreign(live, _) => Some((step, live)),
            _ => None,
        });
        let kind = |step: &str| {
            let step = from.graph.get(step);
            step.map(|s| s.kind.as_str()).filter(|k| matters(k))
        };
        let found: Vec<_> = found
            .filter_map(|(step, live)| Some((step, kind(step)?, live)))
            .collect();
        let ids = found.iter().filter_map(|(step, kind, live)| {
            let id = live.outputs.get("id")?.as_str()?;
            Some((step.as_str(), *kind, id))
        });
        let specs = found.iter();
        let specs = specs.map(|(step, _, live)| ((*step).clone(), live.spec.clone()));
        let live = Net::live(specs, ids, from.lists).open();
        let seen: BTreeSet<Path> = live.unknown.iter().chain(&live.paths).cloned().collect();
        // A group whose rules were not read makes nobody's way known.
        let unread: BTreeSet<Path> = wanted
            .iter()
            .filter(|p| !seen.contains(*p) && !is_read(from, p))
            .cloned()
            .collect();
        let unknown: BTreeSet<Path> = live.unknown.union(&unread).cloned().collect();
        Self {
            extra: live.paths.difference(&wanted).cloned().collect(),
            closed: wanted
                .iter()
                .filter(|p| !live.paths.contains(*p) && !unknown.contains(*p))
                .cloned()
                .collect(),
            open: live.paths.intersection(&wanted).cloned().collect(),
            unknown,
        }
    }
}

/// True when the rules of both ends were read.
fn is_read(from: &Sources<'_>, path: &Path) -> bool {
    [&path.from, &path.to].into_iter().all(|end| {
        let Some((group, env)) = end.split_once(" of ") else {
            return true;
        };
        let step = format!("security-group-{group}-rules-{env}");
        matches!(
            from.seen.get(&step),
            Some(Observed::Found(_) | Observed::Foreign(..))
        )
    })
}

//! Helpers for the listings of types: names that follow the convention, and marks.

use super::Tags;
use crate::aws::Aws;
use crate::engine::ownership::{MARK_STEP, MARK_SUFFIX};
use crate::engine::{Error, Identity, Owned};
use futures::future::{BoxFuture, try_join_all};
use std::collections::BTreeMap;

/// True when a name follows the convention `{thing}-{env}-{suffix}`, alone or as a part of a path, perhaps with the four
/// digits that tell a thing from its replacement: only then are its tags worth a call.
pub(super) fn is_conventional(name: &str, suffix: &str) -> bool {
    let end = format!("-{suffix}");
    let bare = |part: &'_ str| match part.rsplit_once('-') {
        Some((head, digits)) if digits.len() == 4 => {
            let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
            hex && head.ends_with(&end)
        }
        _ => false,
    };
    name.split('/')
        .any(|part| part.ends_with(&end) || bare(part))
}

/// True when these tags are those of a thing of this identity's deployment, whatever its step.
pub(super) fn of_deployment(identity: &Identity, tags: &Tags) -> bool {
    let suffix = identity.tags.get(MARK_SUFFIX);
    suffix.is_some() && tags.get(MARK_SUFFIX) == suffix && tags.contains_key(MARK_STEP)
}

/// True when these tags are those of a thing of the deployment whose mark `own` carries, whatever the steps of both.
pub(super) fn same_deployment(own: &Tags, tags: &Tags) -> bool {
    let suffix = own.get(MARK_SUFFIX);
    suffix.is_some() && tags.get(MARK_SUFFIX) == suffix && tags.contains_key(MARK_STEP)
}

/// The thing, when its tags carry this deployment's mark.
pub(super) fn marked(
    kind: &str,
    id: &str,
    name: &str,
    tags: BTreeMap<String, String>,
    suffix: &str,
) -> Option<Owned> {
    if tags.get(MARK_SUFFIX).map(String::as_str) != Some(suffix) {
        return None;
    }
    Some(Owned {
        kind: kind.to_owned(),
        step: tags.get(MARK_STEP)?.clone(),
        id: id.to_owned(),
        name: name.to_owned(),
        tags,
    })
}

/// Asks a service for the tags of one thing, by its ARN; `None` when it went away since it was listed.
pub(super) type AskTags =
    for<'a> fn(&'a Aws, &'a str) -> BoxFuture<'a, Result<Option<Tags>, Error>>;

/// The marked ones of those that a listing answered without their tags, as (name, ARN): only names that can be ours are
/// asked for them.
pub(super) async fn marked_of(
    cx: &Aws,
    kind: &str,
    suffix: &str,
    all: Vec<(String, String)>,
    ask: AskTags,
) -> Result<Vec<Owned>, Error> {
    let mut asks = Vec::new();
    for (name, arn) in all.iter().filter(|(name, _)| is_conventional(name, suffix)) {
        asks.push(async move {
            let known = match cx.recent.get(arn).await {
                Some(tags) => Some(tags),
                None => ask(cx, arn).await?,
            };
            Ok::<_, Error>(known.and_then(|tags| marked(kind, arn, name, tags, suffix)))
        });
    }
    let all = try_join_all(asks).await?;
    Ok(all.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_deployment_are_suspects() {
        for name in [
            "data-green-dev",
            "alias/data-green-dev",
            "/aws/rds/cluster/aurora-green-dev/postgresql",
            "pay-green-dev-0af3",
        ] {
            assert!(is_conventional(name, "dev"), "{name}");
        }
        for name in [
            "data-green-dev2",
            "dev",
            "data-green-dev-x",
            "pay-green-dev-long",
            "/aws/dev/x",
        ] {
            assert!(!is_conventional(name, "dev"), "{name}");
        }
    }
}

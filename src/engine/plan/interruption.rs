//! What a plan interrupts and for how long, as far as the type of a step tells.

use crate::engine::diff::Change;
use crate::engine::driver::{Meta, Nature};
use crate::engine::event::Verb;
use serde::Serialize;

/// One interruption of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interruption {
    /// The field whose change causes it; null for a replacement or a removal.
    pub field: Option<String>,
    /// What happens and for how long.
    pub text: String,
}

/// What a change in place interrupts.
pub(super) fn interruptions(meta: &Meta, verb: Verb, changes: &[Change]) -> Vec<Interruption> {
    let mut out: Vec<Interruption> = Vec::new();
    if !matches!(verb, Verb::Update | Verb::Adopt) {
        return out;
    }
    let upgrade = meta.upgrade.as_ref();
    let upgrade = upgrade.filter(|u| changes.iter().any(|c| c.field() == u.field));
    let part = |c: &Change| upgrade.is_some_and(|u| u.with.contains(&c.field()));
    // What is added takes nothing away from anybody.
    for change in changes.iter().filter(|c| !is_added(c) && !part(c)) {
        let field = change.field();
        let text = meta.interrupts.iter().find(|(name, _)| *name == field);
        let known = out.iter().any(|i| i.field.as_deref() == Some(field));
        if let (Some((_, text)), false) = (text, known) {
            out.push(Interruption {
                field: Some(field.to_owned()),
                text: (*text).to_owned(),
            });
        }
    }
    out
}

/// What a replacement interrupts that deletes first: until the new one is there, there is none.
pub(super) fn replacement(meta: &Meta, (create, delete): (f64, f64)) -> Vec<Interruption> {
    if meta.nature == Nature::SubResource {
        return Vec::new();
    }
    let text = format!(
        "it does not exist from its deletion until it is made again, about {}",
        minutes(create + delete)
    );
    vec![Interruption { field: None, text }]
}

fn minutes(seconds: f64) -> String {
    if seconds < 90.0 {
        format!("{} s", seconds.round().max(1.0))
    } else {
        format!("{} min", (seconds / 60.0).ceil())
    }
}

/// True for an entry of a map or an element of a set that is new.
fn is_added(change: &Change) -> bool {
    change.path.len() == 2 && change.have.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::diff::Path;
    use serde_json::json;

    const META: Meta = Meta {
        interrupts: &[("port", "30 s"), ("rules", "some stop")],
        ..Meta::plain("test/any")
    };

    fn change<const N: usize>(path: [&str; N], want: bool, have: bool) -> Change {
        Change {
            path: Path::of(path),
            want: want.then(|| json!(1)),
            have: have.then(|| json!(2)),
        }
    }

    #[test]
    fn a_change_interrupts_by_its_field_once_and_what_is_added_does_not() {
        let of = |verb, changes: &[Change]| interruptions(&META, verb, changes);
        let all = [
            change(["port"], true, true),
            change(["rules", "a"], true, false),
            change(["other"], true, true),
        ];
        let found = of(Verb::Update, &all);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].field.as_deref(), Some("port"));
        let removed = [
            change(["rules", "a"], false, true),
            change(["rules", "b"], false, true),
        ];
        assert_eq!(of(Verb::Update, &removed).len(), 1);
        assert!(of(Verb::Create, &all).is_empty());
        let replaced = replacement(&META, (60.0, 40.0));
        assert_eq!(
            replaced[0].text,
            "it does not exist from its deletion until it is made again, about 2 min"
        );
    }
}

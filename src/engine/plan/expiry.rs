//! What AWS deletes by itself after a change in place: data that is older, or more, than what is kept from then on.

use crate::engine::diff::Change;
use crate::engine::driver::Meta;
use serde_json::Value;

/// What goes with these changes, in words.
pub(super) fn expired(meta: &Meta, changes: &[Change]) -> Option<String> {
    let goes = |(name, text): &(&str, &str)| {
        let less = changes.iter().any(|c| keeps_less(c, name));
        less.then(|| format!("{name}: {text}"))
    };
    let all: Vec<String> = meta.expires.iter().filter_map(goes).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// True when a change makes a limit of this name lower, or sets one where there was none.
fn keeps_less(change: &Change, name: &str) -> bool {
    let limit = |value: &Option<Value>| {
        let value = value.as_ref()?;
        value.get(name).unwrap_or(value).as_f64()
    };
    let mut parts = (0..).map_while(|at| change.path.at(at));
    let named = parts.any(|part| part == name);
    let within = change.want.as_ref().is_some_and(|w| w.get(name).is_some());
    if !named && !within {
        return false;
    }
    match (limit(&change.want), limit(&change.have)) {
        (Some(want), Some(have)) => want < have,
        (want, None) => want.is_some(),
        (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::diff::Path;
    use serde_json::json;

    const META: Meta = Meta {
        expires: &[("days", "what is older goes")],
        ..Meta::plain("test/log")
    };

    fn change<const N: usize>(path: [&str; N], have: Value, want: Value) -> Change {
        let some = |value: Value| (!value.is_null()).then_some(value);
        Change {
            path: Path::of(path),
            want: some(want),
            have: some(have),
        }
    }

    #[test]
    fn what_is_kept_for_less_time_goes_and_what_is_kept_longer_stays() {
        let text = |change| expired(&META, &[change]);
        let goes = Some("days: what is older goes".to_owned());
        assert_eq!(text(change(["days"], json!(90), json!(30))), goes);
        assert_eq!(text(change(["days"], json!(null), json!(30))), goes);
        let nested = ["rules", "all", "days"];
        assert_eq!(text(change(nested, json!(400), json!(40))), goes);
        let rule = json!({"days": 40, "prefix": "a"});
        assert_eq!(text(change(["rules", "all"], json!(null), rule)), goes);
        let rule = json!({"days": null, "prefix": "a"});
        assert_eq!(text(change(["rules", "all"], json!(null), rule)), None);
        assert_eq!(text(change(["days"], json!(30), json!(90))), None);
        assert_eq!(text(change(["days"], json!(30), json!(null))), None);
        assert_eq!(text(change(["name"], json!(90), json!(30))), None);
    }
}

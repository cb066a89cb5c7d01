//! Attributes of load balancers, target groups and listeners: texts by key. A type holds only those that differ from what
//! AWS sets by itself, so that an attribute which AWS invents tomorrow is no difference.

use std::collections::BTreeMap;

/// Attributes that differ from their default.
pub type Attributes = BTreeMap<String, String>;

/// Keys with their defaults.
pub(super) type Defaults = &'static [(&'static str, &'static str)];

/// Of those that AWS shows, the ones that we know and that differ from their default.
pub(super) fn changed<'a>(
    shown: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>,
    defaults: Defaults,
) -> Attributes {
    let differs = |(key, value): (Option<&'a str>, Option<&'a str>)| {
        let (key, value) = (key?, value.unwrap_or_default());
        let (_, default) = defaults.iter().find(|(known, _)| *known == key)?;
        (value != *default).then(|| (key.to_owned(), value.to_owned()))
    };
    shown.filter_map(differs).collect()
}

/// What to send for these keys: the wanted value, else the default.
pub(super) fn to_send<'a>(
    wanted: &Attributes,
    keys: impl Iterator<Item = &'a str>,
    defaults: Defaults,
) -> Vec<(String, String)> {
    let value = |key: &'a str| {
        let default = defaults.iter().find(|(known, _)| *known == key);
        let wanted = wanted.get(key).map(String::as_str);
        let value = wanted.or(default.map(|(_, value)| *value))?;
        Some((key.to_owned(), value.to_owned()))
    };
    keys.filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: Defaults = &[("a", "1"), ("b", "")];

    #[test]
    fn only_what_differs_from_a_known_default_counts_and_goes_back_to_it() {
        let shown = [("a", "1"), ("b", "x"), ("new", "y")];
        let shown = shown.map(|(k, v)| (Some(k), Some(v)));
        let read = changed(shown.into_iter(), DEFAULTS);
        assert_eq!(read, BTreeMap::from([("b".into(), "x".into())]));
        let wanted = BTreeMap::from([("a".into(), "2".into())]);
        let sent = to_send(&wanted, ["a", "b"].into_iter(), DEFAULTS);
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(sent, [pair("a", "2"), pair("b", "")]);
    }
}

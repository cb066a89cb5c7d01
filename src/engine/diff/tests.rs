//! Examples, and properties of any two values.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn paths(want: Value, have: Value) -> Vec<String> {
    diff(&want, &have)
        .into_iter()
        .map(|c| c.path.to_string())
        .collect()
}

#[test]
fn arrays_compare_as_sets_and_name_the_element() {
    assert!(paths(json!({"z": ["a", "b"]}), json!({"z": ["b", "a"]})).is_empty());
    assert_eq!(
        paths(json!({"z": ["a", "b"]}), json!({"z": ["b", "c"]})),
        ["z[a]", "z[c]"]
    );
}

#[test]
fn null_missing_and_empty_are_the_same() {
    assert!(paths(json!({"a": null, "l": [], "m": {}}), json!({})).is_empty());
}

#[test]
fn order_matters_where_a_type_says_so_and_nowhere_else() {
    let both = |items: [&str; 11]| {
        let plain: Vec<String> = items.map(str::to_owned).into();
        json!({"set": plain, "list": Ordered(plain.clone())})
    };
    let straight = ["sh", "-c", "a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let mut swapped = straight;
    swapped.swap(0, 1);
    assert_eq!(paths(both(straight), both(swapped)), ["list.0", "list.1"]);
    let read: Ordered<String> = serde_json::from_value(both(straight)["list"].clone()).unwrap();
    assert_eq!(read.0, straight, "ten comes after nine");
}

#[test]
fn nested_changes_have_the_whole_path() {
    assert_eq!(
        paths(
            json!({"a": {"b": 1, "c": 2}}),
            json!({"a": {"b": 1, "c": 3}})
        ),
        ["a.c"]
    );
    assert!(paths(json!({"a": 16.0}), json!({"a": 16})).is_empty());
}

#[test]
fn extra_tags_show_unless_they_are_ignored() {
    let tags = |list: &[(&str, &str)]| {
        list.iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect::<BTreeMap<String, String>>()
    };
    let changes = diff_tags(
        &tags(&[("A", "1")]),
        &tags(&[("A", "2"), ("B", "x"), ("aws:cf", "y"), ("map-1", "z")]),
        &["map-*".into()],
    );
    let got: Vec<_> = changes
        .iter()
        .map(|c| (c.path.to_string(), c.is_extra()))
        .collect();
    assert_eq!(got, [("tags.A".into(), false), ("tags.B".into(), true)]);
}

/// What a type's struct can look like in JSON: texts, numbers, flags, sets and maps, with names that hold dots and brackets.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_i64..9).prop_map(Value::from),
        "[a-c.\\[\\]]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(
                inner
                    .clone()
                    .prop_filter("an element is something", |v| !v.is_null()),
                0..4
            )
            .prop_map(Value::from),
            prop::collection::btree_map("[a-c.\\[]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// What `have` is after the changes: an entry with a wish is set, an entry without one is taken away.
fn apply(have: &Value, changes: &[Change], at: usize) -> Value {
    if let [Change { path, want, .. }] = changes
        && path.len() == at
    {
        return want.clone().unwrap_or_default();
    }
    let is_set = changes
        .iter()
        .any(|c| matches!(c.path.0.get(at), Some(Segment::Element(_))));
    if is_set {
        let mut items = have.as_array().cloned().unwrap_or_default();
        for change in changes {
            match (&change.want, &change.have) {
                (Some(want), _) => items.push(want.clone()),
                (None, Some(have)) => {
                    let place = items.iter().position(|i| same(i, have)).unwrap();
                    items.remove(place);
                }
                (None, None) => {}
            }
        }
        return Value::Array(items);
    }
    let mut map = have.as_object().cloned().unwrap_or_default();
    let mut by_key: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    for change in changes {
        let key = change.path.at(at).unwrap().to_owned();
        by_key.entry(key).or_default().push(change.clone());
    }
    for (key, changes) in by_key {
        let before = map.get(&key).cloned().unwrap_or_default();
        map.insert(key, apply(&before, &changes, at + 1));
    }
    Value::Object(map)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_does_not_differ_from_itself(a in value()) {
        prop_assert_eq!(diff(&a, &a), []);
    }

    #[test]
    fn carrying_out_a_difference_leaves_none(want in value(), have in value()) {
        let changes = diff(&want, &have);
        let after = if changes.is_empty() { have } else { apply(&have, &changes, 0) };
        prop_assert_eq!(diff(&want, &after), [], "after {}", after);
    }

    #[test]
    fn both_directions_name_the_same_places(a in value(), b in value()) {
        let places = |x: &Value, y: &Value| {
            let mut all: Vec<Path> = diff(x, y).into_iter().map(|c| c.path).collect();
            all.sort();
            all
        };
        prop_assert_eq!(places(&a, &b), places(&b, &a));
    }

    #[test]
    fn the_order_of_a_set_says_nothing(items in prop::collection::vec(value(), 0..5)) {
        let mut turned = items.clone();
        turned.reverse();
        prop_assert_eq!(diff(&Value::from(items), &Value::from(turned)), []);
    }
}

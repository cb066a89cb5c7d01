//! What every type has to say about itself.

use super::{Listed, Resource, SubResource};
use crate::engine::{Meta, Nature, fields};
use std::collections::{BTreeMap, BTreeSet};

/// The members of an answer of AWS: whoever reads it says of each what becomes of it, also of one that a new SDK adds.
pub(super) fn members(it: &impl std::fmt::Debug) -> Vec<String> {
    let text = format!("{it:#?}");
    let lines = text.lines().filter_map(|line| line.strip_prefix("    "));
    let named = lines.filter(|line| !line.starts_with([' ', '}', ']', ')']));
    named
        .filter_map(|line| Some(line.split_once(':')?.0.to_owned()))
        .collect()
}

/// A type as the tests need it.
struct Type {
    meta: Meta,
    fields: &'static [&'static str],
    outputs: &'static [&'static str],
    named_by: &'static [&'static str],
    listed: Option<Listed>,
}

fn thing<R: Resource>() -> Type
where
    R::Outputs: serde::de::DeserializeOwned,
{
    Type {
        meta: super::facts::meta::<R>(),
        fields: fields::<R>(),
        outputs: fields::<R::Outputs>(),
        named_by: R::NAMED_BY,
        listed: Some(R::FACTS.listed),
    }
}

fn part<S: SubResource>() -> Type {
    Type {
        meta: super::facts::sub_meta::<S>(),
        fields: fields::<S>(),
        outputs: fields::<S::Outputs>(),
        named_by: S::NAMED_BY,
        listed: None,
    }
}

fn types() -> Vec<Type> {
    use super::*;
    macro_rules! list {
        (things { $($thing:ty,)* } parts { $($part:ty,)* }) => {
            vec![$(thing::<$thing>(),)* $(part::<$part>(),)*]
        };
    }
    kinds!(list)
}

/// What others can hang on a type is written down for every type.
#[test]
fn the_table_of_what_others_add_names_every_type() {
    let table = include_str!("README.md").lines();
    let cells = table.filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let patterns: Vec<&str> = cells
        .flat_map(|cell| cell.split(','))
        .map(|one| one.trim().trim_matches('`'))
        .collect();
    assert!(patterns.len() > 30, "{patterns:?}");
    let kinds: Vec<&str> = types().iter().map(|kind| kind.meta.kind).collect();
    let names = |pattern: &str, kind: &str| crate::engine::matches(pattern, kind);
    for kind in &kinds {
        let named = patterns.iter().any(|pattern| names(pattern, kind));
        assert!(named, "{kind} is in no row");
    }
    for pattern in patterns {
        assert!(kinds.iter().any(|kind| names(pattern, kind)), "{pattern}");
    }
}

#[test]
fn every_field_that_a_type_names_is_one_of_its_fields() {
    for kind in types() {
        let meta = &kind.meta;
        let delegated: Vec<&str> = meta.delegated.iter().map(|d| d.field).collect();
        let interrupts: Vec<&str> = meta.interrupts.iter().map(|(field, _)| *field).collect();
        let protection = meta.retention.protection;
        let upgraded = meta.upgrade.map(|upgrade| upgrade.field);
        let with = meta.upgrade.map(|upgrade| upgrade.with);
        let rule = fields::<super::s3::Rule>();
        let limits = meta.expires.iter().map(|(field, _)| field);
        let expires: Vec<&str> = limits.copied().filter(|f| !rule.contains(f)).collect();
        for list in [
            &expires,
            meta.fixed,
            meta.stands_in,
            meta.takes_along,
            &interrupts,
            meta.write_only,
            meta.watched,
            kind.named_by,
            &delegated,
            protection.as_slice(),
            meta.retention.final_snapshot.unwrap_or_default(),
            upgraded.as_slice(),
            with.unwrap_or_default(),
        ] {
            for name in list {
                assert!(
                    kind.fields.contains(name),
                    "{} has no field `{name}`",
                    meta.kind
                );
            }
        }
        for (name, by) in meta.changing {
            assert!(
                kind.outputs.contains(name),
                "{} has no output `{name}`",
                meta.kind
            );
            for field in *by {
                assert!(
                    kind.fields.contains(field),
                    "{} has no field `{field}`",
                    meta.kind
                );
            }
        }
        assert!(
            !kind.outputs.is_empty(),
            "{}: others must be able to refer to it",
            meta.kind
        );
    }
}

/// The fields that calls are decided by stand as texts in the sources: `touches("..")`, `members(delta, "..")`.
#[test]
fn every_field_that_an_update_asks_for_is_one_of_the_fields_of_its_service() {
    let mut by_service: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for kind in types() {
        let service = kind.meta.kind.split('/').next().unwrap();
        by_service.entry(service).or_default().extend(kind.fields);
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resources");
    let mut seen = 0;
    for (service, fields) in by_service {
        for text in sources(&root.join(service)) {
            let text = text.split("#[cfg(test)]").next().unwrap();
            for call in [
                "touches(\"",
                "members(delta, \"",
                "entries(\"",
                "field() == \"",
                "word(\"",
            ] {
                for rest in text.split(call).skip(1) {
                    let name = rest.split('"').next().unwrap();
                    assert!(
                        fields.contains(name),
                        "{service}: no type has a field `{name}`"
                    );
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 30, "the sources are looked at: {seen}");
}

fn sources(folder: &std::path::Path) -> Vec<String> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(sources(&path));
        } else {
            out.push(std::fs::read_to_string(path).unwrap());
        }
    }
    out
}

#[test]
fn what_is_tagged_is_listed_and_one_search_shows_all_of_ec2() {
    let mut searches = Vec::new();
    for kind in types() {
        let Some(listed) = kind.listed else { continue };
        let name = kind.meta.kind;
        match listed {
            Listed::Ec2Tags => {
                assert!(name.starts_with("ec2/"), "{name}");
                assert_eq!(kind.meta.listing, "ec2/*", "{name}");
            }
            Listed::Service(what, _) => searches.push(what),
            Listed::WithParent => assert_eq!(kind.meta.nature, Nature::ByParent, "{name}"),
            Listed::ByName => assert_eq!(kind.meta.nature, Nature::Tagged, "{name}"),
            Listed::Own(_) => assert!(!name.starts_with("ec2/"), "{name}"),
        }
    }
    assert_eq!(searches, ["ec2/*"]);
}

#[test]
fn an_old_record_of_outputs_is_read() {
    let old =
        serde_json::json!({"name": "rate-limits-green-dev", "arn": "arn:x", "stream_arn": null});
    let read: super::dynamodb::TableOutputs = serde_json::from_value(old).unwrap();
    assert!(read.stream_arn.is_unknown());
    let new = serde_json::to_value(&read).unwrap();
    assert!(
        new.get("stream_arn").is_none(),
        "nothing empty is recorded: {new}"
    );
}

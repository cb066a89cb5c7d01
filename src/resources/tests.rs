//! What every type has to say about itself.

use super::{Cost, Listed, Resource, SubResource};
use crate::blueprint::{Facts as Account, build};
use crate::config::Config;
use crate::engine::{Meta, Nature, fields};
use std::collections::{BTreeMap, BTreeSet};

/// A type as the tests need it.
struct Type {
    meta: Meta,
    fields: &'static [&'static str],
    outputs: &'static [&'static str],
    named_by: &'static [&'static str],
    cost: Option<fn(&serde_json::Value) -> Cost>,
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
        cost: Some(|spec| (R::FACTS.cost)(&serde_json::from_value(spec.clone()).unwrap())),
        listed: Some(R::FACTS.listed),
    }
}

fn part<S: SubResource>() -> Type {
    Type {
        meta: super::facts::sub_meta::<S>(),
        fields: fields::<S>(),
        outputs: fields::<S::Outputs>(),
        named_by: S::NAMED_BY,
        cost: None,
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

#[test]
fn every_field_that_a_type_names_is_one_of_its_fields() {
    for kind in types() {
        let meta = &kind.meta;
        let delegated: Vec<&str> = meta.delegated.iter().map(|d| d.field).collect();
        let interrupts: Vec<&str> = meta.interrupts.iter().map(|(field, _)| *field).collect();
        for list in [
            meta.fixed,
            &interrupts,
            meta.write_only,
            meta.watched,
            kind.named_by,
            &delegated,
        ] {
            for name in list {
                assert!(
                    kind.fields.contains(name),
                    "{} has no field `{name}`",
                    meta.kind
                );
            }
        }
        for name in meta.changing {
            assert!(
                kind.outputs.contains(name),
                "{} has no output `{name}`",
                meta.kind
            );
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
            Listed::Ec2Tags => assert!(name.starts_with("ec2/"), "{name}"),
            Listed::Service(what, _) => searches.push(what),
            Listed::WithParent => assert_eq!(kind.meta.nature, Nature::ByParent, "{name}"),
            Listed::ByName => assert_eq!(kind.meta.nature, Nature::Tagged, "{name}"),
            Listed::Own(_) => assert!(!name.starts_with("ec2/"), "{name}"),
        }
    }
    assert_eq!(searches, ["ec2/*"]);
}

/// The fixed part of the worked totals: eight endpoints over three zones, an attachment, two keys, the secret, a load
/// balancer with three addresses, a health check of an endpoint and a calculated one, a web ACL of six rules, the bridge's
/// endpoint over three zones and its network balancer; and, counted from the graph, the metrics of alarms, the alarm over all and the dashboards.
#[test]
fn what_an_environment_costs_unused_is_the_sum_of_its_types() {
    let graph = build(&Config::default(), &Account::sample()).unwrap();
    let types = types();
    let monthly = |scope: &str| -> f64 {
        let steps = graph.steps.iter().filter(|s| s.scope == scope);
        let costs = steps.filter_map(|s| {
            let kind = types.iter().find(|t| t.meta.kind == s.kind)?;
            Some((kind.cost?)(&s.spec).monthly)
        });
        costs.sum()
    };
    let expected = 8.0 * 3.0 * 8.76 + 43.80 + 2.0 + 0.40 + 19.71 + 3.0 * 3.65 + 2.50 + 0.50 + 11.0;
    let expected = expected + 3.0 * 8.76 + 19.71;
    for scope in ["blue", "green"] {
        let steps = || graph.steps.iter().filter(|s| s.scope == scope);
        let count = |kind: &str| steps().filter(|s| s.kind == kind).count() as f64;
        let lines = steps().filter(|s| s.kind == "cloudwatch/alarm").map(|s| {
            let queries = s.spec["queries"].as_object().unwrap().values();
            queries.filter(|q| q["metric"].is_object()).count().max(1) as f64
        });
        let watching = 0.10 * lines.sum::<f64>()
            + 0.50 * count("cloudwatch/composite_alarm")
            + 3.0 * count("cloudwatch/dashboard")
            // Of alarms.
            + 0.50 * (count("route53/health_check") - 2.0)
            // The hash key of the migration.
            + 0.40 * count("secretsmanager/secret");
        let expected = expected + watching;
        assert!(
            (monthly(scope) - expected).abs() < 0.05,
            "{}",
            monthly(scope)
        );
    }
    // A key for shared data and one for shared logs.
    assert_eq!(monthly("shared"), 2.0);
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

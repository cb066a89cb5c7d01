use super::super::calls::CallTotals;
use super::super::json::Document;
use super::super::json::runs::{ApplyDocument, DestroyDocument};
use super::super::*;
use super::{denied, drifted, ran, record};
use crate::engine::drift::Unlisted;
use crate::state::{Stage, State};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A document without the three keys that every one has.
fn parsed<D: Document>(document: &D) -> Value {
    let text = super::super::json::text(document, Some("abc")).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    as_reported(&document);
    for common in ["deployer", "written", "configuration_digest"] {
        document.as_object_mut().unwrap().remove(common).unwrap();
    }
    document
}

/// The third column of a document's row in `SCHEMA.md`.
fn row(schema: &str) -> &'static str {
    let prose = include_str!("../SCHEMA.md");
    let cell = format!("| `{schema}` |");
    let found = prose.lines().find(|line| line.contains(&cell));
    let line = found.unwrap_or_else(|| panic!("no row of {schema}"));
    line.split('|').nth(3).unwrap().trim()
}

/// The keys that an item of a row has, and in braces those of what is in it.
fn reported(schema: &str) -> BTreeMap<String, Option<Vec<String>>> {
    let mut out = BTreeMap::new();
    let (mut depth, mut item, mut items) = (0, String::new(), Vec::new());
    for c in row(schema).chars().chain([';']) {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            ';' if depth == 0 => {
                items.push(std::mem::take(&mut item));
                continue;
            }
            _ => {}
        }
        item.push(c);
    }
    for item in items {
        let mut rest = item.trim();
        let mut names = Vec::new();
        while let Some((name, more)) = rest.strip_prefix('`').and_then(|r| r.split_once('`')) {
            names.push(name.to_owned());
            rest = more.trim_start_matches(", ");
        }
        let inner = rest.trim().trim_start_matches('[').strip_prefix('{');
        let inner = inner.filter(|i| !i.contains(": n}") && !i.contains("name: value"));
        let inner = inner.and_then(|i| i.split('}').next()).map(|i| {
            let words = i.split(", ").map(|w| w.split(':').next().unwrap_or(w));
            words.map(str::to_owned).collect()
        });
        for name in names {
            out.insert(name, inner.clone());
        }
    }
    out
}

/// `SCHEMA.md` tells exactly the keys that the document has, one level deep; `key?` may be absent.
fn as_reported(document: &Value) {
    let schema = document["schema"].as_str().unwrap();
    let reported = reported(schema);
    let common: &[&str] = if row(schema).contains("no common keys") {
        &["schema", "deployer", "written", "configuration_digest"]
    } else {
        &[
            "schema",
            "deployer",
            "written",
            "configuration_digest",
            "suffix",
            "account",
            "region",
            "scope",
        ]
    };
    let has: Vec<&str> = keys(document);
    let own: Vec<&str> = has
        .iter()
        .copied()
        .filter(|k| !common.contains(k))
        .collect();
    assert!(common.iter().all(|k| has.contains(k)), "{schema}: {has:?}");
    assert_eq!(
        own,
        reported.keys().map(String::as_str).collect::<Vec<_>>(),
        "{schema}"
    );
    for (key, inner) in reported {
        let Some(inner) = inner else { continue };
        let examples: Vec<&Value> = match &document[&key] {
            Value::Array(all) => all.iter().collect(),
            one => vec![one],
        };
        for example in examples.into_iter().filter(|e| e.is_object()) {
            for has in keys(example) {
                let known = |t: &String| t.trim_end_matches('?') == has;
                assert!(inner.iter().any(known), "{schema}: {key}.{has}");
            }
            for must in inner.iter().filter(|t| !t.ends_with('?')) {
                assert!(example.get(must).is_some(), "{schema}: {key}.{must}");
            }
        }
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// A change of these lists breaks readers of the documents: add keys at will, and count the version up for anything else.
#[test]
fn documents_keep_their_keys() {
    let home = || DeploymentRef {
        suffix: "dev".into(),
        account: "1".into(),
        region: "r".into(),
        scope: Some("green".into()),
    };
    let (plan, report) = ran();
    let document = parsed(&PlanDocument::new(home(), &plan));
    assert_eq!(document["schema"], "deployer.plan/3");
    assert_eq!(
        keys(&document),
        [
            "account",
            "attention",
            "cost",
            "delegated",
            "forget",
            "kept",
            "locked_by",
            "notes",
            "problems",
            "region",
            "schema",
            "scope",
            "steps",
            "suffix",
            "summary",
            "unchanged",
            "vanished",
            "waiting"
        ]
    );
    assert_eq!(
        keys(&document["steps"][0]),
        [
            "action",
            "changes",
            "holds_data",
            "interrupts",
            "kind",
            "known_after_apply",
            "loss",
            "name",
            "reasons",
            "refused",
            "restore",
            "scope",
            "seconds",
            "service",
            "step",
            "tags",
            "values"
        ]
    );
    assert_eq!(document["steps"].as_array().unwrap().len(), 6);
    assert_eq!(
        document["summary"],
        json!({"create": 2, "adopt": 1, "update": 1, "replace": 1, "delete": 1, "unchanged": 1, "refused": 0})
    );

    let run = || RunDocument::new(home(), &plan, &report, CallTotals::default());
    let own = |document: &Value, more: &[&str]| {
        let mut all = vec![
            "account", "calls", "complete", "notes", "problems", "region", "schema", "scope",
            "seconds", "steps", "suffix", "summary",
        ];
        all.extend(more);
        all.sort_unstable();
        assert_eq!(keys(document), all);
    };
    let outputs = BTreeMap::from([("green.vpc_id".to_owned(), json!("vpc-1"))]);
    let document = parsed(&run().apply(outputs.clone(), Vec::new(), Vec::new()));
    own(&document, &["attention", "kept", "outputs"]);
    assert_eq!(
        document["steps"][4]["error"]["code"],
        "UnauthorizedOperation"
    );
    assert_eq!(document["steps"][5]["blocked_by"], "bucket-green");
    assert_eq!(document["complete"], false);
    // Half of the outputs would be taken for all of them.
    assert_eq!(document["outputs"], Value::Null);
    let complete = RunDocument {
        complete: true,
        ..run()
    };
    assert_eq!(
        parsed(&complete.apply(outputs, Vec::new(), Vec::new()))["outputs"]["green.vpc_id"],
        "vpc-1"
    );
    let one = || Marked {
        kind: "rds/cluster_snapshot".into(),
        id: "snapshot-aurora-green-dev-20261128-043743".into(),
        step: "snapshot-aurora-green-dev-20261128-043743".into(),
    };
    let document = parsed(&run().destroy(DestroyRemains {
        kept: vec![one()],
        needed: vec![one()],
        remove_with: Some("deployer destroy --destroy-data".into()),
        leftovers: vec![one()],
        unlisted: vec![Unlisted {
            kind: "kms/key".into(),
            error: denied(),
        }],
    }));
    own(
        &document,
        &["kept", "leftovers", "needed", "remove_with", "unlisted"],
    );

    let document = parsed(&DriftDocument::new(
        home(),
        drifted(),
        CallTotals::default(),
    ));
    assert_eq!(
        keys(&document),
        [
            "accepted",
            "account",
            "authors",
            "calls",
            "complete",
            "differs",
            "event_history",
            "findings",
            "locked_by",
            "notes",
            "region",
            "rules",
            "schema",
            "scope",
            "steps",
            "suffix",
            "summary",
            "unlisted",
            "unmanaged"
        ]
    );
    assert_eq!(
        document["steps"][1]["changes"][0],
        json!({"path": "cidr", "want": "10.0.0.0/16", "have": "10.1.0.0/16"})
    );
    assert_eq!(document["steps"][1]["status"], "changed");

    let mut state = State::empty("dev", "r");
    state.steps.insert("vpc-green".into(), record(Stage::Ready));
    state
        .steps
        .insert("subnet-green".into(), record(Stage::Creating));
    let document = parsed(&StatusDocument::new(home(), &state, None));
    assert_eq!(
        keys(&document),
        [
            "account",
            "attention",
            "counts",
            "last_run",
            "locked_by",
            "region",
            "schema",
            "scope",
            "serial",
            "suffix",
            "unfinished"
        ]
    );
    assert_eq!(
        document["counts"],
        json!({"green": {"ready": 1, "creating": 1}})
    );
    let document = parsed(&StateListDocument {
        home: home(),
        steps: StateRow::all(&state, None),
    });
    assert_eq!(
        keys(&document["steps"][0]),
        ["at", "kind", "name", "outputs", "scope", "stage", "step"]
    );
    assert_eq!(
        parsed(&StateShowDocument {
            step: "x".into(),
            record: record(Stage::Ready)
        })["schema"],
        "deployer.state-show/1"
    );
    assert_eq!(
        keys(&parsed(&SandboxDocument::default())),
        [
            "data_plane",
            "endpoint",
            "folder",
            "latency",
            "log",
            "pid",
            "running",
            "schema",
            "started"
        ]
    );
    assert_eq!(
        keys(&parsed(&OutputsDocument {
            home: home(),
            outputs: BTreeMap::new()
        })),
        ["account", "outputs", "region", "schema", "scope", "suffix"]
    );
    parsed(&RebuildDocument {
        home: home(),
        recorded: vec!["vpc-green".into()],
        unrecorded: vec![Marked {
            kind: "ec2/vpc".into(),
            id: "vpc-1".into(),
            step: "vpc-old".into(),
        }],
        unlisted: Vec::new(),
    });
    parsed(&UnlockDocument { removed: None });
    let mut notice = Notice::new("apply", home());
    notice.ran(&plan, &report);
    parsed(&notice);
    parsed(&TextDocument::new("text"));
    assert_eq!(
        keys(&parsed(&ErrorDocument {
            exit_code: 3,
            message: "m".into(),
            hint: None
        })),
        ["exit_code", "hint", "message", "schema"]
    );
}

#[test]
fn the_prose_of_the_schemas_names_every_document() {
    let prose = include_str!("../SCHEMA.md");
    for schema in [
        PlanDocument::SCHEMA,
        ApplyDocument::SCHEMA,
        DestroyDocument::SCHEMA,
        DriftDocument::SCHEMA,
        StatusDocument::SCHEMA,
        OutputsDocument::SCHEMA,
        StateListDocument::SCHEMA,
        StateShowDocument::SCHEMA,
        RebuildDocument::SCHEMA,
        UnlockDocument::SCHEMA,
        TextDocument::SCHEMA,
        SandboxDocument::SCHEMA,
        ErrorDocument::SCHEMA,
        Notice::SCHEMA,
        "deployer.graph/1",
    ] {
        assert!(prose.contains(&format!("`{schema}`")), "{schema}");
    }
}

#[test]
fn every_class_of_an_error_is_in_the_schema() {
    let unknown = serde_json::from_value::<crate::engine::Class>(json!("?"));
    let known = unknown.unwrap_err().to_string();
    let (_, known) = known.split_once("expected one of ").unwrap();
    let prose = include_str!("../SCHEMA.md");
    for class in known.split(", ") {
        assert!(prose.contains(class), "{class}");
    }
}

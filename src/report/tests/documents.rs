use super::super::*;
use super::{drifted, ran, record};
use crate::state::{Stage, State};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn parsed<D: Document>(document: &D) -> Value {
    serde_json::from_str(&super::super::json::text(document).unwrap()).unwrap()
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
    let home = || Home {
        suffix: "dev".into(),
        account: "1".into(),
        region: "r".into(),
        scope: Some("green".into()),
    };
    let (plan, report) = ran();
    let document = parsed(&PlanDocument::new(home(), &plan));
    assert_eq!(document["schema"], "deployer.plan/1");
    assert_eq!(
        keys(&document),
        [
            "account",
            "delegated",
            "forget",
            "notes",
            "problems",
            "region",
            "schema",
            "scope",
            "steps",
            "suffix",
            "summary",
            "unchanged"
        ]
    );
    assert_eq!(
        keys(&document["steps"][0]),
        [
            "action", "changes", "kind", "name", "reasons", "refused", "scope", "seconds",
            "service", "step"
        ]
    );
    assert_eq!(document["steps"].as_array().unwrap().len(), 6);
    assert_eq!(
        document["summary"],
        json!({"create": 2, "adopt": 1, "change": 1, "replace": 1, "delete": 1, "unchanged": 1})
    );

    let run = |text: Value| {
        assert_eq!(
            keys(&text),
            [
                "account", "calls", "complete", "notes", "outputs", "problems", "region", "schema",
                "scope", "seconds", "steps", "suffix", "summary"
            ]
        );
        text["schema"].clone()
    };
    let document = parsed(&RunDocument::<false>::new(
        home(),
        &plan,
        &report,
        CallTotals::default(),
        BTreeMap::new(),
    ));
    assert_eq!(
        document["steps"][4]["fault"]["code"],
        "UnauthorizedOperation"
    );
    assert_eq!(document["steps"][5]["blocked_by"], "bucket-green");
    assert_eq!(document["complete"], false);
    assert_eq!(run(document), "deployer.apply/1");
    assert_eq!(
        run(parsed(&RunDocument::<true>::new(
            home(),
            &plan,
            &report,
            CallTotals::default(),
            BTreeMap::new()
        ))),
        "deployer.destroy/1"
    );

    let document = parsed(&DriftDocument::new(
        home(),
        drifted(),
        CallTotals::default(),
    ));
    assert_eq!(
        keys(&document),
        [
            "account",
            "calls",
            "complete",
            "differs",
            "region",
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
            "counts",
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
            "endpoint", "folder", "latency", "log", "pid", "running", "schema", "started"
        ]
    );
    assert_eq!(
        keys(&parsed(&OutputsDocument {
            home: home(),
            outputs: BTreeMap::new()
        })),
        ["account", "outputs", "region", "schema", "scope", "suffix"]
    );
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
        RunDocument::<false>::SCHEMA,
        RunDocument::<true>::SCHEMA,
        DriftDocument::SCHEMA,
        StatusDocument::SCHEMA,
        OutputsDocument::SCHEMA,
        StateListDocument::SCHEMA,
        StateShowDocument::SCHEMA,
        SandboxDocument::SCHEMA,
        ErrorDocument::SCHEMA,
        "deployer.graph/1",
    ] {
        assert!(prose.contains(&format!("`{schema}`")), "{schema}");
    }
}

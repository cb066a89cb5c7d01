//! What waits for somebody is no difference, whatever of it is there already.

use super::super::*;
use super::support::*;
use crate::engine::driver::Live;
use crate::engine::graph::Builder;
use crate::engine::ownership::Mark;
use crate::state::Stage;
use serde_json::json;
use std::collections::BTreeMap;

#[test]
fn an_empty_part_of_a_thing_that_is_there_waits_with_what_it_refers_to() {
    let mut b = Builder::new();
    b.add(head("listener", "green"), Thing(json!({})));
    b.hold("delegation");
    let spec = json!({"targets": ["@{listener.id}"]});
    b.add(head("link", "green"), Part(spec));
    let graph = b.build().unwrap();
    let empty = Live {
        mark: Mark::Parent,
        ..live("link", json!({"targets": []}))
    };
    let seen = Observations::from([("link".to_owned(), Observed::Found(empty))]);
    let status = |state: &State| {
        let found = drift(Input {
            chosen: &[true, true],
            graph: &graph,
            scope: None,
            state,
            seen: &seen,
            owned: &[],
            undecided: &[],
            unlisted: Vec::new(),
            registry: &registry(),
            ignore_tags: &[],
            needed: &BTreeMap::new(),
        });
        (row(&found, "link").status, found.differs())
    };
    let mut state = State::empty("dev", "r");
    assert_eq!(status(&state), (Status::Waiting, false));
    // What was filled once and is empty now is a difference.
    let record = record("test/part", "green", "link", Stage::Ready);
    state.steps.insert("link".into(), record);
    assert_eq!(status(&state), (Status::Changed, true));
}

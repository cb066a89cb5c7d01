//! What is left after a run. Where a service lists tags and not things, a mark alone does not show that something is there: the tags
//! of what was deleted stay for a while (about an hour those of EC2's gateways and endpoints).

use super::drift::names;
use super::driver::{Key, Nature, Owned, Phase, Registry};
use super::error::{Error, MARKED_TWICE};
use super::exec::{Outcome, Report};
use super::graph::Graph;
use super::ownership::Ownership;
use super::plan::{Op, Plan};
use super::rebuild::by_mark;
use super::replaced::step_of;
use crate::state::State;
use futures::future::join_all;

/// True for what this run has deleted: the run waited until it was gone.
pub fn was_deleted(plan: &Plan, report: &Report, owned: &Owned) -> bool {
    let mut all = plan.nodes.iter().zip(&report.outcomes);
    all.any(|(node, (_, _, outcome))| {
        let live = node.live.as_ref();
        node.op == Op::Remove
            && *outcome == Outcome::Done
            && step_of(&node.step) == owned.step
            && live.is_some_and(|live| names(&live.outputs, owned))
    })
}

/// True for a listed thing that is there: one of a listing of tags when a read by its mark shows it, and not on its way out. What no
/// type of ours reads counts as there.
///
/// # Errors
/// When it cannot be read.
pub async fn is_there(graph: &Graph, owned: &Owned, registry: &Registry) -> Result<bool, Error> {
    // A listing of tags does not always say which type it is (that of an endpoint); the blueprint does.
    let step = graph.get(&owned.step).map(|s| s.kind.as_str());
    let mut kinds = [Some(owned.kind.as_str()), step].into_iter().flatten();
    let Some(driver) = kinds.find_map(|kind| registry.get(kind).ok()) else {
        return Ok(true);
    };
    let meta = driver.meta();
    // The listing of a type is one of things.
    if meta.nature != Nature::Tagged || meta.listing == meta.kind {
        return Ok(true);
    }
    let (spec, identity) = by_mark(graph, owned, meta.kind);
    let key = Key {
        spec: &spec,
        outputs: None,
        identity: &identity,
    };
    match driver.read(key).await {
        Ok(Some(live)) => {
            let owner = identity.owner(&live.mark, false, meta.global);
            let is_it = owner == Ownership::Ours && names(&live.outputs, owned);
            Ok(is_it && live.phase != Phase::Deleting)
        }
        Ok(None) => Ok(false),
        Err(error) if error.is_not_found() => Ok(false),
        // More than one is there.
        Err(error) if error.topic.as_deref() == Some(MARKED_TWICE) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Those of a listing that are recorded or there, or could not be read.
pub async fn confirmed(
    graph: &Graph,
    state: &State,
    listed: Vec<Owned>,
    registry: &Registry,
) -> Vec<Owned> {
    let looks = listed.into_iter().map(async |owned| {
        let mut records = state.steps.values();
        let there = records.any(|record| names(&record.outputs, &owned))
            || is_there(graph, &owned, registry).await.unwrap_or(true);
        there.then_some(owned)
    });
    join_all(looks).await.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::driver::{DeleteOptions, Delta, Driver, Identity, Live, Meta};
    use crate::engine::event::Verb;
    use crate::engine::graph::{Builder, Kind, StepMeta};
    use crate::engine::observe::{Observations, Observed};
    use crate::engine::ownership::{MARK_STEP, MARK_SUFFIX, Mark, Tags};
    use crate::engine::plan::{Users, teardown};
    use crate::state::{Record, Stage};
    use async_trait::async_trait;
    use serde::Serialize;
    use serde_json::{Value, json};
    use std::sync::Arc;

    #[derive(Serialize)]
    struct Gateway {}
    impl Kind for Gateway {
        const TYPE: &'static str = "test/gateway";
        type Outputs = ();
    }

    type Answer = Result<Option<Live>, Error>;

    /// Every read of it answers this.
    struct Answers(Meta, Answer);

    fn no<T>() -> Result<T, Error> {
        Err(Error::permanent("test", "nothing is written here"))
    }

    #[async_trait]
    impl Driver for Answers {
        fn meta(&self) -> &Meta {
            &self.0
        }
        async fn read(&self, _: Key<'_>) -> Answer {
            self.1.clone()
        }
        async fn create(&self, _: &Value, _: &Identity) -> Result<Value, Error> {
            no()
        }
        async fn update(&self, _: &Value, _: &Value, _: &Delta) -> Result<(), Error> {
            no()
        }
        async fn delete(&self, _: &Value, _: &Value, _: &DeleteOptions) -> Result<(), Error> {
            no()
        }
        async fn owned(&self, _: &str) -> Result<Vec<Owned>, Error> {
            no()
        }
    }

    fn tags() -> Tags {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        [pair(MARK_SUFFIX, "dev"), pair(MARK_STEP, "tgw")].into()
    }

    fn graph() -> Graph {
        let mut builder = Builder::new();
        let head = StepMeta {
            id: "tgw".into(),
            scope: "green".into(),
            name: "tgw-dev".into(),
            tags: tags(),
        };
        builder.add(head, Gateway {});
        builder.build().unwrap()
    }

    fn registry(answer: Answer) -> Registry {
        let mut registry = Registry::default();
        let meta = Meta {
            listing: "test/*",
            ..Meta::plain(Gateway::TYPE)
        };
        registry.add(Arc::new(Answers(meta, answer)));
        registry
    }

    fn live() -> Live {
        Live {
            spec: json!({}),
            mark: Mark::Tags(tags()),
            outputs: json!({"id": "tgw-1"}),
            phase: Phase::Ready,
        }
    }

    fn listed(kind: &str, id: &str) -> Owned {
        Owned {
            kind: kind.into(),
            step: "tgw".into(),
            id: id.into(),
            name: String::new(),
            tags: tags(),
        }
    }

    #[tokio::test]
    async fn a_mark_in_a_listing_shows_nothing_until_a_read_does() {
        let there = async |kind, answer| {
            is_there(&graph(), &listed(kind, "tgw-1"), &registry(answer)).await
        };
        let leaving = Live {
            phase: Phase::Deleting,
            ..live()
        };
        let theirs = Live {
            mark: Mark::Tags(Tags::new()),
            ..live()
        };
        let denied = Error::permanent("read", "no");
        let gone = Error::of(crate::engine::Class::Gone, "read", "gone");
        let twice = Error::marked_twice("tgw", &["tgw-1".into(), "tgw-2".into()]);
        for (answer, expected) in [
            (Ok(Some(live())), Ok(true)),
            (Ok(None), Ok(false)),
            (Ok(Some(leaving)), Ok(false)),
            (Ok(Some(theirs)), Ok(false)),
            (Err(gone), Ok(false)),
            (Err(twice), Ok(true)),
            (Err(denied.clone()), Err(denied)),
        ] {
            // The second one is what a listing of tags calls it: the blueprint knows its type.
            for kind in [Gateway::TYPE, "test/listed"] {
                assert_eq!(there(kind, answer.clone()).await, expected, "{kind}");
            }
        }
        let unknown = Owned {
            step: "other".into(),
            ..listed("test/listed", "x-1")
        };
        let there = is_there(&graph(), &unknown, &registry(Ok(None))).await;
        assert_eq!(there, Ok(true), "nobody can read it");
        let mut own = Registry::default();
        let meta = Meta::plain(Gateway::TYPE);
        own.add(Arc::new(Answers(meta, Ok(None))));
        let there = is_there(&graph(), &listed(Gateway::TYPE, "tgw-1"), &own).await;
        assert_eq!(there, Ok(true), "its service lists things");
    }

    #[tokio::test]
    async fn what_is_neither_recorded_nor_there_is_left_out_of_a_listing() {
        let mut state = State::empty("dev", "eu-central-1");
        let record = Record {
            kind: Gateway::TYPE.into(),
            scope: "green".into(),
            name: "tgw-dev".into(),
            stage: Stage::Ready,
            token: String::new(),
            tags: tags(),
            inputs: json!({}),
            outputs: json!({"id": "tgw-1"}),
            needs: Vec::new(),
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        state.steps.insert("tgw".into(), record);
        let all = ["tgw-1", "tgw-2"].map(|id| listed(Gateway::TYPE, id));
        let left = confirmed(&graph(), &state, all.into(), &registry(Ok(None))).await;
        let left: Vec<&str> = left.iter().map(|owned| &*owned.id).collect();
        assert_eq!(left, ["tgw-1"]);
        let denied = Error::permanent("read", "no");
        let all = vec![listed(Gateway::TYPE, "tgw-2")];
        let left = confirmed(&graph(), &state, all, &registry(Err(denied))).await;
        assert_eq!(left.len(), 1, "nobody knows");
    }

    #[test]
    fn what_the_run_deleted_is_known_by_its_id() {
        let seen = Observations::from([("tgw".to_owned(), Observed::Found(live()))]);
        let state = State::empty("dev", "eu-central-1");
        let registry = registry(Ok(None));
        let users = Users::new();
        let plan = teardown(&graph(), &state, &seen, &registry, None, None, &users);
        let ended = |outcome| Report {
            outcomes: vec![("tgw".into(), Verb::Delete, outcome)],
            ..Report::default()
        };
        let done = ended(Outcome::Done);
        let listed = |id| listed(Gateway::TYPE, id);
        assert!(was_deleted(&plan, &done, &listed("tgw-1")));
        assert!(!was_deleted(&plan, &done, &listed("tgw-2")));
        let blocked = ended(Outcome::Blocked("vpc".into()));
        assert!(!was_deleted(&plan, &blocked, &listed("tgw-1")));
    }
}

//! Puts lost tags back on what is recorded, the ownership mark first of all: the plan of `state mark`.

use super::diff::diff_tags;
use super::driver::{Driver, Live, Nature, Phase, Registry};
use super::error::{Class, Error};
use super::event::Verb;
use super::graph::Graph;
use super::observe::{Observations, Observed, ReadRequest, describe};
use super::ownership::Ownership;
use super::plan::{DataLoss, Node, Op, Plan};
use crate::state::Stage;

/// Typical seconds of a call that sets tags.
const SECONDS: f64 = 1.0;

/// Plans the tags of every recorded step in `requests`: nothing but tags is changed. Only the very thing that is recorded is
/// marked, and none that carries another deployment's mark.
pub fn mark(
    graph: &Graph,
    requests: &[ReadRequest<'_>],
    seen: &Observations,
    registry: &Registry,
) -> Plan {
    let mut plan = Plan::default();
    for request in requests {
        let id = request.step;
        let driver = match registry.get(request.kind) {
            Ok(driver) if driver.meta().nature == Nature::SubResource => continue,
            Ok(driver) => driver.as_ref(),
            Err(error) => {
                plan.notes.push(format!("{id}: {error}"));
                continue;
            }
        };
        let (live, refused) = match seen.get(id) {
            None | Some(Observed::Absent) => {
                plan.notes.push(format!("{id}: it does not exist"));
                continue;
            }
            Some(Observed::Unreadable(error)) => (None, Some(error.clone())),
            Some(Observed::Found(live)) if matches!(live.phase, Phase::Failed(_)) => {
                plan.notes.push(format!(
                    "{id}: it failed: the next `deployer apply` makes a new one, with its tags"
                ));
                continue;
            }
            Some(Observed::Found(live)) => (Some(live), None),
            Some(Observed::Foreign(live, error)) => match doubt(request, driver, live) {
                Some(why) => {
                    let why = error.clone().hint(why);
                    (None, Some(why))
                }
                None => (Some(live), None),
            },
        };
        let node = node(graph, request, live, refused);
        if node.refused.is_none() && node.changes.is_empty() {
            plan.unchanged.push(id.to_owned());
        } else {
            plan.nodes.push(node);
        }
    }
    plan
}

/// Why something without our whole mark is not to be marked.
fn doubt(request: &ReadRequest<'_>, driver: &dyn Driver, live: &Live) -> Option<&'static str> {
    let recorded = request.record.map(|r| &r.outputs);
    let name = &request.identity.name;
    let Some(tags) = live.tags() else {
        return Some("it is not ours to mark");
    };
    let ownership = request.identity.ownership(tags, true, driver.meta().global);
    if recorded.is_none_or(|r| describe(r, name) != describe(&live.outputs, name)) {
        Some("it is not the one that is recorded, so it is left alone")
    } else if ownership == Ownership::Other {
        Some(
            "it carries the mark of another deployment or step, so it is left alone; remove that mark first if it is wrong",
        )
    } else {
        None
    }
}

fn node(
    graph: &Graph,
    request: &ReadRequest<'_>,
    live: Option<&Live>,
    mut refused: Option<Error>,
) -> Node {
    let wanted = graph
        .steps
        .iter()
        .find(|s| s.id == request.step && s.kind == request.kind)
        .map_or(&request.identity.tags, |s| &s.tags);
    let have = live.and_then(Live::tags);
    let mut changes = have.map_or_else(Vec::new, |have| diff_tags(wanted, have, &[]));
    changes.retain(|c| !c.is_extra());
    if !changes.is_empty()
        && let Some(phase) = live.map(|l| &l.phase).filter(|p| **p != Phase::Ready)
    {
        let hint = match phase {
            Phase::Failed(_) => "delete it by hand; `deployer apply` makes a new one",
            _ => "run it again later",
        };
        let text = format!("it is not ready ({phase:?}), so its tags cannot be set now");
        refused = Some(Error::of(Class::NotReady, "plan", text).hint(hint));
    }
    let record = request.record;
    Node {
        step: request.step.to_owned(),
        kind: request.kind.to_owned(),
        scope: record.map_or_else(String::new, |r| r.scope.clone()),
        name: request.identity.name.clone(),
        op: Op::Ensure,
        verb: Verb::Update,
        // The settings as they are: tags are all that differs.
        spec: live.map_or_else(|| request.spec.clone(), |l| l.spec.clone()),
        tags: wanted.clone(),
        changes,
        reasons: Vec::new(),
        live: live.cloned(),
        needs: Vec::new(),
        replaces: None,
        restore: None,
        upgrade: false,
        record_needs: record.map_or_else(Vec::new, |r| r.needs.clone()),
        refused,
        destroyed: false,
        loss: DataLoss::default(),
        holds_data: false,
        interrupts: Vec::new(),
        follows: false,
        seconds: SECONDS,
    }
}

/// The recorded steps that `state mark` looks at: those whose creation has been answered and whose deletion was not asked for.
pub fn is_marked(stage: Stage) -> bool {
    matches!(stage, Stage::Created | Stage::Ready)
}

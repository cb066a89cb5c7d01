//! Record sets as such. They have no tags: what is ours carries a set identifier `{step}-{suffix}.{region}`, which with the
//! account of the zone says whose it is, and a weight, also where it is alone with its name. A record set is made with CREATE, which AWS refuses when there is one, and changed or deleted
//! with all the values that it was read with, so that no change of somebody else is overwritten.

use crate::aws::{Api, Aws, route53};
use crate::engine::ownership::MARK_DEPLOYMENT;
use crate::engine::{Error, Identity};
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecordSet, RrType};

const CHANGE: Api = route53::CHANGE_RESOURCE_RECORD_SETS;

/// The set identifier of a step.
pub fn identifier(identity: &Identity) -> String {
    format!("{}{}", identity.step, ending(identity))
}

/// The set identifier of a step of the deployment with this suffix in this region.
pub fn identifier_of(step: &str, suffix: &str, region: &str) -> String {
    format!("{step}-{suffix}.{region}")
}

/// How the set identifiers of this deployment end.
fn ending(identity: &Identity) -> String {
    let deployment = identity.tags.get(MARK_DEPLOYMENT);
    let mut parts = deployment.map_or("", String::as_str).rsplit('/');
    let [suffix, region] = [parts.next(), parts.next()].map(Option::unwrap_or_default);
    format!("-{suffix}.{region}")
}

/// How the set identifiers of the same deployment end: a suffix has no `-`, and a step no `.`.
pub(super) fn ending_of(id: &str) -> Option<&str> {
    let (first, _) = id.split_once('.')?;
    id.get(first.rfind('-')?..)
}

/// The step of a set identifier of ours.
pub(super) fn step_of(id: &str) -> Option<&str> {
    id.strip_suffix(ending_of(id)?)
}

/// Whether a set is of the same deployment.
pub fn same_deployment(identity: &Identity) -> impl Fn(&ResourceRecordSet) -> bool + use<> {
    let ending = ending(identity);
    move |set| set.set_identifier().is_some_and(|i| i.ends_with(&ending))
}

/// What a name has for a step.
pub struct At {
    /// The step's own set of the asked type.
    pub own: Option<ResourceRecordSet>,
    /// Sets of somebody else that answer for the name, or beside which ours cannot stand.
    pub rivals: Vec<ResourceRecordSet>,
    /// The step's own set is the first of this deployment's.
    pub is_first: bool,
    /// There are several of this deployment's, and none has a weight: each is answered equally.
    pub is_without_weight: bool,
    /// Sets of the asked type that carry no identifier.
    pub plain: Option<ResourceRecordSet>,
}

/// Looks at a name.
///
/// # Errors
/// When it cannot be read.
pub async fn at(
    cx: &Aws,
    zone: &str,
    name: &str,
    kind: &str,
    identity: &Identity,
) -> Result<At, Error> {
    let sets = cx.route53.records(zone, name).await?;
    let ours = identifier(identity);
    let same = |s: &&ResourceRecordSet| s.r#type.as_str() == kind;
    let own = |s: &&ResourceRecordSet| same(s) && s.set_identifier() == Some(&ours);
    let ending = ending(identity);
    let mine = |s: &ResourceRecordSet| s.set_identifier().is_some_and(|i| i.ends_with(&ending));
    // Beside an address no alias of another name can stand, and an alias of the same name must be weighted too. Clients that find
    // one of the newer kinds ask for no address.
    let answers = |s: &ResourceRecordSet| {
        matches!(
            s.r#type,
            RrType::A | RrType::Aaaa | RrType::Cname | RrType::Https | RrType::Svcb
        )
    };
    let rival = |s: &&ResourceRecordSet| answers(s) && !mine(s);
    let plain = |s: &&ResourceRecordSet| same(s) && s.set_identifier().is_none();
    let identifiers = sets.iter().filter(|s| same(s) && mine(s));
    let weights = identifiers.clone().map(|s| s.weight().unwrap_or_default());
    let first = identifiers.filter_map(|s| s.set_identifier()).min();
    Ok(At {
        own: sets.iter().find(own).cloned(),
        rivals: sets.iter().filter(rival).cloned().collect(),
        is_first: first == Some(ours.as_str()),
        is_without_weight: weights.clone().count() > 1 && weights.sum::<i64>() == 0,
        plain: sets.iter().find(plain).cloned(),
    })
}

/// The set of a name that has this identifier, as it is now.
///
/// # Errors
/// When it cannot be read.
pub async fn live(
    cx: &Aws,
    zone: &str,
    name: &str,
    id: &str,
) -> Result<Option<ResourceRecordSet>, Error> {
    let sets = cx.route53.records(zone, name).await?;
    let is_it = |s: &ResourceRecordSet| s.set_identifier() == Some(id);
    Ok(sets.into_iter().find(is_it))
}

/// A record set among those of its name: its type, and its identifier when it has one.
pub fn entry(set: &ResourceRecordSet) -> String {
    let id = set.set_identifier().map(|id| format!(" {id}"));
    format!("{}{}", set.r#type.as_str(), id.unwrap_or_default())
}

/// A record set in words.
pub fn described(set: &ResourceRecordSet, name: &str) -> String {
    let kind = set.r#type.as_str();
    match set.set_identifier() {
        Some(id) => format!("the {kind} record of {name} with the set identifier `{id}`"),
        None => format!("the {kind} record of {name}"),
    }
}

/// Makes a record set where there is none.
///
/// # Errors
/// When AWS refuses, or there is one.
pub async fn create(cx: &Aws, zone: &str, set: ResourceRecordSet) -> Result<(), Error> {
    change_once(cx, zone, vec![(ChangeAction::Create, set)]).await
}

/// Sends changes that are right only as long as nothing else has changed: once.
///
/// # Errors
/// When AWS refuses, or somebody was faster.
pub(super) async fn change_once(
    cx: &Aws,
    zone: &str,
    changes: Vec<(ChangeAction, ResourceRecordSet)>,
) -> Result<(), Error> {
    send(cx, CHANGE.as_once(), zone, changes).await
}

/// Puts one in the place of another, which must still be as it was read.
///
/// # Errors
/// When AWS refuses, or somebody was faster.
pub async fn replace(
    cx: &Aws,
    zone: &str,
    old: ResourceRecordSet,
    new: ResourceRecordSet,
) -> Result<(), Error> {
    let changes = vec![(ChangeAction::Delete, old), (ChangeAction::Create, new)];
    send(cx, CHANGE, zone, changes).await
}

/// Deletes one, which must still be as it was read.
///
/// # Errors
/// When AWS refuses, or somebody was faster.
pub async fn delete(cx: &Aws, zone: &str, set: ResourceRecordSet) -> Result<(), Error> {
    send(cx, CHANGE, zone, vec![(ChangeAction::Delete, set)]).await
}

async fn send(
    cx: &Aws,
    api: Api,
    zone: &str,
    changes: Vec<(ChangeAction, ResourceRecordSet)>,
) -> Result<(), Error> {
    change(cx, api, zone, changes).await.map(drop)
}

/// Sends changes of which all or none come true; gives the id by which Route 53 says when all its servers know them.
///
/// # Errors
/// When AWS refuses, or somebody was faster.
pub async fn change(
    cx: &Aws,
    api: Api,
    zone: &str,
    changes: Vec<(ChangeAction, ResourceRecordSet)>,
) -> Result<String, Error> {
    let one = |(action, set)| {
        let change = Change::builder().action(action).resource_record_set(set);
        change.build()
    };
    let changes: Vec<Change> = built(changes.into_iter().map(one).collect())?;
    let batch = built(ChangeBatch::builder().set_changes(Some(changes)).build())?;
    let call = cx.route53.client.change_resource_record_sets();
    let call = call.hosted_zone_id(zone).change_batch(batch);
    let answer = cx.call(api, || call.clone().send()).await?;
    let id = answer.change_info.map(|info| info.id).unwrap_or_default();
    Ok(id.trim_start_matches("/change/").to_owned())
}

/// The SDK's builders say what is missing.
pub(crate) fn built<T>(answer: Result<T, aws_sdk_route53::error::BuildError>) -> Result<T, Error> {
    answer.map_err(|e| Error::permanent(CHANGE.action(), e.to_string()))
}

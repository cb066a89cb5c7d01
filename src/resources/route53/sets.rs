//! Record sets as such. They have no tags: what is ours carries a set identifier `{step}-{suffix}.{region}`, which with the
//! account of the zone says whose it is, and a weight, also where it is alone with its name. A record set is made with CREATE, which AWS refuses when there is one, and changed or deleted
//! with all the values that it was read with, so that no change of somebody else is overwritten.

use super::caa::{certifies, refuses_amazon};
use crate::aws::route53::{is_within, plain};
use crate::aws::{Api, Aws, Own, route53};
use crate::engine::error::HELD_BY_OTHERS;
use crate::engine::ownership::{MARK_DEPLOYMENT, MARK_STEP};
use crate::engine::{Class, Delta, Error, Identity};
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, HostedZone, ResourceRecordSet, RrType,
};

const CHANGE: Api = route53::CHANGE_RESOURCE_RECORD_SETS;
/// The type of the records that answer for a name.
const RECORD: &str = "route53/record";

/// The set identifier of a step.
pub fn identifier(identity: &Identity) -> String {
    // What was replaced before its creation was answered is known under an id of its own, and has its step's mark.
    let step = identity.tags.get(MARK_STEP).unwrap_or(&identity.step);
    format!("{step}{}", ending(identity))
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

/// Whether a set is one of this deployment's: its identifier names a step that has a record at this name. What only ends as the
/// identifiers of a deployment do is somebody else's.
pub fn is_own(all: &Own, identity: &Identity) -> impl Fn(&ResourceRecordSet) -> bool {
    let ending = ending(identity);
    move |set| {
        let id = set.set_identifier().unwrap_or_default();
        let step = id.strip_suffix(&ending).unwrap_or_default();
        let name = plain(set.name());
        all.any(|it| it.step == step && it.has("name", &name))
    }
}

/// What a name has for a step.
pub struct At {
    /// The step's own set of the asked type.
    pub own: Option<ResourceRecordSet>,
    /// Sets of somebody else that answer for the name, or beside which ours cannot stand; and those that lead a name above it away.
    pub rivals: Vec<ResourceRecordSet>,
    /// The step's own set is the first of this deployment's.
    pub is_first: bool,
    /// There are several of this deployment's, and none has a weight: each is answered equally.
    pub is_without_weight: bool,
    /// Sets of the asked type that carry no identifier.
    pub plain: Option<ResourceRecordSet>,
}

/// Looks at a name for the step's own set, by its identifier where that is known: what another set took the place of has the one of
/// its successor.
///
/// # Errors
/// When it cannot be read.
pub async fn at(
    cx: &Aws,
    zone: &str,
    name: &str,
    kind: &str,
    (known, identity): (Option<&str>, &Identity),
) -> Result<At, Error> {
    let (sets, zones) = futures::try_join!(cx.route53.records(zone, name), cx.route53.zones())?;
    let is_it = |z: &&HostedZone| z.id.trim_start_matches("/hostedzone/") == zone;
    let apex = zones.iter().find(is_it).map(|z| plain(&z.name));
    let ours = known.map_or_else(|| identifier(identity), str::to_owned);
    let same = |s: &&ResourceRecordSet| s.r#type.as_str() == kind;
    let own = |s: &&ResourceRecordSet| same(s) && s.set_identifier() == Some(&ours);
    let is_own = is_own(&cx.own, identity);
    let mine = |s: &&ResourceRecordSet| own(s) || (same(s) && is_own(s));
    // The name servers of the zone itself lead nobody away.
    let stands = |s: &&ResourceRecordSet| s.r#type != RrType::Ns || apex.as_deref() != Some(name);
    let is_certified = kind == RrType::A.as_str() && cx.own.any(|it| certifies(it, name));
    let rivals = sets
        .iter()
        .filter(|s| answers(kind, &s.r#type) || (is_certified && refuses_amazon(s)));
    let mut rivals: Vec<_> = rivals.filter(|s| !mine(s) && stands(s)).cloned().collect();
    for parent in apex.iter().flat_map(|apex| between(name, apex)) {
        // A name of ours shows what it has itself.
        if cx.own.any(|it| it.kind == RECORD && it.has("name", parent)) {
            continue;
        }
        let above = cx.route53.records(zone, parent).await?.into_iter();
        rivals.extend(above.filter(|s| s.r#type == RrType::Ns));
    }
    let plain = |s: &&ResourceRecordSet| same(s) && s.set_identifier().is_none();
    let identifiers = sets.iter().filter(mine);
    let weights = identifiers.clone().map(|s| s.weight().unwrap_or_default());
    let first = identifiers.filter_map(|s| s.set_identifier()).min();
    Ok(At {
        own: sets.iter().find(own).cloned(),
        rivals,
        is_first: first == Some(ours.as_str()),
        is_without_weight: weights.clone().count() > 1 && weights.sum::<i64>() == 0,
        plain: sets.iter().find(plain).cloned(),
    })
}

/// Whether a set of this type answers in the place of one of the asked kind: one of that kind, an alias of another name, and name
/// servers, which lead all questions away. Beside an address no alias of another name can stand, and an alias of the same name must
/// be weighted too; clients that find one of the newer kinds ask for no address.
fn answers(kind: &str, of: &RrType) -> bool {
    let addresses = matches!(of, RrType::A | RrType::Aaaa | RrType::Https | RrType::Svcb);
    of.as_str() == kind
        || matches!(of, RrType::Cname | RrType::Ns)
        || (kind == RrType::A.as_str() && addresses)
}

/// The names above a name, up to that of the zone and without it.
fn between<'a>(name: &'a str, apex: &str) -> Vec<&'a str> {
    let parent = |name: &&'a str| name.split_once('.').map(|(_, rest)| rest);
    let above = std::iter::successors(parent(&name), parent);
    let within = |n: &&str| *n != apex && is_within(n, apex);
    above.take_while(within).collect()
}

/// The name has what is not ours: nothing of ours can stand beside it.
pub fn taken(whose: &str) -> Error {
    let text = format!("{whose} is not this deployment's");
    let action = route53::LIST_RESOURCE_RECORD_SETS.action();
    Error::of(Class::Conflict, action, text)
        .code(HELD_BY_OTHERS)
        .hint("set `routing.domain` to a name without records of others, or remove the record if nobody needs it")
}

/// Takes away the sets of somebody else at a name that the delta has among `others`. One above it may serve other names too: that
/// is for its owner to remove.
///
/// # Errors
/// When AWS refuses, somebody was faster, or such a one stands above.
pub async fn take_away(cx: &Aws, zone: &str, name: &str, delta: &Delta) -> Result<(), Error> {
    let extra = delta.entries("others");
    if extra.is_empty() {
        return Ok(());
    }
    for set in cx.route53.records(zone, name).await? {
        if extra.contains_key(entry(&set, name).as_str()) {
            delete(cx, zone, set).await?;
        }
    }
    match extra.keys().find_map(|e| e.strip_prefix(ABOVE)) {
        Some(above) => Err(taken(&format!("the NS record of {above}"))),
        None => Ok(()),
    }
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
    Ok(with_id(&sets, id))
}

/// The one of these that has this identifier.
pub(super) fn with_id(sets: &[ResourceRecordSet], id: &str) -> Option<ResourceRecordSet> {
    let is_it = |s: &&ResourceRecordSet| s.set_identifier() == Some(id);
    sets.iter().find(is_it).cloned()
}

/// How the entry of a set begins that stands above the name.
const ABOVE: &str = "NS of ";

/// A record set among those of a name: its type, and its identifier when it has one, or the name above where it stands.
pub fn entry(set: &ResourceRecordSet, name: &str) -> String {
    let at = plain(set.name());
    if at != name {
        return format!("{ABOVE}{at}");
    }
    let id = set.set_identifier().map(|id| format!(" {id}"));
    format!("{}{}", set.r#type.as_str(), id.unwrap_or_default())
}

/// A record set in words.
pub fn described(set: &ResourceRecordSet) -> String {
    let (kind, name) = (set.r#type.as_str(), plain(set.name()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::OwnThing;
    use serde_json::{Value, json};

    fn record(kind: RrType, name: &str, id: Option<&str>) -> ResourceRecordSet {
        let set = ResourceRecordSet::builder().name(name).r#type(kind);
        set.set_set_identifier(id.map(str::to_owned))
            .build()
            .unwrap()
    }

    #[test]
    fn only_the_identifier_of_a_step_with_a_record_of_this_name_is_ours() {
        let thing = |step: &str, name: &str| OwnThing {
            kind: RECORD.into(),
            step: step.into(),
            name: String::new(),
            spec: json!({ "name": name }),
            outputs: Value::Null,
        };
        let steps = [
            thing("record-green", "dev.example.org"),
            thing("record-own-green", "green.dev.example.org"),
        ];
        let all = Own::from_iter(steps);
        let identity = Identity {
            step: "record-green".into(),
            name: String::new(),
            tags: [(MARK_DEPLOYMENT.to_owned(), "1/eu-central-1/dev".to_owned())].into(),
            token: String::new(),
        };
        let is_own = is_own(&all, &identity);
        let own = |id: &str| is_own(&record(RrType::A, "dev.example.org.", Some(id)));
        assert!(own("record-green-dev.eu-central-1"));
        for theirs in [
            "zz-evil-dev.eu-central-1",
            "record-own-green-dev.eu-central-1",
            "record-green-other.eu-central-1",
            "record-green",
        ] {
            assert!(!own(theirs), "{theirs}");
        }
        assert!(!is_own(&record(RrType::A, "dev.example.org.", None)));
    }

    #[test]
    fn name_servers_and_other_answers_stand_in_the_way_of_a_record() {
        let of = |kind: &str| {
            let all = [
                "A", "AAAA", "CNAME", "HTTPS", "SVCB", "NS", "TXT", "MX", "CAA",
            ];
            let all = all.into_iter();
            all.filter(|one| answers(kind, &RrType::from(*one)))
                .collect::<Vec<_>>()
        };
        assert_eq!(of("A"), ["A", "AAAA", "CNAME", "HTTPS", "SVCB", "NS"]);
        assert_eq!(of("TXT"), ["CNAME", "NS", "TXT"]);
        assert_eq!(of("CNAME"), ["CNAME", "NS"]);
    }

    #[test]
    fn the_names_above_end_below_the_zone() {
        let name = "green.pay.eu.example.org";
        assert_eq!(
            between(name, "example.org"),
            ["pay.eu.example.org", "eu.example.org"]
        );
        assert_eq!(
            between("dev.example.org", "example.org"),
            Vec::<&str>::new()
        );
        assert_eq!(between("example.org", "example.org"), Vec::<&str>::new());
    }

    #[test]
    fn an_entry_says_what_it_is_and_where_when_that_is_above() {
        let at = |set: &ResourceRecordSet| entry(set, "a.example.org");
        let theirs = record(RrType::A, "a.example.org.", Some("theirs"));
        assert_eq!(at(&theirs), "A theirs");
        assert_eq!(at(&record(RrType::Ns, "a.example.org.", None)), "NS");
        let above = record(RrType::Ns, "example.org.", None);
        assert_eq!(at(&above), "NS of example.org");
    }
}

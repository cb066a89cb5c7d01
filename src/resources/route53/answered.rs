//! A name whose records all have the weight 0 is answered with each of them equally ("Values specific for weighted records"), so
//! also with an environment that is empty. One that comes with the weight 0, or goes, gives the other all answers in the same
//! change where no weight would be left.

use super::sets;
use super::text;
use crate::aws::Aws;
use crate::engine::Error;
use aws_sdk_route53::types::{ChangeAction, ResourceRecordSet, RrType};

/// The weight of a record that is alone.
const ALONE: i64 = 100;
/// Changes of which all or none come true.
pub(super) type Changes = Vec<(ChangeAction, ResourceRecordSet)>;

/// What must come with the change of the record that comes or goes, whose set identifier is `id`, at a name that has these; with a
/// `noted` one the note of the traffic command says the new weights too.
///
/// # Errors
/// When the note cannot be read.
pub(super) async fn with(
    cx: &Aws,
    (zone, name, id): (&str, &str, &str),
    mut there: Vec<ResourceRecordSet>,
    noted: bool,
) -> Result<Changes, Error> {
    let is_own = |set: &ResourceRecordSet| {
        let step = set.set_identifier().and_then(sets::step_of);
        step.is_some_and(|step| cx.own.any(|it| it.step == step))
    };
    there.retain(&is_own);
    let mut changes = beside(&there, id);
    if noted && !changes.is_empty() {
        let mut notes = cx.route53.records(zone, &text::name(name)).await?;
        notes.retain(&is_own);
        changes.extend(renoted(&notes, &there, id));
    }
    Ok(changes)
}

/// The others of the same deployment at the name.
fn others<'a>(there: &'a [ResourceRecordSet], id: &'a str) -> Vec<&'a ResourceRecordSet> {
    let Some(ending) = sets::ending_of(id) else {
        return Vec::new();
    };
    let is_other = |s: &&ResourceRecordSet| {
        let its = s.set_identifier();
        s.r#type == RrType::A && its.is_some_and(|i| i != id && i.ends_with(ending))
    };
    there.iter().filter(is_other).collect()
}

/// What gives the other one all answers; nothing where one has a weight, or there is none.
fn beside(there: &[ResourceRecordSet], id: &str) -> Changes {
    let others = others(there, id);
    let Some(first) = others.first() else {
        return Vec::new();
    };
    if others.iter().any(|s| s.weight() != Some(0)) {
        return Vec::new();
    }
    let mut new = (*first).clone();
    new.weight = Some(ALONE);
    vec![
        (ChangeAction::Delete, (*first).clone()),
        (ChangeAction::Create, new),
    ]
}

/// The note of the traffic command with these weights; nothing while it says none.
fn renoted(notes: &[ResourceRecordSet], there: &[ResourceRecordSet], id: &str) -> Changes {
    let ending = sets::ending_of(id);
    let env = |id: &str| sets::step_of(id).and_then(|s| Some(s.rsplit_once('-')?.1.to_owned()));
    let is_note = |s: &&ResourceRecordSet| {
        let its = s.set_identifier();
        s.r#type == RrType::Txt && its.zip(ending).is_some_and(|(i, e)| i.ends_with(e))
    };
    let other = others(there, id);
    let other = other.first().and_then(|s| s.set_identifier()).and_then(env);
    let changed = notes.iter().find(is_note).and_then(|old| {
        let weights = [(other?, ALONE), (env(id)?, 0)];
        let value = text::moved(&text::value(old), &weights)?;
        let ttl = old.ttl().unwrap_or_default();
        let new = text::set(&old.name, old.set_identifier()?, ttl, &value).ok()?;
        Some(vec![
            (ChangeAction::Delete, old.clone()),
            (ChangeAction::Create, new),
        ])
    });
    changed.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, weight: i64) -> ResourceRecordSet {
        let set = ResourceRecordSet::builder()
            .name("pay.example")
            .r#type(RrType::A)
            .set_identifier(id)
            .weight(weight);
        set.build().unwrap()
    }

    const GREEN: &str = "record-green-dev.eu-central-1";
    const BLUE: &str = "record-blue-dev.eu-central-1";

    #[test]
    fn the_other_one_gets_all_answers_only_where_no_weight_would_be_left() {
        let raised = |there: &[ResourceRecordSet]| {
            let changes = beside(there, GREEN);
            let new = changes.last().map(|(action, set)| {
                assert_eq!(*action, ChangeAction::Create);
                (set.set_identifier().unwrap().to_owned(), set.weight())
            });
            (changes.len(), new)
        };
        let blue = Some((BLUE.to_owned(), Some(ALONE)));
        assert_eq!(raised(&[record(BLUE, 0), record(GREEN, 100)]), (2, blue));
        assert_eq!(raised(&[record(BLUE, 90), record(GREEN, 10)]).0, 0);
        assert_eq!(raised(&[record(GREEN, 100)]).0, 0);
        // Of another deployment, or of somebody else.
        let theirs = record("record-blue-prod.eu-central-1", 0);
        assert_eq!(raised(&[theirs, record("blue", 0)]).0, 0);
    }

    #[test]
    fn the_note_says_the_new_weights_once_it_says_any() {
        let there = [record(BLUE, 0), record(GREEN, 100)];
        let note = |value: &str| {
            let id = "record-traffic-shared-dev.eu-central-1";
            let notes = [text::set("_traffic.pay.example", id, 60, value).unwrap()];
            let changes = renoted(&notes, &there, GREEN);
            changes.last().map(|(_, set)| text::value(set))
        };
        assert_eq!(note("epoch=0"), None);
        let said = note("epoch=3 act=done blue=0 green=100 by=me");
        let wanted = "epoch=4 act=done blue=100 green=0 by=me";
        assert_eq!(said.as_deref(), Some(wanted));
    }
}

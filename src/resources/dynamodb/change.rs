//! Changes of a table. DynamoDB takes one at a time, and only while the table is ACTIVE ("UpdateTable" in its API
//! reference), so they are worked out from what the table is now, in order, each time.

use super::model::{Attribute, CLASS, Index, KeySchema, READS, Table, WRITES};
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use std::collections::BTreeMap;

/// One UpdateTable.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    Protection(bool),
    Encryption,
    Billing,
    /// No limit of requests.
    Throughput,
    /// The default class of storage.
    Class,
    Stream(Option<String>),
    DeleteIndex(String),
    CreateIndex(String),
}

/// What leads from `have` to `want`. An index with other keys is deleted and made again; missing ones come before extra
/// ones go.
pub(super) fn changes(want: &Table, have: &Table) -> Vec<Change> {
    let mut out = Vec::new();
    if want.deletion_protection != have.deletion_protection {
        out.push(Change::Protection(want.deletion_protection));
    }
    if want.kms_key != have.kms_key {
        out.push(Change::Encryption);
    }
    if want.billing != have.billing {
        out.push(Change::Billing);
    }
    // None of these is ever wanted.
    let set = |name: &str| have.others.contains_key(name);
    if set(READS) || set(WRITES) {
        out.push(Change::Throughput);
    }
    if set(CLASS) {
        out.push(Change::Class);
    }
    if want.stream != have.stream {
        // A stream's view cannot be changed while it is on.
        if want.stream.is_some() && have.stream.is_some() {
            out.push(Change::Stream(None));
        }
        out.push(Change::Stream(want.stream.clone()));
    }
    let other = |(name, index): &(&String, &Index)| {
        have.indexes.get(*name).is_some_and(|have| have != *index)
    };
    let changed: Vec<&String> = want.indexes.iter().filter(other).map(|(n, _)| n).collect();
    out.extend(changed.iter().map(|n| Change::DeleteIndex((*n).clone())));
    let missing = want
        .indexes
        .keys()
        .filter(|n| changed.contains(n) || !have.indexes.contains_key(*n));
    out.extend(missing.map(|n| Change::CreateIndex(n.clone())));
    let extra = have
        .indexes
        .keys()
        .filter(|n| !want.indexes.contains_key(*n));
    out.extend(extra.map(|n| Change::DeleteIndex(n.clone())));
    out
}

/// The attributes that keys are made of; DynamoDB takes no others.
pub(super) fn definitions(
    key: &KeySchema,
    indexes: &BTreeMap<String, Index>,
) -> Result<Vec<AttributeDefinition>, BuildError> {
    let parts = |key: &KeySchema| {
        [Some(key.hash.clone()), key.range.clone()]
            .into_iter()
            .flatten()
    };
    let all: BTreeMap<String, String> = parts(key)
        .chain(indexes.values().flat_map(|i| parts(&i.key)))
        .map(|a| (a.name, a.kind))
        .collect();
    all.into_iter()
        .map(|(name, kind)| {
            AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::from(kind.as_str()))
                .build()
        })
        .collect()
}

/// A key as DynamoDB takes it.
pub(super) fn schema(key: &KeySchema) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element = |attribute: &Attribute, kind| {
        KeySchemaElement::builder()
            .attribute_name(&attribute.name)
            .key_type(kind)
            .build()
    };
    let mut out = vec![element(&key.hash, KeyType::Hash)?];
    if let Some(range) = &key.range {
        out.push(element(range, KeyType::Range)?);
    }
    Ok(out)
}

/// A projection as DynamoDB takes it.
pub(super) fn projection(index: &Index) -> Projection {
    Projection::builder()
        .projection_type(ProjectionType::from(index.projection.as_str()))
        .build()
}

/// The indexes as CreateTable takes them.
pub(super) fn indexes(
    all: &BTreeMap<String, Index>,
) -> Result<Option<Vec<GlobalSecondaryIndex>>, BuildError> {
    let list: Vec<GlobalSecondaryIndex> = all
        .iter()
        .map(|(name, index)| {
            GlobalSecondaryIndex::builder()
                .index_name(name)
                .set_key_schema(Some(schema(&index.key)?))
                .projection(projection(index))
                .build()
        })
        .collect::<Result<_, _>>()?;
    // An empty list is refused.
    Ok((!list.is_empty()).then_some(list))
}

/// A key as DynamoDB answers it, with the kinds of its attributes.
pub(super) fn key_of(elements: &[KeySchemaElement], kinds: &[AttributeDefinition]) -> KeySchema {
    let part = |kind: &KeyType| {
        let element = elements.iter().find(|e| e.key_type() == kind)?;
        let name = element.attribute_name();
        let defined = kinds.iter().find(|d| d.attribute_name() == name);
        Some(Attribute {
            name: name.to_owned(),
            kind: defined.map_or_else(String::new, |d| d.attribute_type().as_str().to_owned()),
        })
    };
    KeySchema {
        hash: part(&KeyType::Hash).unwrap_or_default(),
        range: part(&KeyType::Range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(indexes: &[(&str, &str)], stream: Option<&str>) -> Table {
        let index = |hash: &str| Index {
            key: KeySchema {
                hash: Attribute::text(hash),
                range: None,
            },
            projection: "ALL".into(),
        };
        Table {
            key: KeySchema {
                hash: Attribute::text("id"),
                range: None,
            },
            indexes: indexes
                .iter()
                .map(|(name, hash)| ((*name).to_owned(), index(hash)))
                .collect(),
            billing: "PAY_PER_REQUEST".into(),
            stream: stream.map(str::to_owned),
            ttl: None,
            recovery_days: None,
            kms_key: None,
            deletion_protection: false,
            exposed: Default::default(),
            others: Default::default(),
            members: Vec::new(),
        }
    }

    #[test]
    fn indexes_are_added_before_extra_ones_go_and_changed_ones_are_made_again() {
        let want = table(&[("a", "x"), ("b", "y")], None);
        let have = table(&[("b", "z"), ("c", "x")], None);
        let expected = [
            Change::DeleteIndex("b".into()),
            Change::CreateIndex("a".into()),
            Change::CreateIndex("b".into()),
            Change::DeleteIndex("c".into()),
        ];
        assert_eq!(changes(&want, &have), expected);
        assert!(changes(&want, &want).is_empty());
    }

    #[test]
    fn a_stream_with_another_view_is_switched_off_first() {
        let (want, have) = (table(&[], Some("NEW_IMAGE")), table(&[], Some("KEYS_ONLY")));
        let expected = [
            Change::Stream(None),
            Change::Stream(Some("NEW_IMAGE".into())),
        ];
        assert_eq!(changes(&want, &have), expected);
    }

    #[test]
    fn limits_of_requests_and_another_class_are_taken_back() {
        let (want, mut have) = (table(&[], None), table(&[], None));
        have.others.insert(WRITES.into(), "1".into());
        assert_eq!(changes(&want, &have), [Change::Throughput]);
        have.others.insert(READS.into(), "1".into());
        have.others.insert(CLASS.into(), "X".into());
        assert_eq!(changes(&want, &have), [Change::Throughput, Change::Class]);
    }

    #[test]
    fn attributes_come_from_the_keys_once_each() {
        let table = table(&[("a", "x"), ("b", "x")], None);
        let all = definitions(&table.key, &table.indexes).unwrap();
        let names: Vec<&str> = all.iter().map(|d| d.attribute_name()).collect();
        assert_eq!(names, ["id", "x"]);
        let keys = schema(&table.key).unwrap();
        assert_eq!(key_of(&keys, &all), table.key);
    }
}

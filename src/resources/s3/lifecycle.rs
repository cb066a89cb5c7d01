//! Lifecycle rules, as we write them and as S3 answers them.

use crate::engine::Error;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration, Transition,
    TransitionStorageClass,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What becomes of objects with time. Days count from their creation, or from when they stopped being current.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// A disabled rule does nothing.
    pub enabled: bool,
    /// For objects whose key begins with this; empty for all.
    pub prefix: String,
    /// For objects of more than so many bytes. Without it S3 leaves objects under 128 kB where they are ("Constraints and
    /// considerations for transitions").
    pub larger_than: Option<i64>,
    /// Days until objects go to a storage class, by class (`GLACIER`, `DEEP_ARCHIVE`).
    pub transitions: BTreeMap<String, i32>,
    /// Days until objects expire.
    pub expire_days: Option<i32>,
    /// Days until versions that are not current any more expire.
    pub noncurrent_days: Option<i32>,
    /// Days until an unfinished multipart upload is aborted.
    pub abort_upload_days: Option<i32>,
    /// Settings of the rule that we do not manage (tags, sizes, dates). The desired value is always `None`: any of them is drift.
    pub other: Option<String>,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            enabled: true,
            prefix: String::new(),
            larger_than: None,
            transitions: BTreeMap::new(),
            expire_days: None,
            noncurrent_days: None,
            abort_upload_days: None,
            other: None,
        }
    }
}

impl Rule {
    /// The rule as S3 takes it.
    pub(super) fn to_s3(&self, id: &str) -> Result<LifecycleRule, Error> {
        let status = if self.enabled {
            ExpirationStatus::Enabled
        } else {
            ExpirationStatus::Disabled
        };
        let transitions: Vec<Transition> = self
            .transitions
            .iter()
            .map(|(class, days)| {
                Transition::builder()
                    .days(*days)
                    .storage_class(TransitionStorageClass::from(class.as_str()))
                    .build()
            })
            .collect();
        let expiration = |days| LifecycleExpiration::builder().days(days).build();
        let noncurrent = |days| {
            NoncurrentVersionExpiration::builder()
                .noncurrent_days(days)
                .build()
        };
        let abort = |days| {
            AbortIncompleteMultipartUpload::builder()
                .days_after_initiation(days)
                .build()
        };
        LifecycleRule::builder()
            .id(id)
            .status(status)
            .filter(self.filter())
            .set_transitions((!transitions.is_empty()).then_some(transitions))
            .set_expiration(self.expire_days.map(expiration))
            .set_noncurrent_version_expiration(self.noncurrent_days.map(noncurrent))
            .set_abort_incomplete_multipart_upload(self.abort_upload_days.map(abort))
            .build()
            .map_err(|e| Error::permanent("s3:PutBucketLifecycleConfiguration", e.to_string()))
    }

    /// One condition stands alone, two stand in `And` ("LifecycleRuleFilter" in the S3 API reference).
    fn filter(&self) -> LifecycleRuleFilter {
        let filter = LifecycleRuleFilter::builder();
        match self.larger_than {
            None => filter.prefix(&self.prefix).build(),
            Some(size) if self.prefix.is_empty() => filter.object_size_greater_than(size).build(),
            Some(size) => {
                let and = LifecycleRuleAndOperator::builder()
                    .prefix(&self.prefix)
                    .object_size_greater_than(size);
                filter.and(and.build()).build()
            }
        }
    }

    /// Its id and the rule, from what S3 answers.
    pub(super) fn from_s3(rule: &LifecycleRule) -> (String, Self) {
        let mut other = Vec::new();
        let filter = rule.filter();
        // A filter of several conditions carries its prefix inside.
        let and = filter.and_then(LifecycleRuleFilter::and);
        #[expect(deprecated, reason = "rules of older clients have their prefix there")]
        let prefix = filter
            .and_then(|f| f.prefix())
            .or_else(|| and.and_then(|a| a.prefix()))
            .or_else(|| rule.prefix())
            .unwrap_or_default();
        let larger_than = filter
            .and_then(LifecycleRuleFilter::object_size_greater_than)
            .or_else(|| and.and_then(LifecycleRuleAndOperator::object_size_greater_than));
        if let Some(filter) = filter.filter(|f| {
            f.tag().is_some()
                || f.object_size_less_than().is_some()
                || and.is_some_and(|a| !a.tags().is_empty() || a.object_size_less_than().is_some())
        }) {
            other.push(format!("{filter:?}"));
        }
        let mut transitions = BTreeMap::new();
        for transition in rule.transitions() {
            match (transition.storage_class(), transition.days()) {
                (Some(class), Some(days)) => {
                    transitions.insert(class.as_str().to_owned(), days);
                }
                _ => other.push(format!("{transition:?}")),
            }
        }
        let expiration = rule.expiration();
        if let Some(odd) = expiration
            .filter(|e| e.date().is_some() || e.expired_object_delete_marker() == Some(true))
        {
            other.push(format!("{odd:?}"));
        }
        let noncurrent = rule.noncurrent_version_expiration();
        if let Some(odd) = noncurrent.filter(|n| n.newer_noncurrent_versions().is_some()) {
            other.push(format!("{odd:?}"));
        }
        let moved = rule.noncurrent_version_transitions();
        other.extend(moved.iter().map(|t| format!("{t:?}")));
        let spec = Self {
            enabled: rule.status() == &ExpirationStatus::Enabled,
            prefix: prefix.to_owned(),
            larger_than,
            transitions,
            expire_days: expiration.and_then(LifecycleExpiration::days),
            noncurrent_days: noncurrent.and_then(NoncurrentVersionExpiration::noncurrent_days),
            abort_upload_days: rule
                .abort_incomplete_multipart_upload()
                .and_then(AbortIncompleteMultipartUpload::days_after_initiation),
            other: (!other.is_empty()).then(|| other.join(", ")),
        };
        (rule.id().unwrap_or_default().to_owned(), spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::types::Tag;

    #[test]
    fn a_rule_reads_back_as_it_was_written() {
        let rule = Rule {
            prefix: "logs/".into(),
            transitions: BTreeMap::from([("GLACIER".into(), 90), ("DEEP_ARCHIVE".into(), 365)]),
            expire_days: Some(4000),
            noncurrent_days: Some(90),
            abort_upload_days: Some(7),
            ..Rule::default()
        };
        for (prefix, larger_than) in [("logs/", None), ("", Some(1)), ("logs/", Some(1))] {
            let rule = Rule {
                prefix: prefix.into(),
                larger_than,
                ..rule.clone()
            };
            let (id, back) = Rule::from_s3(&rule.to_s3("archive").unwrap());
            assert_eq!((id.as_str(), &back), ("archive", &rule));
        }
    }

    #[test]
    fn what_we_never_write_shows_as_a_difference() {
        let tag = Tag::builder().key("a").value("b").build().unwrap();
        let rule = LifecycleRule::builder()
            .id("x")
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().tag(tag).build())
            .build()
            .unwrap();
        assert!(Rule::from_s3(&rule).1.other.is_some());
    }
}

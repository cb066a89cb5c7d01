//! What every resource type needs.

pub(super) use super::minimum::{self, Held, Minimum};
pub(super) use super::owned::{is_conventional, marked, of_deployment};
pub(super) use super::words::words;
pub(super) use super::{
    Arn, Cost, Exposed, Facts, Found, HasArn, HasName, Id, Listed, Lookup, Mark, Named, NoTags,
    Resource, Sentences, SubFacts, SubResource, TagCalls, Tags, found, ignore_not_found, texts,
};
pub(super) use crate::aws::{
    Api, Aws, acm, autoscaling, cloudwatch, config, dynamodb, ec2, ecr, ecs, elbv2, events, iam,
    kms, lambda, logs, rds, route53, s3, scheduler, secretsmanager, sns, sqs, ssm, wafv2,
};
pub(super) use crate::engine::{
    Backup, Between, Class, Data, Delegated, DeleteOptions, Delta, Derived, Edit, Error, Identity,
    Kind, NameRule, Owned, Phase, Ref, Remains, Replace, Retention, Upgrade,
};
pub(super) use serde::{Deserialize, Serialize};

//! Batched RDS reads. RDS names its things itself, so one whole listing answers everybody: who looks for a name, and the
//! search for marked things. Groups could not be filtered anyway ("Filters: This parameter isn't currently supported"),
//! and clusters and instances are few (40 of each by default): a page of 100 is one call, whatever we own.

use super::api::Guard::{LinkedTo, PassedTo};
use super::api::{ANY, Answer, Api, Grant, Service, actions, bucket, guarded, named};
use super::call::Caller;
use super::kms::through;
use super::listing::{Listing, Named};
use super::reader::Reader;
use crate::engine::{Class, Error};
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{self as t, Tag};
use futures::FutureExt;
use futures::future::try_join_all;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// RDS as a service. "Request throttling for the Amazon RDS API": 300 calls in a burst and 12 a second, whatever the action.
pub static SERVICE: Service = Service {
    name: "rds",
    classify,
    bucket: |_| bucket("all", 300.0, 12.0),
    actions: || ACTIONS,
};

/// A permission on a type of RDS's, all of them or those whose name ends in our suffix.
macro_rules! on {
    ($kind:literal) => {
        named(concat!(
            "arn:aws:rds:{region}:{account}:",
            $kind,
            ":*-{suffix}"
        ))
    };
    (all $kind:literal) => {
        named(concat!("arn:aws:rds:{region}:{account}:", $kind, ":*"))
    };
}

const CLUSTER: Grant = on!("cluster");
/// Final snapshots, whose names end in the time they were made at.
const SNAPSHOT: Grant =
    named("arn:aws:rds:{region}:{account}:cluster-snapshot:snapshot-aurora-*-{suffix}-*");
const INSTANCE: Grant = on!("db");
const SUBNETS: Grant = on!("subgrp");
const CLUSTER_PARAMETERS: Grant = on!("cluster-pg");
const PARAMETERS: Grant = on!("pg");
/// The option group that AWS takes where none is named.
const OPTIONS: Grant = named("arn:aws:rds:{region}:{account}:og:default:*");
const MONITORING: Grant = guarded(
    "arn:aws:iam::{account}:role/*-{suffix}",
    PassedTo("monitoring.rds.amazonaws.com"),
)
.of("iam:PassRole");
const LINKED_ROLE: Grant = guarded(
    "arn:aws:iam::{account}:role/aws-service-role/rds.amazonaws.com/*",
    LinkedTo("rds.amazonaws.com"),
)
.of("iam:CreateServiceLinkedRole");
const EVENTS: Grant = on!("es");
const TAG: Grant = ANY_OF_OURS[0].of("rds:AddTagsToResource");
const ANY_OF_OURS: [Grant; 6] = [
    CLUSTER,
    INSTANCE,
    SUBNETS,
    CLUSTER_PARAMETERS,
    PARAMETERS,
    EVENTS,
];
/// The master password: RDS makes it in the caller's name ("Password management with Amazon RDS and AWS Secrets
/// Manager", "Permissions required").
const SECRET: &str = "arn:aws:secretsmanager:{region}:{account}:secret:rds!*";

actions! { SERVICE;
    Read DESCRIBE_ACCOUNT_ATTRIBUTES = "DescribeAccountAttributes", [ANY];
    Read DESCRIBE_DB_CLUSTERS = "DescribeDBClusters", [on!(all "cluster")];
    Read DESCRIBE_DB_CLUSTER_SNAPSHOTS = "DescribeDBClusterSnapshots", [on!(all "cluster"), on!(all "cluster-snapshot")];
    Read DESCRIBE_DB_CLUSTER_SNAPSHOT_ATTRIBUTES = "DescribeDBClusterSnapshotAttributes", [on!(all "cluster-snapshot")];
    Read DESCRIBE_DB_CLUSTER_AUTOMATED_BACKUPS = "DescribeDBClusterAutomatedBackups", [on!(all "cluster"), on!(all "cluster-auto-backup")];
    Read DESCRIBE_DB_CLUSTER_PARAMETERS = "DescribeDBClusterParameters", [on!(all "cluster-pg")];
    Read DESCRIBE_DB_CLUSTER_PARAMETER_GROUPS = "DescribeDBClusterParameterGroups", [on!(all "cluster-pg")];
    Read DESCRIBE_DB_ENGINE_VERSIONS = "DescribeDBEngineVersions", [ANY];
    Read DESCRIBE_DB_INSTANCES = "DescribeDBInstances", [on!(all "db")];
    Read DESCRIBE_DB_PARAMETERS = "DescribeDBParameters", [on!(all "pg")];
    Read DESCRIBE_DB_PARAMETER_GROUPS = "DescribeDBParameterGroups", [on!(all "pg")];
    Read DESCRIBE_DB_SUBNET_GROUPS = "DescribeDBSubnetGroups", [on!(all "subgrp")];
    Read LIST_TAGS_FOR_RESOURCE = "ListTagsForResource", [on!(all "cluster"), on!(all "db"), on!(all "subgrp"), on!(all "cluster-pg"), on!(all "pg"), on!(all "es")];
    Read DESCRIBE_EVENT_SUBSCRIPTIONS = "DescribeEventSubscriptions", [on!(all "es")];
    Repeatable ADD_TAGS_TO_RESOURCE = "AddTagsToResource", ANY_OF_OURS;
    Repeatable REMOVE_TAGS_FROM_RESOURCE = "RemoveTagsFromResource", ANY_OF_OURS;
    Once CREATE_DB_SUBNET_GROUP = "CreateDBSubnetGroup", [SUBNETS, LINKED_ROLE, SUBNETS.of("rds:AddTagsToResource")];
    Repeatable MODIFY_DB_SUBNET_GROUP = "ModifyDBSubnetGroup", [SUBNETS];
    Repeatable DELETE_DB_SUBNET_GROUP = "DeleteDBSubnetGroup", [SUBNETS];
    Once CREATE_DB_PARAMETER_GROUP = "CreateDBParameterGroup", [PARAMETERS, PARAMETERS.of("rds:AddTagsToResource")];
    Repeatable MODIFY_DB_PARAMETER_GROUP = "ModifyDBParameterGroup", [PARAMETERS];
    Repeatable RESET_DB_PARAMETER_GROUP = "ResetDBParameterGroup", [PARAMETERS];
    Repeatable DELETE_DB_PARAMETER_GROUP = "DeleteDBParameterGroup", [PARAMETERS];
    Once CREATE_DB_CLUSTER_PARAMETER_GROUP = "CreateDBClusterParameterGroup", [CLUSTER_PARAMETERS, CLUSTER_PARAMETERS.of("rds:AddTagsToResource")];
    Repeatable MODIFY_DB_CLUSTER_PARAMETER_GROUP = "ModifyDBClusterParameterGroup", [CLUSTER_PARAMETERS];
    Repeatable RESET_DB_CLUSTER_PARAMETER_GROUP = "ResetDBClusterParameterGroup", [CLUSTER_PARAMETERS];
    Repeatable DELETE_DB_CLUSTER_PARAMETER_GROUP = "DeleteDBClusterParameterGroup", [CLUSTER_PARAMETERS];
    Once CREATE_DB_CLUSTER = "CreateDBCluster", [CLUSTER, CLUSTER_PARAMETERS, SUBNETS, OPTIONS, TAG, LINKED_ROLE, through("kms:DescribeKey"), through("kms:CreateGrant"), through("kms:Decrypt"), through("kms:GenerateDataKey*"), named(SECRET).of("secretsmanager:CreateSecret"), named(SECRET).of("secretsmanager:TagResource")];
    Once RESTORE_DB_CLUSTER_FROM_SNAPSHOT = "RestoreDBClusterFromSnapshot", [CLUSTER, on!(all "cluster-snapshot"), CLUSTER_PARAMETERS, SUBNETS, OPTIONS, TAG, through("kms:DescribeKey"), through("kms:CreateGrant"), through("kms:Decrypt"), through("kms:GenerateDataKey*")];
    Once RESTORE_DB_CLUSTER_TO_POINT_IN_TIME = "RestoreDBClusterToPointInTime", [CLUSTER, on!(all "cluster-auto-backup"), CLUSTER_PARAMETERS, SUBNETS, OPTIONS, TAG, through("kms:DescribeKey"), through("kms:CreateGrant"), through("kms:Decrypt"), through("kms:GenerateDataKey*")];
    Repeatable MODIFY_DB_CLUSTER = "ModifyDBCluster", [CLUSTER, CLUSTER_PARAMETERS, OPTIONS];
    Repeatable REMOVE_ROLE_FROM_DB_CLUSTER = "RemoveRoleFromDBCluster", [CLUSTER];
    Repeatable STOP_ACTIVITY_STREAM = "StopActivityStream", [CLUSTER];
    Repeatable DISABLE_HTTP_ENDPOINT = "DisableHttpEndpoint", [CLUSTER];
    Repeatable START_DB_CLUSTER = "StartDBCluster", [CLUSTER];
    Repeatable DELETE_DB_CLUSTER = "DeleteDBCluster", [CLUSTER, SNAPSHOT, CLUSTER.of("rds:CreateDBClusterSnapshot"), SNAPSHOT.of("rds:CreateDBClusterSnapshot"), SNAPSHOT.of("rds:AddTagsToResource")];
    Repeatable DELETE_DB_CLUSTER_SNAPSHOT = "DeleteDBClusterSnapshot", [SNAPSHOT];
    Once CREATE_EVENT_SUBSCRIPTION = "CreateEventSubscription", [EVENTS, EVENTS.of("rds:AddTagsToResource")];
    Repeatable MODIFY_EVENT_SUBSCRIPTION = "ModifyEventSubscription", [EVENTS];
    Repeatable ADD_SOURCE_IDENTIFIER_TO_SUBSCRIPTION = "AddSourceIdentifierToSubscription", [EVENTS];
    Repeatable REMOVE_SOURCE_IDENTIFIER_FROM_SUBSCRIPTION = "RemoveSourceIdentifierFromSubscription", [EVENTS];
    Repeatable DELETE_EVENT_SUBSCRIPTION = "DeleteEventSubscription", [EVENTS];
    Once CREATE_DB_INSTANCE = "CreateDBInstance", [INSTANCE, CLUSTER, PARAMETERS, SUBNETS, OPTIONS, INSTANCE.of("rds:AddTagsToResource"), MONITORING, through("kms:DescribeKey"), through("kms:CreateGrant"), through("kms:Decrypt"), through("kms:GenerateDataKey*")];
    Repeatable MODIFY_DB_INSTANCE = "ModifyDBInstance", [INSTANCE, PARAMETERS, OPTIONS, MONITORING];
    Once REBOOT_DB_INSTANCE = "RebootDBInstance", [INSTANCE];
    Repeatable DELETE_DB_INSTANCE = "DeleteDBInstance", [INSTANCE];
}

/// "Errors" of RDS's actions; the older ones end in `Fault`, some do not.
fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    let says = |text: &str| answer.says(text);
    Some(match answer.code {
        // "Cluster cannot be deleted, it still contains DB instances in non-deleting state."
        "InvalidDBClusterStateFault" if api.operation == "DeleteDBCluster" => Class::InUse,
        // The first call of an account makes RDS's service-linked role, and may come too early for it.
        "InvalidParameterValue" if lacks_linked_role(answer.message) => Class::Propagating,
        // A monitoring role that is not visible everywhere yet.
        "InvalidParameterValue"
            if (says("role") || says("Role"))
                && (says("assume") || says("is invalid or does not") || says("not authorized")) =>
        {
            Class::Propagating
        }
        "SubscriptionAlreadyExist" | "SubscriptionAlreadyExistFault" => Class::Conflict,
        // A topic, or its policy, that was made a moment ago.
        "SNSNoAuthorization" | "SNSNoAuthorizationFault" => Class::Propagating,
        "SubscriptionNotFound" | "SubscriptionNotFoundFault" if !api.creates_or_changes() => {
            Class::Gone
        }
        // A group, cluster, topic or key that was created a moment ago.
        code if api.creates_or_changes() && code.contains("NotFound") => Class::Propagating,
        "InvalidSubnet" if api.operation == "CreateDBSubnetGroup" => Class::Propagating,
        "KMSKeyNotAccessibleFault" => Class::Propagating,
        "InvalidDBSubnetGroupStateFault"
        | "InvalidDBParameterGroupState"
        | "InvalidDBParameterGroupStateFault" => Class::InUse,
        // A subnet that an instance on its way out still uses ("Subnets: [..] are in use by DB instances").
        "SubnetInUse" => Class::InUse,
        "InvalidDBClusterStateFault" | "InvalidDBInstanceState" | "InvalidDBInstanceStateFault" => {
            Class::NotReady
        }
        "SubnetAlreadyInUse" => Class::Permanent,
        code if code.ends_with("AlreadyExists") || code.ends_with("AlreadyExistsFault") => {
            Class::Conflict
        }
        _ => return None,
    })
}

/// True for RDS's words for a service-linked role that is not there yet ("Unable to create the resource. Verify that you
/// have permission to create service linked role. Otherwise wait and try again later"; subnet groups: "Missing necessary
/// credentials", with a link to the page on that role).
pub(super) fn lacks_linked_role(message: &str) -> bool {
    message.contains("service linked role") || message.contains("ServiceLinkedRoles")
}

/// Tags by key.
type Tags = BTreeMap<String, String>;

/// Tags as a map.
pub fn rds_tags_of(tags: &[Tag]) -> Tags {
    let pair = |t: &Tag| {
        Some((
            t.key()?.to_owned(),
            t.value().unwrap_or_default().to_owned(),
        ))
    };
    tags.iter().filter_map(pair).collect()
}

/// A reader over a paginated Describe call.
macro_rules! listing {
    ($client:expr, $caller:expr, $api:expr, $method:ident, $items:ident $(, $set:ident = $value:literal)?) => {{
        let (client, caller): (Client, Arc<Caller>) = ($client.clone(), $caller.clone());
        Listing::new(move || {
            let (client, caller) = (client.clone(), caller.clone());
            async move {
                let call = client.$method()$(.$set($value))?.max_records(100);
                let send = |marker| call.clone().set_marker(marker).send();
                let all = caller.pages($api, send, |page| {
                    (page.$items.unwrap_or_default(), page.marker)
                });
                all.await
            }
            .boxed()
        })
    }};
}

macro_rules! readers {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $api:ident, $method:ident, $items:ident, $name:ident $(, $set:ident = $value:literal)?;)*) => {
        /// RDS: its client and one batched reader per Describe call.
        pub struct Rds {
            pub client: Client,
            $($(#[$doc])* pub $field: Listing<$type>,)*
            /// Held by whoever reboots an instance: one at a time, so that a cluster keeps instances that serve.
            pub reboots: Mutex<()>,
            tags: Reader<String, Tags>,
        }

        impl Rds {
            pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
                let client = Client::new(config);
                Self {
                    $($field: listing!(client, caller, $api, $method, $items $(, $set = $value)?),)*
                    reboots: Mutex::default(),
                    tags: tags(&client, caller),
                    client,
                }
            }
        }

        $(impl Named for $type {
            fn name(&self) -> Option<&str> {
                self.$name()
            }
        })*
    };
}

readers! {
    /// DescribeDBClusters.
    clusters: t::DbCluster = DESCRIBE_DB_CLUSTERS, describe_db_clusters, db_clusters, db_cluster_identifier;
    /// DescribeDBInstances.
    instances: t::DbInstance = DESCRIBE_DB_INSTANCES, describe_db_instances, db_instances, db_instance_identifier;
    /// DescribeDBSubnetGroups.
    subnet_groups: t::DbSubnetGroup = DESCRIBE_DB_SUBNET_GROUPS, describe_db_subnet_groups, db_subnet_groups, db_subnet_group_name;
    /// DescribeDBClusterParameterGroups.
    cluster_parameter_groups: t::DbClusterParameterGroup = DESCRIBE_DB_CLUSTER_PARAMETER_GROUPS, describe_db_cluster_parameter_groups, db_cluster_parameter_groups, db_cluster_parameter_group_name;
    /// DescribeDBParameterGroups.
    parameter_groups: t::DbParameterGroup = DESCRIBE_DB_PARAMETER_GROUPS, describe_db_parameter_groups, db_parameter_groups, db_parameter_group_name;
    /// DescribeDBClusterSnapshots, those that somebody took.
    manual_snapshots: t::DbClusterSnapshot = DESCRIBE_DB_CLUSTER_SNAPSHOTS, describe_db_cluster_snapshots, db_cluster_snapshots, db_cluster_snapshot_identifier, snapshot_type = "manual";
    /// DescribeEventSubscriptions.
    event_subscriptions: t::EventSubscription = DESCRIBE_EVENT_SUBSCRIPTIONS, describe_event_subscriptions, event_subscriptions_list, cust_subscription_id;
}

impl Rds {
    /// Tags of a group (its Describe call does not tell them): one call per ARN and tick. `None` when it is gone.
    pub async fn tags(&self, arn: &str) -> Result<Option<Tags>, Error> {
        self.tags.get(arn.to_owned()).await
    }
}

fn tags(client: &Client, caller: &Arc<Caller>) -> Reader<String, Tags> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |arns: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let one = async |arn: String| {
                let answer = caller.call(LIST_TAGS_FOR_RESOURCE, || {
                    client.list_tags_for_resource().resource_name(&arn).send()
                });
                match answer.await {
                    Ok(found) => Ok(Some((arn, rds_tags_of(found.tag_list())))),
                    Err(error) if error.is_not_found() => Ok(None),
                    Err(error) => Err(error),
                }
            };
            let all = try_join_all(arns.into_iter().map(one)).await?;
            Ok(all.into_iter().flatten().collect())
        }
        .boxed()
    })
}

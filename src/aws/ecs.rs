//! ECS: its client, actions, limits and errors, and the readers of clusters and services.

use super::api::Guard::{LinkedTo, PassedTo, RequestTag};
use super::api::{ANY, Answer, Api, Bucket, Grant, Service, actions, bucket, guarded, named};
use super::call::Caller;
use super::reader::Reader;
use super::recent::HandedOver;
use crate::engine::{Class, Error};
use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{Cluster, ClusterField, Service as Running, ServiceField};
use futures::FutureExt;
use futures::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// ECS as a service.
pub static SERVICE: Service = Service {
    name: "ecs",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// "Request throttling for the Amazon ECS API": reads and changes of clusters, of services and of task definitions have
/// buckets of their own, and so have deletions of task definitions.
fn limits(api: Api) -> Bucket {
    let of = |reads: &'static str, writes: &'static str, rate: f64| {
        if api.writes() {
            bucket(writes, 20.0, rate)
        } else {
            bucket(reads, 50.0, 20.0)
        }
    };
    match api.operation {
        "DeleteTaskDefinitions" => bucket(api.operation, 5.0, 1.0),
        operation if operation.contains("TaskDefinition") => {
            of("task definitions", "task definition changes", 1.0)
        }
        operation if operation.contains("Service") => of("services", "service changes", 5.0),
        _ => of("clusters", "cluster changes", 1.0),
    }
}

const CLUSTER: Grant = named("arn:aws:ecs:{region}:{account}:cluster/*-{suffix}");
const RUNNING: Grant = named("arn:aws:ecs:{region}:{account}:service/*-{suffix}/*-{suffix}");
const DEFINITION: Grant = named("arn:aws:ecs:{region}:{account}:task-definition/*-{suffix}:*");
/// A task of its own: in a cluster, with a random id.
const TASK: Grant = named("arn:aws:ecs:{region}:{account}:task/*-{suffix}/*");
const PASS_ROLE: Grant = guarded(
    "arn:aws:iam::{account}:role/*-{suffix}",
    PassedTo("ecs-tasks.amazonaws.com"),
)
.of("iam:PassRole");
const LINKED_ROLE: Grant = guarded(
    "arn:aws:iam::{account}:role/aws-service-role/ecs.amazonaws.com/*",
    LinkedTo("ecs.amazonaws.com"),
)
.of("iam:CreateServiceLinkedRole");

actions! { SERVICE;
    Read DESCRIBE_CLUSTERS = "DescribeClusters", [CLUSTER];
    Read LIST_CLUSTERS = "ListClusters", [ANY];
    Read DESCRIBE_SERVICES = "DescribeServices", [RUNNING];
    Read LIST_SERVICES = "ListServices", [ANY];
    Read DESCRIBE_TASK_DEFINITION = "DescribeTaskDefinition", [ANY];
    Read LIST_TASK_DEFINITIONS = "ListTaskDefinitions", [ANY];
    Read LIST_TASK_DEFINITION_FAMILIES = "ListTaskDefinitionFamilies", [ANY];
    Read LIST_TASKS = "ListTasks", [ANY];
    Read DESCRIBE_TASKS = "DescribeTasks", [TASK];
    Repeatable RUN_TASK = "RunTask", [DEFINITION, TASK.of("ecs:TagResource"), PASS_ROLE];
    Repeatable CREATE_CLUSTER = "CreateCluster", [CLUSTER, CLUSTER.of("ecs:TagResource"), LINKED_ROLE];
    Repeatable UPDATE_CLUSTER = "UpdateCluster", [CLUSTER];
    Repeatable PUT_CLUSTER_CAPACITY_PROVIDERS = "PutClusterCapacityProviders", [CLUSTER];
    Repeatable DELETE_CLUSTER = "DeleteCluster", [CLUSTER];
    Once CREATE_SERVICE = "CreateService", [RUNNING, RUNNING.of("ecs:TagResource"), LINKED_ROLE];
    Repeatable UPDATE_SERVICE = "UpdateService", [RUNNING];
    Repeatable DELETE_SERVICE = "DeleteService", [RUNNING];
    Once REGISTER_TASK_DEFINITION = "RegisterTaskDefinition", [guarded("*", RequestTag), DEFINITION.of("ecs:TagResource"), PASS_ROLE];
    Repeatable DEREGISTER_TASK_DEFINITION = "DeregisterTaskDefinition", [ANY];
    Repeatable DELETE_TASK_DEFINITIONS = "DeleteTaskDefinitions", [DEFINITION];
    Repeatable TAG_RESOURCE = "TagResource", [CLUSTER, RUNNING, DEFINITION];
    Repeatable UNTAG_RESOURCE = "UntagResource", [CLUSTER, RUNNING, DEFINITION];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    let says = |text: &str| answer.says(text);
    Some(match answer.code {
        "ClusterNotFoundException" if api.creates_or_changes() => Class::Propagating,
        "ServiceNotActiveException" if !api.creates_or_changes() => Class::Gone,
        "ClusterContainsServicesException"
        | "ClusterContainsTasksException"
        | "ClusterContainsContainerInstancesException"
        | "ClusterContainsCapacityProviderException" => Class::InUse,
        "UpdateInProgressException" => Class::NotReady,
        // "Unable to describe task definition.", "The specified task definition does not exist."
        "ClientException" if says("describe task definition") || says("does not exist") => {
            Class::Gone
        }
        // A role that was made a moment ago.
        "ClientException" if says("Role is not valid") => Class::Propagating,
        "InvalidParameterException" if says("still Draining") => Class::NotReady,
        "InvalidParameterException" if says("was not idempotent") => Class::Conflict,
        // "Unable to assume the service linked role", of an account's first service; a target group that no rule names yet.
        "InvalidParameterException"
            if says("assume the service linked role")
                || says("does not have an associated load balancer") =>
        {
            Class::Propagating
        }
        _ => return None,
    })
}

/// A service is known by its cluster and its name.
type Key = (String, String);

/// DescribeServices takes ten at most, DescribeClusters a hundred.
const SERVICES_AT_ONCE: usize = 10;
const CLUSTERS_AT_ONCE: usize = 100;

/// ECS: its client and the readers of clusters and services.
pub struct Ecs {
    pub client: Client,
    /// DescribeClusters, by name.
    pub clusters: Reader<String, Cluster>,
    /// DescribeServices, by cluster and name.
    pub services: Reader<Key, Running>,
    /// ListClusters: the ARNs of all.
    listed: Reader<(), Vec<String>>,
    started: Mutex<BTreeSet<Key>>,
    members: Mutex<HashMap<String, HandedOver<Vec<String>>>>,
    caller: Arc<Caller>,
}

impl Ecs {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        Self {
            clusters: clusters(&client, caller),
            services: services(&client, caller),
            listed: listed(&client, caller),
            started: Mutex::default(),
            members: Mutex::default(),
            caller: caller.clone(),
            client,
        }
    }

    /// Notes that this run starts the deployment of a task definition on a service; false when it did so before. ECS goes back
    /// to what ran before when a deployment fails, and then a second attempt of the same would fail alike.
    pub fn starts(&self, service: &str, definition: &str) -> bool {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.insert((service.to_owned(), definition.to_owned()))
    }

    /// The ARNs of all clusters.
    pub async fn all_clusters(&self) -> Result<Vec<String>, Error> {
        Ok(self.listed.get(()).await?.unwrap_or_default())
    }

    /// The same as [`Ecs::all_services`]; what is listed is kept for the search that runs beside a refresh.
    pub async fn services_in(&self, cluster: &str) -> Result<Vec<String>, Error> {
        let read = self.all_services(cluster);
        self.members(cluster).keep(&self.caller, read).await
    }

    /// What [`Ecs::services_in`] has just listed.
    pub fn just_listed(&self, cluster: &str) -> Option<Vec<String>> {
        self.members(cluster).take(&self.caller)
    }

    fn members(&self, cluster: &str) -> HandedOver<Vec<String>> {
        let mut known = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(cluster.to_owned()).or_default().clone()
    }

    /// The ARNs of all services of a cluster.
    pub async fn all_services(&self, cluster: &str) -> Result<Vec<String>, Error> {
        let call = self.client.list_services().cluster(cluster);
        let call = call.max_results(100);
        let send = |token| call.clone().set_next_token(token).send();
        let all = self.caller.pages(LIST_SERVICES, send, |page| {
            (page.service_arns.unwrap_or_default(), page.next_token)
        });
        all.await
    }
}

fn listed(client: &Client, caller: &Arc<Caller>) -> Reader<(), Vec<String>> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |_| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let send = |token| client.list_clusters().set_next_token(token).send();
            let all = caller.pages(LIST_CLUSTERS, send, |page| {
                (page.cluster_arns.unwrap_or_default(), page.next_token)
            });
            Ok(HashMap::from([((), all.await?)]))
        }
        .boxed()
    })
}

fn clusters(client: &Client, caller: &Arc<Caller>) -> Reader<String, Cluster> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |names: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let mut out = HashMap::new();
            for some in names.chunks(CLUSTERS_AT_ONCE) {
                let call = client.describe_clusters();
                let call = call
                    .set_clusters(Some(some.to_vec()))
                    .include(ClusterField::Settings)
                    .include(ClusterField::Configurations)
                    .include(ClusterField::Tags);
                let answer = caller.call(DESCRIBE_CLUSTERS, || call.clone().send());
                for cluster in answer.await?.clusters.unwrap_or_default() {
                    let name = cluster.cluster_name.clone().unwrap_or_default();
                    out.insert(name, cluster);
                }
            }
            Ok(out)
        }
        .boxed()
    })
}

fn services(client: &Client, caller: &Arc<Caller>) -> Reader<Key, Running> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |keys: Vec<Key>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let mut by_cluster: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (cluster, name) in keys {
                by_cluster.entry(cluster).or_default().push(name);
            }
            let clusters = by_cluster.into_iter().map(async |(cluster, names)| {
                let mut found = Vec::new();
                for some in names.chunks(SERVICES_AT_ONCE) {
                    let call = client.describe_services().cluster(&cluster);
                    let call = call
                        .set_services(Some(some.to_vec()))
                        .include(ServiceField::Tags);
                    let answer = caller.call(DESCRIBE_SERVICES, || call.clone().send());
                    let answer = match answer.await {
                        // Without the cluster there is none of its services.
                        Err(error) if error.is_not_found() => break,
                        other => other?,
                    };
                    for service in answer.services.unwrap_or_default() {
                        let name = service.service_name.clone().unwrap_or_default();
                        found.push(((cluster.clone(), name), service));
                    }
                }
                Ok::<_, Error>(found)
            });
            let found = try_join_all(clusters).await?;
            Ok(found.into_iter().flatten().collect())
        }
        .boxed()
    })
}

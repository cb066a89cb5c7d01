//! A cluster: where services run. A deleted one stays readable as `INACTIVE` for a while, and its name is free.

use super::EcsTags;
use super::beside::{Usual, beside};
use super::tags::{tags, tags_of};
use crate::engine::ownership::MARK_SUFFIX;
use crate::resources::holders::{self, held_by};
use crate::resources::logs::LogGroup;
use crate::resources::owned::marked_of;
use crate::resources::prelude::*;
use aws_sdk_ecs::types::{self as t, ClusterSetting, ClusterSettingName};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cluster {
    /// Container Insights: `enabled`, `enhanced` or `disabled`. Left out, it is the account's setting.
    pub insights: String,
    /// Where Container Insights writes: a name that ECS derives from the cluster's. It must be there before the cluster, or the
    /// service makes one without key and retention.
    pub log_group: Ref<LogGroup>,
    /// Capacity providers: a service or task that names no launch type runs on what they give. And where shell sessions are
    /// logged, by which key storage is encrypted, in which namespace services find each other.
    #[serde(default)]
    pub exposed: Exposed,
    /// Services of others in it.
    #[serde(default)]
    pub members: Vec<String>,
}

/// How the entries of `exposed` begin.
const PROVIDER: &str = "capacity_provider/";
const SESSIONS: &str = "execute_command_configuration";
const STORAGE: &str = "managed_storage_configuration";
const NAMESPACE: &str = "service_connect_defaults";

/// What [`Cluster`] reads by name, and what a cluster is beside what is set.
const BY_NAME: [&str; 15] = [
    "cluster_arn",
    "cluster_name",
    "configuration",
    "status",
    "registered_container_instances_count",
    "running_tasks_count",
    "pending_tasks_count",
    "active_services_count",
    "statistics",
    "tags",
    "settings",
    "capacity_providers",
    "default_capacity_provider_strategy",
    // How far its capacity providers have come.
    "attachments",
    "attachments_status",
];
const USUAL: [Usual; 1] = [(
    SESSIONS,
    "ExecuteCommandConfiguration {logging: Some(Default)}",
)];

const READ: Api = ecs::DESCRIBE_CLUSTERS;

impl Kind for Cluster {
    const TYPE: &'static str = "ecs/cluster";
    /// "CreateCluster" in the ECS API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 255,
        legal: |c| c.is_ascii_alphanumeric() || "-_".contains(c),
        charset: "letters, digits, `-` and `_`",
    };
    type Outputs = Named<Self>;
}

impl Resource for Cluster {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (2.0, 2.0),
        cost: |it| match it.insights.as_str() {
            "enabled" => Cost::usage(&["insights", "insights_logs"]),
            "enhanced" => Cost::usage(&["enhanced_insights"]),
            _ => Cost::NONE,
        },
        fixed: &["log_group"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &["members"],
        delegated: &[],
    };
    type Tags = EcsTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let members = async {
            match key.outputs {
                Some(_) => others(cx, key.name(), key.identity).await,
                // What is not recorded was made a moment ago, or is not ours.
                None => Ok(Vec::new()),
            }
        };
        let cluster = cx.ecs.clusters.get(key.name().to_owned());
        let (cluster, members) = futures::join!(cluster, members);
        let Some(cluster) = cluster?.filter(|c| c.status() != Some("INACTIVE")) else {
            return Ok(None);
        };
        let insights = cluster.settings().iter();
        let insights =
            insights.filter(|s| s.name() == Some(&ClusterSettingName::ContainerInsights));
        let spec = Self {
            insights: insights
                .filter_map(ClusterSetting::value)
                .next_back()
                .unwrap_or("disabled")
                .to_owned(),
            log_group: format!("/aws/ecs/containerinsights/{}/performance", key.name()).into(),
            exposed: exposed(&cluster),
            members: members?,
        };
        let arn: String = READ.field(cluster.cluster_arn(), "clusterArn")?;
        let tags = tags_of(cluster.tags());
        cx.recent.note(&arn, &tags);
        let found = Found::tagged(spec, Named::new(key.name(), arn), tags);
        Ok(Some(found.phase(match cluster.status() {
            Some("ACTIVE") => Phase::Ready,
            Some("DEPROVISIONING") => Phase::Deleting,
            Some("FAILED") => Phase::Failed("its state is FAILED".into()),
            _ => Phase::Settling,
        })))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let call = cx.ecs.client.create_cluster().cluster_name(&identity.name);
        let call = call.settings(self.setting());
        let call = call.set_tags(Some(tags(&identity.tags)));
        let api = ecs::CREATE_CLUSTER;
        let made = cx.call(api, || call.clone().send()).await?;
        let arn: String = api.field(
            made.cluster().and_then(t::Cluster::cluster_arn),
            "clusterArn",
        )?;
        Ok(Named::new(&identity.name, arn))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, delta: &Delta) -> Result<(), Error> {
        let api = ecs::UPDATE_CLUSTER;
        let others = delta.entries("exposed");
        if others.keys().any(|name| name.starts_with(PROVIDER)) {
            let call = cx.ecs.client.put_cluster_capacity_providers();
            let call = call
                .cluster(&it.name)
                .set_capacity_providers(Some(Vec::new()))
                .set_default_capacity_provider_strategy(Some(Vec::new()));
            const PUT: Api = ecs::PUT_CLUSTER_CAPACITY_PROVIDERS;
            cx.call(PUT, || call.clone().send()).await?;
        }
        let [sessions, storage, namespace] =
            [SESSIONS, STORAGE, NAMESPACE].map(|name| others.contains_key(name));
        let insights = delta.touches("insights");
        if !(insights || sessions || storage || namespace) {
            return Ok(());
        }
        let call = cx.ecs.client.update_cluster().cluster(&it.name);
        let call = call
            .set_settings(insights.then(|| vec![self.setting()]))
            .set_configuration((sessions || storage).then(plain))
            .set_service_connect_defaults(if namespace { Some(none(api)?) } else { None });
        cx.call(api, || call.clone().send()).await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let call = cx.ecs.client.delete_cluster().cluster(&it.name);
        match cx.delete(ecs::DELETE_CLUSTER, || call.clone().send()).await {
            Err(error) if error.class == Class::InUse => {
                // What cannot be read is left out: the refusal itself is the news.
                let services = cx
                    .ecs
                    .all_services(it.name.as_str())
                    .await
                    .unwrap_or_default();
                let named = services.iter().map(|arn| {
                    let name = arn.rsplit('/').next().unwrap_or(arn);
                    holders::Named::stays(format!("service {name}"))
                });
                Err(held_by(error, named.collect()))
            }
            other => other,
        }
    }
}

impl Cluster {
    fn setting(&self) -> ClusterSetting {
        ClusterSetting::builder()
            .name(ClusterSettingName::ContainerInsights)
            .value(&self.insights)
            .build()
    }
}

/// All that others can set of a cluster.
fn exposed(cluster: &t::Cluster) -> Exposed {
    let mut out = providers(cluster);
    out.extend(beside(cluster, &BY_NAME, &[]));
    if let Some(configuration) = cluster.configuration() {
        out.extend(beside(configuration, &[], &USUAL));
    }
    out
}

/// Sessions in the log of their tasks, storage encrypted by AWS's key.
fn plain() -> t::ClusterConfiguration {
    let sessions = t::ExecuteCommandConfiguration::builder();
    let sessions = sessions.logging(t::ExecuteCommandLogging::Default);
    let storage = t::ManagedStorageConfiguration::builder();
    t::ClusterConfiguration::builder()
        .execute_command_configuration(sessions.build())
        .managed_storage_configuration(storage.build())
        .build()
}

/// No namespace: "an empty string removes it" ("ClusterServiceConnectDefaultsRequest" in the ECS API reference).
fn none(api: Api) -> Result<t::ClusterServiceConnectDefaultsRequest, Error> {
    let none = t::ClusterServiceConnectDefaultsRequest::builder().namespace("");
    let none = none.build();
    none.map_err(|e| Error::permanent(api.action(), e.to_string()))
}

/// The capacity providers of a cluster, and whether they are those that are taken where none is named.
fn providers(cluster: &t::Cluster) -> Exposed {
    let strategy = cluster.default_capacity_provider_strategy().iter();
    let default: Vec<&str> = strategy.map(|s| s.capacity_provider()).collect();
    let of = |name: &String| {
        let how = if default.contains(&name.as_str()) {
            "by default"
        } else {
            "on"
        };
        (format!("{PROVIDER}{name}"), how.to_owned())
    };
    cluster.capacity_providers().iter().map(of).collect()
}

/// Services that are none of this deployment's. One without our kind of name is not asked whose it is.
async fn others(cx: &Aws, cluster: &str, identity: &Identity) -> Result<Vec<String>, Error> {
    let suffix = identity.tags.get(MARK_SUFFIX).map_or("", String::as_str);
    let all = found(cx.ecs.services_in(cluster).await)?.unwrap_or_default();
    let ours = all.iter().map(async |arn| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        if !is_conventional(name, suffix) {
            return Ok(false);
        }
        let key = (cluster.to_owned(), name.to_owned());
        let ask = async {
            let service = cx.ecs.services.get(key).await?;
            Ok(service.map(|s| tags_of(s.tags())).unwrap_or_default())
        };
        let marked = |tags: &Tags| of_deployment(identity, tags);
        let tags: Tags = cx.proven(arn, marked, ask).await?;
        Ok::<_, Error>(marked(&tags))
    });
    let ours = futures::future::try_join_all(ours).await?;
    let others = all.iter().zip(ours).filter(|(_, ours)| !ours);
    let name = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
    Ok(others
        .map(|(arn, _)| format!("service {}", name(arn)))
        .collect())
}

/// ListClusters answers ARNs; those whose name can be ours and that were not just read are described together.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.ecs.all_clusters().await?.into_iter();
    let named = all.map(|arn| (arn.rsplit('/').next().unwrap_or_default().to_owned(), arn));
    marked_of(cx, Cluster::TYPE, suffix, named.collect(), |cx, arn| {
        Box::pin(async move {
            let name = arn.rsplit('/').next().unwrap_or_default();
            let found = cx.ecs.clusters.get(name.to_owned()).await?;
            let alive = found.filter(|c| c.status() != Some("INACTIVE"));
            Ok(alive.map(|c| tags_of(c.tags())))
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::super::beside::tests::shows_all;
    use super::*;

    #[test]
    fn no_setting_of_a_cluster_is_passed_over() {
        assert_eq!(exposed(&t::Cluster::builder().build()), Exposed::new());
        let with = |configuration| t::Cluster::builder().configuration(configuration);
        assert_eq!(exposed(&with(plain()).build()), Exposed::new());

        let sessions = t::ExecuteCommandConfiguration::builder();
        let sessions = sessions.logging(t::ExecuteCommandLogging::Override);
        let storage = t::ManagedStorageConfiguration::builder().kms_key_id("theirs");
        let configuration = t::ClusterConfiguration::builder()
            .execute_command_configuration(sessions.build())
            .managed_storage_configuration(storage.build())
            .build();
        let namespace = t::ClusterServiceConnectDefaults::builder().namespace("theirs");
        let all = with(configuration.clone()).service_connect_defaults(namespace.build());
        let all = all.build();
        let (of_configuration, of_cluster): (Exposed, Exposed) = exposed(&all)
            .into_iter()
            .partition(|(name, _)| [SESSIONS, STORAGE].contains(&name.as_str()));
        shows_all(&all, &BY_NAME, &of_cluster);
        shows_all(&configuration, &[], &of_configuration);
    }
}

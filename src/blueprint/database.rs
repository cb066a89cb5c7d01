//! The database of one environment: an Aurora PostgreSQL cluster on Serverless v2 with a writer and readers over the
//! zones. RDS owns the master password and rotates it; no password passes through here.

use super::{DATABASE_CLUSTER, EnvironmentBuilder};
use crate::config::Database as Settings;
use crate::engine::{Handle, Ref};
use crate::resources::ec2::{SecurityGroup, Subnet, Vpc};
use crate::resources::iam::Role;
use crate::resources::kms::Key;
use crate::resources::logs::LogGroup;
use crate::resources::rds::{
    Capacity, Cluster, ClusterParameterGroup, ENGINE, Insights, Instance, Monitoring,
    ParameterGroup, SubnetGroup, family, major,
};
use crate::resources::secretsmanager::Rotation;
use crate::resources::{Arn, Exposed};
use std::collections::BTreeMap;

/// What other sections refer to.
pub struct Database {
    pub cluster: Handle<Cluster>,
    /// The writer and the readers.
    pub instances: Vec<Handle<Instance>>,
    /// The settings of these.
    pub parameters: Handle<ParameterGroup>,
}

/// What it depends on.
pub struct Needs<'a> {
    pub vpc: Ref<Vpc>,
    /// The subnets of the db tier.
    pub subnets: &'a [Handle<Subnet>],
    /// The security group of the database.
    pub security_group: Ref<SecurityGroup>,
    /// The key of storage, secret and Performance Insights.
    pub data_key: Ref<Arn<Key>>,
    /// The role that writes enhanced monitoring.
    pub monitoring_role: Ref<Arn<Role>>,
    /// The log group `/aws/rds/cluster/{cluster}/postgresql`, which must be there before RDS would make one itself.
    pub log_group: Ref<LogGroup>,
}

/// Settings of the whole cluster. Static ones (logical replication, preloaded libraries) take effect when an instance
/// starts, so they have to be there before the first one does. The migration replicates logically.
///
/// What is done in the database is logged by pgAudit ("Using pgAudit to log database activity" in the Aurora user guide) and
/// not by `log_statement`, which writes the password of `ALTER ROLE .. PASSWORD` in clear: definitions and rights always,
/// with passwords left out; reads and writes of a table as soon as somebody grants them to `rds_pgaudit`. Values that
/// statements are sent with would bring card data into the log, so they never stand there.
const CLUSTER_PARAMETERS: [(&str, &str); 8] = [
    ("log_connections", "1"),
    ("log_disconnections", "1"),
    ("pgaudit.log", "ddl,role"),
    ("pgaudit.log_parameter", "0"),
    ("pgaudit.role", "rds_pgaudit"),
    ("rds.force_ssl", "1"),
    ("rds.logical_replication", "1"),
    ("shared_preload_libraries", "pg_stat_statements,pgaudit"),
];

/// Connections that an instance takes. AWS's own number follows the largest capacity and nobody sees it; an alarm counts to this one.
pub const MAX_CONNECTIONS: u32 = 1000;

/// Settings of each instance. `pg_stat_statements` would keep the text of `ALTER ROLE .. PASSWORD` otherwise.
const INSTANCE_PARAMETERS: [(&str, &str); 1] = [("pg_stat_statements.track_utility", "0")];

/// In UTC, one after the other, in the quietest hours of Europe's week.
const BACKUP_WINDOW: &str = "01:30-02:30";
const MAINTENANCE_WINDOW: &str = "sun:03:00-sun:04:00";

pub fn declare(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>) -> Database {
    let group = SubnetGroup {
        vpc: needs.vpc.clone(),
        subnets: needs.subnets.iter().map(|s| s.id()).collect(),
    };
    let group = here.add("db-subnets", group);
    let settings = &here.config.database;
    let thing = of_version("db-parameters", settings);
    let parameters = ParameterGroup {
        family: family(&settings.engine_version),
        parameters: instance_parameters(),
    };
    let parameters = here.add(&thing, parameters);
    let cluster = cluster(here, needs, &group, &parameters);
    let instances = instances(here, needs, &cluster, &group, &parameters);
    let rotation = Rotation {
        // RDS is done with the secret when the cluster is.
        secret: cluster.secret_arn.ready(),
        days: here.config.database.rotation_days,
        exposed: Exposed::new(),
    };
    here.add("aurora-rotation", rotation);
    here.output("database.cluster", &cluster.id);
    here.output("database.writer_endpoint", &cluster.writer_endpoint);
    here.output("database.reader_endpoint", &cluster.reader_endpoint);
    here.output("database.port", &cluster.port);
    here.output("database.secret_arn", &cluster.secret_arn);
    let urls = [
        ("database.url", &cluster.writer_endpoint),
        ("database.reader_url", &cluster.reader_endpoint),
    ];
    for (name, endpoint) in urls {
        let url = url(&here.config.database, &endpoint.to_string());
        here.output(name, url);
    }
    Database {
        cluster,
        instances,
        parameters,
    }
}

/// A connection string without a password, as libpq and its like take it: the server's certificate and name are checked.
fn url(settings: &Settings, endpoint: &str) -> String {
    let Settings {
        master_user,
        port,
        name,
        ..
    } = settings;
    format!("postgresql://{master_user}@{endpoint}:{port}/{name}?sslmode=verify-full")
}

/// The name of a parameter group. A group belongs to one major version, and an upgrade in place takes the next one's beside it, so later
/// groups name their version; the platform began with 14.
fn of_version(thing: &str, settings: &Settings) -> String {
    match major(&settings.engine_version) {
        "14" => thing.to_owned(),
        major => format!("{thing}-{major}"),
    }
}

fn instance_parameters() -> BTreeMap<String, String> {
    let mut all = parameters(&INSTANCE_PARAMETERS);
    all.insert("max_connections".into(), MAX_CONNECTIONS.to_string());
    all
}

fn parameters(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn cluster(
    here: &mut EnvironmentBuilder<'_>,
    needs: &Needs<'_>,
    subnet_group: &Handle<SubnetGroup>,
    instance_parameters: &Handle<ParameterGroup>,
) -> Handle<Cluster> {
    let settings = &here.config.database;
    let group = ClusterParameterGroup {
        family: family(&settings.engine_version),
        parameters: parameters(&CLUSTER_PARAMETERS),
    };
    let thing = of_version("db-cluster-parameters", settings);
    let group = here.add(&thing, group);
    let spec = Cluster {
        engine: ENGINE.into(),
        major_version: major(&settings.engine_version).into(),
        engine_version: settings.engine_version.clone(),
        running_version: settings.engine_version.clone(),
        database: settings.name.clone(),
        master_user: settings.master_user.clone(),
        secret_key: Some(needs.data_key.clone()),
        port: settings.port.into(),
        subnet_group: subnet_group.name(),
        parameter_group: group.name().ready(),
        instance_parameters: Some(instance_parameters.name().ready()),
        security_groups: vec![needs.security_group.clone()],
        storage_key: Some(needs.data_key.clone()),
        capacity: Capacity {
            min: settings.min_capacity,
            max: settings.max_capacity,
        },
        backup_days: settings.backup_days,
        backup_window: BACKUP_WINDOW.into(),
        maintenance_window: MAINTENANCE_WINDOW.into(),
        auto_minor_upgrades: settings.auto_minor_upgrades,
        iam_authentication: true,
        log_exports: BTreeMap::from([("postgresql".into(), needs.log_group.to_string())]),
        copy_tags: true,
        deletion_protection: here.config.protect,
        running: true,
        exposed: Exposed::new(),
        held: None,
        members: Vec::new(),
    };
    here.add(DATABASE_CLUSTER, spec)
}

fn instances(
    here: &mut EnvironmentBuilder<'_>,
    needs: &Needs<'_>,
    cluster: &Handle<Cluster>,
    subnet_group: &Handle<SubnetGroup>,
    parameters: &Handle<ParameterGroup>,
) -> Vec<Handle<Instance>> {
    let settings = &here.config.database;
    let each = (0..settings.instances).map(|at| {
        let spec = Instance {
            cluster: cluster.id.clone(),
            // A zone that was added is in the group before an instance is put there.
            subnet_group: subnet_group.name().ready(),
            class: "db.serverless".into(),
            zone: here.facts.zones[at % here.facts.zones.len()].clone(),
            // Tiers 0 and 1 keep the size of the writer and are ready to take over; later ones scale on their own
            // ("Aurora Serverless v2 scaling", promotion tiers).
            promotion_tier: i32::try_from(at.min(15)).unwrap_or(15),
            parameter_group: parameters.name().ready(),
            parameters_applied: true,
            publicly_accessible: false,
            auto_minor_upgrades: settings.auto_minor_upgrades,
            maintenance_window: MAINTENANCE_WINDOW.into(),
            insights: Some(Insights {
                key: needs.data_key.clone(),
                days: settings.insights_days,
            }),
            monitoring: (settings.monitoring_seconds > 0).then(|| Monitoring {
                seconds: settings.monitoring_seconds,
                // Its policy must be attached.
                role: needs.monitoring_role.ready(),
            }),
        };
        let thing = format!("{DATABASE_CLUSTER}-{}", at + 1);
        here.add(&thing, spec)
    });
    each.collect()
}

//! Rules that tie two keys together. They are judged only when each of the two is legal by itself.

use super::Config;
use super::image::registry_region;

/// One broken rule: the keys it ties together (the first that the file has gets the line) and the sentence.
pub(super) struct Broken {
    pub keys: &'static [&'static str],
    pub text: String,
}

/// All broken rules.
pub(super) fn broken(config: &Config) -> Vec<Broken> {
    let mut out = Vec::new();
    let (blue, green) = (config.network.blue_cidr, config.network.green_cidr);
    if blue.contains(&green) || green.contains(&blue) {
        out.push(Broken {
            keys: &["network.green_cidr", "network.blue_cidr"],
            text: format!("`network.blue_cidr` ({blue}) and `network.green_cidr` ({green}) overlap; they take blocks that don't, such as 10.10.0.0/16 and 10.20.0.0/16"),
        });
    }
    if config.migration.mapping.is_read_only() && !config.traffic.bridge {
        out.push(Broken {
            keys: &["migration.mapping", "traffic.bridge"],
            text: "the mapping's mode is read-only, in which green's load balancer sends writes to blue over the bridge, and `traffic.bridge` is false".into(),
        });
    }
    let certificate = &config.routing.certificate_arn;
    let region = certificate.split(':').nth(3);
    if region.is_some_and(|region| region != config.region) {
        out.push(Broken {
            keys: &["routing.certificate_arn", "region"],
            text: format!("`routing.certificate_arn` is {certificate}; it takes a certificate of the region {}", config.region),
        });
    }
    if config.routing.create_zone && config.routing.domain.is_empty() {
        out.push(Broken {
            keys: &["routing.create_zone", "routing.domain"],
            text: "`routing.create_zone` is true, and `routing.domain` is empty; it takes the domain that the zone is made for".into(),
        });
    }
    let migration = &config.migration;
    if !migration.trusted_accounts.is_empty() && migration.external_id.is_empty() {
        out.push(Broken {
            keys: &["migration.trusted_accounts", "migration.external_id"],
            text: "`migration.trusted_accounts` lets other accounts in, and `migration.external_id` is empty; it takes the external ID that their tooling gives".into(),
        });
    }
    let database = &config.database;
    if database.min_capacity > database.max_capacity {
        out.push(Broken {
            keys: &["database.min_capacity", "database.max_capacity"],
            text: format!(
                "`database.min_capacity` is {}, which is over `database.max_capacity` ({})",
                database.min_capacity, database.max_capacity
            ),
        });
    }
    let most = most_capacity(&database.engine_version);
    if database.max_capacity > most {
        out.push(Broken {
            keys: &["database.max_capacity", "database.engine_version"],
            text: format!("`database.max_capacity` is {}; with `database.engine_version` {} it takes at most {most}", database.max_capacity, database.engine_version),
        });
    }
    let storage = &config.storage;
    let glacier = [
        (
            "storage.transaction_logs_glacier_days",
            storage.transaction_logs_glacier_days,
            &[
                "storage.deep_archive_days",
                "storage.transaction_logs_glacier_days",
            ],
        ),
        (
            "storage.compliance_docs_glacier_days",
            storage.compliance_docs_glacier_days,
            &[
                "storage.deep_archive_days",
                "storage.compliance_docs_glacier_days",
            ],
        ),
    ];
    for (key, days, keys) in glacier {
        // S3 refuses otherwise: "'Days' in the 'Transition' action for StorageClass 'DEEP_ARCHIVE' must be 90 days more
        // than ... in the 'Transition' action for StorageClass 'GLACIER'".
        if storage.deep_archive_days < days + 90 {
            out.push(Broken {
                keys,
                text: format!("`storage.deep_archive_days` is {}; S3 takes it only when it is at least 90 days more than `{key}` ({days}), so {} or more", storage.deep_archive_days, days + 90),
            });
        }
    }
    let expire = [
        (
            "storage.transaction_logs_expire_days",
            storage.transaction_logs_expire_days,
            &[
                "storage.transaction_logs_expire_days",
                "storage.deep_archive_days",
            ],
        ),
        (
            "storage.compliance_docs_expire_days",
            storage.compliance_docs_expire_days,
            &[
                "storage.compliance_docs_expire_days",
                "storage.deep_archive_days",
            ],
        ),
    ];
    for (key, days, keys) in expire {
        // S3 refuses otherwise: "'Days' in the Expiration action for filter .. must be greater than 'Days' in the Transition action".
        if days != 0 && days <= storage.deep_archive_days {
            out.push(Broken {
                keys,
                text: format!("`{key}` is {days}; S3 takes it only when it is more than `storage.deep_archive_days` ({}), or 0 for never", storage.deep_archive_days),
            });
        }
    }
    for (service, uri) in &config.services.images {
        let region = registry_region(uri).unwrap_or_default();
        if region != config.region {
            out.push(Broken {
                keys: &["services.images", "region"],
                text: format!("`services.images` has an image of {service} in {region}; tasks in {} reach the registries of their own region only", config.region),
            });
        }
    }
    out
}

/// The most ACUs of an instance. Aurora User Guide, "Requirements and limitations for Aurora Serverless v2": 256 from
/// 13.13, 14.10, 15.5 and 16.1 on, 128 before.
fn most_capacity(version: &str) -> f64 {
    let Some((major, minor)) = version.split_once('.') else {
        return 256.0;
    };
    let (major, minor): (u32, u32) = (major.parse().unwrap_or(0), minor.parse().unwrap_or(0));
    let from = match major {
        0..=12 => u32::MAX,
        13 => 13,
        14 => 10,
        15 => 5,
        16 => 1,
        _ => 0,
    };
    if minor >= from { 256.0 } else { 128.0 }
}

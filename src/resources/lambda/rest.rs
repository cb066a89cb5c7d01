//! Settings that we leave as Lambda makes them: what somebody set there. The desired set is always empty; every entry is drift, and
//! an update sets it back where Lambda has a call for that.

use super::{Function, StreamMapping};
use crate::resources::prelude::*;
use aws_sdk_lambda::operation::update_event_source_mapping::builders::UpdateEventSourceMappingFluentBuilder as UpdateMapping;
use aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationFluentBuilder as Configure;
use aws_sdk_lambda::types as t;
use std::fmt::Debug;

/// Megabytes of `/tmp` ("EphemeralStorage" in the API reference).
const STORAGE: i32 = 512;
const ARCHITECTURE: t::Architecture = t::Architecture::X8664;
/// Those that a new version of the code sets back.
const WITH_CODE: [&str; 3] = ["architecture", "signing_profile", "signing_job"];

/// Those that are set.
fn set<const N: usize>(all: [(&str, Option<String>); N]) -> Exposed {
    let all = all.into_iter();
    all.filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

fn text(value: Option<&str>) -> Option<String> {
    value.filter(|v| !v.is_empty()).map(str::to_owned)
}

fn number(value: Option<i32>, default: i32) -> Option<String> {
    value.filter(|v| *v != default).map(|v| v.to_string())
}

fn list<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let all: Vec<&str> = values.into_iter().collect();
    text(Some(&all.join(", ")))
}

/// Something with members of its own, of which we set none.
fn any(value: Option<&impl Debug>) -> Option<String> {
    value.map(|v| format!("{v:?}"))
}

/// What is set of a function.
pub(super) fn of_function(live: &t::FunctionConfiguration) -> Exposed {
    let mounts = live.file_system_configs().iter();
    let architectures = live.architectures();
    let architectures = architectures.iter().filter(|a| **a != ARCHITECTURE);
    let tracing = live.tracing_config().and_then(|c| c.mode());
    let tracing = tracing.filter(|m| **m != t::TracingMode::PassThrough);
    let package = live.package_type();
    let package = package.filter(|p| **p != t::PackageType::Zip);
    let snap = live.snap_start().and_then(|s| s.apply_on());
    let snap = snap.filter(|s| **s != t::SnapStartApplyOn::None);
    let logging = live.logging_config();
    let format = logging.and_then(|l| l.log_format());
    let format = format.filter(|f| **f != t::LogFormat::Text);
    let own_level = logging.and_then(|l| l.application_log_level());
    let system_level = logging.and_then(|l| l.system_log_level());
    let six = live
        .vpc_config()
        .and_then(|v| v.ipv6_allowed_for_dual_stack());
    set([
        ("description", text(live.description())),
        ("tracing", text(tracing.map(|m| m.as_str()))),
        ("master", text(live.master_arn())),
        ("file_systems", list(mounts.map(t::FileSystemConfig::arn))),
        ("signing_profile", text(live.signing_profile_version_arn())),
        ("signing_job", text(live.signing_job_arn())),
        ("package", text(package.map(|p| p.as_str()))),
        ("image", any(live.image_config_response())),
        (
            "architecture",
            list(architectures.map(t::Architecture::as_str)),
        ),
        (
            "storage_mib",
            number(live.ephemeral_storage().map(|s| s.size()), STORAGE),
        ),
        ("snap_start", text(snap.map(|s| s.as_str()))),
        ("log_format", text(format.map(|f| f.as_str()))),
        ("log_level", text(own_level.map(|l| l.as_str()))),
        ("system_log_level", text(system_level.map(|l| l.as_str()))),
        ("tenancy", any(live.tenancy_config())),
        ("capacity_provider", any(live.capacity_provider_config())),
        ("durable", any(live.durable_config())),
        ("ipv6", six.filter(|on| *on).map(|on| on.to_string())),
    ])
}

/// Whether the code must be sent again to set it back; the architecture goes with it.
pub(super) fn with_code(delta: &Delta) -> Option<Vec<t::Architecture>> {
    let others = delta.entries("others");
    let asked = WITH_CODE.iter().any(|name| others.contains_key(name));
    asked.then(|| vec![ARCHITECTURE])
}

/// The same call, which also sets back what the delta names. Formats and levels of the log and IPv6 go with settings of ours.
///
/// # Errors
/// When a function is made with such a setting and keeps it.
pub(super) fn configure(mut call: Configure, delta: &Delta) -> Result<Configure, Error> {
    for name in delta.entries("others").into_keys() {
        call = match name {
            "description" => call.description(""),
            "tracing" => {
                let off = t::TracingConfig::builder().mode(t::TracingMode::PassThrough);
                call.tracing_config(off.build())
            }
            "file_systems" => call.set_file_system_configs(Some(Vec::new())),
            "storage_mib" => {
                let storage = t::EphemeralStorage::builder().size(STORAGE).build();
                let action = lambda::UPDATE_FUNCTION_CONFIGURATION.action();
                call.ephemeral_storage(
                    storage.map_err(|e| Error::permanent(action, e.to_string()))?,
                )
            }
            "snap_start" => {
                let off = t::SnapStart::builder().apply_on(t::SnapStartApplyOn::None);
                call.snap_start(off.build())
            }
            "log_format" | "log_level" | "system_log_level" | "ipv6" => call,
            name if WITH_CODE.contains(&name) => call,
            name => return Err(kept(Function::TYPE, name)),
        };
    }
    Ok(call)
}

/// What is set of a mapping of a stream. What it says of records stays unsaid: patterns may hold their values.
pub(super) fn of_mapping(one: &t::EventSourceMappingConfiguration) -> Exposed {
    let filters = one.filter_criteria().map_or(0, |f| f.filters().len());
    let filters = (filters > 0).then(|| format!("{filters} patterns"));
    let metrics = one.metrics_config().map(|m| m.metrics());
    let metrics = metrics.unwrap_or_default().iter();
    let access = one.source_access_configurations();
    let done = one.destination_config().and_then(|d| d.on_success());
    let texts = |all: &[String]| list(all.iter().map(String::as_str));
    set([
        ("filters", filters),
        ("filter_error", any(one.filter_criteria_error())),
        ("parallelization", number(one.parallelization_factor(), 1)),
        (
            "batching_window",
            number(one.maximum_batching_window_in_seconds(), 0),
        ),
        (
            "tumbling_window",
            number(one.tumbling_window_in_seconds(), 0),
        ),
        ("kms_key", text(one.kms_key_arn())),
        (
            "metrics",
            list(metrics.map(t::EventSourceMappingMetric::as_str)),
        ),
        ("success", text(done.and_then(|d| d.destination()))),
        ("logging", any(one.logging_config())),
        ("scaling", any(one.scaling_config())),
        ("from", any(one.starting_position_timestamp())),
        ("topics", texts(one.topics())),
        ("queues", texts(one.queues())),
        (
            "access",
            (!access.is_empty()).then(|| format!("{access:?}")),
        ),
        ("self_managed", any(one.self_managed_event_source())),
        ("kafka", any(one.amazon_managed_kafka_event_source_config())),
        (
            "self_managed_kafka",
            any(one.self_managed_kafka_event_source_config()),
        ),
        ("document_db", any(one.document_db_event_source_config())),
        ("pollers", any(one.provisioned_poller_config())),
    ])
}

/// The same call, which also sets back what the delta names. The destination goes with a setting of ours.
///
/// # Errors
/// When a mapping is made with such a setting and keeps it.
pub(super) fn map(mut call: UpdateMapping, delta: &Delta) -> Result<UpdateMapping, Error> {
    for name in delta.entries("others").into_keys() {
        call = match name {
            "filters" | "filter_error" => {
                let none = t::FilterCriteria::builder().set_filters(Some(Vec::new()));
                call.filter_criteria(none.build())
            }
            "parallelization" => call.parallelization_factor(1),
            "batching_window" => call.maximum_batching_window_in_seconds(0),
            "tumbling_window" => call.tumbling_window_in_seconds(0),
            "kms_key" => call.kms_key_arn(""),
            "metrics" => {
                let none = t::EventSourceMappingMetricsConfig::builder();
                call.metrics_config(none.set_metrics(Some(Vec::new())).build())
            }
            "success" => call,
            name => return Err(kept(StreamMapping::TYPE, name)),
        };
    }
    Ok(call)
}

fn kept(kind: &str, name: &str) -> Error {
    let text = format!("{kind}: AWS has no call that sets `others.{name}` back");
    Error::permanent("update", text)
        .hint("delete it by hand if nobody needs it, then run `deployer apply`: it makes it anew")
}

#[cfg(test)]
mod tests;

//! Every member that an answer of Lambda has is either ours or shown.

use super::*;
use crate::resources::tests::members;
use aws_smithy_types::DateTime;

fn fresh() -> t::builders::FunctionConfigurationBuilder {
    let logging = t::LoggingConfig::builder()
        .log_format(t::LogFormat::Text)
        .log_group("/aws/lambda/ours");
    let tracing = t::TracingConfigResponse::builder().mode(t::TracingMode::PassThrough);
    let storage = t::EphemeralStorage::builder().size(STORAGE).build();
    let snap = t::SnapStartResponse::builder().apply_on(t::SnapStartApplyOn::None);
    t::FunctionConfiguration::builder()
        .description("")
        .package_type(t::PackageType::Zip)
        .architectures(ARCHITECTURE)
        .tracing_config(tracing.build())
        .ephemeral_storage(storage.unwrap())
        .snap_start(snap.build())
        .logging_config(logging.build())
        .vpc_config(
            t::VpcConfigResponse::builder()
                .ipv6_allowed_for_dual_stack(false)
                .build(),
        )
}

#[test]
fn every_setting_of_a_function_that_is_not_ours_shows() {
    assert_eq!(of_function(&fresh().build()), Exposed::new());
    let logging = t::LoggingConfig::builder;
    let mount = t::FileSystemConfig::builder()
        .arn("arn:theirs")
        .local_mount_path("/mnt/x");
    let tracing = t::TracingConfigResponse::builder().mode(t::TracingMode::Active);
    let storage = t::EphemeralStorage::builder().size(10_240).build();
    let snap = t::SnapStartResponse::builder().apply_on(t::SnapStartApplyOn::PublishedVersions);
    let six = t::VpcConfigResponse::builder().ipv6_allowed_for_dual_stack(true);
    let own = logging().application_log_level(t::ApplicationLogLevel::Fatal);
    let system = logging().system_log_level(t::SystemLogLevel::Warn);
    let tenancy = t::TenancyConfig::builder()
        .tenant_isolation_mode(t::TenantIsolationMode::PerTenant)
        .build();
    let cases = [
        ("description", fresh().description("theirs").build()),
        ("tracing", fresh().tracing_config(tracing.build()).build()),
        ("master", fresh().master_arn("arn:theirs").build()),
        (
            "file_systems",
            fresh().file_system_configs(mount.build().unwrap()).build(),
        ),
        (
            "signing_profile",
            fresh().signing_profile_version_arn("arn:theirs").build(),
        ),
        ("signing_job", fresh().signing_job_arn("arn:theirs").build()),
        (
            "package",
            fresh().package_type(t::PackageType::Image).build(),
        ),
        (
            "image",
            fresh()
                .image_config_response(t::ImageConfigResponse::builder().build())
                .build(),
        ),
        (
            "architecture",
            fresh()
                .set_architectures(Some(vec![t::Architecture::Arm64]))
                .build(),
        ),
        (
            "storage_mib",
            fresh().ephemeral_storage(storage.unwrap()).build(),
        ),
        ("snap_start", fresh().snap_start(snap.build()).build()),
        (
            "log_format",
            fresh()
                .logging_config(logging().log_format(t::LogFormat::Json).build())
                .build(),
        ),
        ("log_level", fresh().logging_config(own.build()).build()),
        (
            "system_log_level",
            fresh().logging_config(system.build()).build(),
        ),
        ("tenancy", fresh().tenancy_config(tenancy.unwrap()).build()),
        (
            "capacity_provider",
            fresh()
                .capacity_provider_config(t::CapacityProviderConfig::builder().build())
                .build(),
        ),
        (
            "durable",
            fresh()
                .durable_config(t::DurableConfig::builder().build())
                .build(),
        ),
        ("ipv6", fresh().vpc_config(six.build()).build()),
    ];
    for (name, live) in &cases {
        let shown = of_function(live);
        assert_eq!(shown.keys().collect::<Vec<_>>(), [name]);
    }
    // What is compared as a field of ours, and what AWS counts or says of the state.
    let ours = "runtime role handler timeout memory_size code_sha256 vpc_config dead_letter_config environment kms_key_arn layers logging_config";
    let counts = "function_name function_arn code_size last_modified version revision_id state state_reason state_reason_code last_update_status last_update_status_reason last_update_status_reason_code runtime_version_config config_sha256";
    let here = "description tracing_config master_arn file_system_configs signing_profile_version_arn signing_job_arn package_type image_config_response architectures ephemeral_storage snap_start tenancy_config capacity_provider_config durable_config";
    known(&fresh().build(), &[ours, counts, here]);
}

/// Every member is one of these.
fn known(answer: &impl Debug, names: &[&str]) {
    let mut names: Vec<&str> = names.iter().flat_map(|n| n.split(' ')).collect();
    let mut shown = members(answer);
    names.sort_unstable();
    shown.sort_unstable();
    assert_eq!(shown, names);
}

#[test]
fn every_setting_of_a_mapping_that_is_not_ours_shows() {
    let fresh = || {
        let failed = t::OnFailure::builder().destination("arn:ours");
        let to = t::DestinationConfig::builder().on_failure(failed.build());
        t::EventSourceMappingConfiguration::builder()
            .batch_size(100)
            .parallelization_factor(1)
            .maximum_batching_window_in_seconds(0)
            .tumbling_window_in_seconds(0)
            .filter_criteria(t::FilterCriteria::builder().build())
            .destination_config(to.build())
    };
    assert_eq!(of_mapping(&fresh().build()), Exposed::new());
    let filter = t::Filter::builder().pattern("{}").build();
    let filters = t::FilterCriteria::builder().filters(filter).build();
    let metric = t::EventSourceMappingMetric::EventCount;
    let metrics = t::EventSourceMappingMetricsConfig::builder().metrics(metric);
    let done = t::OnSuccess::builder().destination("arn:theirs").build();
    let done = t::DestinationConfig::builder().on_success(done).build();
    let access = t::SourceAccessConfiguration::builder().uri("arn:theirs");
    let cases = [
        ("filters", fresh().filter_criteria(filters)),
        (
            "filter_error",
            fresh().filter_criteria_error(t::FilterCriteriaError::builder().build()),
        ),
        ("parallelization", fresh().parallelization_factor(10)),
        (
            "batching_window",
            fresh().maximum_batching_window_in_seconds(300),
        ),
        ("tumbling_window", fresh().tumbling_window_in_seconds(60)),
        ("kms_key", fresh().kms_key_arn("arn:theirs")),
        ("metrics", fresh().metrics_config(metrics.build())),
        ("success", fresh().destination_config(done)),
        (
            "logging",
            fresh().logging_config(t::EventSourceMappingLoggingConfig::builder().build()),
        ),
        (
            "scaling",
            fresh().scaling_config(t::ScalingConfig::builder().build()),
        ),
        (
            "from",
            fresh().starting_position_timestamp(DateTime::from_secs(0)),
        ),
        ("topics", fresh().topics("theirs")),
        ("queues", fresh().queues("theirs")),
        (
            "access",
            fresh().source_access_configurations(access.build()),
        ),
        (
            "self_managed",
            fresh().self_managed_event_source(t::SelfManagedEventSource::builder().build()),
        ),
        (
            "kafka",
            fresh().amazon_managed_kafka_event_source_config(
                t::AmazonManagedKafkaEventSourceConfig::builder().build(),
            ),
        ),
        (
            "self_managed_kafka",
            fresh().self_managed_kafka_event_source_config(
                t::SelfManagedKafkaEventSourceConfig::builder().build(),
            ),
        ),
        (
            "document_db",
            fresh()
                .document_db_event_source_config(t::DocumentDbEventSourceConfig::builder().build()),
        ),
        (
            "pollers",
            fresh().provisioned_poller_config(t::ProvisionedPollerConfig::builder().build()),
        ),
    ];
    for (name, one) in cases {
        let shown = of_mapping(&one.build());
        assert_eq!(shown.keys().collect::<Vec<_>>(), [name]);
    }
    let ours = "starting_position batch_size event_source_arn function_arn state destination_config maximum_record_age_in_seconds bisect_batch_on_function_error maximum_retry_attempts function_response_types";
    let counts = "uuid event_source_mapping_arn last_modified last_processing_result state_transition_reason";
    let here = "starting_position_timestamp maximum_batching_window_in_seconds parallelization_factor filter_criteria filter_criteria_error kms_key_arn metrics_config logging_config scaling_config topics queues source_access_configurations self_managed_event_source tumbling_window_in_seconds amazon_managed_kafka_event_source_config self_managed_kafka_event_source_config document_db_event_source_config provisioned_poller_config";
    known(&fresh().build(), &[ours, counts, here]);
}

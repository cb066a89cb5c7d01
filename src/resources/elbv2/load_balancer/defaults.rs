//! The attributes that AWS sets by itself.

use super::NETWORK;
use crate::resources::elbv2::attributes::Defaults;

/// "LoadBalancerAttribute" in the API reference, for Network Load Balancers.
const OF_NETWORK: Defaults = &[
    ("access_logs.s3.bucket", ""),
    ("access_logs.s3.enabled", "false"),
    ("access_logs.s3.prefix", ""),
    ("dns_record.client_routing_policy", "any_availability_zone"),
    ("load_balancing.cross_zone.enabled", "false"),
    ("zonal_shift.config.enabled", "false"),
];

/// Seconds that an idle connection of an Application Load Balancer lives.
pub(super) const IDLE: (&str, &str) = ("idle_timeout.timeout_seconds", "60");

/// The same for Application Load Balancers.
const OF_APPLICATION: Defaults = &[
    ("access_logs.s3.bucket", ""),
    ("access_logs.s3.enabled", "false"),
    ("access_logs.s3.prefix", ""),
    ("client_keep_alive.seconds", "3600"),
    ("connection_logs.s3.bucket", ""),
    ("connection_logs.s3.enabled", "false"),
    ("connection_logs.s3.prefix", ""),
    ("health_check_logs.s3.bucket", ""),
    ("health_check_logs.s3.enabled", "false"),
    ("health_check_logs.s3.prefix", ""),
    IDLE,
    ("routing.http.desync_mitigation_mode", "defensive"),
    ("routing.http.drop_invalid_header_fields.enabled", "false"),
    ("routing.http.preserve_host_header.enabled", "false"),
    (
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
        "false",
    ),
    ("routing.http.xff_client_port.enabled", "false"),
    ("routing.http.xff_header_processing.mode", "append"),
    ("routing.http2.enabled", "true"),
    ("waf.fail_open.enabled", "false"),
    ("zonal_shift.config.enabled", "false"),
];

/// Of a family.
pub(super) fn defaults(family: &str) -> Defaults {
    if family == NETWORK {
        OF_NETWORK
    } else {
        OF_APPLICATION
    }
}

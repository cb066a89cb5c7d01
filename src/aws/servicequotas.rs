//! Service Quotas: the limits of the account.

use super::api::{ANY, Service, actions, bucket};
use super::call::Caller;
use aws_sdk_servicequotas::Client;
use std::sync::Arc;

/// Service Quotas as a service.
pub static SERVICE: Service = Service {
    name: "servicequotas",
    classify: |_, _| None,
    bucket: |api| bucket(api.operation, 10.0, 5.0),
    actions: || ACTIONS,
};

actions! { SERVICE;
    Read GET_SERVICE_QUOTA = "GetServiceQuota", [ANY];
    Read GET_AWS_DEFAULT_SERVICE_QUOTA = "GetAWSDefaultServiceQuota", [ANY];
}

/// Service Quotas: its client.
pub struct ServiceQuotas {
    pub client: Client,
}

impl ServiceQuotas {
    pub(super) fn new(config: &aws_config::SdkConfig, _: &Arc<Caller>) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

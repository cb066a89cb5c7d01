//! STS: who we are.

use super::api::{ANY, Service, actions, bucket};
use super::call::Caller;
use aws_sdk_sts::Client;
use std::sync::Arc;

/// STS as a service.
pub static SERVICE: Service = Service {
    name: "sts",
    classify: |_, _| None,
    bucket: |api| bucket(api.operation, 50.0, 10.0),
    actions: || ACTIONS,
};

actions! { SERVICE;
    Read GET_CALLER_IDENTITY = "GetCallerIdentity", [ANY];
}

/// STS: its client.
pub struct Sts {
    pub client: Client,
}

impl Sts {
    pub(super) fn new(config: &aws_config::SdkConfig, _: &Arc<Caller>) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

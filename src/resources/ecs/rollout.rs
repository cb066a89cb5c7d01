//! Where a service stands. Steady is not success: after ECS went back to what ran before, the service is as steady as after a
//! deployment that succeeded. So what counts is the deployment that is primary and its task definition, which is compared with
//! the wanted one like every other setting.

use crate::engine::Phase;
use aws_sdk_ecs::types::{Deployment, DeploymentRolloutState as State, Service};

/// The deployment that ECS brings the service to.
pub(super) fn primary(service: &Service) -> Option<&Deployment> {
    let mut all = service.deployments().iter();
    all.find(|d| d.status() == Some("PRIMARY"))
}

/// The phase of a service that is not gone.
pub(super) fn phase(service: &Service) -> Phase {
    if service.status() == Some("DRAINING") {
        return Phase::Deleting;
    }
    let Some(primary) = primary(service) else {
        return Phase::Settling;
    };
    match primary.rollout_state() {
        Some(State::Completed) => Phase::Ready,
        // Nothing runs, so there was nothing to go back to: a first deployment that failed.
        Some(State::Failed) if service.running_count() == 0 => {
            let reason = primary.rollout_state_reason().unwrap_or_default();
            Phase::Failed(format!("{reason}{}", last_events(service)))
        }
        // What ran before still runs, and a difference starts another deployment.
        Some(State::Failed) => Phase::Ready,
        _ => Phase::Settling,
    }
}

/// The latest events in words: why tasks do not start stands there.
pub(super) fn last_events(service: &Service) -> String {
    const SHOWN: usize = 3;
    let events = service.events().iter().take(SHOWN);
    let texts = events.filter_map(|e| e.message());
    texts.fold(String::new(), |all, text| format!("{all}; {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::types::ServiceEvent;

    fn service(state: State, running: i32) -> Service {
        let primary = Deployment::builder().status("PRIMARY").rollout_state(state);
        let event = ServiceEvent::builder().message("CannotPullContainerError");
        Service::builder()
            .status("ACTIVE")
            .running_count(running)
            .deployments(primary.build())
            .events(event.build())
            .build()
    }

    #[test]
    fn a_failed_deployment_is_a_failure_only_where_nothing_runs() {
        assert_eq!(phase(&service(State::Completed, 3)), Phase::Ready);
        assert_eq!(phase(&service(State::InProgress, 3)), Phase::Settling);
        assert_eq!(phase(&service(State::Failed, 3)), Phase::Ready);
        let failed = phase(&service(State::Failed, 0));
        assert!(matches!(failed, Phase::Failed(why) if why.contains("CannotPull")));
    }
}

//! What a service has beside the settings that are ours: who is asked before a deployment goes on, where else its tasks are
//! reached, on what they run. The desired set is always empty; an update puts each back to its default.

use super::beside::{Usual, beside};
use super::rollout::primary;
use crate::resources::prelude::*;
use aws_sdk_ecs::error::BuildError;
use aws_sdk_ecs::operation::update_service::builders::UpdateServiceFluentBuilder as Update;
use aws_sdk_ecs::types as t;

/// What [`super::Service`] reads by name, and what a service is beside what is set.
const OF_SERVICE: [&str; 23] = [
    "service_arn",
    "service_name",
    "cluster_arn",
    "load_balancers",
    "status",
    "desired_count",
    "running_count",
    "pending_count",
    "platform_version",
    "task_definition",
    "deployment_configuration",
    "deployments",
    // With `awsvpc` it is the one that is linked to ECS.
    "role_arn",
    "events",
    "created_at",
    "current_service_deployment",
    "current_service_revisions",
    "network_configuration",
    "health_check_grace_period_seconds",
    "tags",
    "created_by",
    "enable_execute_command",
    "availability_zone_rebalancing",
];
const USUAL_OF_SERVICE: [Usual; 8] = [
    ("launch_type", "Fargate"),
    ("platform_family", "\"Linux\""),
    ("platform_family", "\"LINUX\""),
    ("scheduling_strategy", "Replica"),
    ("deployment_controller", "DeploymentController {type: Ecs}"),
    ("enable_ecs_managed_tags", "true"),
    ("propagate_tags", "Service"),
    ("resource_management_type", "Customer"),
];

const OF_DEPLOYMENTS: [&str; 4] = [
    "deployment_circuit_breaker",
    "maximum_percent",
    "minimum_healthy_percent",
    "alarms",
];
const USUAL_OF_DEPLOYMENTS: [Usual; 2] = [
    ("strategy", "Rolling"),
    (
        "early_success_criteria",
        "DeploymentEarlySuccessCriteria {enable: false}",
    ),
];

const OF_BREAKER: [&str; 2] = ["enable", "rollback"];
const USUAL_OF_BREAKER: [Usual; 2] = [
    ("reset_on_healthy_task", "true"),
    (
        "threshold_configuration",
        "ThresholdConfiguration {type: BoundedPercent,value: 50}",
    ),
];

const OF_TARGET: [&str; 3] = ["target_group_arn", "container_name", "container_port"];

/// What the service itself shows of its deployment, and how far it has come.
const OF_DEPLOYMENT: [&str; 18] = [
    "id",
    "status",
    "task_definition",
    "desired_count",
    "pending_count",
    "running_count",
    "failed_tasks",
    "created_at",
    "updated_at",
    "capacity_provider_strategy",
    "launch_type",
    "platform_version",
    "platform_family",
    "network_configuration",
    "rollout_state",
    "rollout_state_reason",
    "service_connect_resources",
    // A setting of the cluster.
    "fargate_ephemeral_storage",
];
const USUAL_OF_DEPLOYMENT: [Usual; 1] = [(
    "service_connect_configuration",
    "ServiceConnectConfiguration {enabled: false}",
)];

/// All that is set and not ours, by the names of the API.
pub(super) fn more(service: &t::Service) -> Exposed {
    let mut out = beside(service, &OF_SERVICE, &USUAL_OF_SERVICE);
    for target in service.load_balancers() {
        out.extend(beside(target, &OF_TARGET, &[]));
    }
    if let Some(deployments) = service.deployment_configuration() {
        out.extend(beside(deployments, &OF_DEPLOYMENTS, &USUAL_OF_DEPLOYMENTS));
        if let Some(breaker) = deployments.deployment_circuit_breaker() {
            out.extend(beside(breaker, &OF_BREAKER, &USUAL_OF_BREAKER));
        }
    }
    // Some settings are shown with the deployment that brought them alone.
    if let Some(deployment) = primary(service) {
        out.extend(beside(deployment, &OF_DEPLOYMENT, &USUAL_OF_DEPLOYMENT));
    }
    out
}

/// An update that puts back what `delta` names: what is left out of an update stays as it is.
pub(super) fn put_back(call: Update, delta: &Delta) -> Result<Update, BuildError> {
    let mut call = call;
    for name in delta.entries("exposed").into_keys() {
        call = match name {
            // Without one, it runs on its launch type again.
            "capacity_provider_strategy" => call.set_capacity_provider_strategy(Some(Vec::new())),
            "service_registries" => call.set_service_registries(Some(Vec::new())),
            "placement_constraints" => call.set_placement_constraints(Some(Vec::new())),
            "placement_strategy" => call.set_placement_strategy(Some(Vec::new())),
            "volume_configurations" => call.set_volume_configurations(Some(Vec::new())),
            "vpc_lattice_configurations" => call.set_vpc_lattice_configurations(Some(Vec::new())),
            "service_connect_configuration" => {
                let off = t::ServiceConnectConfiguration::builder().enabled(false);
                call.service_connect_configuration(off.build())
            }
            "deployment_controller" => {
                let ecs = t::DeploymentController::builder();
                let ecs = ecs.r#type(t::DeploymentControllerType::Ecs);
                call.deployment_controller(ecs.build()?)
            }
            "enable_ecs_managed_tags" => call.enable_ecs_managed_tags(true),
            "propagate_tags" => call.propagate_tags(t::PropagateTags::Service),
            // Those of deployments are below; what a load balancer has more goes with the list of ours.
            _ => call,
        };
    }
    Ok(call)
}

/// The same for how deployments go.
pub(super) fn put_back_deployments(
    form: t::DeploymentConfiguration,
    delta: &Delta,
) -> Result<t::DeploymentConfiguration, BuildError> {
    let mut form = form;
    for name in delta.entries("exposed").into_keys() {
        match name {
            "lifecycle_hooks" => form.lifecycle_hooks = Some(Vec::new()),
            "bake_time_in_minutes" => form.bake_time_in_minutes = Some(0),
            "strategy" | "linear_configuration" | "canary_configuration" => {
                form.strategy = Some(t::DeploymentStrategy::Rolling);
            }
            "early_success_criteria" => {
                let off = t::DeploymentEarlySuccessCriteria::builder().enable(false);
                form.early_success_criteria = Some(off.build());
            }
            "reset_on_healthy_task" | "threshold_configuration" => {
                let half = t::ThresholdConfiguration::builder()
                    .r#type(t::ThresholdType::BoundedPercent)
                    .value(50)
                    .build()?;
                if let Some(breaker) = &mut form.deployment_circuit_breaker {
                    breaker.reset_on_healthy_task = Some(true);
                    breaker.threshold_configuration = Some(half);
                }
            }
            _ => {}
        }
    }
    Ok(form)
}

#[cfg(test)]
mod tests {
    use super::super::beside::tests::shows_all;
    use super::*;
    use crate::engine::diff::{Change, Path};

    /// As ECS answers a service of ours.
    fn ours() -> t::Service {
        let threshold = t::ThresholdConfiguration::builder();
        let threshold = threshold.r#type(t::ThresholdType::BoundedPercent).value(50);
        let breaker = t::DeploymentCircuitBreaker::builder()
            .enable(true)
            .rollback(true)
            .reset_on_healthy_task(true)
            .threshold_configuration(threshold.build().unwrap());
        let deployments = t::DeploymentConfiguration::builder()
            .strategy(t::DeploymentStrategy::Rolling)
            .bake_time_in_minutes(0)
            .deployment_circuit_breaker(breaker.build());
        let controller = t::DeploymentController::builder();
        let controller = controller.r#type(t::DeploymentControllerType::Ecs).build();
        let off = t::ServiceConnectConfiguration::builder().enabled(false);
        let primary = t::Deployment::builder()
            .status("PRIMARY")
            .service_connect_configuration(off.build());
        t::Service::builder()
            .launch_type(t::LaunchType::Fargate)
            .platform_family("Linux")
            .scheduling_strategy(t::SchedulingStrategy::Replica)
            .deployment_controller(controller.unwrap())
            .enable_ecs_managed_tags(true)
            .propagate_tags(t::PropagateTags::Service)
            .resource_management_type(t::ResourceManagementType::Customer)
            .set_service_registries(Some(Vec::new()))
            .set_placement_constraints(Some(Vec::new()))
            .set_placement_strategy(Some(Vec::new()))
            .load_balancers(t::LoadBalancer::builder().container_name("a").build())
            .deployment_configuration(deployments.build())
            .deployments(primary.build())
            .build()
    }

    fn strategy() -> t::CapacityProviderStrategyItem {
        let spot = t::CapacityProviderStrategyItem::builder();
        spot.capacity_provider("FARGATE_SPOT").build().unwrap()
    }

    #[test]
    fn what_ecs_fills_in_is_no_difference() {
        assert_eq!(more(&ours()), Exposed::new());
    }

    #[test]
    fn no_setting_of_a_service_is_passed_over() {
        let controller = t::DeploymentController::builder();
        let controller = controller.r#type(t::DeploymentControllerType::External);
        let mut all = ours();
        all.service_registries = Some(vec![t::ServiceRegistry::builder().build()]);
        all.launch_type = Some(t::LaunchType::Ec2);
        all.capacity_provider_strategy = Some(vec![strategy()]);
        all.platform_family = Some("WINDOWS".into());
        all.task_sets = Some(vec![t::TaskSet::builder().id("a").build()]);
        all.placement_constraints = Some(vec![t::PlacementConstraint::builder().build()]);
        all.placement_strategy = Some(vec![t::PlacementStrategy::builder().build()]);
        all.scheduling_strategy = Some(t::SchedulingStrategy::Daemon);
        all.deployment_controller = Some(controller.build().unwrap());
        all.enable_ecs_managed_tags = false;
        all.propagate_tags = Some(t::PropagateTags::None);
        all.resource_management_type = Some(t::ResourceManagementType::Ecs);
        shows_all(&all, &OF_SERVICE, &more(&all));
    }

    #[test]
    fn no_setting_of_a_target_or_a_deployment_is_passed_over() {
        let advanced = t::AdvancedConfiguration::builder().role_arn("theirs");
        let target = t::LoadBalancer::builder()
            .load_balancer_name("theirs")
            .advanced_configuration(advanced.build())
            .build();
        let mut all = ours();
        all.load_balancers = Some(vec![target.clone()]);
        shows_all(&target, &OF_TARGET, &more(&all));

        let volume = t::ServiceVolumeConfiguration::builder().name("v").build();
        let lattice = t::VpcLatticeConfiguration::builder()
            .role_arn("r")
            .target_group_arn("g")
            .port_name("p");
        let on = t::ServiceConnectConfiguration::builder().enabled(true);
        let primary = t::Deployment::builder()
            .status("PRIMARY")
            .service_connect_configuration(on.build())
            .volume_configurations(volume.unwrap())
            .vpc_lattice_configurations(lattice.build().unwrap())
            .build();
        let mut all = ours();
        all.deployments = Some(vec![primary.clone()]);
        shows_all(&primary, &OF_DEPLOYMENT, &more(&all));
    }

    /// How deployments go, with nothing as it is ours.
    fn theirs() -> t::DeploymentConfiguration {
        let hook = t::DeploymentLifecycleHook::builder().hook_target_arn("theirs");
        let linear = t::LinearConfiguration::builder().step_percent(1.0);
        let canary = t::CanaryConfiguration::builder().canary_percent(1.0);
        let early = t::DeploymentEarlySuccessCriteria::builder().enable(true);
        let threshold = t::ThresholdConfiguration::builder();
        let threshold = threshold.r#type(t::ThresholdType::Count).value(9);
        let breaker = t::DeploymentCircuitBreaker::builder()
            .enable(true)
            .rollback(true)
            .reset_on_healthy_task(false)
            .threshold_configuration(threshold.build().unwrap());
        t::DeploymentConfiguration::builder()
            .strategy(t::DeploymentStrategy::BlueGreen)
            .bake_time_in_minutes(9)
            .lifecycle_hooks(hook.build())
            .linear_configuration(linear.build())
            .canary_configuration(canary.build())
            .early_success_criteria(early.build())
            .deployment_circuit_breaker(breaker.build())
            .build()
    }

    #[test]
    fn how_deployments_go_is_seen_and_put_back() {
        let mut all = ours();
        all.deployment_configuration = Some(theirs());
        let shown = more(&all);
        let (breaker, deployments): (Exposed, Exposed) = shown
            .clone()
            .into_iter()
            .partition(|(name, _)| USUAL_OF_BREAKER.iter().any(|(of, _)| of == name));
        shows_all(&theirs(), &OF_DEPLOYMENTS, &deployments);
        let theirs_of = theirs().deployment_circuit_breaker.unwrap();
        shows_all(&theirs_of, &OF_BREAKER, &breaker);
        let each = shown.keys().map(|name| Change {
            path: Path::of(["exposed", name]),
            want: None,
            have: Some("".into()),
        });
        let delta = Delta::of(each.collect());
        let mut back = put_back_deployments(theirs(), &delta).unwrap();
        // What goes with a strategy has no meaning for another; our form never has them.
        (back.linear_configuration, back.canary_configuration) = (None, None);
        all.deployment_configuration = Some(back);
        assert_eq!(more(&all), Exposed::new());
    }
}

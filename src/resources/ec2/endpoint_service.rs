//! An endpoint service: what lets another VPC call our Network Load Balancer by PrivateLink, without a way between the networks.

use super::endpoint::all_done;
use super::prelude::*;
use crate::resources::elbv2::LoadBalancer;
use crate::resources::holders::explain;
use crate::resources::owned::same_deployment;
use std::collections::BTreeSet;
use t::ServiceState as State;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndpointService {
    /// Network Load Balancers, active ones; a set.
    pub load_balancers: Vec<Ref<Arn<LoadBalancer>>>,
    /// Somebody must accept each endpoint.
    pub acceptance: bool,
    /// Who may make endpoints of it: ARNs of accounts (`arn:aws:iam::123456789012:root`), users or roles.
    pub principals: BTreeSet<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct EndpointServiceOutputs {
    /// `vpce-svc-...`
    pub id: Ref<EndpointService>,
    /// What an endpoint names.
    pub service_name: Ref<EndpointService>,
}

impl HasId for EndpointServiceOutputs {
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

const READ: Api = ec2::DESCRIBE_VPC_ENDPOINT_SERVICE_CONFIGURATIONS;
/// A repeated call with the same client token answers the same service.
const CREATE: Api = ec2::CREATE_VPC_ENDPOINT_SERVICE_CONFIGURATION;
const MODIFY: Api = ec2::MODIFY_VPC_ENDPOINT_SERVICE_CONFIGURATION;
const DELETE: Api = ec2::DELETE_VPC_ENDPOINT_SERVICE_CONFIGURATIONS;

impl Kind for EndpointService {
    const TYPE: &'static str = "ec2/endpoint_service";
    type Outputs = EndpointServiceOutputs;
}

impl Resource for EndpointService {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Ec2Tags,
        seconds: (2.0, 2.0),
        // The endpoints are paid for.
        cost: |_| Cost::NONE,
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[
            (
                "load_balancers",
                "open connections over the endpoint may end",
            ),
            (
                "acceptance",
                "new connections may wait until they are accepted",
            ),
            (
                "principals",
                "an account that is removed can no longer connect",
            ),
        ],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    const STANDS_IN: &'static [&'static str] = &["load_balancers"];
    type Tags = Ec2Tags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        // Who may is asked for at once when the id is known.
        let (service, principals) = match key.outputs {
            Some(it) => {
                let service = find(&cx.ec2.endpoint_services, "service-id", &key);
                let (service, principals) = futures::join!(service, allowed(cx, it.id.as_str()));
                (service?, principals?)
            }
            None => match find(&cx.ec2.endpoint_services, "service-id", &key).await? {
                Some(service) => {
                    let id = service.service_id().unwrap_or_default();
                    let principals = allowed(cx, id).await?;
                    (Some(service), principals)
                }
                None => (None, None),
            },
        };
        let (Some(service), Some(principals)) = (service, principals) else {
            return Ok(None);
        };
        let phase = match service.service_state() {
            Some(State::Deleted) => return Ok(None),
            Some(State::Deleting) => Phase::Deleting,
            Some(State::Failed) => Phase::Failed("AWS shows it as failed".into()),
            Some(State::Pending) => Phase::Settling,
            _ => Phase::Ready,
        };
        let balancers = service.network_load_balancer_arns().iter();
        let spec = Self {
            load_balancers: balancers.map(|arn| arn.as_str().into()).collect(),
            acceptance: service.acceptance_required() == Some(true),
            principals,
        };
        let outputs = EndpointServiceOutputs {
            id: READ.field(service.service_id(), "ServiceId")?,
            service_name: READ.field(service.service_name(), "ServiceName")?,
        };
        let found = Found::tagged(spec, outputs, tags_of(service.tags()));
        Ok(Some(found.phase(phase)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<EndpointServiceOutputs, Error> {
        let tags = tags::at_creation(ResourceType::VpcEndpointService, identity);
        let call = cx.ec2.client.create_vpc_endpoint_service_configuration();
        let call = call
            .set_network_load_balancer_arns(Some(texts(&self.load_balancers)))
            .acceptance_required(self.acceptance)
            .tag_specifications(tags)
            .client_token(&identity.token);
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let made = made.service_configuration();
        Ok(EndpointServiceOutputs {
            id: CREATE.field(made.and_then(|s| s.service_id()), "ServiceId")?,
            service_name: CREATE.field(made.and_then(|s| s.service_name()), "ServiceName")?,
        })
    }

    async fn update(
        &self,
        cx: &Aws,
        it: &EndpointServiceOutputs,
        delta: &Delta,
    ) -> Result<(), Error> {
        let client = &cx.ec2.client;
        if delta.touches("load_balancers") || delta.touches("acceptance") {
            let balancers = members(delta, "load_balancers");
            let acceptance = delta.touches("acceptance").then_some(self.acceptance);
            let call = client.modify_vpc_endpoint_service_configuration();
            let call = call
                .service_id(&it.id)
                .set_add_network_load_balancer_arns(balancers.add)
                .set_remove_network_load_balancer_arns(balancers.remove)
                .set_acceptance_required(acceptance);
            cx.call(MODIFY, || call.clone().send()).await?;
        }
        if delta.touches("principals") {
            let principals = members(delta, "principals");
            let call = client.modify_vpc_endpoint_service_permissions();
            let call = call
                .service_id(&it.id)
                .set_add_allowed_principals(principals.add)
                .set_remove_allowed_principals(principals.remove);
            let api = ec2::MODIFY_VPC_ENDPOINT_SERVICE_PERMISSIONS;
            cx.call(api, || call.clone().send()).await?;
        }
        Ok(())
    }

    /// Refused while an endpoint of it is there.
    async fn delete(&self, cx: &Aws, it: &EndpointServiceOutputs) -> Result<(), Error> {
        let call = cx.ec2.client.delete_vpc_endpoint_service_configurations();
        let call = call.service_ids(&it.id);
        let answer = cx.call(DELETE, || call.clone().send()).await;
        let answer = ignore_not_found(answer.and_then(|a| all_done(DELETE, a.unsuccessful())));
        explain(answer, others(cx, it)).await
    }
}

/// The endpoints of others at the service, as far as they are in this account.
async fn others(cx: &Aws, it: &EndpointServiceOutputs) -> Result<Vec<String>, Error> {
    let (services, endpoints) = futures::try_join!(
        cx.ec2.endpoint_services.by("service-id", it.id.as_str()),
        cx.ec2
            .endpoints
            .by("service-name", it.service_name.as_str())
    )?;
    let own = services
        .first()
        .map(|s| tags_of(s.tags()))
        .unwrap_or_default();
    let theirs = endpoints
        .iter()
        .filter(|e| !e.is_leaving() && !same_deployment(&own, &tags_of(e.tags())));
    let ids = theirs.filter_map(|e| e.vpc_endpoint_id());
    Ok(ids.map(|id| format!("VPC endpoint {id}")).collect())
}

/// Who may make endpoints of a service; `None` when it does not exist.
async fn allowed(cx: &Aws, service: &str) -> Result<Option<BTreeSet<String>>, Error> {
    const READ: Api = ec2::DESCRIBE_VPC_ENDPOINT_SERVICE_PERMISSIONS;
    let call = cx.ec2.client.describe_vpc_endpoint_service_permissions();
    let call = call.service_id(service);
    let send = |token| call.clone().set_next_token(token).send();
    let all = cx.pages(READ, send, |page| {
        let some = page.allowed_principals.unwrap_or_default().into_iter();
        (some.filter_map(|p| p.principal), page.next_token)
    });
    Ok(found(all.await)?.map(BTreeSet::from_iter))
}

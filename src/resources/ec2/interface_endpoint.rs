//! An interface endpoint: one network interface of a service in each of its subnets. The service is one of AWS's, or an endpoint
//! service of somebody ([`EndpointService`]), which knows no policy and is called by the addresses of the interfaces.

use super::endpoint::{self, find_endpoint};
use super::prelude::*;
use super::{EndpointService, SecurityGroup, Subnet, Vpc};
use crate::engine::List;
use crate::resources::between;
use crate::resources::policy::Policy;
use aws_sdk_ec2::types::VpcEndpointType;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InterfaceEndpoint {
    /// Private DNS needs its DNS support and host names to be on: take the reference with `.ready()`.
    pub vpc: Ref<Vpc>,
    /// `com.amazonaws.eu-central-1.kms`, `com.amazonaws.vpce.eu-central-1.vpce-svc-...`
    pub service: Ref<EndpointService>,
    /// At most one subnet per zone; a set.
    pub subnets: Vec<Ref<Subnet>>,
    /// The groups of its interfaces; a set.
    pub groups: Vec<Ref<SecurityGroup>>,
    /// The service's usual name leads to the endpoint within the VPC. One endpoint per service and VPC can have it.
    pub private_dns: bool,
    /// What may pass; `None` for an endpoint service, whose owner says who may call.
    pub policy: Option<Policy>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct InterfaceEndpointOutputs {
    pub id: Ref<InterfaceEndpoint>,
    /// Take it from here for what is made for this endpoint.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub vpc: Ref<Vpc>,
    /// The addresses of its interfaces, of an endpoint service only; known once it is ready. They stay as long as the endpoint
    /// and its subnets.
    #[serde(default, skip_serializing_if = "List::is_unknown")]
    pub addresses: List,
}

impl HasId for InterfaceEndpointOutputs {
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

impl Kind for InterfaceEndpoint {
    const TYPE: &'static str = "ec2/interface_endpoint";
    type Outputs = InterfaceEndpointOutputs;
}

impl Resource for InterfaceEndpoint {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Ec2Tags,
        seconds: (90.0, 90.0),
        cost: |it| Cost::fixed("endpoint_zone_hour", it.subnets.len()).used(&["endpoint_data"]),
        fixed: &["vpc", "service"],
        changing: &[("addresses", &["subnets"])],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[
            (
                "subnets",
                "calls to an address that is removed fail until the name is resolved again, about a minute",
            ),
            (
                "groups",
                "connections that are no longer allowed stop at once",
            ),
            (
                "private_dns",
                "the name of the service resolves to other addresses within about a minute",
            ),
            ("policy", "calls that are no longer allowed fail at once"),
        ],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    const BETWEEN: Option<Between> = Some(between::endpoint);
    type Tags = Ec2Tags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let nearby = async {
            match key.outputs {
                // With everything else of the VPC.
                Some(it) if is_endpoint_service(key.spec.service.as_str()) => {
                    let reader = &cx.ec2.network_interfaces;
                    reader.by("vpc-id", it.vpc.as_str()).await
                }
                _ => Ok(Vec::new()),
            }
        };
        let (there, nearby) = futures::try_join!(find_endpoint(cx, &key), nearby)?;
        let Some((endpoint, id, phase)) = there else {
            return Ok(None);
        };
        let service = endpoint.service_name().unwrap_or_default();
        let ours = is_endpoint_service(service);
        let addresses = if ours {
            addresses(cx, &endpoint, nearby).await?
        } else {
            Vec::new()
        };
        let subnets = endpoint.subnet_ids().iter();
        let groups = endpoint.groups().iter().filter_map(|g| g.group_id());
        let spec = Self {
            vpc: endpoint.vpc_id().unwrap_or_default().into(),
            service: service.into(),
            subnets: subnets.map(|id| id.as_str().into()).collect(),
            groups: groups.map(Into::into).collect(),
            private_dns: endpoint.private_dns_enabled().unwrap_or(false),
            policy: (!ours).then(|| endpoint::policy(&endpoint)),
        };
        // AWS shows interfaces a moment after the endpoint.
        let whole = !ours || addresses.len() >= spec.subnets.len();
        let phase = match phase {
            Phase::Ready if !whole => Phase::Settling,
            phase => phase,
        };
        let outputs = InterfaceEndpointOutputs {
            id: id.id(),
            vpc: spec.vpc.clone(),
            addresses: List::These(addresses),
        };
        let found = Found::tagged(spec, outputs, tags_of(endpoint.tags()));
        Ok(Some(found.phase(phase)))
    }

    async fn create(
        &self,
        cx: &Aws,
        identity: &Identity,
    ) -> Result<InterfaceEndpointOutputs, Error> {
        let tags = tags::at_creation(ResourceType::VpcEndpoint, identity);
        let call = cx.ec2.client.create_vpc_endpoint().tag_specifications(tags);
        let call = call
            .vpc_endpoint_type(VpcEndpointType::Interface)
            .vpc_id(&self.vpc)
            .service_name(&self.service)
            .set_subnet_ids(Some(texts(&self.subnets)))
            .set_security_group_ids(Some(texts(&self.groups)))
            .private_dns_enabled(self.private_dns)
            .set_policy_document(self.policy.as_ref().map(Policy::document))
            .client_token(&identity.token);
        match cx.call(endpoint::CREATE, || call.clone().send()).await {
            Ok(answer) => Ok(InterfaceEndpointOutputs {
                id: endpoint::created(&answer)?.id(),
                vpc: self.vpc.clone(),
                addresses: List::default(),
            }),
            Err(error) if error.message.contains("conflicting DNS domain") => {
                Err(self.rival(cx, error).await)
            }
            Err(error) => Err(error),
        }
    }

    async fn update(
        &self,
        cx: &Aws,
        it: &InterfaceEndpointOutputs,
        delta: &Delta,
    ) -> Result<(), Error> {
        let (subnets, groups) = (members(delta, "subnets"), members(delta, "groups"));
        let policy = self.policy.as_ref().filter(|_| delta.touches("policy"));
        let private_dns = delta.touches("private_dns").then_some(self.private_dns);
        let call = cx.ec2.client.modify_vpc_endpoint().vpc_endpoint_id(&it.id);
        let call = call
            .set_add_subnet_ids(subnets.add)
            .set_remove_subnet_ids(subnets.remove)
            .set_add_security_group_ids(groups.add)
            .set_remove_security_group_ids(groups.remove)
            .set_private_dns_enabled(private_dns)
            .set_policy_document(policy.map(Policy::document));
        let answer = cx.call(endpoint::MODIFY, || call.clone().send());
        answer.await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &InterfaceEndpointOutputs) -> Result<(), Error> {
        endpoint::delete(cx, it.id.as_str()).await
    }
}

/// AWS names the endpoint services of its customers so.
fn is_endpoint_service(name: &str) -> bool {
    name.starts_with("com.amazonaws.vpce.")
}

/// The addresses of the endpoint's interfaces, as far as they are shown. `nearby` are interfaces that are known already.
async fn addresses(
    cx: &Aws,
    endpoint: &t::VpcEndpoint,
    nearby: Vec<t::NetworkInterface>,
) -> Result<Vec<String>, Error> {
    let reader = &cx.ec2.network_interfaces;
    let asks = endpoint.network_interface_ids().iter().map(async |id| {
        let is_it = |i: &&t::NetworkInterface| i.network_interface_id() == Some(id.as_str());
        match nearby.iter().find(is_it) {
            Some(known) => Ok(vec![known.clone()]),
            None => reader.by("network-interface-id", id).await,
        }
    });
    let all = futures::future::try_join_all(asks).await?;
    let all = all.iter().flatten();
    let mut all: Vec<String> = all
        .filter_map(|i| i.private_ip_address().map(str::to_owned))
        .collect();
    all.sort();
    Ok(all)
}

impl InterfaceEndpoint {
    /// Who holds the private name that AWS refuses to give twice in a VPC: an endpoint that is on its way out (then it is
    /// free in a minute), or somebody's.
    async fn rival(&self, cx: &Aws, mut error: Error) -> Error {
        // What cannot be read is left out: the refusal itself is the news.
        let there = cx.ec2.endpoints.by("vpc-id", self.vpc.as_str()).await;
        let mut there = there.unwrap_or_default();
        there.retain(|e| {
            e.service_name() == Some(self.service.as_str()) && e.private_dns_enabled() == Some(true)
        });
        let holder = there.iter().find(|e| !e.is_leaving()).or(there.first());
        if let Some(holder) = holder {
            error.class = if holder.is_leaving() {
                Class::NotReady
            } else {
                Class::Conflict
            };
            let id = holder.vpc_endpoint_id().unwrap_or_default();
            error.message = format!("{}; it is held by {id}", error.message);
        }
        error
    }
}

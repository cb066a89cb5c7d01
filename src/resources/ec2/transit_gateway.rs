//! A Transit Gateway. Everything that attaches to it, and its route tables, need it `available`
//! ("Transit gateways", Amazon VPC: a call on a gateway that is pending or being modified is `IncorrectState`).

use super::prelude::*;
use super::vpc_members::listed;
use aws_sdk_ec2::types::TransitGatewayState as State;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGateway {
    /// What it is for.
    pub description: String,
    /// The private AS number of Amazon's side: 64512 to 65534 or 4200000000 to 4294967294.
    pub asn: i64,
    /// A new attachment is associated with the default route table by itself.
    pub default_association: bool,
    /// A new attachment propagates into the default route table by itself.
    pub default_propagation: bool,
    /// Public names of the attached VPCs resolve to private addresses across the gateway.
    pub dns_support: bool,
    /// Equal-cost multipath over VPN connections.
    pub vpn_ecmp: bool,
    /// Attachments that another account asks for are accepted by themselves.
    pub auto_accept: bool,
    /// Security groups may name groups of other attached VPCs.
    pub group_references: bool,
    pub multicast: bool,
    /// Attachments and route tables of others.
    #[serde(default)]
    pub members: Vec<String>,
}

const READ: Api = ec2::DESCRIBE_TRANSIT_GATEWAYS;
const CREATE: Api = ec2::CREATE_TRANSIT_GATEWAY;
const MODIFY: Api = ec2::MODIFY_TRANSIT_GATEWAY;
const DELETE: Api = ec2::DELETE_TRANSIT_GATEWAY;

impl Kind for TransitGateway {
    const TYPE: &'static str = "ec2/transit_gateway";
    type Outputs = Id<Self>;
}

/// EC2's word for a switch.
pub(super) fn switch(on: bool) -> &'static str {
    if on { "enable" } else { "disable" }
}

/// True for EC2's word `enable`.
pub(super) fn is_on(word: Option<&str>) -> bool {
    word == Some("enable")
}

impl Resource for TransitGateway {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Ec2Tags,
        seconds: (90.0, 90.0),
        cost: |_| Cost::NONE,
        fixed: &["multicast"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[
            (
                "dns_support",
                "names of the other network may not resolve for about a minute",
            ),
            (
                "vpn_ecmp",
                "open connections over a VPN may take another path",
            ),
        ],
        write_only: &[],
        watched: &["members"],
        delegated: &[],
    };
    type Tags = Ec2Tags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        // What is on a recorded one is read with it, and with what is recorded of that.
        let gateway = find(&cx.ec2.transit_gateways, "transit-gateway-id", &key);
        let early = async {
            let it = key.outputs?;
            Some(strangers(cx, it.as_str(), key.identity).await)
        };
        let (gateway, early) = futures::join!(gateway, early);
        let Some(gateway) = gateway? else {
            return Ok(None);
        };
        // AWS shows a deleted gateway for a while.
        let phase = match gateway.state() {
            Some(State::Deleted) => return Ok(None),
            Some(State::Deleting) => Phase::Deleting,
            Some(State::Available) => Phase::Ready,
            _ => Phase::Settling,
        };
        let id = READ.field(gateway.transit_gateway_id(), "TransitGatewayId")?;
        let o = gateway.options();
        let default_association =
            o.and_then(|o| Some(o.default_route_table_association()?.as_str()));
        let default_propagation =
            o.and_then(|o| Some(o.default_route_table_propagation()?.as_str()));
        let auto_accept = o.and_then(|o| Some(o.auto_accept_shared_attachments()?.as_str()));
        let references = o.and_then(|o| Some(o.security_group_referencing_support()?.as_str()));
        let id: Id<Self> = id;
        let members = match early {
            Some(members) => members,
            None => strangers(cx, id.as_str(), key.identity).await,
        };
        let spec = Self {
            description: gateway.description().unwrap_or_default().to_owned(),
            asn: o.and_then(|o| o.amazon_side_asn()).unwrap_or_default(),
            default_association: is_on(default_association),
            default_propagation: is_on(default_propagation),
            dns_support: is_on(o.and_then(|o| Some(o.dns_support()?.as_str()))),
            vpn_ecmp: is_on(o.and_then(|o| Some(o.vpn_ecmp_support()?.as_str()))),
            auto_accept: is_on(auto_accept),
            group_references: is_on(references),
            multicast: is_on(o.and_then(|o| Some(o.multicast_support()?.as_str()))),
            members,
        };
        let found = Found::tagged(spec, id, tags_of(gateway.tags()));
        Ok(Some(found.phase(phase)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Id<Self>, Error> {
        let options = t::TransitGatewayRequestOptions::builder()
            .amazon_side_asn(self.asn)
            .default_route_table_association(switch(self.default_association).into())
            .default_route_table_propagation(switch(self.default_propagation).into())
            .dns_support(switch(self.dns_support).into())
            .vpn_ecmp_support(switch(self.vpn_ecmp).into())
            .auto_accept_shared_attachments(switch(self.auto_accept).into())
            .security_group_referencing_support(switch(self.group_references).into())
            .multicast_support(switch(self.multicast).into());
        let tags = tags::at_creation(ResourceType::TransitGateway, identity);
        let call = cx.ec2.client.create_transit_gateway();
        let call = call
            .description(&self.description)
            .options(options.build())
            .tag_specifications(tags);
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let id = made.transit_gateway.and_then(|g| g.transit_gateway_id);
        CREATE.field(id.as_deref(), "TransitGatewayId")
    }

    async fn update(&self, cx: &Aws, it: &Id<Self>, delta: &Delta) -> Result<(), Error> {
        let word = |field: &str, on: bool| delta.touches(field).then(|| switch(on));
        let association = word("default_association", self.default_association);
        let propagation = word("default_propagation", self.default_propagation);
        let references = word("group_references", self.group_references);
        let options = t::ModifyTransitGatewayOptions::builder()
            .set_amazon_side_asn(delta.touches("asn").then_some(self.asn))
            .set_default_route_table_association(association.map(Into::into))
            .set_default_route_table_propagation(propagation.map(Into::into))
            .set_dns_support(word("dns_support", self.dns_support).map(Into::into))
            .set_vpn_ecmp_support(word("vpn_ecmp", self.vpn_ecmp).map(Into::into))
            .set_auto_accept_shared_attachments(
                word("auto_accept", self.auto_accept).map(Into::into),
            )
            .set_security_group_referencing_support(references.map(Into::into))
            .build();
        let described = delta.touches("description");
        let only_described = delta.changes.iter().all(|c| c.field() == "description");
        let call = cx.ec2.client.modify_transit_gateway();
        let call = call
            .transit_gateway_id(&it.id)
            .set_description(described.then(|| self.description.clone()))
            .set_options((!only_described).then_some(options));
        cx.call(MODIFY, || call.clone().send()).await.map(drop)
    }

    /// `IncorrectState` while it has attachments or is busy: class `InUse`; who holds it is named.
    async fn delete(&self, cx: &Aws, it: &Id<Self>) -> Result<(), Error> {
        let call = cx.ec2.client.delete_transit_gateway();
        let call = call.transit_gateway_id(&it.id);
        let answer = cx.delete(DELETE, || call.clone().send()).await;
        held::explain(cx, answer, Holder::OfTransitGateway(it.id.as_str())).await
    }
}

/// What others attached to the gateway, and their route tables. An attachment of another account shows no tags here.
async fn strangers(cx: &Aws, gateway: &str, identity: &Identity) -> Vec<String> {
    let by = "transit-gateway-id";
    let (attachments, tables) = futures::join!(
        cx.ec2.attachments.by(by, gateway),
        cx.ec2.tables.by(by, gateway)
    );
    let mut out = Vec::new();
    let (attachments, tables) = (listed(attachments, &mut out), listed(tables, &mut out));
    let mut add = |what: &str, id: Option<&str>, tags: &[t::Tag]| {
        if !of_deployment(identity, &tags_of(tags)) {
            out.push(format!("{what} {}", id.unwrap_or_default()));
        }
    };
    for it in attachments.iter().filter(|a| !a.is_leaving()) {
        add("attachment", it.transit_gateway_attachment_id(), it.tags());
    }
    for it in tables.iter().filter(|t| !t.is_leaving()) {
        add(
            "route table",
            it.transit_gateway_route_table_id(),
            it.tags(),
        );
    }
    out
}

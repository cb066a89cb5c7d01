//! Gateways of which no deployment makes any: somebody's ways out of a VPC. What is handed back are their ids.

use super::{Client, Filter, Reader, actions};
use crate::aws::call::Caller;
use aws_sdk_ec2::types as t;
use futures::FutureExt;
use std::collections::HashMap;
use std::sync::Arc;

type Ids = Reader<String, Vec<String>>;

/// Adds an id to what a VPC has.
fn add(out: &mut HashMap<String, Vec<String>>, vpc: Option<&str>, id: Option<&str>) {
    if let (Some(vpc), Some(id)) = (vpc, id) {
        out.entry(vpc.to_owned()).or_default().push(id.to_owned());
    }
}

/// The call knows no pages.
pub(super) fn vpn_gateways(client: Client, caller: Arc<Caller>) -> Ids {
    Reader::new(move |vpcs: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let attached = Filter::builder().name("attachment.vpc-id");
            let attached = attached.set_values(Some(vpcs)).build();
            let call = client.describe_vpn_gateways().filters(attached);
            let api = actions::DESCRIBE_VPN_GATEWAYS;
            let answer = caller.call(api, || call.clone().send()).await?;
            let mut out = HashMap::new();
            for one in answer.vpn_gateways() {
                let gone = Some(&t::AttachmentStatus::Detached);
                let stands = one.vpc_attachments().iter().filter(|a| a.state() != gone);
                stands.for_each(|a| add(&mut out, a.vpc_id(), one.vpn_gateway_id()));
            }
            Ok(out)
        }
        .boxed()
    })
}

/// The call knows no filter by VPC.
pub(super) fn egress_gateways(client: Client, caller: Arc<Caller>) -> Ids {
    Reader::new(move |_: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let call = client.describe_egress_only_internet_gateways();
            // "DescribeEgressOnlyInternetGateways": 5 to 255.
            let call = call.max_results(255);
            let send = |token| call.clone().set_next_token(token).send();
            let api = actions::DESCRIBE_EGRESS_ONLY_INTERNET_GATEWAYS;
            let all = caller.pages(api, send, |page| {
                let gateways = page.egress_only_internet_gateways;
                (gateways.unwrap_or_default(), page.next_token)
            });
            let mut out = HashMap::new();
            for one in all.await? {
                let id = one.egress_only_internet_gateway_id();
                let all = one.attachments().iter();
                all.for_each(|a| add(&mut out, a.vpc_id(), id));
            }
            Ok(out)
        }
        .boxed()
    })
}

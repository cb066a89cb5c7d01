//! What gateway and interface endpoints have in common.

use super::prelude::*;
use crate::aws::refused;
use crate::resources::policy::Policy;
use aws_sdk_ec2::operation::create_vpc_endpoint::CreateVpcEndpointOutput;
use aws_sdk_ec2::types::{UnsuccessfulItem, VpcEndpoint};

const READ: Api = ec2::DESCRIBE_VPC_ENDPOINTS;
/// A repeated call with the same client token answers the same endpoint ("Ensuring idempotency in Amazon EC2 API requests").
pub(super) const CREATE: Api = ec2::CREATE_VPC_ENDPOINT;
/// All changes of an endpoint are one call.
pub(super) const MODIFY: Api = ec2::MODIFY_VPC_ENDPOINT;

/// Finds an endpoint and says where it stands; `None` when it is deleted.
pub(super) async fn find_endpoint<R: Resource<Outputs: HasId>>(
    cx: &Aws,
    key: &Lookup<'_, R>,
) -> Result<Option<(VpcEndpoint, Id<R>, Phase)>, Error> {
    let Some(endpoint) = find(&cx.ec2.endpoints, "vpc-endpoint-id", key).await? else {
        return Ok(None);
    };
    let Some(phase) = phase(&endpoint) else {
        return Ok(None);
    };
    let id = READ.field(endpoint.vpc_endpoint_id(), "VpcEndpointId")?;
    Ok(Some((endpoint, id, phase)))
}

/// EC2 answers states in lower case although its API model has them in upper case.
fn phase(endpoint: &VpcEndpoint) -> Option<Phase> {
    let state = endpoint.state().map(|s| s.as_str().to_lowercase());
    Some(match state.as_deref().unwrap_or_default() {
        "deleted" => return None,
        "deleting" => Phase::Deleting,
        "available" => Phase::Ready,
        broken @ ("failed" | "rejected" | "expired") => {
            let why = endpoint
                .last_error()
                .and_then(|e| e.message())
                .or(endpoint.failure_reason());
            Phase::Failed(why.map_or_else(|| broken.to_owned(), |w| format!("{broken}: {w}")))
        }
        _ => Phase::Settling,
    })
}

/// Its policy as it reads back. Without one of ours AWS has a policy that allows everything.
pub(super) fn policy(endpoint: &VpcEndpoint) -> Policy {
    Policy::parse(endpoint.policy_document().unwrap_or_default())
}

/// The id in the answer to the create call.
pub(super) fn created<R>(answer: &CreateVpcEndpointOutput) -> Result<Id<R>, Error> {
    let id = answer.vpc_endpoint().and_then(|e| e.vpc_endpoint_id());
    CREATE.field(id, "VpcEndpointId")
}

/// Deletes an endpoint. An interface endpoint's network interfaces hold their subnets and groups for a minute more.
pub(super) async fn delete(cx: &Aws, id: &str) -> Result<(), Error> {
    const DELETE: Api = ec2::DELETE_VPC_ENDPOINTS;
    let call = cx.ec2.client.delete_vpc_endpoints().vpc_endpoint_ids(id);
    let answer = cx.call(DELETE, || call.clone().send()).await;
    ignore_not_found(answer.and_then(|a| all_done(DELETE, a.unsuccessful())))
}

/// Some EC2 calls answer 200 and list what they did not do.
pub(super) fn all_done(api: Api, unsuccessful: &[UnsuccessfulItem]) -> Result<(), Error> {
    match unsuccessful.iter().find_map(UnsuccessfulItem::error) {
        Some(error) => Err(refused(
            api,
            error.code().unwrap_or_default(),
            error.message().unwrap_or_default(),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Class;
    use aws_sdk_ec2::types::{State, UnsuccessfulItemError};

    #[test]
    fn states_are_understood_in_either_case() {
        let of = |state: &str| phase(&VpcEndpoint::builder().state(State::from(state)).build());
        assert_eq!(of("available"), Some(Phase::Ready));
        assert_eq!(of("Available"), Some(Phase::Ready));
        assert_eq!(of("pendingAcceptance"), Some(Phase::Settling));
        assert_eq!(of("Deleting"), Some(Phase::Deleting));
        assert_eq!(of("deleted"), None);
        assert_eq!(of("failed"), Some(Phase::Failed("failed".into())));
    }

    #[test]
    fn an_item_that_a_good_answer_lists_as_undone_is_a_fault() {
        let item = |code: &str| {
            let error = UnsuccessfulItemError::builder().code(code).message("m");
            UnsuccessfulItem::builder().error(error.build()).build()
        };
        let create = ec2::CREATE_FLOW_LOGS;
        let error = all_done(create, &[item("FlowLogAlreadyExists")]).unwrap_err();
        assert_eq!(error.class, Class::Conflict);
        let delete = ec2::DELETE_VPC_ENDPOINTS;
        let gone = all_done(delete, &[item("InvalidVpcEndpointId.NotFound")]);
        assert!(ignore_not_found(gone).is_ok());
        assert!(all_done(create, &[]).is_ok());
    }
}

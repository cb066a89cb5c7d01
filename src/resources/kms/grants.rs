//! Grants of a key: another way than its policy to let somebody use it.

use crate::resources::prelude::*;
use aws_sdk_kms::types::{GrantConstraints, GrantListEntry, GrantOperation};

const LIST: Api = crate::aws::kms::LIST_GRANTS;
const REVOKE: Api = kms::REVOKE_GRANT;

/// Grants to others than AWS's services, `grant/ID` to who may do what.
pub(super) async fn list(cx: &Aws, key: &str) -> Result<Exposed, Error> {
    let call = cx.kms.client.list_grants().key_id(key).limit(100);
    let send = |marker| call.clone().set_marker(marker).send();
    let all = cx.pages(LIST, send, |page| {
        let next = page.next_marker.filter(|_| page.truncated);
        (page.grants.unwrap_or_default(), next)
    });
    let all = all.await?;
    let named = |function: &str| {
        cx.own
            .any(|it| it.kind == "lambda/function" && it.name == function)
    };
    let others = all
        .iter()
        .filter(|g| !of_function(g, &cx.account, named))
        .filter_map(|g| reported(g, &cx.account));
    Ok(others.collect())
}

fn reported(grant: &GrantListEntry, account: &str) -> Option<(String, String)> {
    let who = grant.grantee_principal().unwrap_or("somebody");
    if grant.grantee_service_principal().is_some() || is_service(who, account) {
        return None;
    }
    let what: Vec<&str> = grant.operations().iter().map(|o| o.as_str()).collect();
    let id = grant.grant_id()?;
    Some((format!("grant/{id}"), format!("{who}: {}", what.join(", "))))
}

/// AWS's services and the service-linked roles that they have in this account use the key for us: RDS and DynamoDB keep grants as
/// long as they encrypt with it ("Grants for symmetric encryption KMS keys", GranteePrincipal). Those of another account work for it.
fn is_service(who: &str, account: &str) -> bool {
    let service = !who.starts_with("arn:") && who.ends_with(".amazonaws.com");
    let of_account = |service: &str, path: &str| {
        let rest = who.strip_prefix(&format!("arn:aws:{service}::{account}:"));
        rest.is_some_and(|rest| rest.starts_with(path))
    };
    service || of_account("iam", "role/aws-service-role/") || of_account("sts", "assumed-role/aws:")
}

/// What Lambda may do with a key for a function: it decrypts its variables.
const OF_FUNCTIONS: [GrantOperation; 2] = [GrantOperation::Decrypt, GrantOperation::RetireGrant];

/// Lambda lets the role of a function with a key of its own decrypt the function's variables, whenever they are set: "RetireGrant" and
/// "Decrypt" to the role's session that is called like the function, for the encryption context `aws:lambda:FunctionArn` alone.
/// Without the grant the function does not start ("How do I resolve the KMSAccessDeniedException in Lambda", re:Post).
fn of_function(grant: &GrantListEntry, account: &str, is_ours: impl Fn(&str) -> bool) -> bool {
    let context = grant
        .constraints()
        .and_then(GrantConstraints::encryption_context_equals)
        .and_then(|context| context.get("aws:lambda:FunctionArn"));
    let Some((place, function)) = context.and_then(|arn| arn.rsplit_once(":function:")) else {
        return false;
    };
    let roles = format!("arn:aws:sts::{account}:assumed-role/");
    let session = grant.grantee_principal().unwrap_or_default();
    let session = session.strip_prefix(&roles).and_then(|s| s.split_once('/'));
    place.ends_with(&format!(":{account}"))
        && session.is_some_and(|(_, name)| name == function)
        && grant.operations().iter().all(|o| OF_FUNCTIONS.contains(o))
        && is_ours(function)
}

/// Takes a grant back; `reported` named it.
pub(super) async fn revoke(cx: &Aws, key: &str, grant: &str) -> Result<(), Error> {
    let id = grant.strip_prefix("grant/").unwrap_or(grant);
    let call = cx.kms.client.revoke_grant().key_id(key).grant_id(id);
    cx.delete(REVOKE, || call.clone().send()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lambda_needs_for_our_functions_is_no_way_in_and_whatever_is_more_than_that_is_one() {
        let grant = |session: &str, function: &str, operations: &[GrantOperation]| {
            let arn = format!("arn:aws:lambda:eu-central-1:1:function:{function}");
            let only = GrantConstraints::builder()
                .encryption_context_equals("aws:lambda:FunctionArn", arn)
                .build();
            let grant = GrantListEntry::builder()
                .grantee_principal(format!("arn:aws:sts::{session}"))
                .set_operations(Some(operations.to_vec()))
                .constraints(only);
            of_function(&grant.build(), "1", |name| name == "sync-dev")
        };
        let session = "1:assumed-role/role-sync-dev/sync-dev";
        assert!(grant(session, "sync-dev", &OF_FUNCTIONS));
        let more = [GrantOperation::Decrypt, GrantOperation::CreateGrant];
        assert!(!grant(session, "sync-dev", &more));
        assert!(!grant(
            "2:assumed-role/role-sync-dev/sync-dev",
            "sync-dev",
            &OF_FUNCTIONS
        ));
        assert!(!grant(
            "1:assumed-role/role-sync-dev/somebody",
            "sync-dev",
            &OF_FUNCTIONS
        ));
        assert!(!grant(
            "1:assumed-role/theirs/theirs",
            "theirs",
            &OF_FUNCTIONS
        ));
        let anything = GrantListEntry::builder()
            .grantee_principal(format!("arn:aws:sts::{session}"))
            .set_operations(Some(OF_FUNCTIONS.to_vec()));
        assert!(!of_function(&anything.build(), "1", |_| true));
    }

    #[test]
    fn grants_of_services_are_theirs_and_all_others_are_told() {
        let grant = |who: &str| {
            let grant = GrantListEntry::builder()
                .grant_id("g")
                .grantee_principal(who);
            reported(&grant.build(), "123456789012")
        };
        for theirs in [
            "rds.eu-central-1.amazonaws.com",
            "dynamodb.eu-central-1.amazonaws.com",
            "arn:aws:iam::123456789012:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS",
            "arn:aws:sts::123456789012:assumed-role/aws:ec2-infrastructure/i-1",
        ] {
            assert_eq!(grant(theirs), None);
        }
        for foreign in [
            "arn:aws:iam::999999999999:root",
            "arn:aws:iam::123456789012:role/x",
            "arn:aws:iam::999999999999:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS",
            "arn:aws:sts::999999999999:assumed-role/aws:ec2-infrastructure/i-1",
        ] {
            assert!(grant(foreign).is_some(), "{foreign}");
        }
    }
}

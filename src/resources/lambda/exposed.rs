//! Who else may call a function, from where, and who gets what it answers: statements of its policy, URLs, settings of its
//! asynchronous calls, and mappings. The desired set is always empty: every entry is drift.

use crate::resources::mappings::is_own;
use crate::resources::prelude::*;
use aws_sdk_lambda::types as t;
use serde_json::Value;

/// How the entries of `exposed` begin that are no statement; the name of a statement has no `/` ("AddPermission" in the API
/// reference, StatementId).
const URL: &str = "url/";
const ASYNCHRONOUS: &str = "asynchronous/";
/// What is of the function itself and of no version or alias.
const LATEST: &str = "$LATEST";

/// Reads all of them.
///
/// # Errors
/// "Not found" when there is no such function.
pub(super) async fn of(cx: &Aws, name: &str) -> Result<Exposed, Error> {
    let statements = async {
        let policy = found(cx.lambda.policy(name).await)?;
        Ok::<_, Error>(policy.map(|p| statements(&p)).unwrap_or_default())
    };
    let (mut all, urls, calls) =
        futures::try_join!(statements, urls(cx, name), asynchronous(cx, name))?;
    all.extend(urls);
    all.extend(calls);
    Ok(all)
}

/// Takes away the one that `what` names.
pub(super) async fn close(cx: &Aws, function: &str, what: &str) -> Result<(), Error> {
    let client = &cx.lambda.client;
    // The qualifier of what is of the function itself is left out.
    let qualifier = |name: &str| (name != LATEST).then(|| name.to_owned());
    if let Some(name) = what.strip_prefix(URL) {
        const DELETE: Api = lambda::DELETE_FUNCTION_URL_CONFIG;
        let call = client.delete_function_url_config().function_name(function);
        let call = call.set_qualifier(qualifier(name));
        return cx.delete(DELETE, || call.clone().send()).await;
    }
    if let Some(name) = what.strip_prefix(ASYNCHRONOUS) {
        const DELETE: Api = lambda::DELETE_FUNCTION_EVENT_INVOKE_CONFIG;
        let call = client.delete_function_event_invoke_config();
        let call = call.function_name(function);
        let call = call.set_qualifier(qualifier(name));
        return cx.delete(DELETE, || call.clone().send()).await;
    }
    const REMOVE: Api = lambda::REMOVE_PERMISSION;
    let call = client.remove_permission().function_name(function);
    let call = call.statement_id(what);
    cx.delete(REMOVE, || call.clone().send()).await
}

/// The statements of a policy: name, and whom they let do what.
fn statements(policy: &str) -> Exposed {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let all = policy["Statement"].as_array().cloned().unwrap_or_default();
    let each = all.iter().map(|statement| {
        let name = statement["Sid"].as_str().unwrap_or_default().to_owned();
        let whom = format!("{} {}", statement["Principal"], statement["Action"]);
        (name, whom)
    });
    each.collect()
}

/// The version or alias that an ARN ends in.
fn qualifier<'a>(arn: &'a str, function: &str) -> &'a str {
    let behind = arn.rsplit_once(&format!(":function:{function}:"));
    behind.map_or(LATEST, |(_, name)| name)
}

/// Its URLs, with who may call them: `NONE` is everybody whom the policy lets in.
async fn urls(cx: &Aws, function: &str) -> Result<Exposed, Error> {
    const LIST: Api = lambda::LIST_FUNCTION_URL_CONFIGS;
    let call = cx.lambda.client.list_function_url_configs();
    let call = call.function_name(function);
    let send = |marker| call.clone().set_marker(marker).send();
    let all = cx.pages(LIST, send, |page| {
        let urls = page.function_url_configs.into_iter().map(|url| {
            let name = qualifier(url.function_arn(), function);
            let who = url.auth_type().as_str();
            (
                format!("{URL}{name}"),
                format!("{who} {}", url.function_url()),
            )
        });
        (urls, page.next_marker)
    });
    Ok(all.await?.into_iter().collect())
}

/// Where what came of asynchronous calls is sent, and how often they are repeated.
async fn asynchronous(cx: &Aws, function: &str) -> Result<Exposed, Error> {
    const LIST: Api = lambda::LIST_FUNCTION_EVENT_INVOKE_CONFIGS;
    let call = cx.lambda.client.list_function_event_invoke_configs();
    let call = call.function_name(function);
    let send = |marker| call.clone().set_marker(marker).send();
    let all = cx.pages(LIST, send, |page| {
        let configs = page.function_event_invoke_configs.unwrap_or_default();
        let configs = configs.into_iter().map(|config| {
            let name = qualifier(config.function_arn().unwrap_or_default(), function);
            (format!("{ASYNCHRONOUS}{name}"), settings(&config))
        });
        (configs, page.next_marker)
    });
    Ok(all.await?.into_iter().collect())
}

/// The event source mappings that call a function and are none of this deployment's.
pub(super) async fn callers(
    cx: &Aws,
    all: &[t::EventSourceMappingConfiguration],
    function: &str,
    identity: &Identity,
) -> Result<Vec<String>, Error> {
    let calls = |m: &&t::EventSourceMappingConfiguration| {
        let called = m.function_arn().and_then(|arn| arn.strip_prefix(function));
        // A version or an alias of it follows after a colon.
        let called = called.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
        called && m.state() != Some("Deleting")
    };
    let mut out = Vec::new();
    for one in all.iter().filter(calls) {
        if !is_own(cx, one, identity).await? {
            let source = one.event_source_arn().unwrap_or("a source of its own");
            let id = one.uuid().unwrap_or_default();
            out.push(format!("mapping {id} of {source}"));
        }
    }
    Ok(out)
}

/// What settings of asynchronous calls say, in words.
fn settings(config: &t::FunctionEventInvokeConfig) -> String {
    let to = config.destination_config();
    let success = to.and_then(|d| d.on_success()?.destination());
    let failure = to.and_then(|d| d.on_failure()?.destination());
    let number = |n: Option<i32>| n.map(|n| n.to_string());
    let (retries, age) = (
        number(config.maximum_retry_attempts()),
        number(config.maximum_event_age_in_seconds()),
    );
    let all = [
        ("success to", success),
        ("failure to", failure),
        ("retries", retries.as_deref()),
        ("seconds", age.as_deref()),
    ];
    let set = all
        .into_iter()
        .filter_map(|(what, value)| Some(format!("{what} {}", value?)));
    set.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qualifier_is_what_follows_the_name() {
        let arn = "arn:aws:lambda:eu-central-1:1:function:sync";
        assert_eq!(qualifier(arn, "sync"), LATEST);
        assert_eq!(qualifier(&format!("{arn}:$LATEST"), "sync"), LATEST);
        assert_eq!(qualifier(&format!("{arn}:live"), "sync"), "live");
    }
}

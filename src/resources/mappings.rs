//! Event source mappings: which function is called with what comes out of a table's stream or a queue. Anybody who may create functions
//! can have one call his own: it gets the items, and what it takes from a queue is gone.

use super::prelude::*;
use crate::aws::OwnThing;
use crate::engine::compare::UNREAD;
use crate::engine::ownership::MARK_STEP;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;

/// The types of our own.
const OWN: &str = "lambda/stream_mapping";
const FUNCTION: &str = "lambda/function";

/// The functions of others that are called with what comes out of any of these; what may not be listed is said in its place. Who calls
/// a function of ours shows there.
pub(super) async fn readers(
    cx: &Aws,
    identity: &Identity,
    is_source: impl Fn(&str) -> bool,
) -> Result<Vec<String>, Error> {
    let all = match cx.lambda.mappings().await {
        Err(error) if error.is_denied() => {
            return Ok(vec![format!("{UNREAD}{}", error.in_short())]);
        }
        all => all?,
    };
    let reads = |m: &&EventSourceMappingConfiguration| {
        let called = m.function_arn().unwrap_or_default();
        let called = called.split(':').nth(6).unwrap_or_default();
        let is_ours = || cx.own.any(|it| it.kind == FUNCTION && it.name == called);
        m.event_source_arn().is_some_and(&is_source) && m.state() != Some("Deleting") && !is_ours()
    };
    let mut out = Vec::new();
    for one in all.iter().filter(reads) {
        if !is_own(cx, one, identity).await? {
            let called = one.function_arn().unwrap_or("a function");
            let id = one.uuid().unwrap_or_default();
            out.push(format!("mapping {id} to {called}"));
        }
    }
    Ok(out)
}

/// A mapping of ours is recorded; before it is, its tags name its step. Of what may not be asked for its tags none are ours.
pub(super) async fn is_own(
    cx: &Aws,
    one: &EventSourceMappingConfiguration,
    identity: &Identity,
) -> Result<bool, Error> {
    let id = one.uuid().unwrap_or_default();
    let own = |is_it: &dyn Fn(&OwnThing) -> bool| cx.own.any(|it| it.kind == OWN && is_it(it));
    if own(&|it| it.outputs["id"] == id) {
        return Ok(true);
    }
    let arn = one.event_source_mapping_arn().unwrap_or_default();
    match found(cx.lambda.tags(arn).await) {
        Ok(tags) => {
            let tags = tags.unwrap_or_default();
            let step = tags.get(MARK_STEP);
            Ok(of_deployment(identity, &tags) && own(&|it| Some(&it.step) == step))
        }
        Err(error) if error.is_denied() => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::lambda::{Function, StreamMapping};
    use serde_json::json;

    #[tokio::test]
    async fn a_mapping_of_others_that_reads_what_is_ours_is_named() {
        assert_eq!((OWN, FUNCTION), (StreamMapping::TYPE, Function::TYPE));
        let mapping = |id: &str, from: &str| {
            json!({"UUID": id, "EventSourceArn": from, "FunctionArn": format!("arn:aws:lambda:eu-central-1:1:function:{id}"),
            "EventSourceMappingArn": format!("arn:aws:lambda:eu-central-1:1:event-source-mapping:{id}"), "State": "Enabled"})
        };
        let all = [
            ("ours", "q"),
            ("theirs", "q"),
            ("far", "other"),
            ("control", "q"),
        ];
        let all = all.map(|(id, from)| mapping(id, from));
        let body = json!({"Tags": {}, "EventSourceMappings": all});
        let mut cx = crate::aws::wire::aws(200, body.to_string());
        let own = |kind: &str, name: &str| OwnThing {
            kind: kind.into(),
            step: name.into(),
            name: name.into(),
            spec: json!({}),
            outputs: json!({"id": name}),
        };
        cx.own = [own(OWN, "ours"), own(FUNCTION, "control")]
            .into_iter()
            .collect();
        let identity = Identity {
            step: "queue".into(),
            name: "queue".into(),
            tags: Tags::new(),
            token: String::new(),
        };
        let found = readers(&cx, &identity, |arn| arn == "q").await.unwrap();
        assert_eq!(
            found,
            ["mapping theirs to arn:aws:lambda:eu-central-1:1:function:theirs"]
        );
    }
}

//! Who gets a topic's messages. A subscription is one element of the topic's set: it has no tags and goes with the topic.
//!
//! E-mail and HTTPS are pending until somebody confirms them. Until then SNS shows no ARN, so a pending one can neither be
//! distinguished from one that somebody else asked for nor be removed ("Unsubscribe" in the SNS API reference); it expires by itself.
//! So a pending one counts when it is wanted, and somebody has to do something; one that nobody wants does not count.

use super::Topic;
use crate::resources::prelude::*;
use aws_sdk_sns::types::Subscription;
use futures::future::try_join_all;
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TopicOutputs {
    pub name: Ref<Topic>,
    pub arn: Ref<Arn<Topic>>,
    /// What somebody has to do before its messages reach everybody.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub attention: Ref<Sentences>,
}

impl HasName for TopicOutputs {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl TopicOutputs {
    pub(super) fn new(name: &str, arn: &str, attention: Vec<String>) -> Self {
        Self {
            name: name.into(),
            arn: arn.into(),
            attention: attention.join("; ").into(),
        }
    }
}

fn label(one: &Subscription) -> String {
    let protocol = one.protocol().unwrap_or_default();
    format!("{protocol} {}", one.endpoint().unwrap_or_default())
}

fn confirmed(one: &Subscription) -> bool {
    one.subscription_arn()
        .is_some_and(|a| a.starts_with("arn:"))
}

/// The subscribers that count, and what somebody has to do about them.
pub(super) fn counted(all: &[Subscription], wanted: &[String]) -> (Vec<String>, Vec<String>) {
    let (confirmed, pending): (Vec<_>, Vec<_>) = all.iter().partition(|s| confirmed(s));
    let labels = |list: Vec<&Subscription>| list.into_iter().map(label).collect::<Vec<_>>();
    let (mut labels, mut pending) = (labels(confirmed), labels(pending));
    pending.retain(|one| wanted.contains(one) && !labels.contains(one));
    let open = |one: &String| {
        format!(
            "`{one}` has not confirmed its subscription: the link is in the message that SNS sent"
        )
    };
    let mut attention: Vec<String> = pending.iter().map(open).collect();
    if labels.is_empty() && pending.is_empty() {
        attention.push("nobody gets its messages: put an address into `monitoring.notify` and run `deployer apply`".into());
    }
    labels.append(&mut pending);
    (labels, attention)
}

/// What a subscription has besides its place, and what takes it away ("SetSubscriptionAttributes" in the SNS API reference, "Removing a
/// subscription filter policy"; a redrive policy goes with a call that has no value): a filter lets through what it names alone.
const OTHERS: [(&str, Option<&str>); 4] = [
    ("FilterPolicy", Some("{}")),
    ("RawMessageDelivery", Some("false")),
    ("DeliveryPolicy", Some("")),
    ("RedrivePolicy", None),
];

/// What of that is set, by subscriber and attribute. A subscription that nobody wants is a difference as a whole.
pub(super) async fn others(
    cx: &Aws,
    all: &[Subscription],
    wanted: &[String],
) -> Result<Exposed, Error> {
    let asked = all
        .iter()
        .filter(|s| confirmed(s) && wanted.contains(&label(s)));
    let each = asked.map(|one| async move {
        let arn = one.subscription_arn().unwrap_or_default();
        let shown = found(cx.sns.subscription(arn).await)?;
        Ok::<_, Error>(set_on(&label(one), &shown.unwrap_or_default()))
    });
    Ok(try_join_all(each).await?.into_iter().flatten().collect())
}

fn set_on(label: &str, shown: &HashMap<String, String>) -> Vec<(String, String)> {
    let nothing = ["", "{}", "false"];
    let set = |(name, _): &(&str, Option<&str>)| {
        let value = shown.get(*name)?;
        let set = !nothing.contains(&value.to_lowercase().as_str());
        set.then(|| (format!("{label}/{name}"), value.clone()))
    };
    OTHERS.iter().filter_map(set).collect()
}

/// Subscribes and removes what differs, and takes away what `extra` names of a subscription.
pub(super) async fn set(
    cx: &Aws,
    it: &TopicOutputs,
    edits: &BTreeMap<&str, Edit>,
    extra: &BTreeMap<&str, Edit>,
) -> Result<(), Error> {
    let of_some = extra.keys().filter_map(|what| what.rsplit_once('/'));
    let of_some: Vec<(&str, &str)> = of_some.collect();
    if edits.is_empty() && of_some.is_empty() {
        return Ok(());
    }
    let now = cx.sns.subscriptions(it.arn.as_str()).await?;
    for one in now.iter().filter(|s| confirmed(s)) {
        for (name, nothing) in OTHERS {
            if of_some.contains(&(label(one).as_str(), name)) {
                let call = cx.sns.client.set_subscription_attributes();
                let call = call
                    .set_subscription_arn(one.subscription_arn.clone())
                    .attribute_name(name)
                    .set_attribute_value(nothing.map(str::to_owned));
                let api = sns::SET_SUBSCRIPTION_ATTRIBUTES;
                cx.call(api, || call.clone().send()).await?;
            }
        }
    }
    for (one, edit) in edits {
        if *edit == Edit::Remove {
            let leaving = now.iter().filter(|s| confirmed(s) && label(s) == *one);
            for arn in leaving.filter_map(Subscription::subscription_arn) {
                let call = cx.sns.client.unsubscribe().subscription_arn(arn);
                cx.delete(sns::UNSUBSCRIBE, || call.clone().send()).await?;
            }
        } else if let Some((protocol, endpoint)) = one.split_once(' ') {
            let call = cx.sns.client.subscribe().topic_arn(&it.arn);
            let call = call.protocol(protocol).endpoint(endpoint);
            let call = call.return_subscription_arn(true);
            cx.call(sns::SUBSCRIBE, || call.clone().send()).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(endpoint: &str, arn: &str) -> Subscription {
        let one = Subscription::builder().protocol("email");
        one.endpoint(endpoint).subscription_arn(arn).build()
    }

    #[test]
    fn what_keeps_messages_from_a_subscriber_is_a_difference() {
        let of = |name: &str, value: &str| {
            let shown = [
                ("RawMessageDelivery", "false"),
                ("Protocol", "email"),
                (name, value),
            ];
            set_on(
                "email a@x",
                &shown.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            )
        };
        assert!(of("FilterPolicy", "{}").is_empty());
        for (name, value) in [
            ("FilterPolicy", r#"{"never": ["x"]}"#),
            ("RawMessageDelivery", "true"),
            (
                "DeliveryPolicy",
                r#"{"healthyRetryPolicy": {"numRetries": 0}}"#,
            ),
            ("RedrivePolicy", r#"{"deadLetterTargetArn": "arn"}"#),
        ] {
            assert_eq!(
                of(name, value),
                [(format!("email a@x/{name}"), value.to_owned())]
            );
        }
    }

    #[test]
    fn a_pending_subscription_counts_when_it_is_wanted_and_somebody_has_to_confirm_it() {
        let all = [
            one("a@x", "arn:1"),
            one("b@x", "PendingConfirmation"),
            one("c@x", "PendingConfirmation"),
        ];
        let wanted = ["email a@x".to_owned(), "email b@x".to_owned()];
        let (labels, attention) = counted(&all, &wanted);
        assert_eq!(labels, wanted);
        assert_eq!(attention.len(), 1);
        assert!(
            attention[0].starts_with("`email b@x` has not confirmed"),
            "{attention:?}"
        );
        let (labels, attention) = counted(&all[1..], &[]);
        assert_eq!((labels.len(), attention.len()), (0, 1));
    }
}

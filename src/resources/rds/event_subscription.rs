//! A subscription of a topic to events of databases: failovers, failures, maintenance.

use super::{RdsTags, tags};
use crate::resources::prelude::*;
use crate::resources::sns::Topic;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventSubscription {
    /// Where the events go.
    pub topic: Ref<Arn<Topic>>,
    /// What they are about: `db-cluster`, `db-instance`, `db-parameter-group`.
    pub source: String,
    /// Which ones; a set. Without any it would be all of the account.
    pub sources: Vec<Ref<()>>,
    /// Kinds of events; a set.
    pub categories: Vec<String>,
    pub enabled: bool,
}

const CREATE: Api = rds::CREATE_EVENT_SUBSCRIPTION;
const READ: Api = rds::DESCRIBE_EVENT_SUBSCRIPTIONS;
const MODIFY: Api = rds::MODIFY_EVENT_SUBSCRIPTION;

impl Kind for EventSubscription {
    const TYPE: &'static str = "rds/event_subscription";
    /// "CreateEventSubscription" in the RDS API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 254,
        legal: |c| c.is_ascii_alphanumeric() || c == '-',
        charset: "letters, digits and `-`",
    };
    type Outputs = Named<Self>;
}

impl Resource for EventSubscription {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (5.0, 5.0),
        cost: |_| Cost::NONE,
        fixed: &["source"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = RdsTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let name = key.name();
        let Some(one) = cx.rds.event_subscriptions.named(name).await? else {
            return Ok(None);
        };
        let arn: String = READ.field(one.event_subscription_arn(), "EventSubscriptionArn")?;
        let Some(tags) = tags::of_group(cx, &arn, key.identity).await? else {
            return Ok(None);
        };
        let spec = Self {
            topic: one.sns_topic_arn().unwrap_or_default().into(),
            source: one.source_type().unwrap_or_default().to_owned(),
            sources: one
                .source_ids_list()
                .iter()
                .map(|id| id.as_str().into())
                .collect(),
            categories: one.event_categories_list().to_vec(),
            enabled: one.enabled().unwrap_or(false),
        };
        let found = Found::tagged(spec, Named::new(name, arn), tags);
        Ok(Some(found.phase(match one.status() {
            Some("active") => Phase::Ready,
            Some("deleting") => Phase::Deleting,
            Some(why @ ("no-permission" | "topic-not-exist")) => Phase::Failed(why.to_owned()),
            _ => Phase::Settling,
        })))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let call = cx.rds.client.create_event_subscription();
        let call = call
            .subscription_name(&identity.name)
            .sns_topic_arn(&self.topic)
            .source_type(&self.source)
            .set_source_ids(Some(texts(&self.sources)))
            .set_event_categories(Some(self.categories.clone()))
            .enabled(self.enabled)
            .set_tags(tags::at_creation(identity));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let arn = made
            .event_subscription()
            .and_then(|e| e.event_subscription_arn());
        let arn: Ref<_> = CREATE.field(arn, "EventSubscriptionArn")?;
        Ok(Named::new(&identity.name, arn))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, delta: &Delta) -> Result<(), Error> {
        let client = &cx.rds.client;
        let settings = ["topic", "categories", "enabled"];
        if delta.changes.iter().any(|c| settings.contains(&c.field())) {
            let call = client
                .modify_event_subscription()
                .subscription_name(&it.name);
            let call = call
                .sns_topic_arn(&self.topic)
                .source_type(&self.source)
                .set_event_categories(Some(self.categories.clone()))
                .enabled(self.enabled);
            cx.call(MODIFY, || call.clone().send()).await?;
        }
        for (source, edit) in delta.entries("sources") {
            if edit == Edit::Remove {
                let call = client.remove_source_identifier_from_subscription();
                let call = call.subscription_name(&it.name).source_identifier(source);
                let api = rds::REMOVE_SOURCE_IDENTIFIER_FROM_SUBSCRIPTION;
                cx.delete(api, || call.clone().send()).await?;
            } else {
                let call = client.add_source_identifier_to_subscription();
                let call = call.subscription_name(&it.name).source_identifier(source);
                let api = rds::ADD_SOURCE_IDENTIFIER_TO_SUBSCRIPTION;
                cx.call(api, || call.clone().send()).await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let call = cx.rds.client.delete_event_subscription();
        let call = call.subscription_name(&it.name);
        let api = rds::DELETE_EVENT_SUBSCRIPTION;
        cx.delete(api, || call.clone().send()).await
    }
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.rds.event_subscriptions.all().await?;
    let all = all.iter().map(|one| {
        let text = |text: Option<&str>| text.map(str::to_owned);
        (
            text(one.cust_subscription_id()),
            text(one.event_subscription_arn()),
        )
    });
    tags::owned_groups(cx, EventSubscription::TYPE, suffix, all.collect()).await
}

//! A set of IPv4 address blocks that rules name.

use super::tags::{self, list};
use super::{Identified, WafTags};
use crate::resources::prelude::*;
use aws_sdk_wafv2::types as t;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IpSet {
    pub description: String,
    /// In CIDR notation.
    pub addresses: BTreeSet<String>,
}

const READ: Api = wafv2::GET_IP_SET;
const CREATE: Api = wafv2::CREATE_IP_SET;
const UPDATE: Api = wafv2::UPDATE_IP_SET;
const DELETE: Api = wafv2::DELETE_IP_SET;
const SCOPE: t::Scope = t::Scope::Regional;

impl Kind for IpSet {
    const TYPE: &'static str = "wafv2/ip_set";
    const NAME: NameRule = super::NAME;
    type Outputs = Identified<Self>;
}

impl Resource for IpSet {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (2.0, 2.0),
        cost: |_| Cost::NONE,
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = WafTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let outputs = match key.outputs {
            Some(it) => it.clone(),
            None => match cx.wafv2.sets().await?.get(key.name()) {
                Some(listed) => Identified::listed(key.name(), listed),
                None => return Ok(None),
            },
        };
        let arn = outputs.arn.as_str();
        let tags = cx.tagged(arn, &key.identity.tags, tags::tags_of(cx, arn));
        let (shown, tags) = futures::join!(get(cx, &outputs), tags);
        let (Some((set, _)), Some(tags)) = (shown?, tags?) else {
            return Ok(None);
        };
        cx.recent.note(arn, &tags);
        let spec = Self {
            description: set.description().unwrap_or_default().to_owned(),
            addresses: set.addresses().iter().cloned().collect(),
        };
        Ok(Some(Found::tagged(spec, outputs, tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Identified<Self>, Error> {
        let call = cx.wafv2.client.create_ip_set();
        let call = call
            .name(&identity.name)
            .scope(SCOPE)
            .description(&self.description)
            .ip_address_version(t::IpAddressVersion::Ipv4)
            .set_addresses(Some(self.list()))
            .set_tags(Some(list(CREATE, &identity.tags)?));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let summary = made.summary();
        let (id, arn) = (summary.and_then(|s| s.id()), summary.and_then(|s| s.arn()));
        Identified::made(CREATE, &identity.name, id, arn)
    }

    async fn update(&self, cx: &Aws, it: &Identified<Self>, _: &Delta) -> Result<(), Error> {
        let Some((_, token)) = get(cx, it).await? else {
            return Err(Error::permanent(UPDATE.action(), "it is no longer there"));
        };
        let call = cx.wafv2.client.update_ip_set();
        let call = call
            .name(&it.name)
            .id(&it.id)
            .scope(SCOPE)
            .description(&self.description)
            .set_addresses(Some(self.list()))
            .lock_token(token);
        cx.call(UPDATE, || call.clone().send()).await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &Identified<Self>) -> Result<(), Error> {
        let Some((_, token)) = get(cx, it).await? else {
            return Ok(());
        };
        let call = cx.wafv2.client.delete_ip_set().name(&it.name);
        let call = call.id(&it.id).scope(SCOPE).lock_token(token);
        cx.delete(DELETE, || call.clone().send()).await
    }
}

impl IpSet {
    fn list(&self) -> Vec<String> {
        self.addresses.iter().cloned().collect()
    }
}

/// The set and the token that a change of it takes.
async fn get(cx: &Aws, it: &Identified<IpSet>) -> Result<Option<(t::IpSet, String)>, Error> {
    let call = cx.wafv2.client.get_ip_set().name(&it.name);
    let call = call.id(&it.id).scope(SCOPE);
    let answer = found(cx.call(READ, || call.clone().send()).await)?;
    Ok(answer.and_then(|a| a.ip_set.zip(a.lock_token)))
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.wafv2.sets().await?;
    tags::owned(cx, IpSet::TYPE, suffix, &all).await
}

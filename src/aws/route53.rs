//! Route 53: its client, readers of records and health checks, actions, limits and errors. Names are in lower case and
//! without the dot at their end everywhere but on the wire.

use super::api::{ANY, Answer, Api, Bucket, Grant, Service, actions, bucket, named};
use super::call::Caller;
use super::listing::{Listing, Named};
use super::reader::Reader;
use crate::engine::{Class, Error};
use aws_sdk_route53::Client;
use aws_sdk_route53::types::{self as t, TagResourceType};
use futures::FutureExt;
use futures::future::try_join_all;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Route 53 as a service.
pub static SERVICE: Service = Service {
    name: "route53",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// "Throttling for Amazon Route 53 API requests": all calls of an account share ten a second; new health checks come one in two
/// seconds after the first fifty, deletions of them three a second after the first fifteen. Others of the account call too.
fn limits(api: Api) -> Bucket {
    let own = match api.operation {
        "CreateHealthCheck" => bucket(api.operation, 25.0, 0.5),
        "CreateHostedZone" => bucket(api.operation, 2.0, 1.0),
        "DeleteHealthCheck" => bucket(api.operation, 10.0, 3.0),
        "DeleteHostedZone" => bucket(api.operation, 20.0, 5.0),
        _ => bucket(api.operation, 40.0, 8.0),
    };
    own.within(40.0, 8.0)
}

const ZONES: Grant = named("arn:aws:route53:::hostedzone/*");
const CHANGES: Grant = named("arn:aws:route53:::change/*");
const CHECKS: Grant = named("arn:aws:route53:::healthcheck/*");

actions! { SERVICE;
    Read LIST_HOSTED_ZONES = "ListHostedZones", [ANY];
    Read LIST_HOSTED_ZONES_BY_VPC = "ListHostedZonesByVPC", [ANY];
    Read LIST_RESOURCE_RECORD_SETS = "ListResourceRecordSets", [ZONES];
    Read GET_CHANGE = "GetChange", [CHANGES];
    Read LIST_HEALTH_CHECKS = "ListHealthChecks", [ANY];
    Read LIST_TAGS_FOR_RESOURCES = "ListTagsForResources", [CHECKS];
    Read LIST_TAGS_FOR_RESOURCE = "ListTagsForResource", [ZONES];
    Read GET_HOSTED_ZONE = "GetHostedZone", [ZONES];
    Repeatable CREATE_HOSTED_ZONE = "CreateHostedZone", [ANY];
    Repeatable UPDATE_HOSTED_ZONE_COMMENT = "UpdateHostedZoneComment", [ZONES];
    Repeatable DELETE_HOSTED_ZONE = "DeleteHostedZone", [ZONES];
    Repeatable CHANGE_RESOURCE_RECORD_SETS = "ChangeResourceRecordSets", [ZONES];
    Repeatable CREATE_HEALTH_CHECK = "CreateHealthCheck", [ANY];
    Repeatable UPDATE_HEALTH_CHECK = "UpdateHealthCheck", [CHECKS];
    Repeatable DELETE_HEALTH_CHECK = "DeleteHealthCheck", [CHECKS];
    Repeatable CHANGE_TAGS_FOR_RESOURCE = "ChangeTagsForResource", [CHECKS, ZONES];
}

fn classify(_: Api, answer: Answer<'_>) -> Option<Class> {
    let says = |text: &str| answer.says(text);
    Some(match answer.code {
        // "Tried to create resource record set [..] but it already exists"
        "InvalidChangeBatch" if says("already exists") => Class::Conflict,
        // Somebody was faster, or an earlier attempt had its effect: what is there must be read again. "Tried to delete
        // resource record set [..] but it was not found", "but the values provided do not match the current values".
        "InvalidChangeBatch" if says("not found") || says("do not match") => Class::NotReady,
        "HealthCheckVersionMismatch" => Class::NotReady,
        "HealthCheckAlreadyExists" => Class::Conflict,
        "HealthCheckInUse" | "HostedZoneNotEmpty" => Class::InUse,
        "HostedZoneAlreadyExists" => Class::Conflict,
        _ => return None,
    })
}

/// A name as we write it: lower case, no dot at its end, and the star that Route 53 shows as `\052`.
pub fn plain(name: &str) -> String {
    let name = name.trim_end_matches('.').to_lowercase();
    name.replace("\\052", "*")
}

/// True when the name is this domain or below it.
pub fn is_within(name: &str, domain: &str) -> bool {
    name == domain
        || name
            .strip_suffix(domain)
            .is_some_and(|head| head.ends_with('.'))
}

/// Tags by key.
type Tags = BTreeMap<String, String>;
/// A zone's id and a name in it.
type Place = (String, String);

/// Route 53: its client and readers.
pub struct Route53 {
    pub client: Client,
    records: Reader<Place, Vec<t::ResourceRecordSet>>,
    checks: Reader<(), Arc<Vec<t::HealthCheck>>>,
    zones: Listing<t::HostedZone>,
    tags: Reader<String, Tags>,
    region: String,
    caller: Arc<Caller>,
}

impl Route53 {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        Self {
            records: records(&client, caller),
            checks: checks(&client, caller),
            zones: zones(&client, caller),
            tags: tags(&client, caller),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            caller: caller.clone(),
            client,
        }
    }

    /// The record sets of this name, of all types.
    pub async fn records(
        &self,
        zone: &str,
        name: &str,
    ) -> Result<Vec<t::ResourceRecordSet>, Error> {
        // Ids of zones are letters and digits: what is still a reference to a zone that is to be made has no records yet.
        if !zone.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Ok(Vec::new());
        }
        let found = self.records.get((zone.to_owned(), plain(name))).await?;
        Ok(found.unwrap_or_default())
    }

    /// All zones of the account, as of now.
    pub async fn zones_now(&self) -> Result<Arc<Vec<t::HostedZone>>, Error> {
        self.zones.now().await
    }

    /// All zones of the account, as of a moment ago.
    pub async fn zones(&self) -> Result<Arc<Vec<t::HostedZone>>, Error> {
        self.zones.all().await
    }

    /// Name and id of the private zones that somebody has tied to a VPC of this region. Those that services of AWS make are left out
    /// ("HostedZoneOwner" in the API reference: one of OwningAccount and OwningService is set).
    pub async fn private_zones(&self, vpc: &str) -> Result<Vec<(String, String)>, Error> {
        let call = self.client.list_hosted_zones_by_vpc().vpc_id(vpc);
        let call = call.vpc_region(self.region.as_str().into());
        let send = |token| call.clone().set_next_token(token).send();
        let all = self.caller.pages(LIST_HOSTED_ZONES_BY_VPC, send, |page| {
            let zones = page.hosted_zone_summaries.into_iter();
            let of_somebody = zones.filter(|z| {
                let owner = z.owner.as_ref();
                owner.and_then(|o| o.owning_service()).is_none()
            });
            let pairs = of_somebody.map(|z| (plain(&z.name), z.hosted_zone_id));
            (pairs, page.next_token)
        });
        match all.await {
            // The VPC has gone.
            Err(error) if error.code == "InvalidVPCId" => Ok(Vec::new()),
            all => all,
        }
    }

    pub async fn zone_tags(&self, id: &str) -> Result<Tags, Error> {
        let request = self.client.list_tags_for_resource().resource_id(id);
        let request = request.resource_type(TagResourceType::Hostedzone);
        let api = LIST_TAGS_FOR_RESOURCE;
        let answer = self.caller.call(api, || request.clone().send()).await?;
        let tags = answer.resource_tag_set.and_then(|set| set.tags);
        let tags = tags.unwrap_or_default().into_iter();
        Ok(tags
            .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
            .collect())
    }

    /// All record sets of a zone.
    pub async fn every_record(&self, zone: &str) -> Result<Vec<t::ResourceRecordSet>, Error> {
        list(&self.client, &self.caller, zone, "").await
    }

    /// All health checks of the account.
    pub async fn checks(&self) -> Result<Arc<Vec<t::HealthCheck>>, Error> {
        Ok(self.checks.get(()).await?.unwrap_or_default())
    }

    /// The tags of a health check; `None` when it does not exist.
    pub async fn check_tags(&self, id: &str) -> Result<Option<Tags>, Error> {
        self.tags.get(id.to_owned()).await
    }
}

/// Names of one zone share a listing: record sets are in the order of their labels from the right, so everything below the
/// domain that the names have in common lies together.
fn records(client: &Client, caller: &Arc<Caller>) -> Reader<Place, Vec<t::ResourceRecordSet>> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |places: Vec<Place>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let mut zones: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (zone, name) in &places {
                zones.entry(zone).or_default().push(name);
            }
            let listed = zones.iter().map(async |(zone, names)| {
                let below = common(names);
                let sets = list(&client, &caller, zone, &below).await?;
                Ok::<_, Error>((*zone, sets))
            });
            let listed: HashMap<&str, Vec<_>> = try_join_all(listed).await?.into_iter().collect();
            let of = |(zone, name): &Place| {
                let sets = listed.get(zone.as_str()).into_iter().flatten();
                let same = sets.filter(|s| plain(&s.name) == *name).cloned();
                ((zone.clone(), name.clone()), same.collect())
            };
            Ok(places.iter().map(of).collect())
        }
        .boxed()
    })
}

/// The longest domain that all names are in.
fn common(names: &[&str]) -> String {
    let mut labels: Vec<&str> = names.first().map_or(Vec::new(), |n| n.split('.').collect());
    for name in names {
        while !labels.is_empty() && !is_within(name, &labels.join(".")) {
            labels.remove(0);
        }
    }
    labels.join(".")
}

async fn list(
    client: &Client,
    caller: &Caller,
    zone: &str,
    below: &str,
) -> Result<Vec<t::ResourceRecordSet>, Error> {
    let call = client.list_resource_record_sets().hosted_zone_id(zone);
    let first = (!below.is_empty()).then(|| below.to_owned());
    let send = |next: Option<(Option<String>, Option<t::RrType>, Option<String>)>| {
        let (name, kind, identifier) = next.unwrap_or((first.clone(), None, None));
        let call = call.clone().max_items(300).set_start_record_name(name);
        let call = call.set_start_record_type(kind);
        call.set_start_record_identifier(identifier).send()
    };
    let within = |name: &String| below.is_empty() || is_within(&plain(name), below);
    let all = caller.pages(LIST_RESOURCE_RECORD_SETS, send, |page| {
        let more = page.is_truncated && page.next_record_name.as_ref().is_some_and(within);
        let next = (
            page.next_record_name,
            page.next_record_type,
            page.next_record_identifier,
        );
        (page.resource_record_sets, more.then_some(next))
    });
    all.await
}

impl Named for t::HostedZone {
    fn name(&self) -> Option<&str> {
        Some(self.name())
    }
}

fn zones(client: &Client, caller: &Arc<Caller>) -> Listing<t::HostedZone> {
    let (client, caller) = (client.clone(), caller.clone());
    Listing::new(move || {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let send = |marker| client.list_hosted_zones().set_marker(marker).send();
            let all = caller.pages(LIST_HOSTED_ZONES, send, |page| {
                let next = page.next_marker.filter(|_| page.is_truncated);
                (page.hosted_zones, next)
            });
            all.await
        }
        .boxed()
    })
}

fn checks(client: &Client, caller: &Arc<Caller>) -> Reader<(), Arc<Vec<t::HealthCheck>>> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |_| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let send = |marker| client.list_health_checks().set_marker(marker).send();
            let all = caller.pages(LIST_HEALTH_CHECKS, send, |page| {
                let next = page.next_marker.filter(|_| page.is_truncated);
                (page.health_checks, next)
            });
            Ok(HashMap::from([((), Arc::new(all.await?))]))
        }
        .boxed()
    })
}

/// "ListTagsForResources": up to ten of one type; one that does not exist fails the call.
fn tags(client: &Client, caller: &Arc<Caller>) -> Reader<String, Tags> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |ids: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let groups = ids.chunks(10).map(async |some| {
                match ask_tags(&client, &caller, some).await {
                    Err(error) if error.is_not_found() && some.len() > 1 => {}
                    Err(error) if error.is_not_found() => return Ok(HashMap::new()),
                    answer => return answer,
                }
                let mut all = HashMap::new();
                for id in some {
                    match ask_tags(&client, &caller, std::slice::from_ref(id)).await {
                        Ok(found) => all.extend(found),
                        Err(error) if error.is_not_found() => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(all)
            });
            Ok(try_join_all(groups).await?.into_iter().flatten().collect())
        }
        .boxed()
    })
}

async fn ask_tags(
    client: &Client,
    caller: &Caller,
    ids: &[String],
) -> Result<HashMap<String, Tags>, Error> {
    let request = client.list_tags_for_resources();
    let request = request
        .resource_type(TagResourceType::Healthcheck)
        .set_resource_ids(Some(ids.to_vec()));
    let answer = caller
        .call(LIST_TAGS_FOR_RESOURCES, || request.clone().send())
        .await?;
    let one = |set: t::ResourceTagSet| {
        let pair = |tag: &t::Tag| {
            let value = tag.value().unwrap_or_default();
            Some((tag.key()?.to_owned(), value.to_owned()))
        };
        let tags = set.tags().iter().filter_map(pair).collect();
        Some((set.resource_id?, tags))
    };
    Ok(answer
        .resource_tag_sets
        .into_iter()
        .filter_map(one)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_share_the_domain_that_they_have_in_common() {
        assert_eq!(
            common(&["dev.example.com", "blue.dev.example.com"]),
            "dev.example.com"
        );
        assert_eq!(
            common(&["_x.blue.example.com", "_x.green.example.com"]),
            "example.com"
        );
        assert_eq!(common(&["a.com", "b.com"]), "com");
        assert!(is_within("a.example.com", "example.com"));
        assert!(!is_within("notexample.com", "example.com"));
        assert_eq!(plain("\\052.Example.com."), "*.example.com");
    }

    /// A page of ListResourceRecordSets with one record set, and the name at which the next page begins.
    fn page(name: &str, next: Option<&str>) -> (u16, Vec<u8>) {
        let more = next.map_or_else(String::new, |next| {
            format!("<NextRecordName>{next}</NextRecordName><NextRecordType>A</NextRecordType>")
        });
        let truncated = next.is_some();
        let body = format!(
            "<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet><Name>{name}</Name>\
             <Type>A</Type></ResourceRecordSet></ResourceRecordSets><IsTruncated>{truncated}</IsTruncated>\
             {more}<MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"
        );
        (200, body.into_bytes())
    }

    /// The names of the record sets below a domain, when the pages of the zone are these; a page too much is a panic.
    async fn below(domain: &str, pages: Vec<(u16, Vec<u8>)>) -> Result<Vec<String>, Error> {
        let pages = std::sync::Mutex::new(pages.into_iter());
        let next = move || pages.lock().unwrap().next();
        let aws = crate::aws::wire::answering(move |_| next().unwrap());
        let sets = list(&aws.route53.client, &aws.caller, "Z1", domain).await?;
        Ok(sets.into_iter().map(|set| set.name).collect())
    }

    #[tokio::test]
    async fn pages_are_read_until_the_names_are_no_longer_below_the_domain() {
        let first = || page("a.example.com.", Some("b.example.com."));
        let outside = page("b.example.com.", Some("c.example.org."));
        let all = below("example.com", vec![first(), outside]).await;
        assert_eq!(all.unwrap(), ["a.example.com.", "b.example.com."]);
        let all = below("", vec![first(), page("c.example.org.", None)]).await;
        assert_eq!(all.unwrap(), ["a.example.com.", "c.example.org."]);
        let same = page("b.example.com.", Some("b.example.com."));
        assert!(below("", vec![first(), same]).await.is_err());
    }
}

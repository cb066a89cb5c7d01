//! Settings of a bucket that let others in or send data elsewhere: its access list, replication, notifications, inventories, analytics,
//! website and the pages of others that may read it (CORS). The desired set is always empty: every entry is drift.

use super::tags::unless;
use crate::resources::prelude::*;
use aws_sdk_s3::types::{
    AnalyticsConfiguration, BucketCannedAcl, InventoryConfiguration, NotificationConfiguration,
};

/// How the entries of `exposed` begin.
const ACL: &str = "acl/";
const REPLICATION: &str = "replication/";
const NOTIFICATION: &str = "notification/";
const WEBSITE: &str = "website";
const CORS: &str = "cors/";
const INVENTORY: &str = "inventory/";
const ANALYTICS: &str = "analytics/";

/// A call about one setting, with the account that must own the bucket.
macro_rules! call {
    ($cx:expr, $bucket:expr, $api:expr, $method:ident $(, $field:ident = $value:expr)*) => {{
        let call = $cx.s3.client.$method().bucket($bucket);
        let call = call.expected_bucket_owner(&$cx.account)$(.$field($value))*;
        $cx.call($api, || call.clone().send()).await
    }};
}

/// Reads what counts for every bucket.
pub(super) async fn read(cx: &Aws, bucket: &str) -> Result<Exposed, Error> {
    let all = futures::try_join!(
        replication(cx, bucket),
        notifications(cx, bucket),
        inventories(cx, bucket),
        analytics(cx, bucket),
    )?;
    let all = [all.0, all.1, all.2, all.3];
    Ok(all.into_iter().flatten().collect())
}

type Entries = Vec<(String, String)>;

/// What makes a bucket readable for browsers. As long as all public access is blocked, a website answers nobody ("Blocking public
/// access to your Amazon S3 storage"), and CORS, which lets in nobody by itself, shows a page only what its user has signed for: then
/// neither is asked for.
pub(super) async fn to_browsers(cx: &Aws, bucket: &str) -> Result<Entries, Error> {
    let (mut all, cors) = futures::try_join!(website(cx, bucket), cors(cx, bucket))?;
    all.extend(cors);
    Ok(all)
}

/// The rules that let pages of others read the bucket.
async fn cors(cx: &Aws, bucket: &str) -> Result<Entries, Error> {
    const GET: Api = crate::aws::s3::GET_BUCKET_CORS;
    let answer = call!(cx, bucket, GET, get_bucket_cors);
    let answer = unless(answer, "NoSuchCORSConfiguration")?;
    let rules = answer.map(|a| a.cors_rules.unwrap_or_default());
    let each = rules.unwrap_or_default().into_iter().enumerate();
    Ok(each
        .map(|(at, rule)| {
            let name = rule.id.unwrap_or_else(|| at.to_string());
            let origins = rule.allowed_origins.join(", ");
            (format!("{CORS}{name}"), origins)
        })
        .collect())
}

/// Whom the access list lets in besides the owner.
pub(super) async fn access_list(cx: &Aws, bucket: &str) -> Result<Entries, Error> {
    const GET: Api = crate::aws::s3::GET_BUCKET_ACL;
    let answer = call!(cx, bucket, GET, get_bucket_acl)?;
    let owner = answer.owner().and_then(|o| o.id());
    let others = answer.grants().iter().filter_map(|grant| {
        let grantee = grant.grantee()?;
        let who = grantee.uri().or(grantee.id()).or(grantee.email_address())?;
        let may = grant.permission().map(|p| p.as_str()).unwrap_or_default();
        (grantee.id().is_none() || grantee.id() != owner)
            .then(|| (format!("{ACL}{who}"), may.to_owned()))
    });
    Ok(others.collect())
}

async fn replication(cx: &Aws, bucket: &str) -> Result<Entries, Error> {
    const GET: Api = crate::aws::s3::GET_BUCKET_REPLICATION;
    let answer = call!(cx, bucket, GET, get_bucket_replication);
    let answer = unless(answer, "ReplicationConfigurationNotFoundError")?;
    let rules = answer.and_then(|a| a.replication_configuration);
    let rules = rules.map(|r| r.rules).unwrap_or_default();
    let each = rules.into_iter().enumerate().map(|(at, rule)| {
        let name = rule.id.unwrap_or_else(|| at.to_string());
        let to = rule.destination.map(|d| d.bucket).unwrap_or_default();
        (format!("{REPLICATION}{name}"), to)
    });
    Ok(each.collect())
}

async fn notifications(cx: &Aws, bucket: &str) -> Result<Entries, Error> {
    const GET: Api = crate::aws::s3::GET_BUCKET_NOTIFICATION_CONFIGURATION;
    let all = call!(cx, bucket, GET, get_bucket_notification_configuration)?;
    let functions = all.lambda_function_configurations().iter();
    let functions = functions.map(|f| f.lambda_function_arn());
    let queues = all.queue_configurations().iter().map(|q| q.queue_arn());
    let topics = all.topic_configurations().iter().map(|t| t.topic_arn());
    let bus = all.event_bridge_configuration().map(|_| "EventBridge");
    let targets = functions.chain(queues).chain(topics).chain(bus);
    Ok(targets
        .map(|to| (format!("{NOTIFICATION}{to}"), "on".to_owned()))
        .collect())
}

async fn website(cx: &Aws, bucket: &str) -> Result<Entries, Error> {
    const GET: Api = crate::aws::s3::GET_BUCKET_WEBSITE;
    let answer = call!(cx, bucket, GET, get_bucket_website);
    let answer = unless(answer, "NoSuchWebsiteConfiguration")?;
    Ok(answer
        .map(|_| (WEBSITE.to_owned(), "on".to_owned()))
        .into_iter()
        .collect())
}

async fn inventories(cx: &Aws, bucket: &str) -> Result<Entries, Error> {
    const LIST: Api = crate::aws::s3::LIST_BUCKET_INVENTORY_CONFIGURATIONS;
    let call = cx.s3.client.list_bucket_inventory_configurations();
    let call = call.bucket(bucket).expected_bucket_owner(&cx.account);
    let send = |token| call.clone().set_continuation_token(token).send();
    let all = cx.pages(LIST, send, |page| {
        let all = page.inventory_configuration_list.unwrap_or_default();
        (all, page.next_continuation_token)
    });
    let entry = |one: InventoryConfiguration| {
        let to = one.destination().and_then(|d| d.s3_bucket_destination());
        let to = to.map(|d| d.bucket()).unwrap_or_default();
        (format!("{INVENTORY}{}", one.id()), to.to_owned())
    };
    Ok(all.await?.into_iter().map(entry).collect())
}

/// Analyses that are written into a bucket; one that is only shown in the console goes nowhere.
async fn analytics(cx: &Aws, bucket: &str) -> Result<Entries, Error> {
    const LIST: Api = crate::aws::s3::LIST_BUCKET_ANALYTICS_CONFIGURATIONS;
    let call = cx.s3.client.list_bucket_analytics_configurations();
    let call = call.bucket(bucket).expected_bucket_owner(&cx.account);
    let send = |token| call.clone().set_continuation_token(token).send();
    let all = cx.pages(LIST, send, |page| {
        let all = page.analytics_configuration_list.unwrap_or_default();
        (all, page.next_continuation_token)
    });
    Ok(all.await?.iter().filter_map(exported).collect())
}

fn exported(one: &AnalyticsConfiguration) -> Option<(String, String)> {
    let export = one.storage_class_analysis()?.data_export()?;
    let to = export.destination().and_then(|d| d.s3_bucket_destination());
    let to = to.map(|d| d.bucket()).unwrap_or_default();
    Some((format!("{ANALYTICS}{}", one.id()), to.to_owned()))
}

/// Takes away what `delta` names.
pub(super) async fn close(cx: &Aws, bucket: &str, delta: &Delta) -> Result<(), Error> {
    let edits = delta.entries("exposed");
    let any = |prefix: &str| edits.keys().any(|what| what.starts_with(prefix));
    if any(ACL) {
        const PUT: Api = s3::PUT_BUCKET_ACL;
        call!(
            cx,
            bucket,
            PUT,
            put_bucket_acl,
            acl = BucketCannedAcl::Private
        )?;
    }
    if any(REPLICATION) {
        const DELETE: Api = s3::DELETE_BUCKET_REPLICATION;
        ignore_not_found(call!(cx, bucket, DELETE, delete_bucket_replication))?;
    }
    if any(NOTIFICATION) {
        const PUT: Api = s3::PUT_BUCKET_NOTIFICATION_CONFIGURATION;
        let none = NotificationConfiguration::builder().build();
        call!(
            cx,
            bucket,
            PUT,
            put_bucket_notification_configuration,
            notification_configuration = none
        )?;
    }
    if any(WEBSITE) {
        const DELETE: Api = s3::DELETE_BUCKET_WEBSITE;
        ignore_not_found(call!(cx, bucket, DELETE, delete_bucket_website))?;
    }
    if any(CORS) {
        const DELETE: Api = s3::DELETE_BUCKET_CORS;
        ignore_not_found(call!(cx, bucket, DELETE, delete_bucket_cors))?;
    }
    for id in edits.keys().filter_map(|what| what.strip_prefix(INVENTORY)) {
        const DELETE: Api = s3::DELETE_BUCKET_INVENTORY_CONFIGURATION;
        let gone = call!(
            cx,
            bucket,
            DELETE,
            delete_bucket_inventory_configuration,
            id = id
        );
        ignore_not_found(gone)?;
    }
    for id in edits.keys().filter_map(|what| what.strip_prefix(ANALYTICS)) {
        const DELETE: Api = s3::DELETE_BUCKET_ANALYTICS_CONFIGURATION;
        let gone = call!(
            cx,
            bucket,
            DELETE,
            delete_bucket_analytics_configuration,
            id = id
        );
        ignore_not_found(gone)?;
    }
    Ok(())
}

//! The log of a web ACL: one destination, without the headers that say who somebody is.

use super::{WebAcl, built};
use crate::resources::logs::LogGroup;
use crate::resources::prelude::*;
use aws_sdk_wafv2::types as t;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Logging {
    pub web_acl: Ref<Arn<WebAcl>>,
    /// Its name begins with `aws-waf-logs-`. The ARN has no `:*` at its end.
    pub destination: Ref<Arn<LogGroup>>,
    /// Headers that are left out, in lower case.
    pub redacted_headers: BTreeSet<String>,
    /// What is left out besides, in words: requests by a filter, other parts of a request; and settings that we do not use.
    #[serde(default)]
    pub others: Vec<String>,
}

/// The ACL is its identity.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Logged {
    pub web_acl: Ref<Arn<WebAcl>>,
}

const CREATE: Api = wafv2::PUT_LOGGING_CONFIGURATION;
const DELETE: Api = wafv2::DELETE_LOGGING_CONFIGURATION;

impl Kind for Logging {
    const TYPE: &'static str = "wafv2/logging";
    type Outputs = Logged;
}

impl Resource for Logging {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::WithParent,
        seconds: (5.0, 2.0),
        cost: |_| Cost::usage(&["waf_logs"]),
        fixed: &["web_acl"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = NoTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let acl = &key.spec.web_acl;
        let Some(config) = cx.wafv2.logging.get(acl.to_string()).await? else {
            return Ok(None);
        };
        let header = |field: &t::FieldToMatch| {
            let header = field.single_header();
            header.map(|h| h.name().to_lowercase())
        };
        let fields = config.redacted_fields();
        let others = fields.iter().filter(|f| header(f).is_none());
        let others = others.map(|field| part(field).to_owned());
        let destination = config.log_destination_configs().first();
        let destination = destination.map(|d| d.trim_end_matches(":*").to_owned());
        let spec = Self {
            web_acl: acl.clone(),
            destination: destination.unwrap_or_default().into(),
            redacted_headers: fields.iter().filter_map(header).collect(),
            others: others.chain(rest(&config)).collect(),
        };
        let outputs = Logged {
            web_acl: acl.clone(),
        };
        Ok(Some(Found::of_parent(spec, outputs)))
    }

    async fn create(&self, cx: &Aws, _: &Identity) -> Result<Logged, Error> {
        self.put(cx).await?;
        Ok(Logged {
            web_acl: self.web_acl.clone(),
        })
    }

    async fn update(&self, cx: &Aws, _: &Logged, _: &Delta) -> Result<(), Error> {
        self.put(cx).await
    }

    async fn delete(&self, cx: &Aws, it: &Logged) -> Result<(), Error> {
        let call = cx.wafv2.client.delete_logging_configuration();
        let call = call.resource_arn(&it.web_acl);
        cx.delete(DELETE, || call.clone().send()).await
    }
}

/// What else AWS leaves out of a log ("LoggingConfiguration" in the AWS WAF API reference: path, query string, header and method).
fn part(field: &t::FieldToMatch) -> &'static str {
    if field.query_string().is_some() {
        "query string"
    } else if field.uri_path().is_some() {
        "path"
    } else if field.method().is_some() {
        "method"
    } else {
        "another part of the request"
    }
}

/// What a log has besides a destination and what is left out of it.
fn rest(config: &t::LoggingConfiguration) -> Vec<String> {
    let mut rest = config.clone();
    rest.resource_arn = String::new();
    let more = config.log_destination_configs().iter().skip(1).cloned();
    rest.log_destination_configs = more.collect();
    rest.redacted_fields = None;
    let filter = rest.logging_filter.take();
    let filter = filter.map(|_| "requests by a filter".into());
    // What AWS sets by itself.
    rest.log_type = rest.log_type.filter(|t| *t != t::LogType::WafLogs);
    rest.log_scope = rest.log_scope.filter(|s| *s != t::LogScope::Customer);
    filter.into_iter().chain(words(&rest)).collect()
}

impl Logging {
    async fn put(&self, cx: &Aws) -> Result<(), Error> {
        let field = |name: &String| {
            let header = t::SingleHeader::builder().name(name);
            let header = built(CREATE, header.build())?;
            Ok(t::FieldToMatch::builder().single_header(header).build())
        };
        let fields: Result<Vec<t::FieldToMatch>, Error> =
            self.redacted_headers.iter().map(field).collect();
        let config = t::LoggingConfiguration::builder()
            .resource_arn(&self.web_acl)
            .log_destination_configs(&self.destination)
            .set_redacted_fields(Some(fields?));
        let config = built(CREATE, config.build())?;
        let call = cx.wafv2.client.put_logging_configuration();
        let call = call.logging_configuration(config);
        cx.call(CREATE, || call.clone().send()).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_that_we_do_not_use_is_a_difference() {
        let plain = || {
            let config = t::LoggingConfiguration::builder().resource_arn("arn");
            config.log_destination_configs("arn:group")
        };
        let filter = t::LoggingFilter::builder().default_behavior(t::FilterBehavior::Drop);
        let filter = filter.set_filters(Some(Vec::new())).build().unwrap();
        for (shown, said) in [
            (plain(), vec![]),
            (
                plain()
                    .log_type(t::LogType::WafLogs)
                    .log_scope(t::LogScope::Customer),
                vec![],
            ),
            (plain().logging_filter(filter), vec!["requests by a filter"]),
            (
                plain().log_scope(t::LogScope::SecurityLake),
                vec!["log_scope: SecurityLake"],
            ),
            (
                plain().log_destination_configs("arn:theirs"),
                vec!["log_destination_configs: [arn:theirs]"],
            ),
            (
                plain().managed_by_firewall_manager(true),
                vec!["managed_by_firewall_manager: true"],
            ),
        ] {
            assert_eq!(rest(&shown.build().unwrap()), said);
        }
    }
}

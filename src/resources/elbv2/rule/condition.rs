//! A condition of a rule: its field, and the values of which one must fit.

use crate::resources::prelude::*;
use aws_sdk_elasticloadbalancingv2::types as t;
use std::collections::BTreeSet;

/// How the field of a header begins.
const HEADER: &str = "http-header/";

/// Field and values; AWS shows those of a path or host name twice.
pub(super) fn condition(shown: &t::RuleCondition) -> (String, BTreeSet<String>) {
    let mut rest = shown.clone();
    let mut name = rest.field.take().unwrap_or_default();
    let alone = rest.values.take();
    let listed = match name.as_str() {
        "path-pattern" => rest.path_pattern_config.as_mut().map(|c| c.values.take()),
        "host-header" => rest.host_header_config.as_mut().map(|c| c.values.take()),
        "source-ip" => rest.source_ip_config.as_mut().map(|c| c.values.take()),
        "http-request-method" => {
            let config = rest.http_request_method_config.as_mut();
            config.map(|c| c.values.take())
        }
        "http-header" => rest.http_header_config.as_mut().map(|c| {
            let header = c.http_header_name.take().unwrap_or_default();
            name = format!("{HEADER}{header}");
            c.values.take()
        }),
        "query-string" => rest.query_string_config.as_mut().map(|c| {
            let pair = |v: t::QueryStringKeyValuePair| {
                let (key, value) = (v.key.unwrap_or_default(), v.value.unwrap_or_default());
                format!("{key}={value}")
            };
            let pairs = c.values.take()?;
            Some(pairs.into_iter().map(pair).collect())
        }),
        _ => None,
    };
    let values = listed.flatten().into_iter().chain(alone).flatten();
    // The shape whose values were taken is left empty, and has no `: ` in words.
    let more = words(&rest).into_iter().filter(|text| text.contains(": "));
    (name, values.chain(more).collect())
}

/// As the API takes it.
pub(super) fn sent(field: &str, values: &BTreeSet<String>) -> t::RuleCondition {
    let values = Some(values.iter().cloned().collect::<Vec<String>>());
    let condition = t::RuleCondition::builder();
    if let Some(name) = field.strip_prefix(HEADER) {
        let config = t::HttpHeaderConditionConfig::builder().http_header_name(name);
        let config = config.set_values(values).build();
        return condition
            .field("http-header")
            .http_header_config(config)
            .build();
    }
    let condition = condition.field(field);
    match field {
        "path-pattern" => {
            let config = t::PathPatternConditionConfig::builder();
            condition.path_pattern_config(config.set_values(values).build())
        }
        "source-ip" => {
            let config = t::SourceIpConditionConfig::builder();
            condition.source_ip_config(config.set_values(values).build())
        }
        "host-header" => {
            let config = t::HostHeaderConditionConfig::builder();
            condition.host_header_config(config.set_values(values).build())
        }
        "http-request-method" => {
            let config = t::HttpRequestMethodConditionConfig::builder();
            condition.http_request_method_config(config.set_values(values).build())
        }
        _ => condition.set_values(values),
    }
    .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_read_back_as_sent_and_a_path_alone_as_in_a_list() {
        let values = |v: &[&str]| v.iter().map(|v| (*v).to_owned()).collect::<BTreeSet<_>>();
        for (field, set) in [
            ("path-pattern", values(&["/a", "/a/*"])),
            ("source-ip", values(&["10.10.0.0/18", "10.20.0.0/16"])),
            ("host-header", values(&["example.com"])),
            ("http-header/x-probe", values(&["1"])),
        ] {
            let shown = condition(&sent(field, &set));
            assert_eq!(shown, (field.to_owned(), set));
        }
        let old = t::RuleCondition::builder()
            .field("path-pattern")
            .values("/a")
            .build();
        assert_eq!(condition(&old), ("path-pattern".into(), values(&["/a"])));
    }

    #[test]
    fn a_part_of_a_condition_that_we_do_not_use_is_a_difference() {
        let set = BTreeSet::from(["a".to_owned()]);
        let plain = |field: &str| sent(field, &set);
        let all = || Some(vec![".*".to_owned()]);
        let mut path = plain("path-pattern");
        path.path_pattern_config.as_mut().unwrap().regex_values = all();
        let mut host = plain("host-header");
        host.host_header_config.as_mut().unwrap().regex_values = all();
        let mut header = plain("http-header/x");
        header.http_header_config.as_mut().unwrap().regex_values = all();
        let mut any = plain("source-ip");
        any.regex_values = all();
        let mut two = plain("source-ip");
        two.path_pattern_config = plain("path-pattern").path_pattern_config;
        let mut beside = plain("path-pattern");
        beside.values = all();
        for shown in [path, host, header, any, two, beside] {
            let (field, values) = condition(&shown);
            assert!(
                values.len() == 2 && values.contains("a"),
                "{field}: {values:?}"
            );
        }
    }
}

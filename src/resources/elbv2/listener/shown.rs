//! What AWS shows of a listener that nobody set, and what no field of ours holds.

use crate::resources::elbv2::attributes::Defaults;
use crate::resources::prelude::*;
use aws_sdk_elasticloadbalancingv2::types as t;

/// "ListenerAttribute" in the API reference; the first is of TCP, the others of Application Load Balancers.
pub(super) const DEFAULTS: Defaults = &[
    ("tcp.idle_timeout.seconds", "350"),
    ("routing.http.response.server.enabled", "true"),
    (HSTS, ""),
    (
        "routing.http.response.access_control_allow_origin.header_value",
        "",
    ),
    (
        "routing.http.response.access_control_allow_methods.header_value",
        "",
    ),
    (
        "routing.http.response.access_control_allow_headers.header_value",
        "",
    ),
    (
        "routing.http.response.access_control_allow_credentials.header_value",
        "",
    ),
    (
        "routing.http.response.access_control_expose_headers.header_value",
        "",
    ),
    (
        "routing.http.response.access_control_max_age.header_value",
        "",
    ),
    (
        "routing.http.response.content_security_policy.header_value",
        "",
    ),
    (
        "routing.http.response.x_content_type_options.header_value",
        "",
    ),
    ("routing.http.response.x_frame_options.header_value", ""),
    (
        "routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name",
        "X-Amzn-Mtls-Clientcert-Serial-Number",
    ),
    (
        "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name",
        "X-Amzn-Mtls-Clientcert-Issuer",
    ),
    (
        "routing.http.request.x_amzn_mtls_clientcert_subject.header_name",
        "X-Amzn-Mtls-Clientcert-Subject",
    ),
    (
        "routing.http.request.x_amzn_mtls_clientcert_validity.header_name",
        "X-Amzn-Mtls-Clientcert-Validity",
    ),
    (
        "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name",
        "X-Amzn-Mtls-Clientcert-Leaf",
    ),
    (
        "routing.http.request.x_amzn_mtls_clientcert.header_name",
        "X-Amzn-Mtls-Clientcert",
    ),
    (
        "routing.http.request.x_amzn_tls_version.header_name",
        "X-Amzn-Tls-Version",
    ),
    (
        "routing.http.request.x_amzn_tls_cipher_suite.header_name",
        "X-Amzn-Tls-Cipher-Suite",
    ),
];
const HSTS: &str = "routing.http.response.strict_transport_security.header_value";

/// False for an attribute that names a header anew and holds nothing: the header has its own name.
pub(super) fn set((key, value): &(Option<&str>, Option<&str>)) -> bool {
    let names = key.is_some_and(|key| key.ends_with(".header_name"));
    !names || value.is_some_and(|value| !value.is_empty())
}

/// Settings that we do not use, in words. Without any, AWS shows that no client is asked for a certificate.
pub(super) fn rest(shown: &t::Listener) -> Vec<String> {
    let mut rest = shown.clone();
    rest.listener_arn = None;
    rest.load_balancer_arn = None;
    rest.port = None;
    rest.protocol = None;
    rest.certificates = None;
    rest.ssl_policy = None;
    rest.default_actions = None;
    let clients = rest.mutual_authentication.as_ref();
    if clients.and_then(|c| c.mode()) == Some("off") {
        rest.mutual_authentication = None;
    }
    words(&rest)
}

#[cfg(test)]
mod tests {
    use super::super::super::attributes::changed;
    use super::*;

    #[test]
    fn every_setting_that_we_do_not_use_is_a_difference() {
        let clients = |mode: &str| t::MutualAuthenticationAttributes::builder().mode(mode);
        let plain = t::Listener::builder()
            .listener_arn("arn")
            .port(443)
            .protocol(t::ProtocolEnum::Https)
            .ssl_policy("policy")
            .set_alpn_policy(Some(Vec::new()))
            .mutual_authentication(clients("off").build());
        assert_eq!(rest(&plain.clone().build()), Vec::<String>::new());
        let asked = plain
            .clone()
            .mutual_authentication(clients("verify").build());
        let said = "mutual_authentication: {mode: verify}";
        assert_eq!(rest(&asked.build()), [said]);
        let other = plain.alpn_policy("HTTP2Only").build();
        assert_eq!(rest(&other), ["alpn_policy: [HTTP2Only]"]);
    }

    #[test]
    fn a_header_with_its_own_name_or_none_is_no_difference() {
        let key = "routing.http.request.x_amzn_tls_version.header_name";
        let read = |value| {
            let pairs = [(Some(key), Some(value))].into_iter().filter(set);
            changed(pairs, DEFAULTS).len()
        };
        assert_eq!(["", "X-Amzn-Tls-Version", "X-Theirs"].map(read), [0, 0, 1]);
    }
}

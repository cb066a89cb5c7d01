//! What others write may quote the request that it answers: a signature error repeats the canonical string with the
//! session token in it, a proxy repeats headers. Nothing of that may reach a terminal, a document, a page or a log.

/// What stands in place of a secret.
const REMOVED: &str = "[removed]";

/// Names whose value is a secret, or part of a request's signature; compared without case, `-` and `_`.
const NAMES: [&str; 17] = [
    "authorization",
    "proxyauthorization",
    "xamzsecuritytoken",
    "xamzcredential",
    "xamzsignature",
    "xamzs3sessiontoken",
    "securitytoken",
    "sessiontoken",
    "awssessiontoken",
    "secretaccesskey",
    "awssecretaccesskey",
    "secretkey",
    "accesstoken",
    "password",
    "credential",
    "signature",
    "cookie",
];

/// A run of so many characters without a blank that may be a token is one. AWS's longest ids and ARNs that are reported in
/// messages have separators in them.
const LONG: usize = 100;

/// EC2's explanation of a refusal, for `aws sts decode-authorization-message`: only the account's owner can read it.
const ENCODED: &str = "Encoded authorization failure message: ";

/// A code or a request id: one word of harmless characters, or nothing.
pub(super) fn word(text: &str) -> String {
    let harmless =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '/' | '+' | '=');
    if text.len() <= 128 && text.chars().all(harmless) {
        text.to_owned()
    } else {
        String::new()
    }
}

/// The text without what looks like a token, an authorization header, a signature or a canonical request.
pub(super) fn redact(text: &str) -> String {
    if let Some((before, after)) = text.split_once(ENCODED) {
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let is_encoded = after[..end].chars().all(is_token);
        if is_encoded {
            return format!(
                "{}{ENCODED}{}{}",
                redact(before),
                &after[..end],
                redact(&after[end..])
            );
        }
    }
    let cut = [
        "AWS4-HMAC-SHA256",
        "AWS4-ECDSA-P256-SHA256",
        "The Canonical String",
        "The String-to-Sign",
    ];
    let end = cut.iter().filter_map(|c| text.find(c)).min();
    let (text, cut) = match end {
        Some(at) => (&text[..at], true),
        None => (text, false),
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let token: usize = rest
            .chars()
            .take_while(|c| is_token(*c))
            .map(char::len_utf8)
            .sum();
        if token == 0 {
            let next = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..next]);
            rest = &rest[next..];
            continue;
        }
        let (name, after) = rest.split_at(token);
        if let Some((said, value)) = secret(name, after) {
            out.push_str(said);
            out.push_str(REMOVED);
            rest = &rest[value..];
        } else if is_key(name) || (token >= LONG && !is_path(name)) {
            out.push_str(REMOVED);
            rest = after;
        } else {
            out.push_str(name);
            rest = after;
        }
    }
    if cut {
        out.push_str(REMOVED);
    }
    out
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-' | '%')
}

/// An access key's id: not a secret by itself, but no business of a log.
fn is_key(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    word.len() == 20
        && (word.starts_with("AKIA") || word.starts_with("ASIA"))
        && word
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// A path or an ARN's tail: short words between slashes.
fn is_path(word: &str) -> bool {
    word.split('/').all(|part| part.len() < LONG / 2) && word.matches('/').count() >= 2
}

/// For a word that names a secret (or ends with such a name before an `=`): the part that may be shown, and where what
/// follows the value begins.
fn secret<'a>(word: &'a str, after: &'a str) -> Option<(&'a str, usize)> {
    let is_name = |text: &str| {
        let plain: String = text
            .chars()
            .filter(|c| c.is_ascii_alphanumeric())
            .map(|c| c.to_ascii_lowercase())
            .collect();
        NAMES.contains(&plain.as_str())
    };
    // `name=value`, also percent-encoded, in one word.
    for separator in ["=", "%3D", "%3d"] {
        if let Some((name, value)) = word.split_once(separator)
            && !value.is_empty()
            && is_name(name)
        {
            return Some((&word[..name.len() + separator.len()], word.len()));
        }
    }
    if !is_name(word.trim_end_matches('=')) {
        return None;
    }
    // `name: value`, `"name": "value"`, `name = value`.
    let lead: usize = after
        .chars()
        .take_while(|c| {
            matches!(
                c,
                '"' | '\'' | ':' | '=' | '>' | ' ' | '\\' | '[' | '(' | '\t' | ','
            )
        })
        .map(char::len_utf8)
        .sum();
    let is_pair = after[..lead].contains(',') && after[..lead].matches(['"', '\'']).count() >= 2;
    let is_given = word.ends_with('=') || is_pair || after[..lead].contains([':', '=', '>']);
    let quoted = after[..lead].rfind(['"', '\'']).map(|at| &after[at..=at]);
    let value = &after[lead..];
    if !is_given || value.is_empty() {
        return None;
    }
    let whole_line =
        word.to_ascii_lowercase().contains("authorization") || word.eq_ignore_ascii_case("cookie");
    let end = match quoted {
        Some(quote) => value.find(quote),
        None if whole_line => value.find('\n'),
        None => value.find(|c: char| {
            c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '}' | ')' | ']' | '<' | '&')
        }),
    };
    Some((word, word.len() + lead + end.unwrap_or(value.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "IQoJb3JpZ2luX2VjEHsaCXVzLWVhc3QtMSJIMEYCIQDcanaryTOKEN/abc+def==";

    #[test]
    fn no_form_of_a_quoted_request_lets_a_secret_through() {
        for text in [
            format!(
                "host:ec2\nx-amz-date:20260101T000000Z\nx-amz-security-token:{TOKEN}\n\nhost;x-amz-date"
            ),
            format!("{{'X-Amz-Security-Token': '{TOKEN}', 'Host': 'ec2'}}"),
            format!("{{\"x-amz-security-token\":\"{TOKEN}\"}}"),
            format!("{{\\\"x-amz-security-token\\\": \\\"{TOKEN}\\\"}}"),
            format!(
                "headers: [(\"x-amz-security-token\", \"{TOKEN}\")] x-amz-security-token={TOKEN}&x=1"
            ),
            format!("?X-Amz-Security-Token={TOKEN}&X-Amz-Signature=0123"),
            format!("?X-Amz-Security-Token%3D{TOKEN}"),
            format!("SessionToken = {TOKEN}"),
            format!("AWS_SESSION_TOKEN={TOKEN}"),
            format!("<SessionToken>{TOKEN}</SessionToken>"),
            format!("authorization: Bearer {TOKEN}\nnext"),
            format!("Proxy-Authorization: Basic {TOKEN}"),
            format!("The Canonical String for this request should have been\n'POST\n{TOKEN}'"),
            format!("token {}", TOKEN.repeat(3)),
        ] {
            let shown = redact(&text);
            assert!(!shown.contains("canaryTOKEN"), "{text}\n->\n{shown}");
        }
        let header = "Authorization: AWS4-HMAC-SHA256 Credential=ASIAABCDEFGHIJKLMNOP/20260101/eu/ec2/aws4_request, SignedHeaders=host, Signature=deadbeef00";
        let shown = redact(header);
        assert!(
            !shown.contains("ASIA") && !shown.contains("deadbeef"),
            "{shown}"
        );
    }

    #[test]
    fn ordinary_messages_stay_as_they_are() {
        for text in [
            "The vpc 'vpc-0123456789abcdef0' has dependencies and cannot be deleted.",
            "User: arn:aws:sts::123456789012:assumed-role/deployer-role/session is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:eu-central-1:123456789012:vpc/* because no identity-based policy allows the ec2:CreateVpc action",
            "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z",
            "The security token included in the request is invalid.",
            "The parameter MasterUserPassword is not a valid password.",
            "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/a-rather-long-name-of-a-balancer/0123456789abcdef/and/more/parts/of/a/path",
        ] {
            assert_eq!(redact(text), text);
        }
        let encoded = format!(
            "You are not authorized. Encoded authorization failure message: {}",
            "aB3_".repeat(60)
        );
        assert_eq!(redact(&encoded), encoded);
    }

    #[test]
    fn a_code_is_one_word_or_nothing() {
        assert_eq!(word("InvalidVpcID.NotFound"), "InvalidVpcID.NotFound");
        assert_eq!(word("x-amz-security-token: abc def"), "");
    }
}

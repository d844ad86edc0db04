//! The header fields that `/api` lets through (S38).

use super::Config;

/// Fields of the page's request that go on to the API: what describes the call. A list of what is
/// let through, for proxies and frameworks know ever more fields by which a sender may change the
/// method, the path or who it seems to be. The configuration's `apiHeaders` adds to it.
const FORWARDED: [&str; 14] = [
    "accept",
    "accept-language",
    "content-language",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "mime-version",
    "prefer",
    "range",
    // AT&T's speech APIs [S].
    "x-arg",
    "x-speech-context",
];
/// Fields of the API's reply that go back to the page: what describes the answer. Nothing that acts
/// on the relay's own origin, or on a cache or proxy in front of it.
const RETURNED: [&str; 12] = [
    "accept-ranges",
    "content-disposition",
    "content-language",
    "content-range",
    "content-type",
    "etag",
    "last-modified",
    "retry-after",
    "x-arg",
    "x-correlation-id",
    "x-request-id",
    "x-systemtransactionid",
];
/// What `apiHeaders` can't add: it says who asks, from where, what is asked for, or for this hop
/// alone; or acts on whoever gets the answer.
const NEVER: [&str; 47] = [
    "accept-ch",
    "alt-svc",
    "authorization",
    "cache-control",
    "client-ip",
    "clear-site-data",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "cookie",
    "cookie2",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "link",
    "location",
    "origin",
    "referer",
    "referrer-policy",
    "refresh",
    "set-cookie",
    "set-cookie2",
    "service-worker-allowed",
    "set-login",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "vary",
    "via",
    "www-authenticate",
    "x-client-ip",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-accel-redirect",
    "x-sendfile",
    "surrogate-control",
    "cdn-cache-control",
];
const NEVER_PREFIXES: [&str; 8] = [
    "access-control-",
    "att-oauth-",
    "cf-",
    "cloudflare-",
    "proxy-",
    "sec-",
    "x-forwarded",
    "x-real-ip",
];

/// Whether the page may send this field to an API.
pub fn forwards(config: &Config, name: &str) -> bool {
    is_in(&FORWARDED, name)
        || config
            .api_headers
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name))
}

/// Whether an API may send this field to the page.
pub fn returns(config: &Config, name: &str) -> bool {
    is_in(&RETURNED, name)
        || config
            .api_headers
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name))
}

fn is_in(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// What is wrong with a name in `apiHeaders`.
pub fn problem(name: &str) -> Option<&'static str> {
    let is_token = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let lower = name.to_ascii_lowercase();
    if !is_token {
        Some("is no name of a header field")
    } else if is_in(&NEVER, name) || NEVER_PREFIXES.iter().any(|start| lower.starts_with(start)) {
        Some("is a field that /api never lets through")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use serde_json::json;

    use super::*;
    use crate::relay::config::tests::options;

    #[test]
    fn s38_only_fields_that_describe_the_call_pass() {
        let mut options = options();
        options["apiHeaders"] = json!(["X-Own-Field"]);
        let config = Config::from_json(&options.to_string()).unwrap();
        for name in [
            "Cookie",
            "authorization",
            "X-Forwarded-For",
            "X-Forwarded",
            "Client-IP",
            "Sec-Fetch-Site",
            "CF-Ray",
            "Host",
            "Connection",
            "att-oauth-session",
            "X-HTTP-Method",
            "X-HTTP-Method-Override",
            "X-Method-Override",
            "X-Original-URL",
            "X-Rewrite-URL",
            "x-unheard-of",
            "bad name",
            "",
        ] {
            assert!(!forwards(&config, name), "{name}");
        }
        for name in [
            "Accept",
            "content-type",
            "If-None-Match",
            "X-Arg",
            "x-own-field",
        ] {
            assert!(forwards(&config, name), "{name}");
        }
        for name in [
            "Set-Cookie",
            "Set-Cookie2",
            "Set-Login",
            "Accept-CH",
            "location",
            "Access-Control-Allow-Origin",
            "Content-Encoding",
            "clear-site-data",
            "Cache-Control",
            "CDN-Cache-Control",
            "Cloudflare-CDN-Cache-Control",
            "Surrogate-Control",
            "X-Accel-Redirect",
            "X-Sendfile",
            "Reporting-Endpoints",
            "att-oauth-generation",
        ] {
            assert!(!returns(&config, name), "{name}");
        }
        for name in ["content-type", "ETag", "x-request-id", "X-OWN-FIELD"] {
            assert!(returns(&config, name), "{name}");
        }
    }

    #[test]
    fn s38_api_headers_adds_no_field_that_steers() {
        for name in ["X-Own-Field", "x_b"] {
            assert_eq!(problem(name), None, "{name}");
        }
        for name in [
            "",
            "a b",
            "a:b",
            "Cookie",
            "set-cookie",
            "X-Forwarded-Host",
            "cf-connecting-ip",
            "X-HTTP-Method-Override",
            "att-oauth-session",
            "CDN-Cache-Control",
            "Surrogate-Control",
            "Cache-Control",
            "True-Client-IP",
            "WWW-Authenticate",
            "X-Forwarded",
            "X-Sendfile",
        ] {
            assert!(problem(name).is_some(), "{name}");
        }
    }
}

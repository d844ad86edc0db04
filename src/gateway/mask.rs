//! Makes exchanges fit to be shown: secrets, codes, tokens, passwords and cookies become
//! `[redacted #1a2b]`, where the four digits are a fingerprint, so that one can see the same code
//! come back without seeing the code.
//!
//! What isn't understood is not shown: a body of another type is a count of bytes, a header that
//! isn't on the list is masked.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::protocol::form::{Form, encode_into};
use crate::protocol::http::{FORM, JSON};

/// What stands for a secret that has no fingerprint.
pub const REDACTED: &str = "[redacted]";

/// Header fields whose values tell nothing.
const SHOWN: &[&str] = &[
    "accept",
    "accept-language",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-max-age",
    "allow",
    "cache-control",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "host",
    "origin",
    "pragma",
    "referrer-policy",
    "retry-after",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "user-agent",
    "x-content-type-options",
    "x-frame-options",
];

/// A URL, or a part of one, with the secrets of its query and fragment masked.
pub fn url(url: &str) -> String {
    let (rest, fragment) = split(url, '#');
    let (path, query) = split(rest, '?');
    let mut out = path.to_string();
    if let Some(query) = query {
        out.push('?');
        out.push_str(&form(query));
    }
    if let Some(fragment) = fragment {
        out.push('#');
        out.push_str(&form(fragment));
    }
    out
}

/// An encoded form with its secrets masked. Those of a URL that is a value are masked as well.
pub fn form(encoded: &str) -> String {
    let pair = |(name, value): (&str, &str)| {
        let mut out = String::new();
        encode_into(&mut out, name);
        out.push('=');
        if is_secret(name) {
            out.push_str(&secret(value));
        } else if value.contains(['?', '#']) {
            encode_into(&mut out, &url(value));
        } else {
            encode_into(&mut out, value);
        }
        out
    };
    let pairs: Vec<_> = Form::parse(encoded).iter().map(pair).collect();
    pairs.join("&")
}

/// JSON with its secrets masked at any depth; `None` if it isn't JSON.
pub fn json(text: &str) -> Option<String> {
    let mut value = serde_json::from_str(text).ok()?;
    mask_value(&mut value);
    Some(value.to_string())
}

/// A header field's value.
pub fn header(name: &str, value: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "location" | "referer" => url(value),
        "authorization" => match value.split_once(' ') {
            Some((scheme, token)) => format!("{scheme} {}", secret(token)),
            None => REDACTED.into(),
        },
        name if SHOWN.contains(&name) => value.to_string(),
        _ => REDACTED.into(),
    }
}

/// A body. Pages are named, not shown: they hold tickets and passwords.
pub fn body(content_type: Option<&str>, body: &[u8]) -> String {
    if body.is_empty() {
        return String::new();
    }
    let kind = content_type.unwrap_or_default();
    let kind = split(kind, ';').0.trim().to_ascii_lowercase();
    let text = core::str::from_utf8(body).ok();
    let shown = match (kind.as_str(), text) {
        (FORM, Some(text)) => Some(form(text)),
        (JSON, Some(text)) => json(text),
        _ => None,
    };
    shown.unwrap_or_else(|| {
        format!(
            "[{} bytes of {}]",
            body.len(),
            if kind.is_empty() {
                "unknown type"
            } else {
                &kind
            }
        )
    })
}

/// A secret's stand-in, with its fingerprint.
pub fn secret(value: &str) -> String {
    if value.is_empty() {
        return String::new();
    }
    let digest: [u8; 32] = Sha256::digest(value.as_bytes()).into();
    let [first, second, ..] = digest;
    format!("[redacted #{first:02x}{second:02x}]")
}

/// Whether a parameter or member of this name holds a secret.
fn is_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let token = name.contains("token") && !name.starts_with("tokentype");
    token
        || name == "code"
        || ["secret", "password", "verifier", "ticket", "assertion"]
            .iter()
            .any(|word| name.contains(word))
}

fn mask_value(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mask_value),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if is_secret(name) => *text = secret(text),
                    Value::Number(_) if is_secret(name) => *value = REDACTED.into(),
                    _ => mask_value(value),
                }
            }
        }
        _ => {}
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at)
        .map_or((text, None), |(before, after)| (before, Some(after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_reads_on() {
        let shown = form(
            "grant_type=refresh_token&client%5Fsecret=s3cret&refresh_token=r&token_type_hint=refresh_token",
        );
        assert!(shown.starts_with("grant_type=refresh_token&client_secret=[redacted #"));
        assert!(shown.ends_with("&token_type_hint=refresh_token"));
        assert!(!shown.contains("s3cret") && !shown.contains("refresh_token=r"));

        let shown = json(r#"{"a":[{"access_token":"xyz","expires_in":3}],"Code":"c","token":7}"#);
        let shown = shown.unwrap();
        assert!(shown.contains(r#""expires_in":3"#), "{shown}");
        assert!(!shown.contains("xyz") && !shown.contains(":\"c\"") && !shown.contains(":7"));
    }

    #[test]
    fn the_same_secret_has_the_same_fingerprint() {
        assert_eq!(secret("abc"), "[redacted #ba78]");
        assert_eq!(
            header("Authorization", "Bearer abc"),
            "Bearer [redacted #ba78]"
        );
        assert_eq!(
            url("https://a.example/?code=abc&x=1#access_token=abc"),
            "https://a.example/?code=[redacted #ba78]&x=1#access_token=[redacted #ba78]"
        );
    }

    #[test]
    fn what_is_not_understood_is_not_shown() {
        assert_eq!(header("X-Api-Key", "abc"), REDACTED);
        assert_eq!(header("Cookie", "abc"), REDACTED);
        assert_eq!(header("Authorization", "abc"), REDACTED);
        assert_eq!(
            body(Some("text/html; charset=utf-8"), b"<p>abc"),
            "[6 bytes of text/html]"
        );
        assert_eq!(
            body(Some(JSON), b"{secret"),
            "[7 bytes of application/json]"
        );
        assert_eq!(
            body(None, b"client_secret=abc"),
            "[17 bytes of unknown type]"
        );
    }
}

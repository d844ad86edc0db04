//! Requests and responses as values.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::text;

/// The content type of every OAuth request body (RFC 6749, appendix B).
pub const FORM: &str = "application/x-www-form-urlencoded";
/// The content type of every OAuth reply (RFC 6749, 5.1).
pub const JSON: &str = "application/json";

/// Header fields in order; names compare without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// No fields.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a field, after others of the same name.
    pub fn append(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_string(), value.into()));
    }

    /// The same, for building in one expression.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.append(name, value);
        self
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }

    /// Every value of `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Self(
            fields
                .into_iter()
                .map(|(n, v)| (n.into(), v.into()))
                .collect(),
        )
    }
}

/// A request: what goes out, or what came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …, in capitals.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Header fields.
    pub headers: Headers,
    /// The body, empty if there is none.
    pub body: Vec<u8>,
}

impl Request {
    /// A `GET` without a body.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET".into(),
            url: url.into(),
            headers: Headers::new(),
            body: Vec::new(),
        }
    }

    /// A `POST` of an encoded form that asks for JSON, the shape of every OAuth call to the token
    /// and revocation endpoints. `Accept` also sets the format of AT&T's errors \[D\].
    pub fn form(url: impl Into<String>, body: String) -> Self {
        Self {
            method: "POST".into(),
            url: url.into(),
            headers: Headers::new()
                .with("content-type", FORM)
                .with("accept", JSON),
            body: body.into_bytes(),
        }
    }

    /// The URL's path, `/` if it has none.
    pub fn path(&self) -> &str {
        split_url(&self.url).path
    }

    /// The URL's query without its `?`, empty if it has none.
    pub fn query(&self) -> &str {
        split_url(&self.url).query.unwrap_or_default()
    }
}

/// A response: what came back, or what goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// The body, empty if there is none.
    pub body: Vec<u8>,
}

impl Response {
    /// A response without a body.
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            headers: Headers::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header field.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Sets the body.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.headers.append("content-type", content_type);
        self.body = body.into();
        self
    }

    /// Whether the status is 2xx.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// An absolute URL in its parts, borrowed. No decoding, no normalising: what is compared here is
/// compared exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlParts<'a> {
    /// `https://host:port`.
    pub origin: &'a str,
    /// From the first `/` after the authority; `/` if there is none.
    pub path: &'a str,
    /// Between `?` and `#`, without the `?`.
    pub query: Option<&'a str>,
    /// After `#`.
    pub fragment: Option<&'a str>,
}

impl UrlParts<'_> {
    /// The host without userinfo and port, as written.
    pub fn host(&self) -> &str {
        let authority = self.origin.get(after_scheme(self.origin)..).unwrap_or("");
        let host = text::cut_last(authority, b'@').map_or(authority, |(_, rest)| rest);
        match text::cut_last(host, b':') {
            Some((name, port)) if !port.ends_with(']') => name,
            _ => host,
        }
    }

    /// Whether a secret may travel there: `https`, or `http` to this machine itself (RFC 8252, 8.3).
    pub fn is_secure(&self) -> bool {
        self.origin.starts_with("https://")
            || (self.origin.starts_with("http://")
                && matches!(self.host(), "localhost" | "127.0.0.1" | "[::1]"))
    }
}

/// Takes an absolute URL apart.
pub fn split_url(url: &str) -> UrlParts<'_> {
    let (rest, fragment) = split_at(url, b'#');
    let (rest, query) = split_at(rest, b'?');
    let start = after_scheme(rest);
    let authority_end = rest
        .bytes()
        .skip(start)
        .position(|byte| byte == b'/')
        .map_or(rest.len(), |i| i + start);
    let (origin, path) = rest.split_at_checked(authority_end).unwrap_or((rest, ""));
    UrlParts {
        origin,
        path: if path.is_empty() { "/" } else { path },
        query,
        fragment,
    }
}

/// Where the authority begins.
fn after_scheme(url: &str) -> usize {
    url.as_bytes()
        .windows(3)
        .position(|window| window == b"://")
        .map_or(0, |i| i + 3)
}

fn split_at(text: &str, at: u8) -> (&str, Option<&str>) {
    text::cut(text, at).map_or((text, None), |(before, after)| (before, Some(after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_falls_into_its_parts() {
        let url = split_url("https://app.example:8443/a/b?c=d?e#f#g");
        assert_eq!(url.origin, "https://app.example:8443");
        assert_eq!(url.path, "/a/b");
        assert_eq!(url.query, Some("c=d?e"));
        assert_eq!(url.fragment, Some("f#g"));
        assert_eq!(split_url("https://app.example").path, "/");
        assert_eq!(split_url("https://app.example?x=/").query, Some("x=/"));
    }

    #[test]
    fn only_https_and_this_machine_are_secure() {
        for (url, secure) in [
            ("https://api.att.com/x", true),
            ("http://localhost:8080", true),
            ("http://127.0.0.1/", true),
            ("http://[::1]:3000/", true),
            ("http://localhost.evil.example/", false),
            ("http://localhost@evil.example/", false),
            ("http://app.example/", false),
            ("ftp://localhost/", false),
            ("", false),
        ] {
            assert_eq!(split_url(url).is_secure(), secure, "{url}");
        }
    }

    #[test]
    fn header_names_have_no_case() {
        let headers: Headers = [("Set-Cookie", "a"), ("set-cookie", "b")]
            .into_iter()
            .collect();
        assert_eq!(headers.all("SET-COOKIE").collect::<Vec<_>>(), ["a", "b"]);
    }
}

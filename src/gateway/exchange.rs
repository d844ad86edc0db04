//! What came in and what went out, for tests that count and for people who look on.

use std::collections::BTreeMap;
use std::string::{String, ToString};

use serde::Serialize;

use super::fault::{Endpoint, FaultKind};
use super::mask;
use crate::protocol::form;
use crate::protocol::http::{Headers, Request, Response};

/// How many requests came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The authorization endpoint, the forms of its pages included.
    pub authorize: u64,
    /// The token endpoint.
    pub token: GrantCounts,
    /// The revocation endpoint.
    pub revoke: u64,
    /// The resource APIs.
    pub api: u64,
    /// Paths where nothing is.
    pub other: u64,
}

/// How many requests came to the token endpoint, by grant. The names are the wire's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GrantCounts {
    /// A code for tokens.
    pub authorization_code: u64,
    /// An app's own token.
    pub client_credentials: u64,
    /// New tokens for old.
    pub refresh_token: u64,
    /// None of them.
    pub other: u64,
}

impl Counts {
    /// All requests.
    pub const fn total(&self) -> u64 {
        self.authorize + self.token.total() + self.revoke + self.api + self.other
    }

    pub(super) fn add(&mut self, endpoint: Endpoint, grant_type: Option<&str>) {
        let count = match endpoint {
            Endpoint::Authorize => &mut self.authorize,
            Endpoint::Token => match grant_type {
                Some("authorization_code") => &mut self.token.authorization_code,
                Some("client_credentials") => &mut self.token.client_credentials,
                Some("refresh_token") => &mut self.token.refresh_token,
                _ => &mut self.token.other,
            },
            Endpoint::Revoke => &mut self.revoke,
            Endpoint::Api => &mut self.api,
            Endpoint::Other => &mut self.other,
        };
        *count = count.saturating_add(1);
    }
}

impl GrantCounts {
    /// All grants.
    pub const fn total(&self) -> u64 {
        self.authorization_code + self.client_credentials + self.refresh_token + self.other
    }
}

/// What is worth something at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// Codes not yet exchanged.
    pub codes: usize,
    /// Access tokens.
    pub access_tokens: usize,
    /// Refresh tokens.
    pub refresh_tokens: usize,
}

/// A request and its reply, secrets included.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Counted from 1.
    pub number: u64,
    /// When it came in, in milliseconds since 1970.
    pub at_ms: f64,
    /// Where to.
    pub endpoint: Endpoint,
    /// What came in.
    pub request: Request,
    /// What went out, or would have; `None` if a fault kept it from being made.
    pub response: Option<Response>,
    /// The fault that it met.
    pub fault: Option<FaultKind>,
}

impl Exchange {
    /// As it may be shown to anyone: see [`mask`].
    pub fn masked(&self) -> Shown {
        self.shown(mask::url, mask::header, mask::body)
    }

    /// As it was, for tests: every code, token and secret stands in it.
    pub fn unmasked(&self) -> Shown {
        self.shown(
            str::to_string,
            |_, value| value.to_string(),
            |_, body| String::from_utf8_lossy(body).into_owned(),
        )
    }

    fn shown(
        &self,
        url: impl Fn(&str) -> String,
        field: impl Fn(&str, &str) -> String,
        body: impl Fn(Option<&str>, &[u8]) -> String,
    ) -> Shown {
        let fields = |headers: &Headers| {
            let mut shown = BTreeMap::<String, String>::new();
            for (name, value) in headers.iter() {
                let value = field(name, value);
                shown
                    .entry(name.to_ascii_lowercase())
                    .and_modify(|values| values.extend([", ", &value]))
                    .or_insert(value);
            }
            shown
        };
        let body = |headers: &Headers, bytes: &[u8]| body(headers.get("content-type"), bytes);
        let (request, response) = (&self.request, self.response.as_ref());
        Shown {
            number: self.number,
            at: self.at_ms,
            endpoint: self.endpoint.as_str(),
            method: request.method.clone(),
            url: url(&request.url),
            request_headers: fields(&request.headers),
            request_body: body(&request.headers, &request.body),
            status: response.map(|response| response.status),
            response_headers: response.map(|r| fields(&r.headers)).unwrap_or_default(),
            response_body: response
                .map(|r| body(&r.headers, &r.body))
                .unwrap_or_default(),
            fault: self.fault.map(FaultKind::as_str),
        }
    }
}

/// An exchange as text, for a page or a test. In JSON the names are in camel case.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// Counted from 1.
    pub number: u64,
    /// When it came in, in milliseconds since 1970.
    pub at: f64,
    /// `authorize`, `token`, `revoke`, `api` or `other`.
    pub endpoint: &'static str,
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The request's header fields, names in lower case.
    pub request_headers: BTreeMap<String, String>,
    /// The request's body.
    pub request_body: String,
    /// The status; `None` if a fault kept the response from being made.
    pub status: Option<u16>,
    /// The response's header fields, names in lower case.
    pub response_headers: BTreeMap<String, String>,
    /// The response's body.
    pub response_body: String,
    /// The kind of the fault that it met.
    pub fault: Option<&'static str>,
}

impl Shown {
    /// The same with these values, as they are and percent-encoded, replaced wherever they stand.
    pub(super) fn without<'a>(mut self, secrets: impl Iterator<Item = &'a str>) -> Self {
        for secret in secrets {
            let mut encoded = String::new();
            form::encode_into(&mut encoded, secret);
            for spelling in [secret, &encoded] {
                for text in self.texts() {
                    if text.contains(spelling) {
                        *text = text.replace(spelling, mask::REDACTED);
                    }
                }
            }
        }
        self
    }

    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let headers = self.request_headers.values_mut();
        let headers = headers.chain(self.response_headers.values_mut());
        let bodies = [&mut self.request_body, &mut self.response_body];
        [&mut self.method, &mut self.url]
            .into_iter()
            .chain(bodies)
            .chain(headers)
    }
}

//! What goes out: the fields that every reply bears, errors in RFC 6749's shape, pages, log lines.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde::Serialize;
use serde_json::json;

use super::Step;
use super::config::{Config, Custody};
use crate::protocol::http::{JSON, Request, Response};

/// One line of the log: what happened, never a token, code, secret, cookie or who it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// Where: an endpoint, or what was asked of the gateway.
    pub event: &'static str,
    /// `ok`, `refused` (the request is at fault) or `failed` (the gateway or we are).
    pub outcome: &'static str,
    /// Which check said no, or what went wrong.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reason: String,
    /// The status that the gateway answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_status: Option<u16>,
}

/// A [`Log`] as it is written: with what a log drain can sum.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line<'a> {
    #[serde(flatten)]
    log: &'a Log,
    /// 1: the gateway gave a session its next tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    refreshes: Option<u8>,
    /// 1: a code came again.
    #[serde(skip_serializing_if = "Option::is_none")]
    replays: Option<u8>,
    /// 1: the gateway, or an API behind it, failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway_errors: Option<u8>,
}

impl Log {
    /// With its counters.
    pub fn line(&self) -> Line<'_> {
        let one = |counts: bool| counts.then_some(1);
        let asks_gateway = matches!(
            self.event,
            "exchange" | "renewal" | "revocation" | "app_token"
        );
        let api_fails = self.event == "api"
            && (self.gateway_status.is_some_and(|status| status >= 500)
                || self.reason.starts_with("api_"));
        Line {
            log: self,
            refreshes: one(self.event == "renewal" && self.outcome == "ok"),
            replays: one(matches!(
                (self.event, self.reason.as_str()),
                ("callback", "repeated" | "second_answer") | ("token", "code_spent")
            )),
            gateway_errors: one(asks_gateway && self.outcome == "failed" || api_fails),
        }
    }

    pub(super) const fn ok(event: &'static str) -> Self {
        Self {
            event,
            outcome: "ok",
            reason: String::new(),
            gateway_status: None,
        }
    }

    pub(super) fn not_ok(
        event: &'static str,
        outcome: &'static str,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            reason: reason.into(),
            outcome,
            ..Self::ok(event)
        }
    }
}

/// The challenge of RFC 6750, 3.
pub const BEARER: &str = "Bearer";
const HEADER_CREDENTIALS: &str = "credentials_in_header";

/// A no. `error` goes out, `reason` goes to the log.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub status: u16,
    pub error: &'static str,
    pub reason: String,
    pub retry_after: Option<u32>,
}

impl Refusal {
    pub fn new(status: u16, error: &'static str, reason: impl Into<String>) -> Self {
        Self {
            status,
            error,
            reason: reason.into(),
            retry_after: None,
        }
    }

    /// Client credentials in the header, of a client that has none (RFC 6749, 5.2).
    pub fn header_credentials() -> Self {
        Self::new(401, "invalid_client", HEADER_CREDENTIALS)
    }

    /// Of the scheme that was used; else of one for which no browser asks its user.
    fn challenge(&self) -> &'static str {
        if self.reason == HEADER_CREDENTIALS {
            "Basic realm=\"public clients only\""
        } else {
            BEARER
        }
    }

    /// The grant, or the session that it is for, is no good.
    pub fn invalid_grant(reason: impl Into<String>) -> Self {
        Self::new(400, "invalid_grant", reason)
    }

    pub fn internal() -> Self {
        Self::new(500, "server_error", "internal")
    }

    /// One sentence per error, the same whichever check failed (S26).
    fn description(&self) -> &'static str {
        match self.error {
            _ if self.status == 429 => "Too many requests: try again later",
            "invalid_grant" => "There is no such grant or session, or it has ended: sign in again",
            "invalid_client" => "This client is not known here",
            "invalid_scope" => "This scope can't be had here",
            "unauthorized_client" | "access_denied" => "This is not allowed here",
            "unsupported_grant_type" => "This grant_type is not supported",
            "unsupported_token_type" => "This kind of token can't be revoked here",
            "session_mismatch" => "This browser is signed in to another session by now",
            "custody_mismatch" => {
                "This relay keeps sessions in a cookie, which browsers don't send across sites: serve the relay from the app's own site, or configure its custody as handle"
            }
            "temporarily_unavailable" => "The gateway can't answer now: try again later",
            "server_error" => "Something went wrong here: try again",
            _ => "The request is not one that this endpoint takes",
        }
    }

    fn outcome(&self) -> &'static str {
        if self.status >= 500 {
            "failed"
        } else {
            "refused"
        }
    }
}

/// Who asks, as far as replies depend on it: the CORS fields (S17).
pub struct Caller<'a> {
    config: &'a Config,
    /// As it was sent, allowed or not.
    pub origin: Option<String>,
}

impl<'a> Caller<'a> {
    pub fn new(config: &'a Config, request: &Request) -> Self {
        Self::known(config, request.headers.get("origin").map(String::from))
    }

    pub const fn known(config: &'a Config, origin: Option<String>) -> Self {
        Self { config, origin }
    }

    /// For pages and redirects, which no script has business with (S17; RFC 9700, 2.6).
    pub const fn navigating(config: &'a Config) -> Self {
        Self::known(config, None)
    }

    pub const fn config(&self) -> &'a Config {
        self.config
    }

    pub const fn custody(&self) -> Custody {
        self.config.custody
    }

    /// The origin, if it is one of the allowlist.
    pub fn allowed_origin(&self) -> Option<&str> {
        self.origin
            .as_deref()
            .filter(|origin| self.config.allows_origin(origin))
    }

    pub fn respond(&self, response: Response, log: Log) -> Step {
        Step::Respond {
            response: self
                .with_cors(guarded(response))
                .header("vary", "Origin, Cookie"),
            log,
            after: Vec::new(),
        }
    }

    pub fn refuse(&self, event: &'static str, refusal: &Refusal) -> Step {
        self.refuse_with(event, refusal, |response| response)
    }

    pub fn refuse_with(
        &self,
        event: &'static str,
        refusal: &Refusal,
        change: impl FnOnce(Response) -> Response,
    ) -> Step {
        let body = json!({ "error": refusal.error, "error_description": refusal.description() });
        let mut response = Response::new(refusal.status).body(JSON, body.to_string());
        if let Some(seconds) = refusal.retry_after {
            response = response.header("retry-after", seconds.to_string());
        }
        if refusal.status == 401 {
            response = response.header("www-authenticate", refusal.challenge());
        }
        let log = Log::not_ok(event, refusal.outcome(), refusal.reason.clone());
        self.respond(change(response), log)
    }

    /// The fields that let the app's page read the reply. Credentials are allowed in custody `handle`
    /// too, though no cookie is read there: our client can't know the custody before the first reply,
    /// and would not be shown one that doesn't allow what it sent.
    pub fn with_cors(&self, response: Response) -> Response {
        let Some(origin) = self.allowed_origin() else {
            return response;
        };
        response
            .header("access-control-allow-origin", origin)
            .header("access-control-allow-credentials", "true")
            .header(
                "access-control-expose-headers",
                "Date, Retry-After, att-oauth-generation",
            )
    }
}

/// What every reply bears (S06).
pub fn guarded(response: Response) -> Response {
    response
        .header("cache-control", "no-store")
        .header("referrer-policy", "no-referrer")
        .header("x-content-type-options", "nosniff")
}

/// A redirect of the browser, with the cookies that go with it. A `Location` without a fragment
/// inherits the one of the URL before (RFC 9110, 10.2.2), so each has its own, if an empty one.
pub fn redirect(status: u16, location: &str, cookies: &[String], log: Log) -> Step {
    let mark = if location.contains('#') { "" } else { "#" };
    let response = Response::new(status).header("location", format!("{location}{mark}"));
    browser(response, cookies, log)
}

/// A page that says what went wrong in a sign-in to whoever sees it, with a link back to the `app` if there is one.
pub fn page(status: u16, title: &str, text: &str, app: Option<&str>, log: Log) -> Step {
    let link = app.map_or_else(String::new, |url| {
        format!("<p><a href=\"{}\">Back to the app</a></p>", escape(url))
    });
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width\"><title>{title}</title>\
         <style>:root{{color-scheme:light dark}}body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:20vh auto;padding:0 1rem}}</style>\
         <main><h1>{title}</h1><p>{text}</p>{link}</main>\n",
        title = escape(title),
        text = escape(text),
    );
    let response = Response::new(status)
        .body("text/html; charset=utf-8", html)
        .header(
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        );
    browser(response, &[], log)
}

/// Without CORS: no script has business here (RFC 9700, 2.6).
fn browser(response: Response, cookies: &[String], log: Log) -> Step {
    let mut response = guarded(response).header("vary", "Cookie");
    for cookie in cookies {
        response = response.header("set-cookie", cookie);
    }
    Step::Respond {
        response,
        log,
        after: Vec::new(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

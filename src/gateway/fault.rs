//! Failures on demand.

use std::string::String;
use std::{format, vec};

use super::json::{Object, Problems};
use super::options::OptionsError;
use super::random::Random;
use super::shape;
use crate::protocol::http::Response;

/// The parts of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/oauth/v4/authorize`, with the forms of its pages.
    Authorize,
    /// `/oauth/v4/token`.
    Token,
    /// `/oauth/v4/revoke`.
    Revoke,
    /// The resource APIs.
    Api,
    /// Any other path.
    Other,
}

impl Endpoint {
    /// The part that answers at a path.
    pub fn of(path: &str) -> Self {
        match path {
            "/oauth/v4/authorize" => Self::Authorize,
            "/oauth/v4/token" => Self::Token,
            "/oauth/v4/revoke" => Self::Revoke,
            _ if super::api::serves(path) => Self::Api,
            _ => Self::Other,
        }
    }

    /// Its name in options and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::Revoke => "revoke",
            Self::Api => "api",
            Self::Other => "other",
        }
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// `server_error`: status 500.
    ServerError,
    /// `unavailable`: status 503 with `Retry-After: 1`.
    Unavailable,
    /// `rate_limit`: 403 `Rate Limit Exceeded`, as AT&T throttles `\[S\]`.
    RateLimit,
    /// `consent_missing`: 403 `POL0002` `\[D\]`.
    ConsentMissing,
    /// `slow`: the true reply, after `delayMs`.
    Slow,
    /// `timeout`: no reply, ever.
    Timeout,
    /// `cut`: the connection ends before the first byte of the reply.
    Cut,
    /// `cut_body`: the connection ends in the middle of the body.
    CutBody,
    /// `html`: status 200 and an HTML page where JSON should be.
    Html,
    /// `huge`: a JSON reply of more than 64 KiB.
    Huge,
    /// `redirect`: 307 to another host.
    Redirect,
}

/// The spellings in options and logs.
const KINDS: &[(&str, FaultKind)] = &[
    ("server_error", FaultKind::ServerError),
    ("unavailable", FaultKind::Unavailable),
    ("rate_limit", FaultKind::RateLimit),
    ("consent_missing", FaultKind::ConsentMissing),
    ("slow", FaultKind::Slow),
    ("timeout", FaultKind::Timeout),
    ("cut", FaultKind::Cut),
    ("cut_body", FaultKind::CutBody),
    ("html", FaultKind::Html),
    ("huge", FaultKind::Huge),
    ("redirect", FaultKind::Redirect),
];

/// How a reply's way back is broken; the host performs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Nothing is ever sent.
    Timeout,
    /// The connection ends before the first byte.
    Cut,
    /// The connection ends in the middle of the body.
    CutBody,
}

impl Break {
    /// The spelling for the host.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Cut => "cut",
            Self::CutBody => "cut_body",
        }
    }
}

impl FaultKind {
    /// Its spelling in options and logs.
    pub fn as_str(self) -> &'static str {
        KINDS
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }

    /// What becomes of `response`, the true one if the request was processed.
    pub(super) fn spoil(
        self,
        endpoint: Endpoint,
        response: Option<Response>,
    ) -> (Response, Option<Break>) {
        let truth = response.unwrap_or_else(|| shape::error(endpoint, 500, "Out of order"));
        match self {
            Self::ServerError => (shape::error(endpoint, 500, "Out of order"), None),
            Self::Unavailable => {
                let response = shape::error(endpoint, 503, "The service is unavailable");
                (response.header("retry-after", "1"), None)
            }
            Self::RateLimit => (shape::rate_limited(), None),
            Self::ConsentMissing => (shape::consent_missing(), None),
            Self::Slow => (truth, None),
            Self::Timeout => (truth, Some(Break::Timeout)),
            Self::Cut => (truth, Some(Break::Cut)),
            Self::CutBody => (truth, Some(Break::CutBody)),
            Self::Html => {
                let page = "<!doctype html><title>Maintenance</title><h1>Back soon</h1>";
                (shape::no_store(200).body("text/html", page), None)
            }
            Self::Huge => {
                let filler = vec![b' '; 2 * super::BODY_LIMIT];
                let mut body = truth.body;
                body.extend(filler);
                (Response { body, ..truth }, None)
            }
            Self::Redirect => {
                let response =
                    shape::no_store(307).header("location", "https://elsewhere.invalid/");
                (response, None)
            }
        }
    }
}

/// A fault and the requests that meet it.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRule {
    /// The part of the gateway that fails; `None`: any.
    pub endpoint: Option<Endpoint>,
    /// The path that fails; `None`: any.
    pub path: Option<String>,
    /// The `grant_type` that fails; `None`: any.
    pub grant_type: Option<String>,
    /// What goes wrong.
    pub kind: FaultKind,
    /// The share of those requests that meet it, by chance: above 0, at most 1, which is all.
    pub share: f64,
    /// How many requests meet it; `None`: all from now on.
    pub times: Option<u32>,
    /// Whether the gateway processes the request first, so that codes are spent and tokens
    /// replaced, and only the reply is lost or changed.
    pub processed: bool,
    /// How much later than usual the reply is sent, in milliseconds.
    pub delay_ms: u32,
}

impl FaultRule {
    /// A fault that the next request to `endpoint` meets, before it is processed; a
    /// [`FaultKind::Slow`] one is processed.
    pub const fn once(endpoint: Endpoint, kind: FaultKind) -> Self {
        Self {
            endpoint: Some(endpoint),
            path: None,
            grant_type: None,
            kind,
            share: 1.0,
            times: Some(1),
            processed: matches!(kind, FaultKind::Slow),
            delay_ms: 0,
        }
    }

    /// The same after the request is processed: the state changes and the reply is lost.
    pub const fn processed(mut self) -> Self {
        self.processed = true;
        self
    }

    /// The same for `times` requests.
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The same for one grant alone.
    pub fn grant_type(mut self, grant_type: &str) -> Self {
        self.grant_type = Some(grant_type.into());
        self
    }

    /// The same with a reply that is sent later by this many milliseconds.
    pub const fn delay_ms(mut self, delay_ms: u32) -> Self {
        self.delay_ms = delay_ms;
        self
    }

    /// Reads `{ "kind": …, "endpoint": …, "path": …, "grantType": …, "share": …, "times": …,
    /// "processed": …, "delayMs": … }`; all but `kind` may be left out, `times` is 1 or more or
    /// `"always"`.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn from_json(text: &str) -> Result<Self, OptionsError> {
        let problems = Problems::default();
        let value = super::json::parse(text)?;
        let rule = Self::read(&value, "fault", &problems);
        problems.into_result()?;
        rule.ok_or_else(OptionsError::default)
    }

    pub(super) fn read(value: &serde_json::Value, path: &str, problems: &Problems) -> Option<Self> {
        const FIELDS: &[&str] = &[
            "kind",
            "endpoint",
            "path",
            "grantType",
            "share",
            "times",
            "processed",
            "delayMs",
        ];
        const ENDPOINTS: &[(&str, Endpoint)] = &[
            ("authorize", Endpoint::Authorize),
            ("token", Endpoint::Token),
            ("revoke", Endpoint::Revoke),
            ("api", Endpoint::Api),
            ("other", Endpoint::Other),
        ];
        let object = Object::open(value, path, FIELDS, problems)?;
        let kind = object.required("kind", |object, key| object.choice(key, KINDS));
        let endpoint = object.choice("endpoint", ENDPOINTS);
        let request_path = object.text("path");
        if request_path.as_ref().is_some_and(|p| !p.starts_with('/')) {
            problems.add(format!("{path}.path: must begin with a slash"));
        }
        let grant_type = object.text("grantType");
        let share = object.share("share").unwrap_or(1.0);
        let times = match object.value("times").map(|value| value.as_str()) {
            Some(Some("always")) => None,
            _ => object.integer("times", 1, u32::MAX).or(Some(1)),
        };
        let processed = object.flag("processed");
        let delay_ms = object.integer("delayMs", 0, 600_000).unwrap_or(0);
        let kind = kind?;
        Some(Self {
            endpoint,
            path: request_path,
            grant_type,
            kind,
            share,
            times,
            processed: processed.unwrap_or(kind == FaultKind::Slow),
            delay_ms,
        })
    }

    /// Whether a request meets it; `random` is drawn from if that is left to chance.
    pub(super) fn meets(
        &self,
        endpoint: Endpoint,
        path: &str,
        grant_type: Option<&str>,
        random: &mut Random,
    ) -> bool {
        self.endpoint.is_none_or(|e| e == endpoint)
            && self.path.as_deref().is_none_or(|p| p == path)
            && (self.grant_type.is_none() || self.grant_type.as_deref() == grant_type)
            && (self.share >= 1.0 || random.fraction() < self.share)
    }
}

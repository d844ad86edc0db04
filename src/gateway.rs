//! An emulator of AT&T's gateway, for development and tests: sign-in and consent pages, the three
//! grants, revocation, a few resource APIs, and every failure on demand.
//!
//! A state machine without a clock, a socket or entropy of its own: [`Gateway::handle`] maps a
//! request to a [`Reply`], and the host performs what the reply says of delays and broken
//! connections. The rules it keeps:
//!
//! - What is known of AT&T's side is the default. What is assumed (`\[A\]`) has a switch in
//!   [`Options`], but for the looks of a few texts.
//! - It reads what it receives with code of its own, so that it can bear witness for the client.
//! - No request makes it panic, and its state is bounded.
//! - A browser is redirected only to an app's registered redirect URL.

mod api;
mod authorize;
mod exchange;
mod fault;
mod json;
pub mod mask;
mod options;
mod page;
mod random;
mod shape;
mod shelf;
mod token;

use std::collections::{BTreeMap, VecDeque};
use std::string::String;
use std::vec::Vec;

pub use exchange::{Counts, Exchange, Live, Shown};
pub use fault::{Break, Endpoint, FaultKind, FaultRule};
pub use options::{
    Answer, App, Device, ErrorFormat, ExpiresIn, Latency, Options, OptionsError, RedirectUriMatch,
    Unknown, User, Verdict,
};

use crate::protocol::form::Form;
use crate::protocol::http::{Request, Response};
use authorize::{Remembered, Ticket};
use random::Random;
use shelf::Shelf;
use token::{Access, Code, Refresh};

/// The longest body that is read, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;
/// The longest URL that is read, in bytes.
pub const URL_LIMIT: usize = 8 * 1024;
/// How many exchanges [`Gateway::log`] remembers.
pub const LOG_LENGTH: usize = 200;

/// What goes back, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The response. With [`Break::Cut`] or [`Break::Timeout`] it is the one that nobody gets.
    pub response: Response,
    /// How long to wait before it is sent, in milliseconds.
    pub delay_ms: u32,
    /// How its way back is broken, if it is.
    pub fault: Option<Break>,
}

impl Reply {
    /// The response, if it arrives whole.
    pub fn delivered(self) -> Option<Response> {
        match self.fault {
            None => Some(self.response),
            Some(_) => None,
        }
    }
}

/// AT&T's side of the exchanges.
#[derive(Clone)]
pub struct Gateway {
    options: Options,
    tickets: Shelf<Ticket>,
    remembered: Shelf<Remembered>,
    codes: Shelf<Code>,
    access: Shelf<Access>,
    refresh: Shelf<Refresh>,
    faults: Vec<FaultRule>,
    counts: Counts,
    log: VecDeque<Exchange>,
}

impl Gateway {
    /// A gateway with these apps, users and switches, and nobody signed in.
    ///
    /// # Errors
    /// All mistakes in the options at once, each with the place where it stands.
    pub fn new(options: Options) -> Result<Self, OptionsError> {
        options.check()?;
        Ok(Self {
            faults: options.faults.clone(),
            options,
            tickets: Shelf::new(10_000),
            remembered: Shelf::new(10_000),
            codes: Shelf::new(10_000),
            access: Shelf::new(100_000),
            refresh: Shelf::new(100_000),
            counts: Counts::default(),
            log: VecDeque::new(),
        })
    }

    /// The same from the text of a JSON file; see [`Options::from_json`].
    ///
    /// # Errors
    /// All mistakes at once, each with the place where it stands.
    pub fn from_json(text: &str) -> Result<Self, OptionsError> {
        Self::new(Options::from_json(text)?)
    }

    /// Answers a request that came in at `now_ms` (milliseconds since 1970). All that is drawn for
    /// it (codes, tokens, tickets) comes from `seed`, which must be fresh each time.
    pub fn handle(&mut self, request: &Request, now_ms: f64, seed: [u8; 32]) -> Reply {
        let now_ms = if now_ms.is_finite() { now_ms } else { 0.0 };
        let endpoint = Endpoint::of(request.path());
        let grant_type = (endpoint == Endpoint::Token)
            .then(|| grant_type(request))
            .flatten();
        self.counts.add(endpoint, grant_type.as_deref());

        let random = &mut Random::new(seed);
        let fault = self.take_fault(endpoint, request.path(), grant_type.as_deref(), random);
        let (response, broken) = match &fault {
            None => (self.answer(endpoint, request, now_ms, random), None),
            Some(rule) => {
                let process = || self.answer(endpoint, request, now_ms, random);
                rule.kind.spoil(endpoint, rule.processed.then(process))
            }
        };
        let response = self.in_format(endpoint, request, response);
        let made = broken.is_none() || fault.as_ref().is_some_and(|rule| rule.processed);

        self.remember(Exchange {
            number: self.counts.total(),
            at_ms: now_ms,
            endpoint,
            request: request.clone(),
            response: made.then(|| response.clone()),
            fault: fault.as_ref().map(|rule| rule.kind),
        });
        Reply {
            response,
            delay_ms: self.options.latency_ms.of(endpoint) + fault.map_or(0, |rule| rule.delay_ms),
            fault: broken,
        }
    }

    /// Adds a fault that the coming requests meet, after those already waiting.
    pub fn fault(&mut self, rule: FaultRule) {
        self.faults.push(rule);
    }

    /// Forgets all faults that are still waiting.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// How many requests came in, by endpoint and grant; those that met a fault included.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The latest exchanges, oldest first, with all their secrets: show [`Exchange::masked`].
    pub fn log(&self) -> impl Iterator<Item = &Exchange> {
        self.log.iter()
    }

    /// The latest exchanges as they may be shown to anyone, oldest first: masked, and no App
    /// Secret left wherever somebody may have put one.
    pub fn shown_log(&self) -> Vec<Shown> {
        self.log
            .iter()
            .map(|exchange| self.show(exchange))
            .collect()
    }

    /// The latest exchange as it may be shown to anyone.
    pub fn shown_latest(&self) -> Option<Shown> {
        self.log.back().map(|exchange| self.show(exchange))
    }

    /// How many codes and tokens are worth something at `now_ms`.
    pub fn live(&self, now_ms: f64) -> Live {
        Live {
            codes: self.codes.live(now_ms),
            access_tokens: self.access.live(now_ms),
            refresh_tokens: self.refresh.live(now_ms),
        }
    }

    /// Ends every access token at once, as if its time were over. Refresh tokens stay.
    pub fn expire_access_tokens(&mut self) {
        self.access.clear();
    }

    /// Ends every code and token at once, as if each user had withdrawn the consent.
    pub fn end_sessions(&mut self) {
        self.codes.clear();
        self.access.clear();
        self.refresh.clear();
    }

    fn answer(
        &mut self,
        endpoint: Endpoint,
        request: &Request,
        now_ms: f64,
        random: &mut Random,
    ) -> Response {
        if request.body.len() > BODY_LIMIT || request.url.len() > URL_LIMIT {
            let (status, text) = match request.body.len() > BODY_LIMIT {
                true => (413, "The body is too long"),
                false => (414, "The URL is too long"),
            };
            return shape::error(endpoint, status, text);
        }
        let response = match (endpoint, request.method.as_str()) {
            (Endpoint::Authorize, "GET") => self.start_sign_in(request, now_ms, random),
            (Endpoint::Authorize, "POST") => self.go_on_with_sign_in(request, now_ms, random),
            (Endpoint::Authorize, _) => shape::method_not_allowed(endpoint, "GET, POST"),
            (_, "OPTIONS") if self.options.cors => shape::preflight(),
            (Endpoint::Token, "POST") => self.token(request, now_ms, random),
            (Endpoint::Revoke, "POST") => self.revoke(request, now_ms),
            (Endpoint::Token | Endpoint::Revoke, _) => shape::method_not_allowed(endpoint, "POST"),
            (Endpoint::Api, _) => self.call_api(request, now_ms, random),
            (Endpoint::Other, _) => shape::error(endpoint, 404, "There is nothing at this path"),
        };
        if self.options.cors && endpoint != Endpoint::Authorize {
            return response.header("access-control-allow-origin", "*");
        }
        response
    }

    /// OAuth errors in the format that the request's `Accept` or the options say. Documented for the
    /// token endpoint `\[D\]`; the same at revocation `\[A\]`.
    fn in_format(&self, endpoint: Endpoint, request: &Request, response: Response) -> Response {
        let is_xml = match self.options.error_format {
            ErrorFormat::Accept => shape::prefers_xml(request),
            ErrorFormat::Json => false,
            ErrorFormat::Xml => true,
        };
        match endpoint {
            Endpoint::Token | Endpoint::Revoke if is_xml => shape::as_xml(response),
            _ => response,
        }
    }

    fn take_fault(
        &mut self,
        endpoint: Endpoint,
        path: &str,
        grant_type: Option<&str>,
        random: &mut Random,
    ) -> Option<FaultRule> {
        let at = self
            .faults
            .iter()
            .position(|rule| rule.meets(endpoint, path, grant_type, random))?;
        let rule = self.faults.get_mut(at)?;
        let met = rule.clone();
        if let Some(times) = rule.times.as_mut() {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.faults.remove(at);
            }
        }
        Some(met)
    }

    fn remember(&mut self, exchange: Exchange) {
        if self.log.len() >= LOG_LENGTH {
            self.log.pop_front();
        }
        self.log.push_back(exchange);
    }

    fn show(&self, exchange: &Exchange) -> Shown {
        let secrets = self.options.apps.iter().map(|app| app.app_secret.expose());
        exchange.masked().without(secrets)
    }
}

/// The grant that a request to the token endpoint names.
fn grant_type(request: &Request) -> Option<String> {
    let body = core::str::from_utf8(&request.body).ok()?;
    Form::parse(body).first("grant_type").map(String::from)
}

/// Parameters by name, each once; an empty one counts as left out (RFC 6749, 3.1).
type Parameters = BTreeMap<String, String>;

/// Reads parameters; the error is the name of one that is there twice.
fn parameters(encoded: &str) -> Result<Parameters, String> {
    let mut parameters = Parameters::new();
    for (name, value) in Form::parse(encoded).iter() {
        if parameters.insert(name.into(), value.into()).is_some() {
            return Err(name.into());
        }
    }
    parameters.retain(|_, value| !value.is_empty());
    Ok(parameters)
}

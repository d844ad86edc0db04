//! An app token (`client_credentials`): one for all who are signed in, in a vault named by its scope.
//!
//! Each renewal is a new `client_credentials`, and the refresh token that AT&T sends along is not
//! kept: we hold the App Secret, so it is worth nothing to us (RFC 6749, 4.4.3 says that there should
//! be none), and no rotation can lose what isn't there. Whether a new token kills the one before is
//! unknown \[A\]: as all share one that does no harm, but tokens of different scopes would end each
//! other, each reported dead at most once a minute. Where AT&T does so, ask for one set everywhere.

use std::string::{String, ToString};

use serde::{Deserialize, Serialize};

use super::record::{Backoff, Record, Session, State};
use super::step::{Flight, Next, gone, mark_used, unavailable, wait};
use super::{Answer, Call, TOKEN_TIMEOUT_MS, Ticket};
use crate::protocol::scope::Scope;
use crate::protocol::token::{self, Grant, Tokens};
use crate::relay::Config;

/// A token is renewed on somebody's word that it is dead once in so many milliseconds (S21).
const REPORT_MS: f64 = 60_000.0;
/// How long failures are remembered, in milliseconds.
const FAILED_MS: f64 = 3_600_000.0;

/// What is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct App {
    token: Option<Session>,
    /// Set while the gateway gives none.
    #[serde(default)]
    pub backoff: Backoff,
}

/// What is wanted.
pub(super) struct Wanted<'a> {
    pub scope: &'a str,
    pub min_validity: u32,
    pub rejected: Option<u32>,
}

impl App {
    /// The next generation.
    pub fn take(&mut self, tokens: Tokens, scope: &str, now_ms: f64) {
        let tokens = Tokens {
            refresh_token: None,
            ..tokens
        };
        self.backoff = Backoff::default();
        match &mut self.token {
            Some(token) => token.renew(tokens, now_ms),
            None => self.token = Some(Session::begin(tokens, scope, String::new(), now_ms)),
        }
    }

    /// When all this may be forgotten: it is had again for the asking.
    pub fn end_ms(&self, config: &Config) -> f64 {
        match &self.token {
            Some(token) => token.expires_ms.unwrap_or(token.used_ms + config.idle_ms),
            None => self.backoff.next_ms + FAILED_MS,
        }
    }
}

pub(super) fn step(
    config: &Config,
    record: Option<&mut Record>,
    changed: &mut bool,
    wanted: &Wanted<'_>,
    flight: Flight,
    now_ms: f64,
) -> Next {
    let app = match record.map(|kept| &mut kept.state) {
        None => &mut App::default(),
        Some(State::App(app)) => app,
        Some(_) => return gone("not_an_app_token"),
    };
    let mut usable = None;
    if let Some(token) = &mut app.token {
        let rejected =
            wanted.rejected == Some(token.generation) && now_ms >= token.obtained_ms + REPORT_MS;
        if !rejected && token.lasts(wanted.min_validity, now_ms) {
            *changed |= mark_used(token, now_ms);
            return Next::Answer(Answer::Grant(token.grant(now_ms)));
        }
        if !rejected && token.is_alive(now_ms) {
            usable = Some(token.grant(now_ms));
        }
    }
    if let Some(wait) = wait(flight) {
        return wait;
    }
    let wait_ms = app.backoff.next_ms - now_ms;
    if flight.under_way || flight.waited || wait_ms > 0.0 {
        return match usable {
            Some(grant) => Next::Answer(Answer::Grant(grant)),
            None => unavailable(503, Some(wait_ms / 1000.0), "no_app_token"),
        };
    }
    let Ok(scope) = Scope::parse(wanted.scope) else {
        return Next::Answer(Answer::WrongScope);
    };
    Next::Call(Call {
        request: token::request(
            &config.token_endpoint,
            &config.credentials,
            Grant::ClientCredentials(scope),
        ),
        timeout_ms: TOKEN_TIMEOUT_MS,
        ticket: Ticket::App {
            scope: wanted.scope.to_string(),
        },
    })
}

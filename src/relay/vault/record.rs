//! What a vault keeps.

use std::string::{String, ToString};
use std::vec::Vec;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use super::app::App;
use super::{GRACE_MS, Grant};
use crate::protocol::Secret;
use crate::protocol::revocation::TokenTypeHint;
use crate::protocol::token::{Lifetime, REFRESH_TOKEN_LIFETIME, Tokens};
use crate::relay::{Config, digest, secret};

/// How long the vault knows that a session has ended, in milliseconds: longer than any sealed code
/// that leads to it.
const ENDED_MS: f64 = 600_000.0;
/// How long an exchange may be under way before it counts as lost, in milliseconds.
pub(super) const EXCHANGE_MS: f64 = 60_000.0;
/// How long a code's answer may be had again, in milliseconds.
pub(super) const REPEAT_MS: f64 = 60_000.0;

/// How a record is written. A member may be added without another number if a build that doesn't know it may lose it: an
/// older relay can take over again then.
const VERSION: u8 = 1;

/// A session, from its code to its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Of another version nothing is read, and so nothing is lost: the call fails, and the record stays.
    #[serde(rename = "v", deserialize_with = "ours")]
    version: u8,
    pub(super) state: State,
    /// Tokens that the gateway has still to be told of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) owed: Vec<Owed>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum State {
    /// The code is spent, and its answer isn't here yet.
    Exchanging {
        code_hash: String,
        since_ms: f64,
    },
    Active(Session),
    /// In a vault for an app token.
    App(App),
    Ended {
        reason: String,
        at_ms: f64,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Session {
    #[serde(with = "secret")]
    pub access_token: Secret,
    #[serde(with = "secret::option")]
    pub refresh_token: Option<Secret>,
    pub scope: String,
    pub generation: u32,
    /// When the access token came.
    pub obtained_ms: f64,
    /// When it expires; `None`: never.
    pub expires_ms: Option<f64>,
    /// When the session ends because its refresh token does: slides at each renewal.
    pub ends_ms: f64,
    /// When it was last used, to the hour.
    pub used_ms: f64,
    /// The code that it came from, until the first use.
    pub code_hash: Option<String>,
    /// Set while renewals fail.
    pub backoff: Option<Backoff>,
    /// Which handle is the current one, counted from 1.
    #[serde(default)]
    pub handle: u32,
    /// When the current handle was first used.
    #[serde(default)]
    pub handle_used_ms: Option<f64>,
}

/// What a handle is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    Current,
    /// The one before, whose answer may have been lost.
    Before,
    /// Used when it was over: one of two who hold it is a thief (RFC 9700, 4.14.2).
    Reused,
    /// Of a generation that isn't there yet: this store is older than the handle.
    Unknown,
}

/// A token to revoke.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Owed {
    #[serde(with = "secret")]
    pub token: Secret,
    pub is_refresh_token: bool,
    #[serde(default)]
    pub backoff: Backoff,
}

/// How often something failed, and when it may be tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Backoff {
    pub failures: u32,
    pub next_ms: f64,
}

impl Record {
    pub(super) fn exchanging(code_hash: String, now_ms: f64) -> Self {
        Self::new(State::Exchanging {
            code_hash,
            since_ms: now_ms,
        })
    }

    pub(super) const fn new(state: State) -> Self {
        Self {
            version: VERSION,
            state,
            owed: Vec::new(),
        }
    }

    /// Ends the session; the gateway is owed the revocation of its tokens, unless it ended them.
    pub(super) fn end(&mut self, reason: &str, owes: bool, now_ms: f64) {
        let ended = State::Ended {
            reason: reason.to_string(),
            at_ms: now_ms,
        };
        if let State::Active(session) = core::mem::replace(&mut self.state, ended)
            && owes
        {
            self.owe(session.refresh_token, session.access_token, now_ms);
        }
    }

    /// Revoking a refresh token revokes its access token too \[S\].
    pub(super) fn owe(&mut self, refresh_token: Option<Secret>, access_token: Secret, now_ms: f64) {
        let is_refresh_token = refresh_token.is_some();
        self.owed.push(Owed {
            token: refresh_token.unwrap_or(access_token),
            is_refresh_token,
            backoff: Backoff {
                failures: 0,
                next_ms: now_ms,
            },
        });
    }

    /// When the host must send [`Command::Alarm`](super::Command::Alarm).
    pub(super) fn alarm(&self, config: &Config) -> f64 {
        match &self.state {
            State::Exchanging { since_ms, .. } => since_ms + EXCHANGE_MS,
            State::Active(session) => session.end_ms(config),
            State::App(app) => app.end_ms(config),
            State::Ended { at_ms, .. } => self
                .owed
                .iter()
                .map(|owed| owed.backoff.next_ms)
                .min_by(f64::total_cmp)
                .unwrap_or(at_ms + ENDED_MS),
        }
    }

    /// Whether there is nothing left to remember.
    pub(super) fn is_over(&self, config: &Config, now_ms: f64) -> bool {
        match &self.state {
            State::Ended { at_ms, .. } => now_ms >= at_ms + ENDED_MS && self.owed.is_empty(),
            State::App(app) => now_ms >= app.end_ms(config),
            _ => false,
        }
    }
}

impl Session {
    /// The first one, from a code.
    pub fn begin(tokens: Tokens, scope: &str, code_hash: String, now_ms: f64) -> Self {
        let mut session = Self {
            access_token: tokens.access_token.clone(),
            refresh_token: None,
            scope: scope.to_string(),
            generation: 0,
            obtained_ms: now_ms,
            expires_ms: None,
            ends_ms: now_ms,
            used_ms: now_ms,
            code_hash: Some(code_hash),
            backoff: None,
            handle: 1,
            handle_used_ms: None,
        };
        session.renew(tokens, now_ms);
        session
    }

    /// The next generation.
    pub fn renew(&mut self, tokens: Tokens, now_ms: f64) {
        self.access_token = tokens.access_token;
        // A reply without one keeps the old one (RFC 6749, 6).
        if tokens.refresh_token.is_some() {
            self.refresh_token = tokens.refresh_token;
        }
        // What the gateway says may be less than was asked for, never more (S22).
        if let Some(granted) = tokens.scope {
            let asked = self.scope.split(' ');
            let kept: Vec<&str> = asked.filter(|name| granted.contains(name)).collect();
            if !kept.is_empty() {
                self.scope = kept.join(" ");
            }
        }
        self.generation = self.generation.saturating_add(1);
        self.obtained_ms = now_ms;
        self.expires_ms = match tokens.lifetime {
            Lifetime::Never => None,
            Lifetime::Seconds(seconds) => Some(now_ms + f64::from(seconds) * 1000.0),
        };
        self.ends_ms = now_ms + f64::from(REFRESH_TOKEN_LIFETIME) * 1000.0;
        self.backoff = None;
    }

    /// Judges a handle, and remembers the first use of the current one; whether that was it.
    pub fn take_handle(&mut self, generation: u32, now_ms: f64) -> (Worth, bool) {
        let worth = if generation == self.handle {
            Worth::Current
        } else if generation > self.handle {
            Worth::Unknown
        } else if generation.saturating_add(1) == self.handle
            && self.handle_used_ms.is_none_or(|ms| now_ms < ms + GRACE_MS)
        {
            Worth::Before
        } else {
            Worth::Reused
        };
        let first = worth == Worth::Current && self.handle_used_ms.is_none();
        if first {
            self.handle_used_ms = Some(now_ms);
        }
        (worth, first)
    }

    /// The current handle is over, and another takes its place.
    pub fn next_handle(&mut self) {
        self.handle = self.handle.saturating_add(1);
        self.handle_used_ms = None;
    }

    /// When the session ends if nobody uses it.
    pub fn end_ms(&self, config: &Config) -> f64 {
        self.ends_ms.min(self.used_ms + config.idle_ms)
    }

    /// Whether the token lasts longer than this. Half of its life is enough for anybody: one who
    /// asks for more than there is would make each call a renewal.
    pub fn lasts(&self, min_validity: u32, now_ms: f64) -> bool {
        self.expires_ms.is_none_or(|expires_ms| {
            let half = (expires_ms - self.obtained_ms) / 2.0;
            expires_ms - now_ms > (f64::from(min_validity) * 1000.0).min(half)
        })
    }

    /// Whether the token lasts at all: it is handed out for whole seconds.
    pub fn is_alive(&self, now_ms: f64) -> bool {
        self.expires_ms
            .is_none_or(|expires_ms| expires_ms - now_ms >= 1000.0)
    }

    /// The token, as it is handed out.
    pub fn grant(&self, now_ms: f64) -> Grant {
        // Rounded down, for a token must not be used after its end; but 0 would say "for ever".
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let expires_in = self.expires_ms.map_or(0, |expires_ms| {
            ((expires_ms - now_ms) / 1000.0).max(1.0) as u32
        });
        Grant {
            access_token: self.access_token.clone(),
            expires_in,
            scope: self.scope.clone(),
            generation: self.generation,
            handle: self.handle,
        }
    }
}

impl Owed {
    pub fn hint(&self) -> TokenTypeHint {
        if self.is_refresh_token {
            TokenTypeHint::RefreshToken
        } else {
            TokenTypeHint::AccessToken
        }
    }

    pub fn hash(&self) -> String {
        hash(&self.token)
    }
}

fn ours<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    match u8::deserialize(from)? {
        VERSION => Ok(VERSION),
        _ => Err(D::Error::custom("a record of another version")),
    }
}

/// The digest by which a code or token is known again.
pub(super) fn hash(secret: &Secret) -> String {
    digest::short(&["vault", secret.expose()], 16)
}

//! A vault: the tokens of one session, and why it survives AT&T's rotation.
//!
//! A pure state machine over a [`Record`] that the host keeps. [`step`] takes a [`Command`] and
//! says what comes next: an answer, a wait for the call that is under way, or a call to the gateway,
//! whose outcome goes to [`called`]. The rules it keeps:
//!
//! - The host stores a record before it does anything that rests on it.
//! - One call to the gateway at a time, however many ask.
//! - A code goes to the gateway once, even if the reply is lost (S25).
//! - A passing failure ends nothing; only `invalid_grant`, the user, or time does (S28, S32).
//!
//! Two windows can lose a session, both outside our power: the gateway rotated and its reply never
//! arrived; the host died between the reply and the store. Then the next renewal is answered with
//! `invalid_grant`, and the session ends. Nothing loops.
//!
//! In custody `handle` a session also counts its handles. They are counted apart from its tokens: an
//! API call may renew the token, and that call hands no handle out. A handle is followed by the next
//! only when the current one causes a renewal, so whoever missed a reply, however many times in a
//! row, holds one that is the current or the one before.
//!
//! A vault of another name keeps an app token (`app`).

mod app;
mod called;
mod record;
mod step;

pub use called::{Called, Failure, called};
pub use record::Record;
pub use step::{Flight, Next, Stepped, step};

use std::string::String;

use serde::{Deserialize, Serialize};

use super::secret;
use crate::protocol::Secret;
use crate::protocol::http::Request;

/// How long a caller waits for the call that is under way, in milliseconds.
pub const PATIENCE_MS: u32 = 10_000;
/// A refresh that says nothing of what it wants renews a token of this age, in milliseconds; one
/// that is younger is the answer that somebody just missed, or the work of an idle loop.
const YOUNG_MS: f64 = 60_000.0;
/// How long the handle before the current one is good after the current one's first use, in
/// milliseconds: for those who set out with it before they heard of the new one.
const GRACE_MS: f64 = 10_000.0;
/// How long a token request to the gateway may take, in milliseconds: longer than any caller waits,
/// for a reply that comes late is still the session's next token.
const TOKEN_TIMEOUT_MS: u32 = 25_000;
/// How long a revocation may take, in milliseconds.
const REVOCATION_TIMEOUT_MS: u32 = 10_000;

/// The header fields of the gateway's reply that [`called`] looks at.
pub const REPLY_FIELDS: [&str; 1] = ["retry-after"];

/// What is asked of a vault.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Command {
    /// A session begins: this code for tokens.
    Exchange {
        /// The gateway's code.
        #[serde(with = "secret")]
        code: Secret,
        /// What was asked for, in spaces.
        scope: String,
    },
    /// A valid access token, please.
    Token {
        /// How many seconds it must last. Never more than half of a token's whole life, or each
        /// call would renew.
        min_validity: u32,
        /// The generation that was refused somewhere.
        rejected: Option<u32>,
        /// If one is named it must be the session's: a refresh can't narrow it (S22).
        scope: Option<String>,
        /// In custody `handle`: the one that was shown.
        #[serde(default)]
        handle: Option<Shown>,
    },
    /// Whether there is a session.
    Check {
        /// In custody `handle`: the generation of the one that was shown, if one was.
        handle: Option<u32>,
    },
    /// The app's own token (`client_credentials`), of the vault that keeps it for this scope.
    App {
        /// In spaces.
        scope: String,
        /// How many seconds it must last.
        min_validity: u32,
        /// The generation that was refused somewhere.
        rejected: Option<u32>,
    },
    /// The session ends.
    End,
    /// The time has come that [`Stepped::alarm`] named.
    Alarm,
}

/// A handle that was shown for a token.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Shown {
    /// Counts this session's handles from 1.
    pub generation: u32,
    /// By a client that knows only the standard, where a refresh means a new token.
    pub is_plain: bool,
}

/// What a vault answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// A token.
    Grant(Grant),
    /// The session is there.
    Alive,
    /// There is no session.
    Gone {
        /// For the log.
        reason: String,
    },
    /// The scope isn't the session's.
    WrongScope,
    /// The session is there, the gateway isn't.
    Unavailable {
        /// 502, 503 or 504.
        status: u16,
        /// In seconds.
        retry_after: Option<u32>,
        /// For the log.
        reason: String,
    },
    /// The session has ended.
    Done,
}

/// A token to hand out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The gateway's access token.
    #[serde(with = "secret")]
    pub access_token: Secret,
    /// What is left, in seconds; 0: for ever.
    pub expires_in: u32,
    /// In spaces.
    pub scope: String,
    /// Counts this session's tokens from 1.
    pub generation: u32,
    /// Counts this session's handles from 1: the one to give out.
    #[serde(default)]
    pub handle: u32,
}

/// A call to the gateway.
#[derive(Clone, Debug)]
pub struct Call {
    /// To send. Holds secrets.
    pub request: Request,
    /// After how many milliseconds to give up.
    pub timeout_ms: u32,
    /// Goes to [`called`] with the outcome.
    pub ticket: Ticket,
}

/// What a call was for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ticket {
    /// The code of a sign-in.
    Exchange {
        /// Of the code.
        code_hash: String,
        /// What was asked for, in spaces.
        scope: String,
    },
    /// The next generation.
    Renewal {
        /// The one before.
        generation: u32,
        /// The current handle, if it is what asked: the next one follows.
        #[serde(default)]
        handle: Option<u32>,
    },
    /// The app's own token.
    App {
        /// In spaces.
        scope: String,
    },
    /// A token that is owed to the gateway.
    Revocation {
        /// Of the token.
        token_hash: String,
    },
}

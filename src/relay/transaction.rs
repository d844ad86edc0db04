//! One sign-in of one browser, from `/authorize` to `/callback`: it lives in a sealed cookie of its
//! own, so that several tabs don't disturb each other.

use std::format;
use std::string::String;
use std::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Config;
use super::cookie::{self, SameSite};
use super::entropy::Entropy;
use super::seal::Purpose;
use crate::protocol::base64url;
use crate::protocol::form::Form;
use crate::protocol::http::{Headers, Request};

/// How long a sign-in may take, in milliseconds (S08).
pub const LIFETIME_MS: f64 = 600_000.0;
/// How many sign-ins one browser may have under way.
const MOST: usize = 5;

/// Where the app wants its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseMode {
    #[serde(rename = "q")]
    Query,
    #[serde(rename = "f")]
    Fragment,
}

/// What is known of a sign-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transaction {
    #[serde(rename = "s")]
    pub session_id: String,
    #[serde(rename = "c")]
    pub code_challenge: String,
    #[serde(rename = "p")]
    pub scope: String,
    #[serde(rename = "a")]
    pub reply: ReplyTo,
}

/// Where an answer goes, proven.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplyTo {
    #[serde(rename = "r")]
    pub redirect_uri: String,
    #[serde(rename = "t", skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(rename = "m")]
    pub response_mode: ResponseMode,
}

/// What the cookie says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Stage {
    #[serde(rename = "p")]
    Pending(Transaction),
    /// The gateway has answered.
    #[serde(rename = "d")]
    Done {
        /// Of the answer that was taken; no other one is (S08).
        #[serde(rename = "h")]
        answer_hash: String,
        /// Where the browser was sent; nothing if that is too long to keep.
        #[serde(rename = "l")]
        location: Option<String>,
    },
}

impl ReplyTo {
    /// The URL that tells the app, with `state` as it sent it and `iss` (RFC 9207).
    pub fn location(&self, config: &Config, form: Form) -> String {
        let form = form
            .set_some("state", self.state.as_deref())
            .set("iss", config.issuer());
        match self.response_mode {
            ResponseMode::Query => form.onto_url(&self.redirect_uri),
            ResponseMode::Fragment => format!("{}#{}", self.redirect_uri, form.encode()),
        }
    }
}

/// Whether this is what [`Entropy::id`] makes: nothing else becomes part of a cookie's name.
pub fn is_id(text: &str) -> bool {
    text.len() == 22 && base64url::decode(text).is_some()
}

/// The stage of the sign-in `id` in this browser, and until when it lives.
pub fn find(config: &Config, headers: &Headers, id: &str, now_ms: f64) -> Option<(Stage, f64)> {
    let sealed = cookie::find(headers, &cookie_name(config, id))?;
    let ((sealed_id, stage), expires_ms) =
        config
            .sealer
            .open::<(String, Stage)>(Purpose::Transaction, sealed, now_ms)?;
    // A browser's owner could give one sign-in's cookie the name of another.
    (sealed_id == id).then_some((stage, expires_ms))
}

/// The `Set-Cookie` that keeps a stage; `None` if a browser wouldn't keep it.
pub fn keep(
    config: &Config,
    id: &str,
    stage: &Stage,
    now_ms: f64,
    expires_ms: f64,
    entropy: &Entropy<'_>,
) -> Option<String> {
    let sealed = config
        .sealer
        .seal(Purpose::Transaction, &(id, stage), expires_ms, entropy)?;
    let name = cookie_name(config, id);
    if name.len() + sealed.len() >= cookie::LONGEST {
        return None;
    }
    // At most ten minutes.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let max_age = ((expires_ms - now_ms) / 1000.0).ceil() as u32;
    Some(cookie::set(&name, &sealed, SameSite::Lax, max_age))
}

/// The `Set-Cookie`s that make room for one more sign-in in this browser: the oldest go, and those
/// that are no good any more.
pub fn make_room(config: &Config, request: &Request, now_ms: f64) -> Vec<String> {
    let prefix = config.transaction_cookie_prefix();
    let mut live = Vec::new();
    let mut gone = Vec::new();
    for (name, sealed) in cookie::all(&request.headers) {
        if !name.starts_with(&prefix) {
            continue;
        }
        let opened = config
            .sealer
            .open::<(String, Stage)>(Purpose::Transaction, sealed, now_ms);
        match opened {
            Some((_, expires_ms)) => live.push((expires_ms, name)),
            None => gone.push(name),
        }
    }
    live.sort_by(|a, b| a.0.total_cmp(&b.0));
    let too_many = (live.len() + 1).saturating_sub(MOST);
    gone.extend(live.iter().take(too_many).map(|(_, name)| *name));
    gone.iter()
        .filter(|name| name.get(prefix.len()..).is_some_and(is_id))
        .map(|name| cookie::delete(name, SameSite::Lax))
        .collect()
}

fn cookie_name(config: &Config, id: &str) -> String {
    format!("{}{id}", config.transaction_cookie_prefix())
}

//! How a session is held outside: in a cookie, or in a sealed handle that the client keeps.
//!
//! In custody `handle` a reply of `/token` bears two sealed texts. `refresh_token` is the handle: the
//! session and a generation, shown at `/token` and `/revoke`, which see each generation follow the
//! one before. `api_handle` names the session for `/api` alone and goes there as `Authorization:
//! Bearer`. That is neither the handle (a refresh token goes to the token endpoint and nowhere else,
//! RFC 6749, 1.5, and calls that run side by side would stumble over its rotation) nor the access
//! token (the gateway made it, so it tells no vault from another, and whoever has one could use us as
//! a way to the gateway without a thing that we have sealed). It gets no token out of us, and ends
//! with its session. Like all that comes in, it is not forwarded.

use std::format;
use std::string::String;
use std::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Config;
use super::config::Custody;
use super::cookie::{self, SameSite};
use super::entropy::Entropy;
use super::origin::SESSION;
use super::reply::Refusal;
use super::seal::Purpose;
use super::vault::Grant;
use crate::protocol::base64url;
use crate::protocol::http::Request;
use crate::protocol::token::REFRESH_TOKEN_LIFETIME;

/// How many sessions' cookies of a browser are looked at: it has one, or a few if sign-ins crossed.
const MOST_COOKIES: usize = 8;
/// How long what is sealed here is good, in milliseconds.
const LIFETIME_MS: f64 = REFRESH_TOKEN_LIFETIME as f64 * 1000.0;
/// A cookie of less than this age, in milliseconds, is not set again by a renewal.
const YOUNG_COOKIE_MS: f64 = 86_400_000.0;

/// A session that a caller has.
pub struct Held {
    pub session_id: String,
    /// The generation of the handle that was shown.
    pub handle: Option<u32>,
    /// Whether its cookie is so young that it need not be set again.
    pub has_young_cookie: bool,
}

#[derive(Serialize, Deserialize)]
struct Handle {
    #[serde(rename = "s")]
    session_id: String,
    #[serde(rename = "g")]
    generation: u32,
}

/// What a reply of `/token` gives out to hold a session by.
#[derive(Default)]
pub struct Holds {
    /// A `Set-Cookie`.
    pub cookie: Option<String>,
    pub refresh_token: Option<String>,
    pub api_handle: Option<String>,
}

/// The session of one who calls `/token` or `/revoke`, by its cookie or by the handle `token`, and
/// the one that the header says to expect.
pub fn session(
    config: &Config,
    request: &Request,
    token: Option<&str>,
    now_ms: f64,
) -> Result<Held, Refusal> {
    let bad = Refusal::invalid_grant;
    let held = match (config.custody, token) {
        // No bare token of the gateway is taken (S20); in custody `cookie` there is nothing to show.
        (Custody::Cookie, Some(_)) => return Err(bad("token_in_custody_cookie")),
        (Custody::Cookie, None) => {
            let label = expected_label(request);
            let named = |label| cookie_named(config, request, &cookie_name(config, label), now_ms);
            let (session_id, expires_ms) = match label.map(named) {
                Some(Some(held)) => Ok(held),
                Some(None) if cookies(config, request, now_ms).is_empty() => Err(()),
                Some(None) => return Err(mismatch()),
                None => cookies(config, request, now_ms).pop().ok_or(()),
            }
            .map_err(|()| bad("no_session_cookie"))?;
            return Ok(Held {
                session_id,
                handle: None,
                has_young_cookie: expires_ms - now_ms > LIFETIME_MS - YOUNG_COOKIE_MS,
            });
        }
        (Custody::Handle, None) => return Err(bad("no_handle")),
        (Custody::Handle, Some(sealed)) => {
            let opened = config.sealer.open(Purpose::Handle, sealed, now_ms);
            let (handle, _): (Handle, _) = opened.ok_or_else(|| bad("bad_handle"))?;
            Held {
                session_id: handle.session_id,
                handle: Some(handle.generation),
                has_young_cookie: false,
            }
        }
    };
    expected(config, request, held)
}

/// The session of one who calls `/api`.
pub fn api_session(config: &Config, request: &Request, now_ms: f64) -> Result<Held, Refusal> {
    if config.custody == Custody::Cookie {
        return session(config, request, None, now_ms);
    }
    let field = request.headers.get("authorization").unwrap_or_default();
    let sealed = field
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, sealed)| sealed.trim());
    let (session_id, _) = sealed
        .and_then(|sealed| config.sealer.open(Purpose::Api, sealed, now_ms))
        .ok_or_else(|| Refusal::invalid_grant("bad_api_handle"))?;
    let held = Held {
        session_id,
        handle: None,
        has_young_cookie: false,
    };
    expected(config, request, held)
}

/// The sessions that this browser's cookies name, and until when those were sealed; the latest last.
fn cookies(config: &Config, request: &Request, now_ms: f64) -> Vec<(String, f64)> {
    let mut open: Vec<_> = names(config, request)
        .filter_map(|name| cookie_named(config, request, name, now_ms))
        .collect();
    open.sort_by(|a, b| a.1.total_cmp(&b.1));
    open
}

/// Each session has a cookie of its own name, so that replies which cross on their way never set or
/// delete another session's.
fn cookie_named(
    config: &Config,
    request: &Request,
    name: &str,
    now_ms: f64,
) -> Option<(String, f64)> {
    let sealed = cookie::find(&request.headers, name)?;
    let opened: (String, f64) = config.sealer.open(Purpose::Session, sealed, now_ms)?;
    (name == cookie_name(config, &config.label(&opened.0))).then_some(opened)
}

/// The names of all sessions' cookies that a browser sends, so many as are looked at.
fn names<'a>(config: &Config, request: &'a Request) -> impl Iterator<Item = &'a str> {
    let prefix = config.session_cookie_prefix();
    cookie::all(&request.headers)
        .map(|(name, _)| name)
        .filter(move |name| name.strip_prefix(&prefix).is_some_and(is_label))
        .take(MOST_COOKIES)
}

fn cookie_name(config: &Config, label: &str) -> String {
    format!("{}{label}", config.session_cookie_prefix())
}

/// Whether this is what [`Config::label`] makes: nothing else becomes part of a cookie's name.
fn is_label(text: &str) -> bool {
    text.len() == 12 && base64url::decode(text).is_some()
}

/// What a browser had before a sign-in, and what is to be done about it after.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Earlier {
    /// The sessions to end.
    pub sessions: Vec<String>,
    /// The names of the cookies to delete.
    pub cookies: Vec<String>,
}

/// What this browser holds beside the session `new`.
pub fn earlier(config: &Config, request: &Request, new: &str, now_ms: f64) -> Earlier {
    if config.custody == Custody::Handle {
        return Earlier {
            sessions: Vec::new(),
            cookies: Vec::new(),
        };
    }
    let own = cookie_name(config, &config.label(new));
    let cookies = names(config, request).filter(|name| *name != own);
    let sessions = self::cookies(config, request, now_ms).into_iter();
    Earlier {
        sessions: sessions.map(|(id, _)| id).filter(|id| id != new).collect(),
        cookies: cookies.map(String::from).collect(),
    }
}

/// What holds the session from now on, unless its cookie will do. `None` never happens with a sealer that has a key.
pub fn hold(
    config: &Config,
    session_id: &str,
    grant: &Grant,
    keeps_cookie: bool,
    now_ms: f64,
    entropy: &Entropy<'_>,
) -> Option<Holds> {
    if keeps_cookie {
        return Some(Holds::default());
    }
    let expires_ms = now_ms + LIFETIME_MS;
    let seal = |purpose| {
        config
            .sealer
            .seal(purpose, &session_id, expires_ms, entropy)
    };
    if config.custody == Custody::Cookie {
        let name = cookie_name(config, &config.label(session_id));
        let sealed = seal(Purpose::Session)?;
        let cookie = cookie::set(&name, &sealed, SameSite::Strict, REFRESH_TOKEN_LIFETIME);
        return Some(Holds {
            cookie: Some(cookie),
            ..Holds::default()
        });
    }
    let handle = Handle {
        session_id: String::from(session_id),
        generation: grant.handle,
    };
    let refresh_token = config
        .sealer
        .seal(Purpose::Handle, &handle, expires_ms, entropy)?;
    Some(Holds {
        cookie: None,
        refresh_token: Some(refresh_token),
        api_handle: Some(seal(Purpose::Api)?),
    })
}

/// The `Set-Cookie` that ends the session of that label in this browser, in custody `cookie`.
pub fn deleted_cookie(config: &Config, label: &str) -> Option<String> {
    (config.custody == Custody::Cookie && is_label(label))
        .then(|| cookie::delete(&cookie_name(config, label), SameSite::Strict))
}

/// The label of the session that a request is meant for, if it says.
pub fn expected_label(request: &Request) -> Option<&str> {
    request.headers.get(SESSION).filter(|label| *label != "-")
}

fn expected(config: &Config, request: &Request, held: Held) -> Result<Held, Refusal> {
    match expected_label(request) {
        Some(label) if label != config.label(&held.session_id) => Err(mismatch()),
        _ => Ok(held),
    }
}

fn mismatch() -> Refusal {
    Refusal::new(409, "session_mismatch", "another_session")
}

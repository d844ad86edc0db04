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

use std::string::String;

use serde::{Deserialize, Serialize};

use super::Config;
use super::config::Custody;
use super::cookie::{self, SameSite};
use super::entropy::Entropy;
use super::origin::SESSION;
use super::reply::Refusal;
use super::seal::Purpose;
use super::vault::Grant;
use crate::protocol::http::Request;
use crate::protocol::token::REFRESH_TOKEN_LIFETIME;

/// A session that a caller has.
pub struct Held {
    pub session_id: String,
    /// The generation of the handle that was shown.
    pub handle: Option<u32>,
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
        (Custody::Cookie, None) => Held {
            session_id: cookie_session(config, request, now_ms)
                .ok_or_else(|| bad("no_session_cookie"))?,
            handle: None,
        },
        (Custody::Handle, None) => return Err(bad("no_handle")),
        (Custody::Handle, Some(sealed)) => {
            let opened = config.sealer.open(Purpose::Handle, sealed, now_ms);
            let (handle, _): (Handle, _) = opened.ok_or_else(|| bad("bad_handle"))?;
            Held {
                session_id: handle.session_id,
                handle: Some(handle.generation),
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
    };
    expected(config, request, held)
}

/// The session that this browser's cookie names, if any.
pub fn cookie_session(config: &Config, request: &Request, now_ms: f64) -> Option<String> {
    if config.custody == Custody::Handle {
        return None;
    }
    let sealed = cookie::find(&request.headers, &config.session_cookie())?;
    let (session_id, _) = config.sealer.open(Purpose::Session, sealed, now_ms)?;
    Some(session_id)
}

/// What holds the session from now on. `None` never happens with a sealer that has a key.
pub fn hold(
    config: &Config,
    session_id: &str,
    grant: &Grant,
    now_ms: f64,
    entropy: &Entropy<'_>,
) -> Option<Holds> {
    let expires_ms = now_ms + f64::from(REFRESH_TOKEN_LIFETIME) * 1000.0;
    let seal = |purpose| {
        config
            .sealer
            .seal(purpose, &session_id, expires_ms, entropy)
    };
    if config.custody == Custody::Cookie {
        let name = config.session_cookie();
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

/// The `Set-Cookie` that ends a session in this browser, in custody `cookie`.
pub fn deleted_cookie(config: &Config) -> Option<String> {
    (config.custody == Custody::Cookie)
        .then(|| cookie::delete(&config.session_cookie(), SameSite::Strict))
}

fn expected(config: &Config, request: &Request, held: Held) -> Result<Held, Refusal> {
    let expected = request.headers.get(SESSION).unwrap_or("-");
    if expected != "-" && expected != config.label(&held.session_id) {
        return Err(Refusal::new(409, "session_mismatch", "another_session"));
    }
    Ok(held)
}

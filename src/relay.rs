//! An OAuth 2.1 authorization server in front of AT&T's gateway, which is OAuth 2.0 without PKCE.
//!
//! Plain functions from values to values, and nothing kept between two of them but the checked
//! [`Config`]. A request goes [`begin`] → the vault of its session (if it needs one) → [`finish`];
//! the host fetches, stores and waits. The rules it keeps:
//!
//! - The App Secret and the gateway's refresh tokens go to the gateway and to the vault, never
//!   elsewhere.
//! - Nobody reaches the gateway without a thing that this relay has sealed.
//! - A browser is redirected to the gateway or to a `redirect_uri` of the allowlist, exactly as it
//!   stands there.
//! - What goes outward never says which check failed; the [`Log`] does, without a secret.

mod api;
mod app_token;
mod authorize;
mod callback;
mod config;
mod cookie;
mod custody;
mod digest;
mod entropy;
mod fields;
mod limit;
mod metadata;
mod origin;
mod params;
mod reply;
mod revoke;
mod seal;
mod secret;
mod token;
mod transaction;
pub mod vault;

use std::string::String;
use std::vec::Vec;

use serde::{Deserialize, Serialize};

pub use api::response as api_response;
pub use config::{Config, ConfigError};
pub use limit::{address_key, limited};
pub use reply::{Line, Log};

use crate::protocol::http::{Headers, Request, Response};
use entropy::Entropy;
use reply::{Caller, Refusal};

/// The longest body that is read, in bytes (S23).
pub const BODY_LIMIT: usize = 8 * 1024;
/// The longest URL that is read, in bytes.
pub const URL_LIMIT: usize = 8 * 1024;
/// The longest reply of the gateway's OAuth endpoints that is read, in bytes (S24).
pub const REPLY_LIMIT: usize = 64 * 1024;

/// The header fields of a request that [`reads_body`] says yes to which are looked at. The host may
/// leave the others out.
pub const FORM_FIELDS: [&str; 7] = [
    "att-oauth-session",
    "authorization",
    "cf-connecting-ip",
    "content-type",
    "cookie",
    "origin",
    "sec-fetch-site",
];

/// What the host does next.
#[derive(Debug)]
pub enum Step {
    /// Answers the request.
    Respond {
        /// With this.
        response: Response,
        /// Writes this line.
        log: Log,
        /// And asks these vaults in the background; nobody waits for their answers.
        after: Vec<Ask>,
    },
    /// Asks a vault, and goes on with [`finish`].
    Ask {
        /// What to ask.
        ask: Ask,
        /// What [`finish`] needs to know. It holds secrets and never leaves the host's memory.
        then: Continuation,
    },
    /// Sends `request` on with the body of the one that came in, without following redirects, and
    /// answers with what [`api_response`] leaves of the reply's header, and the reply's body.
    Forward {
        /// Without its body. Holds the session's access token.
        request: Request,
        /// The `Origin` of the one who asks.
        origin: Option<String>,
        /// The generation of the session's token, if that is what goes out.
        generation: Option<u32>,
        /// If it is an app token: to ask in the background when the API refuses it with 401.
        refused: Option<Ask>,
    },
}

/// A question to the vault of one session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ask {
    /// The vault's name, bound to issuer, `client_id` and session.
    pub vault: String,
    /// The question.
    pub command: vault::Command,
}

/// A request between [`begin`] and [`finish`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Continuation {
    origin: Option<String>,
    then: Then,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Then {
    Exchange {
        session_id: String,
        /// What this browser had before.
        earlier: custody::Earlier,
    },
    Refresh {
        keeps_cookie: bool,
        session_id: String,
    },
    Revoke {
        session_id: String,
    },
    AppToken {
        /// For the token, once the session is known to be there.
        ask: Ask,
    },
    Api {
        method: String,
        url: String,
        headers: Vec<(String, String)>,
        /// For an app token likewise, if the path needs one.
        app: Option<Ask>,
    },
}

/// Whether the host should read the body of this request before [`begin`]; else it is streamed on,
/// or nobody wants it.
pub fn reads_body(config: &Config, request: &Request) -> bool {
    request.method == "POST"
        && matches!(route(config, request.path()), Route::Token | Route::Revoke)
}

/// Starts on a request that came in at `now_ms` (milliseconds since 1970). All that is drawn for it
/// comes from `seed`, which must be fresh each time. A body that is longer than [`BODY_LIMIT`] may
/// be cut off, but not below it.
pub fn begin(config: &Config, request: &Request, now_ms: f64, seed: &[u8; 32]) -> Step {
    let route = route(config, request.path());
    let event = route.event();
    let caller = route.caller(config, request);
    let method = request.method.as_str();
    if request.url.len() > URL_LIMIT {
        return caller.refuse(event, &Refusal::new(414, "invalid_request", "url_too_long"));
    }
    if request.body.len() > BODY_LIMIT {
        return caller.refuse(
            event,
            &Refusal::new(413, "invalid_request", "body_too_long"),
        );
    }
    let entropy = Entropy::new(seed);
    let begun = match (route, method) {
        (Route::Authorize, "GET") => Ok(authorize::begin(config, request, now_ms, &entropy)),
        (Route::Callback, "GET") => Ok(callback::begin(config, request, now_ms, &entropy)),
        (Route::Token | Route::Revoke | Route::Api(_), "OPTIONS") => {
            origin::preflight(&caller, request, matches!(route, Route::Api(_)))
        }
        (Route::Token, "POST") => token::begin(config, &caller, request, now_ms),
        (Route::Revoke, "POST") => revoke::begin(config, &caller, request, now_ms),
        (Route::Api(path), _) => api::begin(config, &caller, request, path, now_ms),
        (Route::Metadata, "GET" | "HEAD") => Ok(metadata::respond(config, &caller)),
        (Route::Health, "GET" | "HEAD") => Ok(caller.respond(
            Response::new(200).body("text/plain; charset=utf-8", "ok\n"),
            Log::ok(event),
        )),
        (Route::Nothing, _) => Err(Refusal::new(404, "invalid_request", "no_such_path")),
        _ => Err(Refusal::new(405, "invalid_request", "wrong_method")),
    };
    match begun {
        Ok(step) => step,
        Err(refusal) => {
            caller.refuse_with(event, &refusal, |response| match (refusal.status, route) {
                (405, Route::Token | Route::Revoke) => response.header("allow", "POST, OPTIONS"),
                (405, Route::Metadata | Route::Health) => response.header("allow", "GET, HEAD"),
                (405, _) => response.header("allow", "GET"),
                _ => response,
            })
        }
    }
}

/// Goes on with a request whose vault has answered.
pub fn finish(
    config: &Config,
    continuation: Continuation,
    answer: vault::Answer,
    now_ms: f64,
    seed: &[u8; 32],
) -> Step {
    let caller = Caller::known(config, continuation.origin);
    let entropy = Entropy::new(seed);
    match continuation.then {
        Then::Exchange {
            session_id,
            earlier,
        } => token::exchanged(
            config,
            &caller,
            &session_id,
            earlier,
            answer,
            now_ms,
            &entropy,
        ),
        Then::Refresh {
            session_id,
            keeps_cookie,
        } => token::refreshed(
            config,
            &caller,
            &session_id,
            keeps_cookie,
            answer,
            now_ms,
            &entropy,
        ),
        Then::Revoke { session_id } => revoke::finish(config, &caller, &session_id, &answer),
        Then::AppToken { ask } => app_token::finish(&caller, ask, answer),
        Then::Api {
            method,
            url,
            headers,
            app,
        } => {
            let headers: Headers = headers.into_iter().collect();
            let call = Request {
                method,
                url,
                headers,
                body: Vec::new(),
            };
            api::finish(&caller, call, app, answer)
        }
    }
}

/// What the host answers when something broke that should not: a trap in wasm, a vault out of
/// reach. Whoever asks may ask again.
pub fn broken(config: &Config, request: &Request, reason: &'static str) -> Step {
    refused(config, request, &Refusal::new(500, "server_error", reason))
}

/// What the host answers to a body that broke off: most likely nobody hears it.
pub fn unread(config: &Config, request: &Request) -> Step {
    let refusal = Refusal::new(400, "invalid_request", "body_cut");
    refused(config, request, &refusal)
}

fn refused(config: &Config, request: &Request, refusal: &Refusal) -> Step {
    let route = route(config, request.path());
    route.caller(config, request).refuse(route.event(), refusal)
}

#[derive(Clone, Copy)]
enum Route<'a> {
    Authorize,
    Callback,
    Token,
    Revoke,
    Api(&'a str),
    Metadata,
    Health,
    Nothing,
}

impl Route<'_> {
    fn caller<'a>(self, config: &'a Config, request: &Request) -> Caller<'a> {
        match self {
            Self::Authorize | Self::Callback => Caller::navigating(config),
            _ => Caller::new(config, request),
        }
    }

    const fn event(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Callback => "callback",
            Self::Token => "token",
            Self::Revoke => "revoke",
            Self::Api(_) => "api",
            Self::Metadata => "metadata",
            Self::Health => "health",
            Self::Nothing => "nothing",
        }
    }
}

/// Where a path leads. Of the URL the path alone counts: the host and scheme that a request names
/// are the sender's word.
fn route<'a>(config: &Config, path: &'a str) -> Route<'a> {
    if path.strip_prefix(metadata::WELL_KNOWN) == Some(config.issuer_path()) {
        return Route::Metadata;
    }
    match path.strip_prefix(config.issuer_path()) {
        Some("/authorize") => Route::Authorize,
        Some("/callback") => Route::Callback,
        Some("/token") => Route::Token,
        Some("/revoke") => Route::Revoke,
        Some("/health") => Route::Health,
        Some(rest) => match rest.strip_prefix("/api") {
            Some(path) if path.starts_with('/') => Route::Api(path),
            _ => Route::Nothing,
        },
        None => Route::Nothing,
    }
}

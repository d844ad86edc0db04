//! `GET /authorize`: a sign-in begins (RFC 6749, 4.1.1; RFC 7636, 4.3).

use std::format;
use std::string::{String, ToString};

use super::entropy::Entropy;
use super::params::Params;
use super::reply::{self, Log};
use super::transaction::{self, ReplyTo, ResponseMode, Stage, Transaction};
use super::{Config, Step};
use crate::protocol::authorization::{
    AuthorizationRequest, CustomParam, ResponseType, request as authorization_url,
};
use crate::protocol::form::Form;
use crate::protocol::http::Request;
use crate::protocol::pkce::{self, CodeChallenge};
use crate::protocol::scope::Scope;

const EVENT: &str = "authorize";
/// In bytes: what is sealed into a cookie has to fit.
const LONGEST_STATE: usize = 512;

pub fn begin(config: &Config, request: &Request, now_ms: f64, entropy: &Entropy<'_>) -> Step {
    let (params, repeated) = Params::of_query(request.query());
    // Nobody is redirected to a place that isn't proven (S09, S10).
    if params.once("client_id") != Some(&config.credentials.client_id) {
        return shown("client_id");
    }
    let Some(redirect_uri) = params
        .once("redirect_uri")
        .filter(|uri| config.redirect_uris.iter().any(|known| known == uri))
    else {
        return shown("redirect_uri");
    };
    let state = params.once("state");
    // Beyond this nothing is echoed, for a `Location` has its bounds too.
    let reply = ReplyTo {
        redirect_uri: redirect_uri.to_string(),
        state: state.filter(|s| s.len() <= LONGEST_STATE).map(String::from),
        response_mode: match params.once("response_mode") {
            Some("fragment") => ResponseMode::Fragment,
            _ => ResponseMode::Query,
        },
    };
    let checked = match repeated {
        Some(refusal) => Err(("invalid_request", refusal.reason)),
        None => check(config, &params).map_err(|(error, reason)| (error, reason.to_string())),
    };
    let checked = match checked {
        Ok(checked) => checked,
        Err((error, reason)) => {
            let location = reply.location(config, Form::new().set("error", error));
            return reply::redirect(303, &location, &[], Log::not_ok(EVENT, "refused", reason));
        }
    };
    start(config, request, reply, checked, now_ms, entropy)
}

struct Checked {
    code_challenge: CodeChallenge,
    scope: Scope,
    custom_param: CustomParam,
}

fn check(config: &Config, params: &Params) -> Result<Checked, (&'static str, &'static str)> {
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "response_type")),
        None => return Err(("invalid_request", "no_response_type")),
    }
    if !matches!(
        params.get("response_mode"),
        None | Some("query" | "fragment")
    ) {
        return Err(("invalid_request", "response_mode"));
    }
    if params.get("request").is_some() {
        return Err(("request_not_supported", "request"));
    }
    if params.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "request_uri"));
    }
    if params.get("state").is_some_and(|s| s.len() > LONGEST_STATE) {
        return Err(("invalid_request", "state_too_long"));
    }
    // No downgrade: without a method it would be `plain` (RFC 7636, 4.3; S14).
    if params.get("code_challenge_method") != Some(pkce::METHOD) {
        return Err(("invalid_request", "code_challenge_method"));
    }
    let code_challenge = CodeChallenge::parse(params.get("code_challenge").unwrap_or_default())
        .map_err(|_| ("invalid_request", "code_challenge"))?;
    let scope = match params.get("scope") {
        Some(text) => Scope::parse(text).map_err(|_| ("invalid_scope", "scope"))?,
        None => config.scope.clone(),
    };
    if scope.is_empty() || !scope.is_within(&config.scope) {
        return Err(("invalid_scope", "scope"));
    }
    let custom_param = match params.get("custom_param") {
        Some(text) => CustomParam::parse(text).map_err(|_| ("invalid_request", "custom_param"))?,
        None => CustomParam::default(),
    };
    Ok(Checked {
        code_challenge,
        scope,
        custom_param,
    })
}

fn start(
    config: &Config,
    request: &Request,
    reply: ReplyTo,
    checked: Checked,
    now_ms: f64,
    entropy: &Entropy<'_>,
) -> Step {
    let id = entropy.id("transaction id");
    let stage = Stage::Pending(Transaction {
        session_id: entropy.id("session id"),
        code_challenge: checked.code_challenge.as_str().to_string(),
        scope: checked.scope.to_spaces(),
        reply,
    });
    let expires_ms = now_ms + transaction::LIFETIME_MS;
    let Some(cookie) = transaction::keep(config, &id, &stage, now_ms, expires_ms, entropy) else {
        return shown("cookie_too_long");
    };
    // The gateway may not echo `state` [A]; it tolerates a `redirect_uri` with more query
    // parameters than are registered [S]. So the id travels both ways.
    let callback = format!("{}/callback", config.issuer());
    let redirect_uri = if config.transaction_in_redirect_uri {
        Form::new().set("tx", &id).onto_url(&callback)
    } else {
        callback
    };
    let location = authorization_url(
        &config.authorization_endpoint,
        &AuthorizationRequest {
            client_id: &config.credentials.client_id,
            scope: &checked.scope.to_commas(),
            redirect_uri: &redirect_uri,
            state: &id,
            // [A] AT&T's SDKs never send it: a gateway may know no such parameter.
            response_type: config.send_response_type.then_some(ResponseType::Code),
            // The gateway has no PKCE: what the app sent is between it and us.
            code_challenge: "",
            response_mode: "",
            custom_param: checked.custom_param.value(),
        },
    );
    let mut cookies = transaction::make_room(config, request, now_ms);
    cookies.push(cookie);
    reply::redirect(302, &location, &cookies, Log::ok(EVENT))
}

fn shown(reason: &'static str) -> Step {
    reply::page(
        400,
        "This sign-in can't start",
        "The app that sent you here is not set up for this sign-in. Go back to it; if that doesn't help, tell its makers.",
        None,
        Log::not_ok(EVENT, "refused", reason),
    )
}

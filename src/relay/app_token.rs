//! App tokens (`client_credentials`): for the signed in alone, of listed scopes, one for all (S21).

use std::string::{String, ToString};

use serde_json::json;

use super::custody;
use super::params::Params;
use super::reply::{Caller, Log, Refusal};
use super::token::grant;
use super::vault::{Answer, Command};
use super::{Ask, Config, Continuation, Step, Then};
use crate::protocol::http::{JSON, Request, Response};
use crate::protocol::scope::Scope;

const EVENT: &str = "app_token";

/// The grant at `/token`. Who asks shows a session: its cookie, or its handle as `refresh_token`.
pub fn begin(
    config: &Config,
    caller: &Caller<'_>,
    request: &Request,
    params: &Params,
    now_ms: f64,
) -> Result<Step, Refusal> {
    if config.app_scopes.is_empty() {
        let reason = "client_credentials_is_off";
        return Err(Refusal::new(400, "unauthorized_client", reason));
    }
    let asked = match params.get("scope") {
        Some(text) => Scope::parse(text).ok(),
        None => Some(config.app_scopes.clone()),
    };
    let scope = asked
        .and_then(|scope| config.app_scope(&scope))
        .ok_or_else(|| Refusal::new(400, "invalid_scope", "not_an_app_scope"))?;
    let rejected = params.number("rejected_generation")?;
    let min_validity = params
        .number("min_validity")?
        .unwrap_or(config.min_validity);
    let held = custody::session(config, request, params.get("refresh_token"), now_ms)?;
    Ok(Step::Ask {
        ask: Ask {
            vault: config.vault(&held.session_id),
            command: Command::Check {
                handle: held.handle,
            },
        },
        then: Continuation {
            origin: caller.origin.clone(),
            then: Then::AppToken {
                ask: ask(config, scope, min_validity, rejected),
            },
        },
    })
}

/// What is asked of the vault that keeps the token of `scope`, which is in order.
pub fn ask(config: &Config, scope: String, min_validity: u32, rejected: Option<u32>) -> Ask {
    Ask {
        vault: config.app_vault(&scope),
        command: Command::App {
            scope,
            min_validity,
            rejected,
        },
    }
}

/// After the session's vault, and after the token's.
pub fn finish(caller: &Caller<'_>, ask: Ask, answer: Answer) -> Step {
    if answer == Answer::Alive {
        return Step::Ask {
            then: Continuation {
                origin: caller.origin.clone(),
                then: Then::AppToken { ask: ask.clone() },
            },
            ask,
        };
    }
    let grant = match grant(answer) {
        Ok(grant) => grant,
        Err(refusal) => return caller.refuse(EVENT, &refusal),
    };
    let body = json!({
        "access_token": grant.access_token.expose(),
        "token_type": "Bearer",
        "expires_in": grant.expires_in,
        "scope": grant.scope,
        "generation": grant.generation,
    });
    let response = Response::new(200)
        .body(JSON, body.to_string())
        // RFC 6749, 5.1.
        .header("pragma", "no-cache");
    caller.respond(response, Log::ok(EVENT))
}

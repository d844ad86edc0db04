//! `POST /revoke` (RFC 7009): the session ends, here at once and at the gateway as soon as it can.

use super::config::Custody;
use super::custody::{self, deleted_cookie};
use super::origin;
use super::params::Params;
use super::reply::{Caller, Log, Refusal};
use super::token::check_client;
use super::vault::{Answer, Command};
use super::{Ask, Config, Continuation, Step, Then};
use crate::protocol::http::{Request, Response};

const EVENT: &str = "revoke";

pub fn begin(
    config: &Config,
    caller: &Caller<'_>,
    request: &Request,
    now_ms: f64,
) -> Result<Step, Refusal> {
    origin::check(caller, request)?;
    let params = Params::of_body(request)?;
    check_client(config, request, &params)?;
    let token = params.get("token");
    // "REQUIRED" (7009, 2.1); in custody `cookie` the cookie stands for it: our extension.
    if config.custody == Custody::Handle && token.is_none() {
        return Err(Refusal::new(400, "invalid_request", "no_token"));
    }
    let held = match custody::session(config, request, token, now_ms) {
        Ok(held) => held,
        Err(refusal) if refusal.status == 409 => return Err(refusal),
        // An access token isn't one that is revoked here (2.2.1; S20). The hint is looked at last:
        // it may be wrong (2.1).
        Err(_) if params.get("token_type_hint") == Some("access_token") => {
            return Err(Refusal::new(400, "unsupported_token_type", "access_token"));
        }
        // A token that we didn't give out is answered with 200 all the same (2.2), and says nothing
        // of the cookie.
        Err(refusal) => {
            let log = Log::not_ok(EVENT, "ok", refusal.reason);
            let label = custody::expected_label(request).filter(|_| token.is_none());
            return Ok(done(config, caller, log, label));
        }
    };
    Ok(Step::Ask {
        ask: Ask {
            vault: config.vault(&held.session_id),
            command: Command::End,
        },
        then: Continuation {
            origin: caller.origin.clone(),
            then: Then::Revoke {
                session_id: held.session_id,
            },
        },
    })
}

/// The session is over whatever the gateway said: what is owed to it waits in the vault (S30).
pub fn finish(config: &Config, caller: &Caller<'_>, session_id: &str, answer: &Answer) -> Step {
    let log = match answer {
        Answer::Done => Log::ok(EVENT),
        _ => Log::not_ok(EVENT, "ok", "owed"),
    };
    done(config, caller, log, Some(&config.label(session_id)))
}

fn done(config: &Config, caller: &Caller<'_>, log: Log, label: Option<&str>) -> Step {
    let response = Response::new(200);
    let response = match label.and_then(|label| deleted_cookie(config, label)) {
        Some(cookie) => response.header("set-cookie", cookie),
        None => response,
    };
    caller.respond(response, log)
}

//! `POST /token`: a code for tokens (RFC 6749, 4.1.3; RFC 7636, 4.5), and "a valid access token,
//! please" (section 6, with our extensions).

use std::format;
use std::string::ToString;

use serde_json::json;

use super::callback::SealedCode;
use super::cookie::{self, SameSite};
use super::entropy::Entropy;
use super::params::Params;
use super::reply::{Caller, Log, Refusal};
use super::seal::Purpose;
use super::vault::{Answer, Command, Grant, Shown};
use super::{Ask, Config, Continuation, Step, Then, app_token, custody, origin};
use crate::protocol::Secret;
use crate::protocol::http::{JSON, Request, Response};
use crate::protocol::pkce::{CodeChallenge, CodeVerifier};
use crate::protocol::scope::Scope;

const EXCHANGE: &str = "token";
const REFRESH: &str = "refresh";

pub fn begin(
    config: &Config,
    caller: &Caller<'_>,
    request: &Request,
    now_ms: f64,
) -> Result<Step, Refusal> {
    origin::check(caller, request)?;
    let params = Params::of_body(request)?;
    check_client(config, request, &params)?;
    match params.get("grant_type") {
        Some("authorization_code") => exchange(config, caller, request, &params, now_ms),
        Some("refresh_token") => refresh(config, caller, request, &params, now_ms),
        Some("client_credentials") => app_token::begin(config, caller, request, &params, now_ms),
        Some(_) => Err(Refusal::new(400, "unsupported_grant_type", "unknown_grant")),
        None => Err(Refusal::new(400, "invalid_request", "no_grant_type")),
    }
}

/// A public client names itself and has no secret; one that sends a secret has a leak (BBA, 6.3.2.1).
pub fn check_client(config: &Config, request: &Request, params: &Params) -> Result<(), Refusal> {
    if request.headers.get("authorization").is_some() {
        return Err(Refusal::header_credentials());
    }
    if params.get("client_id") != Some(&config.credentials.client_id) {
        return Err(Refusal::new(401, "invalid_client", "another_client_id"));
    }
    if params.get("client_secret").is_some() {
        return Err(Refusal::new(
            401,
            "invalid_client",
            "client_secret_from_a_browser",
        ));
    }
    Ok(())
}

fn exchange(
    config: &Config,
    caller: &Caller<'_>,
    request: &Request,
    params: &Params,
    now_ms: f64,
) -> Result<Step, Refusal> {
    let missing = |reason| Refusal::new(400, "invalid_request", reason);
    let code = params.get("code").ok_or_else(|| missing("no_code"))?;
    let verifier = params
        .get("code_verifier")
        .ok_or_else(|| missing("no_code_verifier"))?;
    // Everything is checked before the code is spent, so a wrong try costs its owner nothing.
    let (code, _) = config
        .sealer
        .open::<SealedCode>(Purpose::Code, code, now_ms)
        .ok_or_else(|| Refusal::invalid_grant("bad_code"))?;
    let met = CodeVerifier::parse(verifier).is_ok_and(|verifier| {
        CodeChallenge::parse(&code.code_challenge)
            .is_ok_and(|challenge| challenge.is_met_by(&verifier))
    });
    if !met {
        return Err(Refusal::invalid_grant("wrong_code_verifier"));
    }
    // "if the redirect_uri parameter was included …, and their values MUST be identical" (4.1.3).
    if params
        .get("redirect_uri")
        .is_some_and(|uri| uri != code.redirect_uri)
    {
        return Err(Refusal::invalid_grant("another_redirect_uri"));
    }
    let earlier = custody::earlier(config, request, &code.session_id, now_ms);
    Ok(Step::Ask {
        ask: Ask {
            vault: config.vault(&code.session_id),
            command: Command::Exchange {
                code: code.code,
                scope: code.scope,
            },
        },
        then: Continuation {
            origin: caller.origin.clone(),
            then: Then::Exchange {
                session_id: code.session_id,
                earlier,
            },
        },
    })
}

fn refresh(
    config: &Config,
    caller: &Caller<'_>,
    request: &Request,
    params: &Params,
    now_ms: f64,
) -> Result<Step, Refusal> {
    let rejected = params.number("rejected_generation")?;
    let min_validity = params.number("min_validity")?;
    let held = custody::session(config, request, params.get("refresh_token"), now_ms)?;
    // Ours says what it wants, or bears its header.
    let is_plain = rejected.is_none()
        && min_validity.is_none()
        && request.headers.get(origin::SESSION).is_none();
    let scope = params.get("scope").map(Scope::parse).transpose();
    let scope = scope.map_err(|_| Refusal::new(400, "invalid_scope", "bad_scope"))?;
    Ok(Step::Ask {
        ask: Ask {
            vault: config.vault(&held.session_id),
            command: Command::Token {
                min_validity: min_validity.unwrap_or(config.min_validity),
                rejected,
                scope: scope.map(|scope| scope.to_spaces()),
                handle: held.handle.map(|generation| Shown {
                    generation,
                    is_plain,
                }),
            },
        },
        then: Continuation {
            origin: caller.origin.clone(),
            then: Then::Refresh {
                session_id: held.session_id,
                keeps_cookie: held.has_young_cookie,
            },
        },
    })
}

pub fn exchanged(
    config: &Config,
    caller: &Caller<'_>,
    session_id: &str,
    earlier: custody::Earlier,
    answer: Answer,
    now_ms: f64,
    entropy: &Entropy<'_>,
) -> Step {
    let grant = match grant(answer) {
        Ok(grant) => grant,
        Err(refusal) => return caller.refuse(EXCHANGE, &refusal),
    };
    // Each sign-in has a fresh session; the one before it in this browser is over.
    let step = granted(
        config, caller, EXCHANGE, session_id, &grant, false, now_ms, entropy,
    );
    let Step::Respond {
        mut response, log, ..
    } = step
    else {
        return step;
    };
    for name in &earlier.cookies {
        response = response.header("set-cookie", cookie::delete(name, SameSite::Strict));
    }
    let ends = earlier.sessions.iter().map(|session_id| Ask {
        vault: config.vault(session_id),
        command: Command::End,
    });
    Step::Respond {
        response,
        log,
        after: ends.collect(),
    }
}

pub fn refreshed(
    config: &Config,
    caller: &Caller<'_>,
    session_id: &str,
    keeps_cookie: bool,
    answer: Answer,
    now_ms: f64,
    entropy: &Entropy<'_>,
) -> Step {
    match grant(answer) {
        Ok(grant) => granted(
            config,
            caller,
            REFRESH,
            session_id,
            &grant,
            keeps_cookie,
            now_ms,
            entropy,
        ),
        // A cookie that opens nothing any more goes with its session.
        Err(refusal) if refusal.error == "invalid_grant" => caller.refuse_with(
            REFRESH,
            &refusal,
            |response| match custody::deleted_cookie(config, &config.label(session_id)) {
                Some(cookie) => response.header("set-cookie", cookie),
                None => response,
            },
        ),
        Err(refusal) => caller.refuse(REFRESH, &refusal),
    }
}

/// A vault's answer as a grant, or as the error that goes out.
pub fn grant(answer: Answer) -> Result<Grant, Refusal> {
    match answer {
        Answer::Grant(grant) => Ok(grant),
        Answer::Gone { reason } => Err(Refusal::invalid_grant(reason)),
        Answer::WrongScope => Err(Refusal::new(400, "invalid_scope", "another_scope")),
        Answer::Unavailable {
            status,
            retry_after,
            reason,
        } => Err(Refusal {
            retry_after,
            ..Refusal::new(status, "temporarily_unavailable", reason)
        }),
        Answer::Done | Answer::Alive => Err(Refusal::internal()),
    }
}

#[allow(clippy::too_many_arguments)]
fn granted(
    config: &Config,
    caller: &Caller<'_>,
    event: &'static str,
    session_id: &str,
    grant: &Grant,
    keeps_cookie: bool,
    now_ms: f64,
    entropy: &Entropy<'_>,
) -> Step {
    let Some(holds) = custody::hold(config, session_id, grant, keeps_cookie, now_ms, entropy)
    else {
        return caller.refuse(event, &Refusal::internal());
    };
    let mut body = json!({
        "access_token": Secret::expose(&grant.access_token),
        "token_type": "Bearer",
        "expires_in": grant.expires_in,
        "scope": grant.scope,
        "session": config.label(session_id),
        "generation": grant.generation,
    });
    let sealed = [
        ("refresh_token", holds.refresh_token),
        ("api_handle", holds.api_handle),
    ];
    for (name, text) in sealed {
        if let (Some(text), Some(members)) = (text, body.as_object_mut()) {
            members.insert(name.to_string(), text.into());
        }
    }
    let mut response = Response::new(200)
        .body(JSON, body.to_string())
        // RFC 6749, 5.1.
        .header("pragma", "no-cache");
    if let Some(cookie) = holds.cookie {
        response = response.header("set-cookie", cookie);
    }
    let reason = format!("generation {}", grant.generation).to_string();
    let log = Log::not_ok(event, "ok", reason);
    caller.respond(response, log)
}

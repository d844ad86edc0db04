//! `GET /callback`: the gateway's answer comes back (RFC 6749, 4.1.2).

use std::string::String;

use serde::{Deserialize, Serialize};

use super::digest;
use super::entropy::Entropy;
use super::params::{Params, printable};
use super::reply::{self, Log};
use super::seal::Purpose;
use super::transaction::{self, Stage, Transaction, find};
use super::{Config, Step, secret};
use crate::protocol::Secret;
use crate::protocol::form::Form;
use crate::protocol::http::{Request, split_url};

const EVENT: &str = "callback";
/// How long a sealed code is good, in milliseconds.
const CODE_LIFETIME_MS: f64 = 60_000.0;
/// How long the browser keeps the answer, for the gateway's page may deliver it twice \[S\].
const DONE_LIFETIME_MS: f64 = 120_000.0;
/// In bytes. AT&T's are short.
const LONGEST_CODE: usize = 1024;
/// In bytes. An error's name is a word; the gateway's own may be another than the RFC's \[A\].
const LONGEST_ERROR: usize = 64;

/// The code that the app gets, sealed: the gateway's, and all that it is bound to.
#[derive(Debug, Serialize, Deserialize)]
pub struct SealedCode {
    #[serde(rename = "g", with = "secret")]
    pub code: Secret,
    #[serde(rename = "s")]
    pub session_id: String,
    #[serde(rename = "c")]
    pub code_challenge: String,
    #[serde(rename = "r")]
    pub redirect_uri: String,
    #[serde(rename = "p")]
    pub scope: String,
}

pub fn begin(config: &Config, request: &Request, now_ms: f64, entropy: &Entropy<'_>) -> Step {
    let (params, repeated) = Params::of_query(request.query());
    if let Some(refusal) = repeated {
        return shown(config, &refusal.reason);
    }
    let (code, error) = (params.get("code"), params.get("error"));
    let answer = match (code, error) {
        (Some(code), None) if code.len() <= LONGEST_CODE => code,
        (None, Some(error)) => error,
        (Some(_), None) => return shown(config, "code_too_long"),
        (Some(_), Some(_)) => return shown(config, "code_and_error"),
        (None, None) => return nothing(config),
    };
    // One of the two must have come back, and if both have they agree.
    let id = match (params.get("state"), params.get("tx")) {
        (Some(state), Some(tx)) if state != tx => return shown(config, "state_and_tx_differ"),
        (Some(id), _) | (None, Some(id)) if transaction::is_id(id) => id,
        (None, None) => return shown(config, "no_transaction_id"),
        _ => return shown(config, "bad_transaction_id"),
    };
    let Some((stage, expires_ms)) = find(config, &request.headers, id, now_ms) else {
        return shown(config, "no_such_transaction");
    };
    let kind = if code.is_some() { "code" } else { "error" };
    let answer_hash = digest::short(&[kind, answer], 16);
    let transaction = match stage {
        Stage::Pending(transaction) => transaction,
        Stage::Done {
            answer_hash: taken,
            location: Some(location),
        } if taken == answer_hash => {
            let log = Log::not_ok(EVENT, "ok", "repeated");
            return reply::redirect(303, &location, &[], log);
        }
        Stage::Done { .. } => return shown(config, "second_answer"),
    };
    let (location, log) = match code {
        Some(code) => {
            let Some(form) = wrapped(config, code, &transaction, now_ms, entropy) else {
                return shown(config, "internal");
            };
            (transaction.reply.location(config, form), Log::ok(EVENT))
        }
        None => (
            transaction.reply.location(config, refusal(&params)),
            Log::not_ok(EVENT, "refused", why(&params)),
        ),
    };
    let done = |location| Stage::Done {
        answer_hash: answer_hash.clone(),
        location,
    };
    let expires_ms = expires_ms.min(now_ms + DONE_LIFETIME_MS);
    let keep = |stage| transaction::keep(config, id, &stage, now_ms, expires_ms, entropy);
    let cookie = keep(done(Some(location.clone()))).or_else(|| keep(done(None)));
    reply::redirect(303, &location, cookie.as_slice(), log)
}

fn wrapped(
    config: &Config,
    code: &str,
    transaction: &Transaction,
    now_ms: f64,
    entropy: &Entropy<'_>,
) -> Option<Form> {
    let code = SealedCode {
        code: Secret::new(code),
        session_id: transaction.session_id.clone(),
        code_challenge: transaction.code_challenge.clone(),
        redirect_uri: transaction.reply.redirect_uri.clone(),
        scope: transaction.scope.clone(),
    };
    let expires_ms = now_ms + CODE_LIFETIME_MS;
    let sealed = config
        .sealer
        .seal(Purpose::Code, &code, expires_ms, entropy)?;
    Some(Form::new().set("code", &sealed))
}

/// A user's no is none of the gateway's failures (RFC 6749, 4.1.2.1).
fn why(params: &Params) -> &'static str {
    match params.get("error") {
        Some("access_denied") => "access_denied",
        _ => "gateway_error",
    }
}

/// The gateway's refusal as the app gets it.
fn refusal(params: &Params) -> Form {
    let error = params.get("error").unwrap_or_default();
    let is_word = error.len() <= LONGEST_ERROR
        && error
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let description = params
        .get("error_description")
        .map(|text| printable(text, 200));
    Form::new()
        .set("error", if is_word { error } else { "server_error" })
        .set_some("error_description", description.as_deref())
}

/// What an answer in the fragment looks like from here: AT&T's documentation can be read so \[D\].
fn nothing(config: &Config) -> Step {
    reply::page(
        400,
        "This sign-in brought no answer",
        "AT&T sent you back without an answer that can be read here. Go back to the app and sign in again. If it happens each time, tell the app's makers: the gateway must answer with a code in the query.",
        app(config),
        Log::not_ok(EVENT, "refused", "no_answer"),
    )
}

fn shown(config: &Config, reason: &str) -> Step {
    reply::page(
        400,
        "This sign-in can't go on",
        "It is too old, was finished already, or began in another browser. Go back to the app: if you aren't signed in there, sign in again.",
        app(config),
        Log::not_ok(EVENT, "refused", reason),
    )
}

/// The app's page to go back to, if it is clear which app that is: it takes up whatever session there is.
fn app(config: &Config) -> Option<&str> {
    let (first, others) = config.redirect_uris.split_first()?;
    let origin = |uri| split_url(uri).origin;
    let is_one = others.iter().all(|uri| origin(uri) == origin(first));
    is_one.then_some(first)
}

//! A call to the gateway is over: what it did to the session.

use std::string::{String, ToString};
use std::time::SystemTime;

use super::app::App;
use super::record::{Backoff, Record, Session, State};
use super::{Answer, Ticket};
use crate::protocol::http::Response;
use crate::protocol::token::{self, Tokens};
use crate::protocol::{Error, ErrorCode, Secret, revocation};
use crate::relay::entropy::Entropy;
use crate::relay::reply::Log;
use crate::relay::{Config, REPLY_LIMIT};

/// The longest pause between two renewals that we choose ourselves, in milliseconds.
const RENEWAL_PAUSE_MS: f64 = 60_000.0;
/// The same for revocations, which nobody waits for.
const REVOCATION_PAUSE_MS: f64 = 6.0 * 3_600_000.0;
/// The longest `Retry-After` that is respected, in milliseconds.
const RETRY_AFTER_MS: f64 = 86_400_000.0;
/// How often a revocation is tried before it is given up: about three days.
const REVOCATION_TRIES: u32 = 24;

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// None in time. The gateway may have done what was asked.
    Timeout,
    /// The connection failed or broke. The gateway may have done what was asked.
    Network,
}

/// What a call's outcome leaves behind. The record is stored before anybody hears of it.
#[derive(Debug)]
pub struct Called {
    /// What is to be kept.
    pub record: Record,
    /// When to send [`Command::Alarm`](super::Command::Alarm), in milliseconds since 1970.
    pub alarm: f64,
    /// For those who waited; if there is none, they take their step again.
    pub answer: Option<Answer>,
    /// What to write to the log.
    pub log: Log,
}

/// Takes the outcome of the call that `ticket` was for. A response whose body was too long to read
/// comes with more than [`REPLY_LIMIT`] bytes.
pub fn called(
    config: &Config,
    record: Option<Record>,
    ticket: &Ticket,
    outcome: Result<&Response, Failure>,
    now_ms: f64,
    seed: &[u8; 32],
) -> Called {
    let mut record = record.unwrap_or_else(|| {
        Record::new(match ticket {
            Ticket::App { .. } => State::App(App::default()),
            _ => State::Ended {
                reason: "forgotten".to_string(),
                at_ms: now_ms,
            },
        })
    });
    let entropy = Entropy::new(seed);
    let outcome = Outcome { outcome, now_ms };
    let (event, problem, answer) = match ticket {
        Ticket::Exchange { code_hash, scope } => {
            let tokens = outcome.tokens();
            let (problem, answer) = exchanged(&mut record, code_hash, scope, tokens, now_ms);
            ("exchange", problem, answer)
        }
        Ticket::Renewal { handle, .. } => {
            let problem = renewed(&mut record, *handle, &outcome, &entropy);
            ("renewal", problem, None)
        }
        Ticket::App { scope } => {
            let problem = app_token(&mut record, scope, &outcome, &entropy);
            ("app_token", problem, None)
        }
        Ticket::Revocation { token_hash } => {
            let problem = revoked(&mut record, token_hash, &outcome, &entropy);
            ("revocation", problem, None)
        }
    };
    let log = match &problem {
        None => Log::ok(event),
        Some(problem) => Log::not_ok(event, problem.outcome, problem.reason.clone()),
    };
    Called {
        alarm: record.alarm(config),
        record,
        answer,
        log: Log {
            gateway_status: outcome.outcome.ok().map(|response| response.status),
            ..log
        },
    }
}

fn exchanged(
    record: &mut Record,
    code_hash: &str,
    scope: &str,
    tokens: Result<Tokens, Problem>,
    now_ms: f64,
) -> (Option<Problem>, Option<Answer>) {
    let waiting =
        matches!(&record.state, State::Exchanging { code_hash: spent, .. } if spent == code_hash);
    match tokens {
        Ok(tokens) if waiting => {
            let session = Session::begin(tokens, scope, code_hash.to_string(), now_ms);
            record.state = State::Active(session);
            (None, None)
        }
        // The user has signed out meanwhile: what came too late is given back (S30).
        Ok(tokens) => {
            record.owe(tokens.refresh_token, tokens.access_token, now_ms);
            (None, None)
        }
        Err(problem) => {
            if waiting {
                record.end(&problem.reason, false, now_ms);
            }
            // Whatever became of it, the code is spent (S25): who asks again would get nothing else, so
            // this is said at once, and the app need not try.
            let answer = Answer::Gone {
                reason: problem.reason.clone(),
            };
            (Some(problem), Some(answer))
        }
    }
}

fn renewed(
    record: &mut Record,
    handle: Option<u32>,
    outcome: &Outcome<'_>,
    entropy: &Entropy<'_>,
) -> Option<Problem> {
    let now_ms = outcome.now_ms;
    match (outcome.tokens(), &mut record.state) {
        (Ok(tokens), State::Active(session)) => {
            session.renew(tokens, now_ms);
            if handle == Some(session.handle) {
                session.next_handle();
            }
            None
        }
        (Ok(tokens), _) => {
            record.owe(tokens.refresh_token, tokens.access_token, now_ms);
            None
        }
        (Err(problem), State::Active(_)) if problem.ends_session => {
            record.end(&problem.reason, false, now_ms);
            Some(problem)
        }
        (Err(problem), State::Active(session)) => {
            let before = session.backoff.unwrap_or_default();
            session.backoff = Some(outcome.backoff(before, RENEWAL_PAUSE_MS, entropy));
            Some(problem)
        }
        (Err(problem), _) => Some(problem),
    }
}

/// Whatever went wrong is worth another try later: there is no user to sign in again.
fn app_token(
    record: &mut Record,
    scope: &str,
    outcome: &Outcome<'_>,
    entropy: &Entropy<'_>,
) -> Option<Problem> {
    let State::App(app) = &mut record.state else {
        return None;
    };
    match outcome.tokens() {
        Ok(tokens) => {
            app.take(tokens, scope, outcome.now_ms);
            None
        }
        Err(problem) => {
            app.backoff = outcome.backoff(app.backoff, RENEWAL_PAUSE_MS, entropy);
            Some(problem)
        }
    }
}

fn revoked(
    record: &mut Record,
    token_hash: &str,
    outcome: &Outcome<'_>,
    entropy: &Entropy<'_>,
) -> Option<Problem> {
    let at = record
        .owed
        .iter()
        .position(|owed| owed.hash() == token_hash)?;
    let problem = outcome.revoked().err();
    let owed = record.owed.get_mut(at)?;
    if problem.is_some() {
        owed.backoff = outcome.backoff(owed.backoff, REVOCATION_PAUSE_MS, entropy);
    }
    if problem.is_none() || owed.backoff.failures >= REVOCATION_TRIES {
        record.owed.remove(at);
    }
    problem
}

/// What went wrong.
struct Problem {
    outcome: &'static str,
    /// For the log and for the record of an ended session.
    reason: String,
    ends_session: bool,
}

struct Outcome<'a> {
    outcome: Result<&'a Response, Failure>,
    now_ms: f64,
}

impl Outcome<'_> {
    fn tokens(&self) -> Result<Tokens, Problem> {
        let tokens = token::response(self.response()?).map_err(|error| problem(&error))?;
        // An access token of other characters can't go out as RFC 6750, 2.1 writes it; a refresh token may
        // have spaces (RFC 6749, A.17).
        let is_of =
            |token: &Secret, first| token.expose().bytes().all(|b| (first..=b'~').contains(&b));
        let refresh_token = tokens.refresh_token.as_ref();
        if is_of(&tokens.access_token, b'!') && refresh_token.is_none_or(|token| is_of(token, b' '))
        {
            Ok(tokens)
        } else {
            Err(failed("unreadable_token"))
        }
    }

    fn revoked(&self) -> Result<(), Problem> {
        revocation::response(self.response()?).map_err(|error| problem(&error))
    }

    fn response(&self) -> Result<&Response, Problem> {
        match self.outcome {
            Ok(response) if response.body.len() > REPLY_LIMIT => Err(failed("reply_too_long")),
            Ok(response) => Ok(response),
            Err(Failure::Timeout) => Err(failed("timeout")),
            Err(Failure::Network) => Err(failed("network")),
        }
    }

    /// Twice as long each time, spread by chance so that many sessions don't come back at once; not
    /// before `Retry-After`.
    fn backoff(&self, before: Backoff, longest_ms: f64, entropy: &Entropy<'_>) -> Backoff {
        let failures = before.failures.saturating_add(1);
        let doubled = 2f64.powi(i32::try_from(failures.min(30)).unwrap_or(30));
        let pause = (500.0 * doubled).min(longest_ms);
        let pause = pause * (0.5 + entropy.fraction("jitter") / 2.0);
        let asked = self
            .retry_after_ms()
            .unwrap_or_default()
            .min(RETRY_AFTER_MS);
        Backoff {
            failures,
            // Whole, for an alarm that is set to a fraction of a millisecond rings before it.
            next_ms: (self.now_ms + pause.max(asked)).ceil(),
        }
    }

    /// A number of seconds, or a date (RFC 9110, 10.2.3).
    fn retry_after_ms(&self) -> Option<f64> {
        let text = self.outcome.ok()?.headers.get("retry-after")?.trim();
        if let Ok(seconds) = text.parse::<u32>() {
            return Some(f64::from(seconds) * 1000.0);
        }
        let date = httpdate::parse_http_date(text).ok()?;
        let since_1970 = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(since_1970.as_secs_f64() * 1000.0 - self.now_ms)
    }
}

fn failed(reason: &str) -> Problem {
    Problem {
        outcome: "failed",
        reason: reason.to_string(),
        ends_session: false,
    }
}

fn problem(error: &Error) -> Problem {
    let (outcome, reason) = match error.code {
        ErrorCode::LoginRequired => ("refused", "invalid_grant"),
        ErrorCode::TemporarilyUnavailable => ("failed", "gateway_unavailable"),
        ErrorCode::InvalidResponse => ("failed", "unreadable_reply"),
        // The operator has to look: a wrong secret, a scope that isn't provisioned.
        _ => match error.error.as_deref() {
            Some("invalid_client") => ("failed", "invalid_client"),
            Some("invalid_scope") => ("failed", "invalid_scope"),
            Some("unauthorized_client") => ("failed", "unauthorized_client"),
            _ => ("failed", "gateway_refuses"),
        },
    };
    Problem {
        outcome,
        reason: reason.to_string(),
        ends_session: error.code == ErrorCode::LoginRequired,
    }
}

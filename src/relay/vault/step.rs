//! A command to a vault, and what comes next.

use std::string::{String, ToString};

use super::app;
use super::record::{REPEAT_MS, Record, Session, State, Worth, hash};
use super::{
    Answer, Call, Command, PATIENCE_MS, REVOCATION_TIMEOUT_MS, Shown, TOKEN_TIMEOUT_MS, Ticket,
    YOUNG_MS,
};
use crate::protocol::scope::Scope;
use crate::protocol::token::{self, Grant};
use crate::protocol::{Secret, revocation};
use crate::relay::Config;

/// The time of the last use is kept to the hour, so that a use costs no store.
const USE_STEP_MS: f64 = 3_600_000.0;

/// The vault's one call to the gateway, as its host knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    /// Whether one is under way.
    pub under_way: bool,
    /// Whether this caller has waited for one already: then it takes what there is.
    pub waited: bool,
}

/// What comes of a command.
#[derive(Debug)]
pub struct Stepped {
    /// What is to be kept from now on.
    pub record: Option<Record>,
    /// Whether that differs from what was kept: then it is stored first.
    pub changed: bool,
    /// When to send [`Command::Alarm`], in milliseconds since 1970, if anything is kept.
    pub alarm: Option<f64>,
    /// And then this.
    pub next: Next,
}

/// What a host does next.
#[derive(Debug)]
pub enum Next {
    /// Hands this to the caller.
    Answer(Answer),
    /// Makes a call, tells [`called`](super::called()) its outcome, and takes the step again,
    /// having waited.
    Call(Call),
    /// Waits until the call under way is over, but not longer, and takes the step again, having
    /// waited.
    Wait {
        /// In milliseconds.
        ms: u32,
    },
}

/// Carries out `command` on what is kept, at `now_ms` (milliseconds since 1970).
pub fn step(
    config: &Config,
    mut record: Option<Record>,
    command: &Command,
    flight: Flight,
    now_ms: f64,
) -> Stepped {
    let mut changed = false;
    if let Some(kept) = &mut record {
        changed = expire(config, kept, flight, now_ms);
    }
    let next = match command {
        Command::Exchange { code, scope } => exchange(
            config,
            &mut record,
            &mut changed,
            code,
            scope,
            flight,
            now_ms,
        ),
        Command::Token {
            min_validity,
            rejected,
            scope,
            handle,
        } => {
            let shown = handle.map(|handle| handle.generation);
            with_session(
                &mut record,
                &mut changed,
                shown,
                now_ms,
                |session, worth| {
                    let wanted = Wanted {
                        min_validity: *min_validity,
                        rejected: *rejected,
                        scope: scope.as_deref(),
                        handle: handle.filter(|_| worth == Some(Worth::Current)),
                    };
                    wanted.from(config, session, flight, now_ms)
                },
            )
        }
        Command::Check { handle } => {
            with_session(&mut record, &mut changed, *handle, now_ms, |_, _| {
                Next::Answer(Answer::Alive)
            })
        }
        Command::App {
            scope,
            min_validity,
            rejected,
        } => app::step(
            config,
            record.as_mut(),
            &mut changed,
            &app::Wanted {
                scope,
                min_validity: *min_validity,
                rejected: *rejected,
            },
            flight,
            now_ms,
        ),
        Command::End => {
            if let Some(kept) = &mut record
                && matches!(kept.state, State::Active(_) | State::Exchanging { .. })
            {
                kept.end("revoked", true, now_ms);
                changed = true;
            }
            settle(config, record.as_mut(), &mut changed, flight, now_ms)
        }
        Command::Alarm => {
            if record
                .as_ref()
                .is_some_and(|kept| kept.is_over(config, now_ms))
            {
                record = None;
                changed = true;
            }
            settle(config, record.as_mut(), &mut changed, flight, now_ms)
        }
    };
    Stepped {
        alarm: record.as_ref().map(|kept| kept.alarm(config)),
        record,
        changed,
        next,
    }
}

/// Ends what time has ended.
fn expire(config: &Config, record: &mut Record, flight: Flight, now_ms: f64) -> bool {
    let reason = match &record.state {
        // Whoever made the call is gone, and may have had an answer: the code stays spent.
        State::Exchanging { .. } if !flight.under_way => "exchange_lost",
        State::Active(session) if now_ms >= session.ends_ms => "expired",
        State::Active(session) if now_ms >= session.end_ms(config) => "idle",
        _ => return false,
    };
    record.end(reason, true, now_ms);
    true
}

fn exchange(
    config: &Config,
    record: &mut Option<Record>,
    changed: &mut bool,
    code: &Secret,
    scope: &str,
    flight: Flight,
    now_ms: f64,
) -> Next {
    let code_hash = hash(code);
    let Some(kept) = record else {
        *record = Some(Record::exchanging(code_hash.clone(), now_ms));
        *changed = true;
        return Next::Call(Call {
            request: token::request(
                &config.token_endpoint,
                &config.credentials,
                Grant::AuthorizationCode(code.clone()),
            ),
            timeout_ms: TOKEN_TIMEOUT_MS,
            ticket: Ticket::Exchange {
                code_hash,
                scope: scope.to_string(),
            },
        });
    };
    match &kept.state {
        State::Exchanging {
            code_hash: spent, ..
        } if *spent == code_hash => {
            wait(flight).unwrap_or_else(|| unavailable(503, Some(1.0), "exchange_slow"))
        }
        // The gateway's login page is known to redirect twice with one code [S], so it may be
        // shown again, to be sent nowhere.
        State::Active(session)
            if session.code_hash.as_ref() == Some(&code_hash)
                && now_ms < session.obtained_ms + REPEAT_MS =>
        {
            Next::Answer(Answer::Grant(session.grant(now_ms)))
        }
        State::Ended { reason, .. } => gone(reason),
        _ => gone("code_spent"),
    }
}

/// Does `work` on the session that is there, once the handle that was shown for it, if any, has been
/// judged.
fn with_session(
    record: &mut Option<Record>,
    changed: &mut bool,
    shown: Option<u32>,
    now_ms: f64,
    work: impl FnOnce(&Session, Option<Worth>) -> Next,
) -> Next {
    let Some(kept) = record else {
        return gone("no_session");
    };
    let session = match &mut kept.state {
        State::Active(session) => session,
        State::Exchanging { .. } => return gone("not_begun"),
        State::Ended { reason, .. } => return gone(reason),
        State::App(_) => return gone("no_session"),
    };
    let worth = shown.map(|generation| session.take_handle(generation, now_ms));
    *changed |= worth.is_some_and(|(_, first)| first);
    let worth = worth.map(|(worth, _)| worth);
    let next = match worth {
        Some(Worth::Unknown) => return gone("handle_of_no_generation"),
        Some(Worth::Reused) => gone("handle_reused"),
        _ => work(session, worth),
    };
    match &next {
        Next::Answer(Answer::Grant(_) | Answer::Alive) => *changed |= mark_used(session, now_ms),
        // The gateway is owed the revocation, and the alarm for that is due at once.
        Next::Answer(Answer::Gone { reason }) => {
            kept.end(reason, true, now_ms);
            *changed = true;
        }
        _ => {}
    }
    next
}

/// What a caller wants of a session.
struct Wanted<'a> {
    min_validity: u32,
    rejected: Option<u32>,
    scope: Option<&'a str>,
    /// The current handle, if that is what was shown.
    handle: Option<Shown>,
}

impl Wanted<'_> {
    fn from(&self, config: &Config, session: &Session, flight: Flight, now_ms: f64) -> Next {
        if self
            .scope
            .is_some_and(|scope| !same_scope(scope, &session.scope))
        {
            return Next::Answer(Answer::WrongScope);
        }
        let rejected = self.rejected == Some(session.generation);
        let grant = || Next::Answer(Answer::Grant(session.grant(now_ms)));
        let plain = self.handle.is_some_and(|handle| handle.is_plain)
            && now_ms >= session.obtained_ms + YOUNG_MS;
        if !rejected && !plain && session.lasts(self.min_validity, now_ms) {
            return grant();
        }
        // From here on a renewal is due. If there can't be one now, a token with any life left is
        // better than none.
        let usable = !rejected && session.is_alive(now_ms);
        let Some(refresh_token) = &session.refresh_token else {
            return if usable {
                grant()
            } else {
                gone("no_refresh_token")
            };
        };
        if let Some(wait) = wait(flight) {
            return wait;
        }
        let wait_s = session
            .backoff
            .map(|backoff| (backoff.next_ms - now_ms) / 1000.0);
        let may_try = !flight.under_way && !flight.waited && wait_s.is_none_or(|s| s <= 0.0);
        if !may_try {
            return if usable {
                grant()
            } else {
                unavailable(503, Some(wait_s.unwrap_or(1.0)), "renewal_fails")
            };
        }
        Next::Call(Call {
            request: token::request(
                &config.token_endpoint,
                &config.credentials,
                Grant::RefreshToken(refresh_token.clone()),
            ),
            timeout_ms: TOKEN_TIMEOUT_MS,
            ticket: Ticket::Renewal {
                generation: session.generation,
                handle: self.handle.map(|handle| handle.generation),
            },
        })
    }
}

/// Pays what is owed to the gateway and due.
fn settle(
    config: &Config,
    record: Option<&mut Record>,
    changed: &mut bool,
    flight: Flight,
    now_ms: f64,
) -> Next {
    let due = record
        .filter(|kept| matches!(kept.state, State::Ended { .. }))
        .and_then(|kept| {
            kept.owed
                .iter_mut()
                .find(|owed| owed.backoff.next_ms <= now_ms)
        });
    let Some(owed) = due else {
        return Next::Answer(Answer::Done);
    };
    if flight.under_way {
        return wait(flight).unwrap_or_else(|| unavailable(503, None, "revocation_owed"));
    }
    // Should the host die meanwhile, its alarm brings this up again.
    owed.backoff.next_ms = now_ms + f64::from(REVOCATION_TIMEOUT_MS);
    *changed = true;
    Next::Call(Call {
        request: revocation::request(
            &config.revocation_endpoint,
            &config.credentials,
            &owed.token,
            owed.hint(),
        ),
        timeout_ms: REVOCATION_TIMEOUT_MS,
        ticket: Ticket::Revocation {
            token_hash: owed.hash(),
        },
    })
}

pub(super) fn mark_used(session: &mut Session, now_ms: f64) -> bool {
    let first = session.code_hash.take().is_some();
    let due = now_ms - session.used_ms >= USE_STEP_MS;
    if first || due {
        session.used_ms = now_ms;
    }
    first || due
}

fn same_scope(one: &str, other: &str) -> bool {
    match (Scope::parse(one), Scope::parse(other)) {
        (Ok(one), Ok(other)) => one.is_within(&other) && other.is_within(&one),
        _ => false,
    }
}

pub(super) fn wait(flight: Flight) -> Option<Next> {
    (flight.under_way && !flight.waited).then_some(Next::Wait { ms: PATIENCE_MS })
}

pub(super) fn gone(reason: &str) -> Next {
    Next::Answer(Answer::Gone {
        reason: String::from(reason),
    })
}

pub(super) fn unavailable(status: u16, retry_after_s: Option<f64>, reason: &str) -> Next {
    // At most an hour, by the bound of the back-off.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let retry_after = retry_after_s.map(|seconds| seconds.ceil().max(1.0) as u32);
    Next::Answer(Answer::Unavailable {
        status,
        retry_after,
        reason: reason.to_string(),
    })
}

//! A flow: which of them, how far it has come, and what it keeps from one effect to the next.
//!
//! Flows ask for one thing after the other and are resumed with what came of it: a machine of
//! [stages](Stage), because Rust's own coroutines weigh two kilobytes more. What is asked for are texts: a
//! letter, what belongs to it, and a break. Where several things do, breaks of another kind part them.
//!
//! | letter | effect | with |
//! |---|---|---|
//! | `l` | wait for this client's lock in this tab, a bounded time; then go on with or without it | |
//! | `L` | the same across tabs, once it is had in this tab | |
//! | `s` `p` | read the record of the session, of this tab's sign-ins under way | |
//! | `S` `P` | write it, or remove it if there is nothing to write | the record |
//! | `F` | ask a server | URL, body, the label of the session that it is for |
//! | `A` | take the answer out of the address bar and the history | the URL to show |
//! | `E` | tell this page | the event, and the error's texts if it is one |
//! | `T` | tell the other tabs to look at the stored record | the label of a session that has ended, or nothing; and a `-` if the user has left it, or without a relay the record and its token |
//! | `D` | the end | what it came to |
//! | `X` | the end | the error's texts |
//!
//! They are performed in order; what comes of the last goes back.

use alloc::string::String;

use super::page::Page;
use super::record::Signed;
use crate::protocol::{Error, Reason, Result, members, text};

/// After each effect.
pub(super) const END: &str = "\x1e";
/// Between the things that belong to one.
pub(super) const BREAK: &str = "\x1f";

// The flows. What each works on is parted by breaks.

// These two use what is this tab's alone, and take the lock across tabs, which costs more than all else, when they need
// it.

/// With the page, the URL to show in place of its own, and the members of its query and fragment.
pub(super) const REDIRECT: u32 = 0;
/// With 78 random letters, as base32 has them, and a `_` if it is a pop-up's, a scope, where to come back to, a
/// `custom_param`, and the path to come back to if no other is given.
pub(super) const BEGIN: u32 = 1;
/// With the milliseconds that the token must still last, a generation that was refused, and whether a new
/// one is wanted at any rate.
pub(super) const ACCESS_TOKEN: u32 = 2;
pub(super) const REVOKE: u32 = 3;
pub(super) const SIGN_OUT: u32 = 4;
pub(super) const SETTLE: u32 = 5;
/// With a path. Those from here on change nothing that another flow may be at, and take no lock.
pub(super) const API: u32 = 6;
/// With what another tab has told by `T`.
pub(super) const SYNC: u32 = 7;
/// With the label of a session that an API has answered for, and the generation of its token.
pub(super) const CALLED: u32 = 8;
/// With what belongs to `F`, for a token that isn't the session's own.
pub(super) const APP_TOKEN: u32 = 10;

/// What came of an effect: a text, empty if it [failed](Page::check).
pub(super) type Reply<'a> = &'a str;

/// What a flow waits for.
#[derive(Clone, Copy, Default)]
pub(super) enum Stage {
    /// Its first turn.
    #[default]
    Start,
    /// The locks, if it takes both.
    Locked,
    /// The stored session, to take it up.
    Restore,
    /// The sign-ins under way, for the answer in the URL.
    Answer,
    /// The stored session, to see whether an answer that waits has been overtaken.
    Waiting,
    /// The lock across tabs, to exchange a code.
    Exchanging,
    /// The reply to the code.
    Exchange,
    /// The sign-ins under way, to end one.
    Complete,
    /// The sign-ins under way, to begin one.
    Begin,
    /// The new list of them to be written.
    Begun,
    /// The reply to a renewal.
    Renew,
    /// The stored session, which may have changed meanwhile.
    Renewed,
    /// The reply to a revocation.
    Revoke,
    /// The session's record to be removed.
    Revoked,
    /// The sign-ins under way, of which no answer is to outlast a session that ends.
    Forget,
    /// The stored session, to leave it.
    Leave,
    /// The session's record to be removed.
    Left,
    /// The stored session, to see whether a sign-out is owed.
    Settle,
    /// The reply to its revocation.
    Told,
    /// The stored session, to see whether it is still the same.
    Settled,
    /// The stored session, which another tab may have left.
    Heard,
    /// The reply to a request for an app token.
    AppToken,
}

/// A flow under way.
#[derive(Default)]
pub(crate) struct Flow {
    pub(super) number: u32,
    pub(super) stage: Stage,
    pub(super) input: String,
    /// How many renewals there had been when it began.
    pub(super) seen: u32,
    /// How often the user had signed out.
    pub(super) left: u32,
    /// The page's serial number when it looked.
    pub(super) serial: u32,
    /// The record of the session, or the sign-in under way, that it is at.
    pub(super) record: String,
    pub(super) asked_at: f64,
    /// The kept token was refused.
    pub(super) is_rejected: bool,
    /// Not 0 if it asks for another session than its own, because the record is behind the cookie: how often the user had
    /// signed out by then, and one.
    pub(super) takes_any: u32,
    /// What it was given for an answer or a renewal; no token if nothing.
    pub(super) signed: Signed,
    /// What it comes to, once that is known.
    pub(super) outcome: String,
    /// Or why it fails.
    pub(super) failed: Option<Error>,
}

impl Flow {
    /// The flow of that number, with what it works on.
    pub fn new(page: &Page, number: u32, input: String) -> Self {
        Self {
            number,
            input,
            seen: page.attempts,
            left: page.left,
            ..Self::default()
        }
    }
}

impl Flow {
    /// Whether it is known what the answer came to.
    pub(super) fn is_settled(&self) -> bool {
        self.failed.is_some() || !self.outcome.is_empty()
    }
}

impl Page {
    /// Goes on with what came of the last effect: a status, which is an HTTP status after `F`, 0 for
    /// others, or negative for a failure; and a text, empty for one. `now` in milliseconds since 1970. Gives the
    /// next effects. Not to be called after the end.
    pub(crate) fn resume(&mut self, flow: &mut Flow, now: f64, status: i32, reply: &str) -> &str {
        self.now = now;
        self.status = status;
        self.out.clear();
        if let Err(error) = self.step(flow, reply) {
            self.out.push('X');
            self.with_error(&error);
        }
        &self.out
    }

    /// Whether there is a reply.
    #[inline(never)]
    pub(super) fn check(&self) -> Result<()> {
        Err(Error::from(match self.status {
            0.. => return Ok(()),
            -1 => Reason::NoNetwork,
            -2 => Reason::TooSlow,
            -3 => Reason::GivenUp,
            _ => Reason::StorageRefused,
        }))
    }

    fn step(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        match flow.stage {
            Stage::Start if flow.number < API => {
                self.also("l", "");
                match flow.number {
                    REDIRECT => self.ask(flow, Stage::Answer, "p"),
                    BEGIN => self.ask(flow, Stage::Begin, "p"),
                    _ => self.ask(flow, Stage::Locked, "L"),
                }
            }
            // The lock only saves requests: whether it was had is all the same, but to who can't do without.
            Stage::Start | Stage::Locked => match flow.number {
                SIGN_OUT => self.ask(flow, Stage::Forget, "p"),
                SETTLE => self.ask(flow, Stage::Settle, "s"),
                APP_TOKEN => {
                    flow.asked_at = self.now;
                    self.also("F", &flow.input);
                    flow.stage = Stage::AppToken;
                    Ok(())
                }
                SYNC if !flow.input.is_empty() => self.hear(flow),
                CALLED => {
                    let texts = |number| text::nth(&flow.input, members::BREAK, number);
                    self.called(texts(0), text::number(texts(1)));
                    self.done("", None)
                }
                _ => {
                    // Known where a lock that can't be done without wasn't had.
                    flow.failed = self.check().err();
                    self.restore(flow)
                }
            },
            Stage::Restore => self.restored(flow, reply),
            Stage::Answer => self.answered(flow, reply),
            Stage::Waiting => self.waiting(flow, reply),
            Stage::Exchanging => self.exchange(flow),
            Stage::Exchange => self.exchanged(flow, reply),
            Stage::Complete => self.complete(flow, reply),
            Stage::Begin => self.begun(flow, reply),
            Stage::Begun => {
                let failed = self.check().err();
                self.done(&flow.outcome, failed)
            }
            Stage::Renew => self.renewal(flow, reply),
            Stage::Renewed => self.renewed(flow, reply),
            Stage::Revoke => self.revocation(flow, reply),
            Stage::Revoked => self.revoked(flow),
            Stage::Forget => self.forget_answers(flow, reply),
            Stage::Leave => self.leave(flow, reply),
            Stage::Left => self.left(flow),
            Stage::Settle => self.settle(flow, reply),
            Stage::Told => self.told(flow, reply),
            Stage::Settled => self.settled(flow, reply),
            Stage::Heard => self.heard(flow, reply),
            Stage::AppToken => self.app_token(flow, reply),
        }
    }

    /// Has an effect performed.
    pub(super) fn also(&mut self, letter: &str, text: &str) {
        also(&mut self.out, letter, text);
    }

    /// Asks for what takes nothing more than its letter.
    pub(super) fn ask(&mut self, flow: &mut Flow, next: Stage, letter: &str) -> Result<()> {
        flow.stage = next;
        self.also(letter, "");
        Ok(())
    }

    /// The end.
    pub(super) fn done(&mut self, text: &str, failed: Option<Error>) -> Result<()> {
        match failed {
            Some(error) => Err(error),
            None => {
                self.also("D", text);
                Ok(())
            }
        }
    }

    /// Adds an error's texts to an effect, and ends that.
    pub(super) fn with_error(&mut self, error: &Error) {
        let out = &mut self.out;
        let push = |out: &mut String, text| text::push(out, text, BREAK);
        // All that the client makes have one.
        text::push_decimal(out, error.reason().unwrap_or(Reason::NoNetwork) as u64);
        push(out, "");
        push(out, error.error.as_deref().unwrap_or_default());
        push(out, error.error_description.as_deref().unwrap_or_default());
        text::push_decimal(out, error.status.unwrap_or_default().into());
        push(out, "");
        push(out, if error.code.is_retryable() { "1" } else { "" });
        out.push_str(END);
    }
}

/// Adds an effect to those that are asked for.
pub(super) fn also(out: &mut String, letter: &str, text: &str) {
    out.push_str(letter);
    text::push(out, text, END);
}

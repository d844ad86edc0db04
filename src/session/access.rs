//! A valid access token: the kept one, or one renewed however many ask.

use alloc::string::String;

use super::config::{CLIENT_ID, ISSUER, TOKEN_ENDPOINT};
use super::flow::{BREAK, END, Flow, Reply, Stage, also};
use super::page::Page;
use super::record::{self, GENERATION, HANDLE, LABEL, Signed};
use crate::protocol::members::{self, Members};
use crate::protocol::token::{self, PublicGrant};
use crate::protocol::{Error, ErrorCode, Reason, Result, text};

impl Page {
    /// Where a call of an API goes, and the record of the session that it is for.
    pub(super) fn api(&mut self, flow: &Flow) -> Result<()> {
        if !self.config.has(ISSUER) {
            return Err(Reason::NoRelay.into());
        }
        let issuer = self.config.line(ISSUER);
        let parts = ["D", issuer, "/api", &flow.input, BREAK, &self.session, END];
        text::extend(&mut self.out, &parts);
        Ok(())
    }

    /// Gives a token of the app's own, and the record that it would have as a session's: its generation and its life are
    /// there.
    pub(super) fn app_token(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        self.signed(reply, flow.asked_at, "", &mut flow.signed)?;
        let parts = ["D", &flow.signed.token, BREAK, &flow.signed.record, END];
        text::extend(&mut self.out, &parts);
        Ok(())
    }

    /// Gives a token that is good for as long as is wanted, or asks for one.
    ///
    /// A failure that passes costs nothing: the kept token is given while it lasts, and the session
    /// goes on. Callers who waited for a renewal that failed share its failure.
    pub(super) fn give_token(&mut self, flow: &mut Flow) -> Result<()> {
        // A renewal that ended while this caller waited answers it too: another would last no longer.
        let joined = self.attempts != flow.seen;
        let mut needed = text::number(wanted(flow, 0));
        let generation = record::line(&self.session, GENERATION);
        let is_refused = !generation.is_empty() && wanted(flow, 1) == generation;
        if is_refused || !wanted(flow, 2).is_empty() {
            needed = f64::INFINITY;
        } else if needed.is_nan() {
            needed = self.needed();
        }
        // Without a relay each is a new token; a relay may give the one that it has kept.
        let is_answer = generation.is_empty() || self.asked == flow.input;
        if joined && self.last_failure.is_none() && is_answer {
            needed = 0.0;
        }
        flow.is_rejected = needed == f64::INFINITY;
        if self.is_fresh(self.now, needed) {
            return self.give();
        }
        if joined
            && let Some(error) = &self.last_failure
            && error.code != ErrorCode::Aborted
        {
            flow.failed = Some(error.clone());
        }
        if let Some(error) = flow.failed.take() {
            return self.give_kept(flow, error);
        }
        text::set(&mut flow.record, &self.session);
        self.renew(flow)
    }

    fn renew(&mut self, flow: &mut Flow) -> Result<()> {
        let ms = text::number(wanted(flow, 0));
        let mut seconds = String::new();
        if !ms.is_nan() {
            text::push_decimal(&mut seconds, (ms / 1000.0) as u64);
        }
        let body = token::public_request(
            self.config.line(CLIENT_ID),
            PublicGrant::RefreshToken {
                refresh_token: record::line(&flow.record, HANDLE),
                rejected_generation: if flow.is_rejected {
                    record::line(&flow.record, GENERATION)
                } else {
                    // The relay may have renewed without this page's hearing of it.
                    wanted(flow, 1)
                },
                min_validity: &seconds,
            },
        );
        flow.stage = Stage::Renew;
        flow.asked_at = self.now;
        self.send(TOKEN_ENDPOINT, &body, expected(flow))
    }

    pub(super) fn renewal(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        if self.status == 409 && flow.takes_any == 0 && self.shown.is_empty() {
            // The record is behind the cookie: the page that another sign-in's reply came to died over
            // it. One that has shown nobody's yet takes the new session up.
            flow.takes_any = self.left.wrapping_add(1);
            return self.renew(flow);
        }
        flow.failed = self
            .signed(reply, flow.asked_at, &flow.record, &mut flow.signed)
            .err();
        // Counted for those who wait.
        self.attempts = self.attempts.wrapping_add(1);
        text::set(&mut self.asked, &flow.input);
        self.last_failure = flow.failed.clone();
        // The user may have signed out, or another in, while the reply was on its way (S30, S31).
        self.ask(flow, Stage::Renewed, "s")
    }

    /// Reads the reply to a request for a token. What it doesn't tell is as it was in the record before.
    pub(super) fn signed(
        &self,
        reply: Reply<'_>,
        asked_at: f64,
        before: &str,
        signed: &mut Signed,
    ) -> Result<()> {
        self.check()?;
        let members = Members::new(reply);
        let lifetime = token::success(self.status as u16, members)?;
        signed.set(members, lifetime, asked_at, before);
        Ok(())
    }

    pub(super) fn renewed(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let stored = record::checked(reply);
        let of = |number| {
            let [stored, asked] = [stored, &flow.record].map(|record| record::line(record, number));
            (stored, stored == asked)
        };
        if let Some(error) = &flow.failed
            && error.code == ErrorCode::LoginRequired
            && let ((_, true), (handle, false)) = (of(LABEL), of(HANDLE))
            && !handle.is_empty()
            && !record::is_over(stored)
        {
            // Another tab had renewed, and what it stored wasn't to be seen yet: Chromium's processes see it when they do.
            text::set(&mut flow.record, stored);
            return self.renew(flow);
        }
        let Err(error) = self.judged(flow, reply) else {
            return Ok(());
        };
        // Whether the user is still signed in after this.
        if matches!(
            error.code,
            ErrorCode::LoginRequired | ErrorCode::SessionMismatch | ErrorCode::Aborted
        ) {
            return Err(error);
        }
        text::extend(&mut self.out, &["Erefresherror", BREAK]);
        self.with_error(&error);
        self.give_kept(flow, error)
    }

    /// What a renewal, or its refusal, means for the session.
    fn judged(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let label = record::line(&flow.record, LABEL);
        if !self.session.is_empty() && self.label() != label {
            // This page has signed in anew meanwhile, or looked, and keeps what it has. Who waits is answered by that.
            self.last_failure = None;
            return Err(Reason::Displaced.into());
        }
        let stored = record::checked(reply);
        let is_same = !stored.is_empty() && record::line(stored, LABEL) == label;
        let is_out = stored.is_empty() || record::is_over(stored);
        if let Some(error) = flow.failed.take() {
            if error.code == ErrorCode::LoginRequired {
                if !is_same && !is_out {
                    // Another tab has signed in anew, which ended this page's.
                    self.displace();
                    return Err(Reason::Displaced.into());
                }
                if is_same {
                    self.also("S", "");
                }
                self.ended(&flow.record, false);
            } else if error.code == ErrorCode::SessionMismatch {
                self.displace();
            }
            return Err(error);
        }
        self.check()?;
        let is_asked_for = record::line(&flow.signed.record, LABEL) == label;
        if is_out {
            self.is_out();
            // What came too late is revoked (S30), unless it is another session's.
            flow.record.clear();
            if is_asked_for {
                text::set(&mut flow.record, &flow.signed.record);
            }
            flow.failed = Some(Reason::NobodySignedIn.into());
            return self.revoke_if_it_can(flow);
        }
        // The record knows nothing of a sign-out of the session that is ahead of it (S30).
        let is_expected = is_asked_for || flow.takes_any == self.left.wrapping_add(1);
        if !is_expected || !is_same {
            self.displace();
            return Err(Reason::Displaced.into());
        }
        // The token is good even if the record can't be written: the vault has the rest.
        self.adopt(&flow.signed);
        self.give()
    }

    /// Gives the token that there is.
    fn give(&mut self) -> Result<()> {
        also(&mut self.out, "D", &self.token);
        Ok(())
    }

    /// The same, if it has any life left and nobody has refused it; else the error.
    fn give_kept(&mut self, flow: &Flow, error: Error) -> Result<()> {
        if flow.is_rejected || !self.is_fresh(self.now, 0.0) {
            return Err(error);
        }
        self.give()
    }

    /// Asks a server of this client's, for the session of that label.
    pub(super) fn send(&mut self, endpoint: usize, body: &str, label: &str) -> Result<()> {
        let url = self.config.line(endpoint);
        if url.is_empty() {
            return Err(Reason::NoEndpoint.into());
        }
        let label = if self.config.has(ISSUER) {
            text::or(label, "-")
        } else {
            ""
        };
        let parts = ["F", url, BREAK, body, BREAK, label, END];
        text::extend(&mut self.out, &parts);
        Ok(())
    }
}

/// The label of the session that a request is for; empty for whichever it is.
pub(super) fn expected(flow: &Flow) -> &str {
    if flow.takes_any == 0 {
        record::line(&flow.record, LABEL)
    } else {
        ""
    }
}

/// What a caller wants.
fn wanted(flow: &Flow, number: usize) -> &str {
    text::nth(&flow.input, members::BREAK, number)
}

//! A valid access token: the kept one, or one renewed however many ask.

use super::config::{CLIENT_ID, ISSUER, TOKEN_ENDPOINT};
use super::flow::{BREAK, Flow, Reply, Stage, also};
use super::page::Page;
use super::record::{self, GENERATION, HANDLE, LABEL, SCOPE, Signed};
use crate::protocol::members::{self, Members};
use crate::protocol::token::{self, PublicGrant};
use crate::protocol::{Error, ErrorCode, Reason, Result, text};

impl Page {
    /// Where a call of an API goes, and the record of the session that it is for.
    pub(super) fn api(&mut self, flow: &Flow) -> Result<()> {
        if !self.config.has(ISSUER) {
            return Err(Reason::NoRelay.into());
        }
        let parts = [
            "D",
            self.config.line(ISSUER),
            "/api",
            &flow.input,
            BREAK,
            &self.session,
        ];
        also(&mut self.out, &parts);
        Ok(())
    }

    /// Gives a token of the app's own, and the record that it would have as a session's: its generation and its life are
    /// there.
    pub(super) fn app_token(&mut self, flow: &Flow, reply: Reply<'_>) -> Result<()> {
        let signed = self.signed(reply, flow.asked_at, "", "")?;
        self.also(&["D", &signed.token, BREAK, &signed.record]);
        Ok(())
    }

    /// Gives a token that is good for as long as is wanted, or asks for one.
    ///
    /// A failure that passes costs nothing: the kept token is given while it lasts, and the session
    /// goes on. Callers who waited for a renewal that failed share its failure.
    pub(super) fn give_token(&mut self, flow: &mut Flow) -> Result<()> {
        let needed = text::whole(wanted(flow, 0)).map_or(self.needed(), |ms| ms as f64);
        let generation = record::line(&self.session, GENERATION);
        let is_renewed = !wanted(flow, 2).is_empty();
        let is_refused = !generation.is_empty() && wanted(flow, 1) == generation;
        // A renewal that ended while this caller waited answers it too.
        let joined = self.attempts != flow.seen;
        flow.is_rejected = !joined && (is_renewed || is_refused);
        if !flow.is_rejected && self.is_fresh(self.now, needed) {
            return self.give();
        }
        if joined
            && let Some(error) = &self.last_failure
            && error.code != ErrorCode::Aborted
        {
            let error = error.clone();
            return self.give_kept(flow, error);
        }
        flow.record = self.session.clone();
        self.renew(flow)
    }

    fn renew(&mut self, flow: &mut Flow) -> Result<()> {
        let label = if flow.takes_any {
            ""
        } else {
            record::line(&flow.record, LABEL)
        };
        let seconds = text::whole(wanted(flow, 0)).map(|ms| text::decimal(ms / 1000));
        let is_renewed = !wanted(flow, 2).is_empty();
        let body = token::public_request(
            self.config.line(CLIENT_ID),
            PublicGrant::RefreshToken {
                refresh_token: record::line(&flow.record, HANDLE),
                rejected_generation: if is_renewed {
                    record::line(&flow.record, GENERATION)
                } else {
                    wanted(flow, 1)
                },
                min_validity: seconds.as_deref().unwrap_or_default(),
            },
        );
        flow.stage = Stage::Renew;
        flow.asked_at = self.now;
        self.send(TOKEN_ENDPOINT, &body, label)
    }

    pub(super) fn renewal(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let is_mismatch = self.status == 409 && !record::line(&flow.record, LABEL).is_empty();
        if is_mismatch && !flow.takes_any && self.shown.is_empty() {
            // The record is behind the cookie: the page that another sign-in's reply came to died over
            // it. One that has shown nobody's yet takes the new session up.
            flow.takes_any = true;
            return self.renew(flow);
        }
        let (scope, handle) = (
            record::line(&flow.record, SCOPE),
            record::line(&flow.record, HANDLE),
        );
        match self.signed(reply, flow.asked_at, scope, handle) {
            Ok(signed) => flow.signed = signed,
            Err(error) => flow.failed = Some(error),
        }
        // Counted for those who wait.
        self.attempts = self.attempts.wrapping_add(1);
        self.last_failure = flow.failed.clone();
        // The user may have signed out, or another in, while the reply was on its way (S30, S31).
        self.ask(flow, Stage::Renewed, "s")
    }

    /// Reads the reply to a request for a token. What it doesn't tell is as it was: the scope and the handle.
    pub(super) fn signed(
        &self,
        reply: Reply<'_>,
        asked_at: f64,
        scope: &str,
        handle: &str,
    ) -> Result<Signed> {
        let members = Members::new(reply.ok_or_else(|| self.failure())?);
        let lifetime = token::success(self.status as u16, members)?;
        Ok(Signed::new(members, lifetime, asked_at, scope, handle))
    }

    pub(super) fn renewed(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let Err(error) = self.judged(flow, reply) else {
            return self.give();
        };
        // Whether the user is still signed in after this.
        if matches!(
            error.code,
            ErrorCode::LoginRequired | ErrorCode::SessionMismatch | ErrorCode::Aborted
        ) {
            return Err(error);
        }
        self.also(&["Erefresherror", BREAK]);
        self.with_error(&error);
        self.give_kept(flow, error)
    }

    /// What a renewal, or its refusal, means for the session.
    fn judged(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let label = record::line(&flow.record, LABEL);
        let stored = record::checked(reply.unwrap_or_default());
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
                    self.also(&["S"]);
                }
                self.ended(label);
            } else if error.code == ErrorCode::SessionMismatch {
                self.displace();
            }
            return Err(error);
        }
        if reply.is_none() {
            return Err(self.failure());
        }
        if is_out {
            self.is_out();
            return Err(Reason::NobodySignedIn.into());
        }
        let is_expected =
            flow.takes_any || label.is_empty() || record::line(&flow.signed.record, LABEL) == label;
        if !is_expected || !is_same {
            self.displace();
            return Err(Reason::Displaced.into());
        }
        // The token is good even if the record can't be written: the vault has the rest.
        self.adopt(core::mem::take(&mut flow.signed));
        Ok(())
    }

    /// Gives the token that there is.
    fn give(&mut self) -> Result<()> {
        also(&mut self.out, &["D", &self.token]);
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
        also(&mut self.out, &["F", url, BREAK, body, BREAK, label]);
        Ok(())
    }
}

/// What a caller wants.
fn wanted(flow: &Flow, number: usize) -> &str {
    text::nth(&flow.input, members::BREAK, number)
}

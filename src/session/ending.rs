//! The end of a session: signing out of this browser, or revoking what was granted.

use super::access::expected;
use super::config::{CLIENT_ID, IS_TOKEN, ISSUER, REVOCATION_ENDPOINT};
use super::flow::{Flow, Reply, SETTLE, SIGN_OUT, Stage};
use super::page::Page;
use super::record::{self, HANDLE, LABEL};
use crate::protocol::members::{self, Members};
use crate::protocol::revocation::{self, TokenTypeHint};
use crate::protocol::{ErrorCode, Result, text, token};

impl Page {
    // Signing out, in all tabs, whatever the network does. If the server can't be asked to revoke the
    // session's tokens now, that stays owed, and is settled alone at a later load.

    pub(super) fn leave(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let stored = record::checked(reply);
        text::set(&mut flow.record, text::or(stored, &self.session));
        text::set(&mut flow.signed.token, &self.token);
        // Removed first, for a full storage would refuse to write.
        self.ask(flow, Stage::Left, "S")
    }

    pub(super) fn left(&mut self, flow: &mut Flow) -> Result<()> {
        self.ended(&flow.record, true);
        flow.failed = self.check().err();
        if !flow.record.is_empty() && self.config.has(REVOCATION_ENDPOINT) {
            record::leave(&mut flow.record);
            self.also("S", &flow.record);
        }
        self.revoke_if_it_can(flow)
    }

    /// Revokes what nobody here has any more, if there is anything and an endpoint for that.
    pub(super) fn revoke_if_it_can(&mut self, flow: &mut Flow) -> Result<()> {
        if flow.record.is_empty() || !self.config.has(REVOCATION_ENDPOINT) {
            return self.out(flow);
        }
        self.ask_to_revoke(flow, Stage::Told)
    }

    /// Out, if not without a failure.
    fn out(&mut self, flow: &mut Flow) -> Result<()> {
        self.done("", flow.failed.take())
    }

    pub(super) fn settle(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        self.check()?;
        text::set(&mut flow.record, record::checked(reply));
        if !record::is_over(&flow.record) {
            return self.out(flow);
        }
        self.ask_to_revoke(flow, Stage::Told)
    }

    pub(super) fn told(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        if let Err(error) = self.read_revoked(reply) {
            if error.is_passing() {
                // It stays owed; a sign-out is none the worse for it.
                if flow.number == SETTLE {
                    flow.failed = Some(error);
                }
                return self.out(flow);
            }
            if error.code == ErrorCode::SessionMismatch && flow.number == SIGN_OUT {
                // The cookie is ahead of the record: a page has signed in that is in the back/forward cache, or gone.
                flow.takes_any = flow.takes_any.wrapping_add(1);
            }
        }
        self.also("T", record::line(&flow.record, LABEL));
        self.ask(flow, Stage::Settled, "s")
    }

    pub(super) fn settled(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        // Another tab may have signed in meanwhile; or another session's is owed.
        if reply == flow.record {
            if flow.takes_any == 1 {
                // The user has left that session too (S30).
                flow.takes_any = 2;
                return self.ask_to_revoke(flow, Stage::Told);
            }
            self.also("S", "");
        }
        self.out(flow)
    }

    // Revoking the session's tokens at the gateway and signing this browser out. With a relay, success also
    // means that the relay owes the revocation and will see to it. A failure on the way changes nothing:
    // the user is still signed in and the call can be made again.

    pub(super) fn ask_to_revoke(&mut self, flow: &mut Flow, next: Stage) -> Result<()> {
        flow.stage = next;
        let mut token = record::line(&flow.record, HANDLE);
        let mut hint = TokenTypeHint::RefreshToken;
        if token.is_empty() && !self.config.has(ISSUER) {
            // All that there is.
            token = &flow.signed.token;
            hint = TokenTypeHint::AccessToken;
        }
        let body = revocation::public_request(self.config.line(CLIENT_ID), token, hint);
        self.send(REVOCATION_ENDPOINT, &body, expected(flow))
    }

    fn read_revoked(&self, reply: Reply<'_>) -> Result<()> {
        self.check()?;
        if self.status == 200 {
            return Ok(());
        }
        Err(token::refusal(self.status as u16, Members::new(reply)))
    }

    pub(super) fn revocation(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        match self.read_revoked(reply) {
            // One that has ended is as good as revoked.
            Err(error) if error.code != ErrorCode::LoginRequired => Err(error),
            _ => self.ask(flow, Stage::Forget, "p"),
        }
    }

    pub(super) fn revoked(&mut self, flow: &mut Flow) -> Result<()> {
        self.ended(&flow.record, true);
        flow.failed = self.check().err();
        self.out(flow)
    }

    // Another tab has told of the end of a session, or of a new token where each tab can't ask for its own.

    pub(super) fn hear(&mut self, flow: &mut Flow) -> Result<()> {
        let [label, record, token] =
            [0, 1, 2].map(|number| text::nth(&flow.input, members::BREAK, number));
        if !token.is_empty() {
            self.share(record, token);
            return self.restore(flow);
        }
        // A token out of a fragment is a page's alone, and so is its label.
        let is_any = !record.is_empty() && self.config.has(IS_TOKEN) && !self.session.is_empty();
        if is_any || is_of(&self.session, label) {
            self.is_out();
        }
        if record.is_empty() {
            // It has ended by itself: an answer that waits is to another sign-in.
            return self.ask(flow, Stage::Heard, "s");
        }
        self.left = self.left.wrapping_add(1);
        self.ask(flow, Stage::Forget, "p")
    }

    pub(super) fn heard(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        // What this page keeps because its storage refuses, the other tab couldn't remove.
        if is_of(reply, text::nth(&flow.input, members::BREAK, 0)) {
            self.also("S", "");
        }
        self.restore(flow)
    }
}

/// Whether it is the session of that label, and still is one.
fn is_of(record: &str, label: &str) -> bool {
    record::line(record, LABEL) == label && !record::is_over(record)
}

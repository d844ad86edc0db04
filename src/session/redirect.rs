//! The way back: the answer in the page's URL.

use alloc::string::String;

use super::config::{
    ALLOW_MISSING_STATE, CALLBACK_PAGE, CLIENT_ID, EXPECTED_ISS, IS_TOKEN, ISSUER, REDIRECT_URI,
    TOKEN_ENDPOINT,
};
use super::flow::{Flow, REVOKE, Reply, SIGN_OUT, Stage};
use super::page::{LEFT_HERE, Page};
use super::pending::{self, CODE, CODE_VERIFIER, CREATED_AT, Progress, RETURN_TO, SCOPE, STATE};
use super::record::{self, CAME, EXPIRES_AT, LIFETIME};
use crate::protocol::authorization::{Answer, Expected, Granted, ResponseType};
use crate::protocol::members::BREAK;
use crate::protocol::token::{self, PublicGrant};
use crate::protocol::{Error, ErrorCode, Reason, Result, text};

impl Page {
    /// Reads the answer in the page's URL and completes the sign-in that it belongs to; without one,
    /// takes up what a reload interrupted, or the session that is stored. Safe on every load, any number
    /// of times: the same redirect gives the same outcome.
    pub(super) fn answered(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let list = pending::with(reply, self.now, "", "", false);
        if let Err(error) = self.take_answer(flow, &list) {
            flow.failed = Some(error);
        }
        if !flow.signed.token.is_empty() {
            return self.ask(flow, Stage::Complete, "p");
        }
        if flow.record.is_empty() && !flow.is_settled() {
            // An answer may wait since before a reload: the latest.
            for pending in pending::lines(&list) {
                if pending::progress(pending) == Progress::Answered {
                    text::set(&mut flow.record, pending);
                }
            }
            if !flow.record.is_empty() {
                self.also("L", "");
                return self.ask(flow, Stage::Waiting, "s");
            }
            self.recall(flow);
        }
        if flow.record.is_empty() {
            // Whatever else an answer came to, the page learns who is signed in.
            return self.restore(flow);
        }
        self.ask(flow, Stage::Exchanging, "L")
    }

    /// Completes a sign-in that waits, unless somebody has signed in since it began, or out.
    pub(super) fn waiting(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let stored = record::checked(reply);
        let began = text::number(pending::field(&flow.record, CREATED_AT));
        let came = record::ms(stored, CAME);
        // What was told by a clock that was set back since is in the future; a renewal has told of it anew.
        let renewed = record::ms(stored, EXPIRES_AT) - record::ms(stored, LIFETIME);
        if stored.is_empty() || (came <= began || renewed <= began) && !record::is_over(stored) {
            return self.exchange(flow);
        }
        flow.record.clear();
        self.recall(flow);
        self.restore(flow)
    }

    /// What the redirect that this page was loaded by came to.
    fn recall(&self, flow: &mut Flow) {
        text::set(&mut flow.outcome, &self.outcome);
        flow.failed = self.refusal.clone();
    }

    /// Keeps that for the next call.
    fn remember(&mut self, id: &str, flow: &Flow) {
        // What comes of a pop-up's, which has a `_`, is told at once, to the page that has opened it. Who has signed in by
        // it hears no more of a no before, but of where that sign-in was to.
        let is_own = text::count(id, b'_') == 0;
        if is_own {
            text::set(&mut self.redirect, id);
            text::set(&mut self.outcome, &flow.outcome);
        }
        if is_own || flow.failed.is_none() {
            self.refusal = flow.failed.clone();
        }
    }

    /// The answer in a URL, if it is this client's to read: on the callback page, with a `state` that
    /// begins as ours do, or without one.
    fn answer_in<'a>(&self, input: &'a str) -> Result<Option<Answer<'a>>> {
        if text::nth(input, BREAK, 0) != self.config.line(CALLBACK_PAGE) {
            return Ok(None);
        }
        let answer = Answer::read(input, 1)?;
        let is_ours = |state: &str| {
            let tag = text::nth(state, b'.', 0);
            tag == state || text::number(tag) == f64::from(self.tag())
        };
        Ok(answer.filter(|answer| is_ours(answer.state)))
    }

    /// Finds the sign-in that an answer belongs to, and marks there what comes of it: what to exchange is
    /// the flow's record then.
    fn take_answer(&mut self, flow: &mut Flow, list: &str) -> Result<()> {
        let Some(answer) = self.answer_in(&flow.input)? else {
            return Ok(());
        };
        if !answer.state.is_empty() && self.redirect == answer.state {
            self.recall(flow);
            return Ok(());
        }
        self.check()?;
        let any = self.config.has(ALLOW_MISSING_STATE);
        let mut found = "";
        let recent = pending::with(list, self.now + pending::LATER, "", "", false);
        for pending in pending::lines(list) {
            let is_only = any && answer.state.is_empty() && pending == recent;
            if is_only || pending::field(pending, STATE) == answer.state {
                found = pending;
            }
        }
        let id = pending::field(found, STATE);
        if id.is_empty() {
            return Err(Reason::NoSignIn.into());
        }
        match pending::progress(found) {
            Progress::Started => {
                let expected = Expected {
                    state: (!any || !answer.state.is_empty()).then_some(id),
                    iss: self.config.line(EXPECTED_ISS),
                    response_type: if self.config.has(IS_TOKEN) {
                        ResponseType::Token
                    } else {
                        ResponseType::Code
                    },
                };
                match answer.check(&expected) {
                    Ok(Granted::Code(code)) => text::extend(&mut flow.record, &[found, code]),
                    Ok(Granted::Token(fragment, lifetime)) => {
                        text::set(&mut flow.record, found);
                        flow.signed
                            .set(fragment.0, lifetime, self.now, &begun(found));
                    }
                    Err(error) => {
                        // Not the server's word, but an answer that may not be accepted: the sign-in still waits for
                        // the true one.
                        if error.error.is_none() {
                            return Err(error);
                        }
                        flow.failed = Some(error);
                        // For another try from the callback page.
                        push_outcome(&mut flow.outcome, found);
                        self.remember(id, flow);
                    }
                }
                // A storage that refuses costs a reload in mid-flow, not the sign-in.
                // A no is about all that this tab has under way, as far as the user can tell.
                let list = pending::with(list, self.now, id, &flow.record, flow.failed.is_some());
                self.also("P", &list);
            }
            // Delivered twice, it goes on, or is done.
            Progress::Answered => {}
            Progress::Settled => push_outcome(&mut flow.outcome, found),
        }
        self.also("A", answer.state);
        Ok(())
    }

    /// What this tab was about to complete is over too: a reload must not undo a sign-out.
    pub(super) fn forget_answers(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let list = pending::with(reply, self.now, "", "", true);
        if list != reply {
            self.also("P", &list);
        }
        match flow.number {
            SIGN_OUT => self.ask(flow, Stage::Leave, "s"),
            REVOKE => self.ask(flow, Stage::Revoked, "S"),
            _ => self.ask(flow, Stage::Heard, "s"),
        }
    }

    pub(super) fn exchange(&mut self, flow: &mut Flow) -> Result<()> {
        if (self.left ^ flow.left) >= LEFT_HERE {
            // The user has signed out of this page meanwhile (S30). A sign-out in another tab, for which this one has waited,
            // was before.
            flow.record.clear();
            return self.restore(flow);
        }
        flow.left = self.left;
        let grant = PublicGrant::AuthorizationCode {
            code: pending::field(&flow.record, CODE),
            code_verifier: pending::field(&flow.record, CODE_VERIFIER),
            redirect_uri: self.config.line(REDIRECT_URI),
        };
        let body = token::public_request(self.config.line(CLIENT_ID), grant);
        flow.asked_at = self.now;
        flow.stage = Stage::Exchange;
        self.send(TOKEN_ENDPOINT, &body, "")
    }

    pub(super) fn exchanged(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let begun = begun(&flow.record);
        if let Err(error) = self.signed(reply, flow.asked_at, &begun, &mut flow.signed) {
            // A failure that passes leaves the answer where it waits: the next call tries again.
            // So does a page that a network's own portal has put in place of a relay's reply, which knows its codes again.
            let is_portal = error.code == ErrorCode::InvalidResponse && self.config.has(ISSUER);
            let is_passing = is_portal || error.is_passing();
            flow.failed = Some(once_more(error));
            if is_passing {
                return self.restore(flow);
            }
        }
        self.ask(flow, Stage::Complete, "p")
    }

    pub(super) fn complete(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let is_in = flow.failed.is_none();
        if is_in && self.left != flow.left {
            // The user has signed out while the reply was on its way (S30).
            text::set(&mut flow.record, &flow.signed.record);
            return self.revoke_if_it_can(flow);
        }
        let mut line = String::new();
        if is_in {
            // The session first: should the page die over it, the answer still waits.
            self.adopt(&flow.signed);
            pending::push_settled(&mut line, &flow.record);
            push_outcome(&mut flow.outcome, &flow.record);
        }
        let id = pending::field(&flow.record, STATE);
        // An older answer that still waits would put its user in this one's place at a reload.
        let list = pending::with(reply, self.now, id, &line, is_in);
        self.also("P", &list);
        self.remember(id, flow);
        if is_in {
            return self.done(&flow.outcome, None);
        }
        self.restore(flow)
    }
}

/// The record of the session that a sign-in is to give.
fn begun(pending: &str) -> String {
    let [label, scope] = [STATE, SCOPE].map(|number| pending::field(pending, number));
    record::begun(label, scope)
}

/// Adds what a sign-in that has succeeded comes to.
fn push_outcome(out: &mut String, pending: &str) {
    text::extend(out, &["/", pending::field(pending, RETURN_TO)]);
}

/// A refusal of the exchange, in the words of a sign-in.
fn once_more(error: Error) -> Error {
    if error.code == ErrorCode::LoginRequired {
        error.because(Reason::SignInFailed)
    } else {
        error
    }
}

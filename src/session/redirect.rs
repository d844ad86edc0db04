//! The way back: the answer in the page's URL.

use alloc::string::String;

use super::config::{
    ALLOW_MISSING_STATE, CALLBACK_PAGE, CLIENT_ID, IS_TOKEN, ISSUER, REDIRECT_URI, TOKEN_ENDPOINT,
};
use super::flow::{Flow, REVOKE, Reply, SIGN_OUT, Stage};
use super::page::Page;
use super::pending::{self, CODE, CODE_VERIFIER, CREATED_AT, Progress, RETURN_TO, SCOPE, STATE};
use super::record::{self, EXPIRES_AT, LIFETIME, Signed};
use crate::protocol::authorization::{Answer, Expected, Granted, ResponseType};
use crate::protocol::members::BREAK;
use crate::protocol::token::{self, PublicGrant};
use crate::protocol::{Error, ErrorCode, Reason, Result, text};

impl Page {
    /// Reads the answer in the page's URL and completes the sign-in that it belongs to; without one,
    /// takes up what a reload interrupted, or the session that is stored. Safe on every load, any number
    /// of times: the same redirect gives the same outcome.
    pub(super) fn answered(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let list = pending::with(reply.unwrap_or_default(), self.now, "", "");
        if let Err(error) = self.take_answer(flow, &list, self.unless_failed(reply)) {
            flow.failed = Some(error);
        }
        if !flow.signed.token.is_empty() {
            return self.ask(flow, Stage::Complete, "p");
        }
        if flow.record.is_empty() && !flow.is_settled() {
            // An answer may wait since before a reload: the latest.
            for pending in pending::lines(&list) {
                if pending::progress(pending) == Progress::Answered {
                    flow.record = pending.into();
                }
            }
            if !flow.record.is_empty() {
                self.also(&["L"]);
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
        let stored = record::checked(reply.unwrap_or_default());
        let began =
            text::whole(pending::field(&flow.record, CREATED_AT)).unwrap_or_default() as f64;
        // Of a token that never ends it isn't known when it came.
        let came = record::ms(stored, EXPIRES_AT) - record::ms(stored, LIFETIME);
        if stored.is_empty() || came <= began && !record::is_over(stored) {
            return self.exchange(flow);
        }
        flow.record.clear();
        self.recall(flow);
        self.restore(flow)
    }

    /// What the redirect that this page was loaded by came to.
    fn recall(&self, flow: &mut Flow) {
        flow.outcome = self.outcome.clone();
        flow.failed = self.refusal.clone();
    }

    /// Keeps that for the next call.
    fn remember(&mut self, id: &str, flow: &Flow) {
        // What comes of a pop-up's, which has a `p`, is told at once, to the page that has opened it.
        if text::count(id, b'p') > 0 {
            return;
        }
        self.redirect = id.into();
        self.outcome = flow.outcome.clone();
        self.refusal = flow.failed.clone();
    }

    /// The answer in a URL, if it is this client's to read: on the callback page, with a `state` that
    /// begins as ours do, or without one.
    fn answer_in<'a>(&self, input: &'a str) -> Result<Option<Answer<'a>>> {
        if text::nth(input, BREAK, 0) != self.config.line(CALLBACK_PAGE) {
            return Ok(None);
        }
        let answer = Answer::read(input, 2)?;
        let is_ours = |state: &str| {
            let tag = text::nth(state, b'.', 0);
            tag == state || tag == self.tag()
        };
        Ok(answer.filter(|answer| is_ours(answer.state)))
    }

    /// Finds the sign-in that an answer belongs to, and marks there what comes of it: what to exchange is
    /// the flow's record then.
    fn take_answer(&mut self, flow: &mut Flow, list: &str, failed: Option<Error>) -> Result<()> {
        let Some(answer) = self.answer_in(&flow.input)? else {
            return Ok(());
        };
        if !answer.state.is_empty() && self.redirect == answer.state {
            self.recall(flow);
            return Ok(());
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let any = self.config.has(ALLOW_MISSING_STATE);
        let mut found = "";
        for pending in pending::lines(list) {
            let is_only = any && answer.state.is_empty() && pending.len() == list.len();
            if is_only || pending::field(pending, STATE) == answer.state {
                found = pending;
            }
        }
        let id = pending::field(found, STATE);
        if id.is_empty() {
            return Err(Reason::NoSignIn.into());
        }
        let mut line = String::from(found);
        // Else it was delivered twice: the first delivery goes on or is done.
        if pending::progress(found) == Progress::Started {
            let expected = Expected {
                state: (!any || !answer.state.is_empty()).then_some(id),
                iss: self.config.line(ISSUER),
                response_type: if self.config.has(IS_TOKEN) {
                    ResponseType::Token
                } else {
                    ResponseType::Code
                },
            };
            match answer.check(&expected) {
                Ok(Granted::Code(code)) => {
                    line.push_str(code);
                    flow.record = line.clone();
                }
                Ok(Granted::Token(fragment, lifetime)) => {
                    let scope = pending::field(found, SCOPE);
                    flow.record = line.clone();
                    flow.signed = Signed::new(fragment.0, lifetime, self.now, scope, "");
                }
                Err(error) => {
                    // An answer that may not be accepted: the sign-in still waits for the true one.
                    if matches!(
                        error.code,
                        ErrorCode::InvalidAnswer | ErrorCode::InvalidResponse
                    ) {
                        return Err(error);
                    }
                    line.clear();
                    flow.failed = Some(error);
                    self.remember(id, flow);
                }
            }
        }
        // A storage that refuses costs a reload in mid-flow, not the sign-in.
        let mut list = pending::with(list, self.now, id, &line);
        if flow.failed.is_some() {
            // A no is about all that this tab has under way, as far as the user can tell.
            list = pending::without_answers(&list);
        }
        self.also(&["P", &list]);
        self.also(&["A", text::nth(&flow.input, BREAK, 1)]);
        Ok(())
    }

    /// What this tab was about to complete is over too: a reload must not undo a sign-out.
    pub(super) fn forget_answers(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let stored = reply.unwrap_or_default();
        let list = pending::without_answers(stored);
        if list != stored {
            self.also(&["P", &list]);
        }
        match flow.number {
            SIGN_OUT => self.ask(flow, Stage::Leave, "s"),
            REVOKE => self.ask(flow, Stage::Revoked, "S"),
            _ => self.ask(flow, Stage::Heard, "s"),
        }
    }

    pub(super) fn exchange(&mut self, flow: &mut Flow) -> Result<()> {
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
        let scope = pending::field(&flow.record, SCOPE);
        match self.signed(reply, flow.asked_at, scope, "") {
            Ok(signed) => flow.signed = signed,
            Err(error) => {
                // A failure that passes leaves the answer where it waits: the next call tries again.
                let is_passing = error.is_passing();
                flow.failed = Some(once_more(error));
                if is_passing {
                    return self.restore(flow);
                }
            }
        }
        self.ask(flow, Stage::Complete, "p")
    }

    pub(super) fn complete(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let mut line = String::new();
        let is_in = flow.failed.is_none();
        if is_in {
            // The session first: should the page die over it, the answer still waits.
            self.adopt(core::mem::take(&mut flow.signed));
            line = pending::settled(&flow.record);
            flow.outcome = text::joined(&["/", pending::field(&flow.record, RETURN_TO)]);
        }
        let id = pending::field(&flow.record, STATE);
        let mut list = pending::with(reply.unwrap_or_default(), self.now, id, &line);
        if is_in {
            // An older answer that still waits would put its user in this one's place at a reload.
            list = pending::without_answers(&list);
        }
        self.also(&["P", &list]);
        self.remember(id, flow);
        if is_in {
            return self.done(&flow.outcome, None);
        }
        self.restore(flow)
    }
}

/// A refusal of the exchange, in the words of a sign-in.
fn once_more(error: Error) -> Error {
    if error.code == ErrorCode::LoginRequired {
        error.because(Reason::SignInFailed)
    } else {
        error
    }
}

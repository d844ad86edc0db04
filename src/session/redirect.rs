//! The way back: the answer in the page's URL.

use alloc::string::String;

use super::config::{
    ALLOW_MISSING_STATE, CALLBACK_PAGE, CLIENT_ID, IS_TOKEN, ISSUER, REDIRECT_URI, TOKEN_ENDPOINT,
};
use super::flow::{Flow, Stage};
use super::page::Page;
use super::pending::{self, CODE, CODE_VERIFIER, Progress, RETURN_TO, SCOPE, STATE};
use super::record::Signed;
use crate::protocol::authorization::{Answer, Expected, Granted, ResponseType};
use crate::protocol::members::BREAK;
use crate::protocol::token::{self, PublicGrant};
use crate::protocol::{Error, ErrorCode, Result, text};

impl Page {
    /// Reads the answer in the page's URL and completes the sign-in that it belongs to; without one,
    /// takes up what a reload interrupted, or the session that is stored. Safe on every load, any number
    /// of times: the same redirect gives the same outcome.
    pub(super) fn answered(&mut self, flow: &mut Flow, reply: Result<String>) -> Result<()> {
        let (stored, failed) = match reply {
            Ok(stored) => (pending::with(&stored, self.now, "", ""), None),
            Err(error) => (String::new(), Some(error)),
        };
        if let Err(error) = self.take_answer(flow, &stored, failed) {
            flow.answer = Some(Err(error));
        }
        if flow.signed.is_some() {
            return self.ask(flow, Stage::Complete, "p");
        }
        if flow.record.is_empty() && flow.answer.is_none() {
            // An answer may wait since before a reload: the latest.
            for pending in text::split(&stored, b'\n') {
                if pending::progress(pending) == Progress::Answered {
                    flow.record = pending.into();
                }
            }
        }
        if !flow.record.is_empty() {
            return self.exchange(flow);
        }
        if flow.answer.is_none()
            && let Some((_, result)) = &self.redirect
        {
            flow.answer = Some(result.clone());
        }
        // Whatever else an answer came to, the page learns who is signed in.
        self.restore(flow)
    }

    /// The answer in a URL, if it is this client's to read: on the callback page, with a `state` that
    /// begins as ours do, or without one.
    fn answer_in<'a>(&self, input: &'a str) -> Result<Option<Answer<'a>>> {
        if text::nth(input, BREAK, 0) != self.config.line(CALLBACK_PAGE) {
            return Ok(None);
        }
        let answer = Answer::read(input, 2)?;
        let is_ours = |state: &str| text::cut(state, b'.').is_none_or(|(tag, _)| tag == self.tag());
        Ok(answer.filter(|answer| is_ours(answer.state)))
    }

    /// Finds the sign-in that an answer belongs to, and marks there what comes of it: what to exchange is
    /// the flow's record then.
    fn take_answer(&mut self, flow: &mut Flow, list: &str, failed: Option<Error>) -> Result<()> {
        let Some(answer) = self.answer_in(&flow.input)? else {
            return Ok(());
        };
        if let Some((id, result)) = &self.redirect
            && id == answer.state
        {
            flow.answer = Some(result.clone());
            return Ok(());
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let any = self.config.has(ALLOW_MISSING_STATE);
        let mut found = "";
        for pending in text::split(list, b'\n') {
            let is_only = any && answer.state.is_empty() && pending.len() == list.len();
            if is_only || pending::field(pending, STATE) == answer.state {
                found = pending;
            }
        }
        let id = pending::field(found, STATE);
        if id.is_empty() {
            return Err(Error::new(
                ErrorCode::InvalidAnswer,
                "the redirect belongs to no sign-in that this tab has begun in the last ten minutes",
            ));
        }
        let mut line = String::from(found);
        let mut result = Ok(());
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
                    flow.record.clone_from(&line);
                }
                Ok(Granted::Token(fragment, lifetime)) => {
                    let scope = pending::field(found, SCOPE);
                    flow.record.clone_from(&line);
                    flow.signed = Some(Ok(Signed::new(fragment.0, lifetime, self.now, scope, "")));
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
                    self.redirect = Some((id.into(), Err(error.clone())));
                    result = Err(error);
                }
            }
        }
        // A storage that refuses costs a reload in mid-flow, not the sign-in.
        self.also(&["P", &pending::with(list, self.now, id, &line)]);
        self.also(&["A", text::nth(&flow.input, BREAK, 1)]);
        result
    }

    fn exchange(&mut self, flow: &mut Flow) -> Result<()> {
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

    pub(super) fn exchanged(&mut self, flow: &mut Flow, reply: Result<String>) -> Result<()> {
        let scope = pending::field(&flow.record, SCOPE);
        let signed = self.signed(reply, flow.asked_at, scope, "");
        // A failure that passes leaves the answer where it waits: the next call tries again.
        if let Err(error) = &signed
            && error.is_passing()
        {
            flow.answer = signed.err().map(Err);
            return self.restore(flow);
        }
        flow.signed = Some(signed);
        self.ask(flow, Stage::Complete, "p")
    }

    pub(super) fn complete(&mut self, flow: &mut Flow, reply: Result<String>) -> Result<()> {
        let id = pending::field(&flow.record, STATE);
        let mut line = String::new();
        let result = match flow.signed.take() {
            Some(Err(error)) => Err(once_more(error)),
            signed => {
                // The session first: should the page die over it, the answer still waits.
                if let Some(Ok(signed)) = signed {
                    self.adopt(signed);
                }
                line = pending::settled(&flow.record);
                Ok(text::joined(&[
                    "/",
                    pending::field(&flow.record, RETURN_TO),
                ]))
            }
        };
        let stored = reply.unwrap_or_default();
        self.also(&["P", &pending::with(&stored, self.now, id, &line)]);
        self.redirect = Some((id.into(), result.clone()));
        match &result {
            Ok(text) => self.done(text),
            Err(_) => {
                flow.answer = Some(result);
                return self.restore(flow);
            }
        }
        Ok(())
    }
}

/// A refusal of the exchange, in the words of a sign-in.
fn once_more(error: Error) -> Error {
    if error.code == ErrorCode::LoginRequired {
        error.with_message("the sign-in could not be completed: please sign in again")
    } else {
        error
    }
}

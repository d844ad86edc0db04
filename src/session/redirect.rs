//! The way back: the answer in the page's URL.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::client::Client;
use super::flow::{Effect, Host, Outcome, Store, Task};
use super::pending::{self, Pending, Progress};
use super::record::Signed;
use super::run::Flow;
use crate::protocol::authorization::{self, Answer, Code, Expected, Granted};
use crate::protocol::http::{Request, split_url};
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::token::{self, PublicGrant, Tokens};
use crate::protocol::{Error, ErrorCode, Result, text};

impl Client {
    /// Reads the answer in `href`, the page's own URL, and completes the sign-in that it belongs to;
    /// without one, takes up what a reload interrupted, or the session that is stored. Safe on every
    /// load, any number of times: the same redirect gives the same outcome.
    pub fn handle_redirect(self: &Rc<Self>, href: &str) -> Task {
        self.task(Flow::Redirect(href.into()))
    }

    /// What an answer comes to; `None` if there is none to complete.
    pub(super) async fn redirect(&self, host: &Host, href: &str) -> Option<Result<Outcome>> {
        let stored = host.load_pending().await;
        let (begun, signed) = match self.next(host, href, stored) {
            Next::Look => return None,
            Next::End(result) => return Some(*result),
            Next::Complete(begun, tokens) => {
                let signed = Signed::read(*tokens, host.now(), &begun.scope);
                (begun, Ok(signed))
            }
            Next::Exchange(begun) => {
                let asked_at = host.now();
                let request = match self.exchange(&begun) {
                    Ok(request) => request,
                    Err(error) => return Some(Err(error)),
                };
                let reply = self.send(host, request, "").await;
                let signed = reply
                    .and_then(|reply| token::response(&reply))
                    .map(|tokens| Signed::read(tokens, asked_at, &begun.scope));
                (begun, signed)
            }
        };
        // A failure that passes leaves the answer where it waits: the next call tries again.
        if let Err(error) = &signed
            && (error.code.is_retryable() || error.code == ErrorCode::Aborted)
        {
            return Some(signed.map(|_| Outcome::Nothing));
        }
        let list = host.load_pending().await.unwrap_or_default();
        Some(self.complete(host, list, &begun, signed))
    }

    fn complete(
        &self,
        host: &Host,
        mut list: Vec<Pending>,
        begun: &Pending,
        signed: Result<Signed>,
    ) -> Result<Outcome> {
        end(&mut list, &begun.state, signed.is_ok());
        if signed.is_ok() {
            // An older answer that still waits would put its user in this one's place at a reload.
            pending::drop_answers(&mut list);
        }
        let result = match signed {
            Ok(signed) => {
                // The session first: should the page die over it, the answer still waits.
                self.adopt(host, &signed);
                Ok(Outcome::SignedIn(begun.return_to.clone()))
            }
            Err(error) => Err(once_more(error)),
        };
        host.also(Effect::Save(Store::Pending, pending::encode(&list)));
        self.remember(&begun.state, result)
    }

    fn next(&self, host: &Host, href: &str, stored: Result<Vec<Pending>>) -> Next {
        let taken = match self.answer_in(href) {
            Ok(Some(answer)) => self.take(host, answer, &stored),
            Ok(None) => Ok(Next::Look),
            Err(error) => Err(error),
        };
        match taken {
            Ok(Next::Look) => {}
            Ok(next) => return next,
            Err(error) => return Next::End(Box::new(Err(error))),
        }
        // An answer may wait since before a reload: the latest.
        let mut list = stored.unwrap_or_default();
        while let Some(pending) = list.pop() {
            if matches!(pending.progress, Progress::Answered(_)) {
                return Next::Exchange(Box::new(pending));
            }
        }
        match &self.state.borrow().redirect {
            Some((_, result)) => Next::End(Box::new(result.clone())),
            None => Next::Look,
        }
    }

    /// The answer in a URL, if it is this client's to read: on the callback page, with a `state` that
    /// begins as ours do, or without one.
    fn answer_in(&self, href: &str) -> Result<Option<Answer>> {
        let (page, callback) = (split_url(href), split_url(self.config.redirect_uri()));
        if (page.origin, page.path) != (callback.origin, callback.path) {
            return Ok(None);
        }
        let answer = authorization::response(href)?;
        let is_anothers =
            |state: &str| text::cut(state, b'.').is_some_and(|(tag, _)| tag != self.tag());
        Ok(answer.filter(|answer| !answer.state().is_some_and(is_anothers)))
    }

    fn take(&self, host: &Host, answer: Answer, stored: &Result<Vec<Pending>>) -> Result<Next> {
        if let Some((state, result)) = &self.state.borrow().redirect
            && answer.state() == Some(state)
        {
            return Ok(Next::End(Box::new(result.clone())));
        }
        let mut list = stored.clone()?;
        let cleaned_url = answer.cleaned_url().to_string();
        let next = self.judge_answer(answer, &mut list)?;
        // A storage that refuses costs a reload in mid-flow, not the sign-in.
        host.also(Effect::Save(Store::Pending, pending::encode(&list)));
        host.also(Effect::ReplaceUrl(cleaned_url));
        Ok(next)
    }

    /// Finds the sign-in that an answer belongs to, and marks there what comes of it.
    fn judge_answer(&self, answer: Answer, list: &mut Vec<Pending>) -> Result<Next> {
        let index = match answer.state() {
            Some(state) => list.iter().position(|pending| pending.state == state),
            None if self.config.allow_missing_state() && list.len() == 1 => Some(0),
            None => None,
        };
        let Some(begun) = index.and_then(|i| list.get_mut(i)) else {
            return Err(Error::new(
                ErrorCode::InvalidAnswer,
                "the redirect belongs to no sign-in that this tab has begun in the last ten minutes",
            ));
        };
        if begun.progress != Progress::Started {
            // Delivered twice: the first delivery goes on or is done.
            return Ok(Next::Look);
        }
        let expected = Expected {
            state: Some(begun.state.as_str())
                .filter(|_| !self.config.allow_missing_state() || answer.state().is_some()),
            iss: self.config.issuer(),
            response_type: self.config.response_type(),
        };
        match answer.check(&expected) {
            Err(error) if error.code == ErrorCode::InvalidAnswer => Err(error),
            Err(error) => {
                let state = begun.state.clone();
                end(list, &state, false);
                Ok(Next::End(Box::new(self.remember(&state, Err(error)))))
            }
            Ok(Granted::Code(code)) => {
                begun.progress = Progress::Answered(code.expose().into());
                Ok(Next::Exchange(Box::new(begun.clone())))
            }
            Ok(Granted::Token(tokens)) => {
                Ok(Next::Complete(Box::new(begun.clone()), Box::new(tokens)))
            }
        }
    }

    fn exchange(&self, begun: &Pending) -> Result<Request> {
        let code_verifier = CodeVerifier::parse(&begun.code_verifier)?;
        let code = match &begun.progress {
            Progress::Answered(code) => code.as_str(),
            _ => "",
        };
        let grant = PublicGrant::AuthorizationCode {
            code: Code::checked(code),
            code_verifier: &code_verifier,
            redirect_uri: self.config.redirect_uri(),
        };
        Ok(token::public_request(
            self.config.token_endpoint()?,
            self.config.client_id(),
            grant,
        ))
    }

    /// What this tab was about to complete is over too: a reload must not undo a sign-out.
    pub(super) async fn drop_answers(&self, host: &Host) {
        if let Ok(mut list) = host.load_pending().await
            && pending::drop_answers(&mut list)
        {
            host.also(Effect::Save(Store::Pending, pending::encode(&list)));
        }
    }

    fn remember(&self, state: &str, result: Result<Outcome>) -> Result<Outcome> {
        self.state.borrow_mut().redirect = Some((state.into(), result.clone()));
        result
    }
}

/// What an answer, or the lack of one, asks for next.
enum Next {
    /// There is nothing to complete.
    Look,
    Exchange(Box<Pending>),
    Complete(Box<Pending>, Box<Tokens>),
    End(Box<Result<Outcome>>),
}

/// Ends the sign-in of that `state`, settled or for nothing.
fn end(list: &mut Vec<Pending>, state: &str, is_settled: bool) {
    if let Some(index) = list.iter().position(|pending| pending.state == state) {
        let mut pending = list.remove(index);
        if is_settled {
            pending.code_verifier.clear();
            pending.progress = Progress::Settled;
            list.insert(index, pending);
        }
    }
}

/// A refusal of the exchange, in the words of a sign-in.
fn once_more(mut error: Error) -> Error {
    if error.code == ErrorCode::LoginRequired {
        error.message = "the sign-in could not be completed: please sign in again".into();
    }
    error
}

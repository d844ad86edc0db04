//! A valid access token: the kept one, or one renewal however many ask.

use alloc::rc::Rc;

use super::client::{Client, Event, displaced, login_required};
use super::flow::{Effect, Host, Outcome, Perform, Store, Task};
use super::record::{Session, Signed};
use super::run::Flow;
use crate::protocol::http::{Request, Response};
use crate::protocol::token::{self, PublicGrant};
use crate::protocol::{Error, ErrorCode, Result, Secret, text};

/// The header that names the session which a request expects, and that a browser sends across
/// origins only after a preflight. `-` where none in particular is expected.
pub(super) const SESSION_HEADER: &str = "att-oauth-session";

/// What a caller wants of the token.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Milliseconds that it must still last; by default the configured ones.
    pub min_validity: Option<f64>,
    /// The token of this generation is no good: an API refused it with 401.
    pub rejected_generation: Option<u32>,
    /// The kept token is no good, whatever its generation: the app wants a new one.
    pub renew: bool,
}

/// What a renewal asks for.
#[derive(Clone, Copy)]
struct Wish {
    rejected_generation: Option<u32>,
    is_rejected: bool,
    /// Seconds.
    min_validity: Option<u32>,
}

impl Client {
    /// Gives an access token that is good for as long as is wanted.
    ///
    /// A failure that passes costs nothing: the kept token is given while it lasts, and the session
    /// goes on. Callers who waited for a renewal that failed share its failure.
    pub fn access_token(self: &Rc<Self>, wanted: Wanted) -> Task {
        let seen = self.state.borrow().attempts;
        self.task(Flow::AccessToken(wanted, seen))
    }

    /// Where a call of an API goes, and for which session.
    pub fn api_target(self: &Rc<Self>, path: &str) -> Task {
        self.task(Flow::ApiTarget(path.into()))
    }

    pub(super) fn api(&self, session: &Session, path: &str) -> Result<Outcome> {
        let Some(issuer) = self.config.issuer() else {
            return Err(Error::new(
                ErrorCode::Unsupported,
                "calls of APIs go through a relay",
            ));
        };
        let url = text::joined(&[issuer, "/api", path]);
        Ok(Outcome::Api(
            url,
            session.label.clone(),
            session.api_handle.clone(),
        ))
    }

    pub(super) async fn token(
        &self,
        host: &Host,
        session: &Session,
        wanted: Wanted,
        seen: u32,
    ) -> Result<Secret> {
        let wish = match self.wish(session, wanted, seen, host.now()) {
            Ok(wish) => wish,
            Err(at_hand) => return at_hand,
        };
        let mut expected = session.label.as_str();
        let (asked_at, reply) = loop {
            let asked_at = host.now();
            let request = self.renewal(session, wish)?;
            let reply = self.send(host, request, expected).await;
            // The record is behind the cookie: the page that another sign-in's reply came to died over
            // it. One that has shown nobody's yet takes the new session up.
            if expected.is_empty() || !is_mismatch(&reply) || self.state.borrow().shown.is_some() {
                break (asked_at, reply);
            }
            expected = "";
        };
        let signed = self.counted(reply, asked_at, session);
        // The user may have signed out, or another in, while the reply was on its way (S30, S31).
        let stored = host.load_session().await;
        let result = self.renewed(host, session, expected, stored, signed);
        if let Err(error) = &result
            && keeps_session(error)
        {
            host.emit(Event::RefreshError(error.clone()));
            if let Some(token) = self.kept_token(host.now(), wish.is_rejected) {
                return Ok(token);
            }
        }
        result
    }

    /// What to ask the server for; or, as an error, what there is to answer without asking.
    fn wish(
        &self,
        session: &Session,
        wanted: Wanted,
        seen: u32,
        now: f64,
    ) -> Result<Wish, Result<Secret>> {
        let rejected_generation = if wanted.renew {
            session.generation
        } else {
            wanted.rejected_generation
        };
        let state = self.state.borrow();
        // A renewal that ended while this caller waited answers it too.
        let joined = state.attempts != seen;
        let is_rejected = !joined
            && (wanted.renew
                || (rejected_generation.is_some() && rejected_generation == session.generation));
        if !is_rejected && let Some((token, _)) = self.fresh_token(now, wanted.min_validity) {
            return Err(Ok(token));
        }
        if joined && let Some(error) = &state.last_failure {
            return Err(self
                .kept_token(now, is_rejected)
                .ok_or_else(|| error.clone()));
        }
        Ok(Wish {
            rejected_generation,
            is_rejected,
            min_validity: wanted.min_validity.map(|ms| (ms / 1000.0) as u32),
        })
    }

    /// The token that there is, if it has any life left and nobody has refused it.
    fn kept_token(&self, now: f64, is_rejected: bool) -> Option<Secret> {
        if is_rejected {
            None
        } else {
            self.fresh_token(now, Some(0.0)).map(|(token, _)| token)
        }
    }

    fn renewal(&self, session: &Session, wish: Wish) -> Result<Request> {
        let grant = PublicGrant::RefreshToken {
            refresh_token: session.handle.as_ref(),
            rejected_generation: wish.rejected_generation,
            min_validity: wish.min_validity,
        };
        Ok(token::public_request(
            self.config.token_endpoint()?,
            self.config.client_id(),
            grant,
        ))
    }

    /// Reads the reply to a renewal, and counts it for those who wait.
    fn counted(&self, reply: Result<Response>, asked_at: f64, session: &Session) -> Result<Signed> {
        let signed = reply.and_then(|reply| {
            let mut signed = Signed::read(token::response(&reply)?, asked_at, &session.scope);
            if let Some(renewed) = Rc::get_mut(&mut signed.session)
                && renewed.handle.is_none()
            {
                renewed.handle = session.handle.clone();
            }
            Ok(signed)
        });
        let mut state = self.state.borrow_mut();
        state.attempts = state.attempts.wrapping_add(1);
        let failure = signed.as_ref().err();
        state.last_failure = failure.filter(|e| e.code != ErrorCode::Aborted).cloned();
        signed
    }

    /// What a renewal, or its refusal, means for the session.
    fn renewed(
        &self,
        host: &Host,
        session: &Session,
        expected: &str,
        stored: Result<Option<Rc<Session>>>,
        signed: Result<Signed>,
    ) -> Result<Secret> {
        let signed = match signed {
            Ok(signed) => signed,
            Err(error) => {
                match error.code {
                    ErrorCode::LoginRequired => {
                        // Only if it is still ours: another tab may just have signed in anew.
                        let stored = stored.ok().flatten();
                        if stored.is_some_and(|stored| stored.label == session.label) {
                            host.also(Effect::Save(Store::Session, None));
                        }
                        self.ended(host, &session.label);
                    }
                    ErrorCode::SessionMismatch => self.displace(host),
                    _ => {}
                }
                return Err(error);
            }
        };
        let Some(stored) = stored?.filter(|stored| !stored.is_over) else {
            self.is_out(host);
            return Err(login_required());
        };
        let is_expected = expected.is_empty() || signed.session.label == expected;
        if !is_expected || stored.label != session.label {
            self.displace(host);
            return Err(displaced());
        }
        // The token is good even if the record can't be written: the vault has the rest.
        self.adopt(host, &signed);
        Ok(signed.access_token)
    }

    /// Asks a server of this client's, for the session of that label.
    pub(super) fn send<'a>(
        &self,
        host: &'a Host,
        mut request: Request,
        label: &str,
    ) -> Perform<'a, Result<Response>> {
        if self.config.issuer().is_some() {
            request
                .headers
                .append(SESSION_HEADER, if label.is_empty() { "-" } else { label });
        }
        host.send(request)
    }
}

fn is_mismatch(reply: &Result<Response>) -> bool {
    reply.as_ref().is_ok_and(|reply| reply.status == 409)
}

/// Whether the user is still signed in after this.
fn keeps_session(error: &Error) -> bool {
    !matches!(
        error.code,
        ErrorCode::LoginRequired | ErrorCode::SessionMismatch | ErrorCode::Aborted
    )
}

//! The end of a session: signing out of this browser, or revoking what was granted.

use alloc::rc::Rc;

use super::client::{Client, Event};
use super::flow::{Effect, Host, Outcome, Store, Task};
use super::record::Session;
use super::run::Flow;
use crate::protocol::http::Request;
use crate::protocol::{ErrorCode, Result, revocation};

impl Client {
    /// Revokes the session's tokens at the gateway and signs this browser out. With a relay, success
    /// also means that the relay owes the revocation and will see to it.
    ///
    /// A failure on the way changes nothing: the user is still signed in and the call can be made again.
    pub fn revoke(self: &Rc<Self>) -> Task {
        self.task(Flow::Revoke)
    }

    /// Signs this browser out, in all its tabs, whatever the network does; then has the session's
    /// tokens revoked. If the server can't be asked now, that stays owed: see [`Client::settle`].
    pub fn sign_out(self: &Rc<Self>) -> Task {
        self.task(Flow::SignOut)
    }

    /// Tells the server of a sign-out that it hasn't heard of, if one is owed. For each load of a page
    /// on which nobody is signed in.
    pub fn settle(self: &Rc<Self>) -> Task {
        self.task(Flow::Settle)
    }

    pub(super) async fn sign_out_here(&self, host: &Host) -> Result<Outcome> {
        self.drop_answers(host).await;
        let stored = host.load_session().await.ok().flatten();
        let session = stored.or_else(|| self.state.borrow().session.clone());
        // Removed first, for a full storage would refuse to write.
        let removed = host.save(Store::Session, None).await;
        let Some(session) = session else {
            self.ended(host, "");
            return removed.map(|()| Outcome::Nothing);
        };
        self.ended(host, &session.label);
        if self.config.revocation_endpoint().is_ok() {
            let mut over = (*session).clone();
            over.is_over = true;
            host.also(Effect::Save(Store::Session, Some(over.encode())));
            let _ = self.settle_with(host, &over).await;
        }
        removed.map(|()| Outcome::Nothing)
    }

    pub(super) async fn settle_owed(&self, host: &Host) -> Result<Outcome> {
        match host.load_session().await? {
            Some(over) if over.is_over => self.settle_with(host, &over).await,
            _ => Ok(Outcome::Nothing),
        }
    }

    async fn settle_with(&self, host: &Host, over: &Session) -> Result<Outcome> {
        let request = self.revocation(over)?;
        let reply = self.send(host, request, &over.label).await;
        let told = reply.and_then(|reply| revocation::response(&reply));
        if let Err(error) = &told
            && (error.code.is_retryable() || error.code == ErrorCode::Aborted)
        {
            return told.map(|()| Outcome::Nothing);
        }
        host.also(Effect::Tell(over.label.clone()));
        // Another tab may have signed in meanwhile.
        if host
            .load_session()
            .await?
            .is_some_and(|stored| stored.is_over)
        {
            host.also(Effect::Save(Store::Session, None));
        }
        Ok(Outcome::Nothing)
    }

    pub(super) async fn revoke_all(&self, host: &Host, session: &Session) -> Result<Outcome> {
        let request = self.revocation(session)?;
        let response = self.send(host, request, &session.label).await?;
        match revocation::response(&response) {
            // One that has ended is as good as revoked.
            Err(error) if error.code != ErrorCode::LoginRequired => return Err(error),
            _ => {}
        }
        self.drop_answers(host).await;
        let removed = host.save(Store::Session, None).await;
        self.ended(host, &session.label);
        removed.map(|()| Outcome::Nothing)
    }

    fn revocation(&self, session: &Session) -> Result<Request> {
        let endpoint = self.config.revocation_endpoint()?;
        let handle = session.handle.as_ref();
        Ok(revocation::public_request(
            endpoint,
            self.config.client_id(),
            handle,
        ))
    }

    /// Another tab has told of the end of the session of that label.
    pub(super) async fn heard(&self, host: &Host, ended: &str) {
        self.drop_answers(host).await;
        let is_known = |session: &Rc<Session>| session.label == ended && !session.is_over;
        if self.state.borrow().session.as_ref().is_some_and(is_known) {
            self.is_out(host);
        }
        // What this page keeps because its storage refuses, the other tab couldn't remove.
        let stored = host.load_session().await.ok().flatten();
        if stored.as_ref().is_some_and(is_known) {
            host.also(Effect::Save(Store::Session, None));
        }
    }

    /// The session of that label is over: all tabs are told.
    pub(super) fn ended(&self, host: &Host, label: &str) {
        host.also(Effect::Tell(label.into()));
        self.is_out(host);
    }

    /// Nobody is signed in here any more.
    pub(super) fn is_out(&self, host: &Host) {
        self.forget();
        self.state.borrow_mut().redirect = None;
        host.emit(Event::SignedOut);
    }
}

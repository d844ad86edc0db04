//! The end of a session: signing out of this browser, or revoking what was granted.

use alloc::rc::Rc;

use super::client::{Client, Event};
use super::flow::{Host, Outcome, Store, Task};
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
    /// tokens revoked if that can be done.
    pub fn sign_out(self: &Rc<Self>) -> Task {
        self.task(Flow::SignOut)
    }

    pub(super) async fn sign_out_here(&self, host: &Host) -> Result<Outcome> {
        let stored = host.load_session().await.ok().flatten();
        let session = stored.or_else(|| self.state.borrow().session.clone());
        let removed = host.save(Store::Session, None).await;
        self.ended(host);
        if let Some(session) = session
            && let Ok(request) = self.revocation(&session)
        {
            let _ = self.send(host, request, &session.label).await;
        }
        removed.map(|()| Outcome::Nothing)
    }

    pub(super) async fn revoke_all(&self, host: &Host, session: &Session) -> Result<Outcome> {
        let request = self.revocation(session)?;
        let response = self.send(host, request, &session.label).await?;
        match revocation::response(&response) {
            // One that has ended is as good as revoked.
            Err(error) if error.code != ErrorCode::LoginRequired => return Err(error),
            _ => {}
        }
        let removed = host.save(Store::Session, None).await;
        self.ended(host);
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

    fn ended(&self, host: &Host) {
        self.forget();
        self.state.borrow_mut().redirect = None;
        host.emit(Event::SignedOut, true);
    }
}

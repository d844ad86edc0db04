//! The flows by name, and the one coroutine that runs them all: a coroutine for each would take the
//! lock, be boxed and be dropped in code of its own.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;

use super::access::Wanted;
use super::client::Client;
use super::flow::{Effect, Host, Outcome, Task};
use super::sign_in::SignIn;
use crate::protocol::{ErrorCode, Result};

pub(super) enum Flow {
    AccessToken(Wanted, u32),
    ApiTarget(String),
    /// And leave the page, if that is set.
    Begin(Box<SignIn>, bool),
    Redirect(String),
    Revoke,
    Settle,
    SignOut,
    /// The label of a session that has ended, or nothing.
    Sync(String),
}

impl Client {
    pub(super) fn task(self: &Rc<Self>, flow: Flow) -> Task {
        let client = self.clone();
        Task::new(|host| client.run(host, flow))
    }

    async fn run(self: Rc<Self>, host: Host, flow: Flow) -> Result<Outcome> {
        let locks = !matches!(flow, Flow::ApiTarget(_) | Flow::Sync(_));
        let leaves = matches!(flow, Flow::Begin(_, true));
        if locks {
            host.lock().await;
        }
        let result = self.run_locked(&host, flow).await;
        if locks {
            host.also(Effect::Unlock);
        }
        match result {
            Ok(Outcome::Url(url)) if leaves => {
                host.navigate(url).await?;
                Ok(Outcome::Nothing)
            }
            result => result,
        }
    }

    async fn run_locked(&self, host: &Host, flow: Flow) -> Result<Outcome> {
        let serial = self.state.borrow().serial;
        let mut answer = None;
        match &flow {
            Flow::Begin(options, _) => return self.begin(host, options).await,
            Flow::Settle => return self.settle_owed(host).await,
            Flow::SignOut => return self.sign_out_here(host).await,
            Flow::Redirect(href) => answer = self.redirect(host, href).await,
            Flow::Sync(ended) if !ended.is_empty() => self.heard(host, ended).await,
            _ => {}
        }
        let is_just_signed_in = self.state.borrow().serial != serial;
        if is_just_signed_in && let Some(result) = answer {
            return result;
        }
        // Whatever else an answer came to, the page learns who is signed in.
        let session = self.restore(host, matches!(flow, Flow::Redirect(_))).await;
        match (flow, session) {
            (Flow::Redirect(_), _) if let Some(result) = answer => result,
            // Without storage there is no session to take up, and signing in still works.
            (Flow::Redirect(_), Err(error))
                if !matches!(error.code, ErrorCode::LoginRequired | ErrorCode::Storage) =>
            {
                Err(error)
            }
            (Flow::Revoke, Err(error)) if error.code != ErrorCode::LoginRequired => Err(error),
            (Flow::AccessToken(wanted, seen), Ok(session)) => {
                let token = self.token(host, &session, wanted, seen).await?;
                Ok(Outcome::AccessToken(token))
            }
            (Flow::ApiTarget(path), Ok(session)) => self.api(&session, &path),
            (Flow::Revoke, Ok(session)) => self.revoke_all(host, &session).await,
            (Flow::AccessToken(..) | Flow::ApiTarget(_), Err(error)) => Err(error),
            _ => Ok(Outcome::Nothing),
        }
    }
}

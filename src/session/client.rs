//! What a page knows of its session, and the questions that need no effect.

use alloc::rc::Rc;
use alloc::string::String;
use core::cell::{Cell, RefCell};

use super::config::Config;
use super::flow::{Effect, Host, Outcome, Store, Task};
use super::record::{Session, Signed};
use super::run::Flow;
use crate::protocol::authorization::ResponseType;
use crate::protocol::scope::Scope;
use crate::protocol::{Error, ErrorCode, Result, Secret};

/// A client, shared by its flows.
pub struct Client {
    pub(super) config: Config,
    pub(super) state: RefCell<State>,
    told: Cell<Told>,
}

/// What a page is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Who is signed in, the token or the scope has changed.
    Change,
    /// The token's end is near.
    Expiring,
    /// The token has ended; the session may not have.
    Expired,
    /// The session has ended.
    SignedOut,
    /// A renewal failed; the user is still signed in.
    RefreshError(Error),
}

#[derive(Default)]
pub(super) struct State {
    pub session: Option<Rc<Session>>,
    pub access_token: Option<Secret>,
    /// Counts the tokens and their ends, so that a host can tell whether it still holds the current one.
    pub serial: u32,
    /// Another sign-in has taken this page's place: until the page looks again it gets no token (S31).
    pub displaced: bool,
    /// The session whose token this page was last given: after a sign-out too it takes up no other
    /// until it looks again.
    pub shown: Option<String>,
    /// How many requests for a token this page has made, and how the last one failed.
    pub attempts: u32,
    pub last_failure: Option<Error>,
    /// What the redirect that this page was loaded by came to: the sign-in's `state` and its result.
    pub redirect: Option<(String, Result<Outcome>)>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Told {
    #[default]
    Nothing,
    Expiring,
    Expired,
}

impl Client {
    /// A client that knows of no session yet.
    pub fn new(config: Config) -> Rc<Self> {
        Rc::new(Self {
            config,
            state: RefCell::default(),
            told: Cell::default(),
        })
    }

    /// What tells its records, locks and channels from another client's.
    pub fn namespace(&self) -> String {
        self.config.namespace()
    }

    /// Whether there is a session, as far as this page has looked.
    pub fn is_signed_in(&self) -> bool {
        self.state.borrow().session.is_some()
    }

    /// When the access token ends, in milliseconds since 1970; infinite if never.
    pub fn expires_at(&self) -> Option<f64> {
        self.state
            .borrow()
            .session
            .as_ref()
            .map(|session| session.expires_at)
    }

    /// What was granted.
    pub fn scope(&self) -> Option<Scope> {
        self.state
            .borrow()
            .session
            .as_ref()
            .map(|session| session.scope.clone())
    }

    /// The access token, if it lasts `min_validity` milliseconds more (by default the configured
    /// ones), and its serial number. A short-lived token is good for three quarters of its life,
    /// whatever `min_validity` says by default, or it would never be.
    pub fn fresh_token(&self, now: f64, min_validity: Option<f64>) -> Option<(Secret, u32)> {
        let state = self.state.borrow();
        let token = state.access_token.clone()?;
        let session = state.session.as_ref()?;
        let needed =
            min_validity.unwrap_or_else(|| self.config.min_validity().min(session.lifetime / 4.0));
        (session.expires_at - now > needed).then_some((token, state.serial))
    }

    /// The serial number that [`Client::fresh_token`] would give, without a copy of the token.
    pub fn fresh_serial(&self, now: f64) -> Option<u32> {
        let state = self.state.borrow();
        let session = state.session.as_ref()?;
        let needed = self.config.min_validity().min(session.lifetime / 4.0);
        (state.access_token.is_some() && session.expires_at - now > needed).then_some(state.serial)
    }

    /// In how many milliseconds [`Client::tick`] wants to be called.
    pub fn alarm(&self, now: f64) -> Option<f64> {
        let state = self.state.borrow();
        let session = state.session.as_ref()?;
        let at = match self.told.get() {
            Told::Nothing => session.expires_at - self.lead(session),
            Told::Expiring => session.expires_at,
            Told::Expired => return None,
        };
        at.is_finite().then(|| (at - now).max(0.0))
    }

    /// What there is to tell at `now`.
    pub fn tick(&self, now: f64) -> Option<Event> {
        let state = self.state.borrow();
        let session = state.session.as_ref()?;
        let (told, event) = if now >= session.expires_at {
            (Told::Expired, Event::Expired)
        } else if now >= session.expires_at - self.lead(session) {
            (Told::Expiring, Event::Expiring)
        } else {
            return None;
        };
        (self.told.replace(told) != told).then_some(event)
    }

    /// Looks at what another tab has stored, which told of the end of the session of that label, or
    /// of none.
    pub fn sync(self: &Rc<Self>, ended: &str) -> Task {
        self.task(Flow::Sync(ended.into()))
    }

    /// A call of an API was answered for the session of that label, with the token of that generation.
    /// A newer one than this page's has ended this page's, at the gateway: the next caller gets another.
    pub fn called(&self, label: &str, generation: u32) {
        let mut state = self.state.borrow_mut();
        if let Some(session) = &state.session
            && session.label == label
        {
            let is_news = session.generation.is_some_and(|kept| kept < generation);
            state.shown = Some(label.into());
            if is_news {
                state.access_token = None;
            }
        }
    }

    fn lead(&self, session: &Session) -> f64 {
        self.config.expiring_lead().min(session.lifetime / 4.0)
    }

    /// Takes in what is stored for all tabs, and gives the session that this page may act for; whoever
    /// that is if the page is `anew`.
    ///
    /// # Errors
    /// [`ErrorCode::LoginRequired`] if there is none, [`ErrorCode::SessionMismatch`] if it isn't the
    /// one that this page knows, [`ErrorCode::Storage`].
    pub(super) async fn restore(&self, host: &Host, anew: bool) -> Result<Rc<Session>> {
        if self.config.response_type() == ResponseType::Token {
            // A token out of the fragment is this page's alone and is never stored.
            let known = self.state.borrow().session.clone();
            return known.ok_or_else(login_required);
        }
        loop {
            let serial = self.state.borrow().serial;
            let stored = host.load_session().await?;
            let state = self.state.borrow();
            if state.serial == serial {
                drop(state);
                return self.restored(host, stored, anew);
            }
            // Another flow of this page has signed in or out meanwhile, and this was read before.
            if let Some(session) = &state.session {
                return Ok(session.clone());
            }
        }
    }

    fn restored(
        &self,
        host: &Host,
        stored: Option<Rc<Session>>,
        anew: bool,
    ) -> Result<Rc<Session>> {
        let mut state = self.state.borrow_mut();
        if anew {
            // It keeps what it shows, if that is still so and it wasn't told otherwise.
            let stored = stored.as_ref().map(|stored| &stored.label);
            if state.displaced || stored != state.shown.as_ref() {
                state.shown = None;
            }
            state.displaced = false;
        }
        if state.displaced {
            return Err(displaced());
        }
        let stored = stored.filter(|stored| !stored.is_over);
        let known = state.session.clone();
        let is_anothers = match (&known, &stored, &state.shown) {
            (Some(known), Some(stored), _) => known.label != stored.label,
            (None, Some(stored), Some(shown)) => *shown != stored.label,
            _ => false,
        };
        drop(state);
        let Some(stored) = stored else {
            if known.is_some() {
                self.is_out(host);
            }
            return Err(login_required());
        };
        // Another tab may have renewed: its token isn't ours, but its end and generation are news. A
        // kept token that the relay handed out once more is none: its end, measured anew, is a little
        // off, and tabs that ask on `change` would set each other off.
        let is_kept = known.as_ref().is_some_and(|known| {
            known.label == stored.label
                && known.generation.is_some()
                && known.generation == stored.generation
        });
        if is_kept {
            self.state.borrow_mut().session = Some(stored.clone());
        } else if known.as_ref() != Some(&stored) {
            if is_anothers && !anew {
                self.displace(host);
                return Err(displaced());
            }
            self.forget();
            self.state.borrow_mut().session = Some(stored.clone());
            host.emit(Event::Change);
        }
        Ok(stored)
    }

    /// Takes a session over, with its token.
    pub(super) fn adopt(&self, host: &Host, signed: &Signed) {
        if self.config.response_type() == ResponseType::Code {
            let record = signed.session.encode();
            host.also(Effect::Save(Store::Session, Some(record)));
        }
        host.also(Effect::Tell(String::new()));
        host.emit(Event::Change);
        let mut state = self.state.borrow_mut();
        state.shown = Some(signed.session.label.clone());
        state.session = Some(signed.session.clone());
        state.access_token = Some(signed.access_token.clone());
        state.serial = state.serial.wrapping_add(1);
        state.displaced = false;
        self.told.set(Told::Nothing);
    }

    /// Forgets the session.
    pub(super) fn forget(&self) {
        let mut state = self.state.borrow_mut();
        state.session = None;
        state.access_token = None;
        state.serial = state.serial.wrapping_add(1);
        self.told.set(Told::Nothing);
    }

    /// Another sign-in has taken this page's place.
    pub(super) fn displace(&self, host: &Host) {
        self.forget();
        let mut state = self.state.borrow_mut();
        state.displaced = true;
        // What this page came to is over: asked again, it looks anew.
        state.redirect = None;
        drop(state);
        host.emit(Event::Change);
    }
}

pub(super) fn login_required() -> Error {
    Error::new(ErrorCode::LoginRequired, "nobody is signed in")
}

pub(super) fn displaced() -> Error {
    Error::new(
        ErrorCode::SessionMismatch,
        "another sign-in in this browser has taken this page's place",
    )
}

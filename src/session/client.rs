//! The client for hosts in Rust: what begins its flows, and the questions that need no effect.

use alloc::rc::Rc;
use alloc::string::String;
use core::cell::RefCell;

use super::config::{self, Config};
use super::flow::{self, BREAK};
use super::native::{Event, Task};
use super::options::{MIN_VALIDITY, check_scope, is_own_path, leads_up, page};
use super::page::Page;
use super::record;
use crate::protocol::authorization::{CustomParam, Redirect};
use crate::protocol::http::split_url;
use crate::protocol::scope::Scope;
use crate::protocol::{Error, ErrorCode, Reason, Result, Secret, text};

/// What one sign-in asks for beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    /// In place of the configured one.
    pub scope: Scope,
    /// Where the user wants to go afterwards: a path of the app's own origin; by default the page that
    /// they are on.
    pub return_to: Option<String>,
    /// In place of the configured one, if it has a word.
    pub custom_param: CustomParam,
}

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

/// A client, shared by its flows.
pub struct Client {
    pub(super) page: RefCell<Page>,
}

impl Client {
    /// A client that knows of no session yet.
    pub fn new(config: Config) -> Rc<Self> {
        let page = RefCell::new(Page::new(config));
        Rc::new(Self { page })
    }

    /// What tells its records, locks and channels from another client's.
    pub fn namespace(&self) -> String {
        self.page.borrow().config.line(config::NAMESPACE).into()
    }

    /// Whether there is a session, as far as this page has looked.
    pub fn is_signed_in(&self) -> bool {
        self.expires_at().is_some()
    }

    /// Whether another sign-in in this browser has taken this page's place: it gets no token until it looks again. It signs in
    /// by being loaded anew, or two pages would take each other's place for ever.
    pub fn is_displaced(&self) -> bool {
        self.page.borrow().is_displaced()
    }

    /// When the access token ends, in milliseconds since 1970; infinite if never.
    pub fn expires_at(&self) -> Option<f64> {
        Some(self.page.borrow().end()).filter(|end| !end.is_nan())
    }

    /// What was granted.
    pub fn scope(&self) -> Option<Scope> {
        self.is_signed_in()
            .then(|| Scope::parse(self.page.borrow().scope()).unwrap_or_default())
    }

    /// The access token, if it lasts `min_validity` milliseconds more (by default the configured
    /// ones), and its serial number. A short-lived token is good for three quarters of its life,
    /// whatever `min_validity` says by default, or it would never be.
    pub fn fresh_token(&self, now: f64, min_validity: Option<f64>) -> Option<(Secret, u32)> {
        let page = self.page.borrow();
        let is_fresh = match min_validity {
            None => page.fresh(now) != 0,
            Some(needed) => page.is_fresh(now, needed),
        };
        is_fresh.then(|| (Secret::new(page.token()), page.serial))
    }

    /// In how many milliseconds [`Client::tick`] wants to be called.
    pub fn alarm(&self, now: f64) -> Option<f64> {
        Some(self.page.borrow().delay(now)).filter(|delay| delay.is_finite())
    }

    /// What there is to tell at `now`.
    pub fn tick(&self, now: f64) -> Option<Event> {
        Event::read(self.page.borrow_mut().due(now, false))
    }

    /// The same once the network is back: what was told while nothing could be done about it comes again.
    pub fn is_online(&self, now: f64) -> Option<Event> {
        Event::read(self.page.borrow_mut().due(now, true))
    }

    /// A call of an API was answered for the session of that label, with the token of that generation.
    /// A newer one than this page's has ended this page's, at the gateway: the next caller gets another.
    pub fn called(&self, label: &str, generation: u32) {
        self.page.borrow_mut().called(label, generation.into());
    }

    /// Reads the answer in `href`, the page's own URL, and completes the sign-in that it belongs to;
    /// without one, takes up what a reload interrupted, or the session that is stored. Safe on every
    /// load, any number of times: the same redirect gives the same outcome.
    pub fn handle_redirect(self: &Rc<Self>, href: &str) -> Task {
        let input = [page(href), Redirect::parse(href).texts];
        Task::new(self, flow::REDIRECT, input.join(BREAK))
    }

    /// Begins a sign-in and gives the URL to send the user to. `href` is the page's own URL: without a
    /// `return_to` the user comes back to it. `random` is drawn anew for each.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`]
    pub fn authorization_url(
        self: &Rc<Self>,
        options: SignIn,
        href: &str,
        random: [u8; 78],
    ) -> Result<Task> {
        let is_any_allowed = self.page.borrow().config.has(config::ALLOW_ANY_SCOPE);
        check_scope(&options.scope, is_any_allowed)?;
        if options
            .return_to
            .as_deref()
            .is_some_and(|path| !is_own_path(path))
        {
            return Err(Reason::ReturnTo.into());
        }
        let letters: String = random
            .iter()
            .map(|byte| {
                char::from(match byte % 32 {
                    chance @ 0..26 => b'a' + chance,
                    chance => b'2' - 26 + chance,
                })
            })
            .collect();
        let input = [
            &letters,
            &options.scope.to_spaces(),
            &options.return_to.unwrap_or_default(),
            options.custom_param.value(),
            self.path_of(href).unwrap_or_default(),
        ];
        Ok(Task::new(self, flow::BEGIN, input.join(BREAK)))
    }

    /// The path of the app's own page, to come back to; none for the callback page itself, unless it is at a router's route.
    fn path_of<'a>(&self, href: &'a str) -> Option<&'a str> {
        let own = self.page.borrow();
        let callback = own.config.line(config::CALLBACK_PAGE);
        let origin = split_url(href).origin;
        // Of a hash router, and nothing that may be an answer.
        let has_route = href
            .split_once("#/")
            .is_some_and(|(_, route)| !route.is_empty());
        let is_route = has_route && Redirect::parse(href).answer() == Ok(None);
        if origin != split_url(callback).origin || page(href) == callback && !is_route {
            return None;
        }
        let path = href.get(origin.len()..)?;
        is_own_path(path).then_some(path)
    }

    /// Gives an access token that is good for as long as is wanted.
    ///
    /// A failure that passes costs nothing: the kept token is given while it lasts, and the session
    /// goes on. Callers who waited for a renewal that failed share its failure.
    pub fn access_token(self: &Rc<Self>, wanted: Wanted) -> Task {
        let number = |number: Option<u64>| number.map(text::decimal).unwrap_or_default();
        // A relay goes by half a minute of its own; who has none gives a new token each time.
        let configured = {
            let page = self.page.borrow();
            let is_more = page.config.has(config::ISSUER) && page.needed() > MIN_VALIDITY;
            is_more.then(|| page.needed())
        };
        let input = [
            number(wanted.min_validity.or(configured).map(|ms| ms as u64)),
            number(wanted.rejected_generation.map(u64::from)),
            String::from(if wanted.renew { "1" } else { "" }),
        ];
        Task::new(self, flow::ACCESS_TOKEN, input.join(BREAK))
    }

    /// Where a call of an API goes, and for which session. `path` as at AT&T.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] for what is no path
    pub fn api_target(self: &Rc<Self>, path: &str) -> Result<Task> {
        if !path.starts_with('/') || path.contains(|c| c < ' ') || leads_up(path) {
            let what = "fetch takes a path as at AT&T, like \"/rest/2/Devices/Info\"";
            return Err(Error::new(ErrorCode::InvalidOption, what));
        }
        Ok(Task::new(self, flow::API, path.into()))
    }

    /// Revokes the session's tokens at the gateway and signs this browser out. With a relay, success
    /// also means that the relay owes the revocation and will see to it.
    ///
    /// A failure on the way changes nothing: the user is still signed in and the call can be made again.
    pub fn revoke(self: &Rc<Self>) -> Task {
        Task::new(self, flow::REVOKE, String::new())
    }

    /// Signs this browser out, in all its tabs, whatever the network does; then has the session's
    /// tokens revoked. If the server can't be asked now, that stays owed: see [`Client::settle`].
    pub fn sign_out(self: &Rc<Self>) -> Task {
        Task::new(self, flow::SIGN_OUT, String::new())
    }

    /// Tells the server of a sign-out that it hasn't heard of, if one is owed. For each load of a page
    /// on which nobody is signed in.
    pub fn settle(self: &Rc<Self>) -> Task {
        Task::new(self, flow::SETTLE, String::new())
    }

    /// Looks at what another tab has stored, which has told that by [`Effect::Tell`](super::Effect::Tell); or anything may be stored, if it is
    /// empty.
    pub fn sync(self: &Rc<Self>, told: &str) -> Task {
        Task::new(self, flow::SYNC, told.into())
    }
}

/// The label of the session that a stored record tells of.
pub fn label_in(stored: &str) -> &str {
    record::line(stored, record::LABEL)
}

/// The sealed handle in a stored record.
pub fn handle_in(stored: &str) -> &str {
    record::line(stored, record::HANDLE)
}

//! The client for Rust web apps: what the JavaScript class `AttOAuth` is, for Yew, Leptos, Dioxus or plain web-sys. Of
//! that it has not: pop-ups, app tokens, calls that go straight to an API (`apiOrigins`), an app's own storage, `fetch` or
//! clock, and bodies as streams.
//!
//! ```no_run
//! use att_oauth::gloo::{AttOAuth, ErrorCode, Event, Options, Request, Scope, SignIn};
//! # fn show(_: &str) {}
//!
//! # async fn start() -> Result<(), att_oauth::gloo::Error> {
//! let att = AttOAuth::new(Options {
//!     client_id: "your App Key".into(),
//!     relay: Some("https://app.example/oauth".into()),
//!     redirect_uri: "https://app.example/signed-in".into(),
//!     scope: Scope::parse("DC")?,
//!     ..Options::default()
//! })?;
//!
//! // Told until it is dropped.
//! let listener = att.listen(|event| match event {
//!     Event::SignedOut => show("Signed out."),
//!     Event::RefreshError(error) => show(error.message()),
//!     _ => {}
//! });
//!
//! // On every load of the page.
//! match att.handle_redirect().await {
//!     Err(error) if error.code == ErrorCode::AccessDenied => show("The user said no."),
//!     Err(error) if error.code.is_retryable() => show("Not reached: call it again, the answer is still here."),
//!     Err(error) => return Err(error),
//!     Ok(_) if att.signed_in() => {
//!         let device = att.fetch(Request::get("/rest/2/Devices/Info")).await?;
//!         show(&device.text().await.unwrap_or_default());
//!     }
//!     Ok(_) => att.sign_in(SignIn::default()).await?,
//! }
//! # drop(listener);
//! # Ok(())
//! # }
//! ```
//!
//! A component holds a clone, and a [`Listener`] for as long as it is there. In Yew:
//!
//! ```ignore
//! #[derive(Properties, PartialEq)]
//! struct Props {
//!     att: AttOAuth,
//! }
//!
//! #[component]
//! fn Account(props: &Props) -> Html {
//!     let att = &props.att;
//!     let signed_in = use_state(|| att.signed_in());
//!     {
//!         let (att, signed_in) = (att.clone(), signed_in.clone());
//!         use_effect_with((), move |()| {
//!             let heard = att.clone();
//!             let listener = att.listen(move |_| signed_in.set(heard.signed_in()));
//!             move || drop(listener)
//!         });
//!     }
//!     let sign_out = {
//!         let att = att.clone();
//!         Callback::from(move |_: MouseEvent| {
//!             let att = att.clone();
//!             spawn_local(async move { drop(att.sign_out().await) });
//!         })
//!     };
//!     html! { if *signed_in { <button onclick={sign_out}>{ "Sign out" }</button> } }
//! }
//! ```
//!
//! It is of one thread, as all of a page is: where a framework asks for `Send` (Leptos' contexts), wrap it, as in
//! `StoredValue::new_local(att)`.
//!
//! - Records, locks and messages are those of the JavaScript client with the same relay and App Key: on one origin
//!   the two share a session.
//! - A call that is dropped before its end goes on without its caller, but for [`AttOAuth::fetch`], which is given up:
//!   what a renewal brings is kept for who asks next, a sign-out is carried through, and the lock is let go.
//! - What can't be had is done without: with no Web Locks two tabs may ask for the same renewal, which the relay
//!   answers once; with storage that refuses, records are kept in memory.

mod fetch;
mod host;
mod lock;
mod renewal;
mod storage;

use alloc::rc::{Rc, Weak};
use alloc::string::String;
use core::time::Duration;
use std::format;

pub use gloo_net::http::Response;

use self::host::Host;
pub use crate::protocol::http::{Headers, Request};
pub use crate::protocol::scope::Scope;
pub use crate::protocol::{Error, ErrorCode, Result, Secret};
use crate::protocol::{Reason, http::split_url};
use crate::session::{Client, Outcome};
pub use crate::session::{Event, Options, SignIn, Wanted};

/// How a client uses the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Browser {
    /// Where the session's record is kept; [`Storage::Local`]. It holds no access token; in custody `handle` it holds the
    /// relay's sealed handle, and without our relay the backend's `refresh_token`, if that gives one.
    pub storage: Storage,
    /// How long a request may take; 15 seconds.
    pub timeout: Duration,
    /// Renews the token by itself, at [`Event::Expiring`] and again at [`Event::Expired`]; after a failure that passes
    /// after some seconds, later after some minutes, and when the network comes back. `false`: a call of
    /// [`access_token`](AttOAuth::access_token) or [`fetch`](AttOAuth::fetch) does.
    pub renew_in_background: bool,
}

impl Default for Browser {
    fn default() -> Self {
        Self {
            storage: Storage::Local,
            timeout: Duration::from_secs(15),
            renew_in_background: false,
        }
    }
}

/// A place for records. What a browser refuses to keep is kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// `localStorage`: for all tabs. Sign-ins under way are in `sessionStorage`.
    Local,
    /// `sessionStorage`: for one tab.
    Session,
    /// Memory: up to the next load of the page, which is a sign-in's end too if it leaves the page.
    Memory,
}

/// A sign-in that was completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Where the user wanted to go.
    pub return_to: Option<String>,
}

/// One app's client. Clones are the same client; with the last one go its timers and its listeners.
#[derive(Clone)]
pub struct AttOAuth(Rc<Host>);

impl AttOAuth {
    /// A client that knows of no session yet. `jitter` is drawn here, whatever the options say.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] with the option's name, as JavaScript spells it
    pub fn new(options: Options) -> Result<Self> {
        Self::with(options, Browser::default())
    }

    /// The same, with a say in how the browser is used.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`]
    pub fn with(mut options: Options, browser: Browser) -> Result<Self> {
        let redirect_uri = options.redirect_uri.clone();
        [options.jitter] = host::random()?;
        let config = options.check()?;
        check_spelling(&redirect_uri)?;
        Ok(Self(Host::open(Client::new(config), browser)))
    }

    /// Completes a sign-in if the page's URL holds an answer, or takes up the stored session. Call it on
    /// every load, any number of times: the same redirect gives the same result. The answer is gone from
    /// the address bar before the first request.
    ///
    /// # Errors
    /// [`ErrorCode::AccessDenied`], [`ErrorCode::AuthorizationFailed`], [`ErrorCode::InvalidAnswer`],
    /// [`ErrorCode::LoginRequired`], or one that is [retryable](ErrorCode::is_retryable): then the next call
    /// goes on with the same answer
    pub async fn handle_redirect(&self) -> Result<Option<SignedIn>> {
        let client = self.client();
        let outcome = self.0.run(client.handle_redirect(&host::href())).await?;
        if !self.signed_in() {
            // A sign-out that the relay hasn't heard of: nobody waits for it.
            self.0.start(client.settle());
        }
        Ok(match outcome {
            Outcome::SignedIn(return_to) => Some(SignedIn { return_to }),
            _ => None,
        })
    }

    /// Leaves the page to sign in. If another sign-in in this browser has taken the page's place, it is loaded anew instead:
    /// then the user is signed in.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`], [`ErrorCode::Unsupported`] where there is no page to leave
    pub async fn sign_in(&self, options: SignIn) -> Result<()> {
        if self.client().is_displaced() {
            return host::leave(|page| page.reload());
        }
        let url = self.authorization_url(options).await?;
        host::leave(|page| page.assign(&url))
    }

    /// Begins a sign-in and gives the URL to send the user to, for those who leave the page themselves.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`]
    pub async fn authorization_url(&self, options: SignIn) -> Result<String> {
        let client = self.client();
        let task = client.authorization_url(options, &host::href(), host::random()?)?;
        match self.0.run(task).await? {
            Outcome::Url(url) => Ok(url),
            _ => Err(host::defect()),
        }
    }

    /// A valid access token: the kept one while it is fresh, else a new one by one request however many ask.
    /// If a renewal fails in passing, the kept one is given while it has any life left.
    ///
    /// # Errors
    /// [`ErrorCode::LoginRequired`], [`ErrorCode::SessionMismatch`], [`ErrorCode::Network`], …
    pub async fn access_token(&self) -> Result<Secret> {
        match self.client().fresh_token(self.0.now(), None) {
            Some((token, _)) => Ok(token),
            None => self.access_token_with(Wanted::default()).await,
        }
    }

    /// The same, with wishes.
    ///
    /// # Errors
    /// Those of [`AttOAuth::access_token`]
    pub async fn access_token_with(&self, wanted: Wanted) -> Result<Secret> {
        match self.0.run(self.client().access_token(wanted)).await? {
            Outcome::AccessToken(token) => Ok(token),
            _ => Err(host::defect()),
        }
    }

    /// Has the token renewed now, whatever its life; gives the new one.
    ///
    /// # Errors
    /// Those of [`AttOAuth::access_token`]
    pub async fn refresh(&self) -> Result<Secret> {
        self.access_token_with(Wanted {
            renew: true,
            ..Wanted::default()
        })
        .await
    }

    /// Revokes what was granted, at AT&T, and signs out. A failure changes nothing.
    ///
    /// # Errors
    /// [`ErrorCode::Network`] and others that are [retryable](ErrorCode::is_retryable), [`ErrorCode::RequestRefused`]
    pub async fn revoke(&self) -> Result<()> {
        self.0.run(self.client().revoke()).await.map(drop)
    }

    /// Signs out of this browser, in all its tabs, whatever the network does, and revokes if it can.
    ///
    /// # Errors
    /// [`ErrorCode::Internal`]
    pub async fn sign_out(&self) -> Result<()> {
        self.0.run(self.client().sign_out()).await.map(drop)
    }

    /// Calls an API of AT&T's through the relay: the URL of `call` is a path as at AT&T, like
    /// `/rest/2/Devices/Info`. On a 401 the token is renewed and the call sent once more. Whatever its status, the
    /// response is given as it came.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] for what is no call, and those of [`AttOAuth::access_token`]
    pub async fn fetch(&self, call: Request) -> Result<Response> {
        fetch::api(self, &call).await
    }

    /// Whether there is a session, as far as [`handle_redirect`](Self::handle_redirect) or another call has looked.
    pub fn signed_in(&self) -> bool {
        self.client().is_signed_in()
    }

    /// When the access token ends, in milliseconds since 1970; infinite if never, `None` while signed out.
    pub fn expires_at(&self) -> Option<f64> {
        self.client().expires_at()
    }

    /// How many seconds the access token still lasts, never negative; infinite if for ever.
    pub fn expires_in(&self) -> Option<f64> {
        self.0.left().map(|ms| ms / 1000.0)
    }

    /// What was granted; empty while signed out.
    pub fn scope(&self) -> Scope {
        self.client().scope().unwrap_or_default()
    }

    /// Has `told` called with each event, until what is returned is dropped. It may call this client, and drop it.
    pub fn listen(&self, told: impl Fn(&Event) + 'static) -> Listener {
        Listener {
            host: Rc::downgrade(&self.0),
            number: self.0.add_listener(Rc::new(told)),
        }
    }

    fn client(&self) -> &Rc<Client> {
        self.0.client()
    }
}

/// Whether it is the same client: what a framework compares properties by.
impl PartialEq for AttOAuth {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl core::fmt::Debug for AttOAuth {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AttOAuth").finish_non_exhaustive()
    }
}

/// Hears of events until it is dropped. It keeps no client.
#[must_use = "nothing is heard once it is dropped"]
#[derive(Debug)]
pub struct Listener {
    host: Weak<Host>,
    number: u32,
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(host) = self.host.upgrade() {
            host.remove_listener(self.number);
        }
    }
}

/// Refuses a callback page that no page's address would ever equal.
fn check_spelling(redirect_uri: &str) -> Result<()> {
    let own = split_url(redirect_uri);
    let wrong = |what| Error::new(ErrorCode::InvalidOption, what);
    let url = web_sys::Url::new(redirect_uri)
        .map_err(|_| wrong("redirectUri must be an absolute URL".into()))?;
    if url.origin() != own.origin || url.pathname() != own.path {
        let href = url.href();
        return Err(wrong(format!(
            "redirectUri must be written as browsers show it: {href}"
        )));
    }
    Ok(())
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

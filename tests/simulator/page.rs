//! One page with one client: what an app calls, and what happens to it.

mod host;
mod judge;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use att_oauth::protocol::http::{Request, Response, split_url};
use att_oauth::protocol::scope::Scope;
use att_oauth::protocol::{Error, ErrorCode, Result};
use att_oauth::session::{
    Client, Effect, Event, Failure, Options, Outcome, Reply, SignIn, Step, Store, Task, Wanted,
    client,
};

use crate::browser::{Browser, Claim, Storage, Tab};
use crate::engine::{Finally, Group, Promise, Sim, WORLD};
use crate::weather::{Keeps, Locks};
use crate::world::{APP, ISSUER, REDIRECT_URI, World};

const TIMEOUT_MS: f64 = 15_000.0;
/// How long any flow may take: a wait for either lock, a request, and some steps (claim 4).
const SETTLES_MS: f64 = 65_000.0;

/// How a page ends.
#[derive(Clone)]
pub enum End {
    Close,
    Reload,
    /// For this URL, where this user will sign in.
    Leave(String, usize),
    Replace(String),
}

impl End {
    pub fn in_words(&self) -> String {
        match self {
            Self::Close => "is closed".into(),
            Self::Reload => "reloads".into(),
            Self::Leave(_, user) => format!("leaves to sign user {user} in"),
            Self::Replace(url) => format!("is sent to {} again", short(url)),
        }
    }
}

/// What a flow is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Redirect,
    SignIn,
    Token,
    Api,
    SignOut,
    Revoke,
    Sync,
    Settle,
}

pub struct Page {
    pub world: Rc<World>,
    pub browser: Rc<Browser>,
    pub tab: Rc<Tab>,
    pub group: Group,
    pub client: Rc<Client>,
    pub end: Promise<End>,
    number: u32,
    href: RefCell<String>,
    /// What the storage refused to keep, and what stood there then: nothing if it wasn't to be read either.
    kept: RefCell<BTreeMap<bool, [Option<String>; 2]>>,
    /// The last holder of the lock in this page.
    tail: RefCell<Option<Promise<()>>>,
    /// What lets the locks go that its flows have.
    held: RefCell<Vec<Promise<()>>>,
    hears: Cell<bool>,
    frozen_ms: Cell<f64>,
    /// Its own clock: what that, the browser's, and one that is never set said at the last answer.
    clock: Cell<[f64; 3]>,
    timer: Cell<u32>,
    ticks: Cell<u32>,
    /// Who will sign in next.
    pub guest: Cell<Option<usize>>,
    /// Flows under way.
    pub running: Cell<u32>,
    // What it has shown and may expect.
    user: Cell<Option<usize>>,
    /// The browser's epoch when it last looked who is signed in.
    looked: Cell<u32>,
    /// Messages on their way to it, and whether it may have missed one, or a reply.
    unheard: Cell<u32>,
    missed: Cell<bool>,
    /// When the user signed out here, or this page heard that they had elsewhere.
    left_at: Cell<f64>,
}

/// One flow under way.
struct Run {
    kind: Kind,
    held: Option<Promise<()>>,
    has_asked_tabs: bool,
    has_told: bool,
    patience_ms: f64,
    sends: u32,
    sent_at: f64,
    answered_at: f64,
    exchanges: bool,
    /// The session that the last reply named.
    label: Option<String>,
    /// The session whose record it removed.
    removed: Option<String>,
}

/// What was so when a flow began.
struct Before {
    epoch: u32,
    looked: u32,
    claim: Option<Claim>,
}

impl Page {
    pub fn load(tab: &Rc<Tab>, href: &str) -> Rc<Self> {
        let browser = &tab.browser;
        let world = &browser.world;
        let page = Rc::new(Self {
            world: world.clone(),
            browser: browser.clone(),
            tab: tab.clone(),
            group: world.sim.group(),
            client: Client::new(config()),
            end: Promise::new(&world.sim),
            number: browser.number(),
            href: RefCell::new(href.into()),
            kept: RefCell::default(),
            tail: RefCell::default(),
            held: RefCell::default(),
            hears: Cell::new(true),
            frozen_ms: Cell::new(0.0),
            clock: Cell::new([browser.now(), browser.now(), world.sim.now()]),
            timer: Cell::new(0),
            ticks: Cell::new(0),
            guest: Cell::new(None),
            running: Cell::new(0),
            user: Cell::new(None),
            looked: Cell::new(browser.epoch.get()),
            unheard: Cell::new(0),
            missed: Cell::new(false),
            left_at: Cell::new(f64::NEG_INFINITY),
        });
        page.note(|| format!("loads {}", short(href)));
        page
    }

    pub fn href(&self) -> String {
        self.href.borrow().clone()
    }

    fn sim(&self) -> &Sim {
        &self.world.sim
    }

    /// Its clock never goes back, so that two pages of a browser whose clock was set have two.
    pub fn now(&self) -> f64 {
        let [page, wall, monotonic] = self.clock.get();
        page + (self.browser.now() - wall).max(self.sim().now() - monotonic)
    }

    /// A server has answered.
    fn is_answered(&self) {
        let now = [self.now(), self.browser.now(), self.sim().now()];
        self.clock.set(now);
    }

    pub fn note(&self, text: impl FnOnce() -> String) {
        self.sim()
            .note(|| format!("{}.p{} {}", self.tab.name(), self.number, text()));
    }

    // What an app calls: `src/shell/client.rs` and `fetch.js`.

    pub async fn handle_redirect(self: &Rc<Self>) -> Result<Outcome> {
        self.user.set(None);
        let epoch = self.browser.epoch.get();
        let task = self.client.handle_redirect(&self.href());
        let outcome = self.run(Kind::Redirect, task).await;
        // Not before: it may have waited for a lock that whoever asked meanwhile went on without.
        if !matches!(&outcome, Err(error) if error.code == ErrorCode::Storage) {
            self.looked.set(self.looked.get().max(epoch));
        }
        if outcome.is_ok() && !self.client.is_signed_in() {
            let page = self.clone();
            self.sim().spawn(self.group, async move {
                let _ = page.run(Kind::Settle, page.client.settle()).await;
            });
        }
        outcome
    }

    pub async fn sign_in(self: &Rc<Self>, user: usize) -> Result<Outcome> {
        self.guest.set(Some(user));
        let random = self.sim().random(|r| r.bytes());
        let task = self
            .client
            .authorization_url(SignIn::default(), &self.href(), random)?;
        let outcome = self.run(Kind::SignIn, task).await?;
        if let Outcome::Url(url) = &outcome {
            self.leaves_for(url.clone());
        }
        Ok(outcome)
    }

    /// `accessToken()`: at once while there is a fresh one.
    pub async fn token(self: &Rc<Self>) -> Result<String> {
        if let Some((token, _)) = self.client.fresh_token(self.now(), None) {
            self.is_shown(token.expose(), None);
            return Ok(token.expose().into());
        }
        self.token_wanted(Wanted::default()).await
    }

    pub async fn token_wanted(self: &Rc<Self>, wanted: Wanted) -> Result<String> {
        match self
            .run(Kind::Token, self.client.access_token(wanted))
            .await?
        {
            Outcome::AccessToken(token) => Ok(token.into_exposed()),
            other => panic!("{other:?}"),
        }
    }

    pub async fn refresh(self: &Rc<Self>) -> Result<String> {
        self.token_wanted(Wanted {
            renew: true,
            ..Wanted::default()
        })
        .await
    }

    pub async fn sign_out(self: &Rc<Self>) -> Result<Outcome> {
        self.run(Kind::SignOut, self.client.sign_out()).await
    }

    pub async fn revoke(self: &Rc<Self>) -> Result<Outcome> {
        self.run(Kind::Revoke, self.client.revoke()).await
    }

    /// `att.fetch`; the status.
    pub async fn call_api(self: &Rc<Self>) -> Result<u16> {
        let response = self.call_api_once().await?;
        match (response.status, generation(&response)) {
            (401, Some(generation)) => {
                let rejected_generation = Some(generation);
                self.token_wanted(Wanted {
                    rejected_generation,
                    ..Wanted::default()
                })
                .await?
            }
            (401 | 409, None) => self.refresh().await?,
            _ => return Ok(response.status),
        };
        Ok(self.call_api_once().await?.status)
    }

    async fn call_api_once(self: &Rc<Self>) -> Result<Response> {
        let target = self.client.api_target(crate::gateway::API)?;
        let Outcome::Api(url, label, _) = self.run(Kind::Api, target).await? else {
            panic!("an API has a URL")
        };
        let mut request = Request::get(url);
        request.headers.append("att-oauth-session", label.clone());
        // An app has a time-out of its own, or none; this one has.
        let response = self
            .browser
            .fetch(request, 60_000.0)
            .await
            .map_err(|_| Error::new(ErrorCode::Network, "the relay can't be reached"))?;
        if let Some(generation) = generation(&response) {
            self.client.called(&label, generation);
        }
        Ok(response)
    }

    // What happens to it.

    /// Nothing in it runs for so long; it keeps its locks.
    pub fn freezes(&self, ms: f64) {
        self.note(|| format!("freezes for {ms:.0} ms"));
        self.sim().freeze(self.group, ms);
        self.frozen_ms.set(self.frozen_ms.get() + ms);
    }

    pub fn thaws(self: &Rc<Self>) {
        self.sim().thaw(self.group);
        self.comes_back();
    }

    /// Into the back/forward cache, and back.
    pub fn put_aside(self: &Rc<Self>, ms: f64) {
        // What it shows until it has looked.
        self.unheard.set(self.unheard.get() + 1);
        self.hears.set(false);
        for held in self.held.take() {
            held.resolve(());
        }
        let page = self.clone();
        self.sim().spawn(WORLD, async move {
            // Its locks are let go before it is frozen.
            page.sim().sleep(0.001).await;
            page.freezes(ms);
            let back = page.clone();
            page.sim()
                .spawn(page.group, async move { back.comes_back() });
        });
    }

    /// `#wake`.
    fn comes_back(self: &Rc<Self>) {
        if !self.hears.replace(true) {
            let page = self.clone();
            self.sim().spawn(self.group, async move {
                page.sync("").await;
                page.unheard.set(page.unheard.get() - 1);
            });
        }
    }
}

fn config() -> att_oauth::session::Config {
    let options = Options {
        client_id: "key".into(),
        relay: Some(ISSUER.into()),
        redirect_uri: REDIRECT_URI.into(),
        scope: Scope::parse("DC").unwrap(),
        ..Options::default()
    };
    options.check().unwrap()
}

fn generation(response: &Response) -> Option<u32> {
    let text = response.headers.get("att-oauth-generation")?;
    text.parse().ok()
}

fn shown(result: &Result<Outcome>) -> String {
    match result {
        Ok(Outcome::AccessToken(token)) => format!("token {}", short(token.expose())),
        Ok(other) => format!("{other:?}"),
        Err(error) => error.to_string(),
    }
}

/// Of long things the end, by which they are known.
pub fn short(text: &str) -> &str {
    let path = split_url(text);
    if path.origin == APP && path.fragment.is_none() {
        return path.path;
    }
    &text[text.len().saturating_sub(16)..]
}

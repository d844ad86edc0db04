//! One page with one client, as its host drives it: `src/shell/host.js`, step for step.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use att_oauth::protocol::http::{Request, Response, split_url};
use att_oauth::protocol::scope::Scope;
use att_oauth::protocol::{Error, ErrorCode, Result};
use att_oauth::session::{
    Client, Effect, Event, Failure, Options, Outcome, Reply, SignIn, Step, Store, Task, Wanted,
    native,
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
    /// The last use of a storage of the app's own.
    stored: RefCell<Option<Promise<()>>>,
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
            stored: RefCell::default(),
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

    // The host.

    /// Drives a flow to its end.
    pub async fn run(self: &Rc<Self>, kind: Kind, mut task: Task) -> Result<Outcome> {
        let (begun, frozen) = (self.sim().now(), self.frozen_ms.get());
        let before = Before {
            epoch: self.browser.epoch.get(),
            looked: self.looked.get(),
            claim: self.browser.claim(self.tab.id),
        };
        let run_number = self.browser.number();
        self.note(|| format!("{kind:?} #{run_number}"));
        self.running.set(self.running.get() + 1);
        if matches!(kind, Kind::SignOut | Kind::Revoke) {
            self.browser.claims(None);
        }
        let mut run = Run {
            kind,
            held: None,
            has_asked_tabs: false,
            has_told: false,
            patience_ms: task.patience(TIMEOUT_MS as u32).into(),
            sends: 0,
            sent_at: 0.0,
            answered_at: 0.0,
            exchanges: false,
            label: None,
            removed: None,
        };
        let mut reply = Reply::Done;
        let result = loop {
            match task.resume(reply, self.now()) {
                Step::Done(result) => break result,
                Step::Effect(effect) => reply = self.perform(&mut run, effect).await,
            }
        };
        self.release(&mut run);
        self.schedule();
        self.running.set(self.running.get() - 1);
        self.note(|| format!("{kind:?} #{run_number} -> {}", shown(&result)));

        let took = self.sim().now() - begun - (self.frozen_ms.get() - frozen);
        if took > SETTLES_MS {
            self.sim().broken("4 (every promise settles)", || {
                format!("{kind:?} took {took} ms")
            });
        }
        let most = match kind {
            Kind::SignIn | Kind::Api | Kind::Sync => 0,
            // Once more if the browser's session isn't the recorded one; and what was granted to who has signed out
            // meanwhile is revoked.
            Kind::Token => 3,
            Kind::Redirect => 2,
            _ => 1,
        };
        if run.sends > most {
            self.sim().broken("4 (no loop)", || {
                format!("{kind:?} sent {} requests", run.sends)
            });
        }
        self.judge(&run, &result, begun, &before);
        result
    }

    async fn perform(self: &Rc<Self>, run: &mut Run, effect: Effect) -> Reply {
        match effect {
            Effect::Lock => {
                let released = Promise::new(self.sim());
                self.held.borrow_mut().push(released.clone());
                run.held = Some(released.clone());
                self.wait_for(run, self.lock(&released)).await;
                if self.world.weather.keeps == Keeps::Own {
                    self.waits_for_tabs(run).await;
                }
                Reply::Done
            }
            Effect::LockTabs => {
                self.waits_for_tabs(run).await;
                if run.patience_ms > 0.0 {
                    Reply::Done
                } else {
                    Reply::Failed(Failure::Timeout)
                }
            }
            Effect::Load(store) => self.in_time(|| self.load_record(store)).await,
            Effect::Save(store, value) => {
                let saves = || {
                    let is_over = matches!(run.kind, Kind::SignOut | Kind::Revoke);
                    if store == Store::Session && (is_over || run.exchanges) {
                        // Of whoever has signed in while it waited for the lock or the reply, too.
                        self.browser.claims(None);
                    }
                    if store == Store::Session && value.is_none() {
                        run.removed = self.stored_label().or(run.removed.take());
                    }
                    self.save_record(store, value)
                };
                self.in_time(saves).await
            }
            Effect::Send(request) => self.send(run, request).await,
            Effect::ReplaceUrl(url) => {
                *self.href.borrow_mut() = url;
                Reply::Done
            }
            Effect::Emit(event) => {
                self.emit(event);
                Reply::Done
            }
            Effect::Tell(told) => {
                // Told once more when the relay has heard of it, that is no news.
                let is_left = matches!(run.kind, Kind::SignOut | Kind::Revoke)
                    && !std::mem::replace(&mut run.has_told, true);
                if is_left {
                    self.left_at.set(self.sim().now());
                }
                if self.hears.get() {
                    self.tell_tabs(told.expose());
                }
                Reply::Done
            }
        }
    }

    fn leaves_for(self: &Rc<Self>, url: String) {
        let (page, user) = (self.clone(), self.guest.get().unwrap_or(self.browser.user));
        self.sim().spawn(WORLD, async move {
            // Scripts go on for a while.
            page.sim().pause(0.0, 100.0).await;
            page.end.resolve(End::Leave(url, user));
        });
    }

    async fn send(self: &Rc<Self>, run: &mut Run, request: Request) -> Reply {
        run.sends += 1;
        run.sent_at = self.sim().now();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        run.exchanges = body.contains("authorization_code");
        if run.exchanges {
            // From here on nobody knows which session this browser has, until the reply is in.
            self.browser.claims(None);
        }
        let is_heard = Rc::new(Cell::new(false));
        let (browser, heard) = (self.browser.clone(), is_heard.clone());
        // Nobody hears it if the page is gone, too.
        let _missed = Finally(move || {
            if !heard.get() {
                browser.missed_reply.set(true);
            }
        });
        match self.browser.fetch(request, TIMEOUT_MS).await {
            Ok(response) => {
                self.is_answered();
                run.answered_at = self.sim().now();
                let json: serde_json::Value =
                    serde_json::from_slice(&response.body).unwrap_or_default();
                run.label = json["session"].as_str().map(String::from);
                self.note(|| format!("hears {} of {:?}", response.status, run.label));
                is_heard.set(response.status < 500);
                Reply::Response(response)
            }
            Err(failure) => Reply::Failed(failure),
        }
    }

    fn emit(self: &Rc<Self>, event: Event) {
        self.schedule();
        self.note(|| format!("event {event:?}"));
    }

    /// Tells what is due, then sets the timer for what is next.
    fn schedule(self: &Rc<Self>) {
        self.timer.set(self.timer.get() + 1);
        let now = self.now();
        if let Some(event) = self.client.tick(now) {
            self.ticks.set(self.ticks.get() + 1);
            self.emit(event);
            return;
        }
        let Some(delay) = self.client.alarm(now) else {
            return;
        };
        let (page, number) = (self.clone(), self.timer.get());
        self.sim().spawn(self.group, async move {
            page.sim().sleep(delay.min(2_147_483_647.0)).await;
            if page.timer.get() == number {
                page.schedule();
            }
        });
    }

    async fn wait_for(&self, run: &mut Run, lock: Promise<()>) {
        if lock.within(run.patience_ms).await.is_none() {
            run.patience_ms = 0.0;
            self.note(|| "goes on without the lock".into());
        }
    }

    /// The lock in this page, held until `released`: what tells that it was got.
    fn lock(self: &Rc<Self>, released: &Promise<()>) -> Promise<()> {
        let sim = self.sim();
        let (acquired, tail) = (Promise::new(sim), Promise::new(sim));
        let before = self.tail.replace(Some(tail.clone()));
        let (got, released) = (acquired.clone(), released.clone());
        sim.spawn(self.group, async move {
            if let Some(before) = before {
                before.wait().await;
            }
            got.resolve(());
            released.wait().await;
            tail.resolve(());
        });
        acquired
    }

    /// The lock across tabs, where there are Web Locks.
    fn lock_tabs(self: &Rc<Self>, released: Promise<()>) -> Promise<()> {
        let acquired = Promise::new(self.sim());
        let (page, got) = (self.clone(), acquired.clone());
        self.sim().spawn(self.group, async move {
            if page.world.weather.locks == Locks::Missing {
                return got.resolve(());
            }
            let _lock = page.browser.lock().await;
            got.resolve(());
            released.wait().await;
        });
        acquired
    }

    /// Waits for the lock across tabs, once: a second time it would wait for itself.
    async fn waits_for_tabs(self: &Rc<Self>, run: &mut Run) {
        if let Some(released) = &run.held
            && !std::mem::replace(&mut run.has_asked_tabs, true)
        {
            let lock = self.lock_tabs(released.clone());
            self.wait_for(run, lock).await;
        }
    }

    fn release(&self, run: &mut Run) {
        if let Some(held) = run.held.take() {
            held.resolve(());
            self.held.borrow_mut().retain(|held| held.value().is_none());
        }
    }

    // Records: `Store` of `host.js`.

    /// A browser's storage is used in the same turn that asks for it, and others come before the flow goes on; the app's own
    /// takes its time, one after the other.
    async fn in_time(&self, uses: impl FnOnce() -> Reply) -> Reply {
        if self.world.weather.keeps == Keeps::Own {
            let used = Promise::new(self.sim());
            if let Some(before) = self.stored.replace(Some(used.clone())) {
                before.wait().await;
            }
            self.sim().pause(0.0, 30.0).await;
            used.resolve(());
            return uses();
        }
        let reply = uses();
        self.sim().step_aside().await;
        reply
    }

    fn load_record(&self, store: Store) -> Reply {
        let is_shared = store == Store::Session;
        let found = self.in_storage(store, |records, key| records.get(key).cloned());
        if let Some([mine, theirs]) = self.kept.borrow().get(&is_shared)
            && found.as_ref().is_none_or(|found| found == theirs)
        {
            return Reply::Loaded(mine.clone());
        }
        match found {
            Some(value) => {
                self.kept.borrow_mut().remove(&is_shared);
                Reply::Loaded(value)
            }
            None if self.world.weather.keeps == Keeps::Own => Reply::Failed(Failure::Storage),
            None => Reply::Loaded(None),
        }
    }

    fn save_record(&self, store: Store, value: Option<String>) -> Reply {
        let is_shared = store == Store::Session;
        if is_shared {
            self.note(|| format!("stores {:?}", value.as_deref().unwrap_or("nothing")));
        }
        let is_full = self.browser.storage.get() == Storage::Full && value.is_some();
        let saved = (!is_full)
            .then(|| {
                self.in_storage(store, |records, key| match value.clone() {
                    Some(value) => drop(records.insert(key.into(), value)),
                    None => drop(records.remove(key)),
                })
            })
            .flatten();
        if saved.is_some() {
            self.kept.borrow_mut().remove(&is_shared);
            return Reply::Done;
        }
        let theirs = self.in_storage(store, |records, key| records.get(key).cloned());
        self.kept
            .borrow_mut()
            .insert(is_shared, [value, theirs.flatten()]);
        if self.world.weather.keeps == Keeps::Own {
            return Reply::Failed(Failure::Storage);
        }
        Reply::Done
    }

    /// Nothing if the storage is not to be touched.
    fn in_storage<T>(
        &self,
        store: Store,
        work: impl FnOnce(&mut BTreeMap<String, String>, &str) -> T,
    ) -> Option<T> {
        if self.browser.storage.get() == Storage::Blocked {
            return None;
        }
        let (key, is_local) = match (store, self.world.weather.keeps) {
            (Store::Session, Keeps::Session) => ("session", false),
            (Store::Session, _) => ("session", true),
            (Store::Pending, Keeps::Own) => ("pending", true),
            (Store::Pending, _) => ("pending", false),
        };
        let records = if is_local {
            &self.browser.local
        } else {
            &self.tab.session
        };
        Some(work(&mut records.borrow_mut(), key))
    }

    /// The session that is stored, for this page.
    fn stored_label(&self) -> Option<String> {
        let Reply::Loaded(Some(record)) = self.load_record(Store::Session) else {
            return None;
        };
        Some(native::label_in(&record).into())
    }

    // Other tabs.

    fn tell_tabs(&self, label: &str) {
        for page in self.browser.pages() {
            if page.number == self.number {
                continue;
            }
            if !page.hears.get() {
                // Back from the cache it looks, and finds its own record if each tab keeps one.
                page.missed
                    .set(page.missed.get() || !self.world.records_are_shared());
                continue;
            }
            if self.world.strikes(self.world.weather.loses_message) {
                page.missed.set(true);
                continue;
            }
            page.unheard.set(page.unheard.get() + 1);
            let label = label.to_owned();
            let is_late = self.world.weather.late_messages && self.world.weather.is_on();
            self.sim().spawn(page.group, async move {
                let most = if is_late { 20_000.0 } else { 5.0 };
                page.sim().pause(0.0, most).await;
                page.unheard.set(page.unheard.get() - 1);
                if page.hears.get() {
                    if label.ends_with("\u{1f}-") {
                        page.left_at.set(page.sim().now());
                    }
                    page.sync(&label).await;
                }
            });
        }
    }

    async fn sync(self: &Rc<Self>, ended: &str) {
        let _ = self.run(Kind::Sync, self.client.sync(ended)).await;
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

    // What must be true of it.

    fn judge(self: &Rc<Self>, run: &Run, result: &Result<Outcome>, begun: f64, before: &Before) {
        if run.kind == Kind::Redirect {
            self.user.set(None);
        }
        match result {
            Ok(Outcome::SignedIn(_)) if run.exchanges => {
                let left = self.left_at.get();
                if run.sent_at < left && left < run.answered_at {
                    self.sim().broken("3 (no session after sign-out)", || {
                        format!(
                            "{} took up a sign-in whose reply came after it",
                            self.tab.name()
                        )
                    });
                }
                let label = run.label.as_ref().expect("a reply has a label");
                let family = self
                    .world
                    .ledger
                    .borrow()
                    .labelled(label)
                    .expect("a label has a session");
                self.user
                    .set(Some(self.world.ledger.borrow().families[family].user));
                let tab = self.tab.id;
                // The user may have cleared the cookies meanwhile, or the storage; or signed in in two tabs at once.
                let is_held = self.browser.has_cookie_of(label)
                    && self.stored_label().as_ref() == Some(label);
                self.browser
                    .claims(is_held.then_some(Claim { family, tab }));
                self.looked.set(self.browser.epoch.get());
            }
            Ok(Outcome::AccessToken(token)) => self.is_shown(token.expose(), Some(begun)),
            Ok(_) if matches!(run.kind, Kind::SignOut | Kind::Revoke) => {
                self.browser.claims(None);
                if let Some(label) = &run.removed {
                    self.note(|| format!("is out of {label}"));
                    let now = self.sim().now();
                    self.browser
                        .signed_out
                        .borrow_mut()
                        .insert(label.clone(), now);
                }
            }
            Err(error) => self.judge_error(run.kind, error, before),
            _ => {}
        }
    }

    fn judge_error(&self, kind: Kind, error: &Error, before: &Before) {
        let after = self.browser.claim(self.tab.id);
        let (Some(claim), Some(after)) = (&before.claim, after) else {
            return;
        };
        if self.browser.epoch.get() != before.epoch || claim.family != after.family {
            return;
        }
        let is_news = before.looked < before.epoch;
        let is_lost = match error.code {
            // A redirect's own outcome says nothing of the session.
            ErrorCode::LoginRequired => kind != Kind::Redirect,
            ErrorCode::SessionMismatch => !is_news,
            _ => false,
        };
        if is_lost {
            self.sim().broken("2 (no session is lost)", || {
                format!(
                    "{} was told {error} though the user is signed in",
                    self.tab.name()
                )
            });
        }
    }

    /// The app has a token now. `begun`: since when it waited for it, if it did.
    fn is_shown(&self, token: &str, begun: Option<f64>) {
        let mut ledger = self.world.ledger.borrow_mut();
        ledger.counts.tokens += 1;
        let Some(family) = ledger.family_of(token) else {
            return self
                .sim()
                .broken("3", || format!("the gateway never gave the token {token}"));
        };
        let (user, label, closed_at) = {
            let family = &ledger.families[family];
            let label = family.label.clone().unwrap_or_default();
            (family.user, label, family.closed_at)
        };
        if let Some(shown) = self.user.replace(Some(user))
            && shown != user
        {
            self.sim()
                .broken("3 (no token for another user's page)", || {
                    format!(
                        "{} was user {shown}'s and got a token of user {user}",
                        self.tab.name()
                    )
                });
        }
        let Some(out) = self.browser.signed_out.borrow().get(&label).copied() else {
            return;
        };
        // Where each tab keeps a record of its own, one may yet find the session that another has left,
        // if its vault has not: the relay may not have heard of it, or the vault have died over it.
        if !self.world.records_are_shared() && closed_at.is_none_or(|at| at > out) {
            return;
        }
        let could_not_know = self.unheard.get() > 0 || self.missed.get();
        let is_wrong = match begun {
            // A record of its own tells it nothing before the message does.
            Some(begun) => begun >= out && (self.world.records_are_shared() || !could_not_know),
            None => !could_not_know,
        };
        if is_wrong {
            self.sim().broken("3 (no token after sign-out)", || {
                format!(
                    "{} got a token of {label}, which it had left",
                    self.tab.name()
                )
            });
        }
    }

    /// Whether it may hold a token that is no good, and not know it.
    pub fn may_be_stale(&self) -> bool {
        self.missed.get()
            || self.unheard.get() > 0
            || self.browser.missed_reply.get()
            || !self.world.records_are_shared()
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

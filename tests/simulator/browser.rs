//! A browser: cookies, storages, locks, tabs, a clock; and the way from it to the relay and back.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use att_oauth::protocol::http::{Request, Response};
use att_oauth::session::Failure;

use crate::engine::{Finally, Group, Promise, WORLD};
use crate::page::{End, Page};
use crate::user;
use crate::world::{APP, PAGE, World};

pub type Records = BTreeMap<String, String>;

pub struct Browser {
    pub world: Rc<World>,
    pub id: usize,
    /// Whose it is.
    pub user: usize,
    /// How wrong its clock is, in milliseconds.
    pub clock: Cell<f64>,
    /// A page has asked for a token and not heard: it may have been replaced.
    pub missed_reply: Cell<bool>,
    asleep_until: Cell<f64>,
    jar: RefCell<BTreeMap<String, Cookie>>,
    pub local: RefCell<Records>,
    pub storage: Cell<Storage>,
    /// Who has a lock and who waits for it, the holder first.
    locks: RefCell<VecDeque<(u32, Promise<()>)>>,
    numbers: Cell<u32>,
    pub tabs: RefCell<Vec<Rc<Tab>>>,
    /// The sign-in that must still be there.
    claim: RefCell<Option<Claim>>,
    /// Counts what became of it.
    pub epoch: Cell<u32>,
    /// By label: when the user signed out of it.
    pub signed_out: RefCell<BTreeMap<String, f64>>,
}

/// What a storage does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Storage {
    Works,
    /// Takes nothing new.
    Full,
    /// Not even to be looked at.
    Blocked,
}

struct Cookie {
    value: String,
    is_strict: bool,
    expires: f64,
}

/// A user who has signed in and whom nothing has signed out that we know of.
#[derive(Clone)]
pub struct Claim {
    pub family: usize,
    /// The tab, where each tab has a session of its own.
    pub tab: usize,
}

pub struct Tab {
    pub browser: Rc<Browser>,
    pub id: usize,
    group: Group,
    pub session: RefCell<Records>,
    page: RefCell<Option<Rc<Page>>>,
    is_closed: Cell<bool>,
}

impl Browser {
    pub fn end(&self) {
        for tab in self.tabs.take() {
            tab.page.take();
        }
    }

    pub fn new(world: &Rc<World>, id: usize) -> Rc<Self> {
        let is_wrong = world.weather.wrong_clocks;
        let off = world.sim.random(|r| r.between(-3_600_000.0, 3_600_000.0));
        Rc::new(Self {
            world: world.clone(),
            id,
            user: id,
            clock: Cell::new(if is_wrong { off } else { 0.0 }),
            missed_reply: Cell::new(false),
            asleep_until: Cell::new(0.0),
            jar: RefCell::default(),
            local: RefCell::default(),
            storage: Cell::new(Storage::Works),
            locks: RefCell::default(),
            numbers: Cell::new(0),
            tabs: RefCell::default(),
            claim: RefCell::default(),
            epoch: Cell::new(0),
            signed_out: RefCell::default(),
        })
    }

    pub fn number(&self) -> u32 {
        self.numbers.replace(self.numbers.get() + 1)
    }

    pub fn now(&self) -> f64 {
        self.world.sim.now() + self.clock.get()
    }

    pub fn open_tabs(&self) -> Vec<Rc<Tab>> {
        let tabs = self.tabs.borrow();
        tabs.iter()
            .filter(|tab| !tab.is_closed.get())
            .cloned()
            .collect()
    }

    pub fn pages(&self) -> Vec<Rc<Page>> {
        self.tabs
            .borrow()
            .iter()
            .filter_map(|tab| tab.page())
            .collect()
    }

    // What must be true of it.

    /// The session that must still be there, for a page of this tab.
    pub fn claim(&self, tab: usize) -> Option<Claim> {
        let claim = self.claim.borrow().clone()?;
        let is_live = self.world.ledger.borrow().families[claim.family].is_live();
        (is_live && (!self.world.by_tab() || claim.tab == tab)).then_some(claim)
    }

    /// The session that would be there, had no fault in a window cost it.
    pub fn doomed_claim(&self, tab: usize) -> Option<Claim> {
        let claim = self.claim.borrow().clone()?;
        let ledger = self.world.ledger.borrow();
        let family = &ledger.families[claim.family];
        let is_doomed =
            family.doomed.is_some() && family.ended.is_none() && family.over_at.is_none();
        (is_doomed && (!self.world.by_tab() || claim.tab == tab)).then_some(claim)
    }

    pub fn claims(&self, claim: Option<Claim>) {
        let claim = claim.filter(|_| self.storage.get() == Storage::Works);
        self.epoch.set(self.epoch.get() + 1);
        *self.claim.borrow_mut() = claim;
    }

    // What happens to it.

    pub fn storage_trouble(self: &Rc<Self>) {
        self.claims(None);
        let sim = &self.world.sim;
        let what = sim.random(|r| r.below(5));
        sim.note(|| format!("b{}: storage trouble {what}", self.id));
        match what {
            0 => self.storage.set(Storage::Full),
            1 => self.storage.set(Storage::Blocked),
            2 => self.local.borrow_mut().clear(),
            3 => self.jar.borrow_mut().clear(),
            _ => {
                self.local.borrow_mut().clear();
                self.jar.borrow_mut().clear();
                for tab in self.tabs.borrow().iter() {
                    tab.session.borrow_mut().clear();
                }
            }
        }
    }

    pub fn clock_jumps(&self) {
        let jump = self
            .world
            .sim
            .random(|r| r.between(-3_600_000.0, 3_600_000.0));
        self.world
            .sim
            .note(|| format!("b{}: its clock jumps by {} s", self.id, jump / 1000.0));
        self.clock.set(self.clock.get() + jump);
    }

    /// The lid is shut: nothing runs, and connections are gone.
    pub fn sleeps(&self, ms: f64) {
        self.asleep_until.set(self.world.sim.now() + ms);
        for tab in self.tabs.borrow().iter() {
            self.world.sim.freeze(tab.group, ms);
        }
        for page in self.pages() {
            page.freezes(ms);
        }
    }

    pub fn recovers(&self) {
        self.storage.set(Storage::Works);
        self.asleep_until.set(0.0);
        for tab in self.open_tabs() {
            self.world.sim.thaw(tab.group);
            // Whoever is still at the gateway stays there.
            if tab.page().is_none() {
                tab.close();
            }
        }
        for page in self.pages() {
            page.thaws();
        }
    }

    // Locks.

    /// Waits for the lock of this origin. What comes back lets it go when it is dropped.
    pub async fn lock(self: &Rc<Self>) -> impl Drop + use<> {
        let number = self.number();
        let granted = Promise::new(&self.world.sim);
        self.locks.borrow_mut().push_back((number, granted.clone()));
        let browser = self.clone();
        let guard = Finally(move || {
            browser.locks.borrow_mut().retain(|(id, _)| *id != number);
            browser.grant();
        });
        self.grant();
        granted.wait().await;
        guard
    }

    fn grant(&self) {
        let first = self
            .locks
            .borrow()
            .front()
            .map(|(_, granted)| granted.clone());
        if let Some(granted) = first {
            granted.resolve(());
        }
    }

    // The network.

    /// A `fetch` of a page's script; what was given up sets no cookies.
    pub async fn fetch(
        self: &Rc<Self>,
        mut request: Request,
        timeout_ms: f64,
    ) -> Result<Response, Failure> {
        if request.method != "GET" {
            request.headers.append("origin", APP);
        }
        request.headers.append("sec-fetch-site", "same-origin");
        self.add_cookies(&mut request, true);
        let reply = Promise::new(&self.world.sim);
        let is_given_up = Rc::new(Cell::new(false));
        let given_up = is_given_up.clone();
        let _abort = Finally(move || given_up.set(true));
        let copies = 1 + usize::from(self.world.strikes(self.world.weather.page.doubles));
        let heard = self.world.sim.random(|r| r.below(copies));
        for copy in 0..copies {
            let (browser, request, is_given_up) =
                (self.clone(), request.clone(), is_given_up.clone());
            let reply = (copy == heard).then(|| reply.clone());
            self.world.sim.spawn(WORLD, async move {
                let outcome = browser.carry(request).await;
                let Some(reply) = reply else { return };
                if let (Ok(response), false) = (&outcome, is_given_up.get()) {
                    if browser.is_asleep() {
                        return reply.resolve(Err(Failure::Network));
                    }
                    browser.take_cookies(response);
                }
                browser.world.sim.pause(0.0, 3.0).await;
                reply.resolve(outcome);
            });
        }
        let outcome = reply.within(timeout_ms).await;
        outcome.unwrap_or(Err(Failure::Timeout))
    }

    /// One copy of a request, to the relay and back.
    async fn carry(&self, request: Request) -> Result<Response, Failure> {
        let (world, hop) = (&self.world, self.world.weather.page);
        world.travel(hop.dawdles, || ()).await;
        if world.strikes(hop.loses_request) {
            return self.lost("the relay never hears of", &request).await;
        }
        if world.strikes(world.weather.edge_refuses) {
            let status = world.sim.random(|r| *r.pick(&[429, 500, 502, 503]));
            return Ok(Response::new(status).body("text/html", "<h1>Overloaded</h1>"));
        }
        let Some(response) = world.relay(request.clone()).wait().await else {
            return self.lost("the relay dies over", &request).await;
        };
        world.travel(hop.dawdles, || ()).await;
        if world.strikes(hop.loses_reply) {
            return self
                .lost("the browser never hears the reply to", &request)
                .await;
        }
        Ok(response)
    }

    /// Either the connection breaks, or nothing happens.
    async fn lost(&self, what: &str, request: &Request) -> Result<Response, Failure> {
        let sim = &self.world.sim;
        sim.note(|| format!("b{}: {what} {}", self.id, request.path()));
        if sim.chance(0.3) {
            sim.sleep(60_000.0).await;
        }
        Err(Failure::Network)
    }

    /// A navigation; the user tries again a few times.
    pub async fn get(self: &Rc<Self>, url: &str, from_another_site: bool) -> Option<Response> {
        for _ in 0..3 {
            let mut request = Request::get(url);
            self.add_cookies(&mut request, !from_another_site);
            if let Ok(response) = self.carry(request).await
                && response.status < 429
            {
                self.take_cookies(&response);
                return Some(response);
            }
            self.world.sim.pause(500.0, 5_000.0).await;
        }
        None
    }

    /// Whether it holds the session of that label.
    pub fn has_cookie_of(&self, label: &str) -> bool {
        self.jar.borrow().keys().any(|name| name.ends_with(label))
    }

    fn is_asleep(&self) -> bool {
        self.asleep_until.get() > self.world.sim.now()
    }

    fn add_cookies(&self, request: &mut Request, is_same_site: bool) {
        let now = self.world.sim.now();
        let jar = self.jar.borrow();
        let pairs: Vec<_> = jar
            .iter()
            .filter(|(_, cookie)| now < cookie.expires && (is_same_site || !cookie.is_strict))
            .map(|(name, cookie)| format!("{name}={}", cookie.value))
            .collect();
        if !pairs.is_empty() {
            request.headers.append("cookie", pairs.join("; "));
        }
    }

    fn take_cookies(&self, response: &Response) {
        let mut jar = self.jar.borrow_mut();
        for line in response.headers.all("set-cookie") {
            let (pair, attributes) = line.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let age = attributes.split("Max-Age=").nth(1).unwrap();
            let age: f64 = age.split(';').next().unwrap().parse().unwrap();
            if age == 0.0 {
                jar.remove(name);
                continue;
            }
            let cookie = Cookie {
                value: value.into(),
                is_strict: attributes.ends_with("SameSite=Strict"),
                expires: self.world.sim.now() + age * 1000.0,
            };
            jar.insert(name.into(), cookie);
        }
    }
}

impl Tab {
    pub fn open(browser: &Rc<Browser>, href: &str, session: Records) -> Rc<Self> {
        let world = &browser.world;
        let tab = Rc::new(Self {
            browser: browser.clone(),
            id: browser.tabs.borrow().len(),
            group: world.sim.group(),
            session: RefCell::new(session),
            page: RefCell::default(),
            is_closed: Cell::new(false),
        });
        world.sim.note(|| format!("{} opens", tab.name()));
        browser.tabs.borrow_mut().push(tab.clone());
        let (living, href) = (tab.clone(), href.to_owned());
        world
            .sim
            .spawn(tab.group, async move { living.live(href).await });
        tab
    }

    pub fn name(&self) -> String {
        format!("b{}.t{}", self.browser.id, self.id)
    }

    pub fn page(&self) -> Option<Rc<Page>> {
        self.page.borrow().clone()
    }

    pub fn close(&self) {
        self.is_closed.set(true);
        self.unload();
        self.browser.world.sim.kill(self.group);
    }

    fn unload(&self) {
        if let Some(page) = self.page.take() {
            self.browser.world.sim.kill(page.group);
        }
    }

    /// From page to page.
    async fn live(self: &Rc<Self>, mut href: String) {
        let sim = &self.browser.world.sim;
        loop {
            let page = Page::load(self, &href);
            *self.page.borrow_mut() = Some(page.clone());
            sim.spawn(page.group, user::uses(page.clone()));
            let end = page.end.wait().await;
            self.unload();
            sim.note(|| format!("{} {}", self.name(), end.in_words()));
            match end {
                End::Close => return self.is_closed.set(true),
                End::Reload => href = page.href(),
                End::Leave(url, user) => {
                    href = user::goes_to_the_gateway(self, &url, user)
                        .await
                        .unwrap_or(PAGE.into());
                }
                End::Replace(url) => href = url,
            }
            sim.pause(1.0, 200.0).await;
        }
    }

    /// The page that has just been loaded gives way to another.
    pub fn replaced_soon(self: &Rc<Self>, url: String) {
        let (tab, sim) = (self.clone(), self.browser.world.sim.clone());
        sim.clone().spawn(self.group, async move {
            sim.pause(0.0, 600.0).await;
            if let Some(page) = tab.page() {
                page.end.resolve(End::Replace(url));
            }
        });
    }
}

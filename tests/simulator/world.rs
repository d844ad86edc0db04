//! All there is in a schedule, and what happens to it from outside.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use att_oauth::gateway::Gateway;
use att_oauth::relay::Config;
use serde_json::json;

use crate::browser::{Browser, Tab};
use crate::engine::{Group, Sim, WORLD};
use crate::gateway::{API, GATEWAY, gateway};
use crate::ledger::Ledger;
use crate::page::End;
use crate::vault::Place;
use crate::weather::{Keeps, Weather};

pub const APP: &str = "https://app.example";
pub const ISSUER: &str = "https://app.example/oauth";
pub const REDIRECT_URI: &str = "https://app.example/signed-in";
pub const PAGE: &str = "https://app.example/inbox";
pub const DAY_MS: f64 = 86_400_000.0;
/// How long faults are about, in milliseconds.
pub const STORM_MS: f64 = 240_000.0;

pub struct World {
    pub sim: Sim,
    pub weather: Weather,
    pub config: Rc<Config>,
    pub gateway: RefCell<Gateway>,
    pub ledger: RefCell<Ledger>,
    pub vaults: RefCell<BTreeMap<String, Rc<Place>>>,
    /// Where the relay runs now.
    pub isolate: Cell<Group>,
    pub browsers: RefCell<Vec<Rc<Browser>>>,
    /// How much users still do.
    pub budget: Cell<u32>,
    /// When faults stop.
    pub storm_ends: Cell<f64>,
    asleep_until: Cell<f64>,
}

thread_local! {
    static CONFIG: Rc<Config> = Rc::new(config());
    static GATEWAYS: RefCell<BTreeMap<String, Gateway>> = RefCell::default();
}

fn config() -> Config {
    let options = json!({
        "issuer": ISSUER,
        "clientId": "key",
        "clientSecret": "secret",
        "redirectUris": [REDIRECT_URI],
        "scope": "DC MIM",
        "sealingKeys": ["AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"],
        "gateway": GATEWAY,
        "api": [format!("GET {API}")],
    });
    Config::from_json(&options.to_string()).unwrap()
}

/// A gateway for this weather; reading options takes longer than a copy.
fn gateway_for(weather: &Weather) -> Gateway {
    let options =
        json!({ "accessTokenTtl": weather.token_life_s, "echoState": weather.echoes_state });
    GATEWAYS.with_borrow_mut(|known| {
        known
            .entry(options.to_string())
            .or_insert_with(|| gateway(&options))
            .clone()
    })
}

impl World {
    /// Whether all tabs of a browser see the same record.
    pub fn records_are_shared(&self) -> bool {
        self.weather.keeps != Keeps::Session && !self.weather.storage_trouble
    }

    pub fn new(sim: &Sim) -> Rc<Self> {
        let weather = sim.random(Weather::draw);
        sim.note(|| format!("{weather:?}"));
        Rc::new(Self {
            gateway: RefCell::new(gateway_for(&weather)),
            weather,
            config: CONFIG.with(Rc::clone),
            ledger: RefCell::default(),
            vaults: RefCell::default(),
            isolate: Cell::new(sim.group()),
            browsers: RefCell::default(),
            budget: Cell::new(sim.random(|r| 4 + r.below(24) as u32)),
            storm_ends: Cell::new(sim.now() + STORM_MS),
            asleep_until: Cell::default(),
            sim: sim.clone(),
        })
    }

    /// Browsers open, and everything begins.
    pub fn begin(self: &Rc<Self>) {
        let browsers = self.sim.random(|r| *r.pick(&[1, 1, 1, 2]));
        for id in 0..browsers {
            let browser = Browser::new(self, id);
            self.browsers.borrow_mut().push(browser.clone());
            for _ in 0..self.sim.random(|r| 1 + r.below(3)) {
                Tab::open(&browser, PAGE, BTreeMap::new());
            }
        }
        self.every(self.weather.vault_crashes, 3_000.0, |world| {
            if world.weather.store_ms > 0.0 {
                world.crash_a_vault();
            }
        });
        self.every(self.weather.relay_crashes, 3_000.0, |world| {
            world.crash_relay()
        });
        self.every(self.weather.tab_trouble, 2_000.0, |world| {
            world.trouble_a_tab()
        });
        let rarely = |is: bool| if is { STORM_MS / 3.0 } else { 0.0 };
        self.every(rarely(self.weather.storage_trouble), 0.0, |world| {
            world.a_browser().storage_trouble();
        });
        self.every(rarely(self.weather.wrong_clocks), 0.0, |world| {
            world.a_browser().clock_jumps()
        });
        self.every(rarely(self.weather.sleeps), 0.0, |world| world.all_sleep());
        self.every(rarely(self.weather.gateway_ends_tokens), 0.0, |world| {
            world
                .sim
                .note(|| "the gateway ends all access tokens".into());
            world.gateway.borrow_mut().expire_access_tokens();
        });
        self.every(rarely(self.weather.gateway_ends_sessions), 0.0, |world| {
            world.sim.note(|| "the gateway ends all sessions".into());
            world.gateway.borrow_mut().end_sessions();
            for family in &mut world.ledger.borrow_mut().families {
                family.ended = family.ended.or(Some("consent was withdrawn"));
            }
        });
    }

    /// Something happens now and then while there are faults; never if `mean` is 0.
    fn every(self: &Rc<Self>, mean: f64, least: f64, happens: impl Fn(&Rc<Self>) + 'static) {
        if mean == 0.0 {
            return;
        }
        let world = self.clone();
        self.sim.spawn(WORLD, async move {
            loop {
                world.sim.pause(least, least + 2.0 * mean).await;
                let asleep = world.asleep_until.get() - world.sim.now();
                if asleep > 0.0 {
                    world.sim.sleep(asleep).await;
                    continue;
                }
                if !world.weather.is_on() {
                    return;
                }
                happens(&world);
            }
        });
    }

    pub fn a_browser(&self) -> Rc<Browser> {
        self.sim.random(|r| r.pick(&self.browsers.borrow()).clone())
    }

    /// Days pass, and nobody is there.
    fn all_sleep(&self) {
        let days = self.sim.random(|r| *r.pick(&[1.0, 1.0, 3.0, 15.0]));
        self.sim.note(|| format!("all sleep for {days} days"));
        let ms = days * DAY_MS;
        self.asleep_until.set(self.sim.now() + ms);
        self.storm_ends.set(self.storm_ends.get() + ms);
        for browser in self.browsers.borrow().iter() {
            browser.sleeps(ms);
            if days > 13.0 {
                browser.claims(None);
            }
        }
    }

    fn crash_relay(&self) {
        self.sim.note(|| "the relay crashes".into());
        self.sim.kill(self.isolate.replace(self.sim.group()));
    }

    /// A tab is closed, reloaded, copied, opened anew, frozen, or put aside and taken back.
    fn trouble_a_tab(self: &Rc<Self>) {
        let browser = self.a_browser();
        let tabs: Vec<_> = browser.open_tabs();
        let what = self.sim.random(|r| r.below(7));
        if what == 0 || tabs.is_empty() {
            if tabs.len() < 5 {
                Tab::open(&browser, PAGE, BTreeMap::new());
            }
            return;
        }
        let tab = self.sim.random(|r| r.pick(&tabs).clone());
        let Some(page) = tab.page() else {
            if what == 1 {
                tab.close();
            }
            return;
        };
        match what {
            1 => page.end.resolve(End::Close),
            2 if tabs.len() < 5 => {
                Tab::open(&browser, &page.href(), tab.session.borrow().clone());
            }
            3 => page.freezes(self.sim.random(|r| r.between(1_000.0, 60_000.0))),
            4 => page.put_aside(self.sim.random(|r| r.between(1_000.0, 60_000.0))),
            _ => page.end.resolve(End::Reload),
        }
    }

    /// Faults stop.
    pub fn calms_down(&self) {
        self.sim.note(|| "-- faults stop --".into());
        self.weather.clear();
        self.budget.set(0);
        for browser in self.browsers.borrow().iter() {
            browser.recovers();
        }
    }

    /// Parts all that holds one another, or no schedule's memory were ever free again.
    pub fn end(&self) {
        for browser in self.browsers.take() {
            browser.end();
        }
        for place in self.vaults.take().values() {
            place.end();
        }
    }

    /// Whether sessions belong to tabs.
    pub fn by_tab(&self) -> bool {
        self.weather.keeps == Keeps::Session
    }
}

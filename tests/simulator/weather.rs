//! What goes wrong in a schedule: each kind of fault is in it or not, and how often, as the seed says.

use std::cell::Cell;

use crate::random::Random;

/// One direction of a hop, in probabilities.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hop {
    pub loses_request: f64,
    pub loses_reply: f64,
    pub doubles: f64,
    /// Takes up to 40 s.
    pub dawdles: f64,
}

/// What the tabs of a browser have for a lock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Locks {
    Web,
    /// No Web Locks: a lock within each page alone.
    Missing,
}

/// What a browser keeps records in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keeps {
    /// `localStorage`, and `sessionStorage` for a sign-in under way.
    Local,
    /// `sessionStorage` for both: each tab has a session of its own.
    Session,
    /// The app's own, which is asynchronous, and says so when it refuses.
    Own,
}

#[derive(Debug)]
pub struct Weather {
    /// Faults stop when the end nears.
    is_on: Cell<bool>,
    /// Between a page and the relay.
    pub page: Hop,
    /// Between the relay and the gateway.
    pub gateway: Hop,
    /// Someone between page and relay answers 429, 502 or 503.
    pub edge_refuses: f64,
    /// The gateway answers an error, or nonsense.
    pub gateway_fails: f64,
    /// Of those: how many after it did what was asked.
    pub fails_after: f64,
    /// Mean time between crashes of a vault's host and of the relay's, in milliseconds; 0: none.
    pub vault_crashes: f64,
    pub relay_crashes: f64,
    /// A crash of a vault's host in the middle of a step that stores.
    pub crashes_at_store: f64,
    /// Mean time between what happens to tabs: closed, reloaded, frozen, in milliseconds; 0: nothing.
    pub tab_trouble: f64,
    /// A page is gone between two steps of a flow: what it has just read or stored is the last thing that it did.
    pub ends_at_store: f64,
    /// A message to another tab is lost; all are late.
    pub loses_message: f64,
    pub late_messages: bool,
    pub locks: Locks,
    pub keeps: Keeps,
    /// The storage refuses, or the user clears it.
    pub storage_trouble: bool,
    /// The clocks of browsers are wrong, and jump.
    pub wrong_clocks: bool,
    /// A browser sleeps for a day.
    pub sleeps: bool,
    /// The gateway ends tokens before their time, or sessions with them.
    pub gateway_ends_tokens: bool,
    pub gateway_ends_sessions: bool,
    /// The gateway's last page redirects twice.
    pub double_redirect: bool,
    pub echoes_state: bool,
    /// One of few seconds, or AT&T's two days.
    pub token_life_s: u32,
    /// How long a store takes at most, in milliseconds; 0: the relay keeps sessions in memory.
    pub store_ms: f64,
}

impl Weather {
    pub fn draw(r: &mut Random) -> Self {
        let calm = r.chance(0.1);
        // Few kinds at a time: a schedule that fails in all ways at once tells little.
        let share = *r.pick(&[0.1, 0.2, 0.35]);
        let mut some = |most: f64| {
            if !calm && r.chance(share) {
                most * r.fraction()
            } else {
                0.0
            }
        };
        let page = Hop {
            loses_request: some(0.4),
            loses_reply: some(0.4),
            doubles: some(0.5),
            dawdles: some(0.3),
        };
        let gateway = Hop {
            loses_request: some(0.4),
            loses_reply: some(0.25),
            doubles: some(0.25),
            dawdles: some(0.3),
        };
        Self {
            is_on: Cell::new(true),
            page,
            gateway,
            edge_refuses: some(0.3),
            gateway_fails: some(0.5),
            fails_after: some(0.3),
            vault_crashes: some(60_000.0),
            relay_crashes: some(60_000.0),
            crashes_at_store: some(0.2),
            tab_trouble: some(30_000.0),
            ends_at_store: some(0.1),
            loses_message: some(0.7),
            late_messages: some(1.0) > 0.0,
            locks: if some(1.0) > 0.0 {
                Locks::Missing
            } else {
                Locks::Web
            },
            storage_trouble: some(1.0) > 0.0,
            wrong_clocks: some(1.0) > 0.0,
            sleeps: some(1.0) > 0.0,
            gateway_ends_tokens: some(1.0) > 0.0,
            gateway_ends_sessions: some(1.0) > 0.3,
            double_redirect: some(1.0) > 0.0,
            keeps: *r.pick(&[
                Keeps::Local,
                Keeps::Local,
                Keeps::Local,
                Keeps::Own,
                Keeps::Session,
            ]),
            echoes_state: !r.chance(0.2),
            token_life_s: *r.pick(&[20, 60, 90, 120, 172_800]),
            store_ms: *r.pick(&[0.0, 5.0, 50.0, 500.0]),
        }
    }

    pub fn clear(&self) {
        self.is_on.set(false);
    }

    pub fn is_on(&self) -> bool {
        self.is_on.get()
    }

    /// A probability, while there are faults.
    pub fn now(&self, probability: f64) -> f64 {
        if self.is_on.get() { probability } else { 0.0 }
    }
}
